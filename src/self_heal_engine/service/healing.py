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
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from traceback import format_exc
from typing import Any

from self_heal_engine.dom import Page
from self_heal_engine.errors import CannotHeal
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.healer import HealResult, heal, heal_all
from self_heal_engine.ranking import Model
from self_heal_engine.redaction import is_secret_field
from self_heal_engine.request import HealRequest, PageLimits, as_data, read_page
from self_heal_engine.service.models import Served, chosen
from self_heal_engine.service.schemas import BatchBody, BatchContext, Context, HealBody, Known
from self_heal_engine.snapshots import page_snapshot, redacted_fingerprint, redacted_url
from self_heal_engine.validation import from_json

HEAL, BATCH = b"h", b"b"
READY = b"ready"

# In place of a snapshot: this process has run out of memory and ends. What it holds, or has in pieces, it cannot give
# back, and the next page would be refused for it.
SPENT = b"spent"

MEGABYTE = 1024 * 1024

# A page whose tag names or test ids are megabytes long would be answered with a multiple of itself, for each candidate.
MOST_BYTES_EACH = 1 * MEGABYTE
MOST_BYTES = 20 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Orders:
    """What a healing process is started with."""

    models: tuple[Served, ...]
    share: float  # of the challenger, if there is one
    limits: PageLimits
    locators: int  # of one batch
    max_candidates: int
    memory_mb: int  # beyond what the process has when it is ready
    seconds: float  # for an answer, and again for what follows it


def serve(pipe: Connection, orders: Orders) -> None:
    """Answer questions until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to every process of the group
    warnings.simplefilter("ignore")  # NumPy's, over a fingerprint of odd numbers: lines in the log that are no JSON
    models = {one: one.model() for one in orders.models}
    gc.freeze()
    bound_memory(orders.memory_mb)
    pipe.send_bytes(READY)
    try:
        while True:
            question = pipe.recv_bytes()
            end_after(orders.seconds)
            reply, html = answered(question[:1], question[1:], models, orders)
            pipe.send_bytes(reply)
            end_after(orders.seconds)
            made = SPENT if html is None else snapshot(html)
            pipe.send_bytes(made)
            if made == SPENT:
                return
            end_after(0)
    except (EOFError, ConnectionError):
        return


def end_after(seconds: float) -> None:
    """Let the system end this process in so many seconds, whatever it does then; 0: not any more.

    The app kills it sooner. But an app that was itself killed cannot, and a hostile page would keep a core for ever.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)  # nobody handles SIGALRM, so that it ends the process


def bound_memory(megabytes: int) -> None:
    """Let this process grow by so much address space and no further."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0]) if Path("/proc/self/statm").exists() else None
    if pages is not None:  # elsewhere the deadline alone bounds a process
        most = pages * resource.getpagesize() + megabytes * MEGABYTE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def answered(kind: bytes, body: bytes, models: dict[Served, Model], orders: Orders) -> tuple[bytes, str | None]:
    """Return the answer to one question, and the page of the snapshot: "" if there is none, None if memory ran out."""
    try:
        told, html = (healed if kind == HEAL else batch_healed)(body, models, orders)
        return bounded(told), html
    except CannotHeal as refusal:
        return encoded({"refused": [str(refusal), refusal.sentence]}), ""
    except MemoryError:
        why = "healing on this page needs more memory than a heal may have"
        return encoded({"refused": ["page_too_complex", why]}), None
    except Exception:  # noqa: BLE001 - the edge of this process: what went wrong is told and logged where requests are
        return encoded({"failed": format_exc()}), ""


def encoded(told: dict[str, Any]) -> bytes:
    """Return an answer as it goes to the app."""
    return json.dumps(told, ensure_ascii=False).encode("utf-8")


def bounded(told: dict[str, Any]) -> bytes:
    """Return answers as they go to the app; CannotHeal ``page_too_complex`` if they are larger than any use has."""
    check_bytes(encoded(told["answers"]), len(told["answers"]) * MOST_BYTES_EACH)
    reply = encoded(told)
    check_bytes(reply, MOST_BYTES)
    return reply


def check_bytes(answer: bytes, most: int) -> None:
    """Raise CannotHeal ``page_too_complex`` if an answer is too large."""
    if len(answer) > most:
        raise CannotHeal("page_too_complex", f"the answer would have {len(answer)} bytes; at most {most} are sent")


def healed(body: bytes, models: dict[Served, Model], orders: Orders) -> tuple[dict[str, Any], str]:
    """Return the answer to the body of /heal, and its page."""
    asked = from_json(HealBody, body, "bad_request", "the request")
    request = heal_request(asked.original_locator, asked.locator_type, asked.context, None)
    wanted = request.wanted(orders.limits)
    one = chosen(orders.models, asked.context.test_session or f"{asked.original_locator} {asked.html}", orders.share)
    page = read_page(asked.html, orders.limits)
    result = heal(page, wanted, models[one], asked.max_candidates or orders.max_candidates)
    return said(one, page, [(request, wanted, result)], asked.context, asked.use_llm), asked.html


def batch_healed(body: bytes, models: dict[Served, Model], orders: Orders) -> tuple[dict[str, Any], str]:
    """Return the answers to the body of /heal/batch, and its page."""
    asked = from_json(BatchBody, body, "bad_request", "the request")
    if len(asked.locators) > orders.locators:
        raise CannotHeal(
            "bad_request", f"a batch of {len(asked.locators)} locators; at most {orders.locators} are healed"
        )
    shared = asked.context.baseline_html
    requests = [heal_request(one.original_locator, one.locator_type, one.context, shared) for one in asked.locators]
    wanted = [one_of(at, request, orders.limits) for at, request in enumerate(requests)]
    one = chosen(orders.models, asked.context.test_session or asked.html, orders.share)
    page = read_page(asked.html, orders.limits)
    results = heal_all(page, wanted, models[one], asked.max_candidates or orders.max_candidates)
    healed_each = list(zip(requests, wanted, results, strict=True))
    return said(one, page, healed_each, asked.context, asked.use_llm), asked.html


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
    by: Served, page: Page, heals: Sequence[tuple[HealRequest, Fingerprint, HealResult]],
    context: Context | BatchContext, use_llm: bool | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what the app is told: the answers, and of each what is stored with it and which candidates are secret."""
    shared = {
        "page_url": None if context.page_url is None else redacted_url(context.page_url),
        "test_session": context.test_session,
    }
    return {
        "model": by.named(),
        "use_llm": use_llm,
        "answers": [as_data(result, request) for request, _, result in heals],
        "secret": [secret(page, result) for _, _, result in heals],
        "asked": [
            {
                "locator_type": request.locator_type,
                "original_locator": request.original_locator,
                "visible_text": request.visible_text,
                "anchors": request.anchors,
                "action": request.action,
                "fingerprint": redacted_fingerprint(wanted),
                **shared,
            }
            for request, wanted, _ in heals
        ],
    }


def secret(page: Page, result: HealResult) -> list[int]:
    """Return which candidates hold a secret: passwords, what is hidden or named so, and what is around such a text."""
    areas = [row for row in page.css("textarea").tolist() if is_secret_field("textarea", page.attributes(row))]
    return [
        at
        for at, one in enumerate(result.candidates)
        if is_secret_field(one.tag, page.attributes(one.row))
        or any(one.row < row < page.ends[one.row] for row in areas)
    ]


def snapshot(html: str) -> bytes:
    """Return a page's snapshot as one message: its SHA-256, then its body; empty without a page."""
    if not html:
        return b""
    try:
        made = page_snapshot(html)
    except MemoryError:
        return SPENT
    return made.sha256.encode("ascii") + made.body
