"""DVC stage: the study that looks for the trees' parameters, tracked in MLflow."""

from pathlib import Path

import typer

from self_heal_engine.errors import at_the_edge
from self_heal_engine.params import read_params
from self_heal_engine.tuning import find_trees


def main(cases: Path, table: Path, best: Path, storage: str | None = None, scheduler: str | None = None) -> None:
    """Write the best trees' parameters; ``storage`` is any that Optuna takes: a study can be shared and resumed."""
    find_trees(cases, table, best, read_params(Path("params.yaml")), storage, scheduler)


if __name__ == "__main__":
    at_the_edge("tune", lambda: typer.run(main))
