"""Locator: how a test finds an element, as a kind and a value."""

from __future__ import annotations

from dataclasses import dataclass

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

    A role is written ``button[name="Sign in"]``. ``self_heal_engine.reading.read_locator`` takes every spelling
    that Selenium, Playwright and Cypress users write and returns this one.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way down to the wanted one; what is not known of it is empty."""

    tag: str | None = None
    id: str | None = None
    classes: tuple[str, ...] = ()
    index: int | None = None  # among its siblings of the same tag, the first being 1
