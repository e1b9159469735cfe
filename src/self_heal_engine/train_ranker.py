"""Training end to end: features, study, ranker and decision, as the DVC stages do it or in one go.

``python -m self_heal_engine.train_ranker`` needs the cases that ``dvc repro cases`` makes, and no DVC.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from self_heal_engine.bundled import validate_model as validate_model
from self_heal_engine.dataset import read_cases
from self_heal_engine.errors import at_the_edge
from self_heal_engine.feature_table import write_table
from self_heal_engine.params import read_params
from self_heal_engine.training import train_candidate
from self_heal_engine.tuning import find_trees


def main(
    data: Annotated[Path, typer.Option(help="The folder with cases.jsonl and its pages.")] = Path("data"),
    model: Annotated[Path, typer.Option(help="Where the model goes.")] = Path("models/candidate.json"),
    params: Annotated[Path, typer.Option(help="The parameters.")] = Path("params.yaml"),
    storage: Annotated[str | None, typer.Option(help="An Optuna storage to share or resume the study in.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler, such as tcp://host:8786.")] = None,
) -> None:
    """Train a ranker end to end and say how it does on the bundled cases."""
    read = read_params(params)
    cases, table, best = data / "cases.jsonl", data / "features", model.with_name("best_params.json")
    write_table(data, list(read_cases(cases)), table, scheduler)
    find_trees(cases, table, best, read, storage, scheduler)
    train_candidate(cases, table, best, model, read, scheduler)
    print(json.dumps(validate_model(model), indent=1))


if __name__ == "__main__":
    at_the_edge("train_ranker", lambda: typer.run(main))
