"""Case: one broken locator with its page and its answer, a line of JSON; and the split of cases by family."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

import numpy as np

from self_heal_engine.breaking import FORMS, Failure
from self_heal_engine.dom import Page
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import below, lines_of, read_html, read_text, write_lines
from self_heal_engine.fingerprint import (
    Fingerprint,
    dump_fingerprint,
    fingerprint,
    guess_fingerprint,
    load_fingerprint,
    with_context,
)
from self_heal_engine.locators import KINDS, Locator
from self_heal_engine.parser import parse_html, read_page
from self_heal_engine.validation import STRICT, from_json

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

# How much was done to the new page: nothing (real evolution), keys hidden, seeded changes, the element deleted.
DIFFICULTIES = (
    "natural", "masked-1", "masked-2", "masked-3", "mutated-1", "mutated-2", "mutated-3", "mutated-4", "deleted",
)  # fmt: skip

# What the caller knows besides the locator, each more than the one before.
KNOWLEDGE = ("locator", "text", "anchors", "baseline", "fingerprint")


@dataclass(frozen=True, slots=True)
class Case:
    """One broken locator: where it worked, the page on which it is broken, and which element is the right one.

    Paths are below the data folder. ``new_row`` None: the element is gone. Of confirmed heals without a baseline page
    ``old_page`` and ``old_row`` are None, and ``fingerprint`` may hold what was stored.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    id: str
    pair: str
    source: str
    family: str
    old_version: str
    new_version: str
    page: str
    old_page: str | None
    new_page: str
    old_row: int | None
    new_row: int | None
    rule: str
    difficulty: str
    operators: tuple[str, ...]  # what an edit did to the element
    knowledge: str
    form: str  # how the locator is written, one of ``breaking.FORMS``
    locator_type: str
    original_locator: str
    failure: Failure
    visible_text: str | None = None
    anchors: tuple[str, ...] = ()
    action: str | None = None
    fingerprint: str | None = None
    weight: float = 1.0


def check(case: Case, where: str) -> Case:
    """Return the case; CannotHeal ``bad_case`` if a value is none of the known ones or two contradict each other."""
    known = {
        "difficulty": DIFFICULTIES,
        "knowledge": KNOWLEDGE,
        "form": FORMS,
        "locator_type": KINDS,
    }
    for name, values in known.items():
        if getattr(case, name) not in values:
            raise CannotHeal("bad_case", f"{where}: {name} {quoted(getattr(case, name))} is not known")
    if (case.old_page is None) != (case.old_row is None):
        raise CannotHeal("bad_case", f"{where}: old_page and old_row go together")
    if case.difficulty == "deleted" and case.new_row is not None:
        raise CannotHeal("bad_case", f"{where}: a deleted element has no new_row, not {case.new_row}")
    if case.knowledge == "baseline" and case.old_page is None:
        raise CannotHeal("bad_case", f"{where}: a baseline is known, but there is no old_page")
    return case


Record = TypeVar("Record")


def read_records(path: Path, form: type[Record], word: str) -> Iterator[Record]:
    """Yield the records of a JSON Lines file; CannotHeal ``word`` names the file and the line that does not fit."""
    for number, line in enumerate(lines_of(path), start=1):
        if line.strip():
            try:
                yield from_json(form, line, word)
            except CannotHeal as refusal:
                raise CannotHeal(word, f"line {number} of {quoted(path)}: {refusal.sentence}") from refusal


def write_records(path: Path, records: Iterable[object]) -> None:
    """Write records as JSON Lines, whole or not at all."""
    write_lines(path, (json.dumps(asdict(record), ensure_ascii=False) for record in records))  # type: ignore[call-overload]


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a file; CannotHeal ``bad_case`` names the line that is cut off or does not fit."""
    for number, case in enumerate(read_records(path, Case, "bad_case"), start=1):
        yield check(case, f"case {number} of {quoted(path)}")


def write_cases(path: Path, cases: Sequence[Case]) -> None:
    """Write cases, checked, one a line, whole or not at all."""
    write_records(path, [check(case, f"case {case.id}") for case in cases])


# -- opening a case ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """What a browser measured of a page, an entry an element: ``<page>.layout.json`` beside the page."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    rectangles: tuple[tuple[float, float, float, float], ...]  # x, y, width, height
    visible: tuple[bool, ...]


def open_page(data: Path, page: str) -> Page:
    """Return one page of a case, with its layout where a browser measured it; the pages used last come from a cache."""
    path = below(data, page)
    measured = path.with_suffix(".layout.json")
    if not measured.exists():
        return parse_html(read_html(path))
    opened = read_page(read_html(path))  # its own: the cache knows pages by their HTML alone
    layout = from_json(Layout, read_text(measured), "bad_layout")
    if not len(layout.rectangles) == len(layout.visible) == len(opened):
        raise CannotHeal("bad_layout", f"{quoted(measured)} measures {len(layout.visible)} of {len(opened)} elements")
    opened.rectangles, opened.unseen = list(layout.rectangles), ~np.array(layout.visible)
    return opened


def wanted(case: Case, data: Path) -> Fingerprint:
    """Return what the caller of a case knows, as ``heal`` takes it."""
    locator = Locator(case.locator_type, case.original_locator)
    context = (case.visible_text, case.anchors, case.action)
    if case.fingerprint is not None:
        return with_context(load_fingerprint(case.fingerprint, locator), *context)
    if case.knowledge not in ("baseline", "fingerprint") or case.old_page is None or case.old_row is None:
        return guess_fingerprint(locator, *context)
    known = fingerprint(open_page(data, case.old_page), case.old_row, locator)
    if case.knowledge == "fingerprint":  # stored and read again, as a caller's would be
        known = load_fingerprint(dump_fingerprint(known), locator)
    return with_context(known, *context)


# -- splitting -----------------------------------------------------------------------------------------------------


def split_of(family: str, test: Collection[str], validation: str) -> Split:
    """Return the side on which a family stands: its sites share code, and so are never parted."""
    return "test" if family in test else "validation" if family == validation else "train"


def check_split(families: Collection[str], test: Collection[str], validation: str) -> None:
    """Raise CannotHeal ``bad_split`` if a family is to stand on two sides, or one is named that no case is of."""
    if validation in test:
        raise CannotHeal("bad_split", f"the family {quoted(validation)} is to stand in validation and test")
    if unknown := {validation, *test} - set(families):
        raise CannotHeal("bad_split", f"the split names {quoted(min(unknown))}, which is no family of these cases")


def split_by_family(cases: Iterable[Case], test: Collection[str], validation: str) -> dict[Split, list[Case]]:
    """Return the cases of each side; CannotHeal ``bad_split`` if a family is to stand on two, or is none of theirs."""
    cases = list(cases)
    check_split({case.family for case in cases}, test, validation)
    parts: dict[Split, list[Case]] = {split: [] for split in SPLITS}
    for case in cases:
        parts[split_of(case.family, test, validation)].append(case)
    return parts


def rotations(cases: Sequence[Case], test: Collection[str]) -> Iterator[tuple[str, dict[Split, list[Case]]]]:
    """Yield (validation family, split) with each family that is not tested on validating once."""
    for family in families(cases, test):
        yield family, split_by_family(cases, test, family)


def families(cases: Iterable[Case], test: Collection[str]) -> tuple[str, ...]:
    """Return the families that are not tested on, in order."""
    return tuple(sorted({case.family for case in cases} - set(test)))
