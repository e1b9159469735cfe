"""The one exception for input that the caller can mend."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

BAD_INPUT = 2

Given = TypeVar("Given")


class CannotHeal(Exception):
    """The caller can fix this. ``str()`` is one fixed word; ``sentence`` quotes what was wrong.

    The word is the exit message, HTTP error, log field and metric label: docs/errors.md lists them all.

    >>> try:
    ...     raise CannotHeal("unknown_locator_kind", "'cs' is not a kind of locator")
    ... except CannotHeal as refusal:
    ...     print(refusal, "-", refusal.sentence)
    unknown_locator_kind - 'cs' is not a kind of locator
    """

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(word)
        self.sentence = sentence
        self.add_note(sentence)  # so that a traceback shows it

    def __reduce__(self) -> tuple[type[CannotHeal], tuple[str, str]]:
        return CannotHeal, (str(self), self.sentence)  # so that it crosses from a worker process


def quoted(value: object, most: int = 80) -> str:
    """Return the value as it may stand in a sentence: one line, escaped, cut in the middle of nowhere.

    >>> quoted("a" * 100, most=10)
    "'aaaaaaaaaa…'"
    """
    if isinstance(value, Path):  # the end of a path tells more than its beginning
        return repr(str(value))
    text = value if isinstance(value, str) else repr(value)
    return ascii_safe(repr(text[:most] + "…" if len(text) > most else text))


def printable(text: str) -> str:
    """Return the text with everything escaped that could steer a terminal.

    >>> printable("\x1b[31mred")
    '\\\\x1b[31mred'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def ascii_safe(text: str) -> str:
    """Return the text with lone surrogates escaped, so that any terminal, log and JSON encoder takes it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def at_the_edge(program: str, command: Callable[[], Given]) -> Given:
    """Return what a command does; what the caller can mend ends in one sentence on standard error and exit code 2."""
    try:
        return command()
    except CannotHeal as refusal:
        print(f"{program}: {refusal}: {refusal.sentence}", file=sys.stderr)
        sys.exit(BAD_INPUT)
