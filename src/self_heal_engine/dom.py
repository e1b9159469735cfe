"""Page: an HTML page as a table, one row an element and one column a fact, in document order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from operator import methodcaller
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.outline import Flags, Ints, Outline, Rows

__all__ = ["Column", "Flags", "Ints", "Page", "Rows", "encode", "gather", "per_page"]

Fact = TypeVar("Fact")

# Text past this many characters tells no element from another; cutting it keeps the texts of nested
# containers linear in the size of the page.
MOST_TEXT = 400

# Elements whose content is never shown, and so is neither text of the page nor a place to look.
NEVER_SHOWN = frozenset(
    "head script style template noscript noembed noframes iframe title meta link base param source track".split()
)

# Elements that the default style sheet of HTML lays out as blocks: a reader sees a break before and after. A button
# is laid out in the line, but as a box of its own: a reader does not run two of them together.
# https://html.spec.whatwg.org/multipage/rendering.html#flow-content-3
BLOCKS = frozenset(
    "address article aside blockquote body br button center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup option p "
    "plaintext pre search section summary table tbody td tfoot th thead tr ul xmp".split()
)


@dataclass(frozen=True)
class Column:
    """One fact of every element, dictionary-encoded: ``codes[row]`` points into ``values``; -1 is "absent"."""

    codes: Ints
    values: list[str]

    def __getitem__(self, row: int) -> str | None:
        code = self.codes[row]
        return None if code < 0 else self.values[int(code)]

    def rows_with(self, value: str) -> Rows:
        """Return the rows that have exactly this value."""
        return np.flatnonzero(self.codes == self.code_of.get(value, -2))

    @cached_property
    def code_of(self) -> dict[str, int]:
        """The code of each value."""
        return {value: code for code, value in enumerate(self.values)}

    def counts(self) -> NDArray[np.intp]:
        """Return how many rows have each of ``values``."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))


def encode(values: Iterable[str | None]) -> Column:
    """Return the values as a column, in order.

    >>> encode(["a", None, "b", "a"]).codes.tolist()
    [0, -1, 1, 0]
    """
    known: defaultdict[str | None, int] = defaultdict(count(-1).__next__)
    known[None]  # the first number, -1, is for what is absent
    codes = np.fromiter(map(known.__getitem__, values), dtype=np.int32)
    return Column(codes, [value for value in known if value is not None])


class Engine(Protocol):
    """What a page asks of the HTML parser after parsing; rows are row numbers of the page."""

    def css(self, selector: str) -> Rows:
        """Return the rows that a CSS selector matches; ValueError if it is not one."""

    def xpath(self, expression: str) -> Rows:
        """Return the rows that an XPath selects; ValueError if it selects no elements or is not one."""

    def css_alone(self, selector: str, row: int) -> bool:
        """Return whether a CSS selector matches this element and no other."""

    def xpath_alone(self, expression: str, row: int) -> bool:
        """Return whether an XPath selects this element and no other."""

    def value(self, row: int, name: str) -> str | None:
        """Return one attribute of one element, or None."""

    def attributes(self, row: int) -> dict[str, str]:
        """Return the attributes of one element, in the order of the page."""

    def attribute(self, name: str) -> tuple[Rows, list[str]]:
        """Return the rows that have this attribute and its values there."""

    def attribute_count(self, row: int) -> int:
        """Return how many attributes one element has."""

    def html(self, row: int) -> str:
        """Return the outer HTML of one element."""


class Page:
    """The elements of a page in document order. A row number is the only "element object".

    ``tags``, ``parents`` (-1 above the root), ``depths``, ``ends`` (one past the last descendant), then the facts
    that are computed when first asked for. Made by :func:`self_heal_engine.parser.parse_html`.
    """

    def __init__(self, sha256: str, engine: Engine, tags: Column, outline: Outline, text_nodes: list[str]) -> None:
        self.sha256 = sha256
        self.engine = engine
        self.tags = tags
        self.parents, self.depths, self.ends = outline.parents, outline.depths, outline.ends
        self._parent_list: list[int] = outline.parents.tolist()
        self._end_list: list[int] = outline.ends.tolist()
        self._text_nodes = text_nodes
        self._text_owners = outline.text_owners
        self.first_texts, self.last_texts = outline.first_texts, outline.last_texts
        self.rectangles: list[tuple[float, float, float, float]] | None = None  # x, y, width, height of every row
        self.unseen: Flags | None = None  # which elements the browser did not show, if the caller looked
        self._facts: dict[object, Any] = {}
        self._attributes: dict[str, Column] = {}
        self._child_lists: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self._parent_list)

    def __repr__(self) -> str:
        return f"<Page of {len(self)} elements, sha256 {self.sha256[:12]}>"

    # -- relatives ---------------------------------------------------------------------------------------------

    def ancestors(self, row: int) -> Iterator[int]:
        """Yield the rows above, nearest first."""
        while (row := self._parent_list[row]) >= 0:
            yield row

    def children(self, row: int) -> list[int]:
        """Return the child elements, in order."""
        if row not in self._child_lists:
            found, child, end = [], row + 1, self._end_list[row]
            while child < end:
                found.append(child)
                child = self._end_list[child]
            self._child_lists[row] = found
        return self._child_lists[row]

    def siblings(self, row: int) -> list[int]:
        """Return the children of the element's parent, itself among them."""
        above = self._parent_list[row]
        return self.children(above) if above >= 0 else [row]

    def position(self, row: int) -> tuple[int, int]:
        """Return (which, of how many) the element is among the siblings of its tag; the first is 1."""
        which, many = self._positions
        return which[row], many[row]

    def child_at(self, row: int, tag: str, which: int) -> int | None:
        """Return the child that is number ``which`` of a tag, the first being 1, or None."""
        code, (numbers, _) = self.tags.code_of.get(tag, -2), self._positions
        codes = self._tag_list
        return next((child for child in self.children(row) if codes[child] == code and numbers[child] == which), None)

    @cached_property
    def _tag_list(self) -> list[int]:
        return self.tags.codes.tolist()

    @cached_property
    def _positions(self) -> tuple[list[int], list[int]]:
        """The number of each element among the siblings of its tag, and how many those are."""
        groups = self.parents.astype(np.int64) * len(self.tags.values) + self.tags.codes
        order = np.argsort(groups, kind="stable")
        _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
        which, many = np.empty(len(self), dtype=np.intp), np.empty(len(self), dtype=np.intp)
        which[order] = np.arange(1, len(self) + 1) - np.repeat(starts, sizes)
        many[order] = np.repeat(sizes, sizes)
        return which.tolist(), many.tolist()

    def rectangle(self, row: int) -> tuple[float, float, float, float] | None:
        """Return where the element stood on the screen, if the caller measured it."""
        return self.rectangles[row] if self.rectangles else None

    def covers(self, above: int, row: int) -> bool:
        """Return whether ``above`` is the element itself or one of its ancestors."""
        return above <= row < int(self.ends[above])

    def within(self, marked: Flags) -> Flags:
        """Return which elements are marked or lie below a marked one."""
        edges = np.zeros(len(self) + 1, dtype=np.int32)
        np.add.at(edges, np.flatnonzero(marked), 1)
        np.subtract.at(edges, self.ends[marked], 1)
        return np.cumsum(edges[:-1]) > 0

    # -- attributes --------------------------------------------------------------------------------------------

    def attribute(self, name: str) -> Column:
        """Return one attribute of every element."""
        if name not in self._attributes:
            rows, values = self.engine.attribute(name)
            found = encode(values)
            codes = np.full(len(self), -1, dtype=np.int32)
            codes[rows] = found.codes
            self._attributes[name] = Column(codes, found.values)
        return self._attributes[name]

    def value(self, row: int, name: str) -> str | None:
        """Return one attribute of one element, or None; for a few elements cheaper than the whole column."""
        if name in self._attributes:
            return self._attributes[name][row]
        return self.engine.value(row, name)

    def attributes(self, row: int) -> dict[str, str]:
        """Return the attributes of one element, in the order of the page."""
        return self.engine.attributes(row)

    def attribute_count(self, row: int) -> int:
        """Return how many attributes one element has."""
        return self.engine.attribute_count(row)

    def tag(self, row: int) -> str:
        """Return the tag of one element."""
        return self.tags.values[self._tag_list[row]]

    # -- text --------------------------------------------------------------------------------------------------

    @cached_property
    def _shown_texts(self) -> list[str]:
        """The text nodes, blank where the element around them shows none."""
        return self._texts_outside(NEVER_SHOWN)

    def _texts_outside(self, silent_tags: frozenset[str]) -> list[str]:
        texts = list(self._text_nodes)
        for silent in np.flatnonzero(self.is_tag(*silent_tags)[self._text_owners]).tolist():
            texts[silent] = ""
        return texts

    @cached_property
    def _pieces(self) -> list[str]:
        """The text nodes, white space collapsed; a space before each that does not run on from the text before it."""
        breaks = np.zeros(len(self._text_nodes) + 1, dtype=np.bool_)
        blocks = self.is_tag(*BLOCKS)
        breaks[self.first_texts[blocks]] = True
        breaks[self.last_texts[blocks]] = True
        pieces, space = list[str](), False
        for text, broken in zip(self._shown_texts, breaks.tolist(), strict=False):
            words = text.split()
            if not words:
                space = space or broken or bool(text)
                pieces.append("")
                continue
            pieces.append((" " if space or broken or text[0].isspace() else "") + " ".join(words))
            space = text[-1].isspace()
        return pieces

    @cached_property
    def _running_text(self) -> tuple[str, NDArray[np.intp]]:
        """All text, white space collapsed, a space where a block begins or ends; and where each text node starts."""
        pieces = self._pieces
        starts = np.zeros(len(pieces) + 1, dtype=np.intp)
        np.cumsum(np.fromiter(map(len, pieces), dtype=np.intp, count=len(pieces)), out=starts[1:])
        return "".join(pieces), starts

    @cached_property
    def texts(self) -> Column:
        """The text a reader sees in each element and below it, white space collapsed, cut at ``MOST_TEXT``."""
        text, starts = self._running_text
        begins, stops = starts[self.first_texts], starts[self.last_texts]
        empty = begins == stops
        begins[empty] = stops[empty] = 0  # one span for all that have no text
        spans, which = np.unique(begins * (len(text) + 1) + stops, return_inverse=True)
        begins, stops = np.divmod(spans, len(text) + 1)
        ends = np.minimum(stops, begins + MOST_TEXT).tolist()
        found = encode([text[begin:end].strip() for begin, end in zip(begins.tolist(), ends, strict=True)])
        return Column(found.codes[which], found.values)

    @cached_property
    def own_texts(self) -> Column:
        """The text directly inside each element, without its descendants', white space collapsed."""
        own = [""] * len(self)
        for text, owner in zip(self._shown_texts, self._text_owners.tolist(), strict=True):
            if text and len(own[owner]) < MOST_TEXT:
                own[owner] += text[:MOST_TEXT]
        return encode([" ".join(text.split()) if text else text for text in own])

    def text(self, row: int) -> str:
        """Return the text a reader sees in one element, white space collapsed, cut at ``MOST_TEXT``."""
        return self.texts.values[int(self.texts.codes[row])]

    def leading_text(self, row: int) -> str:
        """Return the text directly inside an element before its first child, white space at the ends removed."""
        first = next(self.child_nodes(row), "")
        return first.strip()[:MOST_TEXT] if isinstance(first, str) else ""

    def text_near(self, row: int, reach: int) -> str:
        """Return the text around one element in reading order, its own in the middle."""
        return "".join(self.text_about(row, reach)).strip()

    def text_about(self, row: int, reach: int) -> tuple[str, str, str]:
        """Return the text before one element, its own and the text after it, so many characters before and after."""
        text, starts = self._running_text
        begin, stop = int(starts[self.first_texts[row]]), int(starts[self.last_texts[row]])
        end = min(stop, begin + MOST_TEXT)
        return text[max(begin - reach, 0) : begin], text[begin:end], text[end : end + reach]

    def text_content(self, row: int) -> str:
        """Return the DOM's textContent of one element without scripts and styles, white space collapsed.

        Unlike ``text`` it has no space where a block begins, and has the titles of drawings.
        """
        return " ".join("".join(self._dom_texts[int(self.first_texts[row]) : int(self.last_texts[row])]).split())

    @cached_property
    def _dom_texts(self) -> list[str]:
        """The text nodes, blank in scripts and styles."""
        return self._texts_outside(frozenset(("script", "style", "noscript")))

    def child_nodes(self, row: int) -> Iterator[int | str]:
        """Yield what stands directly inside an element, in order: child elements as rows, text as strings."""
        at = int(self.first_texts[row])
        for child in self.children(row):
            yield from self._text_nodes[at : int(self.first_texts[child])]
            yield child
            at = int(self.last_texts[child])
        yield from self._text_nodes[at : int(self.last_texts[row])]

    @cached_property
    def solid_lengths(self) -> NDArray[np.intp]:
        """How many characters other than white space the textContent of each element has."""
        pieces = self._pieces
        lengths = np.fromiter(map(len, pieces), dtype=np.intp, count=len(pieces))
        lengths -= np.fromiter(map(methodcaller("count", " "), pieces), dtype=np.intp, count=len(pieces))
        unseen_tags = self.is_tag(*NEVER_SHOWN - {"script", "style", "noscript"})
        for unseen in np.flatnonzero(unseen_tags[self._text_owners]).tolist():  # in the DOM, but never shown
            lengths[unseen] = len("".join(self._dom_texts[unseen].split()))
        solid = np.zeros(len(pieces) + 1, dtype=np.intp)
        np.cumsum(lengths, out=solid[1:])
        return solid[self.last_texts] - solid[self.first_texts]

    # -- visibility --------------------------------------------------------------------------------------------

    @cached_property
    def hidden(self) -> Flags:
        """Which elements the markup itself hides: ``hidden``, ``aria-hidden``, ``type=hidden``, inline style, head."""
        hidden = self.within(self._marked("aria-hidden", lambda value: value.lower() == "true")) | self.undisplayed
        return hidden if self.unseen is None else hidden | self.unseen

    @cached_property
    def undisplayed(self) -> Flags:
        """Which elements the markup keeps from being displayed (``aria-hidden`` ones are displayed)."""
        never = np.array([tag in NEVER_SHOWN for tag in self.tags.values])[self.tags.codes]
        marked = never | self._marked("hidden", lambda value: True)
        marked |= self._marked("type", lambda value: value.lower() == "hidden") & self.is_tag("input")
        marked |= self._marked("style", hides) | self._folded() | self.is_tag("datalist", "area")
        return self.within(marked)

    def _folded(self) -> Flags:
        """Which elements stand in a closed <details>, its summary apart."""
        closed = self.is_tag("details") & (self.attribute("open").codes < 0)
        return (self.parents >= 0) & closed[self.parents] & ~self.is_tag("summary")

    def _marked(self, attribute: str, says_so: Callable[[str], bool]) -> Flags:
        column = self.attribute(attribute)
        return np.array([*map(says_so, column.values), False])[column.codes]

    def is_tag(self, *tags: str) -> Flags:
        """Return which elements have one of the tags."""
        return np.array([tag in tags for tag in self.tags.values])[self.tags.codes]

    # -- selectors ---------------------------------------------------------------------------------------------

    def css(self, selector: str) -> Rows:
        """Return the rows that a CSS selector matches; ValueError if the engine cannot read it."""
        return self.engine.css(selector)

    def xpath(self, expression: str) -> Rows:
        """Return the rows that an XPath selects; ValueError if the engine cannot read it."""
        return self.engine.xpath(expression)

    def html(self, row: int) -> str:
        """Return the outer HTML of one element."""
        return self.engine.html(row)


def hides(style: str) -> bool:
    """Return whether an inline style keeps its element from being seen.

    >>> hides("color: red; DISPLAY : none !important"), hides("display: none-of-it")
    (True, False)
    """
    for declaration in style.lower().split(";"):
        name, _, value = declaration.partition(":")
        shown = value.replace("!important", "").strip()
        if (name.strip(), shown) in {("display", "none"), ("visibility", "hidden"), ("visibility", "collapse")}:
            return True
    return False


def per_page(compute: Callable[[Page], Fact]) -> Callable[[Page], Fact]:
    """Make a function of a page compute once and keep its answer with the page."""

    def remembered(page: Page) -> Fact:
        if compute not in page._facts:
            page._facts[compute] = compute(page)
        answer: Fact = page._facts[compute]
        return answer

    remembered.__doc__, remembered.__name__ = compute.__doc__, compute.__name__
    return remembered


def gather(column: Column, rows: Sequence[int] | Rows) -> list[str | None]:
    """Return the values of a column at some rows."""
    values: list[str | None] = [*column.values, None]
    return [values[code] for code in column.codes[rows].tolist()]
