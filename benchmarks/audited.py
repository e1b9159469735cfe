"""How often each ranker puts the right element first on the audited natural cases, the element being known in full.

Writes ``reports/audited.md``. The cases of the test families are counted apart; nothing was tuned on either.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from self_heal_engine.baselines import BASELINES
from self_heal_engine.candidates import candidates
from self_heal_engine.dataset import Case, open_page, read_cases, read_records, wanted
from self_heal_engine.files import write_text
from self_heal_engine.overview import markdown
from self_heal_engine.pairs import Judgement, audited
from self_heal_engine.params import read_params
from self_heal_engine.ranking import WEIGHTED

RANKERS = {"weighted": WEIGHTED.rank, **BASELINES}


def main(data: Path, report: Path) -> None:
    """Rank the candidates of every audited pair with every ranker and write the table."""
    test = read_params(Path("params.yaml")).split.test
    judgements = list(read_records(data / "judgements.jsonl", Judgement, "bad_judgement"))
    cases = {
        case.pair: case for case in audited(read_cases(data / "cases.jsonl"), judgements) if case.new_row is not None
    }
    hits: defaultdict[tuple[str, bool], list[bool]] = defaultdict(list)
    for case in cases.values():
        for name, hit in ranked(case, data).items():
            hits[name, case.family in test].append(hit)
    rows = [[name, *(share(hits[name, side]) for side in (True, False))] for name in RANKERS]
    counts = [len(hits["weighted", side]) for side in (True, False)]
    text = [
        "# The audited natural cases",
        "",
        "Pairs of real releases that people looked at and called right (`data/judgements.jsonl`), the whole fingerprint being",
        "known: how often each ranker puts the right element first among the same candidates, with a 95 % Wilson interval.",
        "`make audited` writes this page.",
        "",
        *markdown(["ranker", f"test families, n = {counts[0]}", f"other families, n = {counts[1]}"], rows),
    ]
    write_text(report, "\n".join(text) + "\n")
    print("\n".join(text))


def ranked(case: Case, data: Path) -> dict[str, bool]:
    """Return whether each ranker puts the right element first."""
    page, known = open_page(data, case.new_page), wanted(replace(case, knowledge="baseline"), data)
    rows = candidates(page, known)
    return {name: int(rows[np.argmax(rank(page, rows, known))]) == case.new_row for name, rank in RANKERS.items()}


def share(hits: list[bool]) -> str:
    """Return a share in per cent with its interval."""
    if not hits:
        return "-"
    interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    return f"{np.mean(hits):.1%} [{interval.low:.1%}, {interval.high:.1%}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--report", type=Path, default=Path("reports/audited.md"))
    main(**vars(parser.parse_args()))
