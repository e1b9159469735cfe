"""What stands around an element, without knowing where it is on the screen: words, texts, a heading, twins."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.dom import Column, Page, encode, per_page

# Similo takes what lies within 50 pixels. In the tree, the largest ancestor comes close that has at most so much text
# and holds no twin of the element (the same tag and text): a labelled field, a card, a table row.
# Tried: without looking for twins. A list of three short cards was then the neighbourhood of each of its buttons.
MOST_AROUND = 200
MOST_LEVELS = 6

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "legend", "caption")

# With no such ancestor: so many characters before and after in reading order.
REACH = 60


def neighbour_text(page: Page, row: int) -> str:
    """Return the lower-cased, distinct words around an element, its own among them, in reading order."""
    known = _known(page)
    if row not in known:
        known[row] = " ".join(dict.fromkeys(_around(page, row).lower().split()))
    return known[row]


def _around(page: Page, row: int) -> str:
    own, around, twins = page.text(row), "", _twins(page, row)
    for _, above in zip(range(MOST_LEVELS), page.ancestors(row), strict=False):
        text = page.text(above)
        twins_inside = bisect_left(twins, int(page.ends[above])) - bisect_left(twins, above)
        if len(text) > MOST_AROUND or twins_inside > 1:
            break
        around = text
    return around if len(around) > len(own) else page.text_near(row, REACH)


def _twins(page: Page, row: int) -> list[int]:
    """Return the elements with the tag and text of one, itself among them, in document order."""
    tag, text = int(page.tags.codes[row]), int(page.texts.codes[row])
    known = _known_twins(page)
    if (tag, text) not in known:
        known[tag, text] = np.flatnonzero((page.tags.codes == tag) & (page.texts.codes == text)).tolist()
    return known[tag, text]


def texts_beside(page: Page, row: int) -> tuple[str, str]:
    """Return the text right before an element and right after it in reading order, white space collapsed."""
    before, _, after = page.text_about(row, REACH)
    return " ".join(before.split()), " ".join(after.split())


@per_page
def heading_above(page: Page) -> Column:
    """Return, for each element, the text of the nearest heading that begins before it."""
    marked = page.is_tag(*HEADINGS)
    last = np.maximum.accumulate(np.where(marked, np.arange(len(page)), -1))
    before = np.concatenate([[-1], last[:-1]])
    return encode(page.text(row) if row >= 0 else None for row in before.tolist())


@per_page
def number_among_twins(page: Page) -> NDArray[np.intp]:
    """Return, for each element, its number among those of the same tag, type and text; the first is 0."""
    kinds = page.attribute("type").codes.astype(np.int64) + 1
    keys = (page.tags.codes.astype(np.int64) * (kinds.max() + 1) + kinds) * len(page.texts.values) + page.texts.codes
    order = np.argsort(keys, kind="stable")
    _, starts, sizes = np.unique(keys[order], return_index=True, return_counts=True)
    numbers = np.empty(len(page), dtype=np.intp)
    numbers[order] = np.arange(len(page)) - np.repeat(starts, sizes)
    return numbers


@per_page
def _known_twins(page: Page) -> dict[tuple[int, int], list[int]]:
    """The twins looked up so far."""
    return {}


@per_page
def _known(page: Page) -> dict[int, str]:
    """The neighbour texts computed so far."""
    return {}
