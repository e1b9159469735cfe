"""The Optuna study that looks for the trees' parameters. The one door of Optuna."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from self_heal_engine.dataset import families, read_cases
from self_heal_engine.feature_table import Table, read_table
from self_heal_engine.features import SCHEMA
from self_heal_engine.files import sha256, write_json
from self_heal_engine.parallel import in_parallel
from self_heal_engine.params import Params, Training, Trees, Tuning
from self_heal_engine.registry import Trial, log_study, open_store
from self_heal_engine.training import Fit, folds, macro_mrr, score_fit

STUDY = "self-heal-ranker"

# A range that spans so large a factor is searched on a logarithmic scale.
WIDE = 8.0


def tune(
    table: Path, cases: Path, families: Sequence[str], params: Tuning, training: Training,
    storage: str | None = None, scheduler: str | None = None,
) -> optuna.Study:  # fmt: skip
    """Return the study: every trial is trained without each group of families in turn and scored on that group.

    Trials are asked for in batches of a fixed size and told in order, so that the study is the same on any number of
    processes. After each group the trials of a batch that are worse than the median of those before are pruned.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=study_name(cases, params, training),
        storage=storage,
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=params.seed, n_startup_trials=params.batch),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=params.batch, n_warmup_steps=0),
    )
    if not study.trials:
        study.enqueue_trial({name: getattr(params.start, name) for name in params.space})
    opened = read_table(table, cases)
    groups = folds(opened.family, families, params.folds)
    work = Fit(table, cases, tuple(sorted(families)), (), training, params.start, params.every)
    for size in batches(params.trials - finished(study), params.batch):
        run_batch(study, [study.ask() for _ in range(size)], opened, work, groups, params.space, scheduler)
    return study


def find_trees(
    cases: Path, table: Path, best: Path, params: Params, storage: str | None = None, scheduler: str | None = None
) -> None:
    """Write the best trees' parameters; the study is tracked, a run with a nested one for each trial."""
    learnt = families(read_cases(cases), params.split.test)
    study = tune(table, cases, learnt, params.tune, params.train, storage, scheduler)
    write_json(best, asdict(best_trees(study, params.tune.start)))
    ended = [trial for trial in study.trials if trial.state.is_finished()]
    trials = [Trial(trial.number, trial.params, trial.value, trial.state.name) for trial in ended]
    reached = {"best": study.best_value} if any(trial.state == "COMPLETE" for trial in trials) else {}
    said = asdict(params.tune) | {"train": asdict(params.train)}
    log_study(open_store(Path()), "tuning", "study", said, trials, reached, [best])


def study_name(cases: Path, params: Tuning, training: Training) -> str:
    """Return a name that only a study of the same cases, features and parameters has; how many trials may differ."""
    said = (sha256(cases.read_bytes()), SCHEMA, replace(params, trials=0), training)
    return f"{STUDY}-{sha256(repr(said))[:12]}"


def finished(study: optuna.Study) -> int:
    """Return how many trials of a stored study came to an end; one that was interrupted did not."""
    return sum(trial.state.is_finished() for trial in study.trials)


def batches(trials: int, size: int) -> Iterator[int]:
    """Yield how many trials are asked for together.

    >>> list(batches(10, 4))
    [4, 4, 2]
    """
    for start in range(0, trials, size):
        yield min(size, trials - start)


def run_batch(
    study: optuna.Study, trials: Sequence[optuna.Trial], table: Table, work: Fit, groups: Sequence[Sequence[str]],
    space: Mapping[str, tuple[float, float]], scheduler: str | None,
) -> None:  # fmt: skip
    """Train and score the trials of a batch, group by group, and tell the study in the order in which it was asked."""
    running = {trial: suggested(trial, work.trees, space) for trial in trials}
    reached: dict[optuna.Trial, list[float]] = {trial: [] for trial in trials}
    for step, group in enumerate(groups):
        rest = tuple(sorted(set(work.families) - set(group)))
        works = [replace(work, families=rest, scored=tuple(group), trees=trees) for trees in running.values()]
        for trial, (scored, found) in zip(list(running), in_parallel(score_fit, works, scheduler), strict=True):
            margins = np.full(len(table.case), np.nan, dtype=np.float32)
            margins[scored] = found
            reached[trial].append(macro_mrr(table, margins))
            trial.report(float(np.mean(reached[trial])), step)
        pruned = [trial for trial in running if step < len(groups) - 1 and trial.should_prune()]
        running = {trial: trees for trial, trees in running.items() if trial not in pruned}
    for trial in trials:
        if trial in running:
            study.tell(trial, float(np.mean(reached[trial])))
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)


def suggested(trial: optuna.Trial, start: Trees, space: Mapping[str, tuple[float, float]]) -> Trees:
    """Return a value for each parameter of the space: whole where it must be, on a wide range logarithmic."""
    found: dict[str, Any] = {
        name: trial.suggest_int(name, int(low), int(high))
        if isinstance(getattr(start, name), int)
        else trial.suggest_float(name, low, high, log=high / low >= WIDE)
        for name, (low, high) in space.items()
    }
    return replace(start, **found)


def best_trees(study: optuna.Study, start: Trees) -> Trees:
    """Return the best trial's parameters; ``start`` if no trial came to its end."""
    done = [trial for trial in study.trials if trial.state is optuna.trial.TrialState.COMPLETE]
    return replace(start, **study.best_params) if done else start
