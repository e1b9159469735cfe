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
from self_heal_engine.words import words_of

Numbers = NDArray[np.float64]


class Comparison:
    """The candidates of one page beside one fingerprint; facts shared by several features are computed once."""

    def __init__(self, page: Page, rows: Rows, wanted: Fingerprint) -> None:
        self.page, self.rows, self.wanted = page, rows, wanted
        self.unknown = np.full(len(rows), np.nan)

    def alike(self, column: Column, value: str | None) -> Numbers:
        """Return how alike the candidates' values are to a known one, upper and lower case apart; absent is 0."""
        if value is None:
            return self.unknown
        codes, which = np.unique(column.codes[self.rows], return_inverse=True)
        given = [column.values[code].casefold() if code >= 0 else "" for code in codes.tolist()]
        found = cdist([value.casefold()], given, scorer=Indel.normalized_similarity, dtype=np.float64)[0]
        found[codes < 0] = 0.0
        return np.asarray(found[which], dtype=np.float64)

    def attribute_alike(self, name: str) -> Numbers:
        """Return how alike the candidates' attribute is to the wanted one."""
        return self.alike(self.page.attribute(name), self.wanted.value(name))

    def same(self, column: Column, value: str | None) -> Numbers:
        """Return 1 where the candidates have exactly the known value, else 0."""
        if value is None:
            return self.unknown
        return (column.codes[self.rows] == column.code_of.get(value, -2)).astype(np.float64)

    def per_row(self, compute: Callable[[int], float]) -> Numbers:
        """Return a number computed candidate by candidate."""
        return np.array([compute(row) for row in self.rows.tolist()], dtype=np.float64)

    def rarity(self, column: Column) -> Numbers:
        """Return 1 / how many elements of the page have the candidate's value; NaN where it has none."""
        counts = np.append(column.counts().astype(np.float64), np.nan)
        return 1.0 / counts[column.codes[self.rows]]

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
        columns = [self.page.texts, names(self.page), labels(self.page), *map(self.page.attribute, attributes)]
        told = [gather(column, self.rows) for column in columns]
        return [
            words_of(value for value in values if value and len(value) <= LONGEST_OWN_TEXT)
            for values in zip(*told, strict=True)
        ]

    @cached_property
    def wanted_words(self) -> frozenset[str]:
        """The words in the fingerprint's names and texts."""
        return wanted_words(self.wanted)
