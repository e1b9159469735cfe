"""Goal: what a ranker must reach on families that neither trained, tuned nor gated it, and whether it does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.metrics import Figure, calibration_error, compare, false_heals_at_recall, headline, hit_at

if TYPE_CHECKING:
    import pandas as pd

# The caller saw the element on the last page on which its locator worked.
FULL = ("baseline", "fingerprint")


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure that has a bound; with a ``difficulty`` it is hit@1 over such cases."""

    title: str
    bound: float
    difficulty: str = ""
    knowledge: tuple[str, ...] = ()
    audited: bool = False


# Bounds on hit@1: at least so much.
RANKING = {
    "natural": Goal("natural, full fingerprint (audited)", 0.995, "natural", FULL, audited=True),
    "masked-1": Goal("ids, names, hrefs masked", 0.97, "masked-1", FULL),
    "masked-2": Goal("also aria, title, placeholder masked", 0.95, "masked-2", FULL),
    "mutated-2": Goal("evolution x mutation, severity 2", 0.95, "mutated-2", FULL),
    "mutated-3": Goal("evolution x mutation, severity 3", 0.85, "mutated-3", FULL),
    "text": Goal("natural, locator and visible text only", 0.90, "natural", ("text",)),
}

# Bounds on what should be small: at most so much.
ERRORS = Goal("errors, headline, as a share of the best baseline's", 0.5)
FALSE_HEALS = Goal("gone elements healed at 95 % recall of right heals", 0.05)
CALIBRATION = Goal("calibration error (ECE)", 0.03)

GOALS = {**RANKING, "errors": ERRORS, "false_heals": FALSE_HEALS, "calibration": CALIBRATION}
AT_MOST = tuple(name for name in GOALS if name not in RANKING)


def measured(
    mine: pd.DataFrame, published: Mapping[str, pd.DataFrame], audited: Collection[str], gone_prior: float | None
) -> dict[str, dict[str, Any]]:
    """Return each goal's ``bound``, our figure, the best baseline's with its name, and whether it is ``reached``.

    ``clear``: the whole interval is on the right side of the bound. A goal of which there are no cases is left out.
    """
    best, theirs = best_headline(published)
    ratio = None if theirs is None else compare(mine, theirs).get("error_ratio")
    found = {name: ranking_goal(goal, mine, published, audited) for name, goal in RANKING.items()}
    found["errors"] = verdict(ERRORS, ratio, at_most=True) | {"baseline_name": best}
    if ratio is not None:  # half the errors by chance would be none
        found["errors"]["reached"] &= ratio["high"] < 1
    found["false_heals"] = verdict(FALSE_HEALS, false_heals_at_recall(mine), at_most=True)
    if theirs is not None:  # a ranker that is seldom right keeps its few right heals with ease: no company to be in
        found["false_heals"] |= {"baseline": false_heals_at_recall(theirs), "baseline_name": best}
    found["calibration"] = verdict(CALIBRATION, calibration_error(mine, gone_prior), at_most=True)
    return {name: facts for name, facts in found.items() if facts["ours"] is not None}


def ranking_goal(
    goal: Goal, mine: pd.DataFrame, published: Mapping[str, pd.DataFrame], audited: Collection[str]
) -> dict[str, Any]:
    """Return one goal on hit@1, beside the best baseline on the same cases and at all levels of knowledge."""
    asked = about(mine, goal, audited)
    ours, beside = hit_at(mine[asked], 1), best_of({name: hit_at(table[asked], 1) for name, table in published.items()})
    found = verdict(goal, ours, at_most=False) | beside
    if len(goal.knowledge) > 1:
        found["all_knowledge"] = hit_at(mine[about(mine, goal, audited, any_knowledge=True)], 1)
    if goal.audited and ours is not None and beside["baseline"] is not None:
        found["reached"] &= ours["value"] >= beside["baseline"]["value"]
    return found


def about(table: pd.DataFrame, goal: Goal, audited: Collection[str], any_knowledge: bool = False) -> NDArray[np.bool_]:
    """Return which cases a goal is about."""
    asked = (table["difficulty"] == goal.difficulty).to_numpy()
    if not any_knowledge:
        asked = asked & table["knowledge"].isin(goal.knowledge).to_numpy()
    if goal.audited:
        asked = asked & table["pair"].isin(list(audited)).to_numpy()
    return asked


def verdict(goal: Goal, ours: Figure | None, at_most: bool) -> dict[str, Any]:
    """Return a goal's bound, the figure, and on which side it and its interval are."""
    if ours is None:
        return {"bound": goal.bound, "ours": None, "reached": False, "clear": False}
    if at_most:
        reached, clear = ours["value"] <= goal.bound, ours["high"] <= goal.bound
    else:
        reached, clear = ours["value"] >= goal.bound, ours["low"] >= goal.bound
    return {"bound": goal.bound, "ours": ours, "reached": reached, "clear": clear}


def best_headline(published: Mapping[str, pd.DataFrame]) -> tuple[str | None, pd.DataFrame | None]:
    """Return the baseline that does best on the headline, name and table."""
    name = best_of({name: headline(table) for name, table in published.items()})["baseline_name"]
    return name, None if name is None else published[name]


def best_of(figures: Mapping[str, Figure | None]) -> dict[str, Any]:
    """Return the highest ``baseline`` with its ``baseline_name``; None for both without any."""
    known = {name: figure for name, figure in sorted(figures.items()) if figure is not None}
    best = max(known, key=lambda name: known[name]["value"], default=None)
    return {"baseline": None if best is None else known[best], "baseline_name": best}
