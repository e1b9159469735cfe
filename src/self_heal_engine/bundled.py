"""Cases that come with the package: three pages of our own before and after a redesign, the truth set by hand."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from self_heal_engine.candidates import candidates
from self_heal_engine.dataset import Case, open_page, read_cases, wanted
from self_heal_engine.ranking import Model, load_ranker, packaged


def validate_model(model: Path | None = None) -> dict[str, Any]:
    """Return how a model does on the bundled cases; without a file, the one that serves.

    Of the cases whose element is there: ``accuracy`` (hit@1), ``hit_at_5``, ``mrr``, ``right_heals`` and
    ``abstentions``; of the others ``false_heals``; then ``n`` cases, ``gone`` of which without the element, ``model``.
    """
    ranker = packaged() if model is None else load_ranker(model)
    with as_file(files("self_heal_engine") / "examples") as folder:
        judged = [judge(ranker, case, folder) for case in read_cases(folder / "cases.jsonl")]
    there = [(place, healed) for place, healed, gone in judged if not gone]
    return {
        "accuracy": share(place == 1 for place, _ in there),
        "hit_at_5": share(1 <= place <= 5 for place, _ in there),
        "mrr": share(1 / place if place else 0.0 for place, _ in there),
        "right_heals": share(place == 1 and healed for place, healed in there),
        "abstentions": share(not healed for _, healed in there),
        "false_heals": share(healed for _, healed, gone in judged if gone),
        "n": len(judged),
        "gone": len(judged) - len(there),
        "model": ranker.name,
    }


def judge(model: Model, case: Case, folder: Path) -> tuple[int, bool, bool]:
    """Return the place of the right element (0: none), whether the model heals, and whether the element is gone."""
    page, known = open_page(folder, case.new_page), wanted(case, folder)
    rows = candidates(page, known)
    scores = model.rank(page, rows, known)
    order = rows[np.argsort(-scores, kind="stable")].tolist()
    healed = bool(order) and model.decision.confidence(page, rows, known, scores) >= model.decision.threshold
    return (order.index(case.new_row) + 1 if case.new_row in order else 0), healed, case.new_row is None


def share(values: Iterable[float]) -> float:
    """Return the mean to four decimals."""
    return round(fmean(values), 4)
