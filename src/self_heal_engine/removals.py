"""removed(before, after): the links and buttons of a page of which nothing is left in its next release (rule R0).

Strict for a reason: of the first 36 that people looked at, made by missing keys alone, 5 were still there under another
word: a submit button whose value changed, a caption that became an ``aria-label``, a tab renamed in its place. Of the
next 70 it was 3, buttons of which only the picture stayed, and some on pages that scripts draw since.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping

import numpy as np
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import extractOne

from self_heal_engine.dom import Page
from self_heal_engine.elements import CLASSES, LONGEST_KEY, Elements, folded

# A removed element may have been reworded: nothing on the new page may be spelled this much like it (of 100).
MOST_ALIKE = 60

# Where fewer of its elements are recognised, the page is another one, or its scripts draw it now.
LEAST_RECOGNISED = 0.5

# A word shorter than this says nothing.
LEAST_WORD = 4

# So many elements of a page are asked at most: each is compared with every text.
MOST_ASKED = 60

WORD = re.compile(r"[^\W_]+")

# Attributes that people read.
READ = ("aria-label", "title", "placeholder", "alt", "value", "data-tooltip", "data-original-title")


def removed(before: Elements, after: Elements, partners: Mapping[int, int]) -> list[int]:
    """Return the old rows that are surely gone; ``partners``: old row -> new row of all that were recognised."""
    if len(partners) < LEAST_RECOGNISED * len(before.rows):
        return []
    left = {value for keys in after.keys.values() for value in keys.values()}
    texts = shown_texts(after)
    words = {word for text in texts for word in words_in(text)}
    source = folded(after.page.html(0)) if len(after.page) else ""  # what scripts will draw stands in them
    known = set(partners.values())
    wordless = any_wordless_control(after, known)
    found = []
    for row in [row for row in before.rows if row not in partners and may_be_removed(before, row)][:MOST_ASKED]:
        keys = before.keys[row]
        traces = (
            not left.isdisjoint(keys.values())
            or keys["text"] in source
            or not words.isdisjoint(words_in(keys["text"]))
            or (wordless and has_picture(before.page, row))
            or extractOne(keys["text"], texts, scorer=ratio, score_cutoff=MOST_ALIKE) is not None
        )
        if not traces and not replaced(before, after, partners, known, row):
            found.append(row)
    return found


def may_be_removed(elements: Elements, row: int) -> bool:
    """Return whether an element is a link or button with words: a field that is gone may only have moved."""
    return elements.kinds[row] in ("link", "button") and bool(words_in(elements.keys[row].get("text", ""), 1))


def shown_texts(after: Elements) -> list[str]:
    """Return everything short that a reader of the page may see or hear, in lower case."""
    page = after.page
    rows = {*after.rows, *np.flatnonzero(page.is_tag("a", "button")).tolist()}
    texts = {folded(page.text(row)) for row in rows} | set(map(folded, page.own_texts.values))
    texts |= {folded(value) for name in READ for value in page.attribute(name).values}
    return sorted(text for text in texts if 0 < len(text) <= LONGEST_KEY)


def words_in(text: str, least: int = LEAST_WORD) -> list[str]:
    """Return the words of a text that say something."""
    return [word for word in WORD.findall(text) if len(word) >= least]


def any_wordless_control(after: Elements, known: set[int]) -> bool:
    """Return whether an unknown link or button shows no words."""
    pressed = (row for row in after.rows if CLASSES.get(after.kinds[row]) == "press" and row not in known)
    return any("text" not in after.keys[row] for row in pressed)


def has_picture(page: Page, row: int) -> bool:
    """Return whether a part of the element shows no words, such as an icon: it may be all that is left of it."""
    return any(not page.text(part) for part in range(row + 1, int(page.ends[row])))


def replaced(before: Elements, after: Elements, partners: Mapping[int, int], known: set[int], row: int) -> bool:
    """Return whether an unknown element of its use stands where it stood: between the same two recognised ones.

    Where the neighbours changed places nobody can say, and the answer is yes.
    """
    at = bisect_left(before.rows, row)
    left = next((partners[old] for old in reversed(before.rows[:at]) if old in partners), -1)
    right = next((partners[old] for old in before.rows[at + 1 :] if old in partners), len(after.page))
    between = after.rows[bisect_left(after.rows, left + 1) : bisect_left(after.rows, right)]
    return left > right or any(CLASSES.get(after.kinds[new]) == "press" and new not in known for new in between)
