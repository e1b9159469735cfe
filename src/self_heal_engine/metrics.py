"""Figures of accuracy over outcome tables, each with its 95 % interval and the number of cases behind it.

Cases of one family are alike, so intervals come from resampling whole families (pairs, where there is one family
only). A rate over few families that all do as well has no spread there: its interval is never narrower than Wilson's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Numbers = NDArray[np.float64]

RESAMPLES, SEED = 2_000, 7
LEVEL = 0.95

# Beyond what real pages change. They count, but not where a decision is asked to keep its recall.
HARDEST = ("masked-3", "mutated-3", "mutated-4")

# A ratio of errors has no upper end where the other ranker makes none; this stands for "many times".
MOST_RATIO = 100.0

RELIABILITY_BINS = 10

# 0.95 of 20 are 19, however the product is rounded.
TINY = 1e-9


class Figure(TypedDict):
    """A number with its interval and how many cases it is over."""

    value: float
    low: float
    high: float
    n: int


# -- intervals -----------------------------------------------------------------------------------------------------


def wilson(happened: int, n: int) -> tuple[float, float]:
    """Return Wilson's interval of a rate; all of [0, 1] if nothing was counted.

    >>> [round(end, 3) for end in wilson(10, 10)]
    [0.722, 1.0]
    """
    if not n:
        return 0.0, 1.0
    z = 1.959963984540054
    rate, z2 = happened / n, z * z / n
    half = z * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n))
    centre = rate + z2 / 2
    # Rounding would put the ends of 0 of n and n of n beside the rate.
    return max(0.0, min(rate, (centre - half) / (1 + z2))), min(1.0, max(rate, (centre + half) / (1 + z2)))


def clusters(table: pd.DataFrame) -> NDArray[np.intp]:
    """Return the number of each case's cluster: its family, or its pair where there is one family only."""
    families = np.unique(table["family"].to_numpy(str), return_inverse=True)[1]
    if families.max(initial=0):
        return families
    return np.unique(table["pair"].to_numpy(str), return_inverse=True)[1]


def resamples(many: int) -> Numbers:
    """Return how often each of so many clusters is drawn, a row a resample; the same on every call."""
    drawn = np.random.default_rng(SEED).integers(many, size=(RESAMPLES, many))
    drawn += many * np.arange(RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * many).reshape(RESAMPLES, many).astype(np.float64)


def resampled(table: pd.DataFrame, columns: Numbers) -> Numbers:
    """Return the sum of each column (a row a case) in each resample: resamples x columns."""
    of = clusters(table)
    summed = np.zeros((of.max() + 1, columns.shape[1]))
    np.add.at(summed, of, columns)
    return resamples(len(summed)) @ summed


def interval(values: Numbers) -> tuple[float, float]:
    """Return the middle 95 % of resampled values; a resample that has nothing to count is left out."""
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def divided(over: Numbers, of: Numbers) -> Numbers:
    """Return the quotients; NaN where there is nothing to divide by."""
    return np.divide(over, of, out=np.full(len(over), np.nan), where=of > 0)


def ratio(table: pd.DataFrame, over: Numbers, of: Numbers) -> Figure | None:
    """Return one sum over another (a number a case each); None if there is nothing to divide by."""
    if not of.sum() > 0:
        return None
    sums = resampled(table, np.column_stack([over, of]))
    low, high = interval(divided(sums[:, 0], sums[:, 1]))
    return Figure(value=float(over.sum() / of.sum()), low=low, high=high, n=int((of > 0).sum()))


def rate(table: pd.DataFrame, happened: NDArray[np.bool_]) -> Figure | None:
    """Return how often something happened; its interval is the wider end of both kinds on either side."""
    found = ratio(table, happened.astype(np.float64), np.ones(len(table)))
    return None if found is None else widened(found, wilson(int(happened.sum()), len(table)))


def widened(found: Figure, other: tuple[float, float]) -> Figure:
    """Return a figure whose interval holds another one too."""
    return Figure(
        value=found["value"], low=min(found["low"], other[0]), high=max(found["high"], other[1]), n=found["n"]
    )


# -- ranking -------------------------------------------------------------------------------------------------------


def present(table: pd.DataFrame) -> pd.DataFrame:
    """Return the cases whose element is still there."""
    return table[~table["gone"].to_numpy(bool)]


def right(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return, for each case, whether the first candidate is the right element."""
    return table["place"].to_numpy() == 1


def hit_at(table: pd.DataFrame, places: int) -> Figure | None:
    """Return how often the right element is among the first so many, of the cases in which it is there."""
    there = present(table)
    place = there["place"].to_numpy()
    return rate(there, (place >= 1) & (place <= places))


def mean_reciprocal_rank(table: pd.DataFrame) -> Figure | None:
    """Return the mean of 1 / place of the right element, 0 where it is not among the candidates."""
    there = present(table)
    place = there["place"].to_numpy(np.float64)
    return ratio(there, divided(np.sign(place), np.maximum(place, 1)), np.ones(len(there)))


def cell_shares(table: pd.DataFrame) -> Numbers:
    """Return what each case counts so that every cell of family and difficulty counts 1 in all."""
    cells = np.char.add(np.char.add(table["family"].to_numpy(str), "\0"), table["difficulty"].to_numpy(str))
    _, of, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    return 1.0 / sizes[of]


def headline(table: pd.DataFrame) -> Figure | None:
    """Return hit@1 averaged over the cells of family x difficulty, each counting the same; ``n`` counts cases."""
    there = present(table)
    shares = cell_shares(there)
    return ratio(there, shares * right(there), shares)


# -- the decision --------------------------------------------------------------------------------------------------


def in_scope(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which cases are right heals that a decision should keep."""
    return right(table) & ~table["difficulty"].isin(HARDEST).to_numpy()


def threshold_at_recall(table: pd.DataFrame, recall: float = 0.95) -> float | None:
    """Return the highest confidence from which on so large a share of the right heals is kept; None without any.

    Right heals: the first candidate is right, the hardest difficulties apart.
    """
    kept = np.sort(table["confidence"].to_numpy(np.float64)[in_scope(table)])[::-1]
    return float(kept[math.ceil(recall * len(kept) - TINY) - 1]) if len(kept) else None


def false_heals_at_recall(table: pd.DataFrame, recall: float = 0.95) -> Figure | None:
    """Return the share of gone elements that are healed at the threshold which keeps so many right heals.

    The threshold is found anew in each resample.
    """
    threshold, gone = threshold_at_recall(table, recall), table["gone"].to_numpy(bool)
    if threshold is None or not gone.any():
        return None
    confidence = table["confidence"].to_numpy(np.float64)
    healed = int((confidence[gone] >= threshold).sum())
    low, high = interval(resampled_false_heals(table, recall))
    found = Figure(value=healed / int(gone.sum()), low=low, high=high, n=int(gone.sum()))
    return widened(found, wilson(healed, int(gone.sum())))


def resampled_false_heals(table: pd.DataFrame, recall: float) -> Numbers:
    """Return the false heals at that recall in each resample; NaN in one without right heals or gone elements."""
    order = np.argsort(-table["confidence"].to_numpy(np.float64), kind="stable")
    confidence = table["confidence"].to_numpy(np.float64)[order]
    of, kept = clusters(table)[order], in_scope(table)[order]
    gone = table["gone"].to_numpy(bool)[order]
    values = np.full(RESAMPLES, np.nan)
    for at, drawn in enumerate(resamples(of.max() + 1)):
        weights = drawn[of]
        rising = np.cumsum(weights * kept)
        if not rising[-1] or not (weights * gone).any():
            continue
        last = int(np.searchsorted(rising, recall * rising[-1] - TINY))
        values[at] = (weights * gone)[confidence >= confidence[last]].sum() / (weights * gone).sum()
    return values


def recall_curve(table: pd.DataFrame) -> tuple[Numbers, Numbers]:
    """Return, from the strictest threshold to none, which share of right heals is kept and of gone elements healed."""
    confidence = table["confidence"].to_numpy(np.float64)
    thresholds = np.unique(confidence)[::-1]
    shares = []
    for among in (confidence[in_scope(table)], confidence[table["gone"].to_numpy(bool)]):
        at_least = len(among) - np.searchsorted(np.sort(among), thresholds)
        shares.append(at_least / max(len(among), 1))
    return shares[0], shares[1]


def decisions(table: pd.DataFrame) -> dict[str, Figure | None]:
    """Return what comes of healing at the ranker's own threshold, of gone elements and of those that are there."""
    there, healed = present(table), present(table)["healed"].to_numpy(bool)
    gone = table[table["gone"].to_numpy(bool)]
    return {
        "false_heals": rate(gone, gone["healed"].to_numpy(bool)),
        "wrong_heals": rate(there, healed & ~right(there)),
        "abstentions": rate(there, ~healed),
        "right_heals": rate(there, healed & right(there)),
    }


# -- calibration ---------------------------------------------------------------------------------------------------


def shares_of(table: pd.DataFrame, gone_prior: float | None) -> Numbers:
    """Return what each case counts: 1, or so much that gone elements have the given share of the whole."""
    gone = table["gone"].to_numpy(bool)
    if gone_prior is None or gone.all() or not gone.any():
        return np.ones(len(table))
    share = float(gone.mean())
    return np.where(gone, gone_prior / share, (1 - gone_prior) / (1 - share))


def bin_of(confidence: Numbers) -> NDArray[np.intp]:
    """Return the number of each case's bin, of ten with as many cases each; equal confidences share one."""
    edges = np.quantile(confidence, np.arange(1, RELIABILITY_BINS) / RELIABILITY_BINS, method="lower")
    return np.unique(np.searchsorted(edges, confidence, side="right"), return_inverse=True)[1]


def reliability(table: pd.DataFrame, gone_prior: float | None = None) -> list[dict[str, Any]]:
    """Return the bins of the reliability diagram: mean ``confidence``, and ``right`` as a figure, least sure first.

    All cases count, gone ones included, of which no candidate is right.
    """
    if not len(table):
        return []
    shares, confidence = shares_of(table, gone_prior), table["confidence"].to_numpy(np.float64)
    bins, found = bin_of(confidence), []
    for number in range(bins.max() + 1):
        members = bins == number
        inside, counted = table[members], shares[members]
        hits = ratio(inside, counted * right(inside), counted)
        if hits is not None:
            # Wilson knows nothing of shares: it bounds the interval as if each case counted the same.
            exact = wilson(round(hits["value"] * hits["n"]), hits["n"])
            sure = float(np.average(confidence[members], weights=counted))
            found.append({"confidence": sure, "right": widened(hits, exact)})
    return found


def calibration_error(table: pd.DataFrame, gone_prior: float | None = None) -> Figure | None:
    """Return the ECE: how far confidence is from how often it is right, averaged over the bins."""
    if not len(table):
        return None
    shares, confidence = shares_of(table, gone_prior), table["confidence"].to_numpy(np.float64)
    member = np.eye(RELIABILITY_BINS)[bin_of(confidence)]
    columns = np.hstack([member * (shares * (confidence - right(table)))[:, None], shares[:, None]])

    def errors(sums: Numbers) -> Numbers:
        return np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1]

    value = float(errors(columns.sum(axis=0)[None])[0])
    # Fewer distinct cases are further off: without this the interval of a small error would lie above it.
    return widened(spread(value, errors(resampled(table, columns)), len(table)), (value, value))


def brier(table: pd.DataFrame, gone_prior: float | None = None) -> Figure | None:
    """Return the mean square of confidence minus what came true."""
    shares = shares_of(table, gone_prior)
    return ratio(table, shares * (table["confidence"].to_numpy(np.float64) - right(table)) ** 2, shares)


# -- two rankers ---------------------------------------------------------------------------------------------------


def compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, Any]:
    """Return how one ranker does beside another on the same cases, those whose element is there.

    ``win``, ``tie``, ``loss`` on hit@1 and McNemar's exact ``mcnemar_p``; the ``difference`` of hit@1 and of the
    headline as figures, each with its one-sided 95 % bound ``..._at_least``; ``headline_p``, how often a resample does
    not favour ours; and ``error_ratio``, ours over theirs on the headline, None if they make no error.
    """
    from scipy.stats import binomtest

    if ours["id"].tolist() != theirs["id"].tolist():
        raise ValueError("two rankers can be compared on the same cases in the same order only")
    there = present(ours)
    if not len(there):
        return {"n": 0, "win": 0, "tie": 0, "loss": 0}
    one, other = right(there), right(present(theirs))
    win, loss = int((one & ~other).sum()), int((other & ~one).sum())
    shares = cell_shares(there)
    wrong, wrongs = shares * ~one, shares * ~other
    gain = one.astype(np.float64) - other
    sums = resampled(there, np.column_stack([gain, np.ones(len(there)), wrongs - wrong, shares, wrong, wrongs]))
    plain, macro = sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]
    return {
        "n": len(there),
        "win": win,
        "tie": len(there) - win - loss,
        "loss": loss,
        "mcnemar_p": float(binomtest(min(win, loss), win + loss).pvalue) if win + loss else 1.0,
        "difference": spread(float(gain.mean()), plain, len(there)),
        "difference_at_least": float(np.quantile(plain, 1 - LEVEL)),
        "headline_difference": spread(float((wrongs - wrong).sum() / shares.sum()), macro, len(there)),
        "headline_difference_at_least": float(np.quantile(macro, 1 - LEVEL)),
        "headline_p": float((1 + (macro <= 0).sum()) / (1 + RESAMPLES)),
        "error_ratio": error_ratio(wrong, wrongs, sums[:, 4], sums[:, 5]),
    }


def spread(value: float, values: Numbers, n: int) -> Figure:
    """Return a value with the interval of its resamples."""
    low, high = interval(values)
    return Figure(value=value, low=low, high=high, n=n)


def error_ratio(wrong: Numbers, wrongs: Numbers, resampled_wrong: Numbers, resampled_wrongs: Numbers) -> Figure | None:
    """Return errors over errors; None if the other makes none. A resample in which neither errs counts as equal."""
    if not wrongs.any():
        return None
    ratios = divided(resampled_wrong, resampled_wrongs)
    ratios[np.isnan(ratios)] = np.where(resampled_wrong > 0, np.inf, 1.0)[np.isnan(ratios)]
    return spread(float(wrong.sum() / wrongs.sum()), np.minimum(ratios, MOST_RATIO), len(wrong))
