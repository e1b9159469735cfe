"""Training end to end: features, study, ranker and decision, as the DVC stages do it or in one go.

``python -m self_heal_engine.train_ranker`` needs the cases that ``dvc repro cases`` makes, and no DVC.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from self_heal_engine.bundled import validate_model as validate_model
from self_heal_engine.dataset import families, read_cases
from self_heal_engine.errors import at_the_edge
from self_heal_engine.evidence import write_evidence
from self_heal_engine.feature_table import write_table
from self_heal_engine.files import read_text, sha256, write_json
from self_heal_engine.params import Params, Trees, read_params
from self_heal_engine.ranking import save_ranker
from self_heal_engine.registry import Trial, log_study, open_store, tracked
from self_heal_engine.training import summary, train
from self_heal_engine.tuning import best_trees, tune
from self_heal_engine.validation import from_json


def find_trees(
    cases: Path, table: Path, best: Path, params: Params, storage: str | None = None, scheduler: str | None = None
) -> None:
    """Write the best trees' parameters; the study is tracked, a run with a nested one for each trial."""
    learnt = families(read_cases(cases), params.split.test)
    study = tune(table, cases, learnt, params.tune, params.train, storage, scheduler)
    write_json(best, asdict(best_trees(study, params.tune.start)))
    trials = [Trial(trial.number, trial.params, trial.value, trial.state.name) for trial in study.trials]
    reached = {"best": study.best_value} if any(trial.state == "COMPLETE" for trial in trials) else {}
    said = asdict(params.tune) | {"train": asdict(params.train)}
    log_study(open_store(Path()), "tuning", "study", said, trials, reached, [best])


def read_trees(best: Path) -> Trees:
    """Return the parameters that a study found."""
    return from_json(Trees, read_text(best), "bad_params", str(best))


def train_candidate(
    cases: Path, table: Path, best: Path, model: Path, params: Params, scheduler: str | None = None
) -> None:
    """Write the model and, beside it, what it says of families that it was not trained on; the run is tracked."""
    trees, learnt = read_trees(best), families(read_cases(cases), params.split.test)
    trained = train(table, cases, learnt, params.train, trees, params.decision, scheduler)
    said = {"trees": asdict(trees), "train": asdict(params.train), "decision": asdict(params.decision)}
    provenance = {"cases_sha256": sha256(cases.read_bytes()), "families": list(learnt), "params": said}
    save_ranker(trained.booster, trained.decision, "ranker", model, provenance)
    write_evidence(trained.out_of_fold, model, model.with_suffix(".oof.parquet"))
    tracked(open_store(Path()), "training", "train", said, summary(trained.out_of_fold), [model])


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
