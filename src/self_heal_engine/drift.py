"""Drift: what of recent heals looks other than the training data, by how much, and whether that may be chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from self_heal_engine.errors import CannotHeal
from self_heal_engine.files import sha256
from self_heal_engine.markdown import markdown
from self_heal_engine.matching import matches
from self_heal_engine.parser import parse_html
from self_heal_engine.reading import read_locator
from self_heal_engine.records import HealRecord
from self_heal_engine.reference import COLUMNS, Column, Numbers, Observed, Reference, counted, figures_of, smoothed
from self_heal_engine.request import HealRequest
from self_heal_engine.snapshots import site

if TYPE_CHECKING:
    from self_heal_engine.storage import Store

# Siddiqi, "Credit Risk Scorecards", 2006: below 0.1 no change, from 0.25 on a large one; between, look closer.
MOST_PSI = 0.2
ALPHA = 0.05

# Fewer heals are not compared. Of more than these, some are, spread evenly: reading a page takes its time.
FEWEST, MOST_READ, MOST_COMPARED = 100, 10_000, 1_000

# So many columns are listed, and this many drawn, where none has moved.
LISTED, DRAWN = 10, 4

OTHER_MODEL, NOT_BROKEN, NO_FIRST = "answered by another model", "not broken, or from a file", "without a candidate"
NO_PAGE, LOST, UNREADABLE = "page no longer kept", "first candidate not found again", "not readable any more"
NOT_TRAINED = "with locators and knowledge that no training case has"


@dataclass(frozen=True, slots=True)
class Move:
    """How one column stands. ``p``: the chance of such a difference or a larger one in any column, if none moved."""

    name: str
    psi: float
    p: float
    bins: tuple[str, ...]
    reference: tuple[float, ...]
    now: tuple[float, ...]

    @property
    def moved(self) -> bool:
        """Whether the difference is large, and no chance."""
        return self.psi >= MOST_PSI and self.p < ALPHA


@dataclass(frozen=True, slots=True)
class Drift:
    """Recent heals beside the training data; ``moves`` empty: too few. What moved comes first, then the nearest to it.

    ``pages`` and ``sites``: so many of the same size would say as much. ``mix``: the PSI of what callers knew and of
    the kinds of locators; the features are compared at the mix of now.
    """

    model: str
    heals: int
    pages: float
    sites: float
    left_out: Mapping[str, int]
    moves: tuple[Move, ...]
    mix: Mapping[str, float]

    @property
    def moved(self) -> tuple[Move, ...]:
        """The columns that moved."""
        return tuple(move for move in self.moves if move.moved)

    @property
    def shown(self) -> tuple[Move, ...]:
        """The columns to draw: those that moved, else those that come nearest to it."""
        return self.moved or self.moves[:DRAWN]


# -- recent heals --------------------------------------------------------------------------------------------------


def observe(store: Store, since: datetime, model: str) -> tuple[Observed, dict[str, int]]:
    """Return the first candidates of the heals by one model since a moment, and how many heals were left out and why.

    ``model`` is the version that heals are recorded with. Features are computed from the page and the request as they
    are stored; decision and confidence are those of the answer.
    """
    left_out: Counter[str] = Counter()
    heals = []
    for heard in store.heals(since=since, limit=MOST_READ):
        why = unfit(heard.heal, model)
        left_out.update([why] if why else [])
        heals += [] if why else [heard.heal]
    many = min(len(heals), MOST_COMPARED)
    kept = []
    for heal in (heals[at * len(heals) // many] for at in range(many)):
        html = store.load_snapshot(heal.request_id)["page_html"]
        row = NO_PAGE if html is None else row_of(heal, html)
        if isinstance(row, str):
            left_out[row] += 1
        else:
            kept.append(row)
    if not kept:
        return Observed(np.empty((0, len(COLUMNS))), *(np.empty(0, dtype=np.str_) for _ in range(4))), dict(left_out)
    figures, *words = zip(*kept, strict=True)
    return Observed(np.array(figures, dtype=np.float64), *map(np.array, words)), dict(left_out)


def unfit(heal: HealRecord, model: str) -> str | None:
    """Return why a heal is not to be compared, or None: the training data are broken locators, answered by a model."""
    if heal.decision not in ("healed", "gone"):
        return NOT_BROKEN
    if heal.model_version != model:
        return OTHER_MODEL
    return None if heal.candidates else NO_FIRST


def row_of(heal: HealRecord, html: str) -> tuple[list[float], str, str, str, str] | str:
    """Return one heal as ``Observed`` has it, or why that cannot be told."""
    asked = HealRequest(
        original_locator=heal.original_locator,
        locator_type=heal.locator_type,
        visible_text=heal.visible_text,
        anchors=heal.anchors,
        action=heal.action,
        fingerprint=heal.fingerprint,
    )
    first = heal.candidates[0]
    try:
        wanted, page = asked.wanted(), parse_html(html)
        found = matches(page, read_locator(first["locator_type"], first["locator"]))
        kind = read_locator(heal.locator_type, heal.original_locator).kind
    except CannotHeal:  # stored by an earlier version of this code, or cut short
        return UNREADABLE
    figures = figures_of(page, wanted, int(found[0])) if len(found) == 1 else None
    if figures is None:
        return LOST
    known = "page" if wanted.complete else "anchors" if heal.anchors else "text" if heal.visible_text else "locator"
    said = [heal.confidence, float(heal.decision == "healed")]
    # The same page with another time of day in it is the same page, where its address is known.
    return [*figures, *said], known, kind, heal.page_url or sha256(html), heal.site or site(heal.page_url)


# -- the comparison ------------------------------------------------------------------------------------------------


def compare(reference: Reference, observed: Observed, left_out: Mapping[str, int] | None = None) -> Drift:
    """Return what moved; nothing is compared if there are too few heals."""
    there = np.isin(observed.stratum, list(reference.strata))
    strange, observed = len(observed) - int(there.sum()), observed.taken(there)
    aside = {**(left_out or {}), **({NOT_TRAINED: strange} if strange else {})}
    model, many = reference.model_sha256[:8], len(observed)
    if many < FEWEST:
        return Drift(model, many, 0.0, 0.0, aside, (), {})
    pages, sites = counted(observed.page), counted(observed.site)
    names, places = np.unique(observed.stratum, return_inverse=True)
    mix = dict(zip(names.tolist(), (np.bincount(places) / many).tolist(), strict=True))
    raw = [
        measured(reference, column, observed.figures[:, at], mix, pages, sites)
        for at, column in enumerate(reference.columns.values())
    ]
    moves = [
        Move(name, psi, p, labels(name, column), tuple(expected.tolist()), tuple(now.tolist()))
        for (name, column), (psi, _, expected, now), p in zip(
            reference.columns.items(), raw, holm([p for _, p, _, _ in raw]), strict=True
        )
    ]
    moves.sort(key=lambda move: (not move.moved, -move.psi))
    words = {"known": observed.known, "locator_type": observed.kind}
    return Drift(
        model, many, pages, sites, aside, tuple(moves),
        {name: psi_of_words(reference.mix.get(name, {}), given.tolist()) for name, given in words.items()},
    )  # fmt: skip


def measured(
    reference: Reference, column: Column, figures: Numbers, mix: Mapping[str, float], pages: float, sites: float
) -> tuple[float, float, Numbers, Numbers]:
    """Return a column's PSI, its p-value by itself, the shares expected at this mix of strata, and those of now.

    Pearson's statistic with the second-order correction of Rao and Scott (1981, 1984) for what comes in clusters:
    under "nothing moved" shares vary as those of so many sites do, each a family like those of the training data, and
    within sites as those of so many pages, all heals on a page being one.
    """
    from scipy.special import chdtrc  # 0.1 s

    # Tried: F in the place of chi-squared, since how families vary is itself known from a few only. Halved confidences
    # on one site were then found in one of ten streams instead of nine, and no fewer families of training were named.
    bins = len(column.edges) + 2
    now = smoothed(np.bincount(column.bins(figures), minlength=bins).astype(np.float64))
    at = [(share, column.strata[name]) for name, share in mix.items()]
    expected = np.sum([share * kept.shares for share, kept in at], axis=0)
    spread = sum(share * kept.spread for share, kept in at)
    squared = sum(share * kept.spread_squared for share, kept in at)
    clusters, noise, free = 1 / sites + 1 / reference.families, 1 / pages, bins - 1
    first = clusters * spread + noise * free
    second = clusters**2 * squared + 2 * clusters * noise * spread + noise**2 * free
    distance = float(((now - expected) ** 2 / expected).sum())
    return psi(expected, now), float(chdtrc(first**2 / second, distance * first / second)), expected, now


def psi(expected: Numbers, now: Numbers) -> float:
    """Return the population stability index, Jeffreys' divergence of two sets of shares.

    >>> round(psi(np.array([0.5, 0.5]), np.array([0.7, 0.3])), 3)
    0.169
    """
    return float(((now - expected) * np.log(now / expected)).sum())


def psi_of_words(expected: Mapping[str, float], words: Sequence[str]) -> float:
    """Return the population stability index of words whose shares are expected."""
    counts = Counter(words)
    names = sorted({*expected, *counts})
    return psi(
        smoothed(np.array([expected.get(name, 0.0) for name in names])),
        smoothed(np.array([float(counts[name]) for name in names])),
    )


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values for looking at all of them at once (Holm 1979).

    >>> holm([0.01, 0.04, 0.02])
    [0.03, 0.04, 0.04]
    """
    most, corrected = 0.0, dict.fromkeys(range(len(values)), 1.0)
    for place, at in enumerate(sorted(corrected, key=lambda at: values[at])):
        most = max(most, min(1.0, (len(values) - place) * values[at]))
        corrected[at] = most
    return list(corrected.values())


# -- for people ----------------------------------------------------------------------------------------------------


def labels(name: str, column: Column) -> tuple[str, ...]:
    """Return what the bins of a column are called.

    >>> labels("similo", Column((0.25, 0.5), {}))
    ('to 0.25', '0.25 to 0.5', 'above 0.5', 'unknown')
    >>> labels("confidence", Column((0.9981, 0.9983), {}))
    ('to 0.9981', '0.9981 to 0.9983', 'above 0.9983', 'unknown')
    """
    if name == "healed":
        return "gone", "healed", "unknown"
    digits = next(
        (many for many in (3, 4, 5) if len({f"{edge:.{many}g}" for edge in column.edges}) == len(column.edges)), 6
    )
    edges = [f"{edge:.{digits}g}" for edge in column.edges]
    if not edges:
        return "any", "unknown"
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return f"to {edges[0]}", *between, f"above {edges[-1]}", "unknown"


def told(drift: Drift, since: datetime) -> str:
    """Return the comparison as text."""
    lines = [f"{drift.heals:,} heals by the model {drift.model} since {since:%Y-%m-%d %H:%M} UTC"]
    lines += [f"left out: {many:,} {why}" for why, many in sorted(drift.left_out.items())]
    if not drift.moves:
        return "\n".join([*lines, f"that is too few: at least {FEWEST} are compared with the training data"])
    lines += [
        f"they say as much as {drift.pages:,.0f} pages and {drift.sites:,.1f} sites of the same size would",
        "",
        *markdown(
            ["", "PSI", "p", "", "what changed most", "training", "now"],
            [row(move) for move in drift.moves[: max(LISTED, len(drift.moved))]],
        ),
        "",
        "what callers knew: PSI {known:.2f}; kinds of locators: PSI {locator_type:.2f} (not counted: the above is "
        "compared at the mix of now)".format(**drift.mix),
    ]
    names = ", ".join(move.name for move in drift.moved)
    return "\n".join([*lines, f"moved: {names}" if names else "nothing has moved"])


def row(move: Move) -> list[str]:
    """Return a column as a row of the table."""
    changes = [abs(now - was) for now, was in zip(move.now, move.reference, strict=True)]
    at = changes.index(max(changes))
    shares = f"{move.reference[at]:.0%}", f"{move.now[at]:.0%}"
    return [move.name, f"{move.psi:.2f}", f"{move.p:.3f}", "moved" if move.moved else "", move.bins[at], *shares]


def as_data(drift: Drift, since: datetime) -> dict[str, Any]:
    """Return the comparison as plain data."""
    return {
        **{name: value for name, value in asdict(drift).items() if name != "moves"},
        "since": since.isoformat(),
        "enough": bool(drift.moves),
        "moved": [move.name for move in drift.moved],
        "columns": [{**asdict(move), "moved": move.moved} for move in drift.moves],
    }
