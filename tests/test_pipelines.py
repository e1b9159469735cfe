"""The stages: what they depend on, what they refuse, and that the same inputs give the same bytes."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from conftest import require
from library_imports import ROOT, modules_behind
from self_heal_engine.baselines import BASELINES
from self_heal_engine.cases import jobs
from self_heal_engine.dataset import read_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.files import sha256
from self_heal_engine.params import read_params
from self_heal_engine.ranking import load_ranker
from self_heal_engine.registry import client, open_store

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def dvc(*arguments, folder=ROOT):
    command = [sys.executable, "-m", "dvc", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stage(name, *arguments, folder):
    command = [sys.executable, ROOT / "pipelines" / f"{name}.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_just_the_library_modules_it_runs_through(name):
    named = {path for path in STAGES[name]["deps"] if path.startswith("src/")}
    assert named == modules_behind(ROOT / "pipelines" / f"{name}.py")
    assert f"pipelines/{name}.py" in STAGES[name]["deps"]


def test_every_parameter_is_read_by_the_stage_that_names_it_and_the_gates_by_promote():
    asked = {name for stage in STAGES.values() for name in stage.get("params", ())}
    assert asked | {"gates"} == set(yaml.safe_load((ROOT / "params.yaml").read_text("utf-8")))


def test_the_pipeline_stands_as_it_was_locked():
    said = dvc("repro", "--dry", "--allow-missing")
    assert "Running stage" not in said, said


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seed: 1", "sead: 1", "label.sead"),
        ("natural: 2", "natural: many", "natural"),
        ("  validation: govuk", "", "validation"),
        ("split:", "split: [", "not YAML"),
        ("workers: 3", "workers: 3\n  extra: 1", "extra"),
        ("workers: 3", "workers: 0", "workers"),
        ("knowledge: { locator", "knowledge: { locater", "locater"),
        ('masks: { "1"', 'masks: { "9"', "masks"),
        ("seed: 1", "seed: 2024-05-17", "label.seed"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(tmp_path, old, new, named):
    text = (ROOT / "params.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "params.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(CannotHeal, match="bad_params") as refusal:
        read_params(tmp_path / "params.yaml")
    assert named in refusal.value.sentence


def test_a_rate_of_no_operator_is_refused(tmp_path):
    params = read_params(ROOT / "params.yaml").cases
    with pytest.raises(CannotHeal, match="bad_params") as refusal:
        jobs(tmp_path, [], replace(params, rates={**params.rates, "1": {"movd": 0.5}}))
    assert "'movd'" in refusal.value.sentence


def test_a_stage_with_bad_input_ends_in_one_sentence(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "pairs.jsonl").write_text('{"id": "a')
    done = stage("cases", "pairs.jsonl", "training.jsonl", "cases.jsonl", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("cases: bad_pair: line 1 of 'pairs.jsonl'")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "cases.jsonl").exists()


# -- the small workspace -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A copy of the small workspace, which is made by the same command as everyone's."""
    require("npm")
    if sys.version_info[:2] != (3, 11):
        require("python3.11")
    with (ROOT / ".cache" / "small.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one test process at a time makes it
        done = subprocess.run(
            [sys.executable, "pipelines/small.py", ".cache/small"],
            cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return copied(ROOT / ".cache" / "small", tmp_path_factory.mktemp("small") / "workspace")


def copied(folder, target, *left_out):
    """Copy a workspace; the packages stay a link."""
    shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns(*left_out))
    return target


def test_the_small_workspace_has_cases_of_three_sources(small):
    cases = list(read_cases(small / "data" / "cases.jsonl"))
    assert len({case.source for case in cases}) == 3
    assert len(cases) > 200
    for name in ("summary.json", "README.md", "cases.svg", "sources.svg"):
        assert (small / "reports" / "data" / name).stat().st_size > 100


def test_a_second_repro_does_nothing(small):
    before = (small / "dvc.lock").read_bytes()
    assert "Data and pipelines are up to date." in dvc("repro", folder=small)
    assert (small / "dvc.lock").read_bytes() == before


def test_a_candidate_is_trained_and_evaluated_on_families_it_has_not_seen(small):
    model, metrics = (
        load_ranker(small / "models" / "candidate.json"),
        json.loads((small / "reports/evaluation/metrics.json").read_text()),
    )
    assert model.provenance["families"] == ["spectre", "startbootstrap"]
    assert model.provenance["cases_sha256"] == sha256((small / "data" / "cases.jsonl").read_bytes())
    assert metrics["cases"]["families"] == ["flask-admin"]
    assert metrics["model_sha256"] == sha256((small / "models" / "candidate.json").read_bytes())
    assert set(metrics["rankers"]) == {"ours", "weighted", "models/baseline.json", *BASELINES}
    assert metrics["rankers"]["ours"]["hit_at_1"]["value"] > 0.6
    for name in (
        "README.md",
        "lost-cases.html",
        "difficulty.svg",
        "families.svg",
        "reliability.svg",
        "false-heals.svg",
    ):
        assert (small / "reports" / "evaluation" / name).stat().st_size > 100


def test_every_trial_of_the_study_is_a_run_in_mlflow(small):
    store = open_store(small, {})
    with client(store) as mlflow:
        (tuning,) = (each for each in mlflow.search_experiments() if each.name == "tuning")
        runs = mlflow.search_runs([tuning.experiment_id])
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    trials = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(trials) == 3
    assert parent.data.metrics["best"] == max(
        run.data.metrics["value"] for run in trials if run.info.status == "FINISHED"
    )


def test_another_parameter_makes_again_only_what_depends_on_it(small, tmp_path):
    copy = copied(small, tmp_path / "copy")
    params = copy / "params.yaml"
    params.write_text(params.read_text().replace("false_heal_budget: 0.05", "false_heal_budget: 0.2", 1))
    said = dvc("repro", "--dry", folder=copy)
    assert "Running stage 'train'" in said
    assert "Running stage 'tune'" not in said


def test_made_again_from_nothing_cases_and_candidate_are_the_same_to_the_bit(small, tmp_path):
    made = (
        "pages",
        "edited",
        "features",
        "*.jsonl",
        "dvc.lock",
        ".dvc",
        "reports",
        "candidate.*",
        "best_params.json",
        "mlflow.db",
        "mlartifacts",
    )
    fresh = copied(small, tmp_path / "fresh", *made)
    for name in ("judgements.jsonl", "training.jsonl"):
        shutil.copy(small / "data" / name, fresh / "data" / name)
    dvc("init", "--quiet", "--no-scm", folder=fresh)
    dvc("repro", "--quiet", folder=fresh)
    assert (fresh / "dvc.lock").read_text() == (small / "dvc.lock").read_text()


def test_the_data_goes_to_a_remote_and_comes_back(small, tmp_path):
    copy = copied(small, tmp_path / "copy")
    dvc("remote", "add", "--default", "folder", tmp_path / "remote", folder=copy)
    dvc("push", "--quiet", folder=copy)
    before = (copy / "data" / "cases.jsonl").read_bytes()
    for name in (".dvc/cache", "data/pages", "data/edited"):
        shutil.rmtree(copy / name)
    (copy / "data" / "cases.jsonl").unlink()
    dvc("pull", "--quiet", folder=copy)
    assert (copy / "data" / "cases.jsonl").read_bytes() == before
    assert "Data and pipelines are up to date." in dvc("status", folder=copy)
