"""Locator: how a test finds an element, as a kind and a value; and what one says of the element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The kinds, in the words of Selenium and Playwright.
KINDS = (
    "css", "xpath", "id", "name", "class_name", "tag_name", "link_text", "partial_link_text",
    "test_id", "role", "text", "label", "placeholder", "alt_text", "title",
)  # fmt: skip

# Attributes that teams set for their tests, the commonest first.
TEST_ID_ATTRIBUTES = ("data-testid", "data-test", "data-cy", "data-qa", "data-test-id")


@dataclass(frozen=True, slots=True)
class Locator:
    """How a test finds an element: one of ``KINDS`` and the value a test would pass.

    A role is written ``button[name="Sign in"]``; a test id that stands in another attribute than ``data-testid``
    may name it: ``data-cy=login``. ``self_heal_engine.reading.read_locator`` takes every spelling that Selenium,
    Playwright and Cypress users write and returns this one.
    """

    kind: str
    value: str


def test_id_of(value: str) -> tuple[tuple[str, ...], str]:
    """Return the attributes in which a test id may stand, and the id.

    >>> test_id_of("data-cy=login"), test_id_of("a=b")[1]
    ((('data-cy',), 'login'), 'a=b')
    """
    attribute, given, rest = value.partition("=")
    if given and attribute.startswith("data-") and attribute.replace("-", "").isalnum():
        return (attribute,), rest
    return TEST_ID_ATTRIBUTES, value


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way down to the wanted one; what is not known of it is empty."""

    tag: str | None = None
    id: str | None = None
    classes: tuple[str, ...] = ()
    index: int | None = None  # among its siblings of the same tag, the first being 1


@dataclass(frozen=True, slots=True)
class Clues:
    """What a locator says of the element it is meant to find."""

    tag: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # known exactly
    classes: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)  # only a part of the value is known
    text: str | None = None
    text_exact: bool = False
    role: str | None = None
    name: str | None = None  # accessible name
    label: str | None = None
    path: tuple[Step, ...] = ()  # its ancestors, outermost first
    rooted: bool = False  # the path begins at the root and leaves no element out
    index: int | None = None  # among its siblings of the same tag, the first being 1
    near: tuple[str, ...] = ()  # texts of elements beside or above it
