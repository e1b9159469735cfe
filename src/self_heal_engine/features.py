"""FEATURES and feature_matrix(page, rows, wanted): what a ranker sees of each candidate.

One list for training and serving. A feature is a named function of a :class:`Comparison`; what is not known is NaN,
never 0. The order is part of every trained model: append, and raise ``SCHEMA`` when a meaning changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.candidates import (
    anchor_nearness,
    at_path,
    below_known_ancestors,
    interactive,
)
from self_heal_engine.comparison import Comparison, Numbers
from self_heal_engine.dom import Page, Rows, gather
from self_heal_engine.fingerprint import MOST_RELATIVES, Fingerprint
from self_heal_engine.generated import is_generated
from self_heal_engine.locators import TEST_ID_ATTRIBUTES
from self_heal_engine.neighbourhood import neighbour_text
from self_heal_engine.similo import similo, similo_plus_plus
from self_heal_engine.words import contradict, shared, words_of

SCHEMA = 1

# Tags and input types that a redesign exchanges for one another.
KINDS_OF_CONTROL = {
    **dict.fromkeys(("a", "button", "summary"), "press"),
    **dict.fromkeys(("input", "textarea", "select"), "enter"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("div", "span", "p", "section", "article", "li", "td", "label"), "text"),
    **dict.fromkeys(("img", "svg", "i", "picture"), "picture"),
}
PRESSED_INPUTS = ("submit", "button", "reset", "image")

# The roles that fit what a test does with the element.
ROLES_FOR = {
    "click": frozenset("button link menuitem tab checkbox radio option switch treeitem menuitemcheckbox".split()),
    "type": frozenset("textbox searchbox spinbutton combobox".split()),
    "select": frozenset("combobox listbox option radio".split()),
    "check": frozenset("checkbox radio switch menuitemcheckbox menuitemradio".split()),
    "read": frozenset("heading cell listitem status alert paragraph img row".split()),
}
TYPED_INPUTS = frozenset("password date time month week datetime-local file color".split())  # have no role

# Attributes that have a feature of their own, or that say how an element looks or behaves rather than which it is.
OWN_FEATURE = frozenset(
    ("id", "class", "name", "href", "type", "value", "placeholder", "title", "alt", "src", "aria-label", "style")
) | frozenset(TEST_ID_ATTRIBUTES)


def kind_of_control(tag: str | None, kind: str | None) -> str | None:
    """Return what sort of thing an element is to a user: pressed, entered into, read or looked at."""
    return "press" if tag == "input" and kind in PRESSED_INPUTS else KINDS_OF_CONTROL.get(tag or "")


def tag_same(c: Comparison) -> Numbers:
    """1 if the tag is the wanted one."""
    return c.same(c.page.tags, c.wanted.tag)


def control_same(c: Comparison) -> Numbers:
    """1 if it is the same sort of control: a link may have become a button."""
    wanted = kind_of_control(c.wanted.tag, c.wanted.value("type"))
    if wanted is None:
        return c.unknown
    kinds = c.values("type")
    return np.array([kind_of_control(tag, kind) == wanted for tag, kind in zip(c.tags, kinds, strict=True)], float)


def role_same(c: Comparison) -> Numbers:
    """1 if the accessible role is the wanted one."""
    return c.same(roles(c.page), c.wanted.role)


def type_same(c: Comparison) -> Numbers:
    """1 if the ``type`` attribute is the wanted one."""
    return c.attribute_same("type")


def test_id_alike(c: Comparison) -> Numbers:
    """Likeness of the attribute that was set for tests."""
    known = next((name for name in TEST_ID_ATTRIBUTES if c.wanted.value(name)), None)
    return c.attribute_alike(known) if known else c.unknown


def href_same(c: Comparison) -> Numbers:
    """1 if the link leads to the very same address."""
    return c.attribute_same("href")


def class_overlap(c: Comparison) -> Numbers:
    """Share of the known classes (of both sides', if the fingerprint is complete) that agree; generated ones apart."""
    known = c.wanted.lasting_classes()
    if not known:
        return c.unknown

    def overlap(value: str | None) -> float:
        given = frozenset(name for name in (value or "").split() if not is_generated(name))
        return len(known & given) / len(known | given if c.wanted.complete else known)

    return np.array([overlap(value) for value in c.values("class")])


def text_same(c: Comparison) -> Numbers:
    """1 if the text a reader sees is the very same."""
    return c.same(c.page.texts, c.wanted.text)


def text_words(c: Comparison) -> Numbers:
    """Share of the words of the wanted text that the candidate's names and texts say."""
    known = words_of([c.wanted.text, c.wanted.name])
    return np.array([shared(known, given) for given in c.said]) if known else c.unknown


def words_shared(c: Comparison) -> Numbers:
    """Share of the words of all wanted names and texts, ids too, that the candidate's names and texts say."""
    return np.array([shared(c.wanted_words, given) for given in c.said]) if c.wanted_words else c.unknown


def words_contradict(c: Comparison) -> Numbers:
    """1 if the words ask for what excludes the wanted: delete and edit, user name and password."""
    return np.array([contradict(c.wanted_words, given) for given in c.said], float) if c.wanted_words else c.unknown


def other_attributes(c: Comparison) -> Numbers:
    """Share of the remaining wanted attributes that the candidate has with the same value."""
    known = [name for name in c.wanted.attributes if name not in OWN_FEATURE]
    if not known:
        return c.unknown
    return np.mean([c.attribute_same(name) for name in known], axis=0, dtype=np.float64)


def parts_found(c: Comparison) -> Numbers:
    """Share of the partly known values (``[href^="/login"]``) that the candidate contains."""
    if not c.wanted.parts:
        return c.unknown
    found = [
        [part in (value or "") for value in (gather(c.page.texts, c.rows) if name == "text" else c.values(name))]
        for name, part in c.wanted.parts.items()
    ]
    return np.mean(found, axis=0, dtype=np.float64)


def action_fits(c: Comparison) -> Numbers:
    """1 if a user can do with it what the test does: click, type, select, check or read."""
    fitting = ROLES_FOR.get(c.wanted.action or "")
    if fitting is None:
        return c.unknown
    kinds = c.values("type")
    typed = [
        c.wanted.action == "type" and tag == "input" and kind in TYPED_INPUTS
        for tag, kind in zip(c.tags, kinds, strict=True)
    ]
    return np.array(
        [role in fitting or types for role, types in zip(gather(roles(c.page), c.rows), typed, strict=True)], float
    )


def path_alike(c: Comparison) -> Numbers:
    """Likeness of the tags on the way down from the root (or from the outermost known ancestor)."""
    wanted = [step.tag or "*" for step in c.wanted.path]
    if not wanted:
        return c.unknown
    known: dict[int, float] = {}

    def alike(row: int) -> float:
        parent = int(c.page.parents[row])
        if parent not in known:
            way = [c.page.tag(at) for at in c.page.ancestors(row)][::-1]
            known[parent] = Indel.normalized_similarity(wanted, way if c.wanted.rooted else way[-len(wanted) :])
        return known[parent]

    return c.per_row(alike)


def place_same(c: Comparison) -> Numbers:
    """1 for the element that stands exactly where the wanted one stood, counted by tags from the root."""
    if not c.wanted.rooted:
        return c.unknown
    return (c.rows == at_path(c.page, c.wanted)).astype(np.float64)


def ancestor_ids(c: Comparison) -> Numbers:
    """Share of the known ancestors' ids that the candidate still stands below."""
    if not any(step.id for step in c.wanted.path):
        return c.unknown
    return below_known_ancestors(c.page, c.wanted)[c.rows].astype(np.float64)


def ancestor_classes(c: Comparison) -> Numbers:
    """Share of the classes of the nearest three known ancestors that stand above the candidate."""
    known = {name for step in c.wanted.path[-3:] for name in step.classes}
    if not known:
        return c.unknown
    column, above_rows = c.page.attribute("class"), {}

    def overlap(row: int) -> float:
        parent = int(c.page.parents[row])
        if parent not in above_rows:
            above = [column[at] or "" for _, at in zip(range(5), c.page.ancestors(row), strict=False)]
            above_rows[parent] = len(known & set(" ".join(above).split())) / len(known)
        return above_rows[parent]

    return c.per_row(overlap)


def depth_gap(c: Comparison) -> Numbers:
    """How many levels deeper or higher it stands, on a logarithmic scale."""
    if not c.wanted.rooted:
        return c.unknown
    return np.log1p(abs(c.page.depths[c.rows] - len(c.wanted.path))).astype(np.float64)


def index_same(c: Comparison) -> Numbers:
    """1 if it has the same number among the siblings of its tag."""
    if c.wanted.index is None:
        return c.unknown
    return c.per_row(lambda row: float(c.page.position(row)[0] == c.wanted.index))


def sibling_tags_alike(c: Comparison) -> Numbers:
    """Likeness of the tags around it under its parent."""
    if not c.wanted.complete:
        return c.unknown
    wanted, known = list(c.wanted.sibling_tags), {}

    def alike(row: int) -> float:
        parent = int(c.page.parents[row])
        if parent not in known:
            known[parent] = [c.page.tag(at) for at in c.page.siblings(row)[:MOST_RELATIVES]]
        given = list(known[parent])
        if c.page.tag(row) in given:
            given.remove(c.page.tag(row))
        return Indel.normalized_similarity(wanted, given)

    return c.per_row(alike)


def child_tags_alike(c: Comparison) -> Numbers:
    """Likeness of the tags of its children."""
    if not c.wanted.complete:
        return c.unknown
    wanted = list(c.wanted.child_tags)
    return c.per_row(
        lambda row: Indel.normalized_similarity(wanted, list(map(c.page.tag, c.page.children(row)[:MOST_RELATIVES])))
    )


def parent_alike(c: Comparison) -> Numbers:
    """Share of the parent's attributes that its parent has with the same value."""
    known = c.wanted.parent_attributes
    if not known:
        return c.unknown
    parents = np.maximum(c.page.parents[c.rows], 0).tolist()
    same = [[c.page.value(row, name) == value for row in parents] for name, value in known.items()]
    return np.mean(same, axis=0, dtype=np.float64)


def neighbour_words(c: Comparison) -> Numbers:
    """Share of the words that stood around the wanted element that stand around the candidate (Dice)."""
    known = frozenset((c.wanted.neighbour_text or "").split())
    if not known:
        return c.unknown

    def dice(row: int) -> float:
        given = frozenset(neighbour_text(c.page, row).split())
        return 2 * len(known & given) / (len(known) + len(given)) if given else 0.0

    return c.per_row(dice)


def anchor_near(c: Comparison) -> Numbers:
    """How near, in reading order, the anchor texts stand: 1 beside, falling to 0."""
    return anchor_nearness(c.page, c.wanted.anchors)[c.rows].astype(np.float64) if c.wanted.anchors else c.unknown


def place_gap(c: Comparison) -> Numbers:
    """How far up or down the page it moved, in shares of the page's elements."""
    return c.unknown if c.wanted.place is None else abs(c.rows / len(c.page) - c.wanted.place)


def location_alike(c: Comparison) -> Numbers:
    """exp(-distance / 200 px) between the old and the new place on the screen (Similo++'s decay)."""
    if c.wanted.rectangle is None or c.page.rectangles is None:
        return c.unknown
    moved = np.array(c.page.rectangles)[c.rows, :2] - np.array(c.wanted.rectangle[:2])
    return np.exp(-0.005 * np.hypot(moved[:, 0], moved[:, 1])).astype(np.float64)


def area_alike(c: Comparison) -> Numbers:
    """The smaller of the old and the new area on the screen, as a share of the larger."""
    if c.wanted.rectangle is None or c.page.rectangles is None:
        return c.unknown
    areas = np.prod(np.array(c.page.rectangles)[c.rows, 2:], axis=1)
    wanted = c.wanted.rectangle[2] * c.wanted.rectangle[3]
    return np.minimum(areas, wanted) / np.maximum(np.maximum(areas, wanted), 1e-9)


def old_share(what: str) -> Callable[[Comparison], Numbers]:
    """Return a feature: how alone the wanted element's value was on its own page, 1 / how many had it."""

    def share(c: Comparison) -> Numbers:
        count = c.wanted.shares.get(what)
        return np.full(len(c.rows), 1.0 / count) if count else c.unknown

    return share


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
    _own(place_gap, -1),
    _own(location_alike),
    _own(area_alike),
    Feature("similo", "Similo's score, without geometry.", lambda c: similo(c.page, c.rows, c.wanted)),
    Feature("similo_plus_plus", "Similo++'s, without geometry.", lambda c: similo_plus_plus(c.page, c.rows, c.wanted)),
    Feature("hidden", "1 if the markup hides it.", lambda c: c.page.hidden[c.rows].astype(np.float64), 0),
    Feature("interactive", "1 if a user acts on it.", lambda c: interactive(c.page)[c.rows].astype(np.float64), 0),
    Feature("text_rarity", "1 / how many elements have its text.", lambda c: c.rarity(c.page.texts), 0),
    Feature("name_rarity", "1 / how many have its accessible name.", lambda c: c.rarity(names(c.page)), 0),
    Feature("class_rarity", "1 / how many have its classes.", lambda c: c.rarity(c.page.attribute("class")), 0),
    Feature("old_text_rarity", "1 / how many had the wanted text on the old page.", old_share("text"), 0),
    Feature("old_name_rarity", "1 / how many had the wanted accessible name there.", old_share("name"), 0),
    Feature("old_class_rarity", "1 / how many had the wanted classes there.", old_share("class"), 0),
)

# The features for which a candidate's standing among its rivals tells more than the figure itself.
RELATIVE = (
    "test_id_alike", "id_alike", "name_alike", "href_alike", "class_overlap", "text_alike", "accessible_name_alike",
    "words_shared", "path_alike", "neighbour_words", "anchor_near", "similo", "similo_plus_plus",
)  # fmt: skip

FEATURE_NAMES: tuple[str, ...] = (
    *(feature.name for feature in BASE_FEATURES),
    *(f"{name}_rank" for name in RELATIVE),
    *(f"{name}_margin" for name in RELATIVE),
)
DIRECTIONS: tuple[int, ...] = (
    *(feature.direction for feature in BASE_FEATURES),
    *[-1] * len(RELATIVE),
    *[1] * len(RELATIVE),
)
_RELATIVE_COLUMNS = [FEATURE_NAMES.index(name) for name in RELATIVE]


def feature_matrix(page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float32]:
    """Return one row per candidate and one column per ``FEATURE_NAMES``; NaN where a fact is not known."""
    comparison = Comparison(page, rows, wanted)
    base = (
        np.column_stack([feature.compute(comparison) for feature in BASE_FEATURES])
        if len(rows)
        else np.empty((0, len(BASE_FEATURES)))
    )
    standing = base[:, _RELATIVE_COLUMNS]
    return np.hstack([base, rank(standing), margin(standing)]).astype(np.float32)


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
