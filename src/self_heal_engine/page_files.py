"""PageFiles: the pages that SQLite's database names, a file each."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from self_heal_engine.snapshots import Snapshot

# A file that is still being written after this long was left behind by a crash.
UNFINISHED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PageFiles:
    """A folder of gzipped pages, each named by its SHA-256; written whole or not at all."""

    folder: Path

    def path(self, sha256: str) -> Path:
        """Return where a page lies; spread over 256 folders."""
        return self.folder / sha256[:2] / f"{sha256}.html.gz"

    def write(self, page: Snapshot) -> None:
        """Keep a page, unless it is there."""
        path = self.path(page.sha256)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{uuid4()}")  # its own name: threads may write the same page
        try:
            with unfinished.open("wb") as file:
                file.write(page.body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    def read(self, sha256: str) -> bytes | None:
        """Return a page as it was written, or None if it is not there."""
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, sha256: str) -> None:
        """Remove a page, if it is there."""
        self.path(sha256).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the SHA-256 of every page."""
        files = (path.name.removesuffix(".html.gz") for path in self.folder.glob("??/*.html.gz"))
        return sorted(name for name in files if re.fullmatch("[0-9a-f]{64}", name))

    def remove_unfinished(self) -> None:
        """Remove what a crash left half written."""
        for path in self.folder.glob("??/.*"):
            try:
                if path.stat().st_mtime < time.time() - UNFINISHED_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process was quicker
