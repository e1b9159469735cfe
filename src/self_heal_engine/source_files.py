"""The files of a test suite: found, read and parsed, shown as a unified diff, and written, all of them or none."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.literals import LANGUAGES, Source, first_error, read_source

# Nobody writes a test of this size; a bundle or recorded data may stand beside the tests.
MOST_SOURCE_BYTES = 2_000_000

# Folders that hold other people's sources, or what is made of one's own.
NOT_OURS = frozenset("node_modules site-packages venv __pycache__ build dist target".split())


@dataclass(frozen=True, slots=True)
class Edit:
    """One literal that changes: where it stands in the file's bytes, and what it says."""

    line: int
    start: int
    end: int
    written: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Left:
    """One place that is left as it is, and why."""

    shown: str
    line: int
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A file as it is and as it is to be."""

    path: Path
    shown: str
    before: bytes
    edits: tuple[Edit, ...]

    def after(self) -> bytes:
        """Return the file with its literals replaced."""
        parts, at = [], 0
        for edit in self.edits:
            parts += [self.before[at : edit.start], edit.written.encode("utf-8")]
            at = edit.end
        return b"".join([*parts, self.before[at:]])


def sources_below(paths: Iterable[Path]) -> list[Path]:
    """Return the sources at or below some paths, each once; CannotHeal names a path that is none."""
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            below = sorted(walk_folder(path))
        elif not path.exists():
            raise CannotHeal("unreadable_file", f"{quoted(path)} cannot be read: No such file or directory")
        elif path.suffix not in LANGUAGES:
            raise CannotHeal(
                "unknown_source",
                f"{quoted(path)} is no source that can be patched: its name ends in none of {', '.join(LANGUAGES)}",
            )
        else:
            below = [path]
        for each in below:
            found.setdefault(each.resolve(), each)
    return list(found)


def walk_folder(folder: Path) -> Iterator[Path]:
    """Yield the sources below a folder, less hidden ones, links, and what is installed or built."""
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NOT_OURS]
        for name in names:
            path = Path(root, name)
            if path.suffix in LANGUAGES and not name.startswith(".") and not path.is_symlink():
                yield path


def read_files(paths: list[Path]) -> list[tuple[Path, str, bytes]]:
    """Return each file with the path to show and its bytes."""
    try:
        return [(path, shown_as(path), path.read_bytes()) for path in paths]
    except OSError as error:
        raise CannotHeal(
            "unreadable_file", f"{quoted(str(error.filename))} cannot be read: {error.strerror}"
        ) from error


def shown_as(path: Path) -> str:
    """Return a path as seen from the working folder, or from the root if it leads out of it."""
    whole, here = Path(os.path.abspath(path)), Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


def parsed(files: list[tuple[Path, str, bytes]], tokens: set[bytes], left: list[Left]) -> Iterator[Source]:
    """Yield the files that may hold one of the tokens, parsed; what cannot be is added to ``left``."""
    for path, shown, raw in files:
        if not any(token in raw or token in raw.replace(b"\0", b"") for token in tokens):
            continue
        if why := unreadable(path, raw):
            left.append(Left(shown, 1, "", why))
            continue
        source = read_source(path, shown, raw)
        if line := first_error(source.root):
            left.append(Left(shown, line, "", "the file cannot be parsed from here on; nothing in it is changed"))
            continue
        yield source


def unreadable(path: Path, raw: bytes) -> str | None:
    """Return why a file is not looked into, or None."""
    if len(raw) > MOST_SOURCE_BYTES:
        return f"the file has {len(raw)} bytes; at most {MOST_SOURCE_BYTES} are read"
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return f"the file is not UTF-8 text: byte {raw[error.start]:#04x} at {error.start}; nothing in it is changed"
    said = re.search(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", "\n".join(text.split("\n")[:2]), re.MULTILINE)
    if path.suffix == ".py" and said and said[1].lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
        return f"the file says that it is {said[1]}, not UTF-8; nothing in it is changed"
    return None


# -- the diff --------------------------------------------------------------------------------------------------------


def diff_of(patch: Patch) -> str:
    """Return a file's change as ``git apply`` and ``patch -p1`` take it, seen from the working folder."""
    before, after = lines_of(patch.before), lines_of(patch.after())
    lines = unified_diff(before, after, in_header("a/", patch.shown), in_header("b/", patch.shown))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def lines_of(content: bytes) -> list[str]:
    """Return the lines of a file; only ``\\n`` ends one, as git has it."""
    *lines, last = content.decode("utf-8").split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def in_header(prefix: str, shown: str) -> str:
    """Return a path as a diff's header names it: quoted where git would, ended by a tab where it holds a space."""
    name = prefix + shown.lstrip("/")
    if re.search(r'[\x00-\x1f"\\]', name):
        return '"' + re.sub(r'[\x00-\x1f"\\]', lambda match: f"\\{ord(match[0]):03o}", name) + '"'
    return name + "\t" * (" " in name)


# -- writing ---------------------------------------------------------------------------------------------------------


def write_all(patches: Sequence[Patch]) -> None:
    """Write every file, or none: CannotHeal ``unwritable_file`` or ``changed_meanwhile``, and all are as they were."""
    staged: list[tuple[Patch, Path, Path]] = []
    written: list[tuple[Patch, Path]] = []
    try:
        for patch in patches:
            path = patch.path.resolve()  # a link stays one
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            staged.append((patch, path, beside))
            beside.write_bytes(patch.after())
            shutil.copymode(path, beside)
        for patch, path, _ in staged:
            if path.read_bytes() != patch.before:
                raise CannotHeal("changed_meanwhile", f"{quoted(patch.path)} was changed while it was looked at")
        for patch, path, beside in staged:
            os.replace(beside, path)
            written.append((patch, path))
    except OSError as error:
        for patch, path in written:
            path.write_bytes(patch.before)
        raise CannotHeal(
            "unwritable_file", f"{quoted(str(error.filename))} cannot be written: {error.strerror}"
        ) from error
    finally:
        for *_, beside in staged:
            beside.unlink(missing_ok=True)
