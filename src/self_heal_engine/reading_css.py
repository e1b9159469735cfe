"""css_clues(selector): what a CSS selector says of the element it is meant to find. The one door of cssselect."""

from __future__ import annotations

import re
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

# One character of a selector, or what hides the characters in it.
TOKEN = re.compile(r"""\"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\\.|>>|\s++|.""", re.DOTALL)


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


def split(selector: str, separators: frozenset[str]) -> list[tuple[str, str]]:
    """Return the pieces of a selector, each with the separator before it; quotes and brackets hide separators.

    >>> split('a:has(b, c), [x=","]', frozenset(","))
    [('', 'a:has(b, c)'), (',', ' [x=","]')]
    """
    pieces, depth = [("", "")], 0
    for token in TOKEN.findall(selector):
        depth += (token in ("(", "[")) - (token in (")", "]"))
        if depth == 0 and token in separators:
            pieces.append((token, ""))
        else:
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + token)
    return pieces


def chain(selector: str) -> list[str]:
    """Return the parts of Playwright's ``a >> b``."""
    return [part.strip() for _, part in split(selector, frozenset((">>",)))]


def groups(selector: str) -> list[str]:
    """Return the selectors of a comma list."""
    return [group.strip() for _, group in split(selector, frozenset(","))]


def steps(group: str) -> list[tuple[str, str]]:
    """Return the compound selectors of one selector, each with the combinator before it.

    >>> steps("tr:has-text('a b') > td  a")
    [(' ', "tr:has-text('a b')"), ('>', 'td'), (' ', 'a')]
    """
    found: list[tuple[str, str]] = []
    combinator, depth = " ", 0
    start = True
    for token in TOKEN.findall(group):
        depth += (token in ("(", "[")) - (token in (")", "]"))
        if depth == 0 and (token in (">", "+", "~") or token.isspace()):
            combinator, start = (combinator if token.isspace() else token), True
        elif start:
            found.append((combinator, token))
            combinator, start = " ", False
        else:
            found[-1] = (found[-1][0], found[-1][1] + token)
    return found


def plain_css(selector: str) -> str:
    """Return Playwright's ``a >> b`` as ``a b``, with its ``text=``, ``nth=`` and ``visible=`` as pseudo-classes."""
    if ">>" not in selector:
        return selector
    written = ""
    for part in chain(selector):
        engine, _, body = part.partition("=")
        if engine == "nth":
            written += f":nth({body})"
        elif engine == "visible":
            written += ":visible"
        elif engine == "text":
            written += f' :text("{body.strip(chr(34))}")'
        else:
            written += " " + part.removeprefix("css=")
    return written.strip()


def css_clues(selector: str) -> Clues:
    """Return what the selector says, or raise CssSyntax."""
    tree = first_group(selector)
    compounds, beside = down(tree)
    wanted, above = compounds[-1], compounds[:-1]
    text = wanted.parts.pop("text", None)
    rooted = all_children(tree) and bool(above) and above[0].tag == "html"
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
        near=tuple(step.parts["text"] for step in (*above, *beside) if "text" in step.parts),
    )


def down(tree: Tree) -> tuple[list[Compound], list[Compound]]:
    """Return the elements on the way down to the one that is found, and those that only stand beside it."""
    links = []
    while isinstance(tree, CombinedSelector):
        links.append((tree.combinator, tree.subselector))
        tree = tree.selector
    ways, beside = [compound(tree)], list[Compound]()
    for combinator, inner in reversed(links):
        if combinator in ("+", "~"):
            beside.append(ways.pop())
        ways.append(compound(inner))
    return ways, beside


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
