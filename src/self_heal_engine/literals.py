"""literals_in(source): the string literals of Python, Java, JavaScript and TypeScript, as a real parser finds them."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Parser
from tree_sitter import Node as Node  # for those who look around a literal

LANGUAGES = {
    ".py": "python", ".java": "java", ".js": "javascript", ".jsx": "javascript", ".mjs": "javascript",
    ".cjs": "javascript", ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
}  # fmt: skip
GRAMMARS = {
    "python": tree_sitter_python.language,
    "java": tree_sitter_java.language,
    "javascript": tree_sitter_javascript.language,
    "typescript": tree_sitter_typescript.language_typescript,
    "tsx": tree_sitter_typescript.language_tsx,
}

STRINGS = ("string", "string_literal", "template_string")

# What may stand around an expression and changes nothing of it.
WRAPPERS = ("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression")


@dataclass(frozen=True, slots=True)
class Literal:
    """A string in a source; ``value`` is None where it is put together, of ``pieces``, None being an unknown one."""

    node: Node
    start: int  # in bytes of the file
    end: int
    line: int
    opening: str  # with what stands before the quote
    closing: str
    value: str | None
    pieces: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a test suite: its bytes, the root of its syntax tree, and its string literals in their order."""

    path: Path
    shown: str  # the path as it is written for people and in a diff
    language: str
    raw: bytes
    root: Node
    literals: tuple[Literal, ...] = field(repr=False)


@cache
def parser_of(language: str) -> Parser:
    """Return the parser of a language."""
    return Parser(Language(GRAMMARS[language]()))


def read_source(path: Path, shown: str, raw: bytes) -> Source:
    """Return a UTF-8 file, parsed."""
    language = LANGUAGES[path.suffix]
    root = parser_of(language).parse(raw).root_node  # it knows of byte order marks
    return Source(path, shown, language, raw, root, tuple(literals_in(root, language)))


def walk(root: Node) -> Iterator[Node]:
    """Yield every node, a parent before its children, in the order of the text."""
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None:
            yield node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def text_of(node: Node | None) -> str:
    """Return a node's source, or nothing for none."""
    return "" if node is None or node.text is None else node.text.decode("utf-8")


def first_error(root: Node) -> int | None:
    """Return the line at which the source cannot be parsed, the first being 1; None if all of it can."""
    if not root.has_error:
        return None
    return next((node.start_point.row + 1 for node in walk(root) if node.is_error or node.is_missing), 1)


def literals_in(root: Node, language: str) -> Iterator[Literal]:
    """Yield the literals; one put together of several is one."""
    inside: set[int] = set()
    for node in walk(root):
        if node.id in inside or not (node.type in STRINGS or joins(node)):
            continue
        parts, within = parts_of(node)
        inside |= within
        first = next((part for part in parts if part.type in STRINGS), None)
        if first is None:
            continue
        opening, closing = quotes(first)
        if language == "python" and "b" in opening.lower():
            continue
        pieces = () if plain(node, opening) else tuple(pieces_of(parts, language))
        value = None if pieces else decoded(text_of(node), language)
        if value is not None or pieces:
            place = (node.start_byte, node.end_byte, node.start_point.row + 1)
            yield Literal(node, *place, opening, closing, value, pieces)


def joins(node: Node) -> bool:
    """Return whether a node puts strings together, or might."""
    if node.type in ("binary_operator", "binary_expression"):
        return text_of(node.child_by_field_name("operator")) in ("+", "%")
    return node.type == "concatenated_string"


def parts_of(whole: Node) -> tuple[list[Node], set[int]]:
    """Return what an expression puts together, in order, and all nodes between it and them."""
    parts, within, pending = list[Node](), set[int](), [whole]
    while pending:
        node = pending.pop()
        within.add(node.id)
        if joins(node) or (node.type in WRAPPERS and node is not whole):
            pending += reversed(node.named_children)
        else:
            parts.append(node)
    return parts, within


def plain(whole: Node, opening: str) -> bool:
    """Return whether a string stands for itself: nothing is filled in, joined, or read by a function before it."""
    if whole.type not in STRINGS:
        return False
    if whole.type == "string_literal":
        return opening != '"""'  # a text block of Java loses its margin
    if whole.type == "template_string":
        tagged = whole.parent is not None and whole.parent.type == "call_expression"
        return not tagged and not any(child.type == "template_substitution" for child in whole.children)
    return not set(opening.lower()) & set("ft")


def quotes(node: Node) -> tuple[str, str]:
    """Return what a string begins and ends with."""
    text = text_of(node)
    if match := re.match(r"([A-Za-z]*)(\"\"\"|'''|\"|'|`)", text):
        return match[0], match[2]
    return text[:1], text[-1:]


def pieces_of(parts: list[Node], language: str) -> Iterator[str | None]:
    """Yield the constant pieces of a string that is put together, and None for each of the others."""
    for node in parts:
        if node.type not in STRINGS:
            yield None
            continue
        opening, closing = quotes(node)
        at, end = node.start_byte + len(opening), node.end_byte - len(closing)
        for child in node.children:
            if child.type in ("interpolation", "template_substitution"):
                yield piece(node, at, child.start_byte, language)
                yield None
                at = child.end_byte
        yield piece(node, at, end, language)


def piece(node: Node, start: int, end: int, language: str) -> str:
    """Return the text between two places of a string."""
    raw = (node.text or b"")[start - node.start_byte : end - node.start_byte].decode("utf-8")
    if language == "python":
        return raw.replace("{{", "{").replace("}}", "}").replace('\\"', '"').replace("\\'", "'")
    said = unescaped(raw, language)
    return raw if said is None else said


# -- what a literal says ---------------------------------------------------------------------------------------------

ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,8})\}|u+([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-3][0-7]{0,2}|[4-7][0-7]?)|(\r\n|[\s\S]))"
)
SINGLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
JAVASCRIPT_SINGLE = {**SINGLE, "v": "\v", "\n": "", "\r\n": "", "\r": "", "\u2028": "", "\u2029": ""}
JAVA_SINGLE = {**SINGLE, "s": " ", '"': '"', "'": "'", "\\": "\\"}


def decoded(text: str, language: str) -> str | None:
    """Return the value of a plain literal, or None if it has none.

    >>> decoded(r"'it\\'s'", "python"), decoded(r'"\\u0041"', "java")
    ("it's", 'A')
    """
    if language == "python":
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an escape that Python does not know
                value = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            return None
        return value if isinstance(value, str) else None
    if language == "java" and text.startswith('"""'):
        return None
    body = text[1:-1]
    return unescaped(body.replace("\r\n", "\n") if text[0] == "`" else body, language)


def unescaped(body: str, language: str) -> str | None:
    """Return what stands between the quotes, its escapes read; None if one of them cannot be."""
    if language == "java" and re.search(r"\\u+005c", body, re.IGNORECASE):
        return None  # a backslash that is itself escaped so: nobody writes it
    unknown = False

    def said(match: re.Match[str]) -> str:
        nonlocal unknown
        braced, four, two, octal, single = match.groups()
        if code := braced or four or two:
            number = int(code, 16)
            unknown |= number > 0x10FFFF or (language == "java" and four is None)
            return "" if number > 0x10FFFF else chr(number)
        if octal:
            return chr(int(octal, 8))
        if language == "java":
            unknown |= single not in JAVA_SINGLE
            return JAVA_SINGLE.get(single, "")
        return JAVASCRIPT_SINGLE.get(single, single)

    value = ESCAPE.sub(said, body)
    joined = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # an emoji is two escapes
    return None if unknown else joined


# -- writing another value into it -----------------------------------------------------------------------------------

SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}


def rewritten(literal: Literal, value: str, language: str) -> str:
    r"""Return the literal with another value, in its own quotes.

    A raw string of Python stays raw as long as it can say the value.
    """
    prefix, quote = literal.opening.removesuffix(literal.closing), literal.closing
    if "r" in prefix.lower():
        if quote[0] not in value and not value.endswith("\\") and value.isprintable():
            return f"{prefix}{quote}{value}{quote}"
        prefix = prefix.replace("r", "").replace("R", "")
    body = "".join(escaped(character, quote[0], language) for character in value)
    return prefix + quote + (body.replace("${", "\\${") if quote == "`" else body) + quote


def escaped(character: str, quote: str, language: str) -> str:
    """Return a character as it may stand between quotes."""
    if character == quote:
        return "\\" + quote
    if character in SHORT or character.isprintable():
        return SHORT.get(character, character)
    code = ord(character)
    if language == "java" and code < 0x20:
        return f"\\{code:03o}"  # \u000c would be read before the string is
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    if language == "python":
        return f"\\U{code:08x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
