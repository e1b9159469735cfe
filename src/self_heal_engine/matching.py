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
from self_heal_engine.reading_css import plain_css

# A pseudo-class of jQuery or Playwright at the end of a selector, with its argument.
LAST_PSEUDO = re.compile(
    r""":(contains|has-text|text-is|text|eq|nth|visible|hidden|first|last)(?:\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^()"']*)\s*\))?\s*$"""
)

# Where the attributes that a role locator may name come from: ARIA, and the native property if there is one.
STATES = {
    "checked": ("aria-checked", "checked"),
    "disabled": ("aria-disabled", "disabled"),
    "expanded": ("aria-expanded", None),
    "pressed": ("aria-pressed", None),
    "selected": ("aria-selected", "selected"),
}


def matches(page: Page, locator: Locator) -> Rows:
    """Return the rows that the locator finds on the page, in document order.

    CannotHeal ``locator_syntax`` if the engine cannot run it.
    """
    return MATCHERS[locator.kind](page, locator.value)


def css(page: Page, selector: str) -> Rows:
    """Return what a CSS selector finds; jQuery's and Playwright's pseudo-classes are known at its end."""
    selector, filters = plain_css(selector), []
    while (match := LAST_PSEUDO.search(selector)) and "," not in selector:
        filters.append((match[1], (match[2] or "").strip("\"'")))
        selector = selector[: match.start()]
    if filters and (not selector or selector[-1] in " >+~"):
        selector += "*"
    try:
        found = page.css(selector)
    except ValueError as error:
        raise CannotHeal("locator_syntax", f"the css locator {quoted(selector)} cannot be run: {error}") from error
    for name, argument in reversed(filters):
        found = PSEUDO_CLASSES[name](page, found, argument)
    return found


def containing(page: Page, found: Rows, text: str) -> Rows:
    """Keep the elements whose text contains a text, upper and lower case and white space apart."""
    wanted = " ".join(text.split()).casefold()
    return kept(found, lambda row: wanted in page.text_content(row).casefold())


def reading(page: Page, found: Rows, text: str) -> Rows:
    """Keep the innermost elements whose whole text is a text."""
    return np.intersect1d(found, by_text(page, text))


def numbered(page: Page, found: Rows, number: str) -> Rows:
    """Keep one of the elements, counted from 0; negative numbers count from the end."""
    at = int(number) if number.lstrip("-").isdigit() else len(found)
    return found[at : at + 1 or None] if at >= -len(found) else found[:0]


def kept(found: Rows, fits: Callable[[int], bool]) -> Rows:
    """Keep the rows that fit."""
    return np.array([row for row in found.tolist() if fits(row)], dtype=np.intp)


PSEUDO_CLASSES: dict[str, Callable[[Page, Rows, str], Rows]] = {
    "contains": containing,
    "has-text": containing,
    "text": reading,
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
    pressed = np.array([*(kind.lower() in ("submit", "button") for kind in kinds.values), False])[kinds.codes]
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
        level = page.attribute("aria-level")
        given = np.array([*(value == asked for value in level.values), False])[level.codes]
        return given | (page.is_tag(f"h{asked}") & (level.codes < 0))
    if state == "include-hidden" or state not in STATES:
        return np.ones(len(page), dtype=np.bool_)
    aria, native = STATES[state]
    column = page.attribute(aria)
    on = np.array([*(value.lower() == "true" for value in column.values), False])[column.codes]
    if native:
        on |= page.attribute(native).codes >= 0
    return on if asked == "true" else ~on


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
