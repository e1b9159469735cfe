"""Comparison: the candidates of one page beside one fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from self_heal_engine.accessibility import labels
from self_heal_engine.accessible_names import names
from self_heal_engine.candidates import LONGEST_OWN_TEXT, wanted_words
from self_heal_engine.dom import Column, Page, Rows, gather
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.locators import TEST_ID_ATTRIBUTES
from self_heal_engine.tokens import own_tokens, split, tokens
from self_heal_engine.words import words_of

Numbers = NDArray[np.float64]


class Comparison:
    """The candidates of one page beside one fingerprint; facts shared by several features are computed once."""

    def __init__(self, page: Page, rows: Rows, wanted: Fingerprint) -> None:
        self.page, self.rows, self.wanted = page, rows, wanted
        self.unknown = np.full(len(rows), np.nan)

    def values(self, attribute: str) -> list[str | None]:
        """Return one attribute of each candidate."""
        return [self.page.value(row, attribute) for row in self.rows.tolist()]

    def alike(self, given: list[str | None], value: str) -> Numbers:
        """Return how alike the candidates' values are to a known one, upper and lower case apart; absent is 0."""
        distinct = list(dict.fromkeys(text.casefold() for text in given if text is not None))
        if not distinct:
            return np.zeros(len(given))
        found = cdist([value.casefold()], distinct, scorer=Indel.normalized_similarity, dtype=np.float64)[0]
        likeness = dict(zip(distinct, found.tolist(), strict=True))
        return np.array([0.0 if text is None else likeness[text.casefold()] for text in given])

    def column_alike(self, column: Column, value: str | None) -> Numbers:
        """Return how alike a column's values are to a known one."""
        return self.unknown if value is None else self.alike(gather(column, self.rows), value)

    def attribute_alike(self, name: str) -> Numbers:
        """Return how alike the candidates' attribute is to the wanted one; a generated id says nothing."""
        value = self.wanted.lasting_value(name)
        return self.unknown if value is None else self.alike(self.values(name), value)

    def same(self, column: Column, value: str | None) -> Numbers:
        """Return 1 where the candidates have exactly the known value, else 0."""
        if value is None:
            return self.unknown
        return (column.codes[self.rows] == column.code_of.get(value, -2)).astype(np.float64)

    def attribute_same(self, name: str) -> Numbers:
        """Return 1 where the candidates' attribute is exactly the wanted one, else 0."""
        value = self.wanted.value(name)
        return self.unknown if value is None else np.array([given == value for given in self.values(name)], float)

    def per_row(self, compute: Callable[[int], float]) -> Numbers:
        """Return a number computed candidate by candidate."""
        return np.array([compute(row) for row in self.rows.tolist()], dtype=np.float64)

    def alone(self, column: Column, value: str | None) -> Numbers:
        """Return how alone the candidates that have exactly the known value are with it, 1 / how many; else 0.

        Tried: the rarity of whatever value a candidate has. On edited pages the target alone was changed, and what is
        rare there was taken for it.
        """
        same = self.same(column, value)
        return same / np.maximum(column.counts()[column.code_of[value]], 1) if value in column.code_of else same

    @cached_property
    def tags(self) -> list[str]:
        """The candidates' tags."""
        return [self.page.tag(row) for row in self.rows.tolist()]

    @cached_property
    def said(self) -> list[frozenset[str]]:
        """The words in each candidate's names and texts."""
        attributes = (
            "id",
            "name",
            "type",
            "class",
            "placeholder",
            "title",
            "alt",
            "href",
            "value",
            *TEST_ID_ATTRIBUTES,
        )
        columns = (self.page.texts, names(self.page), labels(self.page))
        told = [*(gather(column, self.rows) for column in columns), *map(self.values, attributes)]
        return [
            words_of(value for value in values if value and len(value) <= LONGEST_OWN_TEXT)
            for values in zip(*told, strict=True)
        ]

    @cached_property
    def wanted_words(self) -> frozenset[str]:
        """The words in the fingerprint's names and texts."""
        return wanted_words(self.wanted)

    @cached_property
    def called(self) -> list[list[str | None]]:
        """What a person would call each candidate by: its text, name, label and the attributes that are shown."""
        columns = (self.page.texts, names(self.page), labels(self.page))
        attributes = ("placeholder", "title", "alt", "value", "aria-label")
        return [*(gather(column, self.rows) for column in columns), *map(self.values, attributes)]

    @cached_property
    def tokens(self) -> list[frozenset[str]]:
        """The words and numbers in each candidate's attributes and text."""
        return [tokens(self.page, row) for row in self.rows.tolist()]

    @cached_property
    def wanted_tokens(self) -> frozenset[str]:
        """The words and numbers in the fingerprint's attributes, classes, parts and texts."""
        known = self.wanted
        return own_tokens(known.attributes, known.text) | split(
            [known.name, known.label, *known.classes, *known.parts.values()]
        )
