"""The paths to an element that Similo compares."""

from __future__ import annotations

from collections.abc import Callable

from self_heal_engine.dom import Page, per_page


def indexed_path(page: Page, row: int) -> str:
    """Return the absolute XPath with a number in every step.

    >>> from self_heal_engine.parser import parse_html
    >>> indexed_path(parse_html("<p>a<p>b"), 4)
    '/html[1]/body[1]/p[2]'
    """
    return _path(page, row, _indexed_paths(page), _numbered)


def short_path(page: Page, row: int) -> str:
    """Return the absolute XPath as Chromium writes it: a number only where siblings share the tag."""
    return _path(page, row, _short_paths(page), _numbered_if_needed)


def id_path(page: Page, row: int) -> str:
    """Return the XPath from the nearest ancestor with an id, numbers in every step; from the root without one."""
    above = int(page.parents[row])
    return ("" if above < 0 else _path(page, above, _id_paths(page), _id_or_numbered)) + _numbered(page, row)


def _numbered(page: Page, row: int) -> str:
    return f"/{page.tag(row)}[{page.position(row)[0]}]"


def _numbered_if_needed(page: Page, row: int) -> str:
    which, many = page.position(row)
    return f"/{page.tag(row)}[{which}]" if many > 1 else f"/{page.tag(row)}"


def _id_or_numbered(page: Page, row: int) -> str:
    value = page.value(row, "id")
    return f"//*[@id='{value}']" if value else _numbered(page, row)


def _path(page: Page, row: int, known: dict[int, str], step: Callable[[Page, int], str]) -> str:
    """Return the steps down to an element, from what is known of its ancestors; a step with ``//`` starts anew."""
    pending = []
    for at in (row, *page.ancestors(row)):
        if at in known:
            break
        pending.append(at)
    for at in reversed(pending):
        own = step(page, at)
        known[at] = own if own.startswith("//") else known.get(int(page.parents[at]), "") + own
    return known[row]


@per_page
def _indexed_paths(page: Page) -> dict[int, str]:
    """The indexed paths computed so far."""
    return {}


@per_page
def _short_paths(page: Page) -> dict[int, str]:
    """The short paths computed so far."""
    return {}


@per_page
def _id_paths(page: Page) -> dict[int, str]:
    """The paths from the nearest id, the element's own among them, computed so far."""
    return {}
