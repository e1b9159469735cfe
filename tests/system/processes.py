"""The service as processes of its own: started, asked over HTTP, killed. Nothing here comes from the package."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

START_SECONDS = 60
PROGRAM = Path(sys.executable).with_name("self-heal")
ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "ranker.json"
OTHER_MODEL = ROOT / "models" / "baseline.json"

# What a page that says nothing of its own answers.
PAGE = "<html><body><h1>Login</h1><button class='go'>Sign In</button><button>Help</button></body></html>"
HEAL = {"html": PAGE, "original_locator": "#login-btn", "context": {"visible_text": "Sign In"}}

# Runs until somebody ends it.
FOREVER = {"html": "<div>" * 300, "original_locator": "*" + ":has(* " * 12 + "x" + ")" * 12}

# The service's own default deadline, and what it may take beyond.
DEADLINE, GRACE = 2.0, 0.5

# Settings of the person who runs the tests stay out.
OURS = ("SELF_HEAL_", "DATABASE_URL", "REDIS_URL", "MODEL_PATH", "DATA_DIR", "AUTH", "LOG_LEVEL", "PROMETHEUS_")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def json(self):
        return json.loads(self.text)


def ask(port, method, path, body=None, timeout=15.0, **headers):
    """Return the answer to one request over a connection of its own; OSError or HTTPException without a whole one."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        raw = None if body is None else json.dumps(body).encode()
        connection.request(method, path, raw, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text, time.monotonic() - began)


@dataclass
class App:
    """One ``uvicorn`` on a port of its own, its data below a folder. ``env`` are the settings."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen = field(default=None, repr=False)
    left: list[psutil.Process] = field(default_factory=list, repr=False)  # what a killed app started

    def __post_init__(self):
        self.port = self.port or free_port()
        self.env = {"DATA_DIR": str(self.folder / "data"), "SELF_HEAL_HEAL_WORKERS": "1", **self.env}

    # -- life --

    def launch(self):
        """Start the process, and wait for nothing."""
        command = self.command or (sys.executable, "-m", "uvicorn", "self_heal_engine.app:app")
        with (self.folder / "log").open("ab") as log, (self.folder / "errors").open("wb") as errors:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                cwd=self.folder,
                env={**CLEAN, **self.env},
                stdout=log,
                stderr=errors,
            )
        return self

    def start(self):
        """Start it, and return it once it heals."""
        self.launch()
        end = time.monotonic() + START_SECONDS
        while not self.ready():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.errors()}"
            assert time.monotonic() < end, self.errors()
            time.sleep(0.05)
        return self

    def ready(self):
        try:
            return self.get("/health/ready", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def errors(self):
        return (self.folder / "errors").read_text()

    def log(self):
        """Return its log; every line is JSON."""
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]

    def kill(self):
        """End the app as a power cut would, but not its workers: they have to notice."""
        self.left += self.family()
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds=15):
        """End it politely, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def end(self):
        """End whatever is left of it."""
        if self.process.poll() is None:
            self.left += self.family()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for one in self.left:
            if one.is_running():
                one.kill()

    def family(self):
        """Return every process that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def workers(self):
        """Return the processes that heal: what the fork server forked."""
        try:
            return [one for one in self.family() if forked(one)]
        except psutil.NoSuchProcess:
            return []

    # -- questions --

    def get(self, path, **given):
        return ask(self.port, "GET", path, **given)

    def post(self, path, body=None, **given):
        return ask(self.port, "POST", path, {} if body is None else body, **given)

    def heal(self, **given):
        """Return the answer to a heal that has to succeed."""
        answer = self.post("/heal", HEAL, **given)
        assert answer.status == 200, answer.text
        return answer

    def confirmable(self):
        return self.heal().json["confirmable"]

    def stored(self):
        """Return the id of a heal that storage has taken; a busy machine may not do so in time at once."""
        return eventually(lambda: (answer := self.heal().json)["confirmable"] and answer["request_id"])

    def confirm(self, request_id, **verdict):
        return self.post("/confirm", {"request_id": request_id, **(verdict or {"accepted_index": 0})})

    def detailed(self):
        return self.get("/health/detailed").json

    def metric(self, name, **labels):
        """Return a metric's value, summed over the labels that are not given."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return sum(float(value) for labelled, value in lines if all(each in labelled for each in wanted))


def forked(process):
    """Return whether a process is a child of the fork server, which every worker is."""
    try:
        return "forkserver" in " ".join(process.cmdline()) and "forkserver" in " ".join(process.parent().cmdline())
    except (psutil.NoSuchProcess, AttributeError):
        return False


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run(folder, *arguments, **env):
    """Return what a command of ``self-heal`` came to."""
    return subprocess.run(
        [str(PROGRAM), *arguments], cwd=folder, env={**CLEAN, **env}, capture_output=True, text=True, timeout=60
    )


def eventually(holds, seconds=10.0, pause=0.05):
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(pause)
    return found
