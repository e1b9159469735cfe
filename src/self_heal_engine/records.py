"""HealRecord, Verdict, Heard and Feedback: what storage keeps of a heal, and what a user said of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from self_heal_engine.errors import CannotHeal, ascii_safe, quoted
from self_heal_engine.reading import read_locator
from self_heal_engine.snapshots import Snapshot

# The decision of a heal that came from a training file, which does not say it.
IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class HealRecord:
    """One heal as it was answered. Texts are redacted already; ``candidates`` are those of the answer.

    ``site`` is set where the page's address is not known but its site is: in what came from a training file.
    ``changed_by`` is the language model that changed the answer: it is none of the ranker's then, and counts for none.
    """

    request_id: UUID
    created_at: datetime
    model: str
    model_version: str
    variant: str
    decision: str
    confidence: float
    threshold: float
    knowledge: str
    locator_type: str
    original_locator: str
    visible_text: str | None
    anchors: tuple[str, ...]
    action: str | None
    page_url: str | None
    test_session: str | None
    fingerprint: str | None
    candidates: list[dict[str, Any]]
    duration_ms: float
    trace_id: str
    site: str | None = None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a user says of a heal: which candidate is right, that the element is gone, or what finds it.

    All of them unset: the element is there, but is none of the candidates.
    """

    accepted_index: int | None
    gone: bool
    correct_locator: str | None = None
    correct_locator_type: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One heal, and what was said of it, if anything was."""

    heal: HealRecord
    verdict: Verdict | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """One confirmed heal with its page, if that is still kept."""

    heal: HealRecord
    verdict: Verdict
    confirmed_at: datetime
    page: Snapshot | None

    def answer(self) -> tuple[str, str | None, str | None]:
        """Return what is known of the right element: ("gone", None, None), or ("there", kind, locator if known)."""
        verdict = self.verdict
        if verdict.gone:
            return "gone", None, None
        if verdict.accepted_index is not None:
            candidate = self.heal.candidates[verdict.accepted_index]
            return "there", candidate["locator_type"], candidate["locator"]
        return "there", verdict.correct_locator_type, verdict.correct_locator


def checked(verdict: Verdict) -> Verdict:
    """Return a verdict with its locator in one spelling; CannotHeal ``bad_verdict`` if it contradicts itself.

    A locator that cannot be read is refused as ``read_locator`` does.
    """
    index, value, kind = verdict.accepted_index, verdict.correct_locator, verdict.correct_locator_type
    given = {"gone": verdict.gone, "accepted_index": index is not None, "correct_locator": value is not None}
    said = [name for name, is_given in given.items() if is_given]
    if len(said) > 1:
        raise CannotHeal("bad_verdict", f"{' and '.join(said)} contradict each other: give one of them")
    if index is not None and index < 0:
        raise CannotHeal("bad_verdict", f"accepted_index {index} is below 0")
    if value is None:
        if kind is not None:
            raise CannotHeal("bad_verdict", f"correct_locator_type {quoted(kind)} is given without a correct_locator")
        return verdict
    locator = read_locator(kind or "css", plain(value))
    return replace(verdict, correct_locator=locator.value, correct_locator_type=locator.kind)


def said_in(verdict: Verdict) -> str:
    """Return a verdict as a sentence shows it."""
    given = {name: value for name, value in asdict(verdict).items() if value is not None and value is not False}
    return quoted(given or "none of the candidates")


def plain(value: Any) -> Any:
    """Return a value as every database takes it: no zero bytes, no lone surrogates, no number that is none.

    >>> plain({"a": ["b\\0", "\\ud800", float("nan")]})
    {'a': ['b\\ufffd', '\\\\ud800', None]}
    """
    if isinstance(value, str):
        return ascii_safe(value.replace("\0", "\ufffd"))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def rfc3339(moment: datetime) -> str:
    """Return a moment as text, in UTC.

    >>> rfc3339(datetime(2026, 11, 24, 10, 0, tzinfo=UTC))
    '2026-11-24T10:00:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
