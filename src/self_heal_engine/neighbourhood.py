"""neighbour_text(page, row): the words that stand around an element, without knowing where it is on the screen."""

from __future__ import annotations

from self_heal_engine.dom import Page, per_page

# Similo takes what lies within 50 pixels. In the tree, the largest ancestor with at most so much text comes close:
# a labelled field, a card, a table row.
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
    own, around = page.text(row), ""
    for _, above in zip(range(MOST_LEVELS), page.ancestors(row), strict=False):
        text = page.text(above)
        if len(text) > MOST_AROUND:
            break
        around = text
    return around if len(around) > len(own) else page.text_near(row, REACH)


@per_page
def _known(page: Page) -> dict[int, str]:
    """The neighbour texts computed so far."""
    return {}
