"""Opinions: which answers of the service a language model is asked about, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from self_heal_engine.llm import PROVIDERS, Reach, second_opinion
from self_heal_engine.service import logs
from self_heal_engine.service.metrics import Metrics
from self_heal_engine.service.rate import Limiter
from self_heal_engine.settings import Settings

log = logs.get("llm")

# All calls are counted together, whoever heals.
CALLS = "llm"

Answers = Sequence[dict[str, Any]]


class Opinions:
    """The configured model, and the budget of its calls: one for all processes where there is Redis."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.by_default = settings.use_llm
        self.below = settings.llm_below
        self.metrics = metrics
        self._budget = Limiter(settings.llm_budget, settings.redis_url)
        key = settings.openai_api_key
        self.provider = PROVIDERS[settings.llm_provider](
            Reach(
                base_url=settings.llm_base_url,
                api_key=None if key is None else key.get_secret_value(),
                model=settings.llm_model,
                seconds=settings.llm_seconds,
                retries=settings.llm_retries,
                spend=self._granted,
            )
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.provider.close()
        await self._budget.close()

    def wanted(self, answer: Mapping[str, Any], use_llm: bool | None) -> bool:
        """Return whether to ask about an answer. Who says no keeps its page to itself, whatever the settings."""
        if not answer["candidates"] or use_llm is False:
            return False
        return use_llm or self.by_default or (self.below is not None and answer["confidence"] < self.below)

    async def applied(self, answers: Answers, asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers of one request with the model's opinions; ``llm`` is None where it was not asked.

        ``asked`` is what the worker tells of each: what its caller knew, and ``use_llm``. All opinions are asked for at
        once, and none takes longer than the settings allow.
        """
        opinions = await asyncio.gather(*map(self._about, answers, asked))
        given = without_taken(answers, opinions)
        for one in given:
            if one["llm"] is not None:
                self._tell(one["llm"])
        return given

    async def _about(self, answer: dict[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
        if not self.wanted(answer, asked["use_llm"]):
            return {**answer, "llm": None}
        return await second_opinion(answer, asked, self.provider)

    async def _granted(self) -> bool:
        return await self._budget.hit(CALLS) is None

    def _tell(self, told: Mapping[str, Any]) -> None:
        outcome = told["problem"] or ("changed" if told["changed"] else "agreed")
        self.metrics.llm.labels(told["provider"], outcome).inc()
        self.metrics.llm_seconds.observe(told["duration_ms"] / 1_000)
        level = log.warning if told["problem"] else log.info
        level("Second opinion", **told)


def without_taken(answers: Answers, opinions: Answers) -> list[dict[str, Any]]:
    """Return the opinions without those that give an element to one locator of a batch that is another's already.

    Two locators that the ranking finds at one element mean the same, and may move together.
    """
    before = [element(answer) for answer in answers]
    owners: dict[str | None, str | None] = {}  # of an element that is first: where the ranking found its locator
    for answer, opinion, own in zip(answers, opinions, before, strict=True):
        if not moved(answer, opinion):
            owners[element(opinion)] = own
    given = []
    for answer, opinion, own in zip(answers, opinions, before, strict=True):
        if moved(answer, opinion) and owners.setdefault(element(opinion), own) != own:
            given.append({**answer, "llm": {**opinion["llm"], "changed": False, "problem": "llm_taken"}})
        else:
            given.append(opinion)
    return given


def moved(answer: Mapping[str, Any], opinion: Mapping[str, Any]) -> bool:
    """Return whether another candidate is first than before."""
    return element(answer) != element(opinion)


def element(answer: Mapping[str, Any]) -> str | None:
    """Return what names the first candidate's element on its page, whoever asked: its CSS selector."""
    if not answer["candidates"]:
        return None
    first = answer["candidates"][0]
    return next(one["locator"] for one in (first, *first["alternatives"]) if one["locator_type"] == "css")
