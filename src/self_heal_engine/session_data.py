"""The report of a test session as plain data: JSON for CI, and the answers that tests may be patched by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from self_heal_engine.heal_answers import Answer, Proposed, ProposedElement
from self_heal_engine.records import plain, rfc3339
from self_heal_engine.session_report import Answered, Asked, Element, SessionReport, readable


@dataclass(frozen=True, slots=True)
class Advice:
    """What the sure answers change in test sources: a diff; and what is left to a person: file, line, value, why."""

    diff: str
    left: tuple[tuple[str, int, str, str], ...]
    notes: tuple[str, ...] = ()


def to_patch(found: SessionReport) -> list[Answer]:
    """Return the answers that tests may be patched by: those that no person need look at, corrected where one did."""
    answers = []
    for one in found.asked:
        if one.needs or not readable(one.locator):
            continue
        for answer in one.answers:
            right = () if answer.element is None else (answer.element,)
            listed = (*right, *(each for each in answer.candidates if each not in right))
            if not all(readable(locator) for each in listed for locator in each.locators):
                continue
            decision = cast(Literal["healed", "unchanged", "gone"], answer.state)
            answers.append(Answer(one.locator.value, one.locator.kind, decision, tuple(map(proposed, listed))))
    return answers


def proposed(one: Element) -> ProposedElement:
    """Return an element as an answer proposes it."""
    best, *others = one.locators
    return ProposedElement(best.value, best.kind, tuple(Proposed(other.value, other.kind) for other in others))


def as_data(
    found: SessionReport, advice: Advice | None, policy: Sequence[str], failed: Mapping[str, str]
) -> dict[str, Any]:
    """Return a report as JSON takes it; ``answers`` are what ``self-heal patch --heals`` may be given."""
    data = {
        "session": found.session,
        "first": rfc3339(found.first),
        "last": rfc3339(found.last),
        "heals": found.heals,
        "models": found.models,
        "least": found.least,
        "counts": found.counts(),
        "fail_on": policy,
        "failed": failed,
        "locators": [of_asked(one) for one in found.asked],
        "answers": [asdict(answer) for answer in to_patch(found)],
        "patches": None if advice is None else of_advice(advice),
    }
    return cast(dict[str, Any], plain(data))


def of_asked(one: Asked) -> dict[str, Any]:
    """Return one broken locator as plain data."""
    return {
        "original_locator": one.written,
        "locator_type": one.locator.kind,
        "visible_text": one.visible_text,
        "section": one.section(),
        "times": one.times,
        "needs": [{"condition": condition, "sentence": sentence} for condition, sentence in one.needs],
        "answers": [of_answered(answer) for answer in one.answers],
    }


def of_answered(answer: Answered) -> dict[str, Any]:
    """Return one answer as plain data."""
    return {
        "decision": answer.decision,
        "state": answer.state,
        "said": answer.said,
        "times": answer.times,
        "confidence": answer.confidence,
        "threshold": answer.threshold,
        "after": None if answer.element is None else of_element(answer.element),
        "candidates": [of_element(each) for each in answer.candidates],
        "pages": answer.pages,
        "models": answer.models,
        "request_ids": answer.request_ids,
    }


def of_element(one: Element) -> dict[str, Any]:
    """Return one element as plain data, with its locators as source text."""
    best, *others = one.locators
    return {
        "locator": best.value,
        "locator_type": best.kind,
        "alternatives": [{"locator": other.value, "locator_type": other.kind} for other in others],
        "source": one.source(),
        "tag": one.tag,
        "text": one.text,
        "score": one.score,
        "reasons": one.reasons,
    }


def of_advice(advice: Advice) -> dict[str, Any]:
    """Return suggested patches as plain data."""
    left = [dict(zip(("file", "line", "value", "why"), place, strict=True)) for place in advice.left]
    return {"diff": advice.diff, "left": left, "notes": advice.notes}
