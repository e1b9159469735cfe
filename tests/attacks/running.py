"""A service as a process of its own, and a client that sends whatever bytes it is given."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from self_heal_engine.access_tokens import create, read_tokens, write_tokens
from self_heal_engine.settings import VARIABLES

MEGABYTE = 1024 * 1024

ROOT = Path(__file__).parents[2]

SCOPES = ("heal", "confirm", "admin")


@dataclass
class Running:
    """A service that runs: where it listens, what opens it, what it wrote and how much its processes took."""

    port: int
    token: str
    expired: str
    log: Path
    process: subprocess.Popen
    peaks: dict = field(default_factory=dict)  # process -> the most memory it had, in MB
    bounds: dict = field(default_factory=dict)  # process -> its bound of address space in MB, if it has one

    def lines(self):
        """Every line that the service or one of its processes wrote."""
        return self.log.read_text("utf-8").splitlines()


@contextmanager
def running(folder, **env):
    """A service, its data in the folder, two healing processes; SELF_HEAL_... and the others as keyword arguments."""
    tokens = folder / "data" / "tokens.json"
    token, expired = (create(tokens, name, SCOPES, 1) for name in ("attacks", "expired"))
    valid, over = read_tokens(tokens)
    write_tokens(tokens, [valid, replace(over, expires=datetime.now(UTC) - timedelta(days=1))])
    port, log = free_port(), folder / "service.log"
    settings = {
        "DATA_DIR": str(folder / "data"),
        "MODEL_PATH": str(ROOT / "models/ranker.json"),
        "SELF_HEAL_HEAL_WORKERS": "2",
        "SELF_HEAL_RATE_LIMIT": "off",
        **env,
    }
    command = [sys.executable, "-m", "uvicorn", "self_heal_engine.app:app", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=own_environment() | settings, stdout=out, stderr=subprocess.STDOUT
        )
    served = Running(port, token, expired, log, process)
    over = threading.Event()
    watching = threading.Thread(target=watch_memory, args=(served, over))
    try:
        wait_until_ready(served)
        watching.start()
        yield served
    finally:
        over.set()
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if watching.ident:
            watching.join()


def own_environment():
    """What this process has in its environment, less what would set the service up."""
    return {name: text for name, text in os.environ.items() if name not in VARIABLES}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until_ready(served, seconds=240):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert served.process.poll() is None, "\n".join(served.lines())
        try:
            if ask(served.port, [head("GET", "/health/ready")]).status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("the service did not start: " + "\n".join(served.lines()))


# -- asking --------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What came back; status None: the server closed the connection instead. ``seconds`` from the first byte sent."""

    status: int | None
    headers: dict
    body: bytes
    seconds: float

    @property
    def kind(self):
        return self.headers.get("content-type", "")

    def data(self):
        return json.loads(self.body)


def head(method, path, **headers):
    """The head of a request; a header's name with _ for -."""
    lines = {"Host": "127.0.0.1", **{name.replace("_", "-"): text for name, text in headers.items()}}
    return (
        b"\r\n".join(
            [f"{method} {path} HTTP/1.1".encode("latin-1"), *(f"{n}: {t}".encode("latin-1") for n, t in lines.items())]
        )
        + b"\r\n\r\n"
    )


def posted(path, body, token, **headers):
    """A whole POST request with a body of JSON."""
    told = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "Content-Length": len(body)}
    return head("POST", path, **told | headers) + body


def ask(port, pieces, method="POST", seconds=15.0):
    """Send the pieces of a request one by one (a number is a pause of so many seconds); return the first answer.

    What is sent stops when the answer is there: a server may refuse a request that has not ended.
    """
    answered = threading.Event()
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as way:
        began = time.perf_counter()
        sending = threading.Thread(target=send, args=(way, pieces, answered), daemon=True)
        sending.start()
        answer = HTTPResponse(way, method=method)
        try:
            answer.begin()
            body = answer.read()
        except (HTTPException, ConnectionError):
            return Answer(None, {}, b"", time.perf_counter() - began)
        finally:
            took = time.perf_counter() - began
            answered.set()
            answer.close()
    return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, body, took)


def send(way, pieces, answered):
    try:
        for piece in pieces:
            if answered.is_set():
                return
            if isinstance(piece, int | float):
                answered.wait(piece)
            else:
                way.sendall(piece)
    except OSError:
        return  # the server has closed: what it said before counts


# -- memory --------------------------------------------------------------------------------------------------------


def watch_memory(served, over):
    """Note the most memory of the service and of every process below it."""
    while not over.wait(0.05):
        for pid in family(served.process.pid):
            peak = status_of(pid).get("VmHWM", 0) / 1024
            served.peaks[pid] = max(served.peaks.get(pid, 0), peak)
            if (bound := bound_of(pid)) is not None:
                served.bounds[pid] = bound


def family(pid):
    """A process and all below it."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                left += map(int, (task / "children").read_text("ascii").split())
        except (OSError, ValueError):
            continue
    return found


def bound_of(pid):
    """The bound of a process's address space in MB, or None."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text("ascii").splitlines()
    except OSError:
        return None
    soft = next(line.split()[3] for line in lines if line.startswith("Max address space"))
    return None if soft == "unlimited" else int(soft) / MEGABYTE


def status_of(pid):
    """The numbers that the kernel tells of a process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split()[:2] for line in lines if line.startswith("Vm"))
    return {name.rstrip(":"): int(number) for name, number in pairs}
