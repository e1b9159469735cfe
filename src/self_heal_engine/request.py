"""HealRequest: one heal as a caller asks for it, on the command line or over HTTP, and its answer as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from self_heal_engine.dom import Page, per_page
from self_heal_engine.errors import CannotHeal, ascii_safe
from self_heal_engine.fingerprint import (
    Fingerprint,
    baseline_fingerprint,
    guess_fingerprint,
    load_fingerprint,
    with_context,
)
from self_heal_engine.healer import Healing, HealResult
from self_heal_engine.parser import parse_html
from self_heal_engine.reading import read_locator
from self_heal_engine.snippets import snippets
from self_heal_engine.validation import STRICT, from_json

MOST_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How large a page may be that a caller sends; by default what the command line reads."""

    characters: int = 20_000_000
    elements: int = 500_000
    depth: int | None = None  # of nested elements
    attributes: int | None = None  # of one element


COMMAND_LINE = PageLimits()


@dataclass(frozen=True, slots=True)
class HealRequest:
    """One broken locator and what the caller knows of its element; the page comes apart from it."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    original_locator: str
    locator_type: str = "css"
    visible_text: str | None = None
    anchors: tuple[str, ...] = ()
    action: str | None = None
    baseline_html: str | None = None
    fingerprint: str | None = None

    def wanted(self, limits: PageLimits = COMMAND_LINE) -> Fingerprint:
        """Return all that is known: a stored fingerprint, else the baseline page's, else what the locator says."""
        locator = read_locator(self.locator_type, self.original_locator)
        context = (self.visible_text, self.anchors, self.action)
        if self.fingerprint is not None:
            return with_context(load_fingerprint(self.fingerprint, locator), *context)
        if self.baseline_html is not None:
            known = baseline_fingerprint(read_page(self.baseline_html, limits), locator)
            if known is not None:
                return with_context(known, *context)
        return guess_fingerprint(locator, *context)


def read_request(line: str) -> HealRequest:
    """Return one line of a JSON Lines file as a request, or raise CannotHeal ``bad_request``."""
    return from_json(HealRequest, line, "bad_request")


def read_page(html: str, limits: PageLimits = COMMAND_LINE) -> Page:
    """Parse a page that a caller sent, or raise CannotHeal ``page_too_large`` or ``empty_page``."""
    check_size(len(html), limits.characters, "characters")
    if not html.strip():
        raise CannotHeal("empty_page", f"the page is empty: {len(html)} characters, all of them white space")
    page = parse_html(html)
    check_size(len(page), limits.elements, "elements")
    if limits.depth is not None:
        check_size(int(page.depths.max()) + 1, limits.depth, "elements inside each other")
    if limits.attributes is not None:
        check_size(most_attributes(page), limits.attributes, "attributes at one element")
    return page


@per_page
def most_attributes(page: Page) -> int:
    """Return how many attributes the element with the most has."""
    return max(map(page.attribute_count, range(len(page))))


def check_size(size: int, most: int, of: str) -> None:
    """Raise CannotHeal ``page_too_large`` if a page has more of something than is read."""
    if size > most:
        raise CannotHeal("page_too_large", f"the page has {size} {of}; at most {most} are read")


def as_data(result: HealResult, request: HealRequest) -> dict[str, Any]:
    """Return the answer to a request as the fields of ``self-heal heal --json`` and of the service."""
    return {
        "original_locator": ascii_safe(request.original_locator),
        "locator_type": ascii_safe(request.locator_type),
        "decision": result.decision,
        "confidence": result.confidence,
        "calibrated": result.calibrated,
        "threshold": result.threshold,
        "original_matches": result.original_matches,
        "knowledge": result.knowledge,
        "model": result.model,
        "candidates": [_candidate(index, healing) for index, healing in enumerate(result.candidates)],
    }


def _candidate(index: int, healing: Healing) -> dict[str, Any]:
    best, *others = healing.locators
    return {
        "index": index,
        "locator": ascii_safe(best.value),
        "locator_type": best.kind,
        "score": healing.score,
        "tag": healing.tag,
        "text": ascii_safe(healing.text),
        "html": ascii_safe(healing.html),
        "alternatives": [{"locator": ascii_safe(other.value), "locator_type": other.kind} for other in others],
        "source": {name: ascii_safe(text) for name, text in snippets(healing.locators).items()},
        "reasons": [ascii_safe(reason) for reason in healing.reasons],
    }
