"""Healing in a process of its own: one question after the other, each the body of a request as it was sent.

The page is read here and nowhere else in the service: what it costs, and what it breaks, costs and breaks a process
that can be killed. Question: one letter, ``h`` for /heal or ``b`` for /heal/batch, then the body. Answer: JSON, then,
in a message of its own so that nobody waits for it, the page's snapshot. JSON, since a process that a hostile page has
taken over must not be able to send a pickle.
"""

from __future__ import annotations

import gc
import json
import resource
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from traceback import format_exc
from typing import Any

from self_heal_engine.errors import CannotHeal
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.healer import heal, heal_all
from self_heal_engine.ranking import Model
from self_heal_engine.request import HealRequest, PageLimits, as_data, read_page
from self_heal_engine.service.models import Served
from self_heal_engine.service.schemas import BatchBody, BatchContext, Context, HealBody, Known
from self_heal_engine.snapshots import page_snapshot, redacted_fingerprint, redacted_url
from self_heal_engine.validation import from_json

HEAL, BATCH = b"h", b"b"
READY = b"ready"

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Orders:
    """What a healing process is started with."""

    models: tuple[Served, ...]
    limits: PageLimits
    locators: int  # of one batch
    max_candidates: int
    memory_mb: int  # beyond what the process has when it is ready


def serve(pipe: Connection, orders: Orders) -> None:
    """Answer questions until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to every process of the group
    models = {one.variant: one.model() for one in orders.models}
    gc.freeze()
    bound_memory(orders.memory_mb)
    pipe.send_bytes(READY)
    try:
        while True:
            question = pipe.recv_bytes()
            said, html = answered(question[:1], question[1:], models, orders)
            pipe.send_bytes(json.dumps(said, ensure_ascii=False).encode("utf-8"))
            pipe.send_bytes(snapshot(html))
    except (EOFError, BrokenPipeError):
        return


def bound_memory(megabytes: int) -> None:
    """Let this process grow by so much address space and no further."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0]) if Path("/proc/self/statm").exists() else None
    if pages is not None:  # elsewhere the deadline alone bounds a process
        most = pages * resource.getpagesize() + megabytes * MEGABYTE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def answered(kind: bytes, body: bytes, models: dict[str, Model], orders: Orders) -> tuple[dict[str, Any], str]:
    """Return the answer to one question, and the page that a snapshot is to be made of; "" if there is none."""
    try:
        return (healed if kind == HEAL else batch_healed)(body, models, orders)
    except CannotHeal as refusal:
        return {"refused": [str(refusal), refusal.sentence]}, ""
    except MemoryError:
        return {"refused": ["page_too_complex", "healing on this page needs more memory than a heal may have"]}, ""
    except Exception:  # noqa: BLE001 - the edge of this process: what went wrong is told and logged where requests are
        return {"failed": format_exc()}, ""


def healed(body: bytes, models: dict[str, Model], orders: Orders) -> tuple[dict[str, Any], str]:
    """Return the answer to the body of /heal, and its page."""
    asked = from_json(HealBody, body, "bad_request", "the request")
    request = heal_request(asked.original_locator, asked.locator_type, asked.context, None)
    wanted = request.wanted(orders.limits)
    variant, model = next(iter(models.items()))
    result = heal(read_page(asked.html, orders.limits), wanted, model, asked.max_candidates or orders.max_candidates)
    return said(variant, [as_data(result)], [request], [wanted], asked.context), asked.html


def batch_healed(body: bytes, models: dict[str, Model], orders: Orders) -> tuple[dict[str, Any], str]:
    """Return the answers to the body of /heal/batch, and its page."""
    asked = from_json(BatchBody, body, "bad_request", "the request")
    if len(asked.locators) > orders.locators:
        raise CannotHeal(
            "bad_request", f"a batch of {len(asked.locators)} locators; at most {orders.locators} are healed"
        )
    shared = asked.context.baseline_html
    requests = [heal_request(one.original_locator, one.locator_type, one.context, shared) for one in asked.locators]
    wanted = [one_of(at, request, orders.limits) for at, request in enumerate(requests)]
    variant, model = next(iter(models.items()))
    page = read_page(asked.html, orders.limits)
    results = heal_all(page, wanted, model, asked.max_candidates or orders.max_candidates)
    return said(variant, [as_data(result) for result in results], requests, wanted, asked.context), asked.html


def heal_request(locator: str, kind: str, known: Known, baseline: str | None) -> HealRequest:
    """Return a locator and its context in the library's words; its own old page goes before the batch's."""
    stored = known.fingerprint
    return HealRequest(
        original_locator=locator,
        locator_type=kind,
        visible_text=known.visible_text,
        anchors=tuple(known.anchors),
        action=known.action,
        baseline_html=baseline if known.baseline_html is None else known.baseline_html,
        fingerprint=json.dumps(stored) if isinstance(stored, dict) else stored,
    )


def one_of(at: int, request: HealRequest, limits: PageLimits) -> Fingerprint:
    """Return what is known of one element of a batch; a refusal says which."""
    try:
        return request.wanted(limits)
    except CannotHeal as refusal:
        raise CannotHeal(str(refusal), f"locators.{at}: {refusal.sentence}") from refusal


def said(
    variant: str, answers: list[dict[str, Any]], requests: Sequence[HealRequest], wanted: Sequence[Fingerprint],
    context: Context | BatchContext,
) -> dict[str, Any]:  # fmt: skip
    """Return what the app is told: the answers, and what is stored with each."""
    return {
        "variant": variant,
        "answers": answers,
        "asked": [
            {
                "locator_type": request.locator_type,
                "original_locator": request.original_locator,
                "visible_text": request.visible_text,
                "anchors": request.anchors,
                "action": request.action,
                "fingerprint": redacted_fingerprint(known),
                "page_url": None if context.page_url is None else redacted_url(context.page_url),
                "test_session": context.test_session,
            }
            for request, known in zip(requests, wanted, strict=True)
        ],
    }


def snapshot(html: str) -> bytes:
    """Return a page's snapshot as one message: its SHA-256, then its body; empty without a page."""
    if not html:
        return b""
    made = page_snapshot(html)
    return made.sha256.encode("ascii") + made.body
