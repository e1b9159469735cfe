"""What the data holds: numbers, a table and plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from self_heal_engine.collection import MANIFEST, read_manifest
from self_heal_engine.dataset import DIFFICULTIES, KNOWLEDGE, SPLITS, Case, check_split, split_of
from self_heal_engine.errors import CannotHeal
from self_heal_engine.figures import bar_charts, bars_by_side
from self_heal_engine.markdown import markdown
from self_heal_engine.near_identical import closest, signature
from self_heal_engine.pairs import Judgement, Pair
from self_heal_engine.parallel import in_parallel
from self_heal_engine.params import Split

# Pages at least so much alike are taken for the same page.
NEAR_IDENTICAL = 0.8

# The counts of cases that the summary lists, and what each is called there.
COUNTED = {
    "by_difficulty": "difficulty", "by_kind": "locator_type", "by_form": "form", "by_knowledge": "knowledge",
    "by_failure": "failure", "by_rule": "rule",
}  # fmt: skip


def summary(
    pairs: Sequence[Pair], cases: Sequence[Case], judgements: Sequence[Judgement], split: Split
) -> dict[str, Any]:
    """Return the numbers of ``reports/data/summary.json``; cases of confirmed heals are counted apart."""
    made = [case for case in cases if case.rule != "confirmed"]
    check_split({case.family for case in made}, split.test, split.validation)
    sides = {case.family: split_of(case.family, split.test, split.validation) for case in made}
    by_source = Counter((case.source, case.family) for case in made)
    return {
        "pairs": sum(pair.new_row is not None for pair in pairs),
        "removed": sum(pair.new_row is None for pair in pairs),
        "cases": len(made),
        "confirmed": len(cases) - len(made),
        "sources": len({case.source for case in made}),
        "families": len(sides),
        "gone_share": round(sum(case.new_row is None for case in made) / max(len(made), 1), 4),
        "by_split": counts(sides[case.family] for case in made),
        "families_by_split": {side: sorted(name for name in sides if sides[name] == side) for side in SPLITS},
        **{name: counts(getattr(case, what) for case in made) for name, what in COUNTED.items()},
        "by_operator": counts(name for case in made for name in case.operators),
        "by_source": {
            name: {
                "family": family,
                "split": sides[family],
                "pairs": sum(pair.source == name and pair.new_row is not None for pair in pairs),
                "cases": many,
            }
            for (name, family), many in sorted(by_source.items())
        },
        "pairs_by_rule": counts(pair.rule for pair in pairs),
        "pairs_by_role": counts(pair.kind for pair in pairs),
        "largest_training_share": largest_share(made, sides),
        "audited": audited(judgements),
    }


def counts(values: Iterable[str]) -> dict[str, int]:
    """Return how often each value occurs."""
    return dict(sorted(Counter(values).items()))


def largest_share(cases: Iterable[Case], sides: Mapping[str, str]) -> dict[str, float]:
    """Return the largest share that one source has of the training cases, with the source's name."""
    training = Counter(case.source for case in cases if sides[case.family] == "train")
    return {name: round(many / training.total(), 4) for name, many in training.most_common(1)}


def audited(judgements: Iterable[Judgement]) -> dict[str, dict[str, int]]:
    """Return how many cases of each rule a person looked at, and what they found."""
    found: dict[str, Counter[str]] = {}
    for judgement in judgements:
        found.setdefault(judgement.rule, Counter())[judgement.verdict] += 1
    return {rule: dict(sorted(verdicts.items())) for rule, verdicts in sorted(found.items())}


def closest_across_sides(pages: Path, split: Split, scheduler: str | None = None) -> dict[str, Any]:
    """Return the two pages on different sides of the split that are most alike.

    CannotHeal ``bad_split`` if they are so much alike that one tells the answer to the other.
    """
    files: dict[str, list[Path]] = {side: [] for side in SPLITS}
    for manifest in sorted(pages.glob(f"*/*/{MANIFEST}")):
        read = read_manifest(manifest.parent)
        side = split_of(read.family, split.test, split.validation)
        files[side] += [manifest.parent / f"{name}.html" for name in sorted(read.pages)]
    every = [path for paths in files.values() for path in paths]
    signed = dict(zip(every, in_parallel(signature, every, scheduler), strict=True))
    nearest = (0.0, "", "")
    for one, other in combinations([paths for paths in files.values() if paths], 2):
        likeness, at, there = closest(*(np.array([signed[path] for path in paths]) for paths in (one, other)))
        names = one[at].relative_to(pages).as_posix(), other[there].relative_to(pages).as_posix()
        nearest = max(nearest, (likeness, *names))
    if nearest[0] >= NEAR_IDENTICAL:
        raise CannotHeal(
            "bad_split", f"{nearest[1]} and {nearest[2]} are {nearest[0]:.0%} alike and stand on two sides of the split"
        )
    return {"pages": len(every), "closest_across_sides": {"likeness": nearest[0], "pages": list(nearest[1:])}}


# -- for people ----------------------------------------------------------------------------------------------------


def table(facts: Mapping[str, Any]) -> str:
    """Return the numbers as a page of Markdown."""
    split = facts["by_split"]
    lines = [
        "# The data",
        "",
        "Made by `dvc repro describe` from `data/cases.jsonl`; the numbers stand in `summary.json`.",
        "",
        f"{facts['pairs']:,} pairs of old and new elements and {facts['removed']:,} removed ones "
        f"from {facts['pages']:,} pages of {facts['sources']} sources in {facts['families']} families; "
        f"{facts['cases']:,} cases, {facts['gone_share']:.1%} of them with the element gone. "
        + ", ".join(f"{side}: {split.get(side, 0):,} cases" for side in SPLITS)
        + ".",
        "",
        *markdown(["source", "family", "split", "pairs", "cases"],
                  [[name, row["family"], row["split"], row["pairs"], row["cases"]]
                   for name, row in facts["by_source"].items()]),
        "",
        "![cases by difficulty, kind of locator and knowledge](cases.svg)",
        "",
        "![pairs by source](sources.svg)",
        "",
        "Labels looked at by eye (`data/RUBRIC.md`):",
        "",
        *markdown(["rule", "pairs", "looked at", "right", "wrong", "unsure"],
                  [[rule, facts["pairs_by_rule"].get(rule, 0), sum(found.values()),
                    *(found.get(verdict, 0) for verdict in ("right", "wrong", "unsure"))]
                   for rule, found in facts["audited"].items()]),
        "",
        "The two pages most alike on different sides of the split: "
        f"{' and '.join(facts['closest_across_sides']['pages'])}, {facts['closest_across_sides']['likeness']:.0%}.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def plot(facts: Mapping[str, Any], folder: Path) -> None:
    """Write ``cases.svg`` and ``sources.svg``; the same numbers give the same bytes."""
    kinds = sorted(facts["by_kind"], key=facts["by_kind"].get)
    charts = [
        (title, names, [many.get(name, 0) for name in names])
        for title, names, many in (
            ("difficulty", DIFFICULTIES[::-1], facts["by_difficulty"]),
            ("kind of locator", kinds, facts["by_kind"]),
            ("what the caller knows", KNOWLEDGE[::-1], facts["by_knowledge"]),
        )
    ]
    bar_charts(charts, "cases", folder / "cases.svg")
    rows = sorted(facts["by_source"].items(), key=lambda item: (item[1]["split"], item[1]["family"], item[1]["pairs"]))
    bars_by_side(
        [(f"{name} ({row['family']})", row["split"], row["pairs"]) for name, row in rows],
        {"train": "#4878a8", "validation": "#e1a03c", "test": "#a84848"},
        "pairs of old and new elements",
        folder / "sources.svg",
    )
