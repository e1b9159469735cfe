"""From the body of a heal to its answers: asked of a worker, stored, counted, logged."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from self_heal_engine.errors import CannotHeal
from self_heal_engine.service import logs
from self_heal_engine.service.state import Service
from self_heal_engine.snapshots import Snapshot, redacted_candidate
from self_heal_engine.storage import HealRecord

log = logs.get("heal")

SHA256_LENGTH = 64

SECRET = "secret"  # noqa: S105 - the mark of a candidate


async def heal(service: Service, kind: bytes, body: bytes, trace_id: str) -> list[dict[str, Any]]:
    """Return the answer for each locator of a body; CannotHeal or TryLater as the worker and its queue say."""
    began = perf_counter()
    reply, snapshot = await service.workers.ask(kind + body)
    told = json.loads(reply)
    if "refused" in told:
        raise CannotHeal(*told["refused"])
    if "failed" in told:
        raise RuntimeError(f"a healing process failed: {told['failed']}")
    healed_at, duration_ms = datetime.now(UTC), round(1_000 * (perf_counter() - began), 1)
    # The model is the worker's word: another may have been put in its place meanwhile.
    answers = [{"request_id": str(uuid4()), **answer, "model": told["model"]} for answer in told["answers"]]
    for answer, secret in zip(answers, told["secret"], strict=True):
        for at in secret:  # a mark that stays with the candidate wherever an opinion puts it
            answer["candidates"][at][SECRET] = True
    answers = await service.opinions.applied(answers, [{**one, "use_llm": told["use_llm"]} for one in told["asked"]])
    records = [
        record(answer, asked, healed_at, duration_ms, trace_id)
        for answer, asked in zip(answers, told["asked"], strict=True)
    ]
    for answer in answers:
        for candidate in answer["candidates"]:
            candidate.pop(SECRET, None)
    confirmable = await stored(service, records)
    service.later(keep_snapshot(service, records, snapshot, confirmable))
    for answer in answers:
        answer |= {"duration_ms": round(1_000 * (perf_counter() - began), 1), "confirmable": confirmable}
        tell(service, answer)
    return answers


def record(
    answer: dict[str, Any], asked: dict[str, Any], created_at: datetime, duration_ms: float, trace_id: str
) -> HealRecord:
    """Return what is stored of one heal; of the candidates that are secret, not what they hold."""
    model = answer["model"]
    return HealRecord(
        **asked | {"anchors": tuple(asked["anchors"])},
        request_id=UUID(answer["request_id"]),
        created_at=created_at,
        model=model["name"],
        model_version=model["version"],
        variant=model["variant"],
        decision=answer["decision"],
        confidence=answer["confidence"],
        threshold=answer["threshold"],
        knowledge=answer["knowledge"],
        candidates=[redacted_candidate(one, one.get(SECRET, False)) for one in answer["candidates"]],
        duration_ms=duration_ms,
        trace_id=trace_id,
        changed_by=answer["llm"]["provider"] if answer["llm"] and answer["llm"]["changed"] else None,
    )


async def stored(service: Service, records: list[HealRecord]) -> bool:
    """Return whether storage took the heals in the time that an answer waits for it."""
    try:
        await service.storing(service.store.save_heals, records, seconds=service.settings.storage_seconds)
    except CannotHeal as refusal:
        service.metrics.unconfirmable.inc(len(records))
        service.unstored = refusal.sentence
        log.warning("Heal not stored", problem=str(refusal), detail=refusal.sentence)
        return False
    service.unstored = None
    return True


async def keep_snapshot(
    service: Service, records: list[HealRecord], coming: asyncio.Task[bytes], confirmable: bool
) -> None:
    """Store the page of some heals, once it was made; after the answer, so that nobody waits for it."""
    made = await coming
    if not confirmable:
        return  # without a heal to belong to, a page is of no use
    if not made:
        service.metrics.snapshots_lost.inc()
        return
    page = Snapshot(made[:SHA256_LENGTH].decode("ascii"), made[SHA256_LENGTH:])
    try:
        await service.storing(service.store.save_snapshot, [one.request_id for one in records], page)
    except CannotHeal as refusal:
        service.metrics.snapshots_lost.inc()
        log.warning("Snapshot not stored", problem=str(refusal), detail=refusal.sentence)


def tell(service: Service, answer: dict[str, Any]) -> None:
    """Count and log one answer."""
    candidates, model = answer["candidates"], answer["model"]
    top_score = candidates[0]["score"] if candidates else None
    service.metrics.heals.labels(answer["decision"], f"{model['name']}-{model['version']}", model["variant"]).inc()
    service.metrics.confidence.labels(model["variant"]).observe(answer["confidence"])
    if top_score is not None:
        service.metrics.top_score.labels(model["variant"]).observe(top_score)
    log.info(
        "Healing completed",
        request_id=answer["request_id"],
        candidates_found=len(candidates),
        top_score=top_score,
        duration_ms=answer["duration_ms"],
        decision=answer["decision"],
        confidence=answer["confidence"],
        model=model["version"],
        variant=model["variant"],
    )
