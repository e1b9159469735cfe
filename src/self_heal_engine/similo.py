"""Similo and Similo++ without geometry, as rankers: the published scores that our own features build on.

Similo: M. Nass et al., "Similarity-based Web Element Localization for Robust Test Automation", TOSEM 2023.
Similo++: the weights and comparators that a 2025 replication found by optimisation. What needs rectangles is left
out, and the weights of the rest are the divisor, so that the same element scores 1 wherever it has every property.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.dom import Page, Rows
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.neighbourhood import neighbour_text
from self_heal_engine.paths import id_path, indexed_path, short_path
from self_heal_engine.similarity import (
    Numbers,
    Similarity,
    Values,
    character_jaccard,
    equal,
    equal_ignoring_case,
    levenshtein_50,
    similo_levenshtein,
    similo_words,
    word_jaccard,
)

# property -> weight and comparator, as published
SIMILO: dict[str, tuple[float, Similarity]] = {
    "tag": (1.5, equal_ignoring_case),
    "class": (0.5, similo_levenshtein),
    "name": (1.5, equal_ignoring_case),
    "id": (1.5, equal_ignoring_case),
    "href": (0.5, similo_levenshtein),
    "alt": (0.5, similo_levenshtein),
    "path": (0.5, similo_levenshtein),
    "id_path": (0.5, similo_levenshtein),
    "is_button": (0.5, equal),
    "visible_text": (1.5, similo_levenshtein),
    "neighbour_text": (1.5, similo_words),
}
SIMILO_PLUS_PLUS: dict[str, tuple[float, Similarity]] = {
    "tag": (0.8, character_jaccard),
    "name": (2.85, levenshtein_50),
    "id": (0.5, levenshtein_50),
    "href": (0.95, equal),
    "alt": (1.85, equal),
    "type": (2.75, equal),
    "aria-label": (0.9, character_jaccard),
    "short_path": (0.1, character_jaccard),
    "id_path": (0.45, levenshtein_50),
    "whole_text": (2.80, levenshtein_50),
    "neighbour_text": (1.45, word_jaccard),
}
ALL_ATTRIBUTES = 1.8  # Similo++'s weight for the share of attributes with equal values


def similo(page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float64]:
    """Return Similo's score of each candidate over the properties that HTML alone gives, 0 to 1."""
    return weighted_sum(SIMILO, page, rows, wanted) / sum(weight for weight, _ in SIMILO.values())


def similo_plus_plus(page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float64]:
    """Return Similo++'s score of each candidate over the properties that HTML alone gives, 0 to 1."""
    total = weighted_sum(SIMILO_PLUS_PLUS, page, rows, wanted) + ALL_ATTRIBUTES * equal_attributes(page, rows, wanted)
    return total / (sum(weight for weight, _ in SIMILO_PLUS_PLUS.values()) + ALL_ATTRIBUTES)


def weighted_sum(
    properties: dict[str, tuple[float, Similarity]], page: Page, rows: Rows, wanted: Fingerprint
) -> Numbers:
    """Return the sum of weight x similarity; a property missing on either side adds 0."""
    total = np.zeros(len(rows))
    for name, (weight, similarity) in properties.items():
        if known := wanted_value(name, wanted):
            total += weight * similarity(known, given_values(name, page, rows))
    return total


def equal_attributes(page: Page, rows: Rows, wanted: Fingerprint) -> Numbers:
    """Return how many attributes have the same value on both sides, as a share of the larger number of attributes."""
    same = np.zeros(len(rows))
    for name, value in wanted.attributes.items():
        same += np.array([given == value for given in values_at(page, rows, name)])
    counts = np.array([page.attribute_count(row) for row in rows.tolist()])
    return same / np.maximum(np.maximum(counts, len(wanted.attributes)), 1)


def values_at(page: Page, rows: Rows, attribute: str) -> Values:
    """Return one attribute of each candidate."""
    return [page.value(row, attribute) for row in rows.tolist()]


def given_values(name: str, page: Page, rows: Rows) -> Values:
    """Return a property of each candidate."""
    compute = COMPUTED.get(name)
    return [compute(page, row) for row in rows.tolist()] if compute else values_at(page, rows, name)


def is_button(tag: str | None, attributes: Callable[[str], str | None]) -> str:
    """Return "yes" for a button, a link whose class has "btn", and an input that is pressed; else "no"."""
    pressed = tag == "input" and attributes("type") in ("button", "submit", "reset")
    return "yes" if tag == "button" or (tag == "a" and "btn" in (attributes("class") or "")) or pressed else "no"


def visible_text(text: str | None, attributes: Callable[[str], str | None]) -> str | None:
    """Return the text of 3 to 50 characters, else the value, else the placeholder."""
    return text if text and 3 <= len(text) <= 50 else attributes("value") or attributes("placeholder")


COMPUTED: dict[str, Callable[[Page, int], str | None]] = {
    "tag": lambda page, row: page.tag(row),
    "path": indexed_path,
    "short_path": short_path,
    "id_path": id_path,
    "is_button": lambda page, row: is_button(page.tag(row), lambda name: page.value(row, name)),
    "visible_text": lambda page, row: visible_text(page.text(row), lambda name: page.value(row, name)),
    "whole_text": lambda page, row: page.text(row) or page.value(row, "value") or page.value(row, "placeholder"),
    "neighbour_text": neighbour_text,
}


def wanted_value(name: str, wanted: Fingerprint) -> str | None:
    """Return a property of the wanted element, or None if it is not known."""
    if name == "tag":
        return wanted.tag
    if name in ("path", "short_path", "id_path"):
        return wanted_path(name, wanted)
    if name == "is_button":
        return is_button(wanted.tag, wanted.value) if wanted.tag else None
    if name == "visible_text":
        return visible_text(wanted.text, wanted.value)
    if name == "whole_text":
        return wanted.text or wanted.value("value") or wanted.value("placeholder")
    if name == "neighbour_text":
        return wanted.neighbour_text
    return wanted.value(name)


def wanted_path(name: str, wanted: Fingerprint) -> str | None:
    """Return the old path in the form that ``name`` says; None without the whole way from the root."""
    if not wanted.rooted or wanted.tag is None:
        return None
    steps = [(step.tag, step.index or 1, step.id) for step in wanted.path]
    start = ""
    if name == "id_path":
        named = [at for at, (_, _, known) in enumerate(steps) if known]
        if named:
            start = f"//*[@id='{steps[named[-1]][2]}']"
            steps = steps[named[-1] + 1 :]
    tail = [*((tag, index) for tag, index, _ in steps), (wanted.tag, wanted.index or 1)]
    # The old page's lone siblings are not on record: Chromium's form is taken to number from the second on.
    numbered = ["" if name == "short_path" and index == 1 else f"[{index}]" for _, index in tail]
    return start + "".join(f"/{tag}{number}" for (tag, _), number in zip(tail, numbered, strict=True))
