"""llm: a language model as second opinion on an answer. It may choose one of the listed candidates, or none of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, ClassVar, Protocol

from self_heal_engine.errors import CannotHeal
from self_heal_engine.llm_question import Question, question
from self_heal_engine.validation import STRICT, from_json

# Why an opinion was not had, or not used.
PROBLEMS = {
    "llm_timeout": "the model took too long",
    "llm_unreachable": "nothing answers at the address, or it failed",
    "llm_refused": "the server refused the request, or the model to answer",
    "llm_garbage": "the model answered something else than it was asked for",
    "llm_over_budget": "the calls of the budget are used up",
    "llm_taken": "it chose an element that is another locator's of the batch",
}

# A choice is a dozen tokens.
MOST_TOKENS = 50
MOST_ANSWER_BYTES = 262_144

# So many requests are under way at once in a process; the others wait, within their own time.
AT_ONCE = 8

# An answer that the server guarantees to be of the form, or to be JSON at least, where it can; the first that it takes.
SCHEMA = {
    "type": "object",
    "properties": {"choice": {"type": ["integer", "null"]}},
    "required": ["choice"],
    "additionalProperties": False,
}
FORMS: tuple[dict[str, Any], ...] = (
    {"response_format": {"type": "json_schema", "json_schema": {"name": "choice", "strict": True, "schema": SCHEMA}}},
    {"response_format": {"type": "json_object"}},
    {},
)
NOT_TAKEN = (400, 422, 501)

Spend = Callable[[], Awaitable[bool]]


class NoOpinion(Exception):
    """Nothing of use came of asking. ``str()`` is one of ``PROBLEMS``."""


class Provider(Protocol):
    """Who is asked. ``ask`` returns the model's own words, or raises NoOpinion."""

    name: str
    seconds: float

    async def ask(self, asked: Question) -> str:
        """Return what the model says."""

    async def close(self) -> None:
        """Close the connections."""


async def unbounded() -> bool:
    """Let every call pass."""
    return True


@dataclass(frozen=True, slots=True)
class Reach:
    """How a model is reached: where, for how long at most in all, how often again, and what grants each call."""

    base_url: str | None = None
    api_key: str | None = None
    model: str = "gpt-4o-mini"
    seconds: float = 5.0
    retries: int = 1
    spend: Spend = unbounded


# -- opinions ------------------------------------------------------------------------------------------------------


async def second_opinion(answer: dict[str, Any], asked: Mapping[str, Any], provider: Provider) -> dict[str, Any]:
    """Return an answer of :func:`self_heal_engine.request.as_data` with the model's opinion applied, and ``llm``.

    ``asked`` has what the caller asked: original_locator, locator_type, visible_text, anchors and action. Whatever the
    provider does, nothing is raised: an opinion that was not had changes nothing, and ``llm`` has the problem.
    """
    began = perf_counter()
    choice, problem, applied = None, None, answer
    try:
        async with asyncio.timeout(provider.seconds):
            about = await asyncio.to_thread(question, answer, asked)  # milliseconds, and a batch has a hundred
            choice = read_choice(await provider.ask(about), about.listed)
        applied = with_choice(answer, choice)
    except NoOpinion as none:
        problem = str(none)
    except TimeoutError:
        problem = "llm_timeout"
    told = {
        "provider": provider.name,
        "asked": True,
        "choice": choice,
        "changed": applied is not answer,
        "problem": problem,
        "duration_ms": round(1_000 * (perf_counter() - began), 1),
    }
    return {**applied, "llm": told}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model is asked to say: the number of a candidate, or None for none of them."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    choice: int | None


def read_choice(text: str, listed: int) -> int | None:
    """Return the choice that a reply holds, and nothing beside it; NoOpinion ``llm_garbage`` for anything else."""
    try:
        choice = from_json(Choice, text, "llm_garbage").choice
    except CannotHeal as refusal:
        raise NoOpinion(str(refusal)) from refusal
    if choice is not None and not 0 <= choice < listed:
        raise NoOpinion("llm_garbage")
    return choice


def with_choice(answer: dict[str, Any], choice: int | None) -> dict[str, Any]:
    """Return the answer as a choice makes it; the same object where it changes nothing.

    The confidence in what the ranking put behind another is what the ranking left it: at most ``1 - confidence``, and
    not more than it gave the first. No probability, so ``calibrated`` is False wherever a choice changed anything.
    What the ranking calls gone stays so: a model, or a page that speaks to it, never makes a red test green
    (reports/llm.md has what it would cost).
    """
    if choice == 0 or answer["decision"] == "gone":
        return answer
    if choice is None:
        return {**answer, "decision": "gone", "calibrated": False}
    first = answer["candidates"][choice]
    why = f"chosen by a language model; the ranking has it in place {choice + 1}"
    others = [one for one in answer["candidates"] if one is not first]
    return {
        **answer,
        "decision": "healed",
        "confidence": round(min(answer["confidence"], 1 - answer["confidence"]), 4),
        "calibrated": False,
        "candidates": [
            {**one, "index": at} for at, one in enumerate([{**first, "reasons": [why, *first["reasons"]]}, *others])
        ],
    }


# -- providers -----------------------------------------------------------------------------------------------------


class Mock:
    """A model that always agrees with the ranking: for wiring and tests. Nothing leaves the process."""

    name = "mock"

    def __init__(self, reach: Reach) -> None:
        self.seconds = reach.seconds

    async def ask(self, asked: Question) -> str:
        """Return the choice that changes nothing."""
        return json.dumps({"choice": asked.agreeing})

    async def close(self) -> None:
        """Close nothing."""


class OpenAI:
    """A server that speaks the chat protocol of OpenAI, theirs or one of your own, through the official client.

    The client is made, and its library imported (a second), at once: no request waits for it.
    """

    name = "openai"

    def __init__(self, reach: Reach) -> None:
        import openai

        self.seconds = reach.seconds
        self._model = reach.model
        self._forms = FORMS
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._failures = openai.OpenAIError
        self._client = openai.AsyncOpenAI(
            base_url=reach.base_url,
            api_key=reach.api_key or "none",  # servers of one's own ask for none, the client for some
            timeout=reach.seconds,
            max_retries=reach.retries,
            http_client=bounded_client(reach.spend),
        )

    async def ask(self, asked: Question) -> str:
        """Return what the model says; NoOpinion if it says nothing, or cannot be asked."""
        async with self._slots:
            forms = self._forms
            for form in forms:
                try:
                    raw = await self._client.chat.completions.with_raw_response.create(
                        model=self._model,
                        messages=asked.messages,  # type: ignore[arg-type]  # of theirs, a dict type for each role
                        temperature=0,
                        max_tokens=MOST_TOKENS,
                        **form,
                    )
                except self._failures as failure:
                    if getattr(failure, "status_code", None) in NOT_TAKEN:
                        self._forms = FORMS  # another server may stand there now
                        if form is not forms[-1]:
                            continue
                    raise NoOpinion(problem_of(failure)) from failure
                self._forms = (form,)
                return content_of(raw.content)
        raise AssertionError  # the last form returns or raises

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


PROVIDERS: dict[str, Callable[[Reach], Provider]] = {"mock": Mock, "openai": OpenAI}


def bounded_client(spend: Spend) -> Any:
    """Return the client's HTTP client: each call is granted first, no answer is larger than any use has it.

    It follows no redirect: what a page says goes to the configured address alone.
    """
    import openai

    class Bounded(openai.DefaultAsyncHttpxClient):
        async def send(self, request: Any, **given: Any) -> Any:
            if not await spend():
                raise NoOpinion("llm_over_budget")
            response = await super().send(request, **{**given, "stream": True})
            try:
                body = await bounded(response)
            finally:
                await response.aclose()
            headers = {"content-type": "application/json"}  # no character set of the server's choice
            if "retry-after" in response.headers:  # longer than a heal can wait
                headers["x-should-retry"] = "false"
            return type(response)(response.status_code, headers=headers, content=body, request=request)

    return Bounded(follow_redirects=False, headers={"Accept-Encoding": "identity"})


async def bounded(response: Any) -> bytes:
    """Return the body of a response; NoOpinion ``llm_garbage`` if it has no end, or is packed and could burst."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NoOpinion("llm_garbage")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_ANSWER_BYTES:
            raise NoOpinion("llm_garbage")
    return bytes(body)


def problem_of(failure: Exception) -> str:
    """Return which of ``PROBLEMS`` an error of the client is."""
    import openai

    status = getattr(failure, "status_code", None)
    if status is not None:
        return "llm_refused" if 400 <= status < 500 else "llm_unreachable"
    return "llm_timeout" if isinstance(failure, openai.APITimeoutError) else "llm_unreachable"


# What is read of a server's answer, which says much more.
LENIENT = {**STRICT, "extra": "ignore"}


@dataclass(frozen=True, slots=True)
class Said:
    """A model's message."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    content: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the messages that a server may return."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    message: Said
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A server's answer."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    choices: tuple[Alternative, ...]


def content_of(raw: bytes) -> str:
    """Return what the model says in a server's answer; NoOpinion if it refuses, or says nothing."""
    try:
        choices = from_json(Completion, raw, "llm_garbage").choices
    except CannotHeal as refusal:
        raise NoOpinion(str(refusal)) from refusal
    if not choices:
        raise NoOpinion("llm_garbage")
    said = choices[0].message
    if said.refusal or choices[0].finish_reason == "content_filter":
        raise NoOpinion("llm_refused")
    if said.content is None:  # it called a tool that nobody offered, perhaps
        raise NoOpinion("llm_garbage")
    return said.content
