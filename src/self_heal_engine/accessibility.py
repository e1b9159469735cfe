"""roles(page), names(page), labels(page): what assistive technology, and Playwright's role locators, see.

Roles follow HTML-AAM (https://www.w3.org/TR/html-aam-1.0/), names the accessible name computation
(https://www.w3.org/TR/accname-1.2/), both as Playwright applies them to a page without style sheets.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from self_heal_engine.dom import Column, Ints, Page, Rows, encode, per_page

IMPLICIT_ROLES = {
    "article": "article", "aside": "complementary", "blockquote": "blockquote", "button": "button",
    "caption": "caption", "code": "code", "datalist": "listbox", "dd": "definition", "del": "deletion",
    "details": "group", "dfn": "term", "dialog": "dialog", "dt": "term", "em": "emphasis", "fieldset": "group",
    "figure": "figure", "h1": "heading", "h2": "heading", "h3": "heading", "h4": "heading", "h5": "heading",
    "h6": "heading", "hr": "separator", "html": "document", "ins": "insertion", "li": "listitem", "main": "main",
    "mark": "mark", "math": "math", "menu": "list", "meter": "meter", "nav": "navigation", "ol": "list",
    "optgroup": "group", "option": "option", "output": "status", "p": "paragraph", "progress": "progressbar",
    "search": "search", "strong": "strong", "sub": "subscript", "sup": "superscript", "svg": "img",
    "table": "table", "tbody": "rowgroup", "td": "cell", "textarea": "textbox", "tfoot": "rowgroup",
    "th": "columnheader", "thead": "rowgroup", "time": "time", "tr": "row", "ul": "list", "img": "img",
}  # fmt: skip

# Tags whose role depends on their attributes or surroundings.
CONDITIONAL = ("a", "area", "footer", "form", "header", "img", "input", "section", "select", "td", "th")

INPUT_ROLES = {
    "button": "button", "checkbox": "checkbox", "file": "button", "image": "button", "number": "spinbutton",
    "radio": "radio", "range": "slider", "reset": "button", "submit": "button",
}  # fmt: skip
LISTED_INPUTS = frozenset(("", "text", "email", "tel", "url", "search"))

# Header and footer are landmarks of the page only outside these.
SECTIONING = ("article", "aside", "main", "nav", "section")

KNOWN_ROLES = frozenset(
    "alert alertdialog application article banner blockquote button caption cell checkbox code columnheader combobox "
    "complementary contentinfo definition deletion dialog directory document emphasis feed figure form generic grid "
    "gridcell group heading img insertion link list listbox listitem log main mark marquee math menu menubar menuitem "
    "menuitemcheckbox menuitemradio meter navigation none note option paragraph presentation progressbar radio "
    "radiogroup region row rowgroup rowheader scrollbar search searchbox separator slider spinbutton status strong "
    "subscript superscript switch tab table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid "
    "treeitem".split()
)

# What loses its role with a list or table that is presentational.
PARTS_OF = {
    **dict.fromkeys(("ul", "ol", "menu"), ("li",)),
    "dl": ("dt", "dd"),
    "table": ("thead", "tbody", "tfoot", "tr", "th", "td"),
}

# Attributes that every role may have; one of them on an element keeps it from being presentational.
GLOBAL_ARIA = tuple(
    "aria-atomic aria-busy aria-controls aria-current aria-describedby aria-details aria-dropeffect aria-flowto "
    "aria-grabbed aria-hidden aria-keyshortcuts aria-label aria-labelledby aria-live aria-owns aria-relevant "
    "aria-roledescription".split()
)

LABELABLE = ("button", "input", "meter", "output", "progress", "select", "textarea")


@per_page
def roles(page: Page) -> Column:
    """Return the role of every element: the first known word of ``role``, else what its tag implies; or absent."""
    tags = page.tags
    values = list(dict.fromkeys(role for tag in tags.values if (role := IMPLICIT_ROLES.get(tag))))
    number = {role: at for at, role in enumerate(values)}
    by_tag = [number.get(IMPLICIT_ROLES.get(tag, ""), -1) for tag in tags.values]
    codes = np.array(by_tag, dtype=np.int32)[tags.codes]
    linked = page.is_tag("a", "area") & (page.attribute("href").codes >= 0)
    codes[linked] = number.setdefault("link", len(number))
    kinds, inputs = page.attribute("type"), page.is_tag("input") & (page.attribute("list").codes < 0)
    by_kind = [_input_role(kind, listed=False) for kind in (*kinds.values, "")]
    kind_codes = np.array(
        [-1 if role is None else number.setdefault(role, len(number)) for role in by_kind], dtype=np.int32
    )
    codes[inputs] = kind_codes[kinds.codes[inputs]]
    known = linked | inputs
    if not {"grid", "treegrid"} & {role.strip().lower() for role in page.attribute("role").values}:
        cells = page.is_tag("td")
        codes[cells] = number.setdefault("cell", len(number))
        known |= cells
    special = np.flatnonzero(page.is_tag(*CONDITIONAL) & ~known | (page.attribute("role").codes >= 0))
    for row in special.tolist():
        role = _role(page, row)
        codes[row] = -1 if role is None else number.setdefault(role, len(number))
    for row in emptied(page, special, codes, number):
        codes[row] = number.setdefault("none", len(number))
    return Column(codes, list(number))


def emptied(page: Page, special: Rows, codes: Ints, number: dict[str, int]) -> Iterator[int]:
    """Yield the items of lists and the parts of tables that were made presentational, and so are themselves."""
    silent = {number.get("none", -2), number.get("presentation", -2)}
    for row in special.tolist():
        if page.tag(row) in PARTS_OF and codes[row] in silent:
            parts, at = PARTS_OF[page.tag(row)], row + 1
            while at < int(page.ends[row]):
                inner = page.tag(at) in PARTS_OF
                if page.tag(at) in parts and page.value(at, "role") is None:
                    yield at
                at = int(page.ends[at]) if inner else at + 1


def _role(page: Page, row: int) -> str | None:
    """Return the role of an element that has a ``role`` attribute or a tag whose role depends."""
    given = page.value(row, "role")
    explicit = next((word for word in (given or "").lower().split() if word in KNOWN_ROLES), None)
    if explicit is None:
        return _implicit_role(page, row)
    if explicit in ("none", "presentation"):
        return _implicit_role(page, row) if _insists(page, row) else explicit
    return explicit


def _insists(page: Page, row: int) -> bool:
    """Return whether an element cannot be presentational: it can be focused, or has a global ARIA attribute."""
    if any(page.value(row, name) for name in GLOBAL_ARIA):
        return True
    tag = page.tag(row)
    if tag in ("button", "input", "select", "textarea") and page.value(row, "disabled") is None:
        return not (tag == "input" and (page.value(row, "type") or "").lower() == "hidden")
    if tag in ("a", "area") and page.value(row, "href") is not None:
        return True
    return (page.value(row, "tabindex") or "").strip().lstrip("-").isdigit()


def _implicit_role(page: Page, row: int) -> str | None:
    tag = page.tag(row)
    if tag not in CONDITIONAL:
        return IMPLICIT_ROLES.get(tag)
    if tag == "input":
        return _input_role(page.value(row, "type") or "", listed=bool(page.value(row, "list")))
    if tag in ("a", "area"):
        return "link" if page.value(row, "href") is not None else None
    if tag in ("header", "footer"):
        inside = any(page.tag(above) in SECTIONING for above in page.ancestors(row))
        return None if inside else {"header": "banner", "footer": "contentinfo"}[tag]
    if tag in ("form", "section"):
        named = any((page.value(row, name) or "").strip() for name in ("aria-label", "aria-labelledby", "title"))
        return {"form": "form", "section": "region"}[tag] if named else None
    if tag == "img":
        bare = page.value(row, "alt") == "" and not page.value(row, "title") and not _insists(page, row)
        return "presentation" if bare else "img"
    if tag == "select":
        size = (page.value(row, "size") or "").strip()
        many = page.value(row, "multiple") is not None or (size.isdigit() and int(size) > 1)
        return "listbox" if many else "combobox"
    return _cell_role(page, row, tag)


def _input_role(kind: str, listed: bool) -> str | None:
    kind = kind.strip().lower()
    if kind == "hidden":
        return None
    if kind in LISTED_INPUTS and listed:
        return "combobox"
    return "searchbox" if kind == "search" else INPUT_ROLES.get(kind, "textbox")


def _cell_role(page: Page, row: int, tag: str) -> str:
    if tag == "th":
        scope = (page.value(row, "scope") or "").lower()
        if scope in ("row", "rowgroup"):
            return "rowheader"
        if scope in ("col", "colgroup"):
            return "columnheader"
    table = next((above for above in page.ancestors(row) if page.tag(above) == "table"), None)
    grid = table is not None and (page.value(table, "role") or "").strip().lower() in ("grid", "treegrid")
    if tag == "td":
        return "gridcell" if grid else "cell"
    return _unscoped_header(page, row)


def _unscoped_header(page: Page, row: int) -> str:
    """Return the role of a th without scope: it heads its row if it stands first among data cells."""
    beside = [page.tag(cell) for cell in page.siblings(row)]
    return "rowheader" if "td" in beside and page.siblings(row)[0] == row else "columnheader"


# -- labels --------------------------------------------------------------------------------------------------------


@per_page
def label_rows(page: Page) -> dict[int, list[int]]:
    """Return, for each form control, the rows of its <label>s, in document order."""
    found: dict[int, list[int]] = {}
    ids = first_with_id(page)
    controls = np.flatnonzero(page.is_tag(*LABELABLE))
    for label in np.flatnonzero(page.is_tag("label")).tolist():
        target = page.value(label, "for")
        control = ids.get(target) if target is not None else _first_control(page, controls, label)
        if control is not None and page.tag(control) in LABELABLE:
            found.setdefault(control, []).append(label)
    return found


def _first_control(page: Page, controls: Rows, label: int) -> int | None:
    """Return the first form control inside a label."""
    at = int(np.searchsorted(controls, label))
    hidden = page.attribute("type")
    while at < len(controls) and controls[at] < page.ends[label]:
        if (hidden[int(controls[at])] or "").lower() != "hidden":
            return int(controls[at])
        at += 1
    return None


@per_page
def first_with_id(page: Page) -> dict[str, int]:
    """Return the first row that has each id."""
    column = page.attribute("id")
    rows = np.flatnonzero(column.codes >= 0)
    return {
        column.values[code]: row
        for row, code in zip(rows[::-1].tolist(), column.codes[rows][::-1].tolist(), strict=True)
    }


@per_page
def label_texts(page: Page) -> dict[int, list[str]]:
    """Return, by row, the texts of what labels an element: each <label>, or each element of ``aria-labelledby``."""

    def said(label: int) -> str:  # with no element inside, its text is its textContent, and known
        return page.text(label) if page.ends[label] == label + 1 else page.text_content(label)

    texts = {control: list(map(said, found)) for control, found in label_rows(page).items()}
    ids, pointing = first_with_id(page), page.attribute("aria-labelledby")
    for row in np.flatnonzero(pointing.codes >= 0).tolist():
        words = (pointing[row] or "").split()
        texts[row] = [page.text_content(ids[word]) for word in words if word in ids] or texts.get(row, [])
    return {row: [text for text in found if text] for row, found in texts.items()}


@per_page
def labels(page: Page) -> Column:
    """Return the text of what labels each element, several joined; or absent."""
    values: list[str | None] = [None] * len(page)
    for row, texts in label_texts(page).items():
        values[row] = " ".join(texts) or None
    return encode(values)
