"""Evaluation: everything that is measured of a ranker beside the published ones, and the plots of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from self_heal_engine.baselines import BASELINES
from self_heal_engine.dataset import DIFFICULTIES
from self_heal_engine.figures import rates_by_group, rates_by_row, reliability_diagram, trade_off
from self_heal_engine.goals import FALSE_HEALS, best_headline, best_of, measured
from self_heal_engine.metrics import (
    brier,
    calibration_error,
    compare,
    decisions,
    false_heals_at_recall,
    headline,
    hit_at,
    mean_reciprocal_rank,
    recall_curve,
    reliability,
)

if TYPE_CHECKING:
    import pandas as pd

# What hit@1 is shown apart by: the name in the metrics and the column of an outcome table.
GROUPED = {
    "family": "family", "source": "source", "difficulty": "difficulty",
    "locator": "locator_type", "knowledge": "knowledge",
}  # fmt: skip

# So many decimals of every figure are kept: more would differ between machines, and mean nothing.
DECIMALS = 4


def evaluate(
    tables: Mapping[str, pd.DataFrame],
    ours: str,
    leave_one_out: pd.DataFrame | None = None,
    audited: Collection[str] = (),
    gone_prior: float | None = None,
    lost: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the contents of ``metrics.json``: nested dicts whose leaves are figures, each with its interval and n.

    ``tables`` are the outcomes of every ranker on the same test cases, ``ours`` being one of them; ``leave_one_out``
    holds every case as judged by a ranker that has not seen its family; ``audited`` are the pairs that a person called
    right; ``gone_prior`` is the share of gone elements that the calibration assumes; ``lost`` the kinds of loss.
    """
    mine = tables[ours]
    published = {name: table for name, table in tables.items() if name in BASELINES}
    found: dict[str, Any] = {
        "cases": about_cases(mine) | {"gone_prior": gone_prior, "audited": int(mine["pair"].isin(list(audited)).sum())},
        "best_baseline": best_headline(published)[0],
        "headline": headline(mine),
        "goals": measured(mine, published, audited, gone_prior),
        "rankers": {called(name, ours): ranker(table, gone_prior) for name, table in tables.items()},
        "by": {what: by(mine, published, column) for what, column in GROUPED.items()},
        "reliability": {f"bin_{at:02}": each for at, each in enumerate(reliability(mine, gone_prior), start=1)},
        "against": {name: compare(mine, table) for name, table in tables.items() if name != ours},
        "lost": dict(lost or {}),
    }
    if leave_one_out is not None:
        found["leave_one_out"] = left_out(leave_one_out, audited, gone_prior)
    kept: dict[str, Any] = rounded(found)
    return kept


def called(name: str, ours: str) -> str:
    """Return what a ranker is called in the metrics: a model file that moves would make every figure a new one."""
    return "ours" if name == ours else name


def about_cases(table: pd.DataFrame) -> dict[str, Any]:
    """Return how many cases there are, and of what."""
    return {
        "n": len(table),
        "gone": int(table["gone"].sum()),
        "pairs": int(table["pair"].nunique()),
        "families": sorted(table["family"].unique().tolist()),
    }


def ranker(table: pd.DataFrame, gone_prior: float | None) -> dict[str, Any]:
    """Return the figures of one ranker over all cases."""
    return {
        "headline": headline(table),
        "hit_at_1": hit_at(table, 1),
        "hit_at_5": hit_at(table, 5),
        "mrr": mean_reciprocal_rank(table),
        "false_heals_at_95_recall": false_heals_at_recall(table),
        "at_threshold": decisions(table),
        "ece": calibration_error(table, gone_prior),
        "brier": brier(table, gone_prior),
    }


def by(mine: pd.DataFrame, published: Mapping[str, pd.DataFrame], column: str) -> dict[str, Any]:
    """Return hit@1 of ours and of the baseline that does best, for each value of a column."""
    found = {}
    for value in sorted(mine[column].unique().tolist()):
        asked = (mine[column] == value).to_numpy()
        beside = best_of({name: hit_at(table[asked], 1) for name, table in published.items()})
        found[value] = {"ours": hit_at(mine[asked], 1)} | beside
    return {value: facts for value, facts in found.items() if facts["ours"] is not None}


def left_out(table: pd.DataFrame, audited: Collection[str], gone_prior: float | None) -> dict[str, Any]:
    """Return the figures of rankers each of which has not seen the family it is measured on, over all families."""
    goals = measured(table, {}, audited, gone_prior)
    return {
        "cases": about_cases(table),
        "ours": ranker(table, gone_prior),
        "goals": {name: {"ours": facts["ours"]} for name, facts in goals.items()},
        "by_family": {name: facts["ours"] for name, facts in by(table, {}, "family").items()},
        "by_difficulty": {name: facts["ours"] for name, facts in by(table, {}, "difficulty").items()},
    }


def rounded(value: Any) -> Any:
    """Return nested figures rounded, and without those of which there are no cases."""
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items() if inner is not None}
    return round(value, DECIMALS) + 0.0 if isinstance(value, float) else value


# -- plots ---------------------------------------------------------------------------------------------------------


def draw(tables: Mapping[str, pd.DataFrame], ours: str, facts: Mapping[str, Any], folder: Path) -> None:
    """Write the four plots of the report as SVG; the same tables give the same bytes."""
    tables = {ours: tables[ours], **tables}  # the first is drawn to stand out
    difficulties = {
        called(name, ours): {key: each["ours"] for key, each in by(table, {}, "difficulty").items()}
        for name, table in tables.items()
    }
    groups = [name for name in DIFFICULTIES if name in difficulties["ours"]]
    rates_by_group(difficulties, groups, "right element first", folder / "difficulty.svg")
    families = {
        "ours": {name: each["ours"] for name, each in facts["by"]["family"].items()},
        "best baseline": {n: each["baseline"] for n, each in facts["by"]["family"].items() if "baseline" in each},
        "ours, family left out": facts.get("leave_one_out", {}).get("by_family", {}),
    }
    shown = {name: rates for name, rates in families.items() if rates}
    rows = sorted(
        {name for rates in shown.values() for name in rates}, key=lambda name: (name not in families["ours"], name)
    )
    rates_by_row(shown, rows, "right element first", folder / "families.svg")
    bins = [facts["reliability"][name] for name in sorted(facts["reliability"])]
    reliability_diagram(bins, tables[ours]["confidence"].to_numpy(float), folder / "reliability.svg")
    curves = {called(name, ours): recall_curve(table) for name, table in tables.items()}
    trade_off(curves, 0.95, FALSE_HEALS.bound, folder / "false-heals.svg")
