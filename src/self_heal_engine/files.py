"""Reading and writing files: whole or not at all, and what is wrong with one in a sentence that names it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from self_heal_engine.errors import CannotHeal, quoted

# No page that people look at comes near; what is larger is an archive with a wrong name.
MOST_FILE_BYTES = 40_000_000


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, a byte order mark removed; CannotHeal names the file and what is wrong."""
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise CannotHeal(
                "file_too_large",
                f"{quoted(path)} has {path.stat().st_size} bytes; at most {MOST_FILE_BYTES} are read",
            )
        raw = path.read_bytes()
    except OSError as error:
        raise CannotHeal("unreadable_file", f"{quoted(path)} cannot be read: {error.strerror}") from error
    return decode(raw, path)


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file of any size, one at a time; only ``\\n`` ends a line, as in JSON Lines."""
    try:
        with path.open("rb") as file:
            for line in file:
                yield decode(line, path)
    except OSError as error:
        raise CannotHeal("unreadable_file", f"{quoted(path)} cannot be read: {error.strerror}") from error


def decode(raw: bytes, path: Path) -> str:
    """Return the bytes of a file as text; CannotHeal ``not_utf8`` if they are none."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotHeal(
            "not_utf8", f"{quoted(path)} is not UTF-8 text: byte {raw[error.start]:#04x} at {error.start}"
        ) from error


def read_html(path: Path) -> str:
    """Return the HTML of a file as ``read_text`` does; CannotHeal if there is nothing in it, or it is a binary file."""
    html = read_text(path)
    if "\0" in html:
        raise CannotHeal("binary_file", f"{quoted(path)} is not text: byte 0x00 at {html.encode().index(0)}")
    if not html.strip():
        raise CannotHeal("empty_page", f"{quoted(path)} is empty: {len(html)} characters, all of them white space")
    return html


def below(folder: Path, name: str) -> Path:
    """Return a path below a folder; CannotHeal ``bad_path`` if the name would lead out of it."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise CannotHeal("bad_path", f"{quoted(name)} leads out of {quoted(folder)}")
    return folder / name


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all, with ``\\n`` line ends on every system; its folder is made."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made."""
    if path.is_dir():
        raise CannotHeal("unwritable_file", f"{quoted(path)} is a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file of lines whole or not at all."""
    write_text(path, "".join(f"{line}\n" for line in lines))


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON that reads well in a diff: keys in order, one a line."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def sha256(data: str | bytes) -> str:
    """Return the SHA-256 of some text or bytes, in hexadecimal."""
    return hashlib.sha256(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data).hexdigest()
