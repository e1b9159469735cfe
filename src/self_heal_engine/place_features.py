"""Features of where a candidate stands: its path, parent, siblings, neighbours, anchors and place on the page."""

from __future__ import annotations

import numpy as np
from rapidfuzz.distance import Indel

from self_heal_engine.candidates import anchor_nearness, at_path, below_known_ancestors
from self_heal_engine.comparison import Comparison, Numbers
from self_heal_engine.fingerprint import MOST_RELATIVES
from self_heal_engine.neighbourhood import heading_above, neighbour_text, number_among_twins, texts_beside


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


def steps_alike(c: Comparison) -> Numbers:
    """Likeness of the way down from the root, each step with its tag and number."""
    if not c.wanted.rooted:
        return c.unknown
    wanted = [(step.tag, step.index) for step in c.wanted.path]
    known: dict[int, float] = {}

    def alike(row: int) -> float:
        parent = int(c.page.parents[row])
        if parent not in known:
            way = [(c.page.tag(at), c.page.position(at)[0]) for at in c.page.ancestors(row)][::-1]
            known[parent] = Indel.normalized_similarity(wanted, way)
        return known[parent]

    return c.per_row(alike)


def before_alike(c: Comparison) -> Numbers:
    """Likeness of the text right before it in reading order."""
    known = c.wanted.before
    if known is None:
        return c.unknown
    return c.per_row(lambda row: Indel.normalized_similarity(known, texts_beside(c.page, row)[0]))


def after_alike(c: Comparison) -> Numbers:
    """Likeness of the text right after it in reading order."""
    known = c.wanted.after
    if known is None:
        return c.unknown
    return c.per_row(lambda row: Indel.normalized_similarity(known, texts_beside(c.page, row)[1]))


def heading_alike(c: Comparison) -> Numbers:
    """Likeness of the nearest heading above it."""
    known = c.wanted.heading
    return c.column_alike(heading_above(c.page), known) if known else c.unknown


def number_alike(c: Comparison) -> Numbers:
    """1 / (1 + gap) between its number among the elements of the same tag, type and text and the wanted one's."""
    known = c.wanted.number
    return c.unknown if known is None else 1 / (1 + abs(number_among_twins(c.page)[c.rows] - known))


def place_near(c: Comparison) -> Numbers:
    """1 - how far up or down the page it moved, in shares of the page's elements."""
    return c.unknown if c.wanted.place is None else 1 - abs(c.rows / len(c.page) - c.wanted.place)
