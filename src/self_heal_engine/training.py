"""Training on the feature table: the ranker, then the decision on what rankers say of families they never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray

from self_heal_engine.dataset import families, read_cases
from self_heal_engine.decision import DECISION_DIRECTIONS, joined, standing
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.evidence import write_evidence
from self_heal_engine.feature_table import Table, read_table
from self_heal_engine.features import BASE_NAMES, DIRECTIONS
from self_heal_engine.files import sha256
from self_heal_engine.metrics import calibration_error, decisions, false_heals_at_recall, headline, hit_at
from self_heal_engine.outcomes import outcome, outcome_table
from self_heal_engine.parallel import in_parallel
from self_heal_engine.params import Deciding, Params, Training, Trees, read_trees
from self_heal_engine.ranking import BOUNDS, Calibrated, save_ranker, sigmoid
from self_heal_engine.registry import open_store, tracked

Margins = NDArray[np.float32]

# So many groups of families take turns where a decision is set without one more group.
INNER = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """A piece of work: train on some families, score the candidates of others."""

    table: Path
    cases: Path
    families: tuple[str, ...]
    scored: tuple[str, ...]
    params: Training
    trees: Trees
    every: int = 1  # of the cases to train on, one in so many


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gives: the two models, and what they say of families that neither was trained on."""

    booster: xgboost.Booster
    decision: Calibrated
    out_of_fold: pd.DataFrame


def folds(family: NDArray[np.str_], families: Sequence[str], many: int) -> list[tuple[str, ...]]:
    """Return the families in so many groups of about as many cases each; sites that share code are never parted.

    ``family`` is that of each case. CannotHeal ``too_few_families`` if one could not be judged by another.
    """
    if len(families) < 2:
        raise CannotHeal(
            "too_few_families",
            f"{', '.join(map(quoted, families)) or 'no family'} to train on: two are needed at least",
        )
    sizes = {name: int((family == name).sum()) for name in families}
    groups: list[list[str]] = [[] for _ in range(min(many, len(sizes)))]
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        min(groups, key=lambda group: sum(sizes[member] for member in group)).append(name)
    return [tuple(sorted(group)) for group in groups]


# -- the ranker ----------------------------------------------------------------------------------------------------


def booster_params(params: Training, trees: Trees, monotone: bool = True) -> dict[str, Any]:
    """Return the parameters as XGBoost takes them; one thread, so that every machine grows the same trees."""
    return {
        "objective": params.objective,
        **asdict(trees),
        "monotone_constraints": DIRECTIONS if monotone else (0,) * len(DIRECTIONS),
        "nthread": 1,
        "seed": params.seed,
    }


def fit_ranker(
    table: Table, families: Sequence[str], params: Training, trees: Trees, every: int = 1, monotone: bool = True
) -> xgboost.Booster:
    """Return trees that tell the right candidates of some families from their hardest rivals.

    Of each case the right candidate and the ``negatives`` that the weighted ranker likes best are learnt from. Gone
    elements teach too: all their candidates are wrong.
    """
    learnt = np.isin(table.family, families) & (np.arange(len(table.cases)) % every == 0)
    kept = np.flatnonzero(learnt[table.case] & (table.right | (table.hardness < params.negatives)))
    ranks = params.objective.startswith("rank:")
    if ranks:  # a case without a right candidate orders nothing
        kept = kept[~table.gone[table.case[kept]]]
    weights = np.array([case.weight for case in table.cases], dtype=np.float32)
    case = table.case[kept]
    data = xgboost.QuantileDMatrix(
        table.features[kept],
        table.right[kept].astype(np.float32),
        qid=case if ranks else None,
        weight=weights[np.unique(case)] if ranks else weights[case],
        nthread=1,
    )
    return xgboost.train(booster_params(params, trees, monotone), data, params.rounds)


def score_fit(work: Fit) -> tuple[NDArray[np.intp], Margins]:
    """Return which candidates are of the families to be scored, and their margins."""
    table = read_table(work.table, work.cases)
    booster = fit_ranker(table, work.families, work.params, work.trees, work.every)
    scored = np.flatnonzero(np.isin(table.family, work.scored)[table.case])
    return scored, booster.inplace_predict(table.features[scored], predict_type="margin")


def margins_out_of_fold(works: Sequence[Fit], scheduler: str | None = None) -> Margins:
    """Return the margin of every candidate that a piece of work scores; NaN of the others."""
    table = read_table(works[0].table, works[0].cases)
    margins = np.full(len(table.case), np.nan, dtype=np.float32)
    for scored, found in in_parallel(score_fit, works, scheduler):
        margins[scored] = found
    return margins


# -- the decision --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Firsts:
    """The first candidate of each case, by margins: the decision's features, whether it is right, and its place."""

    cases: NDArray[np.intp]  # the numbers of the cases that have candidates
    features: NDArray[np.float32]
    right: NDArray[np.bool_]


def firsts(table: Table, margins: Margins) -> Firsts:
    """Return the first candidates of the cases that have been scored."""
    numbers, rows, right = [], [], []
    for number, (start, end) in enumerate(zip(table.starts[:-1].tolist(), table.starts[1:].tolist(), strict=True)):
        if end > start and not np.isnan(margins[start]):
            part = slice(start, end)
            best = start + int(np.argmax(margins[part]))
            told = standing(
                table.row[part], table.end[part], margins[part].astype(np.float64), int(table.page_size[start])
            )
            rows.append(joined(told, table.features[best, : len(BASE_NAMES)]))
            numbers.append(number)
            right.append(table.right[best])
    return Firsts(np.array(numbers, dtype=np.intp), np.array(rows, dtype=np.float32), np.array(right, dtype=np.bool_))


def prior_weights(gone: NDArray[np.bool_], prior: float) -> NDArray[np.float64]:
    """Return weights under which gone elements have the share ``prior``; all 1 if there are none, or none else."""
    share = gone.mean()
    if share in (0.0, 1.0):
        return np.ones(len(gone))
    return np.where(gone, prior / share, (1 - prior) / (1 - share))


def fit_trees(
    found: Firsts, chosen: NDArray[np.bool_], weights: NDArray[np.float64], params: Deciding
) -> xgboost.Booster:
    """Return trees that tell right first candidates from wrong ones."""
    data = xgboost.QuantileDMatrix(
        found.features[chosen], found.right[chosen].astype(np.float32), weight=weights[chosen], nthread=1
    )
    settings = {
        "objective": "binary:logistic", "eta": params.eta, "max_depth": params.max_depth,
        "min_child_weight": params.min_child_weight, "subsample": 0.8, "colsample_bytree": 0.5,
        "monotone_constraints": DECISION_DIRECTIONS, "nthread": 1, "seed": params.seed,
    }  # fmt: skip
    return xgboost.train(settings, data, params.rounds)


@dataclass(frozen=True, slots=True)
class Judged:
    """What decisions say of first candidates whose family took no part in them: not in trees, curve or threshold."""

    found: Firsts
    confidence: NDArray[np.float64]
    healed: NDArray[np.bool_]


def fit_decision(
    table: Table, margins: Margins, groups: Sequence[Sequence[str]], params: Deciding
) -> tuple[Calibrated, Judged]:
    """Return the decision, and what such decisions say of each group of families that they have not seen.

    The trees learn from what rankers say of families unseen. The curve and the threshold are set on what trees say of
    families unseen: the most that keeps the share of gone elements that are healed within the budget.
    """
    found = firsts(table, margins)
    family, gone = table.family[found.cases], table.gone[found.cases]
    weights = prior_weights(gone, params.gone_prior)
    judged = Judged(found, np.empty(len(family)), np.empty(len(family), dtype=np.bool_))
    for group in groups:
        there = np.isin(family, group)
        rest = [other for other in groups if other is not group]
        told = unseen(found, family, merged(rest), weights, params)[~there]
        slope, intercept, threshold = curve(told, found.right[~there], gone[~there], weights[~there], params)
        trees = fit_trees(found, ~there, weights, params)
        margin = trees.inplace_predict(found.features[there], predict_type="margin")
        judged.confidence[there] = sigmoid(slope * margin + intercept)
        judged.healed[there] = judged.confidence[there] >= threshold
    told = unseen(found, family, groups, weights, params)
    slope, intercept, threshold = curve(told, found.right, gone, weights, params)
    trees = fit_trees(found, np.ones(len(told), dtype=np.bool_), weights, params)
    return Calibrated(trees, slope, intercept, threshold, params.false_heal_budget, params.gone_prior), judged


def merged(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return at most ``INNER`` groups in place of many: each costs trees."""
    return [[name for group in groups[at::INNER] for name in group] for at in range(min(INNER, len(groups)))]


def unseen(
    found: Firsts, family: NDArray[np.str_], groups: Sequence[Sequence[str]], weights: NDArray[np.float64],
    params: Deciding,
) -> NDArray[np.float64]:  # fmt: skip
    """Return what trees say of each group that were grown on the other groups; NaN of families that are in none."""
    told = np.full(len(family), np.nan)
    within = np.isin(family, [name for group in groups for name in group])
    for group in groups:
        there = np.isin(family, group)
        if there.any() and (within & ~there).any():
            trees = fit_trees(found, within & ~there, weights, params)
            told[there] = trees.inplace_predict(found.features[there], predict_type="margin")
    return told


def curve(
    told: NDArray[np.float64], right: NDArray[np.bool_], gone: NDArray[np.bool_], weights: NDArray[np.float64],
    params: Deciding,
) -> tuple[float, float, float]:  # fmt: skip
    """Return slope, intercept and threshold for what trees said; NaN: they said nothing."""
    heard = ~np.isnan(told)
    told, right, gone, weights = told[heard], right[heard], gone[heard], weights[heard]
    slope, intercept = platt(told, right, weights)
    confidence = np.asarray(sigmoid(slope * told + intercept))
    return slope, intercept, threshold_for(confidence[gone], params.false_heal_budget)


def platt(margins: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return the slope and intercept of the logistic curve that fits best (Platt 1999), to four decimals.

    Both stay within what a model file may hold: on few cases, that margins part without a mistake or tell nothing of,
    they would not.
    """
    from sklearn.linear_model import LogisticRegression

    if right.all() or not right.any():
        return 1.0, 0.0
    fitted = LogisticRegression(C=1e6).fit(margins[:, None], right, sample_weight=weights)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return round(clipped(slope, "slope"), 4), round(clipped(intercept, "intercept"), 4)


def clipped(figure: float, name: str) -> float:
    """Return a figure within the bounds that a model file has for it."""
    low, high = BOUNDS[name]
    return min(max(figure, low), high)


def threshold_for(gone: NDArray[np.float64], budget: float) -> float:
    """Return the smallest confidence, to four decimals, that at most the budget's share of gone elements reach."""
    if not len(gone):
        return 0.5
    return float(min(np.ceil(np.quantile(gone, 1 - budget, method="higher") * 1e4 + 1) / 1e4, 1.0))


# -- both ----------------------------------------------------------------------------------------------------------


def train(
    table: Path,
    cases: Path,
    families: Sequence[str],
    ranking: Training,
    trees: Trees,
    deciding: Deciding,
    scheduler: str | None = None,
) -> Trained:
    """Return both models, trained on some families, and their outcomes on each family without it."""
    opened = read_table(table, cases)
    groups = folds(opened.family, families, ranking.folds)
    every = tuple(sorted(families))
    works = [Fit(table, cases, tuple(sorted(set(every) - set(group))), group, ranking, trees) for group in groups]
    margins = margins_out_of_fold(works, scheduler)
    decision, judged = fit_decision(opened, margins, groups, deciding)
    booster = fit_ranker(opened, every, ranking, trees)
    return Trained(booster, decision, outcomes_of(opened, margins, judged))


def train_candidate(
    cases: Path, table: Path, best: Path, model: Path, params: Params, scheduler: str | None = None
) -> None:
    """Write the model and, beside it, what it says of families that it was not trained on; the run is tracked."""
    trees, learnt = read_trees(best), families(read_cases(cases), params.split.test)
    trained = train(table, cases, learnt, params.train, trees, params.decision, scheduler)
    said = {"trees": asdict(trees), "train": asdict(params.train), "decision": asdict(params.decision)}
    provenance = {"cases_sha256": sha256(cases.read_bytes()), "families": list(learnt), "params": said}
    save_ranker(trained.booster, trained.decision, "ranker", model, provenance)
    write_evidence(trained.out_of_fold, model, model.with_suffix(".oof.parquet"))
    tracked(
        open_store(Path()), "training", "train", said, summary(trained.out_of_fold, params.decision.gone_prior), [model]
    )


def leave_one_out(
    table: Path, cases: Path, ranking: Training, trees: Trees, deciding: Deciding, scheduler: str | None = None
) -> pd.DataFrame:
    """Return the outcome of every case by models for which all families but its own were used."""
    opened = read_table(table, cases)
    every = sorted(set(opened.family.tolist()))
    groups = [(family,) for family in every]
    works = [Fit(table, cases, tuple(f for f in every if f != family), (family,), ranking, trees) for family in every]
    margins = margins_out_of_fold(works, scheduler)
    _, judged = fit_decision(opened, margins, groups, deciding)
    return outcomes_of(opened, margins, judged)


def outcomes_of(table: Table, margins: Margins, judged: Judged) -> pd.DataFrame:
    """Return the outcome table of the cases that were judged."""
    made = []
    for number, sure, healed in zip(judged.found.cases, judged.confidence, judged.healed, strict=True):
        part = slice(int(table.starts[number]), int(table.starts[number + 1]))
        one = outcome(table.row[part], margins[part], float(sure), 0.0, table.cases[number].new_row)
        made.append(replace(one, healed=bool(healed)))
    return outcome_table([table.cases[number] for number in judged.found.cases.tolist()], made)


def summary(out_of_fold: pd.DataFrame, gone_prior: float) -> dict[str, Any]:
    """Return the figures of a training: how often the right one is first, what the decision costs, its calibration."""
    return {
        "hit_at_1": hit_at(out_of_fold, 1),
        "headline": headline(out_of_fold),
        "false_heals_at_95_recall": false_heals_at_recall(out_of_fold),
        "calibration_error": calibration_error(out_of_fold, gone_prior),
        **decisions(out_of_fold),
    }


def macro_mrr(table: Table, margins: Margins) -> float:
    """Return the mean reciprocal rank over the present elements that were scored, averaged over family x difficulty.

    What is tuned. Tried: hit@1, the headline itself. On a part of the cases it was too coarse: the best of 16 trials
    did not hold on all of them.
    """
    cells: dict[tuple[str, str], list[float]] = {}
    for number, case in enumerate(table.cases):
        part = slice(int(table.starts[number]), int(table.starts[number + 1]))
        if case.new_row is not None and part.stop > part.start and not np.isnan(margins[part.start]):
            right = margins[part][table.right[part]]
            place = int((margins[part] > right[0]).sum()) + 1 if len(right) else 0
            cells.setdefault((case.family, case.difficulty), []).append(1 / place if place else 0.0)
    return float(np.mean([np.mean(ranks) for ranks in cells.values()])) if cells else 0.0
