"""A real PostgreSQL server on a free port in a folder of its own, which tests may kill and start again."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from conftest import SEARCHED, require

# PostgreSQL refuses to run as root; Debian's package brings this user.
USER = "postgres"
CALM = ("-c", "max_connections=60", "-c", "shared_buffers=16MB", "-c", "log_min_messages=fatal")
START_SECONDS = 30
MEMORY = Path("/dev/shm")


@dataclass
class PostgresServer:
    """One server. ``url(database)`` is what ``DATABASE_URL`` takes."""

    folder: Path
    port: int
    durable: bool = True
    process: subprocess.Popen = field(default=None, repr=False)

    def url(self, database="postgres"):
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def new_database(self):
        """Return the URL of a new, empty database."""
        name = f"t{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self):
        fast = () if self.durable else ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
        command = [program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-h", "127.0.0.1", *CALM, *fast], stdout=log, stderr=log, **as_user()
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def answers(self):
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self):
        """End it as a power cut would: kill -9 of the server and of all that it forked."""
        children = [int(pid) for pid in children_of(self.process.pid)]
        for pid in (self.process.pid, *children):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def restart_killed(self):
        """Kill it and start it again; it then recovers from its log."""
        self.kill()
        self.start()

    def freeze(self):
        """Let it stop answering without closing a connection."""
        for pid in (self.process.pid, *children_of(self.process.pid)):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in (self.process.pid, *children_of(self.process.pid)):
            os.kill(pid, signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # at once, but with its shared memory given back
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


def children_of(pid):
    """Return the processes that one started, while it runs."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def program(name):
    found = shutil.which(name, path=SEARCHED)
    assert found, f"{name} is not beside postgres"
    return found


def as_user():
    """Return the arguments of Popen that make it another user's process, where we are root."""
    if os.geteuid():
        return {}
    user = pwd.getpwnam(USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def new_server(folder, durable=True):
    """Return a server that runs, its files below a folder; stop it when done."""
    require("postgres")
    if not os.geteuid():
        shutil.chown(folder, USER)
    initialise = [program("initdb"), "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "-E", "UTF8"]
    said = subprocess.run(
        [*initialise, "--locale=C.UTF-8", "--no-sync"], capture_output=True, text=True, cwd=folder, **as_user()
    )
    assert said.returncode == 0, said.stderr
    server = PostgresServer(folder, free_port(), durable)
    server.start()
    return server


@pytest.fixture(scope="session")
def postgres():
    """A server for this session (with xdist: for this worker). Who kills it starts it again."""
    # In memory where that can be: what a killed process had written is there in either, and no disk is waited for.
    # Not below pytest's folder, which is closed to other users.
    with tempfile.TemporaryDirectory(prefix="pg-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        server = new_server(Path(folder))
        yield server
        server.stop()
