"""heal(page, wanted) -> HealResult: the straight line from a page to a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.candidates import candidates
from self_heal_engine.dom import Page, Rows
from self_heal_engine.explaining import reasons, why_lost
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.locators import Locator
from self_heal_engine.matching import matches
from self_heal_engine.ranking import Model, packaged
from self_heal_engine.writing import unique_locators

# How much of a candidate's own HTML the answer shows.
MOST_HTML = 300


@dataclass(frozen=True, slots=True)
class Healing:
    """One candidate: the element, how well it scored, and the locators that find it alone, most stable first."""

    row: int
    score: float
    locators: list[Locator]
    tag: str
    text: str
    html: str
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class HealResult:
    """The answer for one broken locator.

    ``confidence`` is the probability that the first candidate is right; it is only an order while ``calibrated`` is
    False. ``decision`` is ``gone`` when that is below ``threshold``: what came nearest is then still listed.
    """

    decision: Literal["healed", "unchanged", "gone"]
    confidence: float
    calibrated: bool
    threshold: float
    original_matches: int | None
    knowledge: Literal["fingerprint", "locator"]  # the element was seen on an earlier page, or only spoken of
    candidates: list[Healing]
    model: str


def heal(page: Page, wanted: Fingerprint, model: Model | None = None, limit: int = 5) -> HealResult:
    """Return the best replacements for a broken locator, best first, and whether to use the first.

    Without a model the packaged one answers.
    """
    model = model or packaged()
    rows = candidates(page, wanted)
    return answer(page, wanted, rows, model.rank(page, rows, wanted), model, limit)


def heal_all(page: Page, wanted: Sequence[Fingerprint], model: Model | None = None, limit: int = 5) -> list[HealResult]:
    """Return an answer for each broken locator of one page; no element is the first choice of two.

    Elements go to the fingerprints so that the sum of the scores is highest (one-to-one assignment); each answer is
    then found among the elements that no other fingerprint was given. Two locators of one element share it: their
    fingerprints are the same but for the locator.
    """
    model = model or packaged()
    elements = [repr(replace(known, locator=None) if known.complete else known) for known in wanted]
    distinct = dict(zip(elements, wanted, strict=True))
    rows = {element: candidates(page, known) for element, known in distinct.items()}
    scores = {element: model.rank(page, rows[element], known) for element, known in distinct.items()}
    taken = dict(zip(distinct, assign(list(rows.values()), list(scores.values())), strict=True))
    results = []
    for element, known in zip(elements, wanted, strict=True):
        others = [row for other, row in taken.items() if other != element and row is not None]
        free = ~np.isin(rows[element], others)
        results.append(answer(page, known, rows[element][free], scores[element][free], model, limit))
    return results


def assign(rows: list[Rows], scores: list[NDArray[np.float64]]) -> list[int | None]:
    """Return which row each fingerprint gets, so that the sum of the scores is highest; None where none is left."""
    from scipy.optimize import linear_sum_assignment  # 0.2 s, and only many locators at once need it

    used = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *rows]))
    gains = np.zeros((len(rows), len(used)))
    for at, (these, given) in enumerate(zip(rows, scores, strict=True)):
        gains[at, np.searchsorted(used, these)] = given
    chosen = dict(zip(*(part.tolist() for part in linear_sum_assignment(gains, maximize=True)), strict=True))
    return [int(used[chosen[at]]) if at in chosen and gains[at, chosen[at]] > 0 else None for at in range(len(rows))]


def answer(
    page: Page, wanted: Fingerprint, rows: Rows, scores: NDArray[np.float64], model: Model, limit: int
) -> HealResult:
    """Return the decision on some ranked candidates."""
    order = np.argsort(-scores, kind="stable")[:limit]
    confidence = model.decision.confidence(page, rows, wanted, scores)
    found = None if wanted.locator is None else matches(page, wanted.locator)
    return HealResult(
        decision=decide(rows[order], confidence, found, model.decision.threshold),
        confidence=round(confidence, 4),
        calibrated=model.decision.calibrated,
        threshold=model.decision.threshold,
        original_matches=None if found is None else len(found),
        knowledge="fingerprint" if wanted.complete else "locator",
        candidates=described(page, wanted, rows[order].tolist(), scores[order].tolist()),
        model=model.name,
    )


def decide(
    best: Rows, confidence: float, found: Rows | None, threshold: float
) -> Literal["healed", "unchanged", "gone"]:
    """Return whether to heal, given the candidates, best first, and what the old locator finds now."""
    if confidence < threshold:
        return "gone"
    return "unchanged" if found is not None and found.tolist() == best[:1].tolist() else "healed"


def described(page: Page, wanted: Fingerprint, rows: list[int], scores: list[float]) -> list[Healing]:
    """Return the candidates with everything a person or a test needs of them; the second also says why it lost."""
    own_kind = wanted.locator.kind if wanted.locator else None
    return [
        Healing(
            row=row,
            score=round(score, 4),
            locators=unique_locators(page, row, own_kind),
            tag=page.tag(row),
            text=page.text(row),
            html=page.html(row)[:MOST_HTML],
            reasons=reasons(page, row, wanted) + (why_lost(page, rows[0], row, wanted) if place == 1 else []),
        )
        for place, (row, score) in enumerate(zip(rows, scores, strict=True))
    ]
