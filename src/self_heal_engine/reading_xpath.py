"""xpath_clues(expression): what an XPath says of the element it is meant to find. The one door of elementpath."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from self_heal_engine.locators import Clues, Step

if TYPE_CHECKING:
    from elementpath import XPathToken

# ``concat(' ', normalize-space(@class), ' ')`` is how XPath 1.0 asks for one class: the spaces are not part of it.
CLASS_IDIOM = re.compile(r"^\s*([\w-]+)\s*$")


@dataclass
class Found:
    """What one step of a path says of its element."""

    tag: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    index: int | None = None
    axis: str = "child"

    def step(self, rooted: bool) -> Step:
        """Return the step as an ancestor on the way to the wanted element."""
        index = self.index or (1 if rooted else None)
        return Step(self.tag, self.attributes.get("id"), tuple(self.classes), index)


class XPathSyntax(ValueError):
    """The expression is no XPath; ``position`` is where reading stopped, counted from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def parse(expression: str) -> XPathToken:
    """Return the expression as a tree of tokens, or raise XPathSyntax."""
    from elementpath import ElementPathError, XPath2Parser  # 0.25 s, and most locators are no XPath

    try:
        return XPath2Parser().parse(expression)
    except ElementPathError as error:
        span = error.token.span if error.token is not None else (len(expression), 0)
        raise XPathSyntax(error.message, min(span[0], len(expression))) from error
    except RecursionError as error:
        raise XPathSyntax("it nests too deeply", 0) from error
    except (ArithmeticError, ValueError) as error:  # a literal beyond what elementpath's numbers hold
        raise XPathSyntax(str(error), 0) from error


def xpath_clues(expression: str) -> Clues:
    """Return what the expression says of its element; XPathSyntax if it is none."""
    steps, rooted = path_steps(parse(expression))
    if not steps:
        return Clues()
    wanted, above, near = steps[-1], list[Found](), list[str]()
    for step, following in pairwise(steps):
        # Only what lies on the way down is an ancestor; an element beside or below tells by its text where to look.
        if following.axis in ("child", "descendant") and step.axis != "parent":
            above.append(step)
        near += [step.text] if step.text else []
        if following.axis in ("ancestor", "parent"):
            above.clear()
    rooted = rooted and len(above) == len(steps) - 1 and all(step.axis == "child" for step in steps)
    exact = wanted.text is not None
    return Clues(
        tag=wanted.tag,
        attributes=wanted.attributes,
        classes=tuple(wanted.classes),
        parts={name: part for name, part in wanted.parts.items() if name != "text"},
        text=wanted.text if exact else wanted.parts.get("text"),
        text_exact=exact,
        path=tuple(step.step(rooted) for step in above),
        rooted=rooted,
        index=wanted.index or (1 if rooted else None),
        near=tuple(near),
    )


def path_steps(token: XPathToken) -> tuple[list[Found], bool]:
    """Return the steps of a path, first to last, and whether it starts at the root."""
    steps: list[Found] = []
    axis = "child"
    while True:
        number = None
        while token.symbol in ("(", "[") and len(token):  # (//a)[3]: a number in all the document, not among siblings
            if token.symbol == "[" and token[0].symbol not in ("(", "/", "//", "["):
                break
            number, token = token, token[0]
        if token.symbol not in ("/", "//"):
            steps.append(read_step(number if number is not None and number.symbol == "[" else token, axis))
            return steps[::-1], False
        if len(token) == 1:
            found = read_step(token[0], "child" if token.symbol == "/" else "descendant")
            steps.append(found)
            return steps[::-1], token.symbol == "/"
        if len(token) != 2:
            return steps[::-1], False
        steps.append(read_step(token[1], "child" if token.symbol == "/" else "descendant"))
        token = token[0]


def read_step(token: XPathToken, axis: str) -> Found:
    """Return what one step says: its axis, node test and predicates."""
    found = Found(axis=axis)
    while token.symbol == "[" and len(token) == 2:
        read_predicate(token[1], found)
        token = token[0]
    if token.symbol in AXES and len(token) == 1:
        found.axis = AXES[token.symbol]
        token = token[0]
    if token.symbol == "..":
        found.axis = "parent"
    elif token.symbol == "(name)":
        found.tag = str(token.value).lower()
    elif token.symbol == "id" and len(token) and token[0].symbol == "(string)":
        found.attributes["id"] = str(token[0].value)
    return found


AXES = {
    "child": "child",
    "descendant": "descendant",
    "descendant-or-self": "descendant",
    "following-sibling": "beside",
    "preceding-sibling": "beside",
    "following": "beside",
    "preceding": "beside",
    "ancestor": "ancestor",
    "ancestor-or-self": "ancestor",
    "parent": "parent",
    "self": "child",
}


def read_predicate(token: XPathToken, found: Found) -> None:
    """Add what one predicate says; of an "or" the first part."""
    if token.symbol == "and":
        for part in token:
            read_predicate(part, found)
    elif token.symbol in ("or", "(") and len(token):
        read_predicate(token[0], found)
    elif token.symbol == "(integer)":
        found.index = int(str(token.value))
    elif token.symbol in ("=", "contains", "starts-with", "ends-with") and len(token) == 2:
        compare(token.symbol, token[0], token[1], found)


def compare(how: str, left: XPathToken, right: XPathToken, found: Found) -> None:
    """Add what a comparison of an attribute, the text or the position with a constant says."""
    if left.symbol == "(string)":
        left, right = right, left
    if left.symbol == "position" and right.symbol == "(integer)":
        found.index = int(str(right.value))
    if right.symbol != "(string)" or not str(right.value).strip():
        return
    what, value = subject(left), str(right.value)
    if what == "tag":
        found.tag = value
    elif what == "class":
        found.classes += value.split() if how == "=" or CLASS_IDIOM.match(value) else []
    elif what == "text" and how == "=":
        found.text = " ".join(value.split())
    elif what and how == "=":
        found.attributes[what] = value
    elif what:
        found.parts[what] = value


def subject(token: XPathToken) -> str | None:
    """Return what a comparison is about: an attribute's name, "text", "tag" (``local-name()``), or None."""
    if token.symbol == "@" and len(token) and token[0].symbol == "(name)":
        return str(token[0].value)
    if token.symbol in ("text", "."):
        return "text"
    if token.symbol in ("local-name", "name") and not len(token):
        return "tag"
    if token.symbol in ("normalize-space", "string", "translate", "lower-case", "concat"):
        inner = [subject(part) for part in token]
        return next((what for what in inner if what), "text" if not inner else None)
    return None
