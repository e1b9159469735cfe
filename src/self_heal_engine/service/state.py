"""Service: everything that the routes share, made from the settings at start."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from self_heal_engine.access_tokens import Tokens
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.request import PageLimits
from self_heal_engine.service import logs
from self_heal_engine.service.healing import Orders
from self_heal_engine.service.metrics import Metrics
from self_heal_engine.service.models import Served, served
from self_heal_engine.service.opinion import Opinions
from self_heal_engine.service.problems import TryLater
from self_heal_engine.service.rate import Limiter
from self_heal_engine.service.workers import Workers
from self_heal_engine.settings import Settings
from self_heal_engine.storage import open_store

log = logs.get("service")

Given = TypeVar("Given")

# Threads that wait for the database, and how long a confirmation waits for one of them and its answer.
STORING = 8
CONFIRM_SECONDS = 5.0

# A worker whose app is gone ends by itself so long after the deadline at which the app would have killed it.
LONGER_SECONDS = 0.5

# How often the model files are looked at.
WATCH_SECONDS = 1.0

# How often expired pages are looked for.
EXPIRE_SECONDS = 3_600.0


class Service:
    """The parts of the service, wired by the settings; nothing runs before :meth:`start`.

    CannotHeal where a setting, the model file, the tokens or the database's schema do not let it start. A database that
    is down does: the service heals without it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.began = monotonic()
        self.metrics = Metrics()
        self.tokens = Tokens(settings.tokens_file)
        self.limiter = Limiter(settings.rate_limit, settings.redis_url)
        self.opinions = Opinions(settings, self.metrics)
        self.store = open_store(settings.database_url, settings.snapshots_dir, settings.snapshot_days)
        self._seen = self._signatures()  # before reading: what is replaced meanwhile is read again
        self.models = self._read_models()
        self.in_flight = 0
        self.unstored: str | None = None  # why the last heal was not stored, if it was not
        self.workers = Workers(
            self._orders(self.models),
            settings.heal_workers or max(1, (os.cpu_count() or 1) // settings.workers),
            settings.deadline_seconds,
            settings.queue_seconds,
            settings.queue_length,
            on_loss=lambda why: self.metrics.workers_lost.labels(why).inc(),
        )
        self._threads = ThreadPoolExecutor(STORING, thread_name_prefix="storage")
        self._tasks: set[asyncio.Task[None]] = set()
        self._for_ever: list[asyncio.Task[None]] = []
        self._reloading = asyncio.Lock()
        try:
            self.store.prepare()
        except CannotHeal as refusal:
            if str(refusal) != "storage_down":
                raise
            log.error("Storage is down", problem=str(refusal), detail=refusal.sentence)

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the workers."""
        await self.workers.start()
        self._show_models()
        self.show_workers()
        self._for_ever = [asyncio.create_task(work) for work in (self._expire(), self._watch())]
        log.info("Serving", models=[f"{one.variant} {one.version} of {one.source}" for one in self.models])

    async def stop(self) -> None:
        """Store what is still to be stored, then end the workers."""
        for task in self._for_ever:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CONFIRM_SECONDS)
        await self.workers.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.store.close()
        await self.limiter.close()
        await self.opinions.close()

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something after the answer."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- storage -------------------------------------------------------------------------------------------------

    async def storing(self, work: Callable[..., Given], *given: object, seconds: float = CONFIRM_SECONDS) -> Given:
        """Return what storage says; TryLater ``storage_down`` if that takes longer than so many seconds."""
        asked = asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        done, _ = await asyncio.wait([asked], timeout=seconds)
        if not done:
            asked.cancel()  # where it has not begun; what has begun ends by the database's own limits
            raise TryLater("storage_down", f"storage did not answer within {seconds:g} s", seconds)
        return asked.result()

    async def _expire(self) -> None:
        while True:
            try:
                gone = await self.storing(self.store.expire, datetime.now(UTC), seconds=EXPIRE_SECONDS)
                log.info("Old pages removed", pages=gone)
            except CannotHeal as refusal:
                log.warning("Old pages not removed", problem=str(refusal), detail=refusal.sentence)
            await asyncio.sleep(EXPIRE_SECONDS)

    # -- models --------------------------------------------------------------------------------------------------

    async def reload(self) -> None:
        """Put the model files as they are now in place of what serves; CannotHeal leaves everything as it is."""
        async with self._reloading:
            await self._reload()

    async def _reload(self) -> None:
        try:
            if self.models[0].source == str(self.settings.model_path) and not self.settings.model_path.exists():
                raise CannotHeal("no_model", f"the model {quoted(self.settings.model_path)} is not there any more")
            models = await asyncio.to_thread(self._read_models)
        except CannotHeal as refusal:
            self.metrics.reloads.labels(str(refusal)).inc()
            raise
        if models == self.models:
            return
        await self.workers.relieve(self._orders(models))
        for one in self.models:
            self.metrics.model.labels(one.name, one.version, one.variant).set(0)
        self.models = models
        self._show_models()
        self.metrics.reloads.labels("loaded").inc()
        log.info("Models loaded", models=[f"{one.variant} {one.version} of {one.source}" for one in models])

    async def _watch(self) -> None:
        """Load the model files again whenever one of them was replaced."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = self._signatures()
            # One that is gone is perhaps the other half of a replacement.
            changed = any(one not in (None, old) for one, old in zip(now, self._seen, strict=True))
            self._seen = [one or old for one, old in zip(now, self._seen, strict=True)]
            if not changed:
                continue
            try:
                await self.reload()
            except CannotHeal as refusal:
                log.error("Model not loaded", problem=str(refusal), detail=refusal.sentence)

    def _signatures(self) -> list[tuple[int, int, int] | None]:
        """Return what changes with each model file; None for one that is not there."""
        files = (self.settings.model_path, self.settings.challenger_path)
        return [replaced(file) for file in files if file is not None]

    def _read_models(self) -> tuple[Served, ...]:
        settings = self.settings
        return served(settings.model_path, settings.challenger_path, settings.enable_inference)

    def _orders(self, models: tuple[Served, ...]) -> Orders:
        limits = self.settings
        pages = PageLimits(limits.body_bytes, limits.page_elements, limits.page_depth, limits.element_attributes)
        return Orders(
            models,
            limits.challenger_share,
            pages,
            limits.batch_locators,
            limits.max_candidates,
            limits.worker_memory_mb,
            limits.deadline_seconds + LONGER_SECONDS,
        )

    def show_workers(self) -> None:
        """Tell the metrics of the workers; often, as another app process may be the one that is asked for them."""
        self.metrics.workers.set(self.workers.alive)
        self.metrics.waiting.set(self.workers.waiting)

    def _show_models(self) -> None:
        for one in self.models:
            self.metrics.model.labels(one.name, one.version, one.variant).set(1)


def replaced(file: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is replaced; None if it is not there."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
