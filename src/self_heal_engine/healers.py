"""Healers of others: a URL or a callable that answers as our ``/heal`` does, asked case by case, whatever it does.

A healer runs in a process of its own. What it raises, how long it hangs, what it prints and how it dies costs it the
case and nothing else.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import perf_counter
from traceback import format_exception_only
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from self_heal_engine.dataset import Case, open_page, wanted
from self_heal_engine.dom import Page
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import below, read_html
from self_heal_engine.fingerprint import dump_fingerprint
from self_heal_engine.healer import heal
from self_heal_engine.matching import matches
from self_heal_engine.outcomes import Outcome
from self_heal_engine.ranking import Model
from self_heal_engine.reading import read_locator
from self_heal_engine.request import HealRequest, as_data, read_page
from self_heal_engine.validation import STRICT, from_json

# What a healer may be asked for, and how long its answer may be.
MOST_CANDIDATES = 5
MOST_ANSWER_BYTES = 10_000_000

# A healer may load a large model before its first answer.
START_SECONDS = 120.0
CONNECT_SECONDS = 10.0

URLS = ("http://", "https://")

# Why a case has no answer.
PROBLEMS = {
    "declined": "said that it cannot answer",
    "malformed": "answered something else",
    "raised": "raised an error",
    "timeout": "took too long",
    "died": "its process ended",
}

NOTHING = Outcome(place=0, candidates=0, chosen=-1, confidence=0.0, healed=False)

Heal = Callable[[dict[str, Any]], Any]
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one case: its outcome, or one of ``PROBLEMS`` and a sentence on it."""

    outcome: Outcome
    milliseconds: float = 0.0
    problem: str = ""
    sentence: str = ""


# -- question and answer -------------------------------------------------------------------------------------------


def question(case: Case, data: Path) -> dict[str, Any]:
    """Return what a healer is asked: the body of POST /heal.

    Who stores what it saw when the locator worked needs that page to take it from: a case of the knowledge
    ``fingerprint`` carries the old page beside our fingerprint.
    """
    full = case.knowledge in ("baseline", "fingerprint") and case.old_page is not None
    return {
        "html": read_html(below(data, case.new_page)),
        "original_locator": case.original_locator,
        "locator_type": case.locator_type,
        "context": {
            "anchors": list(case.anchors),
            "visible_text": case.visible_text,
            "action": case.action,
            "baseline_html": read_html(below(data, str(case.old_page))) if full else None,
            "fingerprint": dump_fingerprint(wanted(case, data)) if case.knowledge == "fingerprint" else None,
        },
        "max_candidates": MOST_CANDIDATES,
    }


def answered(asked: Mapping[str, Any], model: Model | None = None) -> dict[str, Any]:
    """Return our own answer to a question, by default the packaged model's; this function is a healer."""
    context = asked["context"]
    request = HealRequest(
        original_locator=asked["original_locator"],
        locator_type=asked["locator_type"],
        visible_text=context["visible_text"],
        anchors=tuple(context["anchors"]),
        action=context["action"],
        baseline_html=context["baseline_html"],
        fingerprint=context["fingerprint"],
    )
    return as_data(heal(read_page(asked["html"]), request.wanted(), model, asked["max_candidates"]), request)


# An answer may say more than is read.
LENIENT = {**STRICT, "extra": "ignore"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One candidate of an answer: a locator that finds it."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    locator: str
    locator_type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is read of an answer."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    decision: Literal["healed", "unchanged", "gone"]
    confidence: float
    candidates: tuple[Proposal, ...]


def read_answer(text: str) -> Answer:
    """Return the answer in some JSON; CannotHeal ``bad_answer`` if it is none."""
    answer = from_json(Answer, text, "bad_answer")
    if not 0 <= answer.confidence <= 1:
        raise CannotHeal("bad_answer", f"the confidence {answer.confidence} is not between 0 and 1")
    return answer


def outcome_of(answer: Answer, page: Page, right: int | None) -> Outcome:
    """Return what an answer comes to: each candidate is the element that its locator finds alone."""
    rows = [row_found(page, proposal) for proposal in answer.candidates[:MOST_CANDIDATES]]
    return Outcome(
        place=rows.index(right) + 1 if right is not None and right in rows else 0,
        candidates=len(rows),
        chosen=rows[0] if rows else -1,
        confidence=answer.confidence,
        healed=bool(rows) and answer.decision != "gone",
    )


def row_found(page: Page, proposal: Proposal) -> int:
    """Return the element that a locator finds alone; -1 if it finds none or several, or cannot be run."""
    try:
        found = matches(page, read_locator(proposal.locator_type, proposal.locator))
    except CannotHeal:
        return -1
    return int(found[0]) if len(found) == 1 else -1


# -- asking --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Healer:
    """A healer in a process of its own, which is started when it is asked, and killed when it takes too long."""

    name: str
    data: Path
    seconds: float
    folder: Path  # where people keep their own modules
    process: BaseProcess | None = None
    pipe: Connection | None = None

    def ask(self, case: Case) -> Heard:
        """Return what comes of a case; the healer cannot make it raise."""
        asked = question(case, self.data)
        try:
            pipe = self.pipe or self.start()
            pipe.send((asked, case))
            if pipe.poll(self.seconds):
                heard: Heard = pipe.recv()
                return heard
            problem, sentence = "timeout", f"no answer in {self.seconds:g} s"
        except CannotHeal as refusal:  # it did start once
            problem, sentence = "died", refusal.sentence
        except (EOFError, OSError):
            problem, sentence = "died", "the process ended in the middle of the case"
        self.stop()
        return Heard(NOTHING, problem=problem, sentence=sentence)

    def start(self) -> Connection:
        """Start the process and return the way to it; CannotHeal ``unknown_healer`` if nothing can be asked there."""
        spawn = get_context("spawn")  # nothing of this process is left for foreign code to stumble over
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(theirs, self.name, self.data, self.folder))
        self.process.start()
        theirs.close()
        try:
            failed = self.pipe.recv() if self.pipe.poll(START_SECONDS) else f"not ready in {START_SECONDS:g} s"
        except EOFError:
            failed = "its process ended at once"
        if failed:
            self.stop()
            raise CannotHeal("unknown_healer", f"the healer {quoted(self.name)} cannot be used: {failed}")
        return self.pipe

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.process is not None and self.pipe is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
        self.process = self.pipe = None


@contextmanager
def opened(name: str, data: Path, seconds: float, folder: Path) -> Iterator[Healer]:
    """Yield a healer, whose module may stand in the folder; its process ends with the block."""
    healer = Healer(name, data, seconds, folder)
    try:
        yield healer
    finally:
        healer.stop()


def check(name: str, data: Path, folder: Path) -> None:
    """Raise CannotHeal ``unknown_healer`` if no healer can be asked by that name."""
    with opened(name, data, START_SECONDS, folder) as healer:
        healer.start()


# -- in the healer's process ---------------------------------------------------------------------------------------


def serve(pipe: Connection, name: str, data: Path, folder: Path) -> None:
    """Say whether the healer is there ("") or what is wrong, then judge case after case."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.stdout = sys.stderr  # what a healer prints is no part of the benchmark's output
    found, failed = attempted(partial(healer_named, name))
    pipe.send(failed)
    with suppress(EOFError):  # nobody asks any more
        while found is not None:
            asked, case = pipe.recv()
            pipe.send(judged(found, asked, case, data))


def healer_named(name: str) -> Heal:
    """Return a URL or ``package.module:callable`` as a function."""
    if name.startswith(URLS):
        parts = urlsplit(name)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
        return partial(post, name)
    module, colon, inside = name.partition(":")
    if not colon:
        raise ValueError("a healer is a URL or package.module:callable")
    found: Any = import_module(module)
    for part in inside.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{inside} is no callable")
    heal_: Heal = found
    return heal_


def post(url: str, asked: dict[str, Any]) -> Any:
    """Return what a URL answers, None if that is nothing. Its time is bounded from outside, by the process."""
    request = Request(url, json.dumps(asked).encode("utf-8"), {"Content-Type": "application/json"})  # noqa: S310 - URLS
    with build_opener(ProxyHandler({})).open(request) as response:  # a healer is near, and its pages stay there
        raw = response.read(MOST_ANSWER_BYTES + 1)
    if len(raw) > MOST_ANSWER_BYTES:
        raise ValueError(f"an answer of more than {MOST_ANSWER_BYTES} bytes")
    return json.loads(raw) if raw else None


def judged(heal_: Heal, asked: dict[str, Any], case: Case, data: Path) -> Heard:
    """Return what comes of a case."""
    began = perf_counter()
    text, failed = attempted(lambda: json.dumps(heal_(asked)))
    took = 1_000 * (perf_counter() - began)
    if text is None:
        return Heard(NOTHING, took, "raised", failed)
    if text == "null":
        return Heard(NOTHING, took, "declined", PROBLEMS["declined"])
    try:
        answer = read_answer(text)
    except CannotHeal as refusal:
        return Heard(NOTHING, took, "malformed", refusal.sentence)
    return Heard(outcome_of(answer, open_page(data, case.new_page), case.new_row), took)


def attempted(work: Callable[[], Given]) -> tuple[Given | None, str]:
    """Return what some work gives and "", or None and what it raised."""
    try:
        return work(), ""
    except Exception as error:  # noqa: BLE001 - it is not our code, and may raise anything
        return None, " ".join(format_exception_only(error)[-1].split())[:300] or type(error).__name__
