"""label_pages(old, new): which element of a page is which element of its next release, by keys present in both.

The rules, and how often each is wrong by eye, stand in ``data/RUBRIC.md``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import extractOne

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.candidates import INTERACTIVE_ROLES
from self_heal_engine.dom import Page
from self_heal_engine.generated import is_generated
from self_heal_engine.locators import TEST_ID_ATTRIBUTES

# Fields that have no role of their own are their tag and type: a password, a date, a colour, a file.
FIELD_TAGS = ("input", "select", "textarea", "button", "summary")

# What tests read rather than use.
READ_ROLES = frozenset(("heading", "img"))

# Roles that do the same for a person: a link that became a button is still the one to press.
CLASSES = {
    **dict.fromkeys(("link", "button", "menuitem", "tab", "summary"), "press"),
    **dict.fromkeys(("textbox", "searchbox", "combobox", "spinbutton", "listbox"), "enter"),
    **dict.fromkeys(("checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"), "choose"),
}

# Keys of one group come from one decision of an author, and do not confirm each other.
GROUPS = {
    "id": "identity", "name": "identity", "href": "href", "test_id": "test_id", "aria": "aria", "label": "text",
    "text": "text",
}  # fmt: skip

# The rule for a pair that one group of keys makes alone.
ALONE = {"identity": "K1", "href": "H1", "test_id": "D1", "aria": "T1", "text": "T1"}

# Addresses that lead nowhere.
NO_ADDRESS = ("", "#", "#!", "javascript:", "javascript:;", "javascript:void(0)", "javascript:void(0);")

LONGEST_KEY = 120

# A removed element may have been reworded: nothing on the new page may read this much like it.
MOST_LIKE_A_REMOVED = 60

# So many elements of a page are asked at most whether they were removed: each is compared with every text.
MOST_REMOVED = 60


@dataclass(frozen=True, slots=True)
class Match:
    """An element of the old page and the one of the new page that it became; ``new`` None: it was removed."""

    old: int
    new: int | None
    rule: str
    keys: tuple[str, ...]  # the kinds of keys that agree


@dataclass(frozen=True)
class Elements:
    """The elements of a page that tests use, in document order, with the keys of each."""

    page: Page
    rows: list[int]
    kinds: dict[int, str]  # row -> role, or tag and type
    keys: dict[int, Mapping[str, str]]  # row -> kind of key -> value

    def holders(self, grouping: Mapping[str, str]) -> dict[tuple[str, str, str], list[int]]:
        """Return the rows that have each key: (kind, kind of key, value) -> rows."""
        found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for row in self.rows:
            kind = grouping.get(self.kinds[row], self.kinds[row])
            for what, value in self.keys[row].items():
                found[kind, what, value].append(row)
        return found

    def index(self, grouping: Mapping[str, str]) -> dict[tuple[str, str, str], int]:
        """Return the row of each key that only one element of its kind has."""
        return {key: rows[0] for key, rows in self.holders(grouping).items() if len(rows) == 1}


def label_pages(old: Page, new: Page, one_language: bool = True) -> list[Match]:
    """Return the elements of two releases of a page that are surely the same, and those that were surely removed.

    First by keys that are unique among elements of one role, then among roles of one use (two groups of keys must
    agree), then between two labelled neighbours. A pair whose keys contradict each other is dropped, and so are all
    that claim one new element.
    """
    before, after = elements(old), elements(new)
    matched, doubtful = by_keys(before, after, {}, one_language)
    wider, _ = by_keys(before, after, CLASSES, one_language)
    claimed = {match.new for match in matched.values()}
    for row, match in wider.items():
        if row not in matched and row not in doubtful and match.rule == "A2" and match.new not in claimed:
            matched[row] = Match(row, match.new, "C2", match.keys)
    matched = without_rivals(matched)
    matched |= between_neighbours(before, after, matched)
    matched = without_rivals(matched)
    gone = removed(before, after, set(matched) | doubtful) if one_language else []
    return [matched[row] for row in before.rows if row in matched] + gone


def elements(page: Page) -> Elements:
    """Return the elements that tests use: what a person presses, fills in, chooses or reads."""
    role_of, fields = roles(page), page.is_tag(*FIELD_TAGS)
    used = np.array([role in INTERACTIVE_ROLES or role in READ_ROLES for role in role_of.values] + [False])[
        role_of.codes
    ]
    rows = np.flatnonzero((used | fields) & ~page.undisplayed).tolist()
    kinds = {row: role_of[row] or f"{page.tag(row)}[{page.value(row, 'type') or ''}]" for row in rows}
    return Elements(page, rows, kinds, {row: keys_of(page, row) for row in rows})


def keys_of(page: Page, row: int) -> dict[str, str]:
    """Return the values by which an element can be recognised: kind of key -> value."""
    attributes = page.attributes(row)
    found = {"id": attributes.get("id"), "name": attributes.get("name"), "href": address(attributes.get("href", ""))}
    if found["name"] and attributes.get("type") in ("radio", "checkbox", "button", "submit"):
        found["name"] += "=" + attributes.get("value", "")
    found["test_id"] = next((attributes[name] for name in TEST_ID_ATTRIBUTES if attributes.get(name)), None)
    texts = (attributes.get(name) for name in ("aria-label", "title", "placeholder", "alt"))
    found["aria"] = next(filter(None, map(folded, texts)), None)
    found["label"] = folded(labels(page)[row])
    on_button = page.tag(row) == "input" and attributes.get("type") in ("submit", "button", "reset")
    found["text"] = folded(page.text(row) or (attributes.get("value") if on_button else None))
    if found["text"] == found["aria"]:
        found["aria"] = None  # the same words twice are one key
    return {
        what: value
        for what, value in found.items()
        if value and len(value) <= LONGEST_KEY and not (what in ("id", "name") and is_generated(value))
    }


def folded(text: str | None) -> str:
    """Return a text in lower case with single spaces.

    >>> folded("  Sign\\n In ")
    'sign in'
    """
    return " ".join((text or "").casefold().split())


def address(href: str) -> str | None:
    """Return an address without its own host, or None if it leads nowhere.

    >>> address("./pages/forms.html"), address("javascript:void(0)")
    ('pages/forms.html', None)
    """
    plain = href.strip()
    return None if plain.lower() in NO_ADDRESS else plain.removeprefix("http://localhost").removeprefix("./")


def by_keys(
    before: Elements, after: Elements, grouping: Mapping[str, str], one_language: bool
) -> tuple[dict[int, Match], set[int]]:
    """Return the matches that keys make, by old row; and the old rows whose keys contradict each other."""
    old_index, new_index = before.index(grouping), after.index(grouping)
    found: dict[int, Match] = {}
    doubtful: set[int] = set()
    for row in before.rows:
        kind = grouping.get(before.kinds[row], before.kinds[row])
        points = {
            what: new_index[kind, what, value]
            for what, value in before.keys[row].items()
            if (kind, what, value) in old_index and (kind, what, value) in new_index
        }
        targets = set(points.values())
        if len(targets) > 1:
            doubtful.add(row)
        elif targets:
            new = targets.pop()
            rule = rule_of(points, before, after, row, new, one_language)
            if rule:
                found[row] = Match(row, new, rule, tuple(sorted(points)))
            else:
                doubtful.add(row)
    return found, doubtful


def rule_of(
    points: Mapping[str, int], before: Elements, after: Elements, old: int, new: int, one_language: bool
) -> str | None:
    """Return the rule by which some keys make a pair, or None if they are not enough."""
    groups = {GROUPS[what] for what in points}
    if len(groups) > 1:
        return "A2"
    (group,) = groups
    if ALONE[group] != "T1":
        if not one_language:
            return "L1"  # a translation: the words differ, the application is the same
        return ALONE[group] if related(before, after, old, new) else None
    hrefs = before.keys[old].get("href"), after.keys[new].get("href")
    return "T1h" if all(hrefs) and hrefs[0] != hrefs[1] else "T1"


def related(before: Elements, after: Elements, old: int, new: int) -> bool:
    """Return whether what a reader sees of two elements has a word in common, or neither has any."""
    ours, theirs = words_shown(before, old), words_shown(after, new)
    return bool(ours & theirs) or not ours or not theirs


def words_shown(elements: Elements, row: int) -> frozenset[str]:
    """Return the words that name an element: its text, label, accessible name and the like."""
    keys = elements.keys[row]
    shown = (keys.get("text"), keys.get("label"), keys.get("aria"), folded(names(elements.page)[row]))
    return frozenset(word for text in shown if text for word in text.split() if any(map(str.isalnum, word)))


def without_rivals(matched: Mapping[int, Match]) -> dict[int, Match]:
    """Return the matches whose new element no other one claims."""
    claims = Counter(match.new for match in matched.values())
    return {row: match for row, match in matched.items() if claims[match.new] == 1}


def between_neighbours(before: Elements, after: Elements, matched: Mapping[int, Match]) -> dict[int, Match]:
    """Return the elements that stand alone between two labelled ones on both pages, with equal texts or none (S1)."""
    place = {row: at for at, row in enumerate(after.rows)}
    claimed = {match.new for match in matched.values()}
    found = {}
    for left, row, right in zip(before.rows, before.rows[1:], before.rows[2:], strict=False):
        if row in matched or left not in matched or right not in matched:
            continue
        start, end = place.get(matched[left].new or -1, -9), place.get(matched[right].new or -1, -9)
        if end - start != 2:
            continue
        new = after.rows[start + 1]
        if new not in claimed and before.kinds[row] == after.kinds[new] and alike(before.keys[row], after.keys[new]):
            found[row] = Match(row, new, "S1", ("neighbours",))
    return found


def alike(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Return whether two elements read the same and none of their keys but the address says otherwise."""
    both = (set(ours) & set(theirs)) - {"href"}
    return ours.get("text") == theirs.get("text") and all(ours[what] == theirs[what] for what in both)


def removed(before: Elements, after: Elements, known: set[int]) -> list[Match]:
    """Return the links and buttons with a text that the new page lacks: no key of theirs is left anywhere (R0)."""
    left = {(what, value) for keys in after.keys.values() for what, value in keys.items()}
    page = after.page
    wordless = {item for row in after.rows if "text" not in after.keys[row] for item in behaviour(page, row)}
    texts = {folded(page.text(row)) for row in {*after.rows, *np.flatnonzero(page.is_tag("a", "button")).tolist()}}
    texts |= set(map(folded, page.own_texts.values))
    short = [text for text in texts if 0 < len(text) <= LONGEST_KEY]
    words = {word for text in short for word in text.split() if len(word) > 3}
    found: list[Match] = []
    for row in [row for row in before.rows if row not in known and may_be_removed(before, row)][:MOST_REMOVED]:
        keys = before.keys[row]
        if any((what, value) in left for what, value in keys.items()) or wordless & set(behaviour(before.page, row)):
            continue
        if not words & set(keys["text"].split()) and not any_like(keys["text"], short):
            found.append(Match(row, None, "R0", ()))
    return found


def may_be_removed(elements: Elements, row: int) -> bool:
    """Return whether an element is a link or button with a text: a field that is gone may only have moved."""
    return elements.kinds[row] in ("link", "button") and "text" in elements.keys[row]


def behaviour(page: Page, row: int) -> list[tuple[str, str]]:
    """Return the attributes by which scripts know an element: a button whose words became a picture keeps them."""
    return [(name, value) for name, value in page.attributes(row).items() if name.startswith("data-") and value]


def any_like(text: str, texts: Sequence[str]) -> bool:
    """Return whether one of the texts is spelled much like a text."""
    return extractOne(text, texts, scorer=ratio, score_cutoff=MOST_LIKE_A_REMOVED) is not None
