"""``params.yaml`` as records: what a researcher may change about the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import read_text
from self_heal_engine.validation import STRICT, from_json

# What the mappings of ``cases`` are of: every key is known, and the severities are all there.
SEVERITIES = ("1", "2", "3", "4")
KEYS = {
    "masks": ("1", "2", "3"),
    "severities": SEVERITIES,
    "knowledge": ("locator", "text", "anchors", "baseline", "fingerprint"),
    "fewest_operators": SEVERITIES,
    "rates": SEVERITIES,
}


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
class Params:
    """The whole file."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    collect: Collect
    label: Label
    cases: Cases
    split: Split


def read_params(path: Path) -> Params:
    """Return the parameters; CannotHeal ``bad_params`` names what is not YAML, not known or not of its type."""
    import yaml

    try:
        table = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise CannotHeal("bad_params", f"{quoted(path)} is not YAML: {' '.join(str(error).split())}") from error
    params = from_json(Params, json.dumps(table, default=str), "bad_params", quoted(path))
    if params.collect.workers < 1:
        raise CannotHeal("bad_params", f"collect.workers is {params.collect.workers}; at least one is needed")
    for name, keys in KEYS.items():
        if set(getattr(params.cases, name)) != set(keys):
            given = ", ".join(map(quoted, getattr(params.cases, name)))
            raise CannotHeal("bad_params", f"{quoted(path)}: cases.{name} has the keys {given}, not {', '.join(keys)}")
    return params
