"""Real servers for the tests of this folder, and the service as processes of its own."""

import os
import resource
import shutil
import subprocess

import pytest

from postgres_server import postgres  # noqa: F401 - a fixture
from redis_server import redis, redis_session  # noqa: F401 - fixtures
from system.processes import App


@pytest.fixture
def start(tmp_path):
    """Start an app in this test's folder, or another one, and end it with the test."""
    started = []

    def one(folder=tmp_path, **given):
        folder.mkdir(parents=True, exist_ok=True)
        started.append(App(folder, **given))
        return started[-1].start()

    yield one
    for app in started:
        app.end()


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory):
    """Start an app that several tests of a file ask."""
    started = []

    def one(name, **given):
        started.append(App(tmp_path_factory.mktemp(name), **given))
        return started[-1].start()

    yield one
    for app in started:
        app.end()


@pytest.fixture
def disk_of_a_megabyte(tmp_path):
    """A small disk; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def bound_files():
    """Let no file of a process grow beyond so many bytes, and let them grow again: a full disk without a mount."""

    def bound(app, most=None):
        _, hard = resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (hard if most is None else most, hard))

    return bound
