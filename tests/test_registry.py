"""The registry: what goes in comes out byte for byte, once, and by the names it was given."""

import json
import time

import pytest

from self_heal_engine import registry
from self_heal_engine.errors import CannotHeal
from self_heal_engine.registry import Trial

ONE, OTHER = b'{"learner": {"a": "\xc3\xa9"}}\r\n', b'{"learner": {"a": 2}}'


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of the module's own: making the tables takes seconds."""
    return registry.open_store(tmp_path_factory.mktemp("project"), env={})


@pytest.fixture
def put(store, tmp_path):
    """Write some bytes as a model file and register it."""

    def registered(raw, tags=None):
        (tmp_path / "some.json").write_bytes(raw)
        return registry.register(store, tmp_path / "some.json", [], tags or {})

    return registered


def test_the_same_file_is_registered_once(store, put):
    one, other, again = put(ONE, {"why": "first"}), put(OTHER), put(ONE, {"why": "second"})
    assert again.number == one.number != other.number
    assert again.tags["why"] == "first"
    assert len(registry.versions(store)) == 2


def test_a_registered_model_comes_back_byte_for_byte_by_alias_and_by_number(store, put, tmp_path):
    one, other = put(ONE), put(OTHER)
    registry.set_alias(store, "champion", one)
    registry.export(store, "champion", tmp_path / "new" / "one.json")
    registry.export(store, str(other.number), tmp_path / "other.json")
    assert (tmp_path / "new" / "one.json").read_bytes() == ONE
    assert (tmp_path / "other.json").read_bytes() == OTHER
    registry.set_alias(store, "champion", other)
    assert registry.alias(store, "champion").number == other.number
    registry.set_alias(store, "champion", None)
    assert registry.alias(store, "champion") is None


def test_an_unknown_alias_is_refused_with_those_there_are(store, put, tmp_path):
    registry.set_alias(store, "champion", put(ONE))
    with pytest.raises(CannotHeal, match="unknown_alias") as refusal:
        registry.export(store, "chmpion", tmp_path / "out.json")
    assert "'chmpion'" in refusal.value.sentence
    assert "1 champion" in refusal.value.sentence
    assert not (tmp_path / "out.json").exists()


def test_asking_an_empty_registry_creates_nothing(tmp_path):
    empty = registry.open_store(tmp_path, env={})
    with pytest.raises(CannotHeal, match="unknown_alias") as refusal:
        registry.resolve(empty, "champion")
    assert "nothing is registered yet" in refusal.value.sentence
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_in_the_store_is_not_handed_out(store, put, tmp_path):
    version = put(b'{"learner": "tampered"}')
    (kept,) = (path for path in tmp_path.parent.rglob("ranker.json") if version.run in path.parts)
    kept.write_bytes(b"{}")
    with pytest.raises(CannotHeal, match="lost_artifact") as refusal:
        registry.export(store, str(version.number), tmp_path / "out.json")
    assert f"version {version.number}" in refusal.value.sentence
    assert not (tmp_path / "out.json").exists()


def test_a_study_is_one_run_with_a_nested_run_for_each_trial_within_seconds(store, tmp_path):
    trials = [Trial(at, {"max_depth": at, "eta": 0.1}, at / 64, "COMPLETE") for at in range(58)]
    trials += [Trial(58, {"max_depth": 1}, 0.1, "PRUNED"), Trial(59, {"max_depth": 1}, None, "FAIL")]
    began = time.perf_counter()
    parent = registry.log_study(store, "tuning", "tune", {"seed": 1}, trials, {"best": {"similo++": 0.9}})
    assert time.perf_counter() - began < 20
    with registry.client(store) as mlflow:
        where = mlflow.get_run(parent).info.experiment_id
        runs = mlflow.search_runs([where], f"tags.mlflow.parentRunId = '{parent}'", max_results=100)
        outer = mlflow.get_run(parent)
    assert len(runs) == 60
    assert outer.data.metrics == {"best/similo_plus_plus": 0.9}
    assert {run.data.tags["state"]: run.info.status for run in runs} == {
        "COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED",
    }  # fmt: skip
    (last,) = (run for run in runs if run.info.run_name == "trial 057")
    assert (last.data.params, last.data.metrics) == ({"max_depth": "57", "eta": "0.1"}, {"value": 57 / 64})


def test_a_run_takes_more_numbers_than_mlflow_takes_at_once(store, tmp_path):
    (tmp_path / "note.json").write_text("{}")
    metrics = {f"family {at}": {"value": at / 7, "text": "no number", "right": True} for at in range(1_100)}
    params = {"grid": {f"p{at}": at for at in range(150)}}
    run = registry.tracked(store, "evaluation", "evaluate", params, metrics, [tmp_path / "note.json"], {"side": "test"})
    with registry.client(store) as mlflow:
        found = mlflow.get_run(run)
        files = [file.path for file in mlflow.list_artifacts(run)]
    assert len(found.data.metrics) == 1_100
    assert found.data.metrics["family 1099/value"] == pytest.approx(157)
    assert (len(found.data.params), found.data.tags["side"], files) == (150, "test", ["note.json"])


def test_the_environment_names_another_store(tmp_path):
    assert registry.open_store(tmp_path, {"MLFLOW_TRACKING_URI": "http://tracking:5000"}).uri == "http://tracking:5000"
    own = registry.open_store(tmp_path, {"MLFLOW_TRACKING_URI": ""})
    assert own.uri.endswith("/mlflow.db")
    assert own.uri.startswith("sqlite:///")


def test_a_store_that_cannot_be_used_is_said_in_a_sentence(tmp_path):
    with pytest.raises(CannotHeal, match="no_registry") as refusal:
        registry.tracked(registry.Store("nonsense://x", None), "e", "n", {}, {})
    assert "'nonsense://x'" in refusal.value.sentence


def test_names_that_mlflow_refuses_are_spelt_in_ones_it_takes():
    said = dict(registry.leaves(json.loads('{"hit@1": {"similo++": {"vue.js (2)": 1}}, "é": 2}')))
    assert said == {"hit_at_1/similo_plus_plus/vue.js _2_": 1, "_": 2}
