"""A real Redis server on a free port in a folder of its own, which tests may kill, freeze and start again."""

import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import require

START_SECONDS = 10


@dataclass
class RedisServer:
    """One server. ``url`` is what ``REDIS_URL`` takes."""

    folder: Path
    port: int
    process: subprocess.Popen = field(default=None, repr=False)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*command, "--save", "", "--appendonly", "no"], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def says(self, command):
        """Return what it answers to one command, such as ``KEYS *``."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(100_000).decode()

    def answers(self):
        try:
            return self.says("PING") == "+PONG\r\n"
        except OSError:
            return False

    def kill(self):
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def freeze(self):
        """Let it stop answering without closing a connection."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            self.process.wait(10)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def new_server(folder):
    """Return a server that runs, its files below a folder; stop it when done."""
    require("redis")
    server = RedisServer(folder, free_port())
    server.start()
    return server


@pytest.fixture(scope="session")
def redis_session(tmp_path_factory):
    """A server for this session (with xdist: for this worker)."""
    server = new_server(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def redis(redis_session):
    """The session's server, empty and running, whatever the test before did to it."""
    if redis_session.process.poll() is not None:
        redis_session.start()
    redis_session.thaw()
    redis_session.says("FLUSHALL")
    return redis_session
