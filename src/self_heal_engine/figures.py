"""Drawings as SVG: the same numbers give the same bytes. The one door of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's colours, which everyone can tell apart, each with a mark of its own besides. Ours is the first.
COLOURS = ("#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")

# The width that the marks of all rankers take up within one group.
GROUP = 0.72


def pyplot() -> ModuleType:
    """Return matplotlib's pyplot, whatever the user's own settings are."""
    import matplotlib as mpl

    mpl.rcdefaults()  # whatever the user's own file says
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "self-heal-engine"
    # A picture of pixels would hang on the library that compresses it.
    import matplotlib.pyplot as plt

    return plt


def save(figure: Any, path: Path) -> None:
    """Write a figure whole or not at all, without a date or version in it."""
    import matplotlib.pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    figure.savefig(unfinished, format="svg", metadata={"Date": None, "Creator": None})
    unfinished.replace(path)
    plt.close(figure)


# -- counts --------------------------------------------------------------------------------------------------------


def bar_charts(charts: Sequence[tuple[str, Sequence[str], Sequence[int]]], label: str, path: Path) -> None:
    """Draw charts side by side, each a (title, names, numbers): a bar a name, the last one on top."""
    plt = pyplot()
    figure, axes = plt.subplots(1, len(charts), figsize=(13, 4.5), constrained_layout=True)
    for axis, (title, names, numbers) in zip(axes, charts, strict=True):
        bars = axis.barh(names, numbers, color="#4878a8")
        axis.bar_label(bars, padding=3, fontsize=8)
        axis.set_title(title)
        axis.set_xlabel(label)
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def bars_by_side(rows: Sequence[tuple[str, str, int]], colours: Mapping[str, str], label: str, path: Path) -> None:
    """Draw a bar a row, each a (name, side, number), coloured by its side."""
    plt = pyplot()
    from matplotlib.patches import Patch

    figure, axis = plt.subplots(figsize=(9, 0.26 * len(rows) + 1.2), constrained_layout=True)
    bars = axis.barh(
        [name for name, _, _ in rows],
        [number for _, _, number in rows],
        color=[colours[side] for _, side, _ in rows],
    )
    axis.bar_label(bars, padding=3, fontsize=8)
    axis.set_xlabel(label)
    axis.margins(y=0.01, x=0.1)
    axis.spines[["top", "right"]].set_visible(False)
    patches = [Patch(color=colour, label=side) for side, colour in colours.items()]
    axis.legend(handles=patches, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    save(figure, path)


def shares_beside(
    charts: Sequence[tuple[str, Sequence[str], Sequence[float], Sequence[float]]], names: tuple[str, str], path: Path
) -> None:
    """Draw charts below each other, each a (title, bins, shares, shares): two bars a bin, called by the names."""
    plt = pyplot()
    sizes = [len(bins) for _, bins, _, _ in charts]
    figure, axes = plt.subplots(
        len(charts), 1, figsize=(8, 0.34 * sum(sizes) + 0.7 * len(charts) + 0.6), height_ratios=sizes,
        squeeze=False, constrained_layout=True,
    )  # fmt: skip
    for axis, (title, bins, *shares) in zip(axes[:, 0], charts, strict=True):
        for turn, (name, values) in enumerate(zip(names, shares, strict=True)):
            places = np.arange(len(bins)) + 0.38 * (turn - 0.5)
            bars = axis.barh(places, values, 0.36, color=COLOURS[(2, 1)[turn]], label=name)
            axis.bar_label(bars, [f"{value:.0%}" for value in values], fontsize=7, padding=2)
        axis.set_yticks(range(len(bins)), bins)
        axis.invert_yaxis()
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_xlim(0, 1.06)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    save(figure, path)


# -- accuracy ------------------------------------------------------------------------------------------------------


def rates_by_group(
    rates: Mapping[str, Mapping[str, Mapping[str, float]]], groups: Sequence[str], label: str, path: Path
) -> None:
    """Draw a rate with its interval for each ranker in each group, groups side by side: ranker -> group -> figure."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(1.25 * len(groups) + 1.5, 5), constrained_layout=True)
    for turn, (name, by_group) in enumerate(rates.items()):
        shown = [at for at, group in enumerate(groups) if group in by_group]
        places = np.array(shown) + GROUP * ((turn + 0.5) / len(rates) - 0.5)
        _dots(axis, places, [by_group[groups[at]] for at in shown], turn, name, upright=True)
    axis.set_xticks(range(len(groups)), groups)
    for at in range(1, len(groups)):
        axis.axvline(at - 0.5, color="#dddddd", linewidth=0.8, zorder=0)
    axis.set_xlim(-0.5, len(groups) - 0.5)
    axis.set_ylim(0, 1.02)
    axis.set_ylabel(label)
    _percent(axis.yaxis)
    _finish(axis, figure, len(rates))
    save(figure, path)


def rates_by_row(
    rates: Mapping[str, Mapping[str, Mapping[str, float]]], rows: Sequence[str], label: str, path: Path
) -> None:
    """Draw a rate with its interval for each ranker in each row, the first row on top: ranker -> row -> figure."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(8.5, 0.42 * len(rows) + 1.4), constrained_layout=True)
    for turn, (name, by_row) in enumerate(rates.items()):
        shown = [at for at, row in enumerate(rows) if row in by_row]
        places = np.array(shown) + GROUP * ((turn + 0.5) / len(rates) - 0.5)
        _dots(axis, places, [by_row[rows[at]] for at in shown], turn, name, upright=False)
    axis.set_yticks(range(len(rows)), rows)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel(label)
    axis.grid(axis="y", color="#eeeeee")
    _percent(axis.xaxis)
    _finish(axis, figure, len(rates))
    save(figure, path)


def reliability_diagram(bins: Sequence[Mapping[str, Any]], confidences: NDArray[np.float64], path: Path) -> None:
    """Draw how often each bin of confidence was right, with intervals, and how many cases have which confidence."""
    plt = pyplot()
    figure, (axis, below) = plt.subplots(
        2, 1, figsize=(5.8, 7.2), height_ratios=(4, 1), sharex=True, constrained_layout=True
    )
    axis.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--", label="as sure as right")
    sure, rates = np.array([each["confidence"] for each in bins]), [each["right"] for each in bins]
    _dots(
        axis, sure, rates, 2, f"{len(bins)} bins of about {len(confidences) // max(len(bins), 1):,} cases", upright=True
    )
    axis.set_ylim(-0.02, 1.02)
    axis.set_ylabel("first candidate right")
    _percent(axis.yaxis)
    numbers, edges = np.histogram(confidences, bins=20, range=(0, 1))
    bars = below.bar(edges[:-1], numbers, width=0.045, align="edge", color=COLOURS[2])
    below.bar_label(bars, [f"{number:,}" if number else "" for number in numbers], fontsize=6, padding=1)
    below.set_yscale("log")
    below.set_ylim(0.7, max(numbers.max(), 1) * 6)
    below.set_ylabel("cases")
    below.set_xlabel("confidence")
    below.spines[["top", "right"]].set_visible(False)
    below.set_xlim(-0.02, 1.02)
    _percent(below.xaxis)
    _finish(axis, figure, 2)
    save(figure, path)


def trade_off(
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], recall: float, most: float, path: Path
) -> None:
    """Draw, for each ranker, which share of gone elements is healed at each share of right heals kept, and the goal."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(7.5, 5.5), constrained_layout=True)
    for turn, (name, (kept, healed)) in enumerate(curves.items()):
        axis.plot(
            *_thinned(kept, healed),
            color=COLOURS[turn % len(COLOURS)],
            marker=MARKS[turn % len(MARKS)],
            markevery=(turn, 40),
            markersize=5,
            linewidth=1.6 if turn else 2.4,
            label=name,
        )
    axis.plot([0, recall, recall], [most, most, 0], color="#666666", linestyle="--", linewidth=1.2, label="the goal")
    axis.set_xlim(0.5, 1.005)
    axis.set_ylim(-0.01, 1.01)
    axis.set_xlabel("right heals kept, of the ranker's own")
    axis.set_ylabel("gone elements healed")
    _percent(axis.xaxis)
    _percent(axis.yaxis)
    _finish(axis, figure, len(curves))
    save(figure, path)


def _thinned(across: NDArray[np.float64], up: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve of thousands of points as one of some hundred, which looks the same."""
    at = np.unique(np.searchsorted(across, np.linspace(0, 1, 401)).clip(max=max(len(across) - 1, 0)))
    return across[at], up[at]


def _dots(
    axis: Any, places: NDArray[np.float64], rates: Sequence[Mapping[str, float]], turn: int, name: str, upright: bool
) -> None:
    values = np.array([each["value"] for each in rates])
    ends = np.array([[each["low"] for each in rates], [each["high"] for each in rates]]).reshape(2, -1)
    spans = np.maximum(np.array([values - ends[0], ends[1] - values]), 0)
    across, up = (places, values) if upright else (values, places)
    axis.errorbar(
        across,
        up,
        xerr=None if upright else spans,
        yerr=spans if upright else None,
        fmt=MARKS[turn % len(MARKS)],
        color=COLOURS[turn % len(COLOURS)],
        markersize=5 if turn else 6.5,
        elinewidth=1.2,
        capsize=2,
        label=name,
    )


def _percent(axis: Any) -> None:
    axis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _finish(axis: Any, figure: Any, many: int) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="both", color="#eeeeee", zorder=0)
    axis.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=min(many, 4), frameon=False)
