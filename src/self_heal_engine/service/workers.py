"""Workers: the processes that heal. Each is asked one question at a time, and killed when it takes too long.

Our own, and not pebble's pool: there all workers share one pipe and its lock, and after 13 of 200 kill -9 from outside
it refused every further job (docs/decisions/0006-service.md). Here each worker has a pipe of its own, and the death of
one is the loss of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import Any, TypeVar

from self_heal_engine.errors import CannotHeal
from self_heal_engine.service.healing import READY, SPENT, Orders, serve
from self_heal_engine.service.problems import TryLater

# Loading a model takes a fraction of this.
START_SECONDS = 60.0

# A worker that cannot be started is tried again after so long.
RETRY_SECONDS = 1.0

MOST_REPLY_BYTES = 50_000_000

# How many workers may die over one page before that is blamed on it.
MOST_DEATHS = 3

Given = TypeVar("Given")

FORKSERVER = get_context("forkserver")
FORKSERVER.set_forkserver_preload(["self_heal_engine.service.healing", "xgboost", "elementpath"])


@dataclass(slots=True, eq=False)
class Worker:
    """One process and the way to it. ``crew`` counts the models that were put to work before its own."""

    process: BaseProcess
    pipe: Connection
    crew: int

    def exchange(self, question: bytes) -> bytes:
        """Return the answer to a question; EOFError or OSError when the process dies over it."""
        self.pipe.send_bytes(question)
        return self.pipe.recv_bytes(MOST_REPLY_BYTES)

    def snapshot(self) -> bytes:
        """Return what follows an answer."""
        return self.pipe.recv_bytes(MOST_REPLY_BYTES)

    def close(self) -> None:
        """End the process."""
        if self.process.pid is not None:
            self.process.kill()
            self.process.join()
        self.pipe.close()


def started(orders: Orders, crew: int) -> Worker:
    """Return a worker that is ready; ChildProcessError if it did not start."""
    ours, theirs = FORKSERVER.Pipe()
    process = FORKSERVER.Process(target=serve, args=(theirs, orders), daemon=True)
    worker = Worker(process, ours, crew)
    try:
        process.start()  # EOFError: the process that forks them was killed; the next start brings another
        theirs.close()
        if ours.poll(START_SECONDS) and ours.recv_bytes() == READY:
            return worker
    except (EOFError, OSError):
        pass
    worker.close()
    raise ChildProcessError("a healing process did not start")


class Lost(Exception):
    """A worker died over a question, and not by our hand."""


class Workers:
    """So many workers, and those who wait for one: at most ``queue_length``, none longer than ``queue_seconds``."""

    def __init__(
        self, orders: Orders, count: int, deadline: float, queue_seconds: float, queue_length: int,
        on_loss: Callable[[str], None] = lambda why: None,
    ) -> None:  # fmt: skip
        self.orders = orders
        self.count = count
        self.deadline = deadline
        self.queue_seconds = queue_seconds
        self.queue_length = queue_length
        self.waiting = 0
        self.alive = 0
        self._crew = 0
        self._stopping = False
        self._on_loss = on_loss
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        self._threads = ThreadPoolExecutor(2 * count + 2, thread_name_prefix="worker")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._relieving = asyncio.Lock()

    async def start(self) -> None:
        """Start all workers; TryLater ``worker_died`` if one does not start."""
        for worker in await self._recruits(self.orders, self._crew):
            self._join(worker)

    async def stop(self) -> None:
        """End all workers, those that finish an answer after it."""
        self._stopping = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while not self._idle.empty():
            await self._in_thread(self._idle.get_nowait().close)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, question: bytes) -> tuple[bytes, asyncio.Task[bytes]]:
        """Return the answer to a question, and what will be the page's snapshot.

        TryLater ``overloaded`` when too many wait, ``worker_died`` when several workers die over it; CannotHeal
        ``page_too_complex`` when the deadline passes.
        """
        end = monotonic() + self.queue_seconds + self.deadline
        for _ in range(MOST_DEATHS):
            try:
                return await self._asked(await self._free(), question, end)
            except Lost:  # killed from outside, or by what the page does: another will tell
                continue
        raise TryLater("worker_died", f"{MOST_DEATHS} processes ended while they healed on this page", RETRY_SECONDS)

    async def relieve(self, orders: Orders) -> None:
        """Put workers with other orders in place of all; the old ones finish what they do. None waits for it."""
        async with self._relieving:
            recruits = await self._recruits(orders, self._crew + 1)
            self.orders, self._crew = orders, self._crew + 1
            while not self._idle.empty():
                self._dismiss(self._idle.get_nowait())
            for worker in recruits:
                self._join(worker)

    # -- one question --------------------------------------------------------------------------------------------

    async def _free(self) -> Worker:
        """Return a worker that has nothing to do; TryLater ``overloaded`` if none is in time."""
        if self._idle.empty() and self.waiting >= self.queue_length:
            raise TryLater("overloaded", f"{self.waiting} requests wait already", RETRY_SECONDS)
        self.waiting += 1
        try:
            async with asyncio.timeout(self.queue_seconds):
                while not (worker := await self._idle.get()).process.is_alive():
                    self._replace(worker, "died")
                return worker
        except TimeoutError:
            raise TryLater("overloaded", f"no worker was free within {self.queue_seconds:g} s", RETRY_SECONDS) from None
        finally:
            self.waiting -= 1

    async def _asked(self, worker: Worker, question: bytes, end: float) -> tuple[bytes, asyncio.Task[bytes]]:
        """Return the answer of a worker; Lost if it died, or had less than the whole deadline before ``end``."""
        began = monotonic()
        left = min(self.deadline, end - began)
        timer = asyncio.get_running_loop().call_later(left, worker.process.kill)
        kept = False
        try:
            reply = await self._in_thread(worker.exchange, question)
            kept = True
        except (EOFError, OSError) as error:
            if monotonic() - began < self.deadline:
                raise Lost from error
            raise CannotHeal(
                "page_too_complex", f"healing on this page took longer than {self.deadline:g} s"
            ) from error
        finally:
            timer.cancel()
            if not kept:
                self._replace(worker, "deadline" if monotonic() - began >= self.deadline else "died")
        return reply, self._task(self._rest(worker))

    async def _rest(self, worker: Worker) -> bytes:
        """Return the snapshot that follows an answer, empty if the worker dies over it; then the worker is free."""
        timer = asyncio.get_running_loop().call_later(self.deadline, worker.process.kill)
        lost, made = "snapshot", b""
        try:
            made = await self._in_thread(worker.snapshot)
            lost = "memory" if made == SPENT else ""
        except (EOFError, OSError):
            return b""
        finally:
            timer.cancel()
            if lost:
                self._replace(worker, lost)
            else:
                self._release(worker)
        return b"" if lost else made

    # -- the crew ------------------------------------------------------------------------------------------------

    def _join(self, worker: Worker) -> None:
        self.alive += 1
        self._idle.put_nowait(worker)

    def _release(self, worker: Worker) -> None:
        if worker.crew == self._crew:
            self._idle.put_nowait(worker)
        else:
            self._dismiss(worker)

    def _dismiss(self, worker: Worker) -> None:
        self.alive -= 1
        self._task(self._in_thread(worker.close))

    def _replace(self, worker: Worker, why: str) -> None:
        if self._stopping:
            worker.process.kill()
            return
        self._on_loss(why)
        self._dismiss(worker)
        if worker.crew == self._crew:
            self._task(self._recruit())

    async def _recruit(self) -> None:
        """Start a worker, however often it takes."""
        while True:
            crew = self._crew
            try:
                worker = await self._in_thread(started, self.orders, crew)
            except (ChildProcessError, OSError):
                self._on_loss("start")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._join(worker) if crew == self._crew else await self._in_thread(worker.close)
            return

    async def _recruits(self, orders: Orders, crew: int) -> list[Worker]:
        """Return a whole crew; TryLater ``worker_died``, and none, if one of it does not start."""
        coming = (self._in_thread(started, orders, crew) for _ in range(self.count))
        came = await asyncio.gather(*coming, return_exceptions=True)
        recruits = [one for one in came if isinstance(one, Worker)]
        if len(recruits) < self.count:
            for one in recruits:
                await self._in_thread(one.close)
            raise TryLater("worker_died", "a healing process did not start", RETRY_SECONDS)
        return recruits

    def _in_thread(self, work: Callable[..., Given], *given: object) -> asyncio.Future[Given]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    def _task(self, work: Awaitable[Given]) -> asyncio.Task[Given]:
        """Run something beside everything else; kept, as the event loop keeps no task alive."""
        task = asyncio.ensure_future(_awaited(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _awaited(work: Awaitable[Given]) -> Given:
    return await work
