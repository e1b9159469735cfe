"""Pair: an element of a page and what became of it in the next release; labelled, de-duplicated, judged and capped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from self_heal_engine.breaking import failure, locators_of
from self_heal_engine.collection import MANIFEST, read_manifest
from self_heal_engine.dataset import Case, open_page
from self_heal_engine.dom import Page
from self_heal_engine.elements import elements
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import sha256
from self_heal_engine.labels import Match, label_pages
from self_heal_engine.params import Label
from self_heal_engine.paths import short_path
from self_heal_engine.sources import Source
from self_heal_engine.validation import STRICT

# A text longer than this is cut in a pair: it is there for people, not for matching.
MOST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class PagePair:
    """One page in two releases; the job that labelling is cut into."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    source: str
    family: str
    old_version: str
    new_version: str
    page: str
    one_language: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """An element of the old page and the one that it is on the new page (``new_row`` None: it was removed)."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    id: str  # names what is paired, not how: it outlives a change of the rules
    source: str
    family: str
    old_version: str
    new_version: str
    page: str
    kind: str  # role, or tag and type
    text: str
    old_row: int
    new_row: int | None
    old_path: str
    new_path: str | None
    rule: str
    keys: tuple[str, ...]  # the kinds of keys that agree


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person's verdict on a case: whether its pair is right. ``new_path`` names the right element, if another is."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    pair: str
    verdict: Literal["right", "wrong", "unsure"]
    rule: str  # by which the pair was made when it was judged
    difficulty: str  # of the case that was looked at
    by: str
    note: str = ""
    new_path: str | None = None


def page_pairs(pages: Path, sources: Iterable[Source]) -> list[PagePair]:
    """Return every page that two releases compared by a source both have, and in which something changed."""
    found = []
    for source in sources:
        for old, new in source.pairs():
            folders = [pages / source.name / release.version for release in (old, new)]
            if not all((folder / MANIFEST).exists() for folder in folders):
                continue  # not collected: left out by the parameters, or missing by permission
            before, after = (read_manifest(folder).pages for folder in folders)
            for page in sorted(set(before) & set(after)):
                if before[page] != after[page]:
                    versions = old.version, new.version
                    found.append(PagePair(source.name, source.family, *versions, page, old.locale == new.locale))
    return found


def open_pair(pages: Path, where: PagePair | Pair) -> tuple[Page, Page]:
    """Return the page in both releases."""
    old, new = (f"{where.source}/{version}/{where.page}.html" for version in (where.old_version, where.new_version))
    return open_page(pages, old), open_page(pages, new)


def label(pages: Path, where: PagePair) -> list[Pair]:
    """Return the pairs of one page that at least one locator does not survive."""
    old, new = open_pair(pages, where)
    kinds = elements(old).kinds
    return [
        pair_of(where, old, new, match, kinds[match.old])
        for match in label_pages(old, new, where.one_language)
        if match.new is None or breaks(old, new, match)
    ]


def breaks(old: Page, new: Page, match: Match) -> bool:
    """Return whether some locator that found the element no longer does."""
    return any(failure(new, locator, match.new) for _, locator in locators_of(old, match.old))


def pair_of(where: PagePair, old: Page, new: Page, match: Match, kind: str) -> Pair:
    """Return a match as a pair."""
    old_path = short_path(old, match.old)
    new_path = None if match.new is None else short_path(new, match.new)
    return Pair(
        id=pair_id(where, old_path, new_path),
        source=where.source,
        family=where.family,
        old_version=where.old_version,
        new_version=where.new_version,
        page=where.page,
        kind=kind,
        text=old.text(match.old)[:MOST_SHOWN],
        old_row=match.old,
        new_row=match.new,
        old_path=old_path,
        new_path=new_path,
        rule=match.rule,
        keys=match.keys,
    )


def settle(pairs: Iterable[Pair], judgements: Sequence[Judgement], params: Label) -> list[Pair]:
    """Return the pairs that count: each once, none that a person called wrong, no more than the limits allow.

    Every kind of element of a step gives one in turn, so that the many links of a page do not crowd out its fields.
    Which ones stay is a matter of the seed and of the pairs of the step and family: another source changes nothing.
    Pairs that a person called right are kept first.
    """
    wrong = {judgement.pair for judgement in judgements if judgement.verdict == "wrong"}
    right = {judgement.pair for judgement in judgements if judgement.verdict == "right"}
    turns: Counter[tuple[str, ...]] = Counter()
    drawn: list[tuple[bool, int, Pair]] = []
    for pair in sorted(distinct(pairs), key=lambda pair: sha256(f"{params.seed}{pair.id}")):
        kind = (pair.source, pair.old_version, pair.new_version, pair.kind)
        drawn.append((pair.id not in right and pair.rule != "J1", turns[kind], pair))
        turns[kind] += 1
    taken: Counter[tuple[str, ...]] = Counter()
    kept: list[Pair] = []
    for _, _, pair in sorted(drawn, key=lambda entry: entry[:2]):  # stable: by the hash where turns are equal
        room = limits(pair, params)
        if pair.id not in wrong and all(taken[whole] < most for whole, most in room.items()):
            taken.update(room.keys())
            kept.append(pair)
    return sorted(kept, key=lambda pair: (pair.source, pair.old_version, pair.new_version, pair.page, pair.old_row))


def limits(pair: Pair, params: Label) -> dict[tuple[str, ...], int]:
    """Return what a pair is part of, and how many pairs each may give."""
    step = (
        "step",
        pair.source,
        pair.old_version,
        pair.new_version,
        "paired" if pair.new_row is not None else "removed",
    )
    return {
        step: params.most_per_step if pair.new_row is not None else params.most_removed_per_step,
        ("source", pair.source): params.most_per_source,
        ("family", pair.family): params.most_per_family,
    }


def distinct(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Yield each pair once: bars of links repeat on every page of a site, with the same text at the same place."""
    seen = set()
    for pair in pairs:
        what = (pair.source, pair.old_version, pair.new_version, pair.text, pair.kind, pair.old_path, pair.new_path)
        if what not in seen:
            seen.add(what)
            yield pair


def corrected(pairs: Iterable[Pair], judgements: Iterable[Judgement], pages: Path) -> Iterator[Pair]:
    """Yield the pairs, those for which a person named the right element with that one (rule ``J1``).

    CannotHeal ``bad_judgement`` if what a person named is not one element of the new page.
    """
    right = {judgement.pair: judgement.new_path for judgement in judgements if judgement.new_path}
    for pair in pairs:
        if pair.id not in right:
            yield pair
            continue
        _, new = open_pair(pages, pair)
        rows = new.xpath(str(right[pair.id])).tolist()
        if len(rows) != 1:
            raise CannotHeal("bad_judgement", f"{quoted(right[pair.id])} finds {len(rows)} elements, for {pair.id}")
        path = short_path(new, rows[0])
        name = pair_id(pair, pair.old_path, path)
        yield replace(pair, id=name, new_row=rows[0], new_path=path, rule="J1", keys=("judged",))


def pair_id(where: PagePair | Pair, old_path: str, new_path: str | None) -> str:
    """Return what names a pair: the page in both releases, and both elements."""
    place = (where.source, where.old_version, where.new_version, where.page, old_path, str(new_path))
    return sha256("\0".join(place))[:12]


def audited(cases: Iterable[Case], judgements: Iterable[Judgement]) -> list[Case]:
    """Return the natural cases whose pair a person looked at and called right: a set of their own to measure on."""
    right = {judgement.pair for judgement in judgements if judgement.verdict == "right"}
    return [case for case in cases if case.difficulty == "natural" and case.pair in right]
