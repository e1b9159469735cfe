"""parse_html(html) -> Page. The only module that knows the HTML parser."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, defaultdict
from itertools import compress
from operator import attrgetter
from threading import Lock
from typing import Any

import numpy as np
import turbohtml
import turbohtml.query

from self_heal_engine.dom import Page, Rows, encode
from self_heal_engine.outline import outline
from self_heal_engine.redaction import FIELDS, is_secret, is_secret_field, without_secrets

# Pages kept parsed, and how many elements they may have together (about 0.6 kB each, measured in benchmarks/).
MOST_PAGES = 16
MOST_ELEMENTS = 200_000

ELEMENT, TEXT, OTHER = 1, 2, 0
NODE_KINDS: dict[type, int] = defaultdict(
    lambda: OTHER, {turbohtml.Element: ELEMENT, turbohtml.Text: TEXT, turbohtml.CData: TEXT}
)


class TurboEngine:
    """The parsed document behind a page: selectors and attributes by row."""

    def __init__(self, document: turbohtml.Document, elements: list[turbohtml.Element]) -> None:
        self._document = document
        self._elements = elements
        self.row_of: dict[Any, int] = dict(zip(elements, range(len(elements)), strict=True))

    def css(self, selector: str) -> Rows:
        """Return the rows that a CSS selector matches; ValueError if it is not one."""
        return self._rows(self._document.select(selector))

    def xpath(self, expression: str) -> Rows:
        """Return the rows that an XPath selects; ValueError if it selects no elements or is not one."""
        found = self._document.xpath(expression)
        if not isinstance(found, list) or any(isinstance(item, str) for item in found):
            raise ValueError(f"the expression {expression!r} does not select elements")
        return self._rows([node for node in found if isinstance(node, turbohtml.Element)])

    def css_alone(self, selector: str, row: int) -> bool:
        """Return whether a CSS selector matches this element and no other."""
        return turbohtml.query.select(selector, self._document, limit=2) == [self._elements[row]]

    def xpath_alone(self, expression: str, row: int) -> bool:
        """Return whether an XPath selects this element and no other."""
        return self._document.xpath(expression) == [self._elements[row]]

    def _rows(self, elements: list[turbohtml.Element]) -> Rows:
        return np.array(sorted({self.row_of[element] for element in elements}), dtype=np.intp)

    def value(self, row: int, name: str) -> str | None:
        """Return one attribute of one element, or None; "" for one without a value."""
        return self._elements[row].attr(name)

    def attributes(self, row: int) -> dict[str, str]:
        """Return the attributes of one element, in the order of the page."""
        element = self._elements[row]
        return {name: element.attr(name) or "" for name in element.attrs}

    def attribute(self, name: str) -> tuple[Rows, list[str]]:
        """Return the rows that have this attribute and its values there."""
        # A selector is two to three times as fast as ``find_all``, but cannot name what has a colon in it.
        plain = name.replace("-", "").isalnum()
        holders = self._document.select(f"[{name}]") if plain else self._document.find_all(attrs={name: True})
        rows = np.fromiter(map(self.row_of.__getitem__, holders), dtype=np.intp, count=len(holders))
        return rows, [holder.attr(name) or "" for holder in holders]

    def attribute_count(self, row: int) -> int:
        """Return how many attributes one element has."""
        return len(self._elements[row].attrs)

    def html(self, row: int) -> str:
        """Return the outer HTML of one element."""
        return self._elements[row].html


def read_page(html: str) -> Page:
    """Parse a page without asking the cache."""
    document = turbohtml.parse(html, scripting=True, positions=False)
    for template in document.select("template"):
        template.clear()  # its content is not part of the tree, but the parser's XPath would look into it
    nodes: list[Any] = list(document.descendants)
    kinds = bytes(map(NODE_KINDS.__getitem__, map(type, nodes)))
    kind = np.frombuffer(kinds, dtype=np.uint8)
    elements = list(compress(nodes, (kind == ELEMENT).tobytes()))
    engine = TurboEngine(document, elements)
    row_of = {**engine.row_of, document: -1}.__getitem__
    above = np.fromiter(map(row_of, map(attrgetter("parent"), nodes)), dtype=np.int32, count=len(nodes))
    tags = encode(map(attrgetter("tag"), elements))
    texts = list(map(attrgetter("data"), compress(nodes, (kind == TEXT).tobytes())))
    return Page(digest(html), engine, tags, outline(above, kind == ELEMENT, kind == TEXT), texts)


def numbered_html(html: str, attribute: str) -> str:
    """Return the page as HTML in which an attribute of each element says its row; well-formed for any other parser.

    >>> numbered_html("<p>a<p>b", "row")
    '<html row="0"><head row="1"></head><body row="2"><p row="3">a</p><p row="4">b</p></body></html>'
    """
    document = turbohtml.parse(html, scripting=True, positions=False)
    for template in document.select("template"):
        template.clear()
    elements = [node for node in document.descendants if isinstance(node, turbohtml.Element)]
    for row, element in enumerate(elements):
        element.attrs[attribute] = str(row)
    return document.html


# Where fields hold what is theirs.
HELD = ("value", "content", "data-value", "data-initial-value")
# Looks; they hold no secret and many equals signs and colons.
LOOKS = frozenset(("class", "style", "d"))


def redacted_html(html: str) -> str:
    """Return the page as HTML without what nobody should keep; the elements stay as and where they are.

    Emptied: comments, scripts, <noscript>, templates, ``srcdoc``; the values of hidden, password and token-like fields;
    attributes that are named like a secret, and what is introduced so inside of others.

    >>> redacted_html('<input type=password value=x><a href="/?token=x&a=b">')
    '<html><head></head><body><input type="password" value=""><a href="/?token=removed&amp;a=b"></a></body></html>'
    """
    document = turbohtml.parse(html, scripting=True, positions=False)
    for element in document.select("template, script, noscript"):
        element.clear()
    unseen = document.xpath("//comment() | //processing-instruction()")
    for node in unseen if isinstance(unseen, list) else ():
        if isinstance(node, turbohtml.Comment):
            node.data = ""
        elif isinstance(node, turbohtml.ProcessingInstruction):
            node.extract()
    for field in document.select(", ".join(FIELDS)):
        if is_secret_field(field.tag, {name: field.attr(name) for name in field.attrs}):
            for name in HELD:
                if name in field.attrs:
                    field.attrs[name] = ""
            if field.tag == "textarea":
                field.clear()
    emptied: dict[str, bool] = dict.fromkeys(LOOKS, False)  # by name: a page has few, and tens of thousands of uses
    for element in document.iter_elements():
        attributes = element.attrs
        for name in attributes:
            if name not in emptied:
                emptied[name] = name == "srcdoc" or is_secret(name)
            if emptied[name]:
                attributes[name] = ""
            elif name not in LOOKS and (value := element.attr(name)) and (kept := without_secrets(value)) != value:
                attributes[name] = kept
    return document.html


def digest(html: str) -> str:
    """Return the sha256 of a page; lone surrogates are kept apart, not refused."""
    return hashlib.sha256(html.encode("utf-8", "surrogatepass")).hexdigest()


class PageCache:
    """The pages parsed last, least recently used first to go; safe to share between threads."""

    def __init__(self, most_pages: int = MOST_PAGES, most_elements: int = MOST_ELEMENTS) -> None:
        self._most_pages, self._most_elements = most_pages, most_elements
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._lock = Lock()

    def get(self, html: str) -> Page:
        """Return the page, parsed now or before."""
        key = digest(html)
        with self._lock:
            if (page := self._pages.get(key)) is not None:
                self._pages.move_to_end(key)
                return page
        page = read_page(html)
        with self._lock:
            self._pages[key] = page
            while len(self._pages) > self._most_pages or (
                len(self._pages) > 1 and sum(map(len, self._pages.values())) > self._most_elements
            ):
                self._pages.popitem(last=False)
        return page

    def clear(self) -> None:
        """Forget every page."""
        with self._lock:
            self._pages.clear()


CACHE = PageCache()


def parse_html(html: str) -> Page:
    """Return the page as a browser with scripts enabled would build it; never raises on any string.

    The same page parsed again comes from a bounded cache.

    >>> page = parse_html("<p>Hello <b>world</b>")
    >>> [page.tag(row) for row in range(len(page))], page.text(3)
    (['html', 'head', 'body', 'p', 'b'], 'Hello world')
    """
    return CACHE.get(html)


def css_identifier(name: str) -> str:
    """Return a name as a CSS identifier, escaped as ``CSS.escape`` does.

    >>> css_identifier("1:a")
    '\\\\31 \\\\:a'
    """
    return turbohtml.query.escape_identifier(name)
