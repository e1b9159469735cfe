"""The service as its users start it: uvicorn in a process of its own, on a free port, everything in a folder."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

START_SECONDS = 60
BESIDE = Path(sys.executable).parent  # where this project's commands are


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def environment(**given):
    """This environment without what it may say to the service, and with what is given."""
    ours = ("SELF_HEAL_", "HEALING_API_URL", "DATA_DIR", "DATABASE_URL", "MODEL_PATH", "LOG_LEVEL", "REDIS_URL", "AUTH")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | given


@contextmanager
def serving(folder, **given):
    """Yield the URL of a service that was started in the folder; what it says is in its file ``log``."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "self_heal_engine.app:app", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(SELF_HEAL_HEAL_WORKERS="1", **given), stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url, process, log):
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urlopen(f"{url}/health/ready", timeout=5).close()
        except URLError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the service did not start: {log.read_text('utf-8')[-2000:]}") from None
            time.sleep(0.05)
        else:
            return
