"""Lost cases: what a ranker got wrong, by kind, as numbers and as a page of HTML to leaf through."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from self_heal_engine.contact_sheet import STYLE, escaped, half, headline, side, sides
from self_heal_engine.dataset import Case, open_page, wanted
from self_heal_engine.dom import Page
from self_heal_engine.elements import folded
from self_heal_engine.explaining import why_lost

if TYPE_CHECKING:
    import pandas as pd

# Kinds of loss, the most telling first: a case is of the first that fits it.
GONE = "gone, and healed all the same"
NOT_LISTED = "the right element is not among the candidates"
NESTED = "the chosen element is inside or around the right one"
LOOK_ALIKE = "a look-alike with the same text was chosen"
LOCATOR_ALONE = "little was known: the locator alone"
REWORDED = "the text of the right element changed"
TWIN = "one of the same tag was chosen, neither of the two with a text"
OTHER_TAG = "one of another tag was chosen"
OTHER = "one of the same tag and another text was chosen"
KINDS = (GONE, NOT_LISTED, NESTED, LOOK_ALIKE, LOCATOR_ALONE, REWORDED, TWIN, OTHER_TAG, OTHER)

# More reasons than these nobody reads.
MOST_REASONS = 4

# What the sheet of cases lacks: three elements side by side.
MORE_STYLE = """
.three { grid-template-columns: 1fr 1fr 1fr } .healed { color: #a33; font-weight: 600 } .why ul { margin: .2rem 0 }
nav td { padding: .1rem .8rem .1rem 0 } nav td:first-child { text-align: right; font-variant-numeric: tabular-nums }
"""


@dataclass(frozen=True, slots=True)
class Lost:
    """One case that was lost: what was chosen instead, where the right element stood, and how sure the ranker was."""

    case: Case
    kind: str
    chosen: int  # -1: there were no candidates
    place: int  # 0: the right element is not among the candidates, or gone
    candidates: int
    confidence: float
    healed: bool


def kinds_of_loss(cases: Sequence[Case], outcomes: pd.DataFrame, data: Path) -> dict[str, int]:
    """Return how many cases are lost in each way, those first that are lost most; gone elements count if healed."""
    many = Counter(each.kind for each in lost_cases(cases, outcomes, data))
    return dict(sorted(many.items(), key=lambda item: (-item[1], item[0])))


def lost_cases(cases: Sequence[Case], outcomes: pd.DataFrame, data: Path) -> list[Lost]:
    """Return the cases whose first candidate is wrong, and those that are healed though the element is gone."""
    if [case.id for case in cases] != outcomes["id"].tolist():
        raise ValueError("the outcomes are not those of these cases")
    names = ["chosen", "place", "candidates", "confidence", "healed"]
    rows = zip(cases, outcomes[names].itertuples(index=False), strict=True)
    return [
        Lost(case, kind_of_loss(case, int(row.chosen), int(row.place), data), int(row.chosen), int(row.place),
             int(row.candidates), float(row.confidence), bool(row.healed))
        for case, row in rows
        if (row.healed if case.new_row is None else row.place != 1)
    ]  # fmt: skip


def kind_of_loss(case: Case, chosen: int, place: int, data: Path) -> str:
    """Return the first of ``KINDS`` that fits a lost case."""
    if case.new_row is None:
        return GONE
    if place == 0:
        return NOT_LISTED
    page = open_page(data, case.new_page)
    if page.covers(chosen, case.new_row) or page.covers(case.new_row, chosen):
        return NESTED
    text, other = folded(page.text(case.new_row)), folded(page.text(chosen))
    if text and text == other:
        return LOOK_ALIKE
    if case.knowledge == "locator":
        return LOCATOR_ALONE
    if text != old_text(case, data, unknown=text):
        return REWORDED
    if page.tag(case.new_row) != page.tag(chosen):
        return OTHER_TAG
    return OTHER if text or other else TWIN


def old_text(case: Case, data: Path, unknown: str) -> str:
    """Return the text of the element on its old page; what stands for it where there is no old page."""
    if case.old_page is None or case.old_row is None:
        return unknown
    return folded(open_page(data, case.old_page).text(case.old_row))


def drawn(lost: Iterable[Lost], most: int, seed: int) -> dict[str, list[Lost]]:
    """Return at most so many lost cases by kind, each kind in turn giving one, by chance and seed."""
    kinds: defaultdict[str, list[Lost]] = defaultdict(list)
    for each in sorted(lost, key=lambda each: each.case.id):
        kinds[each.kind].append(each)
    chance = random.Random(seed)
    for name in KINDS:
        chance.shuffle(kinds[name])
    turns = [(turn, at, name) for at, name in enumerate(KINDS) for turn in range(len(kinds[name]))]
    shares = Counter(name for _, _, name in sorted(turns)[:most])
    return {name: kinds[name][: shares[name]] for name in KINDS if shares[name]}


# -- the page ------------------------------------------------------------------------------------------------------


def lost_page(cases: Sequence[Case], outcomes: pd.DataFrame, data: Path, most: int = 200, seed: int = 1) -> str:
    """Return a page of HTML with lost cases by kind: old element, chosen one, right one, and why; no scripts."""
    lost = lost_cases(cases, outcomes, data)
    many, shown = Counter(each.kind for each in lost), drawn(lost, most, seed)
    title = f"{len(lost):,} lost of {len(cases):,} cases"
    contents = "".join(
        f'<tr><td>{many[kind]:,}</td><td><a href="#{anchor(kind)}">{escaped(kind)}</a></td></tr>' for kind in shown
    )
    body = "\n".join(section(kind, many[kind], members, data) for kind, members in shown.items())
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}{MORE_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        f"<nav><table>{contents}</table></nav>\n{body}\n</body></html>\n"
    )


def anchor(kind: str) -> str:
    """Return the name of a kind's section in an address."""
    return f"kind-{KINDS.index(kind)}"


def section(kind: str, many: int, members: Sequence[Lost], data: Path) -> str:
    """Return the cases of one kind as HTML."""
    how_many = f"{many:,} cases" if len(members) == many else f"{len(members):,} of {many:,} cases"
    articles = "\n".join(article(each, data) for each in members)
    return f'<h2 id="{anchor(kind)}">{escaped(kind)}: {how_many}</h2>\n{articles}'


def article(lost: Lost, data: Path) -> str:
    """Return one lost case as HTML."""
    case, page = lost.case, open_page(data, lost.case.new_page)
    old, right = sides(case, data)
    chosen = side(page, lost.chosen) if lost.chosen >= 0 else None
    text = f"; known text {case.visible_text!r}" if case.visible_text else ""
    near = f"; near {', '.join(map(repr, case.anchors))}" if case.anchors else ""
    edits = f"; edited by {', '.join(case.operators)}" if case.operators else ""
    return (
        f"<article><header><span>{escaped(headline(case))}</span><code>{escaped(case.id)}</code></header>"
        f"<div>broken: {escaped(case.locator_type)} <code>{escaped(case.original_locator)}</code>"
        f"{escaped(text + near + edits)}</div>"
        f"<div>{standing(lost)}</div>"
        f'<div class="sides three">{half("old", old, right)}{half("chosen", chosen, right)}'
        f"{half('right', right, chosen)}</div>{why(lost, page, data)}</article>"
    )


def standing(lost: Lost) -> str:
    """Return in HTML where the right element stood, and what the ranker made of it."""
    did = '<span class="healed">healed wrongly</span>' if lost.healed else "not healed"
    place = f"the right one in place {lost.place}" if lost.place else "none of them right"
    return f"{did} at confidence {lost.confidence:.3f}; {lost.candidates} candidates, {place}"


def why(lost: Lost, page: Page, data: Path) -> str:
    """Return in HTML where the right element fell behind the chosen one, and where it was the closer one."""
    right = lost.case.new_row
    if right is None or lost.chosen < 0:
        return ""
    known = wanted(lost.case, data)
    against, for_it = why_lost(page, lost.chosen, right, known), why_lost(page, right, lost.chosen, known)
    found = f'<div class="why">the right element {listed(against)}</div>'
    if for_it == why_lost(page, right, right, known):  # what is said where no property speaks
        return found
    return f'{found}<div class="why">the chosen one should have {listed(for_it)}</div>'


def listed(sentences: Sequence[str]) -> str:
    """Return sentences as a list in HTML."""
    return f"<ul>{''.join(f'<li>{escaped(sentence)}</li>' for sentence in sentences[:MOST_REASONS])}</ul>"
