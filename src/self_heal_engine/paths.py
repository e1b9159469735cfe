"""The paths to an element that Similo compares."""

from __future__ import annotations

from self_heal_engine.dom import Page, per_page


def indexed_path(page: Page, row: int) -> str:
    """Return the absolute XPath with a number in every step.

    >>> from self_heal_engine.parser import parse_html
    >>> indexed_path(parse_html("<p>a<p>b"), 4)
    '/html[1]/body[1]/p[2]'
    """
    return _path(page, row, _indexed(page), always=True)


def short_path(page: Page, row: int) -> str:
    """Return the absolute XPath as Chromium writes it: a number only where siblings share the tag."""
    return _path(page, row, _short(page), always=False)


def id_path(page: Page, row: int) -> str:
    """Return the XPath from the nearest ancestor with an id, numbers in every step; from the root without one."""
    ids, steps = page.attribute("id"), list[str]()
    for at in (row, *page.ancestors(row)):
        if at != row and ids[at]:
            return f"//*[@id='{ids[at]}']" + "".join(reversed(steps))
        steps.append(f"/{page.tag(at)}[{page.position(at)[0]}]")
    return "".join(reversed(steps))


def _path(page: Page, row: int, known: dict[int, str], always: bool) -> str:
    pending = []
    for at in (row, *page.ancestors(row)):
        if at in known:
            break
        pending.append(at)
    for at in reversed(pending):
        which, many = page.position(at)
        number = f"[{which}]" if always or many > 1 else ""
        known[at] = known.get(int(page.parents[at]), "") + f"/{page.tag(at)}{number}"
    return known[row]


@per_page
def _indexed(page: Page) -> dict[int, str]:
    """The indexed paths computed so far."""
    return {}


@per_page
def _short(page: Page) -> dict[int, str]:
    """The short paths computed so far."""
    return {}
