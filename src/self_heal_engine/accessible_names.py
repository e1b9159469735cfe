"""names(page): the accessible name of every element that has a role."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.accessibility import first_with_id, label_rows, roles
from self_heal_engine.dom import BLOCKS, MOST_TEXT, NEVER_SHOWN, Column, Flags, Page, per_page

# Roles that take their name from what stands inside them.
FROM_CONTENT = frozenset(
    "button cell checkbox columnheader gridcell heading link menuitem menuitemcheckbox menuitemradio option radio row "
    "rowheader switch tab tooltip treeitem".split()
)

# Roles that pass their content on to an ancestor's name, although they have none from it themselves.
PASSED_ON = frozenset(
    "caption code contentinfo definition deletion emphasis insertion list listitem mark none paragraph presentation "
    "region rowgroup section strong subscript superscript table term time".split()
)

# Roles that the specification leaves without any name.
NEVER_NAMED = frozenset(
    "caption code definition deletion emphasis generic insertion mark paragraph presentation none strong subscript "
    "superscript term time".split()
)

# What makes a name differ from the text, inside an element: these tags, and for the element itself its holders.
SPECIAL_TAGS = ("img", "input", "select", "textarea", "svg", "object", "iframe", "slot", "meter", "progress", "area")
SPECIAL_HOLDERS = ("fieldset", "figure", "table")
NAMING_ATTRIBUTES = ("aria-label", "aria-labelledby", "title")

# What browsers write on a button without a value, in English.
UNNAMED_BUTTONS = {"submit": "Submit", "reset": "Reset", "file": "Choose File"}

# Inline, but laid out as a box of their own: a name has a space around them.
BOXES = frozenset(("button", "input", "select", "textarea", "meter", "progress", "td", "th"))

# So many elements are visited for one name, and on average per element of the page: a hostile page names everything
# after everything. A name past the budget is the element's text.
MOST_VISITED = 1_000
MOST_VISITED_PER_ELEMENT = 20
MOST_NESTED = 60


@per_page
def names(page: Page) -> Column:
    """Return the accessible name of every element that has a role, "" if it has none; absent without a role."""
    role_column, texts = roles(page), page.texts
    takes_content = np.array([*(role in FROM_CONTENT for role in role_column.values), False])[role_column.codes]
    role_given = role_column.codes >= 0
    named = naming(page)
    plain = (special_inside(page, named) == 0) & ~named
    number = {value: at for at, value in enumerate(texts.values)}
    empty = number.setdefault("", len(number))
    codes = np.where(role_given, empty, -1).astype(np.int32)
    from_text = role_given & takes_content & plain
    codes[from_text] = texts.codes[from_text]
    unclear = role_given & (~plain & takes_content | named)
    fields = plain_fields(page)
    unclear &= ~fields
    for control, found in label_rows(page).items():
        if fields[control] and len(found) == 1 and plain[found[0]]:
            codes[control] = texts.codes[found[0]]
        else:
            unclear[control] = role_given[control]
    left = MOST_VISITED_PER_ELEMENT * (len(page) + MOST_VISITED)
    for row in np.flatnonzero(unclear).tolist():
        name, visited = _name(page, row) if left > 0 else (page.text(row), 0)
        left -= visited
        codes[row] = number.setdefault(name, len(number))
    return Column(codes, list(number))


def plain_fields(page: Page) -> Flags:
    """Return which fields nothing but a <label> could name: most on a page of forms or full of check boxes."""
    kinds = page.attribute("type")
    named_otherwise = ("button", "submit", "reset", "image", "file", "hidden")
    special = np.array([*(kind.lower() in named_otherwise for kind in kinds.values), False])[kinds.codes]
    found = page.is_tag("input", "textarea", "select") & ~special
    for attribute in ("aria-label", "aria-labelledby", "title", "placeholder"):
        found &= page.attribute(attribute).codes < 0
    return found


def naming(page: Page) -> Flags:
    """Return which elements have something of their own that may name them."""
    found = page.is_tag(*SPECIAL_TAGS, *SPECIAL_HOLDERS)
    for attribute in NAMING_ATTRIBUTES:
        found |= page.attribute(attribute).codes >= 0
    return found


def special_inside(page: Page, named: Flags) -> NDArray[np.intp]:
    """Return how many elements inside each one keep its name from being its text.

    Those are named in another way, are hidden while it is not, or have a role that keeps its content to itself.
    """
    column = roles(page)
    open_roles = FROM_CONTENT | PASSED_ON
    keeps = np.array([*(role not in open_roles for role in column.values), False])[column.codes]
    hides = page.hidden & ~page.hidden[np.maximum(page.parents, 0)]
    special = keeps | hides | named & ~page.is_tag("table")
    before = np.zeros(len(page) + 1, dtype=np.intp)
    np.cumsum(special, out=before[1:])
    return before[page.ends] - before[1:]


def _name(page: Page, row: int) -> tuple[str, int]:
    """Return the accessible name of one element, white space collapsed, and how many elements it took."""
    if roles(page)[row] in NEVER_NAMED:
        return "", 0
    if page.tag(row) == "img" and not (page.value(row, "aria-label") or page.value(row, "aria-labelledby")):
        return " ".join((page.value(row, "alt") or page.value(row, "title") or "").split())[:MOST_TEXT], 1
    naming = _Name(page)
    return " ".join(naming.of(row, top=True).split())[:MOST_TEXT], len(naming.visited)


class _Name:
    """One name being computed: the elements on the way, so that no reference goes in a circle."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen = set[int]()
        self.visited: list[int] = []
        self.level = 0

    def of(self, row: int, top: bool = False, referred: bool = False) -> str:
        """Return the text alternative of an element; ``referred``: it was named by ``aria-labelledby`` or a label."""
        page = self.page
        if row in self.seen or len(self.visited) > MOST_VISITED or self.level > MOST_NESTED:
            return ""
        if not top and not referred and page.hidden[row]:
            return ""
        self.seen.add(row)
        self.visited.append(row)
        if not referred and (pointed := self._pointed_to(row)):
            return pointed
        role = roles(page)[row] or ""
        if not top and (value := self._embedded_value(row, role)) is not None:
            return value
        if label := (page.value(row, "aria-label") or "").strip():
            return label
        if role not in ("none", "presentation") and (native := self._native(row, top, referred)):
            return native
        inside = role in FROM_CONTENT or referred or (not top and (not role or role in PASSED_ON))
        if inside and (content := self._content(row)).strip():
            return content
        # A control inside another element's name was answered above; what is left is the tooltip.
        return (page.value(row, "title") or "").strip() if role not in ("none", "presentation") else ""

    def _pointed_to(self, row: int) -> str:
        ids = first_with_id(self.page)
        words = (self.page.value(row, "aria-labelledby") or "").split()
        return " ".join(self._referred_to([ids[word] for word in words if word in ids])).strip()

    def _referred_to(self, rows: list[int]) -> list[str]:
        """Return the alternatives of the elements that a label or ``aria-labelledby`` names; each may be used again."""
        parts, before = [], self.seen
        for row in rows:
            self.seen = set(before)
            self.level += 1
            parts.append(self.of(row, referred=True))
            self.level -= 1
        self.seen = before
        return parts

    def _embedded_value(self, row: int, role: str) -> str | None:
        """Return what a control adds to the name around it: its value, not its own name."""
        page = self.page
        if role in ("textbox", "searchbox"):
            tag = page.tag(row)
            return page.value(row, "value") or "" if tag == "input" else page.text(row)
        if role in ("combobox", "listbox"):
            options = [at for at in range(row + 1, int(page.ends[row])) if page.tag(at) == "option"]
            chosen = [at for at in options if page.value(at, "selected") is not None] or options[:1]
            return " ".join(map(page.text, chosen))
        if role in ("progressbar", "scrollbar", "slider", "spinbutton", "meter"):
            return (
                page.value(row, "aria-valuetext") or page.value(row, "aria-valuenow") or page.value(row, "value") or ""
            )
        return None

    def _native(self, row: int, top: bool, referred: bool) -> str:
        """Return the name that the element's own markup gives it."""
        page, tag = self.page, self.page.tag(row)
        kind = (page.value(row, "type") or "").lower() if tag == "input" else ""
        if tag == "input" and kind in ("button", "submit", "reset"):
            value = (page.value(row, "value") or "").strip()
            return value or UNNAMED_BUTTONS.get(kind) or page.value(row, "title") or ""
        if kind == "file":
            return self._labelled(row) or page.value(row, "title") or UNNAMED_BUTTONS[kind]
        if tag == "input" and kind == "image":
            return self._labelled(row) or page.value(row, "alt") or page.value(row, "title") or "Submit"
        if tag in ("input", "select", "textarea", "button", "output", "meter", "progress"):
            found = self._labelled(row)
            if found or tag not in ("input", "textarea"):
                return found
            if kind in ("", "text", "password", "search", "tel", "email", "url") or tag == "textarea":
                return page.value(row, "title") or page.value(row, "placeholder") or ""
            return page.value(row, "title") or ""
        if tag in ("img", "area"):
            return page.value(row, "alt") or page.value(row, "title") or ""
        holder = {"fieldset": "legend", "figure": "figcaption", "table": "caption", "svg": "title"}.get(tag)
        if holder:
            named_by = next((child for child in page.children(row) if page.tag(child) == holder), None)
            if named_by is not None:
                return (
                    "".join(part for part in page.child_nodes(named_by) if isinstance(part, str))
                    if tag == "svg"
                    else self.of(named_by, referred=True)
                )
            if tag == "table":
                return page.value(row, "summary") or ""
        return ""

    def _labelled(self, row: int) -> str:
        return " ".join(filter(None, self._referred_to(label_rows(self.page).get(row, [])))).strip()

    def _content(self, row: int) -> str:
        """Return the names of everything inside, in order; a space around what is laid out as a block."""
        page = self.page
        pieces: list[str] = []
        for child in page.child_nodes(row):
            if isinstance(child, str):
                pieces.append(child)
                continue
            tag = page.tag(child)
            if tag == "br":
                pieces.append(" ")
            elif tag not in NEVER_SHOWN:
                self.level += 1
                part = self.of(child)
                self.level -= 1
                pieces.append(f" {part} " if tag in BLOCKS or tag in BOXES else part)
        return "".join(pieces)
