"""FEATURES and feature_matrix(page, rows, wanted): what a ranker sees of each candidate.

One list for training and serving. A feature is a named function of a :class:`Comparison`; what is not known is NaN,
never 0. The order is part of every trained model: append, and raise ``SCHEMA`` when a meaning changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.accessibility import labels
from self_heal_engine.accessible_names import names
from self_heal_engine.candidates import interactive
from self_heal_engine.comparison import Comparison, Numbers
from self_heal_engine.dom import Page, Rows
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.own_features import (
    action_fits,
    called_alike,
    called_same,
    claimed,
    class_overlap,
    control_same,
    href_same,
    inside_shared,
    old_share,
    other_attributes,
    parts_found,
    role_same,
    tag_same,
    test_id_alike,
    text_same,
    text_words,
    tokens_shared,
    tokens_strange,
    type_same,
    words_contradict,
    words_shared,
    words_strange,
)  # fmt: skip
from self_heal_engine.place_features import (
    after_alike,
    ancestor_classes,
    ancestor_ids,
    anchor_near,
    area_alike,
    before_alike,
    child_tags_alike,
    depth_gap,
    heading_alike,
    index_same,
    location_alike,
    neighbour_words,
    number_alike,
    parent_alike,
    path_alike,
    place_near,
    place_same,
    sibling_tags_alike,
    steps_alike,
)  # fmt: skip
from self_heal_engine.similo import similo, similo_plus_plus
from self_heal_engine.weights import explained

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the feature matrix."""

    name: str
    meaning: str
    compute: Callable[[Comparison], Numbers]
    direction: int = 1  # 1: more of it can only speak for a candidate; -1: against; 0: depends


def _own(function: Callable[[Comparison], Numbers], direction: int = 1) -> Feature:
    return Feature(function.__name__, (function.__doc__ or "").strip(), function, direction)


def _attribute(name: str) -> Feature:
    column = name.replace("-", "_") + "_alike"
    return Feature(column, f"Likeness of the attribute ``{name}``.", lambda c: c.attribute_alike(name))


BASE_FEATURES: tuple[Feature, ...] = (
    _own(tag_same),
    _own(control_same),
    _own(role_same),
    _own(type_same),
    _own(test_id_alike),
    *map(_attribute, ("id", "name", "href", "aria-label", "placeholder", "title", "alt", "value", "src")),
    _own(href_same),
    _own(class_overlap),
    Feature("text_alike", "Likeness of the text a reader sees.", lambda c: c.column_alike(c.page.texts, c.wanted.text)),
    _own(text_same),
    _own(text_words),
    Feature(
        "accessible_name_alike",
        "Likeness of the accessible name.",
        lambda c: c.column_alike(names(c.page), c.wanted.name),
    ),
    Feature("label_alike", "Likeness of the label's text.", lambda c: c.column_alike(labels(c.page), c.wanted.label)),
    _own(words_shared),
    _own(words_contradict, -1),
    _own(called_alike),
    _own(called_same),
    _own(words_strange, -1),
    _own(tokens_shared),
    _own(tokens_strange, -1),
    _own(inside_shared),
    _own(claimed, -1),
    _own(other_attributes),
    _own(parts_found),
    _own(action_fits),
    _own(path_alike),
    _own(place_same),
    _own(ancestor_ids),
    _own(ancestor_classes),
    _own(depth_gap, -1),
    _own(index_same),
    _own(sibling_tags_alike),
    _own(child_tags_alike),
    _own(parent_alike),
    _own(neighbour_words),
    _own(anchor_near),
    _own(place_near),
    _own(steps_alike),
    _own(before_alike),
    _own(after_alike),
    _own(heading_alike),
    _own(number_alike),
    _own(location_alike),
    _own(area_alike),
    Feature("similo", "Similo's score, without geometry.", lambda c: similo(c.page, c.rows, c.wanted)),
    Feature("similo_plus_plus", "Similo++'s, without geometry.", lambda c: similo_plus_plus(c.page, c.rows, c.wanted)),
    Feature("hidden", "1 if the markup hides it.", lambda c: c.page.hidden[c.rows].astype(np.float64), 0),
    Feature("interactive", "1 if a user acts on it.", lambda c: interactive(c.page)[c.rows].astype(np.float64), 0),
    Feature(
        "text_alone", "1 / how many have the wanted text, if it has it.", lambda c: c.alone(c.page.texts, c.wanted.text)
    ),
    Feature("name_alone", "The same of the accessible name.", lambda c: c.alone(names(c.page), c.wanted.name)),
    Feature(
        "class_alone", "The same of the classes.", lambda c: c.alone(c.page.attribute("class"), c.wanted.value("class"))
    ),
    Feature("old_text_rarity", "1 / how many had the wanted text on the old page.", old_share("text"), 0),
    Feature("old_name_rarity", "1 / how many had the wanted accessible name there.", old_share("name"), 0),
    Feature("old_class_rarity", "1 / how many had the wanted classes there.", old_share("class"), 0),
)

# The weighted ranker's score over the features above: what the hand-set weights know is not lost.
WEIGHTED = "weighted"
BASE_NAMES: tuple[str, ...] = (*(feature.name for feature in BASE_FEATURES), WEIGHTED)

# The features for which a candidate's standing among its rivals tells more than the figure itself.
RELATIVE = (
    "test_id_alike", "id_alike", "name_alike", "href_alike", "class_overlap", "text_alike", "accessible_name_alike",
    "words_shared", "called_alike", "tokens_shared", "tokens_strange", "inside_shared", "claimed", "path_alike",
    "steps_alike", "place_near", "neighbour_words", "before_alike", "after_alike", "heading_alike", "number_alike",
    "anchor_near", "similo", "similo_plus_plus", WEIGHTED,
)  # fmt: skip

# Of these more speaks against a candidate: their standing is that of the lowest.
LOWEST_FIRST = frozenset(feature.name for feature in BASE_FEATURES if feature.direction < 0)

FEATURE_NAMES: tuple[str, ...] = (
    *BASE_NAMES,
    *(f"{name}_rank" for name in RELATIVE),
    *(f"{name}_margin" for name in RELATIVE),
)
DIRECTIONS: tuple[int, ...] = (
    *(feature.direction for feature in BASE_FEATURES),
    1,
    *[-1] * len(RELATIVE),
    *[1] * len(RELATIVE),
)
_RELATIVE_COLUMNS = [FEATURE_NAMES.index(name) for name in RELATIVE]
_SIGNS = np.array([-1.0 if name in LOWEST_FIRST else 1.0 for name in RELATIVE])


def feature_matrix(page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float32]:
    """Return one row per candidate and one column per ``FEATURE_NAMES``; NaN where a fact is not known."""
    base = base_matrix(page, rows, wanted)
    standing = base[:, _RELATIVE_COLUMNS] * _SIGNS
    return np.hstack([base, rank(standing), margin(standing)]).astype(np.float32)


def base_matrix(page: Page, rows: Rows, wanted: Fingerprint) -> Numbers:
    """Return one row per candidate and one column per ``BASE_NAMES``: what each is by itself, without its rivals."""
    if not len(rows):
        return np.empty((0, len(BASE_NAMES)))
    comparison = Comparison(page, rows, wanted)
    own = np.column_stack([feature.compute(comparison) for feature in BASE_FEATURES])
    return np.column_stack([own, explained(own, BASE_NAMES[:-1])])


def rank(figures: Numbers) -> Numbers:
    """Return, per column, the share of rivals that are strictly better; NaN stays NaN."""
    ordered = np.sort(figures, axis=0)
    better = [
        len(figures) - np.searchsorted(ordered[:, at], figures[:, at], side="right") for at in range(figures.shape[1])
    ]
    ranks = np.column_stack(better) / max(len(figures) - 1, 1)
    return np.where(np.isnan(figures), np.nan, ranks)


def margin(figures: Numbers) -> Numbers:
    """Return, per column, the figure minus that of the best rival; NaN stays NaN."""
    if len(figures) < 2:
        return figures.copy()
    first_two = np.sort(figures, axis=0)[-2:]
    return figures - np.where(figures >= first_two[1], first_two[0], first_two[1])
