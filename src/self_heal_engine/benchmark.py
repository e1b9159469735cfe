"""The benchmark: what a ranker or a healer did with the cases, how long it took, and why some have no answer."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from self_heal_engine.contest import ranker_named
from self_heal_engine.contestants import contestant
from self_heal_engine.dataset import Case
from self_heal_engine.errors import CannotHeal, printable, quoted
from self_heal_engine.healers import PROBLEMS, Heard, answered, check, opened, question
from self_heal_engine.leaderboard import COLUMNS, Row, cell, titled
from self_heal_engine.markdown import markdown
from self_heal_engine.outcomes import outcome_table, outcomes
from self_heal_engine.parallel import in_parallel
from self_heal_engine.registry import Store

if TYPE_CHECKING:
    import pandas as pd

# So many cases share one process of a healer, which may be slow to start.
CHUNK = 256

# Of a ranker, so many cases are timed.
TIMED = 30


@dataclass(frozen=True, slots=True)
class Job:
    """Some cases for a healer, with whole paths: the process that takes the job may have begun in another folder."""

    data: Path
    healer: str
    seconds: float
    folder: Path
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run: the outcome table, how many cases have no answer and for which problem, and the time.

    ``said`` is the first sentence on each problem; ``milliseconds`` the median of an answer.
    """

    name: str
    version: str
    table: pd.DataFrame
    problems: Mapping[str, int]
    said: Mapping[str, str]
    milliseconds: float


def run_ranker(ranker: str, cases: Sequence[Case], data: Path, store: Store) -> Run:
    """Return what a published ranker, a model file or a registered model did with each case."""
    with tempfile.TemporaryDirectory() as folder:
        given = ranker_named(ranker, store, Path(folder))
        given = str(Path(given).resolve()) if Path(given).suffix else given
        name, version = titled(given)
        return Run(name, version, outcomes(data.resolve(), cases, [given])[given], {}, {}, timed(given, cases, data))


def run_healer(
    healer: str, cases: Sequence[Case], data: Path, seconds: float, name: str | None = None, version: str = ""
) -> Run:
    """Return what a URL or a callable did with each case, of which none may take longer than so many seconds.

    As many cases are asked at a time as there are cores. CannotHeal ``unknown_healer`` if it cannot be asked,
    ``no_answer`` if it answers nothing.
    """
    data, folder = data.resolve(), Path.cwd()
    check(healer, data, folder)
    jobs = [Job(data, healer, seconds, folder, tuple(cases[at : at + CHUNK])) for at in range(0, len(cases), CHUNK)]
    heard = [one for some in in_parallel(ask_all, jobs) for one in some]
    silent = [one for one in heard if one.problem]
    said = {one.problem: one.sentence for one in reversed(silent)}
    if len(silent) == len(heard):
        raise CannotHeal(
            "no_answer", f"{quoted(healer)} answers none of {len(cases)} cases: {printable('; '.join(said.values()))}"
        )
    return Run(
        name=name or healer,
        version=version,
        table=outcome_table(cases, [one.outcome for one in heard]),
        problems=dict(sorted(Counter(one.problem for one in silent).items())),
        said=said,
        milliseconds=median(one.milliseconds for one in heard if not one.problem),
    )


def ask_all(job: Job) -> list[Heard]:
    """Return what came of each case of a job."""
    with opened(job.healer, job.data, job.seconds, job.folder) as healer:
        return [healer.ask(case) for case in job.cases]


def timed(name: str, cases: Sequence[Case], data: Path) -> float:
    """Return the median time of a ranker's whole answer, over cases spread evenly; it is asked as a healer is."""
    model, many = contestant(name), min(TIMED, len(cases))
    times = []
    for at in range(many):
        asked = question(cases[at * len(cases) // many], data)
        began = perf_counter()
        answered(asked, model)
        times.append(1_000 * (perf_counter() - began))
    return median(times)


def told(run: Run, row: Row) -> str:
    """Return a run as text: its figures, the time, and what has no answer."""
    figures = [[COLUMNS[what], cell(figure, with_n=True)] for what, figure in row.figures.items()]
    lines = [
        f"{run.name} {run.version}".strip() + f" on {row.cases:,} cases, in {row.gone:,} of which the element is gone",
        "",
        *markdown(["", "per cent"], figures),
        "",
        f"median time of an answer: {run.milliseconds:.0f} ms",
    ]
    for problem, many in run.problems.items():
        lines.append(f"no answer in {many:,} cases: {PROBLEMS[problem]}, first: {run.said[problem]}")
    return "\n".join(lines)
