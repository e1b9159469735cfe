"""Reference: what first candidates look like on the training data, a compact histogram a column, beside the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.candidates import candidates
from self_heal_engine.dom import Page
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.feature_table import Table, read_table
from self_heal_engine.features import BASE_NAMES, FEATURE_NAMES, SCHEMA, feature_matrix
from self_heal_engine.files import read_text, sha256, write_text
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.metrics import shares_of
from self_heal_engine.validation import STRICT, from_json

Numbers = NDArray[np.float64]
Words = NDArray[np.str_]

# What is compared: the first candidate's features, how many were ranked, how large the page is, how much is not known
# of the element, and what came of it. The ranker's own scores are not: what they say is in the confidence.
BESIDE = ("candidates", "page_size", "unknown")
COLUMNS = (*FEATURE_NAMES, *BESIDE, "confidence", "healed")

# What the caller knew; a feature is compared among those who knew as much, by a locator of the same sort.
KNOWN = ("locator", "text", "anchors", "page")
KINDS = ("css", "xpath")

# A column has about ten bins of the known values, none with less than a hundredth, and one of the unknown.
BINS, LEAST = 10, 0.01

# Edges that do not depend on the data, and how far from the one usual value those of a constant are.
EDGES, JUST = {"healed": (0.5,)}, 0.001

# Shares are kept as so many of ten thousand.
PARTS = 10_000

# Added to every share, so that what the training data never showed is rare and not impossible.
FLOOR = 0.002

# A family with fewer first candidates in a stratum says nothing of how families differ in it.
FEWEST = 20


@dataclass(frozen=True)
class Observed:
    """Some first candidates: a row a heal of ``COLUMNS`` (NaN: unknown), and what each heal belongs to."""

    figures: Numbers
    known: Words  # one of ``KNOWN``
    kind: Words  # of the locator
    page: Words
    site: Words  # of training cases the family

    def __len__(self) -> int:
        return len(self.figures)

    @property
    def stratum(self) -> Words:
        """The stratum of each heal: with the element as it was on an old page, its locator hardly matters."""
        kind = np.where(np.isin(self.kind, KINDS), self.kind, "other")
        return np.where(self.known == "page", "page", np.char.add(np.char.add(self.known, " "), kind))

    def taken(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Observed:
        """Return some of the heals, or some more than once."""
        words = (self.known, self.kind, self.page, self.site)
        return Observed(self.figures[which], *(part[which] for part in words))


class Histogram(NamedTuple):
    """One column in one stratum; a list in the file, which has a thousand of them.

    ``parts``: how many of ten thousand are in each bin, the unknown in the last one. ``spread`` and ``spread_squared``:
    how much the families differ, as traces (of the matrix, of its square) of the covariance of their shares, each share
    divided by the root of its mean.
    """

    parts: tuple[int, ...]
    spread: float
    spread_squared: float

    @property
    def shares(self) -> Numbers:
        """The shares of the bins, none of them 0."""
        return smoothed(np.array(self.parts, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Column:
    """The bins of one column: what is at most ``edges[i]`` and above the edge before it is in bin i."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    edges: tuple[float, ...]
    strata: Mapping[str, Histogram]

    def bins(self, figures: Numbers) -> NDArray[np.intp]:
        """Return the bin of each figure."""
        return np.where(np.isnan(figures), len(self.edges) + 1, np.searchsorted(self.edges, figures))


@dataclass(frozen=True, slots=True)
class Reference:
    """The training data of one model. ``mix``: the share that each word has of what callers knew and of the kinds."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    model_sha256: str
    feature_schema: int
    cases: int
    families: float  # so many of the same size would say as much
    mix: Mapping[str, Mapping[str, float]]
    columns: Mapping[str, Column]

    @property
    def strata(self) -> frozenset[str]:
        """The strata that there are training cases of; every column has them all."""
        return frozenset(next(iter(self.columns.values())).strata)


# -- one heal ------------------------------------------------------------------------------------------------------


def figures_of(page: Page, wanted: Fingerprint, row: int) -> list[float] | None:
    """Return the features of a candidate and the figures ``BESIDE`` them; None if the row is no candidate."""
    rows = candidates(page, wanted)
    (places,) = np.nonzero(rows == row)
    if not len(places):
        return None
    own = feature_matrix(page, rows, wanted)[places[0]].tolist()
    return [*own, float(len(rows)), float(len(page)), unknown(np.array([own]))[0]]


def unknown(features: Numbers | NDArray[np.float32]) -> Numbers:
    """Return how many base features are unknown in each row."""
    return np.isnan(features[:, : len(BASE_NAMES)]).sum(axis=1).astype(np.float64)


def counted(groups: Words, weights: Numbers | None = None) -> float:
    """Return how many groups of the same size would say as much (Kish 1965).

    >>> counted(np.array(["a", "b"])), round(counted(np.array(["a"] * 99 + ["b"])), 2)
    (2.0, 1.02)
    """
    sizes = np.bincount(np.unique(groups, return_inverse=True)[1], weights).astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def smoothed(counts: Numbers) -> Numbers:
    """Return counts as shares, none of them 0."""
    raised = counts / counts.sum() + FLOOR
    return np.asarray(raised / raised.sum())


# -- the training data ---------------------------------------------------------------------------------------------


def write_reference(cases: Path, table: Path, model: Path, path: Path, gone_prior: float) -> None:
    """Write the reference of a model that was just trained; the same data give the same bytes."""
    from self_heal_engine.evidence import read_evidence

    opened = read_table(table, cases)
    evidence = read_evidence(model.with_suffix(".oof.parquet"), model)
    weights = evidence["weight"].to_numpy(np.float64) * shares_of(evidence, gone_prior)
    chosen = dict(zip(evidence["id"], evidence["chosen"].tolist(), strict=True))
    said = evidence[["confidence", "healed"]].to_numpy(np.float64)
    made = reference_of(in_training(opened, chosen, said), weights, sha256(model.read_bytes()))
    write_text(path, written(made))


def in_training(table: Table, chosen: Mapping[str, int], said: Numbers) -> Observed:
    """Return the first candidates of the cases that rankers chose who had not seen their families.

    ``chosen``: the row by the case's id; ``said``: its confidence and whether to heal, in the same order.
    """
    numbers = {case.id: number for number, case in enumerate(table.cases)}
    order = np.array([numbers[name] for name in chosen])
    starts, ends = table.starts[order], table.starts[order + 1]
    firsts = np.array([
        start + int(np.flatnonzero(table.row[start:end] == row)[0])
        for start, end, row in zip(starts.tolist(), ends.tolist(), chosen.values(), strict=True)
    ])  # fmt: skip
    features, cases = table.features[firsts], [table.cases[number] for number in order.tolist()]
    beside = np.column_stack([ends - starts, table.page_size[firsts], unknown(features)])
    return Observed(
        figures=np.column_stack([features, beside, said]),
        known=np.array([case.knowledge if case.knowledge in KNOWN else "page" for case in cases]),
        kind=np.array([case.locator_type for case in cases]),
        page=np.array([case.new_page for case in cases]),
        site=table.family[order],
    )


def reference_of(observed: Observed, weights: Numbers, model_sha256: str) -> Reference:
    """Return the reference that some first candidates make, each of which counts as its weight says."""
    mix = {"known": observed.known, "locator_type": observed.kind}
    return Reference(
        model_sha256=model_sha256,
        feature_schema=SCHEMA,
        cases=len(observed),
        families=round(counted(observed.site, weights), 2),
        mix={name: mixture(words, weights) for name, words in mix.items()},
        columns={
            name: column_of(observed.figures[:, at], observed, weights, EDGES.get(name))
            for at, name in enumerate(COLUMNS)
        },
    )  # fmt: skip


def mixture(words: Words, weights: Numbers) -> dict[str, float]:
    """Return the share of each word, to four decimals."""
    names, places = np.unique(words, return_inverse=True)
    shares = np.bincount(places, weights) / weights.sum()
    return {str(name): round(float(share), 4) for name, share in zip(names, shares, strict=True)}


def column_of(figures: Numbers, observed: Observed, weights: Numbers, edges: tuple[float, ...] | None = None) -> Column:
    """Return one column's bins, at edges that are given or found, and what is in them, in each stratum."""
    edges, stratum, found = edges or edges_of(figures, weights), observed.stratum, {}
    bins = Column(edges, {}).bins(figures)
    for name in np.unique(stratum).tolist():
        inside = np.flatnonzero(stratum == name)
        found[name] = histogram(bins[inside], len(edges) + 2, observed.taken(inside), weights[inside])
    return Column(edges, found)


def edges_of(figures: Numbers, weights: Numbers) -> tuple[float, ...]:
    """Return the edges between bins of about the same weight; a value that is common has a bin of its own."""
    there = ~np.isnan(figures)
    if not there.any():
        return ()
    values, places = np.unique(figures[there], return_inverse=True)
    shares = np.bincount(places, weights[there]) / weights[there].sum()
    edges, inside, left = [], 0.0, 1.0
    for (value, following), (share, next_share) in zip(pairwise(values), pairwise(shares), strict=True):
        inside, left = inside + share, left - share
        if left >= LEAST and (inside >= 1 / BINS or (inside >= LEAST and next_share >= 1 / BINS)):
            edges.append(float(f"{(value + following) / 2:.6g}"))
            inside = 0.0
    if not edges:  # all the same: what is not, one day, must not fall into the same bin
        usual = float(values[int(shares.argmax())])
        edges = [round(usual - JUST, 6), round(usual + JUST, 6)]
    return tuple(sorted(set(edges)))


def histogram(bins: NDArray[np.intp], many: int, observed: Observed, weights: Numbers) -> Histogram:
    """Return what is in the bins of one stratum, and how much its families differ."""
    counts = np.bincount(bins, weights, many)
    parts = tuple(np.round(PARTS * counts / counts.sum()).astype(int).tolist())
    common = smoothed(np.array(parts, dtype=np.float64))
    apart, noise = [], []
    for family in np.unique(observed.site):
        inside = observed.site == family
        if inside.sum() >= FEWEST:
            shares = smoothed(np.bincount(bins[inside], weights[inside], many).astype(np.float64))
            apart.append((shares - common) / np.sqrt(common))
            noise.append(float((weights[inside] ** 2).sum() / weights[inside].sum() ** 2))
    if len(apart) < 2:
        return Histogram(parts, 0.0, 0.0)
    # Families of few heals differ by chance besides, which is no difference of theirs. Tried: as of so few pages as
    # they have. That took away too much, and in every fourth family that was left out something had moved.
    spread = np.linalg.eigvalsh(np.array(apart).T @ np.array(apart) / (len(apart) - 1)) - np.mean(noise)
    spread = np.clip(spread, 0.0, None)
    return Histogram(parts, float(f"{spread.sum():.3g}"), float(f"{(spread**2).sum():.3g}"))


# -- the file ------------------------------------------------------------------------------------------------------


def written(reference: Reference) -> str:
    """Return a reference as JSON, a line a column and stratum."""
    said = asdict(reference)
    columns = said.pop("columns")
    lines = [f" {json.dumps(name)}: {json.dumps(value, sort_keys=True)}," for name, value in said.items()]
    blocks = []
    for name, column in columns.items():
        edges = json.dumps(column["edges"], separators=(",", ":"))
        strata = [
            f"{json.dumps(one)}:{json.dumps(kept, separators=(',', ':'))}" for one, kept in column["strata"].items()
        ]
        joined = ",\n   ".join(strata)
        blocks.append(f'  {json.dumps(name)}: {{"edges":{edges},"strata":{{\n   {joined}}}}}')
    columns_text = ",\n".join(blocks)
    return "\n".join(["{", *lines, f' "columns": {{\n{columns_text}\n }}', "}"]) + "\n"


def read_reference(path: Path) -> Reference:
    """Return the reference in a file; CannotHeal ``bad_reference`` if it is none, or one of other features."""
    read = from_json(Reference, read_text(path), "bad_reference", quoted(path))
    if read.feature_schema != SCHEMA or tuple(read.columns) != COLUMNS:
        raise CannotHeal(
            "bad_reference",
            f"the reference {quoted(path)} is of schema {read.feature_schema} of the features; "
            f"this code computes schema {SCHEMA}",
        )
    for name, column in read.columns.items():
        if list(column.edges) != sorted(set(column.edges)):
            raise CannotHeal("bad_reference", f"{quoted(path)}: the edges of {name} are not in order")
        if set(column.strata) != read.strata:
            raise CannotHeal("bad_reference", f"{quoted(path)}: {name} has other strata than the first column")
        for kept in column.strata.values():
            if len(kept.parts) != len(column.edges) + 2 or min(kept.parts) < 0 or not sum(kept.parts):
                raise CannotHeal("bad_reference", f"{quoted(path)}: {name} has no share for each of its bins")
            if kept.spread < 0 or kept.spread_squared < 0:
                raise CannotHeal("bad_reference", f"{quoted(path)}: {name} has a spread below 0")
    return read
