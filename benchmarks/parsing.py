"""Ways to get a table of elements out of the parser, timed on the same pages: `python -m benchmarks.parsing`.

The figures stand in docs/decisions/0002-beating-the-dom-walk.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import turbohtml
from turbohtml.saxparse import SaxHandler, sax_parse

from benchmarks.pages import SB_ADMIN_2, composed, generated, saved
from self_heal_engine.parser import read_page

# The attributes of which a heal looks at every element's value.
ASKED = ("id", "class", "name", "href", "type", "role", "title", "alt", "placeholder", "aria-label", "value", "for")


def parsed(html: str) -> turbohtml.Document:
    """Return the document as the engine parses it."""
    return turbohtml.parse(html, scripting=True, positions=False)


def bare_parse(html: str) -> object:
    """The parse alone."""
    return parsed(html)


def table(html: str) -> object:
    """Ours: nodes listed in C, `map` over getters, nesting by whole-array steps."""
    return read_page(html)


def naive_walk(html: str) -> object:
    """A Python walk that makes a dict per element with tag, parent, depth, attributes and text."""
    rows: list[dict[str, object]] = []
    stack: list[tuple[object, int, int]] = [(parsed(html).root, -1, 0)]
    while stack:
        element, parent, depth = stack.pop()
        texts = [child.data for child in element.children if isinstance(child, turbohtml.Text)]  # type: ignore[attr-defined]
        rows.append(
            {"tag": element.tag, "parent": parent, "depth": depth, "attributes": dict(element.attrs), "text": texts}  # type: ignore[attr-defined]
        )
        inner = [child for child in element.children if isinstance(child, turbohtml.Element)]  # type: ignore[attr-defined]
        stack.extend((child, len(rows) - 1, depth + 1) for child in reversed(inner))
    return rows


class Rows(SaxHandler):
    """Rows built from SAX events: tag, parent, attributes, text."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self.parents: list[int] = []
        self.attributes: list[object] = []
        self.texts: list[tuple[int, str]] = []
        self.open = [-1]

    def start_element(self, tag: str, attrs: tuple[tuple[str, str | None], ...]) -> None:
        """Open a row."""
        self.parents.append(self.open[-1])
        self.open.append(len(self.tags))
        self.tags.append(tag)
        self.attributes.append(attrs)

    def end_element(self, tag: str) -> None:
        """Close a row."""
        self.open.pop()

    def characters(self, data: str) -> None:
        """Keep a text with its row."""
        self.texts.append((self.open[-1], data))


def sax_events(html: str) -> object:
    """SAX events into lists; no elements to run selectors on, and no scripting flag: <noscript> is parsed."""
    rows = Rows()
    sax_parse(html, rows)
    return rows


def sax_and_document(html: str) -> object:
    """SAX events, and a second parse for the document that selectors need, its elements numbered."""
    rows, elements = sax_events(html), parsed(html).select("*")
    return rows, dict(zip(elements, range(len(elements)), strict=True))


def canonical_bytes(html: str) -> object:
    """Canonical XML scanned with numpy: starts, ends and nesting of all elements; tags and attributes still to be cut."""
    document = parsed(html)
    raw = np.frombuffer(document.canonicalize(), dtype=np.uint8)
    opens = np.flatnonzero(raw == ord("<"))
    is_end = raw[opens + 1] == ord("/")
    return opens, np.cumsum(np.where(is_end, -1, 1))


def attributes_by_query(html: str) -> object:
    """Ours, and the columns of twelve attributes, one selector each."""
    page = read_page(html)
    return [page.attribute(name) for name in ASKED]


def attributes_by_copy(html: str) -> object:
    """Ours, and every element's attributes copied into a dict."""
    page = read_page(html)
    return [page.attributes(row) for row in range(len(page))]


WAYS: tuple[Callable[[str], object], ...] = (
    bare_parse,
    table,
    naive_walk,
    sax_events,
    sax_and_document,
    canonical_bytes,
    attributes_by_query,
    attributes_by_copy,
)


def main() -> None:
    """Print the medians as a Markdown table: CPU milliseconds, the ways taking turns."""
    pages = {
        "saved, 1.8k elements": saved("", SB_ADMIN_2, "pages/icons.html").html,
        "generated, 25k": generated(25_000),
        "template pages, 25k": composed(25_000),
    }
    found: dict[tuple[str, str], list[float]] = {}
    for name, html in pages.items():
        for _ in range(9):
            for way in WAYS:
                began = time.process_time()
                way(html)
                found.setdefault((way.__name__, name), []).append(time.process_time() - began)
    print(f"| way | {' | '.join(pages)} |\n{'|---' * (len(pages) + 1)}|")
    for way in WAYS:
        medians = [f"{1e3 * statistics.median(found[way.__name__, name]):.1f}" for name in pages]
        print(f"| {(way.__doc__ or '').split(chr(10))[0]} | {' | '.join(medians)} |")


if __name__ == "__main__":
    main()
