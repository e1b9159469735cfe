"""in_parallel(work, jobs): the same results in the same order from local processes or from a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from typing import TypeVar

from self_heal_engine.errors import CannotHeal, quoted

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Job], Result], jobs: Sequence[Job], scheduler: str | None = None) -> Iterator[Result]:
    """Yield the result of each job, in the order of the jobs.

    Without a scheduler on local processes, one a core; with one (``tcp://host:8786``) on its Dask cluster, whose
    workers must see the same files under the same paths: jobs name files, they do not carry them. CannotHeal
    ``no_scheduler`` if nothing answers there.
    """
    if scheduler is None:
        yield from _pool(os.cpu_count() or 1).map(work, jobs, chunksize=max(1, min(8, len(jobs) // 16)))
        return
    from distributed import Client  # the workbench's; a second to import

    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise CannotHeal("no_scheduler", f"no Dask scheduler answers at {quoted(scheduler)}: {error}") from error
    with client:
        yield from client.gather(client.map(work, jobs, pure=False))


@lru_cache(maxsize=1)
def _pool(processes: int) -> ProcessPoolExecutor:
    """Return processes that live as long as this one: what they have read stays read.

    Tried: forking for each call. Once anything in the parent had used OpenMP (XGBoost, scikit-learn), the children
    waited for threads that do not survive a fork.
    """
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
