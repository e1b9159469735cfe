"""neighbour_text(page, row): the words that stand around an element, without knowing where it is on the screen."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from self_heal_engine.dom import Page, per_page

# Similo takes what lies within 50 pixels. In the tree, the largest ancestor comes close that has at most so much text
# and holds no twin of the element (the same tag and text): a labelled field, a card, a table row.
# Tried: without looking for twins. A list of three short cards was then the neighbourhood of each of its buttons.
MOST_AROUND = 200
MOST_LEVELS = 6

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


@per_page
def _known_twins(page: Page) -> dict[tuple[int, int], list[int]]:
    """The twins looked up so far."""
    return {}


@per_page
def _known(page: Page) -> dict[int, str]:
    """The neighbour texts computed so far."""
    return {}
