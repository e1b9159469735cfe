"""``params.yaml`` as records: what a researcher may change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import read_text
from self_heal_engine.validation import STRICT, from_json
from self_heal_engine.yaml_file import read_yaml

# What the mappings of ``cases`` are of: every key is known, and the severities are all there.
SEVERITIES = ("1", "2", "3", "4")
KEYS = {
    "masks": ("1", "2", "3"),
    "severities": SEVERITIES,
    "knowledge": ("locator", "text", "anchors", "baseline", "fingerprint"),
    "fewest_operators": SEVERITIES,
    "rates": SEVERITIES,
}


OBJECTIVES = ("binary:logistic", "rank:pairwise", "rank:ndcg")


@dataclass(frozen=True, slots=True)
class Collect:
    """Which pages are collected."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    only: Mapping[str, tuple[str, ...]]  # source -> releases (none named: all); empty: every source
    allow_missing: tuple[str, ...]  # sources without which the stage goes on
    browser: bool  # the sources that are rendered in Chromium, too
    python: str
    workers: int


@dataclass(frozen=True, slots=True)
class Label:
    """Which pairs are kept."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    seed: int
    most_per_step: int  # pairs of one source between two releases
    most_removed_per_step: int
    most_per_source: int
    most_per_family: int


@dataclass(frozen=True, slots=True)
class Cases:
    """How many cases are made of a pair, and what is done to its page."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    seed: int
    natural: int  # cases of a pair on its new page as it is
    masked: int  # edited pages of each sort that a pair is on, each of which gives one case
    mutated: int
    deleted: int
    targets_per_page: int  # how many elements share one edited page
    deleted_per_page: int
    test_id_share: float  # of page pairs that are given test ids
    confirmed_weight: float  # of a heal that a user confirmed
    masks: Mapping[str, float]  # level -> share
    severities: Mapping[str, float]  # severity -> share
    knowledge: Mapping[str, float]  # level -> share
    fewest_operators: Mapping[str, int]  # severity -> operators that hit a target at least
    rates: Mapping[str, Mapping[str, float]]  # severity -> operator -> how often it hits a target


@dataclass(frozen=True, slots=True)
class Split:
    """Which families are tested on, and which one validates; the others train."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    test: tuple[str, ...]
    validation: str


@dataclass(frozen=True, slots=True)
class Trees:
    """What of the ranker is tuned; the words are XGBoost's."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    eta: float
    max_depth: int
    min_child_weight: float
    subsample: float
    colsample_bytree: float
    reg_lambda: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """The study that looks for the trees' parameters."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    seed: int
    trials: int  # the first is ``start``; none: ``start`` is taken as it is
    batch: int  # trials that are asked for together: the study is the same on any number of processes
    folds: int
    every: int  # of the training cases, one in so many: a trial must be quick
    start: Trees
    space: Mapping[str, tuple[float, float]]  # from where to where


@dataclass(frozen=True, slots=True)
class Training:
    """What of the ranker is not tuned."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    seed: int
    objective: str  # binary:logistic, rank:pairwise or rank:ndcg
    negatives: int  # rivals of each case that are learnt from, the hardest by the weighted ranker
    rounds: int
    folds: int  # groups of families, each scored by a ranker that never saw it


@dataclass(frozen=True, slots=True)
class Deciding:
    """The decision: what it may cost, what it assumes, and its trees."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    false_heal_budget: float  # share of gone elements that may be healed
    gone_prior: float  # share of broken locators whose element is gone, that the calibration assumes
    seed: int
    rounds: int
    eta: float
    max_depth: int
    min_child_weight: float


@dataclass(frozen=True, slots=True)
class Gates:
    """What is asked of a candidate before it may serve."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    natural_loss: float  # of hit@1 on natural cases, that cannot be ruled out (one-sided 95 % bound)
    headline_p: float
    false_heal_budget: float  # share of gone elements that may be healed
    most_ece: float
    most_p95_ms: float  # CPU time of parsing a page and healing one locator on it


@dataclass(frozen=True, slots=True)
class Params:
    """The whole file."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    collect: Collect
    label: Label
    cases: Cases
    split: Split
    tune: Tuning
    train: Training
    decision: Deciding
    gates: Gates


def read_params(path: Path) -> Params:
    """Return the parameters; CannotHeal ``bad_params`` names what is not YAML, not known or not of its type."""
    table = read_yaml(path, "bad_params")
    params = from_json(Params, json.dumps(table, default=str), "bad_params", quoted(path))
    if params.collect.workers < 1:
        raise CannotHeal("bad_params", f"collect.workers is {params.collect.workers}; at least one is needed")
    for name, keys in KEYS.items():
        if set(getattr(params.cases, name)) != set(keys):
            given = ", ".join(map(quoted, getattr(params.cases, name)))
            raise CannotHeal("bad_params", f"{quoted(path)}: cases.{name} has the keys {given}, not {', '.join(keys)}")
    if unknown := set(params.tune.space) - set(Trees.__slots__):
        raise CannotHeal("bad_params", f"{quoted(path)}: tune.space has {quoted(min(unknown))}, which is not tuned")
    if params.train.objective not in OBJECTIVES:
        raise CannotHeal(
            "bad_params", f"train.objective is {quoted(params.train.objective)}, not one of {', '.join(OBJECTIVES)}"
        )
    for name, value, least in (
        ("tune.batch", params.tune.batch, 1),
        ("tune.every", params.tune.every, 1),
        ("tune.folds", params.tune.folds, 2),
        ("train.folds", params.train.folds, 2),
        ("train.negatives", params.train.negatives, 1),
    ):  # fmt: skip
        if value < least:
            raise CannotHeal("bad_params", f"{name} is {value}; it is at least {least}")
    if not 0 < params.decision.false_heal_budget < 1 or not 0 < params.decision.gone_prior < 1:
        raise CannotHeal("bad_params", f"{quoted(path)}: the budget and the prior in decision lie between 0 and 1")
    return params


def read_trees(best: Path) -> Trees:
    """Return the parameters that a study found."""
    return from_json(Trees, read_text(best), "bad_params", quoted(best))
