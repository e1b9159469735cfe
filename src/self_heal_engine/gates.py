"""What a model must show before it may serve: each gate's verdict, with its numbers in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd

from self_heal_engine.dataset import Case, wanted
from self_heal_engine.files import below, read_html
from self_heal_engine.healer import heal
from self_heal_engine.metrics import Figure, calibration_error, compare, decisions, headline, hit_at
from self_heal_engine.params import Gates
from self_heal_engine.parser import read_page
from self_heal_engine.ranking import Model

GATES = ("schema", "same_cases", "natural", "headline", "false_heals", "calibration", "time")

# Of the candidate's cases, so many must be the champion's too: on fewer, nothing is said about the others.
FEWEST_SHARED = 0.5

# Pages on which the time of a heal is taken, and how often; the quicker one counts.
TIMED_PAGES, TURNS = 60, 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a model: its outcomes on families it was not trained on, and what a heal costs.

    ``problem`` says why this code cannot load it; then there is no time either.
    """

    name: str
    table: pd.DataFrame
    p95_ms: float | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a gate is passed, and the numbers in a sentence."""

    gate: str
    passed: bool
    sentence: str


def gates(
    candidate: Evidence, champion: Evidence, asked: Gates, test: Collection[str], gone_prior: float | None = None
) -> list[Verdict]:
    """Return a verdict for each of ``GATES``. Cases of the test families are left out, whoever put them in."""
    own = candidate.table[~candidate.table["family"].isin(list(test))]
    ours, theirs = shared(own, champion.table)
    return [
        schema(candidate),
        same_cases(len(ours), len(own), champion),
        natural(ours, theirs, champion, asked.natural_loss),
        better(ours, theirs, champion, asked.headline_p),
        false_heals(own, asked.false_heal_budget),
        calibration(own, asked.most_ece, gone_prior),
        quick(candidate, champion, asked.most_p95_ms),
    ]


def shared(ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of both whose cases are in both, in the same order."""
    both = sorted(set(ours["id"]) & set(theirs["id"]))
    one, other = (table.set_index("id", drop=False).rename_axis(None).loc[both] for table in (ours, theirs))
    return one.reset_index(drop=True), other.reset_index(drop=True)


# -- the gates -----------------------------------------------------------------------------------------------------


def schema(candidate: Evidence) -> Verdict:
    """Is the model trained on the features that this code computes?"""
    return Verdict("schema", candidate.problem is None, candidate.problem or "the features are those of this code")


def same_cases(both: int, own: int, champion: Evidence) -> Verdict:
    """Are there enough cases that both were tried on?"""
    said = (
        f"{both:,} of the candidate's {own:,} cases are {champion.name}'s too; at least {FEWEST_SHARED:.0%} are asked"
    )
    return Verdict("same_cases", own > 0 and both >= FEWEST_SHARED * own, said)


def natural(ours: pd.DataFrame, theirs: pd.DataFrame, champion: Evidence, loss: float) -> Verdict:
    """Is it, as far as can be told, no worse where nothing was edited?"""
    real = (ours["difficulty"] == "natural").to_numpy()
    found = compare(ours[real], theirs[real])
    if not found["n"]:
        return Verdict("natural", False, "no natural case is shared, so nothing is known of them")
    low = found["difference_at_least"]
    said = (
        f"hit@1 on natural cases {figure(hit_at(ours[real], 1))}, {champion.name} {figure(hit_at(theirs[real], 1))}; "
        f"{found['win']} won, {found['loss']} lost; the difference is at least {low:+.4f} (one-sided 95 %), "
        f"and {-loss:+.4f} is asked"
    )
    return Verdict("natural", low >= -loss, said)


def better(ours: pd.DataFrame, theirs: pd.DataFrame, champion: Evidence, most_p: float) -> Verdict:
    """Is the headline better, and not by chance?"""
    found = compare(ours, theirs)
    if not found["n"]:
        return Verdict("headline", False, "no case with its element present is shared, so nothing is known of them")
    p, difference = found["headline_p"], found["headline_difference"]
    said = (
        f"headline {figure(headline(ours))}, {champion.name} {figure(headline(theirs))}; "
        f"difference {difference['value']:+.4f} [{difference['low']:+.4f}, {difference['high']:+.4f}], "
        f"p {p:.4f}, and at most {most_p:.4f} is asked"
    )
    return Verdict("headline", difference["value"] > 0 and p <= most_p, said)


def false_heals(own: pd.DataFrame, budget: float) -> Verdict:
    """Are few enough gone elements healed at the threshold that ships?"""
    share = decisions(own)["false_heals"]
    if share is None:
        return Verdict("false_heals", False, "the element is gone in none of the cases, so nothing is known of them")
    said = f"false heals at the shipped threshold {figure(share)}, and at most {budget:.4f} are asked"
    return Verdict("false_heals", share["value"] <= budget, said)


def calibration(own: pd.DataFrame, most: float, gone_prior: float | None) -> Verdict:
    """Is its confidence as often right as it says?"""
    error = calibration_error(own, gone_prior)
    if error is None:
        return Verdict("calibration", False, "there are no cases, so nothing is known of its confidence")
    return Verdict("calibration", error["value"] <= most, f"ECE {figure(error)}, and at most {most:.4f} is asked")


def quick(candidate: Evidence, champion: Evidence, most: float) -> Verdict:
    """Is a heal quick enough?"""
    if candidate.p95_ms is None:
        return Verdict("time", False, "no heal could be timed: this code cannot load the model")
    beside = "could not be timed" if champion.p95_ms is None else f"took {champion.p95_ms:.1f} ms in the same run"
    said = f"p95 of a heal {candidate.p95_ms:.1f} ms of CPU time, {champion.name} {beside}; at most {most:.1f} is asked"
    return Verdict("time", candidate.p95_ms <= most, said)


def figure(found: Figure | None) -> str:
    """Return a figure as a sentence has it: value, interval, n."""
    return "-" if found is None else f"{found['value']:.4f} [{found['low']:.4f}, {found['high']:.4f}], n {found['n']:,}"


# -- the time of a heal --------------------------------------------------------------------------------------------


def cases_to_time(cases: Iterable[Case], test: Collection[str], many: int = TIMED_PAGES) -> list[Case]:
    """Return natural cases on so many real pages at most, one a page, spread evenly over all that are not tested on."""
    first = {case.new_page: case for case in cases if case.difficulty == "natural" and case.family not in test}
    every = [first[page] for page in sorted(first)]
    return [every[at * len(every) // many] for at in range(many)] if len(every) > many else every


def p95_of_a_heal(models: Mapping[str, Model], data: Path, cases: Sequence[Case]) -> dict[str, float]:
    """Return for each model the 95th percentile of the CPU milliseconds of parsing a page and healing on it.

    The models take turns on each page, and the CPU's time counts, so that a busy machine is no model's misfortune.
    """
    times: dict[str, list[float]] = {name: [] for name in models}
    for case in cases:
        html, known = read_html(below(data, case.new_page)), wanted(case, data)
        turns: dict[str, list[float]] = {name: [] for name in models}
        for name in [*models] * TURNS:
            began = process_time()
            heal(read_page(html), known, models[name])
            turns[name].append(1_000 * (process_time() - began))
        for name, taken in turns.items():
            times[name].append(min(taken))
    return {name: float(np.percentile(taken, 95)) for name, taken in times.items() if taken}
