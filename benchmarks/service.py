"""What the service adds to a heal: latency, throughput, health under load, overload and memory.

``python -m benchmarks.service`` writes reports/service.md. The service runs as a user starts it, in processes of its own;
the bare library is measured in the same run, taking turns. Nothing else should run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil

from benchmarks.pages import composed, generated
from self_heal_engine.files import write_text
from self_heal_engine.healer import heal
from self_heal_engine.markdown import markdown
from self_heal_engine.request import HealRequest, as_data, read_page

REPORT = Path("reports/service.md")
WORKERS = 2
TURNS = 60  # latencies, each of the library and of the service
SECONDS = 8.0  # of one turn of throughput
ROUNDS = 3
CLIENTS = 4  # enough to keep two workers busy
CROWD = 60
HEALS = 10_000
SAMPLE = 250

PAGE_BYTES = 800_000
REQUEST = HealRequest("#no-longer-there", visible_text="order cart")


def large(make: Callable[[int], str]) -> str:
    """Return a page of about 0.8 MB."""
    return next(html for elements in range(2_000, 60_000, 500) if len(html := make(elements)) >= PAGE_BYTES)


def fresh(html: str, number: int) -> str:
    """Return the page as nobody has seen it: nothing of it is in a cache."""
    return f"{html}<!-- {os.getpid()} {number} -->"


def healed(html: str) -> None:
    """Heal as the library does, up to the plain data that a caller gets."""
    as_data(heal(read_page(html), REQUEST.wanted()), REQUEST)


# -- the service ---------------------------------------------------------------------------------------------------


@contextmanager
def served(**env: str) -> Iterator[tuple[int, int]]:
    """Yield the port and the process of a service that keeps what it stores in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = {
            "DATA_DIR": folder,
            "SELF_HEAL_HEAL_WORKERS": str(WORKERS),
            "SELF_HEAL_RATE_LIMIT": "off",
            "SELF_HEAL_LOG_FILE": f"{folder}/log",
            **env,
        }
        command = [sys.executable, "-m", "uvicorn", "self_heal_engine.app:app", "--port", str(port)]
        with subprocess.Popen(command, env={**os.environ, **settings}) as process:
            try:
                wait_for(port)
                yield port, process.pid
            finally:
                process.terminate()


def wait_for(port: int) -> None:
    """Wait until the service answers."""
    for _ in range(600):
        try:
            if ask(HTTPConnection("127.0.0.1", port), "GET", "/health/ready")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the service did not start within a minute")


def ask(connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[int, str | None]:
    """Return the status of an answer and its Retry-After."""
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("Retry-After")


def heal_body(html: str) -> bytes:
    """Return the body of /heal."""
    known = {"visible_text": REQUEST.visible_text}
    return json.dumps({"html": html, "original_locator": REQUEST.original_locator, "context": known}).encode()


def bodies(html: str) -> Iterator[bytes]:
    """Yield bodies of pages that differ, without making each anew: the client must cost little."""
    before, after = heal_body(fresh(html, 0)).split(f"<!-- {os.getpid()} 0 -->".encode())
    for number in count(1):
        yield before + f"<!-- {threading.get_ident()} {number} -->".encode() + after


# -- measures ------------------------------------------------------------------------------------------------------


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long a call takes, by the clock."""
    began = time.perf_counter()
    work()
    return 1_000 * (time.perf_counter() - began)


def latencies(html: str, port: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of the library and of the service, taking turns."""
    connection, given = HTTPConnection("127.0.0.1", port), bodies(html)
    library, service = [], []
    for turn in range(-5, TURNS):  # five to warm up
        one = milliseconds(partial(healed, fresh(html, turn)))
        body = next(given)
        other = milliseconds(lambda body=body: ask(connection, "POST", "/heal", body))  # type: ignore[misc]
        time.sleep(0.05)  # so that the snapshot of this heal is not in the way of the library's next
        if turn >= 0:
            library.append(one)
            service.append(other)
    return library, service


def bare(html: str, seconds: float) -> int:
    """Return how many heals one process does in some time."""
    done, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        done += 1
        healed(fresh(html, done))
    return done


def load(port: int, html: str, clients: int, seconds: float) -> tuple[Counter[int], list[float], bool]:
    """Return the statuses that some clients get in some time, how long each took, and whether each 503 said when."""
    statuses: Counter[int] = Counter()
    took: list[float] = []
    told = True
    lock, end = threading.Lock(), time.perf_counter() + seconds

    def client() -> None:
        nonlocal told
        connection, given = HTTPConnection("127.0.0.1", port), bodies(html)
        while time.perf_counter() < end:
            body, began = next(given), time.perf_counter()
            status, after = ask(connection, "POST", "/heal", body)
            with lock:
                statuses[status] += 1
                took.append(time.perf_counter() - began)
                told = told and (status == 200 or after is not None)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, took, told


def probed(port: int, stop: threading.Event, found: list[float]) -> None:
    """Ask for /health every 20 ms until told to stop."""
    connection = HTTPConnection("127.0.0.1", port)
    while not stop.is_set():
        found.append(milliseconds(lambda: ask(connection, "GET", "/health")))
        time.sleep(0.02)


@contextmanager
def health(port: int) -> Iterator[list[float]]:
    """Yield the milliseconds of /health while the block runs."""
    found: list[float] = []
    stop = threading.Event()
    thread = threading.Thread(target=probed, args=(port, stop, found))
    thread.start()
    yield found
    stop.set()
    thread.join()


def memory(port: int, pid: int) -> tuple[list[int], list[float]]:
    """Return how many heals were done at each sample, and the resident memory of app and workers in MB then."""
    pages = [generated(elements) for elements in range(300, 2_300, 50)]
    given = [bodies(page) for page in pages]
    connection, done, held = HTTPConnection("127.0.0.1", port), [], []
    for number in range(HEALS):
        ask(connection, "POST", "/heal", next(given[number % len(given)]))
        if number % SAMPLE == 0:
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            done.append(number)
            held.append(sum(one.memory_info().rss for one in family) / 1e6)
    return done, held


# -- the report ----------------------------------------------------------------------------------------------------


def shown(values: list[float]) -> str:
    """Return median and 99th percentile."""
    return f"{statistics.median(values):.1f} / {np.percentile(values, 99):.1f}"


def verdict(met: bool) -> str:
    """Return what is said of a goal."""
    return "met" if met else "**missed**"


def main(heals: int) -> None:
    """Measure everything and write the report."""
    pages = {"template pages in one": large(composed), "generated": large(generated)}
    goals: list[tuple[str, str, str, str]] = []
    rows = []
    with served() as (port, pid):
        for name, html in pages.items():
            library, service = latencies(html, port)
            middle, own = statistics.median(service), statistics.median(library)
            rows.append((name, f"{len(html) / 1e6:.2f}", shown(library), shown(service), f"{middle / own:.2f}"))
            met = middle <= 2 * own and middle - own <= 15
            said = f"{middle / own:.2f}x, {middle - own:+.1f} ms"
            goals.append((f"p50, {name}", "<= 2x the library, and <= 15 ms more", said, verdict(met)))
        for name, html in pages.items():
            alone, behind, probes = [], [], list[float]()
            with get_context("spawn").Pool(WORKERS) as pool:
                pool.starmap(bare, [(html, 1.0)] * WORKERS)  # to warm up
                for _ in range(ROUNDS):
                    alone.append(sum(pool.starmap(bare, [(html, SECONDS)] * WORKERS)) / SECONDS)
                    with health(port) as some:
                        statuses, _, _ = load(port, html, CLIENTS, SECONDS)
                    probes += some
                    behind.append(statuses[200] / SECONDS)
            share = statistics.median(two / one for one, two in zip(alone, behind, strict=True))
            said = f"{share:.2f} ({statistics.median(behind):.1f} of {statistics.median(alone):.1f} heals/s)"
            goals.append(
                (f"throughput, two workers, {name}", ">= 0.8 of two bare processes", said, verdict(share >= 0.8))
            )
            slow = float(np.percentile(probes, 99))
            said = f"{slow:.1f} ms of {len(probes)}"
            goals.append((f"`/health` p99 while saturated, {name}", "< 50 ms", said, verdict(slow < 50)))
        with health(port) as probes:
            statuses, took, told = load(port, pages["generated"], CROWD, SECONDS)
        said = f"{statuses[200]} answered, {statuses[503]} refused; slowest answer {max(took):.2f} s"
        met = set(statuses) <= {200, 503} and told and statuses[503] > 0
        goals.append((f"{CROWD} clients at once", "200, or 503 with Retry-After", said, verdict(met)))
        slow = float(np.percentile(probes, 99))
        goals.append(("`/health` p99 meanwhile", "< 50 ms", f"{slow:.1f} ms of {len(probes)}", verdict(slow < 50)))
        done, held = memory(port, pid)
        warm = len(done) // 5
        slope = 1_000 * float(np.polyfit(done[warm:], held[warm:], 1)[0])
        said = f"{slope:+.2f} MB ({held[warm]:.0f} MB after {done[warm]:,}, {held[-1]:.0f} MB after {done[-1]:,})"
        goals.append((f"memory per 1,000 of {heals:,} heals", "<= 1 MB", said, verdict(slope <= 1)))
    write_text(REPORT, "\n".join(report(rows, goals)) + "\n")


def report(rows: list[tuple[str, ...]], goals: list[tuple[str, str, str, str]]) -> list[str]:
    """Return the page."""
    return [
        "# The service",
        "",
        f"Made by `make bench-service` (`python -m benchmarks.service`), on {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}: uvicorn with one app process and {WORKERS} healing processes, SQLite, snapshots on; the",
        "clients run on the same cores. Every request is a page that nobody has seen before. *Library*: from the HTML to the",
        "plain data of the answer, in a process that does nothing else. Absolute figures move with the machine; the ratios",
        "matter.",
        "",
        *markdown(["page", "MB", "library p50 / p99, ms", "service p50 / p99, ms", "ratio of the p50"], rows),
        "",
        "## Goals",
        "",
        *markdown(["what", "goal", "result", "verdict"], goals),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heals", type=int, default=HEALS, help="how many heals memory is watched over")
    HEALS = parser.parse_args().heals
    main(HEALS)
