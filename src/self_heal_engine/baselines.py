"""BASELINES: the published rankers, to measure ours against. Each is written from its formula, on the same table.

Similo and Similo++ stand in ``similo.py``: their scores are features too. The others compare strings by difflib, as
published, and are slow: they serve evaluation only. None uses rectangles. A score is brought to 0..1 by its published
maximum; what a page does not say adds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq, Levenshtein

from self_heal_engine.dom import Page, Rows, per_page
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.locators import TEST_ID_ATTRIBUTES
from self_heal_engine.paths import id_path, indexed_path
from self_heal_engine.similo import similo, similo_plus_plus, wanted_path

Numbers = NDArray[np.float64]


def ratio(one: Sequence[object], other: Sequence[object]) -> float:
    """Return difflib's ratio of two sequences; the order of the two matters, as it does there."""
    return SequenceMatcher(None, one, other).ratio()


def per_row(rows: Rows, score: Callable[[int], float]) -> Numbers:
    """Return a score computed candidate by candidate, not above 1."""
    return np.array([min(score(row), 1.0) for row in rows.tolist()], dtype=np.float64)


def tags_down(page: Page, row: int) -> list[str]:
    """Return the tags from the root down to the element."""
    return [page.tag(at) for at in (row, *page.ancestors(row))][::-1]


def wanted_tags(wanted: Fingerprint) -> list[str]:
    """Return the tags from the root down to the wanted element."""
    return [*(step.tag or "" for step in wanted.path), wanted.tag or ""]


# -- Scrapling 0.5 -------------------------------------------------------------------------------------------------


def scrapling(page: Page, rows: Rows, wanted: Fingerprint) -> Numbers:
    """Score as Scrapling's ``relocate`` does: the mean of the checks that apply, as a share with four decimals."""
    return per_row(rows, lambda row: _scrapling(page, row, wanted))


def _scrapling(page: Page, row: int, wanted: Fingerprint) -> float:
    attributes = filled(page.attributes(row))
    known = filled(wanted.attributes)
    checks = [float(page.tag(row) == wanted.tag), alike_in_order(known, attributes)]
    if wanted.leading_text:
        checks.append(ratio(wanted.leading_text, page.leading_text(row)))
    checks += [ratio(known[name], attributes.get(name, "")) for name in ("class", "id", "href", "src") if name in known]
    checks.append(ratio(wanted_tags(wanted), tags_down(page, row)))
    if wanted.path and page.parents[row] >= 0:
        checks += _scrapling_parent(page, int(page.parents[row]), wanted)
    if wanted.sibling_tags:
        checks.append(ratio(wanted.sibling_tags, [page.tag(at) for at in page.siblings(row) if at != row]))
    return round(100 * sum(checks) / len(checks), 2) / 100


def _scrapling_parent(page: Page, parent: int, wanted: Fingerprint) -> list[float]:
    checks = [
        ratio(wanted.path[-1].tag or "", page.tag(parent)),
        alike_in_order(wanted.parent_attributes, page.attributes(parent)),
    ]
    if wanted.parent_leading_text:
        checks.append(ratio(wanted.parent_leading_text, page.leading_text(parent)))
    return checks


def filled(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that have a value, white space at its ends removed."""
    return {name: value.strip() for name, value in attributes.items() if value.strip()}


def alike_in_order(one: Mapping[str, str], other: Mapping[str, str]) -> float:
    """Return half the ratio of the names plus half that of the values, in the order of the page."""
    return 0.5 * ratio(tuple(one), tuple(other)) + 0.5 * ratio(tuple(one.values()), tuple(other.values()))


# -- Healenium's tree comparing ------------------------------------------------------------------------------------

HEALENIUM_MAXIMUM = 350.0  # 100 path + 100 tag + 50 id + 40 classes + 30 text + 30 other attributes


def healenium(page: Page, rows: Rows, wanted: Fingerprint) -> Numbers:
    """Score as Healenium's HeuristicNodeDistance does, over its maximum of 350; its default cap is 0.6."""
    if not wanted.rooted:
        return np.zeros(len(rows))
    leaves = leaf_rows(page)
    old_path = [*((step.tag, step.id or "") for step in wanted.path), (wanted.tag, wanted.value("id") or "")]
    depths = np.array([LCSseq.similarity(old_path, nodes_down(page, leaf)) for leaf in leaves.tolist()])
    most = min(int(depths.max(initial=0)), len(old_path))

    def score(row: int) -> float:
        inside = depths[slice(*np.searchsorted(leaves, (row, page.ends[row])))]
        reached = inside[inside <= page.depths[row] + 1].max(initial=0)
        if most == 0 or reached == 0 or (most > 5 and reached / most < 0.7):
            return 0.0
        return (100.0 * reached / most + healenium_node(page, row, wanted)) / HEALENIUM_MAXIMUM

    return per_row(rows, score)


@per_page
def leaf_rows(page: Page) -> Rows:
    """Return the elements without children."""
    return np.flatnonzero(page.ends == np.arange(1, len(page) + 1))


def nodes_down(page: Page, row: int) -> list[tuple[str, str]]:
    """Return (tag, id) from the root down to the element."""
    ids = page.attribute("id")
    return [(page.tag(at), ids[at] or "") for at in (row, *page.ancestors(row))][::-1]


def healenium_node(page: Page, row: int, wanted: Fingerprint) -> float:
    """Return what Healenium adds for tag, id, text, classes and the other attributes, at most 250 and a little."""
    attributes = page.attributes(row)
    others = {name: value for name, value in attributes.items() if name not in ("id", "class")}
    known = {name: value for name, value in wanted.attributes.items() if name not in ("id", "class")}
    names = known.keys() | others.keys()
    alike = [capped_levenshtein(known.get(name), others.get(name), 0.75) for name in names]
    return (
        100.0 * ((wanted.tag or "").lower() == page.tag(row).lower())
        + 50.0 * capped_levenshtein(wanted.value("id") or "", attributes.get("id", ""), 0.3)
        + 30.0 * capped_levenshtein(wanted.text, page.text(row), 0.3)
        + healenium_classes(frozenset(wanted.classes), frozenset(attributes.get("class", "").split()))
        + 30.0 * (sum(alike) / len(alike) if alike else 1.0)
    )


def healenium_classes(known: frozenset[str], given: frozenset[str]) -> float:
    """Return 40 x Jaccard, plus what the classes that differ gain by being spelt alike."""
    together = known | given
    if known == given:
        return 40.0
    left, right = (known - given, given) if known - given else (given - known, known)
    pairs = [capped_levenshtein(one, other, 0.75) for one in left for other in right]
    alike = sum(pairs) / len(pairs) if pairs else 0.0
    return 40.0 * (len(known & given) + len(known ^ given) * alike) / len(together)


def capped_levenshtein(one: str | None, other: str | None, cap: float) -> float:
    """Return 1 - distance / length of the longer; 0 past the cap or where one is missing, 1 for two empty ones."""
    if one is None or other is None:
        return 0.0
    one, other = one.lower(), other.lower()
    longest = max(len(one), len(other))
    if longest == 0:
        return 1.0
    distance = Levenshtein.distance(one, other)
    return 0.0 if distance > int(longest * cap + 1) else max(longest - distance, 0) / longest


# -- PyScrappy's adaptive mode -------------------------------------------------------------------------------------

# A text that is a price, a date or a number changes without the element changing.
VOLATILE = re.compile(r"^[\s$€£¥]*[\d.,:/ -]*\d[\d.,:/ -]*[\s$€£¥%]*$")


def pyscrappy(page: Page, rows: Rows, wanted: Fingerprint) -> Numbers:
    """Score as PyScrappy's adaptive mode does: only elements of the wanted tag, if any; its threshold is 0.55."""
    only = wanted.tag if wanted.tag in page.tags.code_of else None
    return per_row(rows, lambda row: 0.0 if only and page.tag(row) != only else _pyscrappy(page, row, wanted))


def _pyscrappy(page: Page, row: int, wanted: Fingerprint) -> float:
    attributes, checks = page.attributes(row), [(1.0, float(page.tag(row) == wanted.tag))]
    if known := wanted.value("id"):
        checks.append((6.0, ratio(known, attributes.get("id", ""))))
    if test_id := next((name for name in TEST_ID_ATTRIBUTES if wanted.value(name)), None):
        checks.append((5.0, ratio(wanted.attributes[test_id], attributes.get(test_id, ""))))
    if wanted.classes:
        checks.append((2.5, jaccard(set(wanted.classes), set(attributes.get("class", "").split()))))
    own = {"id", "class", *TEST_ID_ATTRIBUTES}
    if others := {name: value for name, value in wanted.attributes.items() if name not in own}:
        given = {name: value for name, value in attributes.items() if name not in own}
        checks.append((1.5, other_attributes(others, given)))
    if wanted.text:
        checks.append((0.3 if VOLATILE.match(wanted.text) else 3.5, ratio(wanted.text, page.text(row))))
    if anchor := nearest_id([step.id for step in wanted.path]):
        checks.append((3.0, anchored(anchor, nearest_id([page.value(at, "id") for at in page.ancestors(row)][::-1]))))
    checks.append((1.0, ratio("/".join(wanted_tags(wanted)), "/".join(tags_down(page, row)))))
    if wanted.sibling_tags:
        checks.append((0.5, ratio(wanted.sibling_tags, [page.tag(at) for at in page.siblings(row) if at != row])))
    return sum(weight * alike for weight, alike in checks) / sum(weight for weight, _ in checks)


def jaccard(one: set[str], other: set[str]) -> float:
    """Return the share of the members that both have."""
    return len(one & other) / len(one | other) if one | other else 0.0


def other_attributes(known: Mapping[str, str], given: Mapping[str, str]) -> float:
    """Return the mean of the Jaccard of the names and the mean ratio of the values that both have."""
    both = known.keys() & given.keys()
    values = sum(ratio(known[name], given[name]) for name in both) / len(both) if both else 0.0
    return (jaccard(set(known), set(given)) + values) / 2


def nearest_id(ids: Sequence[str | None]) -> tuple[str, int] | None:
    """Return the last id of a way down, and how many levels above the element it stands."""
    return next(((value, up) for up, value in enumerate(reversed(ids), start=1) if value), None)


def anchored(wanted: tuple[str, int], given: tuple[str, int] | None) -> float:
    """Return how alike two nearest ancestors with an id are, in name and in distance."""
    return 0.0 if given is None else (ratio(wanted[0], given[0]) + 1 / (1 + abs(wanted[1] - given[1]))) / 2


# -- exact voting --------------------------------------------------------------------------------------------------

# What share of such locators found their element after years, where published (LML and its replication); else a half.
RELIABILITY = {"id": 0.5, "name": 0.5, "xpath": 0.17, "id_xpath": 0.41, "text": 0.5, "href": 0.5, "class": 0.5}


def voting(page: Page, rows: Rows, wanted: Fingerprint) -> Numbers:
    """Score by votes: each simple locator of the old element that still finds just one element votes for it."""
    votes = {kind: found for kind, found in simple_locators(page, rows, wanted).items() if found is not None}
    total = np.zeros(len(rows))
    for kind, found in votes.items():
        if len(found) == 1:
            total += RELIABILITY[kind] * (rows == found[0])
    return total / max(sum(RELIABILITY[kind] for kind in votes), 1e-9)


def simple_locators(page: Page, rows: Rows, wanted: Fingerprint) -> dict[str, Rows | None]:
    """Return what each simple locator of the old element finds on the page now; None where it cannot be written."""

    def by(name: str) -> Rows | None:
        value = wanted.value(name)
        return page.attribute(name).rows_with(value) if value else None

    def of_tag(found: Rows | None) -> Rows | None:
        return None if found is None else found[page.is_tag(wanted.tag or "")[found]]

    def at(name: str, path: Callable[[Page, int], str]) -> Rows | None:
        known = wanted_path(name, wanted)
        return None if known is None else rows[[path(page, row) == known for row in rows.tolist()]]

    return {
        "id": by("id"),
        "name": by("name"),
        "xpath": at("path", indexed_path),
        "id_xpath": at("id_path", id_path),
        "text": of_tag(page.texts.rows_with(wanted.text)) if wanted.text else None,
        "href": by("href"),
        "class": of_tag(by("class")),
    }


BASELINES: dict[str, Callable[[Page, Rows, Fingerprint], Numbers]] = {
    "similo": similo,
    "similo++": similo_plus_plus,
    "healenium": healenium,
    "scrapling": scrapling,
    "pyscrappy": pyscrappy,
    "voting": voting,
}
