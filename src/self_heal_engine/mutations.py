"""Realistic seeded changes of real pages with exact ground truth.

Every element is numbered by its row before it is edited, and found by its number afterwards: the truth does not depend
on what was changed. What beautifulsoup4 writes is parsed again by ``parse_html``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from self_heal_engine.files import sha256
from self_heal_engine.operators import (
    AMBIENT_OPERATORS,
    FIELDS,
    INLINE_HOLDERS,
    MASKED,
    OPERATORS,
    Draft,
    css_modules,
    drawn,
    mask_element,
    open_draft,
    remove,
)
from self_heal_engine.parser import numbered_html, read_page

# How many of the other elements are masked in the same way, so that "oddly named" does not mean "wanted".
DECOYS = 0.6

# How often an element that is not a target is changed, compared with a target.
AMBIENT = 0.2


@dataclass(frozen=True)
class Edited:
    """An edited page: its HTML, where each target went, and what was done to it.

    ``rows``: row on the given page -> row on this one; None: removed. A target that the edit would have split in two
    (a link moved into a link) is missing from it.
    """

    html: str
    rows: Mapping[int, int | None]
    operators: Mapping[int, tuple[str, ...]]


def edit(html: str, targets: Iterable[int], seed: str, change: Callable[[Draft], None]) -> Edited:
    """Return the page after a change that may do anything to a draft of it."""
    marker = f"data-row-{sha256(html)[:8]}"
    draft = open_draft(numbered_html(html, marker), marker, targets, seed)
    found = sorted(draft.targets)
    change(draft)
    written = draft.html()
    numbers = read_page(written).attribute(marker)
    rows: dict[int, int | None] = {}
    for row in found:
        now = numbers.rows_with(str(row))
        if row not in draft.targets:
            rows[row] = None
        elif len(now) == 1:
            rows[row] = int(now[0])
    operators = {row: tuple(names) for row, names in draft.operators.items()}
    return Edited(re.sub(f' {marker}="[0-9]*"', "", written), rows, operators)


# -- the three difficulties ----------------------------------------------------------------------------------------


def mutate(html: str, targets: Iterable[int], rates: Mapping[str, float], fewest: int, seed: str) -> Edited:
    """Return the page as a redesign might leave it: each target is hit by at least ``fewest`` operators that fit.

    ``rates``: operator -> how often it hits a target; elements around are hit ``AMBIENT`` times as often.
    """

    def change(draft: Draft) -> None:
        if draft.happens(rates.get("css_modules", 0)):
            css_modules(draft)
        for row, tag in list(draft.targets.items()):
            hit = [name for name in OPERATORS if draft.happens(rates.get(name, 0))]
            applied = [name for name in hit if OPERATORS[name](draft, tag)]
            rest = {name: rates[name] for name in OPERATORS if name not in hit and rates.get(name, 0)}
            while len(applied) < fewest and rest:
                name = drawn(rest, draft.chance)
                del rest[name]
                applied += [name] if OPERATORS[name](draft, tag) else []
            draft.operators[row] = applied
        for tag in draft.others():
            for name in AMBIENT_OPERATORS:
                if draft.happens(rates.get(name, 0) * AMBIENT):
                    AMBIENT_OPERATORS[name](draft, tag)

    return edit(html, targets, seed, change)


def mask(html: str, targets: Iterable[int], level: int, seed: str) -> Edited:
    """Return the page with the keys of the targets, and of most others, renamed or dropped; levels as in ``MASKED``."""
    hidden = [name for upto in range(1, level + 1) for name in MASKED[upto]]

    def change(draft: Draft) -> None:
        for row, tag in draft.targets.items():
            mask_element(draft, tag, hidden, text=level >= 3)
            draft.operators[row] = [f"mask_{level}"]
        for tag in draft.others():
            if draft.happens(DECOYS):
                mask_element(draft, tag, hidden, text=level >= 3 and tag.name in ("a", "button", *INLINE_HOLDERS))

    return edit(html, targets, seed, change)


def delete(html: str, targets: Iterable[int], seed: str) -> Edited:
    """Return the page without the targets; a label that was only for one of them goes too."""

    def change(draft: Draft) -> None:
        for row, tag in list(draft.targets.items()):
            remove(draft, tag)
            del draft.targets[row]
            draft.operators[row] = ["removed"]

    return edit(html, targets, seed, change)


def with_test_ids(html: str, targets: Mapping[int, str], seed: str) -> Edited:
    """Return the page as a team that sets test ids writes it: the targets have the given ones, others their own."""

    def change(draft: Draft) -> None:
        used = set(targets.values())
        for row, tag in draft.targets.items():
            tag["data-testid"] = targets[row]
        for tag in draft.others():
            own = slug(tag.get_text(" ") or str(tag.get("name") or tag.get("id") or ""))
            if tag.name in ("a", "button", *FIELDS) and own and own not in used and draft.happens(DECOYS):
                tag["data-testid"] = own
                used.add(own)

    return edit(html, targets, seed, change)


def slug(text: str) -> str:
    """Return a text as a test id is spelled.

    >>> slug("Sign in now!")
    'sign-in-now'
    """
    return "-".join(re.findall(r"[a-z0-9]+", text.lower())[:4])
