"""What a ranker did with each case: a pandas table, a row a case, from which every figure of accuracy is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from self_heal_engine.candidates import candidates
from self_heal_engine.contestants import contestant
from self_heal_engine.dataset import Case, open_page, wanted
from self_heal_engine.parallel import in_parallel

# The facts of a case that figures are grouped by.
FACTS = ("id", "pair", "family", "source", "difficulty", "knowledge", "locator_type", "weight")

# So many cases are one piece of work. Cases of one page stand together, so that it is parsed once.
CHUNK = 64


@dataclass(frozen=True, slots=True)
class Job:
    """Some cases for some rankers, which are named: a worker loads them itself."""

    data: Path
    rankers: tuple[str, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one ranker did with one case."""

    place: int  # of the right element, 1 being first; 0: it is not among the candidates, or gone
    candidates: int
    chosen: int  # the row placed first; -1 without candidates
    confidence: float  # that it is right; of a published ranker its score
    healed: bool  # at the ranker's own threshold


def outcomes(
    data: Path, cases: Sequence[Case], rankers: Sequence[str], scheduler: str | None = None
) -> dict[str, pd.DataFrame]:
    """Return, for each named ranker, a table with a row a case, in order: ``FACTS``, ``gone`` and ``Outcome``'s fields.

    All rank the same candidates. A name is that of a published ranker or the path of a model file.
    """
    jobs = [Job(data, tuple(rankers), tuple(cases[at : at + CHUNK])) for at in range(0, len(cases), CHUNK)]
    made = [row for rows in in_parallel(judge, jobs, scheduler) for row in rows]
    return {name: outcome_table(cases, [row[name] for row in made]) for name in rankers}


def judge(job: Job) -> list[dict[str, Outcome]]:
    """Return, for each case of a job, what each ranker did with it."""
    models = {name: contestant(name) for name in job.rankers}
    found = []
    for case in job.cases:
        page, known = open_page(job.data, case.new_page), wanted(case, job.data)
        rows = candidates(page, known)
        row = {}
        for name, model in models.items():
            scores = model.rank(page, rows, known)
            confidence = model.decision.confidence(page, rows, known, scores)
            row[name] = outcome(rows, scores, confidence, model.decision.threshold, case.new_row)
        found.append(row)
    return found


def outcome(
    rows: NDArray[np.integer], scores: NDArray[np.floating], confidence: float, threshold: float, right: int | None
) -> Outcome:
    """Return the outcome of one ranking; among equal scores the earlier element stands first, as in an answer."""
    order = rows[np.argsort(-scores, kind="stable")]
    places = np.flatnonzero(order == (-1 if right is None else right))
    return Outcome(
        place=int(places[0]) + 1 if len(places) else 0,
        candidates=len(rows),
        chosen=int(order[0]) if len(order) else -1,
        confidence=float(confidence),
        healed=bool(len(order)) and confidence >= threshold,
    )


def outcome_table(cases: Sequence[Case], made: Sequence[Outcome]) -> pd.DataFrame:
    """Return facts and outcomes as one table."""
    facts = {name: [getattr(case, name) for case in cases] for name in FACTS}
    fields = {name: [getattr(one, name) for one in made] for name in Outcome.__slots__}
    return pd.DataFrame({**facts, "gone": [case.new_row is None for case in cases], **fields})
