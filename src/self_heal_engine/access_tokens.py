"""Access tokens: who may call the service; a file of their hashes, and Tokens, which knows a token when it sees one."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import read_text, sha256
from self_heal_engine.validation import STRICT, from_json

SCOPES = ("heal", "confirm", "admin")

# What every token begins with, so that scanners for leaked secrets can find it.
BEGINS = "she_"
RANDOM_BYTES = 32
MOST_CHARACTERS = 200
MOST_NAME = 80
MOST_DAYS = 3650

# How often the file is looked at: a revoked token is refused after so many seconds.
LOOK_EVERY = 1.0
NEVER = (-1, -1, -1)


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: its hash, and never the token itself."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    id: str
    name: str
    sha256: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class TokenFile:
    """The file."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    tokens: tuple[Token, ...]


class Tokens:
    """The tokens of a file, read again when it changes. Whatever becomes of the file, nobody gets in by it.

    ``problem`` is a sentence while the file cannot be used: damaged or unreadable, the tokens read last stay valid;
    gone, none is, and ``any()`` stays true. CannotHeal ``bad_tokens`` if it cannot be used from the beginning.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        self.problem: str | None = None
        self._clock = clock
        self._looked = clock()
        self._seen = signature(file)
        self._held = by_hash(read_tokens(file))
        self._any = bool(self._held)

    def any(self) -> bool:
        """Return whether tokens are asked for: one was created, even if it has expired since."""
        self._look()
        return self._any

    def holder(self, text: str) -> Token | None:
        """Return whose token this is; None if nobody's, or expired."""
        token = self._find(text)
        return token if token and token.expires > datetime.now(UTC) else None

    def expired(self, text: str) -> bool:
        """Return whether this was somebody's token, and its time is over."""
        token = self._find(text)
        return token is not None and token.expires <= datetime.now(UTC)

    def _find(self, text: str) -> Token | None:
        self._look()
        # Looked up by hash: how long it takes says nothing about how much of a token was guessed.
        return self._held.get(sha256(text)) if len(text) <= MOST_CHARACTERS else None

    def _look(self) -> None:
        if self._clock() - self._looked < LOOK_EVERY:
            return
        self._looked = self._clock()
        try:
            seen = signature(self.file)  # before reading: what changes meanwhile is read again
            if seen == self._seen:
                return
            held = by_hash(parse_tokens(self.file)) if seen else {}
        except CannotHeal as refusal:
            self.problem = f"{refusal.sentence}; the tokens read last stay valid"
            self._seen = NEVER  # a file can be mended without changing: by chmod
            return
        self._seen, self._held = seen, held
        # A file that went away must not open the service to this machine, as one that never was does.
        self._any = self._any if seen is None else bool(held)
        self.problem = f"{quoted(self.file)} is gone; no token is valid until it is back" if seen is None else None


# -- the file --------------------------------------------------------------------------------------------------------


def create(file: Path, name: str, scopes: Iterable[str], days: int) -> str:
    """Return a new token; the file keeps its hash. It cannot be shown again.

    CannotHeal ``bad_token_request`` if the name, a scope or the days cannot be.
    """
    given = set(scopes)
    asked = tuple(scope for scope in SCOPES if scope in given)
    if unknown := sorted(given - set(SCOPES)):
        raise CannotHeal("bad_token_request", f"{quoted(unknown[0])} is not a scope: {', '.join(SCOPES)}")
    if not asked:
        raise CannotHeal("bad_token_request", f"a token needs a scope: {', '.join(SCOPES)}")
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        raise CannotHeal("bad_token_request", f"{quoted(name)} cannot be a name: 1 to {MOST_NAME} printable characters")
    if not 1 <= days <= MOST_DAYS:
        raise CannotHeal("bad_token_request", f"a token cannot last {days} days; 1 to {MOST_DAYS}")
    text = BEGINS + secrets.token_urlsafe(RANDOM_BYTES)
    now = datetime.now(UTC).replace(microsecond=0)
    with locked(file):
        tokens = read_tokens(file)
        made = Token(unused_id(tokens), name, sha256(text), asked, now, now + timedelta(days=days))
        write_tokens(file, [*tokens, made])
    return text


def revoke(file: Path, token_id: str) -> Token:
    """Take a token out of the file and return it; CannotHeal ``unknown_token_id`` if there is none of the id."""
    with locked(file):
        tokens = read_tokens(file)
        gone = next((token for token in tokens if token.id == token_id), None)
        if gone is None:
            raise CannotHeal("unknown_token_id", f"no token in {quoted(file)} has the id {quoted(token_id)}")
        write_tokens(file, [token for token in tokens if token is not gone])
    return gone


def read_tokens(file: Path) -> list[Token]:
    """Return the tokens of a file, none if there is no file; CannotHeal ``bad_tokens`` says what is wrong with it."""
    return [] if signature(file) is None else parse_tokens(file)


def parse_tokens(file: Path) -> list[Token]:
    """Return the tokens of a file that is there, or raise CannotHeal ``bad_tokens``."""
    try:
        text = read_text(file)
    except CannotHeal as refusal:
        raise CannotHeal("bad_tokens", refusal.sentence) from refusal
    tokens = from_json(TokenFile, text, "bad_tokens", quoted(file)).tokens
    for token in tokens:
        if token.created.tzinfo is None or token.expires.tzinfo is None:
            raise CannotHeal("bad_tokens", f"{quoted(file)}: the token {quoted(token.id)} has a time without a zone")
        if unknown := set(token.scopes) - set(SCOPES):
            raise CannotHeal("bad_tokens", f"{quoted(file)}: {quoted(min(unknown))} is not a scope")
    for names in ([token.id for token in tokens], [token.sha256 for token in tokens]):
        if len(set(names)) < len(names):
            raise CannotHeal("bad_tokens", f"{quoted(file)} holds a token twice")
    return list(tokens)


def write_tokens(file: Path, tokens: Sequence[Token]) -> None:
    """Write the file whole or not at all, for its owner's eyes only."""
    content = {"tokens": [asdict(token) for token in tokens]}
    text = json.dumps(content, indent=1, ensure_ascii=False, default=datetime.isoformat) + "\n"
    target = Path(os.path.realpath(file))
    unfinished = target.with_name(f".{target.name}.unfinished")  # one name will do: the writer holds the lock
    with refused(file):
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            if target.exists() and os.geteuid() == 0:  # made by root, the service's own user still has to read it
                os.fchown(out.fileno(), target.stat().st_uid, target.stat().st_gid)
            os.fsync(out.fileno())
        os.replace(unfinished, target)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock of a file: two writers take turns; a killed one leaves it open."""
    import fcntl  # there is none on Windows, where tokens can only be read

    with refused(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(file.with_name(f".{file.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def refused(file: Path) -> Iterator[None]:
    """Turn an OSError into CannotHeal ``unwritable_file``."""
    try:
        yield
    except OSError as error:
        raise CannotHeal("unwritable_file", f"{quoted(file)} cannot be written: {error.strerror}") from error


def signature(file: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file does, None if there is none; CannotHeal ``bad_tokens`` if nobody can say."""
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotHeal("bad_tokens", f"{quoted(file)} cannot be read: {error.strerror}") from error
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def by_hash(tokens: Iterable[Token]) -> dict[str, Token]:
    """Return tokens by their hashes."""
    return {token.sha256: token for token in tokens}


def unused_id(tokens: Iterable[Token]) -> str:
    """Return an id that no token has."""
    used = {token.id for token in tokens}
    return next(made for made in iter(lambda: secrets.token_hex(4), None) if made not in used)
