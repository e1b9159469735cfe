"""identity(page, row): the values by which an element is told from others; and those that belong to others."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.dom import Page, per_page
from self_heal_engine.generated import is_generated
from self_heal_engine.locators import TEST_ID_ATTRIBUTES

TELLING = (
    "id",
    "name",
    "href",
    "for",
    "placeholder",
    "title",
    "alt",
    "aria-label",
    "src",
    "value",
    *TEST_ID_ATTRIBUTES,
)

# A longer text is that of a container.
LONGEST = 80

# Other elements are looked at on both sides, so many before and after in document order: enough for a menu, a table
# or a form, and a bound on what a fingerprint holds.
REACH = 250
MOST_OTHERS = 400

Identity = frozenset[int]


def identity(page: Page, row: int) -> Identity:
    """Return the hashes (CRC-32) of what tells the element from others: its attributes, text, name and label."""
    known = _known(page)
    if row not in known:
        known[row] = frozenset(crc32(said.encode("utf-8", "replace")) for said in _said(page, row))
    return known[row]


def _said(page: Page, row: int) -> Iterator[str]:
    attributes = page.attributes(row)
    for name in TELLING:
        value = attributes.get(name)
        if value and not (name in ("id", "name", "for") and is_generated(value)):
            yield f"{name} {value[:LONGEST]}"
    role = roles(page)[row] or page.tag(row)
    for what, text in (("text", page.text(row)), ("name", names(page)[row]), ("label", labels(page)[row])):
        if text and len(text) <= LONGEST:
            yield f"{what} {role} {text}"


def others(page: Page, row: int) -> tuple[int, ...]:
    """Return the hashes that belong to elements near by with the same tag or role, and not to this one."""
    role, tag = roles(page)[row], page.tag(row)
    own, found = identity(page, row), dict[int, None]()
    near = sorted(range(max(row - REACH, 0), min(row + REACH, len(page))), key=lambda at: abs(at - row))
    for at in near:
        if page.tag(at) == tag or (role and roles(page)[at] == role):
            found.update(dict.fromkeys(sorted(identity(page, at) - own)))
    return tuple(found)[:MOST_OTHERS]


@per_page
def _known(page: Page) -> dict[int, Identity]:
    """The identities computed so far."""
    return {}
