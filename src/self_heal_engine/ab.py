"""Champion beside challenger on real traffic: rates from confirmations, and a verdict that every look may take."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil, log
from typing import TYPE_CHECKING, Any

from self_heal_engine.errors import CannotHeal
from self_heal_engine.markdown import markdown
from self_heal_engine.records import Heard, rfc3339
from self_heal_engine.sequential import block_of, evidence, interval

if TYPE_CHECKING:
    from self_heal_engine.registry import Store as Registry
    from self_heal_engine.storage import Store

CHAMPION, CHALLENGER = "champion", "challenger"
VARIANTS = (CHAMPION, CHALLENGER)

# What is tested, and whether more of it is better. Each test has its share of alpha (Bonferroni).
TESTED = {"acceptance": True, "false_heals": False}

# More do not fit into memory at once; leaving out the oldest would start the tests anew at every look.
MOST_HEALS = 50_000

# Below this evidence nothing speaks for a difference, and to guess how long it still takes would make one up.
TELLING = 4.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something was so: of all its cases, and of one case of each session.

    Heals of one session are not independent: it is only of sessions that ``low`` and ``high`` can be said.
    """

    value: float | None
    n: int
    sessions: int
    session_value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Side:
    """What one variant did. ``models`` are those that were behind it; without intervals where nothing is tested."""

    models: tuple[str, ...]
    heals: int
    confirmations: int
    acceptance: Rate
    false_heals: Rate
    abstention: float | None


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """The sequential test of one rate: a session is one outcome.

    ``evidence`` is the highest that there ever was, for that decides, and ``now`` what there is now. ``better`` is the
    variant that is better, once it is decided; ``more`` about how many more sessions, of both variants together, it
    takes if the rates are what they seem, where that can be said.
    """

    evidence: float
    now: float
    needed: float
    p: float
    outcomes: dict[str, int]
    better: str | None
    more: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of champion and challenger; ``both_since`` is when the later of them began to serve."""

    since: datetime | None
    both_since: datetime | None
    alpha: float
    share: float
    left_out: int
    variants: dict[str, Side]
    tests: dict[str, SequentialTest]
    verdict: str
    why: str


def stored_heals(store: Store, since: datetime | None) -> list[Heard]:
    """Return the heals of a store; CannotHeal ``too_many_heals`` if there are more than can be read at once."""
    found = store.heals(since=since, limit=MOST_HEALS + 1)
    if len(found) > MOST_HEALS:
        whole = f"there are more than {MOST_HEALS:,} heals{f' since {rfc3339(since)}' if since else ''}"
        raise CannotHeal("too_many_heals", f"{whole}: --since gives the day from which on to count")
    return [one for one in found if one.heal.changed_by is None]  # what a language model chose is no variant's


def report(
    heals: Iterable[Heard], serving: Mapping[str, str] | None, share: float, alpha: float, since: datetime | None = None
) -> Report:
    """Return what the heals say; those of other models than ``serving`` (variant to model) are left out, if given."""
    every = [each for each in heals if each.heal.variant in VARIANTS]
    counted = [each for each in every if serving is None or serving.get(each.heal.variant) == model_of(each)]
    parted = {variant: [each for each in counted if each.heal.variant == variant] for variant in VARIANTS}
    each_alpha = alpha / len(TESTED)
    both_since = began_both(parted)
    # A champion's heals from before there was a challenger met other pages: they count for its rates alone.
    beside = {
        variant: [each for each in some if both_since and each.heal.created_at >= both_since]
        for variant, some in parted.items()
    }
    variants = {variant: side(some, each_alpha) for variant, some in parted.items()}
    tests = {
        what: sequential_test(
            first_of_session(beside[CHAMPION], OUTCOME[what]),
            first_of_session(beside[CHALLENGER], OUTCOME[what]),
            share,
            each_alpha,
            more_is_better,
        )
        for what, more_is_better in TESTED.items()
    }
    verdict, why = judged(variants, tests)
    return Report(since, both_since, alpha, share, len(every) - len(counted), variants, tests, verdict, why)


def model_of(heard: Heard) -> str:
    """Return the model that gave an answer, as the metrics name it."""
    return f"{heard.heal.model}-{heard.heal.model_version}"


def began_both(parted: Mapping[str, Sequence[Heard]]) -> datetime | None:
    """Return since when both variants heal; None while one of them has healed nothing."""
    if not all(parted.values()):
        return None
    return max(min(each.heal.created_at for each in some) for some in parted.values())


def side(heals: Sequence[Heard], alpha: float) -> Side:
    """Return what one variant did."""
    return Side(
        models=tuple(sorted({model_of(each) for each in heals})),
        heals=len(heals),
        confirmations=sum(each.verdict is not None for each in heals),
        acceptance=rate(heals, accepted, alpha),
        false_heals=rate(heals, false_heal, alpha),
        abstention=sum(each.heal.decision == "gone" for each in heals) / len(heals) if heals else None,
    )


# -- outcomes --------------------------------------------------------------------------------------------------------


def accepted(heard: Heard) -> bool | None:
    """Return whether the first candidate was right; None if none was proposed, or nobody said."""
    if heard.verdict is None or heard.heal.decision not in ("healed", "unchanged"):
        return None
    return heard.verdict.accepted_index == 0


def false_heal(heard: Heard) -> bool | None:
    """Return whether a heal led to a wrong element; None if it was no heal, or nobody said."""
    return None if heard.heal.decision != "healed" or (right := accepted(heard)) is None else not right


Outcome = Callable[[Heard], bool | None]

OUTCOME: dict[str, Outcome] = {"acceptance": accepted, "false_heals": false_heal}


def first_of_session(heals: Iterable[Heard], outcome: Outcome) -> list[bool]:
    """Return one outcome of each session, the first that was confirmed, in the order in which they became known.

    A heal without a session is a session of its own. Later confirmations add to the end and change nothing before.
    """
    known = [each for each in heals if outcome(each) is not None]
    known.sort(key=lambda each: (each.confirmed_at or each.heal.created_at, each.heal.request_id))
    firsts: dict[object, bool] = {}
    for each in known:
        firsts.setdefault(each.heal.test_session or each.heal.request_id, bool(outcome(each)))
    return list(firsts.values())


def rate(heals: Sequence[Heard], outcome: Outcome, alpha: float) -> Rate:
    """Return how often an outcome was so."""
    every = [said for each in heals if (said := outcome(each)) is not None]
    firsts = first_of_session(heals, outcome)
    low, high = interval(sum(firsts), len(firsts) - sum(firsts), alpha)
    return Rate(mean(every), len(every), len(firsts), mean(firsts), low, high)


def mean(outcomes: Sequence[bool]) -> float | None:
    """Return the share of outcomes that were so; None of none."""
    return sum(outcomes) / len(outcomes) if outcomes else None


# -- tests -----------------------------------------------------------------------------------------------------------


def sequential_test(
    champion: Sequence[bool], challenger: Sequence[bool], share: float, alpha: float, more_is_better: bool
) -> SequentialTest:
    """Return what two streams of outcomes decide."""
    found = evidence(champion, challenger, share)
    rates = mean(champion), mean(challenger)
    better = None
    if found.most >= 1 / alpha and rates[0] is not None and rates[1] is not None:
        better = CHALLENGER if (rates[1] > rates[0]) == more_is_better else CHAMPION
    return SequentialTest(
        evidence=min(found.most, sys.float_info.max),  # JSON knows no infinity
        now=min(found.e, sys.float_info.max),
        needed=1 / alpha,
        p=found.p,
        outcomes=dict(zip(VARIANTS, map(len, (champion, challenger)), strict=True)),
        better=better,
        more=None if better else still_needed(found.e, rates, share, alpha),
    )


def still_needed(now: float, rates: tuple[float | None, float | None], share: float, alpha: float) -> int | None:
    """Return about how many more outcomes of both it takes if the rates are what they seem; None if nobody can say.

    A block adds to the logarithm of the evidence, on average, the divergence of the rates from their common mean.
    """
    one, other = rates
    if now < TELLING or one is None or other is None:
        return None
    ones, others = block_of(share)
    common = (ones * one + others * other) / (ones + others)
    growth = ones * divergence(one, common) + others * divergence(other, common)
    return ceil((log(1 / alpha) - log(now)) / growth) * (ones + others) if growth > 0 else None


def divergence(rate: float, other: float) -> float:
    """Return the Kullback-Leibler divergence of one rate from another."""
    parts = ((rate, other), (1 - rate, 1 - other))
    return sum(share * log(share / of) for share, of in parts if share > 0)


def judged(variants: Mapping[str, Side], tests: Mapping[str, SequentialTest]) -> tuple[str, str]:
    """Return the verdict and why, in words."""
    better = {test.better for test in tests.values()} - {None}
    decided = [what for what, test in tests.items() if test.better]
    if len(better) == 1:
        winner, shown = (
            next(iter(better)),
            " and ".join(f"{NAMED[what]} ({compared(what, variants)})" for what in decided),
        )
        return f"{winner} better", f"decided by {shown}{abstaining(variants)}"
    if better:
        said = ", ".join(f"the {tests[what].better} in {NAMED[what]} ({compared(what, variants)})" for what in decided)
        return "not decided yet", f"each is better in one thing: {said}"
    silent = [variant for variant, side in variants.items() if not side.heals]
    if silent:
        return "not decided yet", f"no heal of the {' and none of the '.join(silent)}"
    said = "; ".join(f"{NAMED[what]}: {progress(test)}" for what, test in tests.items())
    return "not decided yet", said


NAMED = {"acceptance": "acceptance", "false_heals": "false heals"}


def compared(what: str, variants: Mapping[str, Side]) -> str:
    """Return the rates of both."""
    rates: list[Rate] = [getattr(variants[variant], what) for variant in VARIANTS]
    return " against ".join(
        f"{variant} {percent(rate.session_value)}" for variant, rate in zip(VARIANTS, rates, strict=True)
    )


def abstaining(variants: Mapping[str, Side]) -> str:
    """Return a warning if the two abstain differently: who only answers the easy ones is right more often."""
    rates = [variants[variant].abstention or 0.0 for variant in VARIANTS]
    if abs(rates[1] - rates[0]) < 0.02:
        return ""
    return (
        f"; mind that the challenger says gone in {percent(rates[1])} of its heals, the champion in {percent(rates[0])}"
    )


def progress(test: SequentialTest) -> str:
    """Return how far a test is."""
    said = f"evidence {test.now:.3g} of the {test.needed:.0f} it takes"
    if not min(test.outcomes.values()):
        return "no confirmed session of both yet"
    if test.more is None:
        return f"{said}; how long it will take cannot be said"
    return (
        f"{said}; about {rounded(test.more):,} more confirmed sessions if the rates are what they seem, "
        "as likely more as fewer"
    )


def rounded(many: int) -> int:
    """Return a number to two figures, for it is a guess.

    >>> rounded(1234), rounded(7)
    (1200, 7)
    """
    return int(float(f"{many:.1e}"))


# -- out -------------------------------------------------------------------------------------------------------------


def track(store: Registry, found: Report) -> str:
    """Log a report as a run and return its id."""
    from self_heal_engine.registry import tracked

    data = as_data(found)
    params = {name: data[name] for name in ("since", "both_since", "alpha", "share", "verdict", "why")}
    models = {variant: ", ".join(side.models) for variant, side in found.variants.items()}
    params["models"] = models
    return tracked(store, "ab", found.verdict, params, {name: data[name] for name in ("variants", "tests")})


def as_data(found: Report) -> dict[str, Any]:
    """Return a report as JSON takes it."""
    moments = {"since": found.since, "both_since": found.both_since}
    return asdict(found) | {name: None if moment is None else rfc3339(moment) for name, moment in moments.items()}


def told(found: Report) -> str:
    """Return a report as text: a table of the variants, the tests, the verdict."""
    sides = [found.variants[variant] for variant in VARIANTS]
    rows: list[list[object]] = [
        ["model", *(", ".join(side.models) or "-" for side in sides)],
        ["heals", *(f"{side.heals:,}" for side in sides)],
        ["confirmed", *(f"{side.confirmations:,}" for side in sides)],
        ["said gone", *(percent(side.abstention) for side in sides)],
    ]
    for what, name in NAMED.items():
        rates: list[Rate] = [getattr(side, what) for side in sides]
        rows.append([name, *(f"{percent(rate.value)}, n {rate.n:,}" for rate in rates)])
        rows.append([f"{name}, a session one outcome", *map(shown, rates)])
    level = 1 - found.alpha / len(TESTED)
    lines = [
        *markdown(["", *VARIANTS], rows),
        "",
        f"Intervals hold at every look, each at {level:.4g}; so do the tests, together at alpha {found.alpha:g}.",
    ]
    for what, test in found.tests.items():
        many = ", ".join(f"{variant} {n:,}" for variant, n in test.outcomes.items())
        said = f"evidence {test.now:.3g}, at most {test.evidence:.3g}, decided from {test.needed:.0f}, p {test.p:.2g}"
        lines.append(f"{NAMED[what]}: {said} (sessions: {many})")
    if found.both_since:
        lines.append(f"The tests count what was asked since both serve: {rfc3339(found.both_since)}.")
    if found.left_out:
        lines.append(
            f"{found.left_out:,} heals of models that do not serve now are left out; --all-versions counts them."
        )
    return "\n".join([*lines, "", f"{found.verdict}: {found.why}"])


def shown(rate: Rate) -> str:
    """Return a rate of sessions with its interval."""
    return f"{percent(rate.session_value)} [{percent(rate.low)}, {percent(rate.high)}], n {rate.sessions:,}"


def percent(share: float | None) -> str:
    """Return a share as a percentage.

    >>> percent(0.9876), percent(None)
    ('98.8 %', '-')
    """
    return "-" if share is None else f"{100 * share:.1f} %"
