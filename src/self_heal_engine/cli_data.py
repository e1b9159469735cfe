"""The subcommands of ``self-heal data``: look at cases, add pages of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from self_heal_engine.errors import CannotHeal, printable, quoted

app = typer.Typer(
    help="The training data: look at cases, add pages of your own.", no_args_is_help=True, rich_markup_mode=None
)

DataFolder = Annotated[Path, typer.Option("--data", help="The folder that `dvc repro` fills.")]


@app.command("show")
def show_command(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The id of a case, or how it begins.")],
    data: DataFolder = Path("data"),
) -> None:
    """Show one case: the old element, the new one, and why they are the pair."""
    from self_heal_engine.contact_sheet import find_case, show
    from self_heal_engine.dataset import read_cases

    for line in show(find_case(read_cases(data / "cases.jsonl"), case), data).splitlines():
        print(printable(line))


@app.command("sheet")
def sheet_command(
    many: Annotated[int, typer.Option("-n", min=1, max=2_000, help="How many cases.")] = 50,
    rule: Annotated[str | None, typer.Option(help="Only pairs that this rule made, such as A2.")] = None,
    difficulty: Annotated[str | None, typer.Option(help="Only this difficulty, such as natural.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed shows other cases.")] = 1,
    out: Annotated[Path, typer.Option(help="Where the sheet goes.")] = Path("sheet.html"),
    data: DataFolder = Path("data"),
) -> None:
    """Write a contact sheet: random cases of every rule and difficulty, old and new element side by side."""
    from self_heal_engine.contact_sheet import sample, sheet
    from self_heal_engine.dataset import read_cases
    from self_heal_engine.files import write_text

    cases = [
        case
        for case in read_cases(data / "cases.jsonl")
        if rule in (None, case.rule) and difficulty in (None, case.difficulty)
    ]
    if not cases:
        raise CannotHeal("no_case", f"no case is of the rule {quoted(rule)} and the difficulty {quoted(difficulty)}")
    drawn = sample(cases, many, seed)
    write_text(out, sheet(drawn, data))
    print(f"{len(drawn)} of {len(cases)} cases: open {out}")


@app.command("add")
def add_command(
    old: Annotated[Path, typer.Option(help="The page as it was: an HTML file.")],
    new: Annotated[Path, typer.Option(help="The same page as it is now.")],
    site: Annotated[str, typer.Option(help="What your application is called: its cases are a family of their own.")],
    page: Annotated[str | None, typer.Option(help="What the page is called; by default as the new file.")] = None,
    data: DataFolder = Path("data"),
) -> None:
    """Add two states of a page of your own; `dvc repro` then trains on it too."""
    from self_heal_engine.own_pages import add_pages
    from self_heal_engine.sources import read_sources

    taken = {source.name for source in read_sources(data / "sources.toml")}
    rules = add_pages(old, new, site, page, data / "own", taken)
    removed = rules.pop("R0", 0)
    said = ", ".join(f"{many} by {rule}" for rule, many in sorted(rules.items()))
    print(f"{site}: {rules.total()} pairs ({said}), {removed} removed elements; `dvc repro` makes their cases")
