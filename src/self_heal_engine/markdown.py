"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a table in Markdown, a line each.

    >>> markdown(["ranker", "n"], [["similo", 3]])
    ['| ranker | n |', '| --- | --- |', '| similo | 3 |']
    """
    return [f"| {' | '.join(map(str, row))} |" for row in (head, ["---"] * len(head), *rows)]
