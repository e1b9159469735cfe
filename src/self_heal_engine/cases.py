"""Making the cases of a page pair: the locators that break on the new page as it is, masked, mutated or shortened."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.breaking import Failure, failure, locators_of
from self_heal_engine.dataset import Case
from self_heal_engine.dom import Page
from self_heal_engine.elements import Elements, elements
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import below, read_html, sha256, write_text
from self_heal_engine.locators import Locator
from self_heal_engine.mutations import Edited, delete, mask, mutate, slug, with_test_ids
from self_heal_engine.operators import OPERATORS, drawn
from self_heal_engine.pairs import Pair, open_pair
from self_heal_engine.params import Cases
from self_heal_engine.parser import parse_html

# What a test does with an element, by its role; what has none of these is read.
ACTIONS = {
    **dict.fromkeys(("link", "button", "menuitem", "tab"), "click"),
    **dict.fromkeys(("textbox", "searchbox", "spinbutton"), "type"),
    **dict.fromkeys(("combobox", "listbox"), "select"),
    **dict.fromkeys(("checkbox", "radio", "switch"), "check"),
}

# How many texts a caller names who says what stood near, and how far they look.
MOST_ANCHORS = 2
ANCHOR_REACH = 40
LONGEST_ANCHOR = 60

# Any of these on another element of its kind, and a removed element has a twin: a caller could mean that one.
TELLING = ("href", "name", "label", "text", "aria")


@dataclass(frozen=True, slots=True)
class PageJob:
    """The pairs of one page in two releases: the piece of work that the cases are cut into."""

    data: Path  # pages are read from <data>/pages, edited ones are written to <data>/edited
    pairs: tuple[Pair, ...]
    params: Cases


@dataclass(frozen=True, slots=True)
class Stage:
    """Two pages of a case as files and tables: the old one, and the new one after an edit."""

    old_file: str
    old: Page
    new_file: str
    new: Page


def jobs(data: Path, pairs: Iterable[Pair], params: Cases) -> list[PageJob]:
    """Return the work, a job for each page in two releases; CannotHeal ``bad_params`` if a rate is of no operator."""
    named = {name for rates in params.rates.values() for name in rates}
    if unknown := named - {*OPERATORS, "css_modules", "removed"}:
        raise CannotHeal("bad_params", f"cases.rates names {quoted(min(unknown))}, which is no operator")
    grouped: dict[tuple[str, ...], list[Pair]] = {}
    for pair in pairs:
        grouped.setdefault((pair.source, pair.old_version, pair.new_version, pair.page), []).append(pair)
    return [PageJob(data, tuple(members), params) for members in grouped.values()]


def make_cases(job: PageJob) -> list[Case]:
    """Return the cases of one page in two releases; the edited pages are written beside."""
    first = job.pairs[0]
    chance = random.Random(f"{job.params.seed} {'/'.join(where(first))}")
    old, new = open_pair(job.data / "pages", first)
    stage = Stage(page_file(first, first.old_version), old, page_file(first, first.new_version), new)
    cases = [case for pair in job.pairs for case in of_pair(job, stage, pair, pair.new_row, "natural", (), chance)]
    here = [pair for pair in job.pairs if pair.new_row is not None]
    prepared = instrumented(job, stage, here, chance)
    for kind, rounds in (("masked", job.params.masked), ("mutated", job.params.mutated)):
        for turn in range(rounds):
            for members in chunks(here, job.params.targets_per_page):
                cases += edited_cases(job, prepared, members, drawn_difficulty(kind, job.params, chance), turn, chance)
    alone = without_twins(elements(new), here)
    for turn in range(job.params.deleted):
        for members in chunks(alone, job.params.deleted_per_page):
            cases += edited_cases(job, stage, members, "deleted", turn, chance)
    return cases


def where(pair: Pair) -> tuple[str, ...]:
    """Return what names a page in two releases."""
    return pair.source, f"{pair.old_version}--{pair.new_version}", pair.page


def page_file(pair: Pair, version: str) -> str:
    """Return the path of a collected page below the data folder."""
    return f"pages/{pair.source}/{version}/{pair.page}.html"


def chunks(pairs: Sequence[Pair], size: int) -> Iterator[Sequence[Pair]]:
    """Yield the pairs in groups that share one edited page."""
    for start in range(0, len(pairs), size):
        yield pairs[start : start + size]


def drawn_difficulty(kind: str, params: Cases, chance: random.Random) -> str:
    """Return ``masked-<level>`` or ``mutated-<severity>``, as often as the parameters say."""
    shares = params.masks if kind == "masked" else params.severities
    return f"{kind}-{drawn(shares, chance)}"


# -- edited pages --------------------------------------------------------------------------------------------------


def instrumented(job: PageJob, stage: Stage, pairs: Sequence[Pair], chance: random.Random) -> Stage:
    """Return both pages with test ids, as a team that sets them would have them, for a share of the page pairs."""
    if not pairs or chance.random() >= job.params.test_id_share:
        return stage
    ids = {pair.id: f"{slug(pair.text or pair.kind) or 'item'}-{number}" for number, pair in enumerate(pairs)}
    old = with_test_ids(html_of(job, stage.old_file), {pair.old_row: ids[pair.id] for pair in pairs}, "old")
    new = with_test_ids(html_of(job, stage.new_file), {int(pair.new_row or 0): ids[pair.id] for pair in pairs}, "new")
    for edited in (old, new):  # attributes alone were added: no row has moved
        assert all(row == now for row, now in edited.rows.items())
    old_file, new_file = (f"edited/{'/'.join(where(pairs[0]))}/test-ids-{age}.html" for age in ("old", "new"))
    write_text(below(job.data, old_file), old.html)
    write_text(below(job.data, new_file), new.html)
    return Stage(old_file, parse_html(old.html), new_file, parse_html(new.html))


def html_of(job: PageJob, file: str) -> str:
    """Return the HTML of a page that the job works on."""
    return read_html(below(job.data, file))


def edited_cases(
    job: PageJob, stage: Stage, pairs: Sequence[Pair], difficulty: str, turn: int, chance: random.Random
) -> list[Case]:
    """Return the cases of some pairs on one edited page, which is written."""
    targets = [int(pair.new_row or 0) for pair in pairs]
    edited = edit(html_of(job, stage.new_file), targets, difficulty, job.params, f"{chance.random()}")
    file = f"edited/{'/'.join(where(pairs[0]))}/{difficulty}-{turn}-{pairs[0].id}.html"
    write_text(below(job.data, file), edited.html)
    after = Stage(stage.old_file, stage.old, file, parse_html(edited.html))
    found = []
    for pair in pairs:
        row = int(pair.new_row or 0)
        if row in edited.rows:
            operators = edited.operators.get(row, ())
            found += of_pair(job, after, pair, edited.rows[row], difficulty, operators, chance)
    return found


def edit(html: str, targets: Sequence[int], difficulty: str, params: Cases, seed: str) -> Edited:
    """Return the new page made harder."""
    kind, _, level = difficulty.partition("-")
    if kind == "masked":
        return mask(html, targets, int(level), seed)
    if kind == "mutated":
        return mutate(html, targets, params.rates[level], params.fewest_operators[level], seed)
    return delete(html, targets, seed)


def without_twins(found: Elements, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs whose new element no other of its kind could pass for: by the same address, name or words.

    An element without any of these cannot be told from others, and is left out.
    """
    holders = found.holders({})

    def is_alone(row: int) -> bool:
        keys, kind = found.keys.get(row, {}), found.kinds.get(row, "")
        telling = [(kind, what, keys[what]) for what in TELLING if what in keys]
        return bool(telling) and all(holders[key] == [row] for key in telling)

    return [pair for pair in pairs if pair.new_row is not None and is_alone(pair.new_row)]


# -- the cases of one pair -----------------------------------------------------------------------------------------


def of_pair(
    job: PageJob, stage: Stage, pair: Pair, row: int | None, difficulty: str, operators: tuple[str, ...],
    chance: random.Random,
) -> list[Case]:  # fmt: skip
    """Return cases of one pair on one page, each with a locator of another kind, of those that break.

    An edited page gives one; the page as it is gives as many as the parameters say.
    """
    broken = broken_locators(stage, pair.old_row, row)
    kinds = sorted({locator.kind for _, locator, _ in broken})
    many = job.params.natural if difficulty == "natural" else 1
    cases = []
    for kind in chance.sample(kinds, min(many, len(kinds))):
        form, locator, fails = chance.choice([item for item in broken if item[1].kind == kind])
        knowledge = drawn(job.params.knowledge, chance)
        bare = bare_case(stage, pair, row, difficulty, operators, form, locator, fails)
        cases.append(with_knowledge(bare, stage, pair.old_row, knowledge, chance))
    return [replace(case, id=sha256(repr(case))[:12]) for case in cases]


def broken_locators(stage: Stage, old_row: int, new_row: int | None) -> list[tuple[str, Locator, Failure]]:
    """Return the locators of an element that its new page breaks, with their forms and how they fail."""
    return [
        (form, locator, fails)
        for form, locator in locators_of(stage.old, old_row)
        if (fails := failure(stage.new, locator, new_row))
    ]


def bare_case(
    stage: Stage, pair: Pair, row: int | None, difficulty: str, operators: tuple[str, ...], form: str,
    locator: Locator, fails: Failure,
) -> Case:  # fmt: skip
    """Return a case in which the caller knows the locator alone."""
    return Case(
        id="",
        pair=pair.id,
        source=pair.source,
        family=pair.family,
        old_version=pair.old_version,
        new_version=pair.new_version,
        page=pair.page,
        old_page=stage.old_file,
        new_page=stage.new_file,
        old_row=pair.old_row,
        new_row=row,
        rule=pair.rule,
        difficulty=difficulty,
        operators=operators,
        knowledge="locator",
        form=form,
        locator_type=locator.kind,
        original_locator=locator.value,
        failure=fails,
    )


def with_knowledge(case: Case, stage: Stage, row: int, knowledge: str, chance: random.Random) -> Case:
    """Return the case with what a caller of that knowledge says; where there is nothing to say, with the next less."""
    if knowledge in ("baseline", "fingerprint"):
        action = ACTIONS.get(roles(stage.old)[row] or "", "read") if chance.random() < 0.5 else None
        return replace(case, knowledge=knowledge, action=action)
    text = visible_text(stage.old, row)
    anchors = anchor_texts(stage.old, row) if knowledge == "anchors" else ()
    if anchors:
        return replace(case, knowledge="anchors", visible_text=text, anchors=anchors)
    return replace(case, knowledge="text", visible_text=text) if knowledge != "locator" and text else case


def visible_text(page: Page, row: int) -> str | None:
    """Return what a person would call the element by: its text, the words on it, or its label."""
    text = page.text(row) or names(page)[row] or labels(page)[row]
    return text[:LONGEST_ANCHOR] if text else None


def anchor_texts(page: Page, row: int) -> tuple[str, ...]:
    """Return the texts that a person would name as standing near: of the elements just before, and of a heading."""
    own = page.text(row)
    found: list[str] = []
    for at in range(row - 1, max(row - ANCHOR_REACH, -1), -1):
        text = page.own_texts[at] or ""
        if 2 <= len(text) <= LONGEST_ANCHOR and text != own and text not in found and not page.undisplayed[at]:
            found.append(text)
        if len(found) == MOST_ANCHORS:
            break
    return tuple(found)
