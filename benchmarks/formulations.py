"""What was tried to rank better, each on families it was not trained on; writes ``reports/formulations.md``.

Test families take no part. Half of the training cases are learnt from, to be quick: compare the rows with each other.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.dataset import families
from self_heal_engine.feature_table import Table, read_table
from self_heal_engine.features import FEATURE_NAMES
from self_heal_engine.files import write_text
from self_heal_engine.goals import FULL
from self_heal_engine.healer import assign
from self_heal_engine.markdown import markdown
from self_heal_engine.metrics import compare, headline, hit_at
from self_heal_engine.outcomes import Outcome, outcome_table
from self_heal_engine.params import Training, Trees, read_params
from self_heal_engine.ranking import logit, sigmoid
from self_heal_engine.training import fit_ranker, folds

EVERY = 2
SHOWN = ("natural", "masked-1", "masked-2", "mutated-2", "mutated-3")


@dataclass(frozen=True, slots=True)
class Tried:
    """One formulation: what differs from the first, and what is done to the scores afterwards."""

    name: str
    training: dict[str, object] | None = None
    without: tuple[str, ...] = ()  # features whose name begins so
    monotone: bool = True
    after: Callable[[Table, NDArray[np.float64]], NDArray[np.float64]] | None = None


def formulations() -> Iterator[Tried]:
    """Yield what was tried; the first is what the others are compared with."""
    yield Tried("classifier over candidates, 16 hardest rivals, monotone")
    yield Tried("pairwise ranking (LambdaMART)", {"objective": "rank:pairwise"})
    yield Tried("NDCG ranking (LambdaMART)", {"objective": "rank:ndcg"})
    yield Tried("8 hardest rivals", {"negatives": 8})
    yield Tried("25 hardest rivals", {"negatives": 25})
    yield Tried("all candidates", {"negatives": 128})
    yield Tried("reranking the weighted ranker's top 25", {"negatives": 25}, after=top_25)
    yield Tried("blend: mean log-odds with the weighted ranker", after=blended)
    yield Tried("one-to-one assignment over the cases of a page", after=one_to_one)
    yield Tried("without monotone constraints", monotone=False)
    yield Tried("without Similo, Similo++ and the weights as features", without=("similo", "weighted"))
    yield Tried("without what is claimed by others", without=("claimed",))
    yield Tried("without rare tokens", without=("tokens_",))
    yield Tried(
        "without standing among rivals (rank, margin)",
        without=tuple(n for n in FEATURE_NAMES if n.endswith(("_rank", "_margin"))),
    )
    yield Tried("the weighted ranker alone", after=lambda table, scores: column(table, "weighted"))
    yield Tried("Similo++ alone", after=lambda table, scores: column(table, "similo_plus_plus"))


def column(table: Table, name: str) -> NDArray[np.float64]:
    """Return one feature of every candidate."""
    return table.features[:, FEATURE_NAMES.index(name)].astype(np.float64)


def top_25(table: Table, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores with all but the weighted ranker's first 25 put last."""
    return np.where(table.hardness < 25, scores, -100.0)


def blended(table: Table, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the log-odds."""
    return (scores + logit(column(table, "weighted"))) / 2


def one_to_one(table: Table, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores with the element put first that the assignment over the page's different elements gives."""
    better = scores.copy()
    pages: dict[str, dict[str, int]] = {}
    for number, case in enumerate(table.cases):
        if not np.isnan(scores[table.starts[number] : table.starts[number + 1]]).any():
            pages.setdefault(case.new_page, {})[case.pair] = number
    for numbers in pages.values():
        parts = [slice(int(table.starts[at]), int(table.starts[at + 1])) for at in numbers.values()]
        given = assign([table.row[part].astype(np.intp) for part in parts], [sigmoid(scores[part]) for part in parts])
        for part, row in zip(parts, given, strict=True):
            better[part][table.row[part] == row] = 100.0
    return better


def scores_of(
    tried: Tried, table: Table, groups: list[tuple[str, ...]], training: Training, trees: Trees
) -> NDArray[np.float64]:
    """Return the score of every candidate of the families, each by trees that never saw its family."""
    dropped = [at for at, name in enumerate(FEATURE_NAMES) if name.startswith(tried.without or ("-",))]
    seen = table
    if dropped:
        seen = replace(table, features=table.features.copy())
        seen.__dict__["hardness"] = table.hardness  # by the weights, which may be among what is dropped
        seen.features[:, dropped] = np.nan
    scores = np.full(len(table.case), np.nan)
    for group in groups:
        rest = [name for other in groups if other != group for name in other]
        booster = fit_ranker(seen, rest, replace(training, **(tried.training or {})), trees, EVERY, tried.monotone)
        there = np.flatnonzero(np.isin(table.family, group)[table.case])
        scores[there] = booster.inplace_predict(seen.features[there], predict_type="margin")
    return scores


def main(data: Path, report: Path) -> None:
    """Try everything and write the table."""
    params = read_params(Path("params.yaml"))
    trees = Trees(**json.loads(Path("models/best_params.json").read_text("utf-8")))
    table = read_table(data / "features", data / "cases.jsonl")
    groups = folds(table.family, families(table.cases, params.split.test), params.train.folds)
    first, rows, plain = None, [], None
    for tried in formulations():
        fresh = tried.after is None or bool(tried.training)
        scores = scores_of(tried, table, groups, params.train, trees) if fresh else plain
        plain = scores if plain is None else plain
        made = outcomes_of(table, tried.after(table, scores) if tried.after else scores, plain)
        first = made if first is None else first
        full = made[made["knowledge"].isin(FULL)]
        text = made[(made["knowledge"] == "text") & (made["difficulty"] == "natural")]
        against = compare(made, first)
        rows.append([
            tried.name, share(headline(made)), *(share(hit_at(full[full["difficulty"] == what], 1)) for what in SHOWN), share(hit_at(text, 1)),
            "" if made is first else f"{against['win']} / {against['loss']}, p = {against['mcnemar_p']:.2g}",
        ])  # fmt: skip
        print(rows[-1], flush=True)
    lines = [
        "# What was tried to rank better",
        "",
        f"`make formulations` writes this page. Out of fold, in {params.train.folds} groups of families; the test families take no part; one in {EVERY}",
        "training cases is learnt from. Headline: hit@1 averaged over family x difficulty; then hit@1 with the whole",
        "fingerprint known, and of natural cases with the locator and the visible text alone. Wins and losses case by case against the first row",
        "(McNemar).",
        "",
        *markdown(["formulation", "headline", *SHOWN, "text only", "wins / losses"], rows),
    ]
    write_text(report, "\n".join(lines) + "\n")


def outcomes_of(table: Table, scores: NDArray[np.float64], scored: NDArray[np.float64]):
    """Return the outcome table of the cases that were scored."""
    numbers, made = [], []
    for number in range(len(table.cases)):
        part = slice(int(table.starts[number]), int(table.starts[number + 1]))
        if part.stop > part.start and not np.isnan(scored[part.start]):
            order = np.argsort(-scores[part], kind="stable")
            places = np.flatnonzero(table.right[part][order])
            best = int(order[0])
            numbers.append(number)
            made.append(
                Outcome(
                    int(places[0]) + 1 if len(places) else 0,
                    len(order),
                    int(table.row[part][best]),
                    float(scores[part][best]),
                    True,
                )
            )
    return outcome_table([table.cases[number] for number in numbers], made)


def share(figure: dict[str, float] | None) -> str:
    """Return a figure in per cent."""
    return "-" if figure is None else f"{figure['value']:.1%}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--report", type=Path, default=Path("reports/formulations.md"))
    main(**vars(parser.parse_args()))
