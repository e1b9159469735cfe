"""The commands about real traffic: ``ab report`` on champion and challenger, ``report`` on one test session."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from self_heal_engine.cli_service import need_service
from self_heal_engine.errors import CannotHeal, printable, quoted

if TYPE_CHECKING:
    from self_heal_engine.session_data import Advice
    from self_heal_engine.session_report import SessionReport

app = typer.Typer(rich_markup_mode=None)
ab = typer.Typer(help="Champion and challenger on real traffic.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(ab, name="ab")

CONDITION_HOLDS = 1


@ab.command("report")
def ab_report_command(
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Count from this day or moment on, in UTC unless it says more.")
    ] = None,
    alpha: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="How often equal variants may ever be called different.")
    ] = 0.05,
    json_file: Annotated[Path | None, typer.Option("--json", help="A file for the same as JSON.")] = None,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Count the heals of every model, not only of those that serve now.")
    ] = False,
) -> None:
    """Say whether the challenger is better than the champion, as often as you like: looking does not cheat."""
    need_service()
    from self_heal_engine.ab import VARIANTS, as_data, report, stored_heals, told
    from self_heal_engine.service.models import served
    from self_heal_engine.settings import read_settings
    from self_heal_engine.storage import settled_store

    began = None if since is None else read_moment(since)
    settings = read_settings()
    serving = None
    if not all_versions:
        models = served(settings.model_path, settings.challenger_path, settings.enable_inference)
        serving = {one.variant: f"{one.name}-{one.version}" for one in models}
    with closing(settled_store()) as store:
        found = report(stored_heals(store, began), serving, settings.challenger_share, alpha, began)
    say(told(found))
    if serving is not None and len(serving) < len(VARIANTS):
        say("No challenger serves now: SELF_HEAL_CHALLENGER_PATH names one; --all-versions counts those of the past.")
    if json_file is not None:
        save(json_file, as_data(found))
    if find_spec("mlflow") is None:
        say("Not logged: mlflow is not installed (`pip install 'self-heal-engine[workbench]'`).")
        return
    from self_heal_engine.ab import track
    from self_heal_engine.registry import open_store

    say(f"Logged to MLflow, run {track(open_store(Path()), found)}.")


@app.command("report")
def report_command(
    session: Annotated[str, typer.Option("--session", metavar="NAME", help="The test session, as heals named it.")],
    out: Annotated[Path, typer.Option("--out", help="The file of HTML to write.")] = Path("report.html"),
    json_file: Annotated[Path | None, typer.Option("--json", help="A file for the same as JSON.")] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="CONDITION",
            help="Exit 1 if it holds: low-confidence, ambiguous, gone, wrong or unconfirmed; may be repeated.",
        ),
    ] = None,
    least: Annotated[float, typer.Option(min=0.0, max=1.0, help="A confidence below this needs a person.")] = 0.8,
    tests: Annotated[
        list[Path] | None, typer.Option("--tests", help="Test sources, or folders of them, to suggest patches for.")
    ] = None,
) -> None:
    """Write what was healed in a test session, what was gone and what needs a person, as one file of HTML."""
    need_service()
    from self_heal_engine.session_data import as_data
    from self_heal_engine.session_html import page
    from self_heal_engine.session_report import checked_policy, failures, session_heals, session_report
    from self_heal_engine.storage import settled_store

    policy = checked_policy(fail_on or [])
    with closing(settled_store()) as store:
        found = session_report(session_heals(store, session), least)
    advice = None if tests is None else suggested(found, tests)
    failed = failures(found, policy)
    save(out, page(found, advice, policy, failed))
    if json_file is not None:
        save(json_file, as_data(found, advice, policy, failed))
    say(found.sentence())
    say(f"written: {out}{'' if json_file is None else f' and {json_file}'}")
    for sentence in failed.values():
        print(printable(f"self-heal report: {sentence}"), file=sys.stderr)
    if failed:
        raise typer.Exit(CONDITION_HOLDS)


def suggested(found: SessionReport, tests: list[Path]) -> Advice:
    """Return what the sure answers of a session change in some test sources; nothing is written."""
    from self_heal_engine.cli_patch import need_patch

    need_patch()
    from self_heal_engine.patching import plan
    from self_heal_engine.session_data import Advice, to_patch
    from self_heal_engine.source_files import diff_of

    made = plan(to_patch(found), tests)
    left = tuple((left.shown, left.line, left.value, left.why) for left in made.left)
    return Advice("".join(map(diff_of, made.patches)), left, made.notes)


def read_moment(text: str) -> datetime:
    """Return a day or moment in ISO 8601, in UTC where it names no time zone; CannotHeal ``bad_date``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CannotHeal("bad_date", f"{quoted(text)} is no date such as 2026-11-24 or 2026-11-24T10:00Z") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def save(path: Path, content: Any) -> None:
    """Write a text, or a value as JSON; CannotHeal ``unwritable_file``."""
    from self_heal_engine.files import write_json, write_text

    try:
        write_text(path, content) if isinstance(content, str) else write_json(path, content)
    except OSError as error:
        raise CannotHeal("unwritable_file", f"{quoted(path)} cannot be written: {error.strerror}") from error


def say(text: str) -> None:
    """Print lines, whatever they quote."""
    for line in text.split("\n"):
        print(printable(line))
