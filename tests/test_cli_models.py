"""The commands about models, in a folder where nothing was ever promoted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_files import write_data, write_model
from self_heal_engine import registry
from self_heal_engine.cli import app
from self_heal_engine.errors import CannotHeal
from test_promotion import ON_DISK
from workspace import write_pages

PARAMS = Path(__file__).parent.parent / "params.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def run(*args):
    """Return what a command printed, or raise as the command does."""
    result = CliRunner().invoke(app, [*map(str, args)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["promote", "--override", "natural"], "bad_override"),
        (["promote", "--why", "because"], "bad_override"),
        (["rollback"], "no_previous"),
        (["export", "champion"], "unknown_alias"),
        (["compare", "similo", "voting", "--params", PARAMS], "unreadable_file"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(folder, args, word):
    with pytest.raises(CannotHeal, match=word):
        run(*args)
    assert list(folder.iterdir()) == []


def test_a_comparison_prints_its_table_and_is_tracked(folder):
    write_pages(folder / "data")
    write_data(folder / "data", [replace(case, family="django") for case in ON_DISK])
    # A whole path: the processes that work were started in another folder, by another test.
    said = run("compare", "similo", "voting", "--sample", 40, "--params", PARAMS, "--data", folder / "data")
    assert "A similo beside B voting on 40 cases" in said
    assert "McNemar p" in said
    with registry.client(registry.open_store(folder)) as mlflow:
        experiment = mlflow.get_experiment_by_name("comparison")
        (run_,) = mlflow.search_runs([experiment.experiment_id])
    assert run_.data.params["cases"] == "40"


def test_an_exported_model_goes_where_it_is_asked_to(folder):
    ranker = write_model(folder / "m.json")
    store = registry.open_store(folder)
    registry.set_alias(store, "champion", registry.register(store, ranker, [], {}))
    assert "version 1" in run("export", "champion", "--out", "there/model.json")
    run("export", "1")
    for written in ("there/model.json", "1.json"):
        assert (folder / written).read_bytes() == ranker.read_bytes()
    assert json.loads(ranker.read_bytes())["learner"]


def test_without_the_workbench_the_commands_say_what_to_install(monkeypatch):
    monkeypatch.setattr("self_heal_engine.cli_models.find_spec", lambda name: None)
    with pytest.raises(CannotHeal, match="no_workbench") as refusal:
        run("rollback")
    assert "self-heal-engine[workbench]" in refusal.value.sentence
