"""session_report(heals, least) -> SessionReport: what became of each locator of a test session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log
from typing import TYPE_CHECKING, Any

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.locators import Locator
from self_heal_engine.reading import read_locator
from self_heal_engine.records import IMPORTED, Heard, plain
from self_heal_engine.snippets import snippets

if TYPE_CHECKING:
    from self_heal_engine.storage import Store

# What --fail-on may name, and how the sentence about it goes on after a number of locators.
CONDITIONS = {
    "low-confidence": "answered with too low a confidence, and not confirmed",
    "ambiguous": "answered in more than one way, or with a candidate that another comes close to",
    "gone": "gone from the page",
    "wrong": "answered wrongly, as a person said",
    "unconfirmed": "healed, and confirmed by nobody",
}

# A session of more heals is no session that a person would read about.
MOST_HEALS = 20_000

# A rival this near, in log-odds, comes close: the decision model's own measure (decision.STANDING, close_rivals).
CLOSE = 1.0

# The sections of a report; each locator stands in one.
NEEDS_PERSON, HEALED, GONE, UNCHANGED = "needs_person", "healed", "gone", "unchanged"
SECTIONS = {NEEDS_PERSON: "need a person", HEALED: "healed", GONE: "gone", UNCHANGED: "unchanged"}

# What became of a locator, besides: it is there, but nobody knows where.
LOST = "lost"


@dataclass(frozen=True, slots=True)
class Element:
    """An element that an answer, or a person, names: its locators, the most stable first."""

    locators: tuple[Locator, ...]
    tag: str | None = None
    text: str = ""
    score: float | None = None
    reasons: tuple[str, ...] = ()

    def after(self, kind: str) -> Locator:
        """Return its locator of a kind, else its most stable one."""
        return next((locator for locator in self.locators if locator.kind == kind), self.locators[0])

    def source(self) -> dict[str, str]:
        """Return it as source text for each framework."""
        return snippets([locator for locator in self.locators if readable(locator)])


@dataclass(frozen=True, slots=True)
class Answered:
    """One of the different answers for a locator, however often it was given, and what a person said of it.

    ``state`` is what to believe now: ``healed``, ``unchanged``, ``gone``, or ``lost``: there, but nobody says where.
    ``said`` is None (nobody said), ``right``, ``wrong``, or ``contradicted``: people disagree.
    """

    decision: str
    state: str
    element: Element | None
    candidates: tuple[Element, ...]
    said: str | None
    times: int
    confidence: float
    threshold: float
    pages: tuple[str, ...]
    models: tuple[str, ...]
    request_ids: tuple[str, ...]
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One broken locator of a session, with the different answers for it; ``needs`` says why a person must look."""

    locator: Locator
    written: str
    visible_text: str | None
    times: int
    answers: tuple[Answered, ...]
    needs: tuple[tuple[str, str], ...]

    def section(self) -> str:
        """Return in which section it stands."""
        return NEEDS_PERSON if self.needs else self.answers[0].state

    def holds(self, condition: str) -> bool:
        """Return whether a condition of ``CONDITIONS`` holds."""
        if condition == "gone":
            return any(answer.state == GONE for answer in self.answers)
        if condition == "wrong":
            return any(answer.said in ("wrong", "contradicted") for answer in self.answers)
        if condition == "unconfirmed":
            return any(answer.state == HEALED and answer.said is None for answer in self.answers)
        return any(name == condition for name, _ in self.needs)


@dataclass(frozen=True, slots=True)
class SessionReport:
    """What became of the locators of one test session, in the order in which they were asked for."""

    session: str
    first: datetime
    last: datetime
    heals: int
    models: tuple[str, ...]
    least: float
    asked: tuple[Asked, ...]

    def section(self, name: str) -> list[Asked]:
        """Return the locators of one section."""
        return [asked for asked in self.asked if asked.section() == name]

    def counts(self) -> dict[str, int]:
        """Return how many locators stand in each section."""
        return {name: len(self.section(name)) for name in SECTIONS}

    def sentence(self) -> str:
        """Return the counts in words."""
        many = self.counts()
        parts = ", ".join(f"{many[name]} {said}" for name, said in SECTIONS.items())
        return f"{counted(self.heals, 'heal')} of {counted(len(self.asked), 'locator')}: {parts}"


def counted(many: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "heal"), counted(1200, "heal")
    ('1 heal', '1,200 heals')
    """
    return f"{many:,} {noun}{'' if many == 1 else 's'}"


def session_heals(store: Store, session: str) -> list[Heard]:
    """Return the heals of a session, the first one first; CannotHeal ``unknown_session`` or ``too_many_heals``."""
    found = store.heals(session=str(plain(session)), limit=MOST_HEALS + 1)
    if len(found) > MOST_HEALS:
        raise CannotHeal("too_many_heals", f"the session {quoted(session)} has more than {MOST_HEALS:,} heals")
    healed = [heard for heard in reversed(found) if heard.heal.decision != IMPORTED]
    if not healed:
        recent = dict.fromkeys(heard.heal.test_session for heard in store.heals(limit=200) if heard.heal.test_session)
        known = ", ".join(quoted(name) for name in list(recent)[:5])
        hint = f"the last ones are of {known}" if known else "none of the last ones names a session"
        raise CannotHeal("unknown_session", f"no heal of the session {quoted(session)} is stored; {hint}")
    return healed


def session_report(heals: Sequence[Heard], least: float) -> SessionReport:
    """Return what became of each locator; ``heals`` are those of one session, at least one, the first one first."""
    by_locator: dict[Locator, list[Heard]] = {}
    for heard in heals:
        by_locator.setdefault(asked_for(heard), []).append(heard)
    return SessionReport(
        session=heals[0].heal.test_session or "",
        first=heals[0].heal.created_at,
        last=heals[-1].heal.created_at,
        heals=len(heals),
        models=tuple(sorted({model_of(heard) for heard in heals})),
        least=least,
        asked=tuple(asked(locator, some, least) for locator, some in by_locator.items()),
    )


def asked_for(heard: Heard) -> Locator:
    """Return the broken locator in one spelling, so that it is one locator however a test writes it."""
    heal = heard.heal
    try:
        return read_locator(heal.locator_type, heal.original_locator)
    except CannotHeal:  # redacted, or read by another version
        return Locator(heal.locator_type, heal.original_locator)


def readable(locator: Locator) -> bool:
    """Return whether a locator can be read: what was redacted may not be."""
    try:
        read_locator(locator.kind, locator.value)
    except CannotHeal:
        return False
    return True


def model_of(heard: Heard) -> str:
    """Return the model that answered, and as what."""
    heal = heard.heal
    return f"{heal.model}-{heal.model_version} ({heal.variant})"


def asked(locator: Locator, heals: Sequence[Heard], least: float) -> Asked:
    """Return what became of one locator."""
    different: dict[object, list[Heard]] = {}
    for heard in heals:
        different.setdefault(what_was_answered(heard), []).append(heard)
    answers = tuple(answered(some, least) for some in different.values())
    needs = [need for answer in answers for need in answer.needs.items()]
    ends = list(dict.fromkeys(end(answer, locator.kind) for answer in answers))
    if len(ends) > 1:
        needs.insert(0, ("ambiguous", f"it was answered in {len(ends)} ways: {'; '.join(ends)}"))
    latest = heals[-1].heal
    return Asked(
        locator, latest.original_locator, latest.visible_text, len(heals), answers, tuple(dict.fromkeys(needs))
    )


def what_was_answered(heard: Heard) -> object:
    """Return what makes two answers the same: the decision, and the element if it is one."""
    heal = heard.heal
    if heal.decision == GONE or not heal.candidates:
        return heal.decision
    return heal.decision, heal.candidates[0]["locator_type"], heal.candidates[0]["locator"]


def end(answer: Answered, kind: str) -> str:
    """Return where an answer leads, in words."""
    if answer.element is None or answer.state in (GONE, LOST):
        return answer.state
    locator = answer.element.after(kind)
    return f"{answer.state} as {locator.kind} {quoted(locator.value)}"


# -- one answer ------------------------------------------------------------------------------------------------------


def answered(heals: Sequence[Heard], least: float) -> Answered:
    """Return one answer that was given some times, with what was said of it."""
    latest = heals[-1].heal
    candidates = tuple(map(element, latest.candidates))
    believed = list(dict.fromkeys(verdict for heard in heals if (verdict := believe(heard)) is not None))
    first = candidates[0] if candidates and latest.decision != GONE else None
    state, chosen, said = latest.decision, first, None
    if believed:
        state, chosen = believed[0]
        agrees = state == latest.decision and (chosen is None or first is None or chosen.locators == first.locators)
        said = "contradicted" if len(believed) > 1 else "right" if agrees else "wrong"
    confidence = min(heard.heal.confidence for heard in heals)
    return Answered(
        decision=latest.decision,
        state=state,
        element=chosen,
        candidates=candidates,
        said=said,
        times=len(heals),
        confidence=confidence,
        threshold=latest.threshold,
        pages=tuple(dict.fromkeys(heard.heal.page_url for heard in heals if heard.heal.page_url)),
        models=tuple(sorted({model_of(heard) for heard in heals})),
        request_ids=tuple(str(heard.heal.request_id) for heard in heals),
        needs=why_a_person(state, said, candidates, confidence, least),
    )


def element(candidate: Mapping[str, Any]) -> Element:
    """Return a stored candidate; only its locator is certain to be there."""
    listed = [candidate, *candidate.get("alternatives", ())]
    return Element(
        locators=tuple(Locator(each["locator_type"], each["locator"]) for each in listed),
        tag=candidate.get("tag"),
        text=candidate.get("text") or "",
        score=candidate.get("score"),
        reasons=tuple(candidate.get("reasons", ())),
    )


def believe(heard: Heard) -> tuple[str, Element | None] | None:
    """Return what a person said became of the element, and which it is; None if nobody said."""
    verdict, heal = heard.verdict, heard.heal
    if verdict is None:
        return None
    if verdict.gone:
        return GONE, None
    listed = [element(candidate) for candidate in heal.candidates]
    index = verdict.accepted_index
    if verdict.correct_locator is not None:
        named = Locator(verdict.correct_locator_type or "css", verdict.correct_locator)
        index = next((at for at, each in enumerate(listed) if named in each.locators), None)
        if index is None:
            return HEALED, Element((named,))
    if index is None:
        return LOST, None
    return UNCHANGED if index == 0 and heal.decision == UNCHANGED else HEALED, listed[index]


def why_a_person(
    state: str, said: str | None, candidates: Sequence[Element], confidence: float, least: float
) -> dict[str, str]:
    """Return the conditions under which a person must look at an answer, with a sentence each."""
    if said == "contradicted":
        return {"ambiguous": "people said different things of the same answer"}
    if state == LOST:
        return {"wrong": "it is none of the candidates, and nobody said what finds it"}
    if said or state == GONE:
        return {}
    needs = {}
    if confidence < least:
        needs["low-confidence"] = f"the confidence is {confidence:.2f}, less than {least:.2f}"
    if len(candidates) > 1 and comes_close(candidates[0].score, candidates[1].score):
        rival, scores = candidates[1], (candidates[0].score or 0.0, candidates[1].score or 0.0)
        name = f"{rival.locators[0].kind} {quoted(rival.locators[0].value)}"
        needs["ambiguous"] = f"{name} comes close: it scores {scores[1]:.2f}, the first candidate {scores[0]:.2f}"
    return needs


def comes_close(first: float | None, second: float | None) -> bool:
    """Return whether a rival's score comes close to that of the first."""
    return first is not None and second is not None and log_odds(first) - log_odds(second) < CLOSE


def log_odds(score: float) -> float:
    """Return the log-odds of a score, which answers round to four places."""
    bounded = min(max(score, 5e-5), 1 - 5e-5)
    return log(bounded / (1 - bounded))


# -- policy ----------------------------------------------------------------------------------------------------------


def checked_policy(named: Iterable[str]) -> list[str]:
    """Return the conditions that fail a run, each once; CannotHeal ``bad_policy`` says which there are."""
    policy = list(dict.fromkeys(name.strip() for each in named for name in each.split(",")))
    for name in policy:
        if name not in CONDITIONS:
            raise CannotHeal("bad_policy", f"--fail-on {quoted(name)} is none of {', '.join(CONDITIONS)}")
    return policy


def failures(found: SessionReport, policy: Iterable[str]) -> dict[str, str]:
    """Return the conditions of a policy that hold, with a sentence each."""
    many = Counter(name for name in policy for asked in found.asked if asked.holds(name))
    return {
        name: f"{counted(number, 'locator')} {'is' if number == 1 else 'are'} {CONDITIONS[name]} ({name})"
        for name, number in many.items()
    }
