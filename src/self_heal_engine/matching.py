"""matches(page, locator) -> the rows that a locator finds, with the meaning of the tool it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from self_heal_engine.accessibility import label_texts, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.dom import Column, Flags, Page, Rows, per_page
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.locators import Locator, test_id_of
from self_heal_engine.reading import read_role
from self_heal_engine.reading_css import groups, plain_css, steps

# A pseudo-class of jQuery or Playwright, with its argument.
PSEUDO = re.compile(
    r""":(contains|has-text|text-is|text|eq|nth|visible|hidden|first|last)(?![\w-])(?:\(\s*+("(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|[^()"']*+)\s*+\))?"""
)

QUOTED = re.compile(r""""(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'""")

# The roles that have a state (ARIA), as Playwright knows them; None: any.
STATE_ROLES = {
    "checked": frozenset("checkbox menuitemcheckbox option radio switch menuitemradio treeitem".split()),
    "pressed": frozenset(("button",)),
    "selected": frozenset("gridcell option row tab rowheader columnheader treeitem".split()),
    "level": frozenset("heading listitem row treeitem".split()),
}
FORM_CONTROLS = ("button", "input", "select", "textarea", "option", "optgroup")


def matches(page: Page, locator: Locator) -> Rows:
    """Return the rows that the locator finds on the page, in document order.

    CannotHeal ``locator_syntax`` if the engine cannot run it.
    """
    return MATCHERS[locator.kind](page, locator.value)


def css(page: Page, selector: str) -> Rows:
    """Return what a CSS selector finds; jQuery's and Playwright's pseudo-classes and ``a >> b`` are known."""
    plain = plain_css(selector)
    if not PSEUDO.search(QUOTED.sub('""', plain)):
        return standard_css(page, plain)
    found = [one_by_one(page, group) for group in groups(plain)]
    return np.unique(np.concatenate(found))


def standard_css(page: Page, selector: str) -> Rows:
    """Return what a selector finds that the engine knows."""
    try:
        return page.css(selector)
    except ValueError as error:
        raise CannotHeal("locator_syntax", f"the css locator {quoted(selector)} cannot be run: {error}") from error


def one_by_one(page: Page, group: str) -> Rows:
    """Return what a selector with unusual pseudo-classes finds, one compound selector after the other."""
    found: Rows | None = None
    for combinator, compound in steps(group):
        rest = PSEUDO.sub("", compound)
        these = standard_css(page, rest or "*")
        if found is not None:
            these = these[RELATED[combinator](page, found)[these]]
        for match in PSEUDO.finditer(compound):
            these = PSEUDO_CLASSES[match[1]](page, these, (match[2] or "").strip("\"'"))
        found = these
    return np.empty(0, dtype=np.intp) if found is None else found


def below(page: Page, found: Rows) -> Flags:
    """Return which elements lie below one of the rows."""
    edges = np.zeros(len(page) + 2, dtype=np.intp)
    np.add.at(edges, found + 1, 1)
    np.subtract.at(edges, page.ends[found], 1)
    return np.cumsum(edges)[: len(page)] > 0


def marked(page: Page, rows: Rows | list[int]) -> Flags:
    """Return the rows as flags."""
    flags = np.zeros(len(page), dtype=np.bool_)
    flags[rows] = True
    return flags


def children(page: Page, found: Rows) -> Flags:
    """Return which elements are children of one of the rows."""
    return marked(page, found)[page.parents] & (page.parents >= 0)


def following(page: Page, found: Rows, adjacent: bool) -> Flags:
    """Return which elements stand after one of the rows, or right after, under the same parent."""
    after = list[int]()
    for parent in np.unique(page.parents[found]).tolist():
        siblings = np.array(page.children(parent) if parent >= 0 else [0], dtype=np.intp)
        here = np.isin(siblings, found)
        seen = np.concatenate([[False], here[:-1] if adjacent else np.logical_or.accumulate(here)[:-1]])
        after += siblings[seen].tolist()
    return marked(page, after)


RELATED: dict[str, Callable[[Page, Rows], Flags]] = {
    " ": below,
    ">": children,
    "+": lambda page, found: following(page, found, adjacent=True),
    "~": lambda page, found: following(page, found, adjacent=False),
}


def containing(page: Page, found: Rows, text: str) -> Rows:
    """Keep the elements whose text contains a text, upper and lower case and white space apart."""
    wanted = " ".join(text.split()).casefold()
    return kept(found, lambda row: wanted in page.text_content(row).casefold())


def reading(page: Page, found: Rows, text: str) -> Rows:
    """Keep the innermost elements whose whole text is a text."""
    return np.intersect1d(found, by_text(page, text))


def innermost(page: Page, found: Rows, text: str) -> Rows:
    """Keep the innermost elements whose text contains a text, upper and lower case apart."""
    holders = containing(page, np.flatnonzero(~never_text(page)), text)
    return np.setdiff1d(np.intersect1d(found, holders), page.parents[holders])


def numbered(page: Page, found: Rows, number: str) -> Rows:
    """Keep one of the elements, counted from 0; negative numbers count from the end."""
    at = int(number) if re.fullmatch(r"-?[0-9]{1,9}", number) else len(found)
    return found[at : at + 1 or None] if at >= -len(found) else found[:0]


def kept(found: Rows, fits: Callable[[int], bool]) -> Rows:
    """Keep the rows that fit."""
    return np.array([row for row in found.tolist() if fits(row)], dtype=np.intp)


PSEUDO_CLASSES: dict[str, Callable[[Page, Rows, str], Rows]] = {
    "contains": containing,
    "has-text": containing,
    "text": innermost,
    "text-is": reading,
    "eq": numbered,
    "nth": numbered,
    "first": lambda page, found, _: found[:1],
    "last": lambda page, found, _: found[-1:],
    "visible": lambda page, found, _: found[~page.undisplayed[found]],
    "hidden": lambda page, found, _: found[page.undisplayed[found]],
}


def xpath(page: Page, expression: str) -> Rows:
    """Return what an XPath finds."""
    try:
        return page.xpath(expression)
    except ValueError as error:
        raise CannotHeal("locator_syntax", f"the xpath locator {quoted(expression)} cannot be run: {error}") from error


def by_attribute(name: str) -> Callable[[Page, str], Rows]:
    """Return a matcher for the exact value of an attribute."""
    return lambda page, value: page.attribute(name).rows_with(value)


def by_class(page: Page, name: str) -> Rows:
    """Return the elements that have a class."""
    return having(page, "class", lambda value: name in value.split())


def having(page: Page, attribute: str, fits: Callable[[str], bool]) -> Rows:
    """Return the elements whose attribute fits."""
    column = page.attribute(attribute)
    return np.flatnonzero(np.array([*map(fits, column.values), False])[column.codes])


def by_link_text(page: Page, text: str) -> Rows:
    """Return the links whose visible text is the text (Selenium's ``link text``)."""
    wanted = " ".join(text.split())
    return kept(np.flatnonzero(page.is_tag("a") & ~page.undisplayed), lambda row: page.text(row) == wanted)


def by_partial_link_text(page: Page, text: str) -> Rows:
    """Return the links whose visible text contains the text (Selenium's ``partial link text``)."""
    wanted = " ".join(text.split())
    return kept(np.flatnonzero(page.is_tag("a") & ~page.undisplayed), lambda row: wanted in page.text(row))


def by_test_id(page: Page, value: str) -> Rows:
    """Return the elements that have a test id in one of the attributes it may stand in."""
    attributes, wanted = test_id_of(value)
    return np.unique(np.concatenate([page.attribute(name).rows_with(wanted) for name in attributes]))


def by_words(attribute: str) -> Callable[[Page, str], Rows]:
    """Return a matcher for an attribute that people read: white space does not count."""

    def match(page: Page, value: str) -> Rows:
        wanted = " ".join(value.split())
        return having(page, attribute, lambda given: " ".join(given.split()) == wanted)

    return match


def by_text(page: Page, text: str) -> Rows:
    """Return the innermost elements whose whole textContent is the text (``get_by_text``, exact)."""
    wanted = " ".join(text.split())
    if not wanted:
        return np.empty(0, dtype=np.intp)
    rows = np.flatnonzero((page.solid_lengths == len(wanted.replace(" ", ""))) & ~never_text(page))
    found = {row for row in rows.tolist() if page.text_content(row) == wanted}
    innermost = found - {int(page.parents[row]) for row in found}
    pressed = [row for row in by_words("value")(page, wanted).tolist() if row in pressed_inputs(page)]
    return np.array(sorted({*innermost, *pressed}), dtype=np.intp)


@per_page
def never_text(page: Page) -> Flags:
    """Return which elements are never found by text."""
    return page.within(page.is_tag("head", "script", "style", "noscript", "template"))


@per_page
def pressed_inputs(page: Page) -> set[int]:
    """Return the inputs whose value is their text."""
    kinds = page.attribute("type")
    pressed = np.array([*(kind.lower() in ("submit", "button", "reset") for kind in kinds.values), False])[kinds.codes]
    return set(np.flatnonzero(page.is_tag("input") & pressed).tolist())


def by_label(page: Page, text: str) -> Rows:
    """Return what a text labels: by <label>, ``aria-labelledby`` or ``aria-label`` (``get_by_label``, exact)."""
    wanted = " ".join(text.split())
    labelled = [row for row, texts in label_texts(page).items() if wanted in texts]
    return np.union1d(labelled, by_words("aria-label")(page, text)).astype(np.intp)


def by_role(page: Page, value: str) -> Rows:
    """Return the elements with a role and what else a role locator says; hidden ones are left out."""
    role, conditions = read_role(value)
    fits = np.zeros(len(page), dtype=np.bool_)
    fits[roles(page).rows_with(role)] = True
    fits &= ~page.hidden
    for name, wanted in conditions:
        if name == "name":
            fits &= name_fits(names(page), wanted)
        else:
            fits &= state_fits(page, name, wanted)
    return np.flatnonzero(fits)


def name_fits(named: Column, wanted: str | re.Pattern[str] | None) -> Flags:
    """Return which accessible names are the wanted one, or contain what the pattern asks for."""
    if isinstance(wanted, re.Pattern):
        return np.array([*(wanted.search(given) is not None for given in named.values), False])[named.codes]
    return named.codes == named.code_of.get(" ".join((wanted or "").split()), -2)


def state_fits(page: Page, state: str, wanted: str | re.Pattern[str] | None) -> Flags:
    """Return which elements are in a state that a role locator asks for: ``[checked]``, ``[level=2]``."""
    asked = wanted.lower() if isinstance(wanted, str) else "true"
    if state == "level":
        return level_fits(page, asked)
    if state == "expanded":
        given = said(page, "aria-expanded", asked)
        closed = page.attribute("open").codes < 0
        return np.where(page.is_tag("details"), closed == (asked == "false"), given)
    if state == "disabled":
        return disabled(page) == (asked == "true")
    if state not in ("checked", "pressed", "selected"):
        return np.ones(len(page), dtype=np.bool_)
    mixed = said(page, f"aria-{state}", "mixed") & has_role(page, STATE_ROLES[state]) & ~page.is_tag("input", "option")
    if asked == "mixed":
        return mixed
    return in_state(page, state) if asked == "true" else ~(in_state(page, state) | mixed)


def said(page: Page, attribute: str, word: str) -> Flags:
    """Return which elements have an attribute that is a word, upper and lower case apart."""
    return marked(page, having(page, attribute, lambda value: value.lower() == word))


def has_role(page: Page, wanted: frozenset[str]) -> Flags:
    """Return which elements have one of the roles."""
    column = roles(page)
    return np.array([*(role in wanted for role in column.values), False])[column.codes]


def level_fits(page: Page, level: str) -> Flags:
    """Return which elements are of a level: that of their tag, else what ``aria-level`` says."""
    native = page.is_tag("h1", "h2", "h3", "h4", "h5", "h6")
    return page.is_tag(f"h{level}") | (said(page, "aria-level", level) & ~native & has_role(page, STATE_ROLES["level"]))


def in_state(page: Page, state: str) -> Flags:
    """Return which elements are checked, pressed or selected: by their HTML if that can tell, else by ARIA."""
    on = said(page, f"aria-{state}", "true") & has_role(page, STATE_ROLES[state])
    if state == "checked":
        native = page.is_tag("input") & (said(page, "type", "checkbox") | said(page, "type", "radio"))
        return np.where(native, page.attribute("checked").codes >= 0, on)
    if state == "selected":
        return np.where(page.is_tag("option"), marked(page, selected_options(page)), on)
    return on


def selected_options(page: Page) -> list[int]:
    """Return the options that a fresh page has selected: in a list of one line the last marked, else the first."""
    given, off = page.attribute("selected").codes >= 0, page.attribute("disabled").codes >= 0
    found, options = list[int](), np.flatnonzero(page.is_tag("option"))
    for row in np.flatnonzero(page.is_tag("select")).tolist():
        inside = options[(options > row) & (options < page.ends[row])]
        chosen = inside[given[inside]]
        if page.value(row, "multiple") is None:
            size = (page.value(row, "size") or "").strip()
            one_line = not (size.isdigit() and int(size) > 1)
            chosen = chosen[-1:] if len(chosen) else inside[~off[inside]][:1] if one_line else inside[:0]
        found += chosen.tolist()
    return found


def disabled(page: Page) -> Flags:
    """Return which elements are disabled, themselves or by what is around them."""
    off = page.attribute("disabled").codes >= 0
    control = page.is_tag(*FORM_CONTROLS)
    fieldsets = below(page, np.flatnonzero(page.is_tag("fieldset") & off))
    legends = page.within(page.is_tag("legend") & (page.parents >= 0) & (page.is_tag("fieldset") & off)[page.parents])
    grouped = page.is_tag("option") & below(page, np.flatnonzero(page.is_tag("optgroup") & off))
    return (control & (off | fieldsets & ~legends | grouped)) | page.within(said(page, "aria-disabled", "true"))


MATCHERS: dict[str, Callable[[Page, str], Rows]] = {
    "css": css,
    "xpath": xpath,
    "id": by_attribute("id"),
    "name": by_attribute("name"),
    "class_name": by_class,
    "tag_name": lambda page, tag: np.flatnonzero(page.is_tag(tag.lower())),
    "link_text": by_link_text,
    "partial_link_text": by_partial_link_text,
    "test_id": by_test_id,
    "role": by_role,
    "text": by_text,
    "label": by_label,
    "placeholder": by_words("placeholder"),
    "alt_text": by_words("alt"),
    "title": by_words("title"),
}
