"""Fingerprint: all that is known of the wanted element."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.dom import Page
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.generated import is_generated
from self_heal_engine.identity import others
from self_heal_engine.locators import Locator, Step
from self_heal_engine.matching import matches
from self_heal_engine.neighbourhood import heading_above, neighbour_text, number_among_twins, texts_beside
from self_heal_engine.reading import clues
from self_heal_engine.tokens import inner_tokens
from self_heal_engine.validation import STRICT, from_json

# Raised when a stored fingerprint of an earlier version can no longer be read.
VERSION = 2

ACTIONS = ("click", "type", "select", "check", "read")

# An attribute longer than this (inline images, embedded data) tells no more than its beginning.
MOST_VALUE = 1_000

# No page has more of anything, nor is as wide.
MOST_NUMBER = 1_000_000_000

# Siblings and children past this many are not recorded.
MOST_RELATIVES = 200


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """All that is known of the wanted element. ``None`` and empty mean unknown, unless ``complete``.

    ``complete``: it was read off a page, so that an attribute it lacks is known to be lacking.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    locator: Locator | None = None
    complete: bool = False
    tag: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # exact values, e.g. {"id": "login", "class": "a b"}
    classes: tuple[str, ...] = ()  # those known; all of them if complete
    parts: Mapping[str, str] = field(default_factory=dict)  # only a part of the value is known: [href^="/login"]
    role: str | None = None
    name: str | None = None  # accessible name
    label: str | None = None
    text: str | None = None  # as a reader sees it, white space collapsed
    leading_text: str | None = None  # directly inside, before its first child
    anchors: tuple[str, ...] = ()  # texts that stood near it
    neighbour_text: str | None = None
    path: tuple[Step, ...] = ()  # from the outermost known ancestor down to its parent
    rooted: bool = False  # the path begins at the root and leaves no element out
    index: int | None = None  # among its siblings of the same tag, the first being 1
    siblings: int | None = None  # how many siblings of the same tag there were, itself among them
    sibling_tags: tuple[str, ...] = ()
    parent_attributes: Mapping[str, str] = field(default_factory=dict)
    parent_leading_text: str | None = None
    child_tags: tuple[str, ...] = ()
    before: str | None = None  # the text right before it in reading order
    after: str | None = None
    heading: str | None = None  # the nearest above it
    inside: tuple[str, ...] = ()  # words in the attributes of what is inside it, such as an icon
    number: int | None = None  # among the elements of the same tag, type and text, the first being 0
    others: tuple[int, ...] = ()  # hashes of what told elements like it, near by, from it
    place: float | None = None  # how far down the page, 0 to 1 of its elements
    action: str | None = None  # click, type, select, check or read
    shares: Mapping[str, int] = field(
        default_factory=dict
    )  # property -> how many elements of the old page had its value
    rectangle: tuple[float, float, float, float] | None = None  # x, y, width, height

    def value(self, attribute: str) -> str | None:
        """Return an attribute's exact value, or None if it is not known."""
        return self.attributes.get(attribute)

    def lasting_value(self, attribute: str) -> str | None:
        """Return an attribute's exact value, or None if it is not known or, an id or name, looks generated."""
        value = self.attributes.get(attribute)
        return None if value and attribute in ("id", "name", "for") and is_generated(value) else value

    def lasting_classes(self) -> frozenset[str]:
        """Return the known classes that do not look generated."""
        return frozenset(name for name in self.classes if not is_generated(name))


def fingerprint(page: Page, row: int, locator: Locator | None = None) -> Fingerprint:
    """Return the full fingerprint of an element of a page on which its locator works."""
    attributes = {name: value[:MOST_VALUE] for name, value in page.attributes(row).items()}
    above = page.ancestors(row)
    parent = next(above, None)
    before, after = texts_beside(page, row)
    index, siblings = page.position(row)
    return Fingerprint(
        locator=locator,
        complete=True,
        tag=page.tag(row),
        attributes=attributes,
        classes=tuple(dict.fromkeys(attributes.get("class", "").split())),
        role=roles(page)[row],
        name=names(page)[row],
        label=labels(page)[row],
        text=page.text(row),
        leading_text=page.leading_text(row),
        neighbour_text=neighbour_text(page, row),
        path=path_to(page, row),
        rooted=True,
        index=index,
        siblings=siblings,
        sibling_tags=tuple(page.tag(at) for at in page.siblings(row) if at != row)[:MOST_RELATIVES],
        parent_attributes={} if parent is None else page.attributes(parent),
        parent_leading_text=None if parent is None else page.leading_text(parent),
        child_tags=tuple(map(page.tag, page.children(row)))[:MOST_RELATIVES],
        before=before,
        after=after,
        heading=heading_above(page)[row],
        inside=tuple(sorted(inner_tokens(page, row)))[:MOST_RELATIVES],
        number=int(number_among_twins(page)[row]),
        others=others(page, row),
        place=row / len(page),
        shares=shares(page, row),
        rectangle=page.rectangle(row),
    )


def path_to(page: Page, row: int) -> tuple[Step, ...]:
    """Return the steps from the root down to the element's parent."""
    above = list(page.ancestors(row))[::-1]
    return tuple(
        Step(
            tag=page.tag(at),
            id=page.value(at, "id"),
            classes=tuple((page.value(at, "class") or "").split()),
            index=page.position(at)[0],
        )
        for at in above
    )


def shares(page: Page, row: int) -> dict[str, int]:
    """Return how many elements of the page have the element's tag, text, name, id and so on."""
    columns = {"tag": page.tags, "text": page.texts, "role": roles(page), "name": names(page)}
    columns |= {attribute: page.attribute(attribute) for attribute in ("id", "class", "href")}
    return {
        what: int((column.codes == column.codes[row]).sum())
        for what, column in columns.items()
        if column.codes[row] >= 0
    }


def guess_fingerprint(
    locator: Locator,
    visible_text: str | None = None,
    anchors: Sequence[str] = (),
    action: str | None = None,
) -> Fingerprint:
    """Return what the broken locator and the caller's context say, with no page on which it worked."""
    said = clues(locator)
    return with_context(
        Fingerprint(
            locator=locator,
            tag=said.tag,
            attributes=said.attributes,
            classes=said.classes,
            parts=said.parts if said.text_exact or not said.text else {**said.parts, "text": said.text},
            role=said.role,
            name=said.name,
            label=said.label,
            text=said.text if said.text_exact else None,
            path=said.path,
            rooted=said.rooted,
            index=said.index,
            anchors=said.near,
        ),
        visible_text,
        anchors,
        action,
    )


def baseline_fingerprint(baseline: Page, locator: Locator) -> Fingerprint | None:
    """Return the fingerprint of what the locator found on the last page on which it worked; None if nothing.

    A test takes the first match, and so do we.
    """
    found = matches(baseline, locator)
    return fingerprint(baseline, int(found[0]), locator) if len(found) else None


def with_context(
    known: Fingerprint,
    visible_text: str | None = None,
    anchors: Sequence[str] = (),
    action: str | None = None,
) -> Fingerprint:
    """Return the fingerprint with what the caller adds; a text the caller gives replaces the one on record."""
    if action is not None and action not in ACTIONS:
        raise CannotHeal("unknown_action", f"the action {quoted(action)} is not one of {', '.join(ACTIONS)}")
    text = " ".join((visible_text or "").split()) or known.text
    near = tuple(" ".join(anchor.split()) for anchor in anchors if anchor.strip())
    return replace(known, text=text, anchors=(*known.anchors, *near), action=action or known.action)


# -- storing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored form of a fingerprint: nothing but these two keys, each of exactly its type."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    version: int
    known: Fingerprint


def dump_fingerprint(known: Fingerprint) -> str:
    """Return the fingerprint as one line of versioned JSON, for the caller to store; attributes keep their order."""
    return json.dumps({"version": VERSION, "known": asdict(known)})


def load_fingerprint(text: str, locator: Locator | None = None) -> Fingerprint:
    """Return a stored fingerprint, with the locator that broke since.

    CannotHeal ``bad_fingerprint`` if the text is not one that this version reads.
    """
    stored = from_json(Stored, text, "bad_fingerprint")
    if stored.version != VERSION:
        raise CannotHeal(
            "bad_fingerprint", f"the stored fingerprint is of version {stored.version}, this code reads {VERSION}"
        )
    check_numbers(stored.known)
    return replace(stored.known, locator=locator or stored.known.locator)


def check_numbers(known: Fingerprint) -> None:
    """Raise CannotHeal ``bad_fingerprint`` if a number is one that no page has, and NumPy cannot count with."""
    counts = (known.index, known.siblings, known.number, *known.shares.values(), *(step.index for step in known.path))
    for number in (*counts, known.place, *(known.rectangle or ())):
        if number is not None and abs(number) > MOST_NUMBER:
            raise CannotHeal("bad_fingerprint", f"the stored fingerprint holds {quoted(number)}, as no page does")
