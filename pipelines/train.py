"""DVC stage: the best parameters to the candidate: a ranker and its decision in one file, and its evidence."""

from pathlib import Path

import typer

from self_heal_engine.errors import at_the_edge
from self_heal_engine.params import read_params
from self_heal_engine.training import train_candidate


def main(cases: Path, table: Path, best: Path, model: Path, scheduler: str | None = None) -> None:
    """Write the model and, beside it, what it says of families that it was not trained on."""
    train_candidate(cases, table, best, model, read_params(Path("params.yaml")), scheduler)


if __name__ == "__main__":
    at_the_edge("train", lambda: typer.run(main))
