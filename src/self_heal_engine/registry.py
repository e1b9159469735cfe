"""Runs and registered models: what was tried, what was promoted, and how to get it back. The one door of MLflow."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import sha256, write_bytes

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

# The one registered model. Its versions are found by this tag, never as "the latest".
MODEL = "self-heal-ranker"
CONTENT = "content_sha256"

# What a version's folder of artifacts may hold; the first is the model, and the only one that must be there.
RANKER, EVIDENCE, CARD = "ranker.json", "ranker.oof.parquet", "MODEL_CARD.md"

# MLflow takes no more at once, and no longer values.
MOST_PARAMS, MOST_METRICS, MOST_TAG, MOST_PARAM = 100, 1_000, 5_000, 6_000

# How a trial of Optuna ended, in MLflow's words.
ENDED = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}


@dataclass(frozen=True, slots=True)
class Store:
    """Where runs and models are kept; ``artifacts`` None: the server decides where files go."""

    uri: str
    artifacts: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of a study: what was tried, what it reached (None: nothing), and how it ended in Optuna's words."""

    number: int
    params: Mapping[str, object]
    value: float | None
    state: str


@dataclass(frozen=True, slots=True)
class Version:
    """One registered model: its number, the hash of its file, the run with its files, and the aliases it has."""

    number: int
    sha256: str
    run: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]


def open_store(root: Path, env: Mapping[str, str] = os.environ) -> Store:
    """Return the store that ``MLFLOW_TRACKING_URI`` names, else the project's own: a file and a folder at its root."""
    if uri := env.get("MLFLOW_TRACKING_URI"):
        return Store(uri, None)
    home = root.resolve()
    return Store(f"sqlite:///{(home / 'mlflow.db').as_posix()}", (home / "mlartifacts").as_uri())


@contextmanager
def client(store: Store) -> Iterator[MlflowClient]:
    """Yield MLflow's client; what MLflow refuses in the block is CannotHeal ``no_registry``, with its words."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # its 7 take minutes to say that no server is there
    from mlflow import MlflowClient  # the workbench's; seconds to import
    from mlflow.exceptions import MlflowException

    for noisy in ("mlflow", "alembic"):  # they report every table that they create
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        yield MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
    except MlflowException as error:
        first = str(error).strip().partition("\n")[0]
        raise CannotHeal("no_registry", f"MLflow at {quoted(store.uri)} refuses: {first}") from error


# -- runs ----------------------------------------------------------------------------------------------------------


def tracked(
    store: Store,
    experiment: str,
    name: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, Any],
    artifacts: Sequence[Path] = (),
    tags: Mapping[str, str] | None = None,
    parent: str | None = None,
) -> str:
    """Log one finished run and return its id; of nested metrics every number, of nested parameters every value."""
    with client(store) as mlflow:
        run = started(mlflow, store, experiment, name, {**(tags or {}), **nested(parent)})
        log(mlflow, run, params, metrics)
        for path in artifacts:
            mlflow.log_artifact(run, str(path))
        mlflow.set_terminated(run, "FINISHED")
    return run


def log_study(
    store: Store,
    experiment: str,
    name: str,
    params: Mapping[str, Any],
    trials: Sequence[Trial],
    metrics: Mapping[str, Any],
    artifacts: Sequence[Path] = (),
    tags: Mapping[str, str] | None = None,
) -> str:
    """Log a study as one run with a nested run for each trial, and return the id of the outer one."""
    parent = tracked(store, experiment, name, params, metrics, artifacts, tags)
    with client(store) as mlflow:
        for trial in trials:
            labels = {"state": trial.state, **nested(parent)}
            run = started(mlflow, store, experiment, f"trial {trial.number:03}", labels)
            log(mlflow, run, trial.params, {} if trial.value is None else {"value": trial.value})
            mlflow.set_terminated(run, ENDED[trial.state])
    return parent


def started(mlflow: MlflowClient, store: Store, experiment: str, name: str, tags: Mapping[str, str]) -> str:
    """Return the id of a new run; its experiment is made if it is new."""
    known = mlflow.get_experiment_by_name(experiment)
    where = known.experiment_id if known else mlflow.create_experiment(experiment, artifact_location=store.artifacts)
    run = mlflow.create_run(where, tags={key: value[:MOST_TAG] for key, value in tags.items()}, run_name=name)
    return str(run.info.run_id)


def nested(parent: str | None) -> dict[str, str]:
    """Return the tag by which MLflow shows a run inside another."""
    return {} if parent is None else {"mlflow.parentRunId": parent}


def log(mlflow: MlflowClient, run: str, params: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """Log the leaves of both mappings, as many at once as MLflow takes."""
    from mlflow.entities import Metric, Param

    said = [Param(key, str(value)[:MOST_PARAM]) for key, value in leaves(params)]
    numbers = [
        Metric(key, float(value), 0, 0)
        for key, value in leaves(metrics)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    for at in range(0, len(said), MOST_PARAMS):
        mlflow.log_batch(run, params=said[at : at + MOST_PARAMS])
    for at in range(0, len(numbers), MOST_METRICS):
        mlflow.log_batch(run, metrics=numbers[at : at + MOST_METRICS])


def leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested mappings, named by the way to them in characters that MLflow takes.

    >>> list(leaves({"hit@1": {"similo++": {"value": 0.9, "n": 7}}}))
    [('hit_at_1/similo_plus_plus/value', 0.9), ('hit_at_1/similo_plus_plus/n', 7)]
    """
    for key, value in values.items():
        plain = str(key).replace("+", "_plus").replace("@", "_at_")
        name = above + re.sub(r"[^\w\-. ]", "_", plain, flags=re.ASCII)
        if isinstance(value, Mapping):
            yield from leaves(value, f"{name}/")
        else:
            yield name, value


# -- models --------------------------------------------------------------------------------------------------------


def register(store: Store, ranker: Path, others: Sequence[Path], tags: Mapping[str, str]) -> Version:
    """Return the version with this model file; it is made, with the other files beside it, unless there is one."""
    content = sha256(ranker.read_bytes())
    if known := find(store, content):
        return known
    with client(store) as mlflow, tempfile.TemporaryDirectory() as folder:
        run = started(mlflow, store, MODEL, f"register {content[:8]}", {CONTENT: content, **tags})
        mlflow.log_artifact(run, str(shutil.copyfile(ranker, Path(folder, RANKER))))
        for path in others:
            mlflow.log_artifact(run, str(path))
        mlflow.set_terminated(run, "FINISHED")
        if not mlflow.search_registered_models(filter_string=f"name='{MODEL}'"):
            mlflow.create_registered_model(MODEL)
        source = f"{mlflow.get_run(run).info.artifact_uri}/{RANKER}"
        made = mlflow.create_model_version(MODEL, source, run, tags={CONTENT: content, **short(tags)})
    return described(made)


def find(store: Store, content: str) -> Version | None:
    """Return the version whose model file has this hash; None if it was never registered."""
    return next((version for version in versions(store) if version.sha256 == content), None)


def versions(store: Store) -> list[Version]:
    """Return every registered version, the first one first."""
    if not made(store):
        return []
    with client(store) as mlflow:
        # A search does not say which aliases the versions have; the model does.
        models = mlflow.search_registered_models(filter_string=f"name='{MODEL}'")
        found = mlflow.search_model_versions(f"name='{MODEL}'", max_results=10_000)
    aliases = {name: int(number) for model in models for name, number in model.aliases.items()}
    return sorted((described(version, aliases) for version in found), key=lambda version: version.number)


def described(version: ModelVersion, aliases: Mapping[str, int] | None = None) -> Version:
    """Return MLflow's record as ours."""
    number = int(version.version)
    names = tuple(sorted(name for name, of in (aliases or {}).items() if of == number))
    return Version(number, version.tags.get(CONTENT, ""), str(version.run_id), names, dict(version.tags))


def made(store: Store) -> bool:
    """Return whether there can be anything in the store: to ask is no reason to create it."""
    path = store.uri.removeprefix("sqlite:///")
    return path == store.uri or Path(path).exists()


def alias(store: Store, name: str) -> Version | None:
    """Return the version that has an alias, such as ``champion``; None if none has."""
    return next((version for version in versions(store) if name in version.aliases), None)


def resolve(store: Store, name: str) -> Version:
    """Return the version with this alias or number; CannotHeal ``unknown_alias`` says which there are."""
    known = versions(store)
    for version in known:
        if name in (*version.aliases, str(version.number)):
            return version
    words = [f"{' '.join([str(version.number), *version.aliases])}" for version in known]
    said = "there are: " + ", ".join(words) if words else "nothing is registered yet, which `self-heal promote` does"
    raise CannotHeal("unknown_alias", f"no registered model is called {quoted(name)}; {said}")


def set_alias(store: Store, name: str, version: Version | None) -> None:
    """Give an alias to a version, and take it from the one that has it; to none: only take it."""
    with client(store) as mlflow:
        if version is None:
            mlflow.delete_registered_model_alias(MODEL, name)
        else:
            mlflow.set_registered_model_alias(MODEL, name, str(version.number))


def attach(store: Store, version: Version, path: Path) -> None:
    """Put one more file beside a version's model, in place of one so called."""
    with client(store) as mlflow:
        mlflow.log_artifact(version.run, str(path))


def label(store: Store, version: Version, tags: Mapping[str, str]) -> None:
    """Put tags on a version, in place of those so called."""
    with client(store) as mlflow:
        for key, value in short(tags).items():
            mlflow.set_model_version_tag(MODEL, str(version.number), key, value)


def short(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags as MLflow takes them."""
    return {key: value[:MOST_TAG] for key, value in tags.items()}


def fetch(store: Store, version: Version, folder: Path) -> Path:
    """Write a version's files into a folder and return it; CannotHeal ``lost_artifact`` if the model is not there.

    The model is compared with the hash that it was registered by: what is handed out is what was handed in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with client(store) as mlflow:
        for file in mlflow.list_artifacts(version.run):
            mlflow.download_artifacts(version.run, file.path, str(folder))
    ranker = folder / RANKER
    if not ranker.exists() or sha256(ranker.read_bytes()) != version.sha256:
        raise CannotHeal(
            "lost_artifact",
            f"the file of version {version.number} is not what was registered, or no longer there: "
            "was the project or its mlartifacts moved?",
        )
    return folder


def export(store: Store, name: str, path: Path) -> Version:
    """Write the one JSON of a registered model, by alias or number, byte for byte as it was; return its version."""
    version = resolve(store, name)
    with tempfile.TemporaryDirectory() as folder:
        write_bytes(path, (fetch(store, version, Path(folder)) / RANKER).read_bytes())
    return version
