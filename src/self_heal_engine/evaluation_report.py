"""The report of an evaluation: ``metrics.json`` as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from self_heal_engine.dataset import DIFFICULTIES, KNOWLEDGE
from self_heal_engine.goals import AT_MOST, GOALS
from self_heal_engine.markdown import markdown

# What every table by group is headed by, in the order of the report.
GROUPS = {
    "difficulty": "Difficulty", "knowledge": "What the caller knows", "family": "Family", "source": "Source",
    "locator": "Kind of locator",
}  # fmt: skip

# Values that have an order of their own; others stand in that of the alphabet.
ORDERS = {"difficulty": DIFFICULTIES, "knowledge": KNOWLEDGE}

# Smaller than what four decimals can tell.
LEAST_P = 0.0001


def report(facts: Mapping[str, Any]) -> str:
    """Return the contents of ``metrics.json`` as a page of Markdown, the goals first."""
    sections = (introduction, goals, rankers, against, decisions, calibration, groups, left_out, lost)
    written = ("\n".join(section(facts)) for section in sections)
    return "\n\n".join(text for text in written if text) + "\n"


def introduction(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was measured, on what, and how to read it."""
    cases = facts["cases"]
    yield "# Evaluation"
    yield ""
    yield (
        f"{cases['n']:,} cases ({cases['gone']:,} with the element gone) of {cases['pairs']:,} elements from the "
        f"families {', '.join(cases['families'])}, none of which trained, tuned, calibrated or gated the ranker. "
        "All rankers see the same cases and candidates; published ones as published, at their best without geometry. "
        "Made by `dvc repro evaluate`; the numbers stand in `metrics.json`."
    )
    yield ""
    yield (
        "Intervals are of 95 %: whole families are drawn again 2,000 times (pairs, where there is one family); of "
        "rates none is narrower than Wilson's. Averages over cells, mean reciprocal ranks and ratios have no such "
        "floor, and there are few families: their intervals are coarse. n is the number of cases. hit@1: the right "
        "element is first, of the cases in which it is still there. Headline: hit@1 averaged over the cells of family "
        "x difficulty."
    )


def goals(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the goals beside what is reached."""
    found, loo = facts["goals"], facts.get("leave_one_out", {}).get("goals", {})
    head = ["", "goal", "ours", "n", "", "best baseline", "all levels of knowledge"]
    rows = []
    for name, goal in GOALS.items():
        if name in found:
            facts_of = found[name]
            bound = f"{'≤' if name in AT_MOST else '≥'} {percent(goal.bound)}"
            beside = [
                shown(facts_of.get("baseline"), facts_of.get("baseline_name")),
                shown(facts_of.get("all_knowledge")),
            ]
            ours = facts_of["ours"]
            rows.append([goal.title, bound, shown(ours), f"{ours['n']:,}", said(name, facts_of), *beside])
            if loo:
                rows[-1].append(shown(loo.get(name, {}).get("ours")))
    yield "## Goals"
    yield ""
    yield from markdown([*head, "every family left out once"] if loo else head, rows)
    yield ""
    yield (
        "Reached: the figure is on the right side of its bound; clear: so is its whole interval. Natural cases must "
        "not be below the best baseline either, and the interval of the errors must end below 1. The best baseline is "
        "the best on the same cases; of the errors and the gone elements it is the best on the headline."
    )


def said(name: str, facts: Mapping[str, Any]) -> str:
    """Return whether a goal is reached, or by how much it is missed.

    >>> said("masked-1", {"bound": 0.97, "ours": {"value": 0.951}, "reached": False, "clear": False})
    'missed by 1.9 points'
    """
    if facts["reached"]:
        return "**reached**, clear" if facts["clear"] else "**reached**"
    short = (facts["ours"]["value"] - facts["bound"]) * (1 if name in AT_MOST else -1)
    if short > 0:
        return f"missed by {100 * short:.1f} points"
    return "missed: the interval reaches 1" if name in AT_MOST else "missed: below the best baseline"


def rankers(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield every ranker over all cases, the best first."""
    yield "## Ranking"
    yield ""
    yield from markdown(
        ["ranker", "headline", "hit@1", "hit@5", "MRR", "n"],
        [
            [name, *(shown(each.get(what)) for what in ("headline", "hit_at_1", "hit_at_5", "mrr")), counted(each)]
            for name, each in in_order(facts["rankers"])
        ],
    )
    yield ""
    yield "![hit@1 by difficulty](difficulty.svg)"


def against(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield our ranker beside each other one, case by case."""
    order = [name for name, _ in in_order(facts["rankers"])]
    others = sorted(facts["against"].items(), key=lambda item: order.index(item[0]))
    others = [(name, each) for name, each in others if each["n"]]
    if not others:
        return
    yield "## Case by case"
    yield ""
    yield from markdown(
        ["against", "win", "tie", "loss", "McNemar p", "hit@1, points", "headline, points", "errors, share of theirs"],
        [
            [name, *(f"{each[what]:,}" for what in ("win", "tie", "loss")), p_value(each["mcnemar_p"]),
             points(each["difference"]), points(each["headline_difference"]), times(each.get("error_ratio"))]
            for name, each in others
        ],
    )  # fmt: skip
    yield ""
    yield (
        "Win: the right element is first with ours and not with the other. McNemar's test is exact and takes cases for "
        "independent; the intervals do not. Errors are those of the headline."
    )


def decisions(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is healed that should not be, at 95 % recall and at each ranker's own threshold."""
    names = ("false_heals", "wrong_heals", "abstentions", "right_heals")
    yield "## The decision"
    yield ""
    yield from markdown(
        ["ranker", "false heals at 95 % recall", *(f"{name.replace('_', ' ')}" for name in names), "gone", "there"],
        [
            [name, shown(each.get("false_heals_at_95_recall")),
             *(shown(each["at_threshold"].get(what)) for what in names),
             counted(each["at_threshold"], "false_heals"), counted(each["at_threshold"], "right_heals")]
            for name, each in in_order(facts["rankers"])
        ],
    )  # fmt: skip
    yield ""
    yield (
        "False heals: gone elements that are healed, at the threshold that keeps 95 % of the ranker's own right heals "
        "(masked-3, mutated-3 and mutated-4 apart). A ranker that is seldom right keeps its few with ease: read it "
        "beside the ranking. The other columns are at the threshold the ranker ships with: false heals of the gone; "
        "wrong heals, abstentions and right heals of those that are there."
    )
    yield ""
    yield "![gone elements healed against right heals kept](false-heals.svg)"


def calibration(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield how far confidence can be taken at its word."""
    prior = facts["cases"].get("gone_prior")
    weighed = "as they are in the cases" if prior is None else f"counting as {percent(prior)} of the whole"
    yield "## Calibration"
    yield ""
    yield from markdown(
        ["ranker", "ECE", "Brier", "n"],
        [[name, shown(each.get("ece")), times(each.get("brier"), 3), counted(each, "ece")]
         for name, each in in_order(facts["rankers"])],
    )  # fmt: skip
    yield ""
    yield (
        f"The event is that the first candidate is right, over all cases, gone elements {weighed}. ECE: over ten bins "
        "with as many cases each. Published rankers give scores that were never meant as probabilities."
    )
    yield ""
    yield from markdown(
        ["bin", "confidence", "right", "n"],
        [[at, percent(each["confidence"]), shown(each["right"]), f"{each['right']['n']:,}"]
         for at, (_, each) in enumerate(sorted(facts["reliability"].items()), start=1)],
    )  # fmt: skip
    yield ""
    yield "![reliability](reliability.svg)"


def groups(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield hit@1 apart by what a case is, ours beside the best baseline."""
    yield "## hit@1 apart"
    for what, title in GROUPS.items():
        yield ""
        yield from markdown(
            [title.lower(), "ours", "best baseline", "n"],
            [
                [
                    name,
                    shown(each["ours"]),
                    shown(each.get("baseline"), each.get("baseline_name")),
                    f"{each['ours']['n']:,}",
                ]
                for name, each in ordered(facts["by"][what], what)
            ],
        )
    yield ""
    yield "![hit@1 by family](families.svg)"


def left_out(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the figures of rankers that have not seen the family they are measured on."""
    found = facts.get("leave_one_out")
    if not found:
        return
    cases, ours = found["cases"], found["ours"]
    yield "## Every family left out once"
    yield ""
    yield (
        f"{cases['n']:,} cases of {len(cases['families'])} families, each judged by a ranker that has not seen its "
        f"family. Headline {shown(ours.get('headline'))}, hit@1 {shown(ours.get('hit_at_1'))}, false heals at 95 % "
        f"recall {shown(ours.get('false_heals_at_95_recall'))}, ECE {shown(ours.get('ece'))}."
    )
    for what in ("difficulty", "family"):
        yield ""
        yield from markdown(
            [what, "hit@1", "n"],
            [[name, shown(each), f"{each['n']:,}"] for name, each in ordered(found[f"by_{what}"], what)],
        )


def lost(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield how many cases are lost, by kind."""
    if not facts["lost"]:
        return
    yield "## What is lost"
    yield ""
    rows = sorted(facts["lost"].items(), key=lambda item: (-item[1], item[0]))
    yield from markdown(["kind", "cases"], [[kind, f"{many:,}"] for kind, many in rows])
    yield ""
    yield "Each with the old element, what was chosen and the right one: `lost-cases.html`."


# -- figures in words ----------------------------------------------------------------------------------------------


def percent(value: float) -> str:
    """Return a share in percent.

    >>> percent(0.995), percent(0.05)
    ('99.5 %', '5 %')
    """
    return f"{100 * value:.1f}".removesuffix(".0") + " %"


def shown(figure: Mapping[str, float] | None, name: str | None = None) -> str:
    """Return a share with its interval, and whose it is.

    >>> shown({"value": 0.9512, "low": 0.94, "high": 0.9609, "n": 10}, "similo")
    '95.1 % [94.0, 96.1] similo'
    """
    if figure is None:
        return "–"
    ends = f"{100 * figure['value']:.1f} % [{100 * figure['low']:.1f}, {100 * figure['high']:.1f}]"
    return f"{ends} {name}" if name else ends


def points(figure: Mapping[str, float]) -> str:
    """Return a difference of shares in points.

    >>> points({"value": 0.02, "low": -0.001, "high": 0.041})
    '+2.0 [-0.1, +4.1]'
    """
    value, low, high = (f"{100 * figure[end]:+.1f}" for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def times(figure: Mapping[str, float] | None, decimals: int = 2) -> str:
    """Return a number that is no share with its interval.

    >>> times({"value": 0.5, "low": 0.412, "high": 0.6, "n": 9})
    '0.50 [0.41, 0.60]'
    """
    if figure is None:
        return "–"
    value, low, high = (f"{figure[end]:.{decimals}f}" for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def p_value(value: float) -> str:
    """Return a p-value, not more exact than it is kept."""
    return f"< {LEAST_P}" if value < LEAST_P else f"{value:.4f}"


def counted(facts: Mapping[str, Any], what: str = "headline") -> str:
    """Return how many cases a figure is over."""
    return f"{facts[what]['n']:,}" if what in facts else "0"


def in_order(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return rankers, ours first, then the best on the headline."""
    return sorted(
        facts.items(), key=lambda item: (item[0] != "ours", -item[1].get("headline", {"value": 0})["value"], item[0])
    )


def ordered(facts: Mapping[str, Any], what: str) -> list[tuple[str, Any]]:
    """Return groups in the order in which people think of them."""
    order = ORDERS.get(what) or sorted(facts)
    return sorted(facts.items(), key=lambda item: order.index(item[0]))
