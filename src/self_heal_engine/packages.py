"""Fetching packages with the ordinary clients, npm and uv, into a download folder; every hash is checked."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from self_heal_engine.errors import CannotHeal, quoted

# Longer than any package took to fetch and build, so that a lost connection ends.
MOST_SECONDS = 900


def npm_package(spec: str, integrity: str, downloads: Path) -> Path:
    """Return the folder of an npm package (``name@version``), fetched the first time with ``npm pack``."""
    folder = downloads / "npm" / spec.replace("/", "_")
    if folder.exists():
        return folder
    with unfinished(folder) as fetched:
        run(["npm", "pack", "--silent", spec], fetched, what=spec)
        packed = next(fetched.glob("*.tgz"), None)
        if packed is None:
            raise CannotHeal("not_fetched", f"npm packed nothing for {quoted(spec)}")
        check_integrity(packed, integrity, spec)
        with tarfile.open(packed) as archive:
            archive.extractall(fetched, filter="data")
        packed.unlink()
        (content,) = fetched.iterdir()  # "package", but old ones named it as they liked
        keep(content, folder)
    return folder


def check_integrity(packed: Path, integrity: str, spec: str) -> None:
    """Raise CannotHeal ``wrong_hash`` unless a file has the SHA-512 that npm writes as ``sha512-<base64>``."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != integrity:
        raise CannotHeal("wrong_hash", f"{spec} has the hash {found}, the table of sources says {integrity}")


def pypi_release(lock: Path, downloads: Path, python: str) -> Path:
    """Return a folder with everything that a lock file pins, installed the first time with ``uv pip install``."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = downloads / "pypi" / f"{lock.stem}-{python}-{digest}"
    if folder.exists():
        return folder
    with unfinished(folder) as work:
        asked = ["--require-hashes", "--no-deps", "-r", str(lock.resolve())]
        target = ["--python", python, "--target", str((work / "installed").resolve())]
        run([uv(), "pip", "install", "--quiet", "--link-mode", "copy", *target, *asked], work, what=lock.stem)
        keep(work / "installed", folder)
    return folder


def uv() -> str:
    """Return the uv command: the one on the path, else the one beside this Python."""
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or str(beside)


def run(command: Sequence[str], folder: Path, what: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a command in a folder; CannotHeal ``not_fetched`` with the last line it said if it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise CannotHeal("not_fetched", f"{what}: {command[0]} did not do its work: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()
        raise CannotHeal("not_fetched", f"{what}: {Path(command[0]).name} failed and said {quoted(said[-1], 300)}")


def keep(made: Path, folder: Path) -> None:
    """Give a finished folder its name; where another thread or process was first, its copy is the same."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.exists():
            raise


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Give a work folder beside the one to be made, removed at the end: what is interrupted leaves nothing behind."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{os.getpid()}-") as work:
        yield Path(work)
