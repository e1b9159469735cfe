"""css_clues(selector): what a CSS selector says of the element it is meant to find. The one door of cssselect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cssselect.parser import (
    Attrib,
    Class,
    CombinedSelector,
    Element,
    Function,
    Hash,
    Matching,
    Pseudo,
    SelectorError,
    SpecificityAdjustment,
    Tree,
    parse,
)

from self_heal_engine.locators import Clues, Step

# jQuery's and Playwright's pseudo-classes that no standard engine knows; matching.py gives them their meaning.
TEXT_PSEUDOS = ("contains", "has-text", "text", "text-is")
INDEX_PSEUDOS = ("eq", "nth")
FLAG_PSEUDOS = ("visible", "hidden", "first", "last")

# Playwright's chain, outside quotes and brackets.
CHAIN = re.compile(r"""\s*>>\s*(?=(?:[^"'\[\]]|"[^"]*"|'[^']*'|\[[^\]]*\])*$)""")


@dataclass
class Compound:
    """What the simple selectors of one element say."""

    tag: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    index: int | None = None


class CssSyntax(ValueError):
    """cssselect cannot read the selector; ``position`` is where it stopped, counted from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def first_group(selector: str) -> Tree:
    """Return the first selector of a comma list, parsed, or raise CssSyntax."""
    try:
        return parse(plain_css(selector))[0].parsed_tree
    except SelectorError as error:
        place = re.search(r"at (\d+)>?$", str(error))
        raise CssSyntax(str(error), int(place[1]) if place else 0) from error
    except RecursionError as error:
        raise CssSyntax("it nests too deeply", 0) from error


def plain_css(selector: str) -> str:
    """Return Playwright's ``a >> b`` as ``a b``, with its ``text=``, ``nth=`` and ``visible=`` as pseudo-classes."""
    if ">>" not in selector:
        return selector
    written = ""
    for part in CHAIN.split(selector.strip()):
        engine, _, body = part.partition("=")
        if engine == "nth":
            written += f":nth({body})"
        elif engine == "visible":
            written += ":visible"
        elif engine == "text":
            written += f' :has-text("{body.strip(chr(34))}")'
        else:
            written += " " + part.removeprefix("css=")
    return written.strip()


def css_clues(selector: str) -> Clues:
    """Return what the selector says, or raise CssSyntax."""
    tree = first_group(selector)
    compounds, direct = list(down(tree)), all_children(tree)
    wanted, above = compounds[-1], compounds[:-1]
    text = wanted.parts.pop("text", None)
    rooted = direct and bool(above) and above[0].tag == "html"
    return Clues(
        tag=wanted.tag,
        attributes=wanted.attributes,
        classes=tuple(wanted.classes),
        parts=wanted.parts,
        text=text,
        path=tuple(
            Step(step.tag, step.attributes.get("id"), tuple(step.classes), step.index or (1 if rooted else None))
            for step in above
        ),
        rooted=rooted,
        index=wanted.index,
    )


def down(tree: Tree) -> Iterator[Compound]:
    """Yield the elements on the way down to the one that is found; those beside it are left out."""
    chain = []
    while isinstance(tree, CombinedSelector):
        chain.append((tree.combinator, tree.subselector))
        tree = tree.selector
    ways = [compound(tree)]
    for combinator, inner in reversed(chain):
        if combinator in ("+", "~"):
            ways.pop()
        ways.append(compound(inner))
    yield from ways


def all_children(tree: Tree) -> bool:
    """Return whether every combinator is ``>``."""
    while isinstance(tree, CombinedSelector):
        if tree.combinator != ">":
            return False
        tree = tree.selector
    return True


def compound(tree: Tree) -> Compound:
    """Return what the simple selectors of one element say."""
    found = Compound()
    while not isinstance(tree, Element):
        if isinstance(tree, CombinedSelector):  # inside :is(a b): the last element is the one that counts
            tree = tree.subselector
            continue
        note(tree, found)
        if isinstance(tree, Matching | SpecificityAdjustment):
            alternatives = list(tree.selector_list)
            inner = compound(alternatives[0]) if len(alternatives) == 1 else Compound()
            found.tag = found.tag or inner.tag
            found.classes += inner.classes
            found.attributes |= inner.attributes
        tree = tree.selector
    if tree.element:
        found.tag = tree.element.lower()
    return found


def note(tree: Tree, found: Compound) -> None:
    """Add what one simple selector says."""
    if isinstance(tree, Hash):
        found.attributes["id"] = tree.id
    elif isinstance(tree, Class):
        found.classes.insert(0, tree.class_name)
    elif isinstance(tree, Attrib):
        note_attribute(tree, found)
    elif isinstance(tree, Function):
        note_function(tree, found)
    elif isinstance(tree, Pseudo) and tree.ident in ("first-child", "first-of-type"):
        found.index = 1


def note_attribute(tree: Attrib, found: Compound) -> None:
    """Add what ``[name=value]`` says: the whole value, or a part of it."""
    value = tree.value.value if tree.value is not None else None
    if not value:
        return
    if tree.operator == "=" and tree.attrib != "class":
        found.attributes[tree.attrib] = value
    elif tree.attrib == "class" and tree.operator in ("=", "~="):
        found.classes += value.split()
    elif tree.operator in ("^=", "$=", "*=", "~=", "|="):
        found.parts[tree.attrib] = value


def note_function(tree: Function, found: Compound) -> None:
    """Add what a pseudo-class with arguments says: the text inside, or the number among the siblings."""
    words = [token.value for token in tree.arguments if token.type in ("STRING", "IDENT", "NUMBER", "S")]
    said = "".join(word or " " for word in words).strip()
    if tree.name in TEXT_PSEUDOS and said:
        found.parts["text"] = said
    elif tree.name == "nth-of-type" and said.isdigit():
        found.index = int(said)
