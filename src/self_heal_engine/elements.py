"""The elements of a page that tests use, and the keys by which each can be recognised in another release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.candidates import INTERACTIVE_ROLES
from self_heal_engine.dom import Page
from self_heal_engine.generated import is_generated
from self_heal_engine.locators import TEST_ID_ATTRIBUTES

# Fields that have no role of their own are their tag and type: a password, a date, a colour, a file.
FIELD_TAGS = ("input", "select", "textarea", "button", "summary")

# What tests read rather than use.
READ_ROLES = frozenset(("heading", "img"))

# Roles that do the same for a person: a link that became a button is still the one to press.
CLASSES = {
    **dict.fromkeys(("link", "button", "menuitem", "tab", "summary"), "press"),
    **dict.fromkeys(("textbox", "searchbox", "combobox", "spinbutton", "listbox"), "enter"),
    **dict.fromkeys(("checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"), "choose"),
}

# Addresses that lead nowhere.
NO_ADDRESS = ("", "#", "#!", "javascript:", "javascript:;", "javascript:void(0)", "javascript:void(0);")

# A longer value is no name but content.
LONGEST_KEY = 120


@dataclass(frozen=True)
class Elements:
    """The elements of a page that tests use, in document order, with the keys of each."""

    page: Page
    rows: list[int]
    kinds: dict[int, str]  # row -> role, or tag and type
    keys: dict[int, Mapping[str, str]]  # row -> kind of key -> value

    def holders(self, grouping: Mapping[str, str]) -> dict[tuple[str, str, str], list[int]]:
        """Return the rows that have each key: (kind, kind of key, value) -> rows."""
        found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for row in self.rows:
            kind = grouping.get(self.kinds[row], self.kinds[row])
            for what, value in self.keys[row].items():
                found[kind, what, value].append(row)
        return found

    def index(self, grouping: Mapping[str, str]) -> dict[tuple[str, str, str], int]:
        """Return the row of each key that only one element of its kind has."""
        return {key: rows[0] for key, rows in self.holders(grouping).items() if len(rows) == 1}


def elements(page: Page) -> Elements:
    """Return the elements that tests use: what a person presses, fills in, chooses or reads."""
    role_of, fields = roles(page), page.is_tag(*FIELD_TAGS)
    used = np.array([role in INTERACTIVE_ROLES or role in READ_ROLES for role in role_of.values] + [False])[
        role_of.codes
    ]
    rows = np.flatnonzero((used | fields) & ~page.undisplayed).tolist()
    kinds = {row: role_of[row] or f"{page.tag(row)}[{page.value(row, 'type') or ''}]" for row in rows}
    return Elements(page, rows, kinds, {row: keys_of(page, row) for row in rows})


def keys_of(page: Page, row: int) -> dict[str, str]:
    """Return the values by which an element can be recognised: kind of key -> value."""
    attributes = page.attributes(row)
    found = {"id": attributes.get("id"), "name": attributes.get("name"), "href": address(attributes.get("href", ""))}
    if found["name"] and attributes.get("type") in ("radio", "checkbox", "button", "submit"):
        found["name"] += "=" + attributes.get("value", "")
    found["test_id"] = next((attributes[name] for name in TEST_ID_ATTRIBUTES if attributes.get(name)), None)
    texts = (attributes.get(name) for name in ("aria-label", "title", "placeholder", "alt"))
    found["aria"] = next(filter(None, map(folded, texts)), None)
    found["label"] = folded(labels(page)[row])
    on_button = page.tag(row) == "input" and attributes.get("type") in ("submit", "button", "reset")
    found["text"] = folded(page.text(row) or (attributes.get("value") if on_button else None))
    if found["text"] == found["aria"]:
        found["aria"] = None  # the same words twice are one key
    return {
        what: value
        for what, value in found.items()
        if value and len(value) <= LONGEST_KEY and not (what in ("id", "name") and is_generated(value))
    }


def folded(text: str | None) -> str:
    """Return a text in lower case with single spaces.

    >>> folded("  Sign\\n In ")
    'sign in'
    """
    return " ".join((text or "").casefold().split())


def address(href: str) -> str | None:
    """Return an address without its own host, or None if it leads nowhere.

    >>> address("./pages/forms.html"), address("javascript:void(0)")
    ('pages/forms.html', None)
    """
    plain = href.strip()
    return None if plain.lower() in NO_ADDRESS else plain.removeprefix("http://localhost").removeprefix("./")


def words_shown(elements: Elements, row: int) -> frozenset[str]:
    """Return the words that name an element: its text, label, accessible name and the like."""
    keys = elements.keys[row]
    shown = (keys.get("text"), keys.get("label"), keys.get("aria"), folded(names(elements.page)[row]))
    return frozenset(word for text in shown if text for word in text.split() if any(map(str.isalnum, word)))
