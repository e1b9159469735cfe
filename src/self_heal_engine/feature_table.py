"""The feature table: every candidate of every case with its features, as Parquet. The one door of pyarrow."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.candidates import candidates
from self_heal_engine.dataset import Case, open_page, read_cases, wanted
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.features import FEATURE_NAMES, SCHEMA, feature_matrix
from self_heal_engine.files import sha256
from self_heal_engine.parallel import in_parallel

# So many cases are one file and one piece of work. Cases of one page stand together, so that it is parsed once.
CHUNK = 128

# What stands beside the features: the case's number, the candidate's row and where it ends, the page's elements.
PLACES = ("case", "row", "end", "page_size")


@dataclass(frozen=True, slots=True)
class Part:
    """Some cases, and the file that their candidates go to."""

    data: Path
    file: Path
    of: str  # the hash of the file of cases
    first: int  # number of the first case
    cases: tuple[Case, ...]


def write_table(data: Path, cases: Sequence[Case], folder: Path, scheduler: str | None = None) -> int:
    """Write the features of every candidate of ``<data>/cases.jsonl``, whole or not at all; return how many."""
    unfinished, of = folder.with_name(f".{folder.name}"), sha256((data / "cases.jsonl").read_bytes())
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    parts = [
        Part(data, unfinished / f"part-{at // CHUNK:05}.parquet", of, at, tuple(cases[at : at + CHUNK]))
        for at in range(0, len(cases), CHUNK)
    ]
    many = sum(in_parallel(write_part, parts, scheduler))
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    return many


def write_part(part: Part) -> int:
    """Write the candidates of some cases; return how many they are."""
    import pyarrow
    import pyarrow.parquet

    found = [rows_of(part.data, part.first + at, case) for at, case in enumerate(part.cases)]
    places, right, features = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    columns = dict(zip(PLACES, places.T, strict=True)) | {"right": right}
    columns |= dict(zip(FEATURE_NAMES, np.ascontiguousarray(features.T), strict=True))
    table = pyarrow.table(columns).replace_schema_metadata({"schema": str(SCHEMA), "cases": part.of})
    pyarrow.parquet.write_table(table, part.file, compression="zstd")
    return len(places)


def rows_of(data: Path, number: int, case: Case) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.float32]]:
    """Return, for each candidate of a case, ``PLACES``, whether it is the right one, and its features."""
    page, known = open_page(data, case.new_page), wanted(case, data)
    rows = candidates(page, known)
    places = np.column_stack([np.full(len(rows), number), rows, page.ends[rows], np.full(len(rows), len(page))])
    return (
        places.astype(np.int32),
        rows == (-1 if case.new_row is None else case.new_row),
        feature_matrix(page, rows, known),
    )


@dataclass(frozen=True)
class Table:
    """The feature table in memory, and the cases it is of; the candidates of a case stand together."""

    cases: tuple[Case, ...]
    features: NDArray[np.float32]
    case: NDArray[np.int32]
    row: NDArray[np.int32]
    end: NDArray[np.int32]
    page_size: NDArray[np.int32]
    right: NDArray[np.bool_]

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where the candidates of each case begin, and at the end how many there are in all."""
        return np.searchsorted(self.case, np.arange(len(self.cases) + 1))

    @cached_property
    def family(self) -> NDArray[np.str_]:
        """The family of each case."""
        return np.array([case.family for case in self.cases])

    @cached_property
    def gone(self) -> NDArray[np.bool_]:
        """Which cases have no right candidate because the element is gone."""
        return np.array([case.new_row is None for case in self.cases])

    @cached_property
    def hardness(self) -> NDArray[np.intp]:
        """The place of each candidate among those of its case by the weighted ranker, the best being 0."""
        scores, places = self.features[:, FEATURE_NAMES.index("weighted")], np.empty(len(self.case), dtype=np.intp)
        for start, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            places[start + np.argsort(-scores[start:end], kind="stable")] = np.arange(end - start)
        return places


def read_table(folder: Path, cases: Path) -> Table:
    """Return the table of a folder, which stays in memory: the processes that train on it read it once.

    CannotHeal ``bad_table`` if it is not of these cases and these features.
    """
    return _read(folder, cases, sha256(cases.read_bytes()))


@lru_cache(maxsize=1)
def _read(folder: Path, cases: Path, of: str) -> Table:
    import pyarrow.parquet

    parts = []
    for file in sorted(folder.glob("part-*.parquet")):
        part = pyarrow.parquet.read_table(file)
        said = part.schema.metadata or {}
        if said.get(b"cases") != of.encode():
            raise CannotHeal(
                "bad_table", f"{quoted(file)} is not of {quoted(cases)}: `dvc repro features` makes it anew"
            )
        if said.get(b"schema") != str(SCHEMA).encode() or part.column_names != [*PLACES, "right", *FEATURE_NAMES]:
            raise CannotHeal("bad_table", f"{quoted(file)} holds other features: `dvc repro features` makes it anew")
        figures = np.empty((part.num_rows, len(FEATURE_NAMES)), dtype=np.float32)
        for at, name in enumerate(FEATURE_NAMES):
            figures[:, at] = part[name].to_numpy()
        parts.append((figures, *(part[name].to_numpy() for name in (*PLACES, "right"))))
    if not parts:
        raise CannotHeal("bad_table", f"{quoted(folder)} holds no features: `dvc repro features` makes them")
    figures, case, row, end, page_size, right = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Table(tuple(read_cases(cases)), figures, case, row, end, page_size, right)
