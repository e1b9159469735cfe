"""DVC stage: from pairs, and from heals that users confirmed, to cases and their edited pages."""

import shutil
from pathlib import Path

import typer

from self_heal_engine.cases import jobs, make_cases
from self_heal_engine.confirmed import confirmed_cases
from self_heal_engine.dataset import read_records, write_cases
from self_heal_engine.errors import at_the_edge
from self_heal_engine.pairs import Pair
from self_heal_engine.parallel import in_parallel
from self_heal_engine.params import read_params


def main(pairs: Path, training: Path, cases: Path, scheduler: str | None = None) -> None:
    """Make the cases of every page in two releases; edited pages are written to ``edited/`` beside the cases."""
    params = read_params(Path("params.yaml")).cases
    shutil.rmtree(cases.parent / "edited", ignore_errors=True)  # what an earlier run left
    work = jobs(cases.parent, read_records(pairs, Pair, "bad_pair"), params)
    made = [case for members in in_parallel(make_cases, work, scheduler) for case in members]
    write_cases(cases, made + confirmed_cases(training, params.confirmed_weight))


if __name__ == "__main__":
    at_the_edge("cases", lambda: typer.run(main))
