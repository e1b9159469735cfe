"""The commands about models: promote, roll back, export, compare and bench."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from self_heal_engine.errors import CannotHeal, printable

app = typer.Typer(rich_markup_mode=None)

DataFolder = Annotated[Path, typer.Option("--data", help="The folder that `dvc repro` fills.")]
ModelFolder = Annotated[Path, typer.Option("--models", help="The folder with candidate.json and ranker.json.")]
ParamsFile = Annotated[Path, typer.Option("--params", help="The file with the gates and the split.")]
MetricsFile = Annotated[Path, typer.Option("--metrics", help="What the evaluation wrote, for the card.")]

METRICS = Path("reports/evaluation/metrics.json")


def need_workbench() -> None:
    """Raise CannotHeal ``no_workbench`` where only what serving needs is installed."""
    if find_spec("mlflow") is None:
        raise CannotHeal("no_workbench", "mlflow is not installed: `pip install 'self-heal-engine[workbench]'`")


@app.command("promote")
def promote_command(
    override: Annotated[list[str] | None, typer.Option(help="A gate that does not count; each needs a --why.")] = None,
    why: Annotated[list[str] | None, typer.Option(help="Why the gate does not count; the card says so.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask the gates and change nothing.")] = False,
    models: ModelFolder = Path("models"),
    data: DataFolder = Path("data"),
    params: ParamsFile = Path("params.yaml"),
    metrics: MetricsFile = METRICS,
) -> None:
    """Make the candidate the champion, if it passes the gates."""
    need_workbench()
    from self_heal_engine.params import read_params
    from self_heal_engine.promotion import Asked, Workshop, paired, promote
    from self_heal_engine.registry import open_store

    overrides = paired(override or [], why or [])
    read = read_params(params)
    asked = Asked(read.gates, read.split.test, read.decision.gone_prior)
    shop = Workshop(models, data, metrics, open_store(Path()))
    done = promote(shop, asked, overrides, dry_run)
    for verdict in done.verdicts:
        print(f"{verdict.gate}: {'passed' if verdict.passed else 'overridden'}; {verdict.sentence}")
    print(done.said)


@app.command("rollback")
def rollback_command(models: ModelFolder = Path("models")) -> None:
    """Make the previous champion the champion again."""
    need_workbench()
    from self_heal_engine.promotion import rollback
    from self_heal_engine.registry import open_store

    print(rollback(models, open_store(Path())).said)


@app.command("export")
def export_command(
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="champion, previous, or the number of a version.")],
    out: Annotated[Path | None, typer.Option(help="Where the file goes; by default into this folder.")] = None,
) -> None:
    """Write a registered model as the one JSON that `--model` takes."""
    need_workbench()
    from self_heal_engine.registry import export, open_store

    target = out or Path(f"{Path(alias).name}.json")
    version = export(open_store(Path()), alias, target)
    print(f"version {version.number}, {version.sha256[:8]}: {target}")


@app.command("compare")
def compare_command(
    one: Annotated[str, typer.Argument(metavar="A", help="A model file, an alias, or a published ranker's name.")],
    other: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    side: Annotated[str, typer.Option(help="On which cases: train, validation, test or all.")] = "test",
    sample: Annotated[int | None, typer.Option(min=1, help="Only so many cases, spread evenly.")] = None,
    data: DataFolder = Path("data"),
    params: ParamsFile = Path("params.yaml"),
) -> None:
    """Compare two rankers on the same cases: won, lost, the difference with its interval, and p."""
    need_workbench()
    from self_heal_engine.contest import chosen, contest, told, track
    from self_heal_engine.dataset import read_cases
    from self_heal_engine.params import read_params
    from self_heal_engine.registry import open_store

    store = open_store(Path())
    cases = chosen(read_cases(data / "cases.jsonl"), side, read_params(params).split, sample)
    found = contest(one, other, cases, data, store)
    for line in told(one, other, found).splitlines():
        print(printable(line))
    track(store, one, other, side, found)


@app.command("bench")
def bench_command(
    ranker: Annotated[
        list[str] | None, typer.Option(help="A published ranker's name, a model file, or an alias; may be repeated.")
    ] = None,
    healer: Annotated[
        str | None, typer.Option(help="A healer of yours: package.module:callable, or a URL that answers our /heal.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the healer is called in the leaderboard.")] = None,
    version: Annotated[str, typer.Option(help="The healer's version, for the leaderboard.")] = "",
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that a healer may take for a case.")] = 30.0,
    side: Annotated[str, typer.Option(help="On which cases: train, validation, test or all.")] = "test",
    sample: Annotated[int | None, typer.Option(min=1, help="Only so many cases, spread evenly.")] = None,
    data: DataFolder = Path("data"),
    params: ParamsFile = Path("params.yaml"),
    reports: Annotated[Path, typer.Option(help="The folder with the leaderboard.")] = Path("reports"),
) -> None:
    """Measure rankers or a healer on the test cases, and put each into the leaderboard."""
    need_workbench()
    from self_heal_engine.benchmark import run_healer, run_ranker, told
    from self_heal_engine.contest import chosen
    from self_heal_engine.dataset import read_cases
    from self_heal_engine.leaderboard import PAGE, case_set, row, write_leaderboard
    from self_heal_engine.params import read_params
    from self_heal_engine.registry import open_store

    if not ranker and healer is None:
        raise CannotHeal("no_contestant", "a --ranker or a --healer must be given")
    read, file, store = read_params(params), data / "cases.jsonl", open_store(Path())
    cases = chosen(read_cases(file), side, read.split, sample)
    runs = [run_ranker(each, cases, data, store) for each in ranker or []]
    if healer is not None:
        runs.append(run_healer(healer, cases, data, timeout, name, version))
    on, prior = case_set(cases, file, side, sample), read.decision.gone_prior
    rows = [row(run.table, run.name, run.version, on, prior, sum(run.problems.values())) for run in runs]
    write_leaderboard(reports, rows)
    for run, made in zip(runs, rows, strict=True):
        for line in told(run, made).splitlines():
            print(printable(line))
        print()
    print(f"written: {reports / PAGE}")
