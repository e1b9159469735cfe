"""candidates(page, wanted) -> the rows worth ranking: a cheap look at every element."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.dom import NEVER_SHOWN, Column, Page, Rows, per_page
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.locators import TEST_ID_ATTRIBUTES
from self_heal_engine.words import hint, shared, words, words_of

# So many are ranked. Measured on a prototype: ranking more than the best 128 found no further target.
MOST_CANDIDATES = 128

# Where the evidence is clear, fewer will do: those with at least this share of the best one's, and never less than so
# many. The time of a heal goes with the number of candidates.
LEAST_EVIDENCE = 0.4
FEWEST_CANDIDATES = 32

# What each known property adds to the evidence where a candidate has the same value.
PROPERTY_WEIGHTS = {
    **dict.fromkeys(TEST_ID_ATTRIBUTES, 4.0),
    "id": 3.0,
    "name": 2.5,
    "aria-label": 2.0,
    "placeholder": 2.0,
    "href": 2.0,
    "title": 1.5,
    "alt": 1.5,
    "for": 1.0,
    "src": 1.0,
    "value": 0.8,
    "type": 0.7,
}
TEXT_WEIGHT, NAME_WEIGHT, LABEL_WEIGHT, ROLE_WEIGHT, TAG_WEIGHT, CLASS_WEIGHT = 4.0, 2.0, 2.0, 1.0, 0.8, 1.0
PLACE_WEIGHT, ANCESTOR_WEIGHT, ANCHOR_WEIGHT, WORDS_WEIGHT, INTERACTIVE_WEIGHT = 1.5, 0.7, 1.5, 3.0, 0.2

# A generated id or name may still be the same one: a tenth of the weight.
GENERATED = 0.1

# Values less alike than this are as good as different, and the distance need not be computed to the end.
LEAST_SIMILARITY = 0.4

# How many text nodes away an anchor text still says "here".
ANCHOR_REACH = 8.0

# An element around the anchor text holds it, but so does the whole page: as far as so many texts.
AROUND_ANCHOR = 2

# An anchor text that stands in more places than this says little of where.
MOST_ANCHORS = 20

# A longer text is that of a container: its words are not the element's own.
LONGEST_OWN_TEXT = 80

INTERACTIVE_ROLES = frozenset(
    "button link textbox searchbox checkbox radio combobox listbox option menuitem menuitemcheckbox menuitemradio tab "
    "switch slider spinbutton treeitem".split()
)
SVG_PARTS = frozenset("g path use circle rect line polyline polygon ellipse text tspan defs symbol".split())


def candidates(page: Page, wanted: Fingerprint, most: int = MOST_CANDIDATES) -> Rows:
    """Return at most ``most`` rows, in document order: those with the most evidence of being the wanted element."""
    allowed = np.flatnonzero(locatable(page, wanted))
    if len(allowed) <= most:
        return allowed
    found = evidence(page, wanted)[allowed]
    best = np.argsort(-found, kind="stable")[:most]
    likely = int((found[best] >= LEAST_EVIDENCE * found[best[0]]).sum())
    return np.sort(allowed[best[: max(likely, FEWEST_CANDIDATES)]])


def locatable(page: Page, wanted: Fingerprint) -> NDArray[np.bool_]:
    """Return which elements a test may want: what is never shown and the inside of drawings is left out."""
    allowed = ~page.is_tag("html", "body", *NEVER_SHOWN)
    if wanted.tag not in SVG_PARTS:
        allowed &= ~page.within(page.is_tag("svg")) | page.is_tag("svg")
    return allowed


def evidence(page: Page, wanted: Fingerprint) -> NDArray[np.float32]:
    """Return, for every element, the weighted sum of what it shares with the fingerprint."""
    total = np.zeros(len(page), dtype=np.float32)
    for column, value, weight in known_values(page, wanted):
        total += weight * likeness(value, column)[column.codes]
    for name, part in wanted.parts.items():
        column = page.texts if name == "text" else page.attribute(name)
        total += (
            PROPERTY_WEIGHTS.get(name, 1.0) * spread([float(part in value) for value in column.values])[column.codes]
        )
    if known := wanted.lasting_classes():
        column = page.attribute("class")
        shares = [len(known & set(value.split())) / len(known) for value in column.values]
        total += CLASS_WEIGHT * spread(shares)[column.codes]
    total += ANCHOR_WEIGHT * anchor_nearness(page, wanted.anchors)
    total += PLACE_WEIGHT * same_place(page, wanted) + ANCESTOR_WEIGHT * below_known_ancestors(page, wanted)
    if not wanted.complete:
        total += WORDS_WEIGHT * shared_words(page, wanted) + INTERACTIVE_WEIGHT * interactive(page)
    return total


def known_values(page: Page, wanted: Fingerprint) -> Iterator[tuple[Column, str, float]]:
    """Yield (column, wanted value, weight) for every property that is known."""
    for name, value in wanted.attributes.items():
        if value and name != "class" and (name in PROPERTY_WEIGHTS or name.startswith("data-")):
            weak = GENERATED if wanted.lasting_value(name) is None else 1.0
            yield page.attribute(name), value, weak * PROPERTY_WEIGHTS.get(name, 0.5)
    if wanted.text:
        yield page.texts, wanted.text, TEXT_WEIGHT
    if wanted.name and wanted.name != wanted.text:
        yield names(page), wanted.name, NAME_WEIGHT
    if wanted.label:
        yield labels(page), wanted.label, LABEL_WEIGHT
    if wanted.role:
        yield roles(page), wanted.role, ROLE_WEIGHT
    if wanted.tag:
        yield page.tags, wanted.tag, TAG_WEIGHT


def likeness(value: str, column: Column) -> NDArray[np.float32]:
    """Return how alike a value and each of the column's are, 0 to 1, with a 0 at the end for "absent"."""
    if not column.values:
        return np.zeros(1, dtype=np.float32)
    alike = cdist(
        [value], column.values, scorer=Indel.normalized_similarity, score_cutoff=LEAST_SIMILARITY, dtype=np.float32
    )
    return np.append(alike[0], np.float32(0))


def spread(shares: list[float]) -> NDArray[np.float32]:
    """Return a number per unique value as an array to be indexed by codes: the last is for "absent"."""
    return np.array([*shares, 0.0], dtype=np.float32)


def anchor_nearness(page: Page, anchors: tuple[str, ...]) -> NDArray[np.float32]:
    """Return how near each element stands to the anchor texts in reading order: 1 right after, falling to 0; averaged.

    A text stands before what it tells of: right before an anchor is as far as one text after it.
    """
    total = np.zeros(len(page), dtype=np.float32)
    for anchor in anchors:
        gap = np.full(len(page), np.inf)
        for row in anchor_rows(page, anchor):
            after = page.first_texts - page.last_texts[row]
            before = page.first_texts[row] - page.last_texts + 1
            around = np.where(before > 0, before, AROUND_ANCHOR)
            gap = np.minimum(gap, np.where(after >= 0, after, around))
        total += np.exp(-gap / ANCHOR_REACH).astype(np.float32)
    return total / np.float32(max(len(anchors), 1))


def anchor_rows(page: Page, anchor: str) -> list[int]:
    """Return the elements that say an anchor text: those whose text it is, or else short ones that contain it."""
    lowered, texts = anchor.casefold(), page.texts
    same = [text.casefold() == lowered for text in texts.values]
    if not any(same):
        same = [lowered in text.casefold() and len(text) < 4 * len(lowered) for text in texts.values]
    rows = np.flatnonzero(np.array([*same, False])[texts.codes])
    _, first = np.unique(page.first_texts[rows], return_index=True)
    return rows[first][:MOST_ANCHORS].tolist()


def same_place(page: Page, wanted: Fingerprint) -> NDArray[np.float32]:
    """Return 1 for the element, if any, that stands where the wanted one stood, counted by tags from the root."""
    here = np.zeros(len(page), dtype=np.float32)
    row = at_path(page, wanted)
    if row is not None:
        here[row] = 1.0
    return here


def at_path(page: Page, wanted: Fingerprint) -> int | None:
    """Return the row at the wanted element's old path from the root, or None."""
    if not wanted.rooted or not wanted.path or wanted.path[0].tag != page.tag(0):
        return None
    row = 0
    for tag, index in [*((step.tag, step.index) for step in wanted.path[1:]), (wanted.tag, wanted.index)]:
        child = page.child_at(row, tag or "", index or 1)
        if child is None:
            return None
        row = child
    return row


def below_known_ancestors(page: Page, wanted: Fingerprint) -> NDArray[np.float32]:
    """Return the share of the known ancestors' ids and classes that each element still stands below."""
    marks = [step for step in wanted.path if step.id]
    total = np.zeros(len(page), dtype=np.float32)
    for step in marks:
        found = np.zeros(len(page), dtype=np.bool_)
        found[page.attribute("id").rows_with(step.id or "")] = True
        total += page.within(found) & ~found
    return total / np.float32(max(len(marks), 1))


def shared_words(page: Page, wanted: Fingerprint) -> NDArray[np.float32]:
    """Return the share of the words in the wanted names and texts that each element's own say."""
    said = wanted_words(wanted)
    total = np.zeros(len(page), dtype=np.float32)
    if said:
        pattern = hint(said)
        for column in wordy_columns(page):
            shares = [
                shared(said, words(value)) if len(value) <= LONGEST_OWN_TEXT and pattern.search(value) else 0.0
                for value in column.values
            ]
            np.maximum(total, spread(shares)[column.codes], out=total)
    return total


def wanted_words(wanted: Fingerprint) -> frozenset[str]:
    """Return the words of all names and texts of the fingerprint, ids and test ids among them."""
    told = [wanted.lasting_value(name) for name in wanted.attributes if name not in ("class", "style", "type")]
    return words_of([*told, *wanted.lasting_classes(), *wanted.parts.values(), wanted.text, wanted.name, wanted.label])


def wordy_columns(page: Page) -> list[Column]:
    """Return the columns whose words say what an element is for."""
    attributes = ("id", "name", "type", "class", "placeholder", "href", "value", *TEST_ID_ATTRIBUTES)
    return [names(page), labels(page), page.texts, *map(page.attribute, attributes)]


@per_page
def interactive(page: Page) -> NDArray[np.bool_]:
    """Return which elements a user acts on."""
    column = roles(page)
    acts = np.array([*(role in INTERACTIVE_ROLES for role in column.values), False])[column.codes]
    return acts | page.is_tag("input", "select", "textarea", "button")
