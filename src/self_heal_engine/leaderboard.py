"""The leaderboard: a row for every ranker and healer that was measured on the test cases, best first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from self_heal_engine.dataset import Case
from self_heal_engine.evaluation import rounded
from self_heal_engine.files import read_text, sha256, write_json, write_text
from self_heal_engine.goals import RANKING, about
from self_heal_engine.markdown import markdown
from self_heal_engine.metrics import calibration_error, false_heals_at_recall, headline, hit_at
from self_heal_engine.ranking import load_ranker
from self_heal_engine.validation import STRICT, from_json

if TYPE_CHECKING:
    import pandas as pd

FILE, PAGE = "leaderboard.json", "leaderboard.md"

# The figures of a row, and what each column is called. Those of ``RANKING`` are hit@1.
COLUMNS = {
    "headline": "headline", "natural": "natural", "masked-1": "masked 1", "masked-2": "masked 2",
    "mutated-2": "mutated 2", "mutated-3": "mutated 3", "text": "text only", "false_heals": "false heals",
    "ece": "ECE",
}  # fmt: skip

# So much of a hash is shown.
SHORT = 8


@dataclass(frozen=True, slots=True)
class CaseSet:
    """Which cases a row is about: two rows can be compared if theirs are the same."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    data: str  # SHA-256 of cases.jsonl
    side: str
    sample: int | None  # None: all cases of the side
    families: tuple[str, ...]


Number = int | float


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one ranker or healer; of ``figures`` those without a case are missing."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    name: str
    version: str
    on: CaseSet
    cases: int
    gone: int
    no_answers: int
    figures: Mapping[str, Mapping[str, Number]]


@dataclass(frozen=True, slots=True)
class Board:
    """The whole file: its rows, and the cases that count, those of the last row over a whole side."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    on: CaseSet | None = None
    rows: tuple[Row, ...] = field(default_factory=tuple)


# -- rows ----------------------------------------------------------------------------------------------------------


def case_set(cases: Sequence[Case], file: Path, side: str, sample: int | None) -> CaseSet:
    """Return which cases these are: a side of a file, or a sample of it."""
    taken = sample if sample == len(cases) else None
    return CaseSet(sha256(file.read_bytes()), side, taken, tuple(sorted({case.family for case in cases})))


def titled(ranker: str) -> tuple[str, str]:
    """Return name and version of a ranker: of a model file what it is called, and the beginning of its hash."""
    if not Path(ranker).suffix:
        return ranker, ""
    return f"self-heal-engine, {Path(ranker).stem}", load_ranker(Path(ranker)).name.rpartition("-")[2]


def row(
    table: pd.DataFrame, name: str, version: str, on: CaseSet, gone_prior: float | None = None, no_answers: int = 0
) -> Row:
    """Return the row of one outcome table."""
    ranking = {what: hit_at(table[about(table, replace(goal, audited=False), ())], 1) for what, goal in RANKING.items()}
    figures = {
        "headline": headline(table),
        **ranking,
        "false_heals": false_heals_at_recall(table),
        "ece": calibration_error(table, gone_prior),
    }
    return Row(name, version, on, len(table), int(table["gone"].sum()), no_answers, rounded(figures))


# -- the files -----------------------------------------------------------------------------------------------------


def read_leaderboard(folder: Path) -> Board:
    """Return the leaderboard of a folder, an empty one if there is none; CannotHeal ``bad_leaderboard``."""
    path = folder / FILE
    return from_json(Board, read_text(path), "bad_leaderboard", repr(str(path))) if path.exists() else Board()


def write_leaderboard(folder: Path, rows: Iterable[Row]) -> Board:
    """Put rows into the leaderboard of a folder, each in place of the one of its name, and write both files.

    A row over a sample, or over another side, replaces only such a one.
    """
    board = read_leaderboard(folder)
    on, kept = board.on, {place_of(old): old for old in board.rows}
    for new in rows:
        kept[place_of(new)] = new
        on = new.on if whole(new.on) else on
    board = Board(on, tuple(sorted(kept.values(), key=lambda each: (each.on != on, *order(each)))))
    write_json(folder / FILE, asdict(board))
    write_text(folder / PAGE, page(board))
    return board


def whole(on: CaseSet) -> bool:
    """Return whether these are all the test cases."""
    return on.side == "test" and on.sample is None


def place_of(row: Row) -> tuple[str, str, int | None]:
    """Return what only one row has."""
    return row.name, row.on.side, row.on.sample


def order(row: Row) -> tuple[float, str, str, int]:
    """Return what rows are sorted by: the headline, the best first; then their names."""
    return -row.figures.get("headline", {}).get("value", -1.0), row.name, row.on.side, row.on.sample or 0


# -- the page ------------------------------------------------------------------------------------------------------


def page(board: Board) -> str:
    """Return the leaderboard as a page of Markdown."""
    current = [row for row in board.rows if row.on == board.on]
    others = [row for row in board.rows if row.on != board.on]
    lines = ["# Leaderboard", "", *introduction(board.on)]
    if current:
        lines += ["", *table(current)]
    if others:
        lines += [
            "",
            "## Other data",
            "",
            "Samples, other sides and earlier cases: not to be compared with the above.",
            "",
        ]
        head = ["other data", *head_of(others)]
        lines += markdown(head, [[about_set(row.on, board.on), *cells(row, with_n=True)] for row in others])
    return "\n".join(lines) + "\n"


def introduction(on: CaseSet | None) -> list[str]:
    """Return what the table is about, and how to read it."""
    of = "No row is over all test cases yet."
    if on is not None:
        of = f"The test cases of the families {', '.join(on.families)} (`cases.jsonl` {on.data[:SHORT]})."
    return [
        f"{of} [What they are, and how a tool gets its row](../docs/benchmark.md).",
        "",
        "In per cent, with 95 % intervals. Headline: the right element first, averaged over family x difficulty; then "
        "the right element first, whole fingerprint known, by what was done to the page, and with locator and visible "
        "text alone on natural pages. False heals: gone elements healed at 95 % recall of right heals. ECE: how far "
        "the confidence is from how often it is right.",
    ]


def table(rows: Sequence[Row]) -> list[str]:
    """Return rows over the same cases as a table: the number of cases behind each column stands in its first line."""
    behind = [f"{rows[0].figures[name]['n']:,}" if name in rows[0].figures else "" for name in COLUMNS]
    return markdown(head_of(rows), [["*n*", "", *behind, f"{rows[0].cases:,}"], *(cells(row) for row in rows)])


def head_of(rows: Collection[Row]) -> list[str]:
    """Return the head of a table."""
    return ["", "version", *COLUMNS.values(), "no answer"]


def cells(row: Row, with_n: bool = False) -> list[str]:
    """Return a row as it is shown."""
    return [
        escaped(row.name),
        escaped(row.version),
        *(cell(row.figures.get(name), with_n) for name in COLUMNS),
        f"{row.no_answers:,}",
    ]


def cell(figure: Mapping[str, Number] | None, with_n: bool) -> str:
    """Return a figure in per cent with its interval.

    >>> cell({"value": 0.9712, "low": 0.96, "high": 1.0, "n": 40}, with_n=True)
    '97.1 [96.0, 100.0], n 40'
    """
    if figure is None:
        return "-"
    value, low, high = (f"{100 * figure[end]:.1f}" for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}]" + (f", n {figure['n']:,}" if with_n else "")


def about_set(on: CaseSet, current: CaseSet | None) -> str:
    """Return in what some cases differ from those that count."""
    said = [] if on.side == "test" else [f"side {on.side}"]
    said += [] if on.sample is None else [f"sample of {on.sample:,}"]
    if current is not None and on.data != current.data:
        said.append(f"cases {on.data[:SHORT]}")
    elif current is not None and whole(on) and on.families != current.families:
        said.append(", ".join(on.families))
    return "; ".join(said) or f"cases {on.data[:SHORT]}"


def escaped(text: str) -> str:
    """Return text of others so that it stays in its cell."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
