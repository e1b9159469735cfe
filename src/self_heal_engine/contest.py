"""A contest: any two rankers on the same cases, side by side, and whether the difference could be chance."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from self_heal_engine.baselines import BASELINES
from self_heal_engine.contestants import contestant
from self_heal_engine.dataset import SPLITS, Case, split_of
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import sha256
from self_heal_engine.markdown import markdown
from self_heal_engine.metrics import Figure, compare, decisions, false_heals_at_recall, headline, hit_at
from self_heal_engine.outcomes import outcomes
from self_heal_engine.params import Split
from self_heal_engine.ranking import WEIGHTED
from self_heal_engine.registry import RANKER, Store, export, resolve, tracked

SIDES = (*SPLITS, "all")

PUBLISHED = (WEIGHTED.name, *BASELINES)


def chosen(cases: Iterable[Case], side: str, split: Split, sample: int | None) -> list[Case]:
    """Return the cases of one side of the split, or so many of them, spread evenly; confirmed heals apart."""
    if side not in SIDES:
        raise CannotHeal("unknown_side", f"{quoted(side)} is none of {', '.join(SIDES)}")
    found = [
        case
        for case in cases
        if case.rule != "confirmed" and side in ("all", split_of(case.family, split.test, split.validation))
    ]
    if not found:
        raise CannotHeal("no_case", f"no case is of the side {quoted(side)}")
    many = min(sample or len(found), len(found))
    return [found[at * len(found) // many] for at in range(many)]


def contest(one: str, other: str, cases: Sequence[Case], data: Path, store: Store) -> dict[str, Any]:
    """Return how two rankers do: the figures of each, ``against`` with what is paired, and ``rankers``, what they are.

    A ranker is a published one's name, a model file, or an alias or number in the registry.
    """
    with tempfile.TemporaryDirectory() as folder:
        names = [ranker_named(name, store, Path(folder, str(at))) for at, name in enumerate((one, other))]
        trained = [contestant(name).provenance.get("families", ()) for name in names]  # refused here, if it cannot load
        tables = outcomes(data.resolve(), cases, list(dict.fromkeys(names)))
        rankers = [name if name in PUBLISHED else sha256(Path(name).read_bytes()) for name in names]
    first, second = (tables[name] for name in names)
    return {
        "rankers": dict(zip("AB", rankers, strict=True)),
        "cases": len(cases),
        "gone": int(first["gone"].sum()),
        "seen": sorted({case.family for case in cases} & {name for families in trained for name in families}),
        "A": figures(first),
        "B": figures(second),
        "against": compare(first, second),
    }


def ranker_named(name: str, store: Store, folder: Path) -> str:
    """Return what ``contestant`` takes; a registered model is written into the folder for it."""
    if name in PUBLISHED or Path(name).suffix:
        return name
    try:
        resolve(store, name)
    except CannotHeal as refusal:
        known = f"{quoted(name)} is none of {', '.join(PUBLISHED)}, and no model file"
        raise CannotHeal("unknown_ranker", f"{known}; {refusal.sentence}") from refusal
    export(store, name, folder / RANKER)
    return str(folder / RANKER)


def figures(table: pd.DataFrame) -> dict[str, Figure | None]:
    """Return the figures that a contest shows of each ranker."""
    return {
        "headline": headline(table),
        "hit_at_1": hit_at(table, 1),
        "hit_at_5": hit_at(table, 5),
        "false_heals_at_95_recall": false_heals_at_recall(table),
        **decisions(table),
    }


def track(store: Store, one: str, other: str, side: str, found: Mapping[str, Any]) -> str:
    """Log a contest as a run and return its id."""
    about = {"A": one, "B": other, "side": side, "cases": found["cases"], "rankers": found["rankers"]}
    return tracked(store, "comparison", f"{one} beside {other}", about, found)


# -- for people ----------------------------------------------------------------------------------------------------


def told(one: str, other: str, found: Mapping[str, Any]) -> str:
    """Return a contest as text: a table of the figures, then what is paired."""
    names = [name.replace("_", " ") for name in found["A"]]
    rows = zip(names, map(shown, found["A"].values()), map(shown, found["B"].values()), strict=True)
    return "\n".join(
        [
            f"A {one} beside B {other} on {found['cases']:,} cases, in {found['gone']:,} of which the element is gone",
            "",
            *markdown(["", "A", "B"], rows),
            "",
            *paired(found["against"]),
            *(
                [f"trained on some of these families: {', '.join(found['seen'])}; this is no fair comparison"]
                if found["seen"]
                else []
            ),
        ]
    )


def paired(against: Mapping[str, Any]) -> list[str]:
    """Return what can be said of both on the same cases."""
    if not against["n"]:
        return ["The element is gone in every case: there is nothing to rank."]
    lines = [
        f"right element first, n {against['n']:,}: A won {against['win']:,}, tied {against['tie']:,}, "
        f"lost {against['loss']:,} (McNemar p {against['mcnemar_p']:.4f})",
        f"difference of hit@1 {shown(against['difference'], '+')}, at least {against['difference_at_least']:+.4f} "
        "(one-sided 95 %)",
        f"difference of the headline {shown(against['headline_difference'], '+')}, p {against['headline_p']:.4f}",
    ]
    if against["error_ratio"] is not None:
        lines.append(f"errors of A as a share of B's, headline {shown(against['error_ratio'])}")
    return lines


def shown(figure: Figure | None, sign: str = "") -> str:
    """Return a figure with its interval and n."""
    if figure is None:
        return "-"
    value, low, high = (format(figure[end], f"{sign}.4f") for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}], n {figure['n']:,}"
