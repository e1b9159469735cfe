"""Reading a locator as people write it: read_locator(kind, value) -> Locator, and clues(locator)."""

from __future__ import annotations

import re
from functools import lru_cache

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.locators import KINDS, Clues, Locator, test_id_of
from self_heal_engine.parser import parse_html
from self_heal_engine.reading_css import CssSyntax, css_clues, plain_css
from self_heal_engine.reading_xpath import XPathSyntax, xpath_clues

MOST_LOCATOR = 4_000

# Selenium's, Playwright's and Testing Library's other words for the kinds.
SYNONYMS = {
    "css_selector": "css",
    "selector": "css",
    "class": "class_name",
    "tag": "tag_name",
    "link": "link_text",
    "partial_link": "partial_link_text",
    "testid": "test_id",
    "data_testid": "test_id",
    "alt": "alt_text",
    "placeholder_text": "placeholder",
    "label_text": "label",
    "aria_role": "role",
}

# A role locator: button, button[name="Sign in"], heading[level=2][name="x" i]; the quantifiers do not backtrack.
ROLE = re.compile(r"\s*+([a-z]++)\s*+")
ROLE_CONDITION = re.compile(
    r"""\[\s*+([a-z-]++)\s*+
    (?:([*^$]?=)\s*+(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)'|/((?:[^/\\]|\\.)++)/|([\w-]++))\s*+([is])?\s*+)?\]\s*+""",
    re.VERBOSE,
)

# Calls that find an element, in the bindings' spellings; the first string inside is the value.
CALLS = {
    "role": r"get_?by_?role|find_?by_?role",
    "test_id": r"get_?by_?test_?id|find_?by_?test_?id",
    "text": r"get_?by_?text|find_?by_?text|contains",
    "label": r"get_?by_?label(?:_?text)?|find_?by_?label_?text",
    "placeholder": r"get_?by_?placeholder(?:_?text)?|find_?by_?placeholder_?text",
    "alt_text": r"get_?by_?alt_?text|find_?by_?alt_?text",
    "title": r"get_?by_?title|find_?by_?title",
    "id": r"By\.id\b|find_?elements?_?by_?id|getElementById",
    "name": r"By\.name\b|find_?elements?_?by_?name",
    "class_name": r"By\.class_?name\b|find_?elements?_?by_?class_?name",
    "tag_name": r"By\.tag_?name\b|find_?elements?_?by_?tag_?name",
    "link_text": r"By\.link_?text\b|find_?elements?_?by_?link_?text",
    "partial_link_text": r"By\.partial_?link_?text\b|find_?elements?_?by_?partial_?link_?text",
    "xpath": r"By\.xpath\b|find_?elements?_?by_?xpath|xpath|\$x",
    "css": r"By\.css(?:_?selector)?\b|find_?elements?_?by_?css_?selector|querySelector(?:All)?|locator|cy\.get|find"
    r"|\$\$?",
}
CALL = re.compile(
    r"^[\w.\s(]*?(?:\bby=)?(?:" + "|".join(f"(?P<{kind}>{names})" for kind, names in CALLS.items()) + r")\s*[(,]",
    re.IGNORECASE,
)
STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`")
NAMED = re.compile(
    r"\bname\s*+[:=]\s*+(?:re\.compile\(\s*+)?r?(?:\"((?:[^\"\\]|\\.)*+)\"|'((?:[^'\\]|\\.)*+)'|/((?:[^/\\]|\\.)++)/(i?))"
)
STATE = re.compile(r"\b(level|checked|disabled|expanded|pressed|selected)\s*+[:=]\s*+(\w++)")

# What may follow a call and narrows it to something else: reading the first call alone would mean another element.
NARROWING = re.compile(
    r"\)\s*+\.\s*+(first|last|nth|eq|filter|and_?|or_?|not|has|locator|get_?by_?\w++|find\w*+|contains|children|parents?|parentsUntil"
    r"|closest|next\w*+|prev\w*+|siblings|shadow|within|content_?frame|frame_?locator)\b",
    re.IGNORECASE,
)


def read_locator(kind: str, value: str) -> Locator:
    """Return the locator in one spelling, whatever the tool it was written for.

    ``value`` may also be Playwright's ``engine=body``, an XPath given as CSS, or a whole call from a test's source.
    CannotHeal ``unknown_locator_kind``, ``empty_locator``, ``locator_too_long`` or ``locator_syntax``.

    >>> read_locator("css selector", "#go"), read_locator("css", "page.get_by_role('button', name='Go')")
    (Locator(kind='css', value='#go'), Locator(kind='role', value='button[name="Go"]'))
    """
    if len(value) > MOST_LOCATOR:
        raise CannotHeal(
            "locator_too_long",
            f"the locator {quoted(value)} has {len(value)} characters; at most {MOST_LOCATOR} are read",
        )
    if not value.strip():
        raise CannotHeal("empty_locator", f"the {quoted(kind)} locator {quoted(value)} is empty")
    known = kind_of(kind)
    locator = as_css_spells(value.strip()) if known == "css" else Locator(known, value.strip())
    clues(locator)
    return locator


def kind_of(kind: str) -> str:
    """Return the kind that a word means, or raise CannotHeal ``unknown_locator_kind``."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", kind.strip()).lower()
    known = SYNONYMS.get(snake, snake)
    if known not in KINDS:
        raise CannotHeal(
            "unknown_locator_kind", f"{quoted(kind)} is not a kind of locator; these are: {', '.join(KINDS)}"
        )
    return known


def as_css_spells(value: str) -> Locator:
    """Return what is meant by a value given as CSS, the default: it may be something else."""
    if call := CALL.match(value):
        return as_called(str(call.lastgroup), value, call.end())
    engine, equals, body = value.partition("=")
    body = body.strip()
    if equals and body and engine in ("css", "xpath", "text", "role", "id", "placeholder", "label", "title"):
        return Locator(engine, unquoted(body))
    if equals and body and engine.startswith("data-") and engine.replace("-", "").isalnum():
        return Locator("test_id", f"{engine}={unquoted(body)}")
    if re.match(r"\(*\.{0,2}/|\.\.$|id\(", value):
        return Locator("xpath", value)
    return Locator("css", value)


def as_called(kind: str, source: str, start: int) -> Locator:
    """Return the locator in a call such as ``page.get_by_role("button", name="Go")`` or ``By.ID, "go"``."""
    strings = [next(part for part in match.groups() if part is not None) for match in STRING.finditer(source, start)]
    if not strings:
        raise CannotHeal("locator_syntax", f"the call {quoted(source)} has no string that could be a locator")
    if narrowed := NARROWING.search(STRING.sub(lambda match: " " * len(match[0]), source)):
        why = f"{quoted(narrowed[1])} narrows the call before it: write the one selector that both mean"
        raise _syntax("source", source, why, narrowed.start(1))
    value = re.sub(r"\\(.)", r"\1", strings[0])
    if kind == "text" and "contains" in source[:start] and len(strings) > 1:  # cy.contains('a', 'Sign in')
        return Locator("css", f"{value}:contains({quote_css(strings[1])})")
    if kind == "role":
        return Locator("role", value + role_conditions(source, start))
    return as_css_spells(value) if kind == "css" and not CALL.match(value) else Locator(kind, value)


def role_conditions(source: str, start: int) -> str:
    """Return the conditions that the rest of a call by role gives."""
    written = ""
    if named := NAMED.search(source, start):
        text = named[1] if named[1] is not None else named[2]
        if "re.compile" in named[0]:
            flag = "i" if re.search(r"re\.I", source[named.end() :]) else ""
            written = f"[name=/{(text or '').replace('/', chr(92) + '/')}/{flag}]"
        elif text is not None:
            written = f"[name={quote_css(text)}]"
        else:
            written = f"[name=/{named[3]}/{named[4]}]"
    rest = STRING.sub(" ", source[start:])
    return written + "".join(f"[{state}={word.lower()}]" for state, word in STATE.findall(rest))


def quote_css(text: str) -> str:
    """Return a text between double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    """Return a text without the quotes around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


# -- what it says --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2_000)
def clues(locator: Locator) -> Clues:
    """Return what the locator says of its element, or raise CannotHeal ``locator_syntax``."""
    value = locator.value
    if locator.kind == "css":
        return _css(value)
    if locator.kind == "xpath":
        return _xpath(value)
    if locator.kind == "role":
        role, conditions = read_role(value)
        said = [text for name, text in conditions if name == "name" and isinstance(text, str)]
        return Clues(role=role, name=said[0] if said else None)
    if locator.kind == "test_id":
        names, text = test_id_of(value)
        return Clues(attributes={names[0]: text})
    if locator.kind == "class_name":
        return Clues(classes=tuple(value.split()))
    if locator.kind == "tag_name":
        return Clues(tag=value.lower())
    if locator.kind in ("link_text", "partial_link_text"):
        return Clues(tag="a", role="link", text=value, text_exact=locator.kind == "link_text")
    if locator.kind == "text":
        return Clues(text=value, text_exact=True)
    if locator.kind == "label":
        return Clues(label=value)
    return Clues(attributes={{"alt_text": "alt"}.get(locator.kind, locator.kind): value})


def _css(selector: str) -> Clues:
    try:
        return css_clues(selector)
    except CssSyntax as error:
        # The engine may know newer CSS than cssselect does: then it can be run, but says nothing.
        if runs(selector):
            return Clues()
        raise _syntax("css", selector, str(error), error.position) from error


def runs(selector: str) -> bool:
    """Return whether the parser's engine can read a CSS selector."""
    try:
        parse_html("").css(plain_css(selector))
    except ValueError:
        return False
    return True


def _xpath(expression: str) -> Clues:
    try:
        said = xpath_clues(expression)
        parse_html("").xpath(expression)
    except XPathSyntax as error:
        raise _syntax("xpath", expression, str(error), error.position) from error
    except ValueError as error:
        raise _syntax("xpath", expression, str(error), 0) from error
    return said


def _syntax(kind: str, value: str, why: str, position: int) -> CannotHeal:
    """Return the refusal of a locator, with the place in it."""
    shown = f"{value[max(0, position - 40) : position]}⟶{value[position : position + 40]}"
    return CannotHeal(
        "locator_syntax",
        f"the {kind} locator {quoted(value)} cannot be read: {why} at position {position}: {quoted(shown)}",
    )


@lru_cache(maxsize=2_000)
def read_role(value: str) -> tuple[str, tuple[tuple[str, str | re.Pattern[str] | None], ...]]:
    """Return a role and its conditions: (name, text), (name, pattern) for all but a plain ``=``, or (name, None)."""
    match = ROLE.match(value)
    if match is None:
        raise _syntax("role", value, 'expected role or role[name="..."]', 0)
    conditions: list[tuple[str, str | re.Pattern[str] | None]] = []
    at = match.end()
    while at < len(value):
        condition = ROLE_CONDITION.match(value, at)
        if condition is None:
            raise _syntax("role", value, 'expected role or role[name="..."]', at)
        name, how, double, single, pattern, word, flag = condition.groups()
        text = re.sub(r"\\(.)", r"\1", double if double is not None else single or "") or word
        if pattern:
            conditions.append((name, _pattern(value, pattern, flag)))
        elif text and (flag == "i" or how != "="):
            conditions.append((name, _like(" ".join(text.split()), how, flag)))
        else:
            conditions.append((name, text or None))
        at = condition.end()
    return match[1], tuple(conditions)


def _like(text: str, how: str, flag: str | None) -> re.Pattern[str]:
    """Return the pattern of ``=``, ``*=``, ``^=`` or ``$=``, with ``i`` for upper and lower case alike."""
    begin, end = ("" if how in ("*=", "$=") else r"\A"), ("" if how in ("*=", "^=") else r"\Z")
    return re.compile(begin + re.escape(text) + end, re.IGNORECASE if flag == "i" else 0)


def _pattern(value: str, pattern: str, flag: str | None) -> re.Pattern[str]:
    # A pattern that repeats a group, or repeats much side by side, may run for ever on a page's names.
    if re.search(r"\)[*+{]", pattern) or len(re.findall(r"[*+}]", pattern)) > 3:
        raise _syntax("role", value, "the pattern repeats too much", value.find(pattern))
    try:
        return re.compile(pattern, re.IGNORECASE if flag == "i" else 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise _syntax("role", value, str(error), value.find(pattern)) from error
