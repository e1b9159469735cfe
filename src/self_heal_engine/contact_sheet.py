"""Cases for people to check: one as text, many as a sheet of HTML that can be leafed through."""

from __future__ import annotations

import difflib
import html
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from self_heal_engine.dataset import Case, open_page
from self_heal_engine.dom import Page
from self_heal_engine.elements import keys_of
from self_heal_engine.errors import CannotHeal, ascii_safe, quoted
from self_heal_engine.paths import short_path

MOST_HTML = 400
MOST_AROUND = 60


@dataclass(frozen=True, slots=True)
class Side:
    """One element as a person sees it: where it is, what it is, what stands around it and its keys."""

    path: str
    html: str
    before: str
    text: str
    after: str
    keys: dict[str, str]


def find_case(cases: Iterable[Case], wanted: str) -> Case:
    """Return the case whose id begins so; CannotHeal ``no_case`` unless there is one such case."""
    found = [case for case in cases if case.id.startswith(wanted)]
    if len(found) != 1:
        many = "no case has" if not found else f"{len(found)} cases have"
        raise CannotHeal("no_case", f"{many} an id that begins with {quoted(wanted)}")
    return found[0]


def side(page: Page, row: int) -> Side:
    """Return one element as a person sees it."""
    if not 0 <= row < len(page):
        raise CannotHeal("bad_case", f"the page has {len(page)} elements, so none in row {row}")
    before, text, after = page.text_about(row, MOST_AROUND)
    return Side(short_path(page, row), page.html(row)[:MOST_HTML], before, text.strip(), after, keys_of(page, row))


def sides(case: Case, data: Path) -> tuple[Side | None, Side | None]:
    """Return the element on its old and on its new page; None where it is not known or gone."""
    old = None if case.old_page is None or case.old_row is None else side(open_page(data, case.old_page), case.old_row)
    new = None if case.new_row is None else side(open_page(data, case.new_page), case.new_row)
    return old, new


def headline(case: Case) -> str:
    """Return what a case is about in one line."""
    return (
        f"{case.source} {case.old_version} → {case.new_version}, page {case.page}: {case.difficulty}, "
        f"rule {case.rule}, the caller knows: {case.knowledge}"
    )


def agreement(old: Side | None, new: Side | None) -> str:
    """Return why two elements are the pair: the keys that they share."""
    if old is None or new is None:
        return "nothing to compare"
    same = [f"{what} {quoted(value, 40)}" for what, value in old.keys.items() if new.keys.get(what) == value]
    return "both have " + ", ".join(same) if same else "they share no key: the truth was followed through the edit"


def show(case: Case, data: Path) -> str:
    """Return one case as text: old element, new element, and why they are the pair."""
    old, new = sides(case, data)
    broken = f"broken: {case.locator_type} {case.original_locator} ({case.failure}, {case.form})"
    lines = [f"case {case.id} of pair {case.pair}", headline(case), broken]
    lines += [f"edited by: {', '.join(case.operators)}"] if case.operators else []
    for title, found, page in (("old", old, case.old_page), ("new", new, case.new_page)):
        lines.append(f"\n{title}: {page or 'no page'}")
        lines += ["  gone"] if found is None else [f"  {line}" for line in described(found)]
    return ascii_safe("\n".join([*lines, "", f"why: {agreement(old, new)}"]))


def described(found: Side) -> list[str]:
    """Return one element as lines of text."""
    return [found.path, found.html, f"…{found.before}[{found.text}]{found.after}…"]


# -- the sheet -----------------------------------------------------------------------------------------------------

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 1200px; color: #222; padding: 0 1rem }
article { border: 1px solid #ccc; border-radius: 6px; margin: 0 0 1rem; padding: .7rem 1rem }
header { display: flex; justify-content: space-between; gap: 1rem; font-weight: 600 }
header code { font-weight: 400; color: #666 }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin-top: .5rem }
.sides > div { min-width: 0; background: #f7f7f7; border-radius: 4px; padding: .5rem .7rem; overflow-wrap: anywhere }
pre { white-space: pre-wrap; margin: .3rem 0; font-size: 12px } mark { background: #ffe28a; border-radius: 2px }
.path, .why { color: #666; font-size: 12px } .gone { color: #a33; font-weight: 600 }
"""


def sample(cases: Sequence[Case], many: int, seed: int) -> list[Case]:
    """Return so many cases, each stratum of rule and difficulty in turn giving one, by chance and seed."""
    strata: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: case.id):
        strata[case.rule, case.difficulty].append(case)
    chance = random.Random(seed)
    for members in strata.values():
        chance.shuffle(members)
    drawn = (members[turn] for turn in range(len(cases)) for members in strata.values() if turn < len(members))
    return [case for case, _ in zip(drawn, range(many), strict=False)]


def sheet(cases: Sequence[Case], data: Path) -> str:
    """Return a page of HTML with each case: old and new element side by side, what differs marked, no scripts."""
    body = "\n".join(article(number, case, *sides(case, data)) for number, case in enumerate(cases, start=1))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{len(cases)} cases</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{len(cases)} cases: is the right element the same thing?</h1>\n"
        f"{body}\n</body></html>\n"
    )


def article(number: int, case: Case, old: Side | None, new: Side | None) -> str:
    """Return one case as HTML."""
    broken = (
        f"{escaped(case.locator_type)} <code>{escaped(case.original_locator)}</code> ({case.failure.replace('_', ' ')})"
    )
    edits = f"; edited by {', '.join(case.operators)}" if case.operators else ""
    names = f"<code>{escaped(case.id)} pair {escaped(case.pair)}</code>"
    return (
        f"<article><header><span>{number}. {escaped(headline(case))}</span>{names}</header>"
        f"<div>broken: {broken}{escaped(edits)}</div>"
        f'<div class="sides">{half("old", old, new)}{half("new", new, old)}</div>'
        f'<div class="why">{escaped(agreement(old, new))}</div></article>'
    )


def half(title: str, found: Side | None, other: Side | None) -> str:
    """Return one element as HTML, what the other has not being marked."""
    if found is None:
        return f'<div>{title}: <span class="gone">not there</span></div>'
    return (
        f'<div>{title} <span class="path">{escaped(found.path)}</span>'
        f"<pre>{marked(found.html, other.html if other else found.html)}</pre>"
        f"…{escaped(found.before)}<b>[{escaped(found.text)}]</b>{escaped(found.after)}…</div>"
    )


def marked(ours: str, theirs: str) -> str:
    """Return a text as HTML with the parts marked that another has not.

    >>> marked('<a id="x">', '<a id="y">')
    '&lt;a id=&quot;<mark>x</mark>&quot;&gt;'
    """
    blocks = difflib.SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes()
    return "".join(
        escaped(ours[start:end]) if what == "equal" else f"<mark>{escaped(ours[start:end])}</mark>"
        for what, _, _, start, end in blocks
        if end > start
    )


def escaped(text: str) -> str:
    """Return a text as it may stand in HTML: the pages are other people's."""
    return html.escape(ascii_safe(text))
