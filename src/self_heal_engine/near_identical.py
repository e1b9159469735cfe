"""How alike two pages are, by MinHash: whether pages of one family stand on two sides of a split under other names.

MinHash: A. Broder, On the resemblance and containment of documents, 1997. The share of equal minima estimates the
Jaccard index of the two sets of shingles.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.dom import Page
from self_heal_engine.files import read_html
from self_heal_engine.parser import parse_html

# So many minima estimate a Jaccard index with a standard error of at most 0.045.
HASHES = 128
PRIME = (1 << 31) - 1

# A shingle is so many elements in a row, each with its tag, first class and own text.
SHINGLE = 3

Signature = NDArray[np.int64]


def signature(path: Path) -> Signature:
    """Return the signature of a page in a file."""
    return page_signature(parse_html(read_html(path)))


def page_signature(page: Page) -> Signature:
    """Return the smallest hash of the page's shingles under each of ``HASHES`` hash functions."""
    classes, texts = page.attribute("class"), page.own_texts
    elements = [f"{page.tag(row)} {(classes[row] or '').partition(' ')[0]} {texts[row]}" for row in range(len(page))]
    runs = {"\0".join(elements[start : start + SHINGLE]) for start in range(max(len(elements) - SHINGLE + 1, 1))}
    values = np.fromiter((zlib.crc32(run.encode("utf-8", "replace")) for run in runs), dtype=np.int64) % PRIME
    factors = np.random.default_rng(0).integers(1, 1 << 31, size=(2, HASHES), dtype=np.int64)
    smallest = np.full(HASHES, PRIME, dtype=np.int64)
    for part in np.array_split(values, max(len(values) // 4096, 1)):
        hashed = (part[:, None] * factors[0] + factors[1]) % PRIME
        smallest = np.minimum(smallest, hashed.min(axis=0))
    return smallest


def closest(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> tuple[float, int, int]:
    """Return the highest likeness between two sets of signatures, 0 to 1, and which two it is."""
    best = (0.0, 0, 0)
    for at, one in enumerate(ours):
        alike = (theirs == one).mean(axis=1)
        other = int(alike.argmax())
        best = max(best, (float(alike[other]), at, other))
    return best
