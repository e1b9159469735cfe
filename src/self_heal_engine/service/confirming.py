"""What turned out to be right for a heal: stored once, and told of later."""

from __future__ import annotations

from typing import Any

from self_heal_engine.records import Heard, rfc3339
from self_heal_engine.service import logs
from self_heal_engine.service.schemas import ConfirmBody
from self_heal_engine.service.state import Service
from self_heal_engine.storage import Verdict
from self_heal_engine.validation import from_json

log = logs.get("confirm")

# What the list of recent heals shows of each, as it is stored.
SHOWN = (
    "original_locator", "locator_type", "decision", "confidence", "test_session", "page_url", "variant", "model",
    "model_version",
)  # fmt: skip


async def confirm(service: Service, body: bytes) -> dict[str, Any]:
    """Return what is stored of a confirmation; once it is answered it is on the disk.

    CannotHeal ``unknown_request``, ``other_verdict``, ``bad_verdict`` or ``storage_down``.
    """
    asked = from_json(ConfirmBody, body, "bad_request", "the request")
    locator = asked.correct_locator  # read by storage, in a thread: it may be hostile
    kind = asked.correct_locator_type if locator is not None else None
    verdict = Verdict(asked.accepted_index, asked.gone, locator, kind)

    def stored() -> tuple[bool, str, str]:
        variant, decision = service.store.answered_by(asked.request_id)
        return service.store.confirm(asked.request_id, verdict, asked.metadata), variant, decision

    recorded, variant, decision = await service.storing(stored)  # one wait for storage, not two
    if recorded:
        service.metrics.confirmations.labels(named(verdict), decision, variant).inc()
        log.info("Confirmation recorded", request_id=str(asked.request_id), verdict=named(verdict))
    return {"request_id": str(asked.request_id), "recorded": recorded}


def named(verdict: Verdict) -> str:
    """Return the verdict as a label: first, other, none or gone."""
    if verdict.gone:
        return "gone"
    return {0: "first", None: "none"}.get(verdict.accepted_index, "other")


def told_of(heard: Heard) -> dict[str, Any]:
    """Return a heal of the past as the list of recent heals shows it."""
    heal = heard.heal
    first = heal.candidates[0] if heal.candidates else None
    return {
        "request_id": str(heal.request_id),
        "created_at": rfc3339(heal.created_at),
        **{name: getattr(heal, name) for name in SHOWN},
        "first": first and {name: first[name] for name in ("locator", "locator_type", "tag", "text")},
        "verdict": heard.verdict and named(heard.verdict),
    }
