"""label_pages(old, new): which element of a page is which element of its next release, by keys present in both.

The rules, and how often each is wrong by eye, stand in ``data/RUBRIC.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from self_heal_engine.dom import Page
from self_heal_engine.elements import CLASSES, Elements, elements, words_shown
from self_heal_engine.removals import removed

# Keys of one group come from one decision of an author, and do not confirm each other.
GROUPS = {
    "id": "identity", "name": "identity", "href": "href", "test_id": "test_id", "aria": "aria", "label": "text",
    "text": "text",
}  # fmt: skip

# The rule for a pair that one group of keys makes alone.
ALONE = {"identity": "K1", "href": "H1", "test_id": "D1", "aria": "T1", "text": "T1"}


@dataclass(frozen=True, slots=True)
class Match:
    """An element of the old page and the one of the new page that it became; ``new`` None: it was removed."""

    old: int
    new: int | None
    rule: str
    keys: tuple[str, ...]  # the kinds of keys that agree


def label_pages(old: Page, new: Page, one_language: bool = True) -> list[Match]:
    """Return the elements of two releases of a page that are surely the same, and those that were surely removed.

    First by keys that are unique among elements of one role, then among roles of one use (two groups of keys must
    agree), then between two labelled neighbours. A pair whose keys contradict each other is dropped, and so are all
    that claim one new element.
    """
    before, after = elements(old), elements(new)
    matched, doubtful = by_keys(before, after, {}, one_language)
    wider, _ = by_keys(before, after, CLASSES, one_language)
    claimed = {match.new for match in matched.values()}
    for row, match in wider.items():
        if row not in matched and row not in doubtful and match.rule == "A2" and match.new not in claimed:
            matched[row] = Match(row, match.new, "C2", match.keys)
    matched = without_rivals(matched)
    matched |= between_neighbours(before, after, matched, doubtful)
    matched = without_rivals(matched)
    found = [matched[row] for row in before.rows if row in matched]
    if not one_language:
        return found
    partners = {match.old: match.new for match in found if match.new is not None}
    return found + [Match(row, None, "R0", ()) for row in removed(before, after, partners) if row not in doubtful]


def by_keys(
    before: Elements, after: Elements, grouping: Mapping[str, str], one_language: bool
) -> tuple[dict[int, Match], set[int]]:
    """Return the matches that keys make, by old row; and the old rows whose keys contradict each other."""
    old_index, new_index = before.index(grouping), after.index(grouping)
    found: dict[int, Match] = {}
    doubtful: set[int] = set()
    for row in before.rows:
        kind = grouping.get(before.kinds[row], before.kinds[row])
        points = {
            what: new_index[kind, what, value]
            for what, value in before.keys[row].items()
            if (kind, what, value) in old_index and (kind, what, value) in new_index
        }
        targets = set(points.values())
        if len(targets) > 1:
            doubtful.add(row)
        elif targets:
            new = targets.pop()
            rule = rule_of(points, before, after, row, new, one_language)
            if rule:
                found[row] = Match(row, new, rule, tuple(sorted(points)))
            else:
                doubtful.add(row)
    return found, doubtful


def rule_of(
    points: Mapping[str, int], before: Elements, after: Elements, old: int, new: int, one_language: bool
) -> str | None:
    """Return the rule by which some keys make a pair, or None if they are not enough."""
    groups = {GROUPS[what] for what in points}
    if len(groups) > 1:
        return "A2"
    (group,) = groups
    if ALONE[group] != "T1":
        if not one_language:
            return "L1"  # a translation: the words differ, the application is the same
        return ALONE[group] if related(before, after, old, new) else None
    hrefs = before.keys[old].get("href"), after.keys[new].get("href")
    return "T1h" if all(hrefs) and hrefs[0] != hrefs[1] else "T1"


def related(before: Elements, after: Elements, old: int, new: int) -> bool:
    """Return whether what a reader sees of two elements has a word in common, or one of them shows none."""
    ours, theirs = words_shown(before, old), words_shown(after, new)
    return bool(ours & theirs) or not ours or not theirs


def without_rivals(matched: Mapping[int, Match]) -> dict[int, Match]:
    """Return the matches whose new element no other one claims."""
    claims = Counter(match.new for match in matched.values())
    return {row: match for row, match in matched.items() if claims[match.new] == 1}


def between_neighbours(
    before: Elements, after: Elements, matched: Mapping[int, Match], doubtful: set[int]
) -> dict[int, Match]:
    """Return the elements that stand alone between two labelled ones on both pages, with equal texts or none (S1)."""
    place = {row: at for at, row in enumerate(after.rows)}
    claimed = {match.new for match in matched.values()}
    found = {}
    for left, row, right in zip(before.rows, before.rows[1:], before.rows[2:], strict=False):
        if row in matched or row in doubtful or left not in matched or right not in matched:
            continue
        start, end = place.get(matched[left].new or -1, -9), place.get(matched[right].new or -1, -9)
        if end - start != 2:
            continue
        new = after.rows[start + 1]
        if new not in claimed and before.kinds[row] == after.kinds[new] and alike(before.keys[row], after.keys[new]):
            found[row] = Match(row, new, "S1", ("neighbours",))
    return found


def alike(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Return whether two elements read the same and none of their keys but the address says otherwise."""
    both = (set(ours) & set(theirs)) - {"href"}
    return ours.get("text") == theirs.get("text") and all(ours[what] == theirs[what] for what in both)
