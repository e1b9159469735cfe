"""The string similarities of the published rankers: one wanted value beside many given ones, 0 where one is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

Numbers = NDArray[np.float64]
Values = Sequence[str | None]
Similarity = Callable[[str | None, Values], Numbers]

# Similo++ compares longer strings as sets of words.
LONG = 50


def by_value(compare: Callable[[str, list[str]], Sequence[float] | Numbers]) -> Similarity:
    """Return a similarity that compares each distinct value once, and gives 0 where either side is missing or empty."""

    def similarity(wanted: str | None, given: Values) -> Numbers:
        distinct = list(dict.fromkeys(value for value in given if value))
        if not wanted or not distinct:
            return np.zeros(len(given))
        found = dict(zip(distinct, compare(wanted, distinct), strict=True))
        return np.array([found[value] if value else 0.0 for value in given], dtype=np.float64)

    similarity.__doc__, similarity.__name__ = compare.__doc__, compare.__name__
    return similarity


@by_value
def equal(wanted: str, given: list[str]) -> Sequence[float]:
    """1 where the values are the same."""
    return [float(wanted == value) for value in given]


@by_value
def equal_ignoring_case(wanted: str, given: list[str]) -> Sequence[float]:
    """1 where the values are the same, upper and lower case apart."""
    return [float(wanted.lower() == value.lower()) for value in given]


@by_value
def similo_levenshtein(wanted: str, given: list[str]) -> Sequence[float]:
    """Similo's LEV: the distance ignores all but letters and digits, the length it is set against does not."""
    bare = ["".join(filter(str.isalnum, value)) for value in (wanted, *given)]
    distances = cdist(bare[:1], bare[1:], scorer=Levenshtein.distance)[0].tolist()
    longest = [max(len(wanted), len(value)) for value in given]
    return [
        1.0 if wanted == value else max(int((length - distance) * 100 / length), 0) / 100
        for value, length, distance in zip(given, longest, distances, strict=True)
    ]


@by_value
def levenshtein_50(wanted: str, given: list[str]) -> Sequence[float]:
    """Similo++'s LEV50: 1 - distance / length of the longer, at most 50; words as sets where either is longer."""
    distances = cdist([wanted], given, scorer=Levenshtein.distance)[0].tolist()
    return [
        _word_jaccard(wanted, value)
        if max(len(wanted), len(value)) > LONG
        else 1.0 - distance / min(max(len(wanted), len(value)), LONG)
        for value, distance in zip(given, distances, strict=True)
    ]


@by_value
def character_jaccard(wanted: str, given: list[str]) -> Sequence[float]:
    """Similo++'s JAC: Jaccard of the sets of characters; words as sets where either is longer than 50."""
    known = set(wanted)
    return [
        _word_jaccard(wanted, value)
        if max(len(wanted), len(value)) > LONG
        else len(known & set(value)) / len(known | set(value))
        for value in given
    ]


@by_value
def word_jaccard(wanted: str, given: list[str]) -> Sequence[float]:
    """Similo++'s SET: Jaccard of the sets of words."""
    return [_word_jaccard(wanted, value) for value in given]


def _word_jaccard(wanted: str, value: str) -> float:
    known, found = set(wanted.split()), set(value.split())
    return len(known & found) / len(known | found) if known | found else 0.0


@by_value
def similo_words(wanted: str, given: list[str]) -> Sequence[float]:
    """Similo's WORDS: the letters of the wanted words that begin or end one of the given words, or the reverse."""
    return [_similo_words(wanted, value) for value in given]


def _similo_words(wanted: str, value: str) -> float:
    first, second = wanted.split(), value.split()
    if not first or not second:
        return 0.0
    alike = sum(len(word) for word in first if any(_begins_or_ends(word, other) for other in second))
    length = max(len(wanted) - len(first) + 1, len(value) - len(second) + 1)
    return min(int(alike * 100 / length), 100) / 100


def _begins_or_ends(one: str, other: str) -> bool:
    return one.startswith(other) or one.endswith(other) or other.startswith(one) or other.endswith(one)
