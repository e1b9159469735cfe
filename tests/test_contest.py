"""Any two rankers, side by side, on the same cases."""

from dataclasses import replace

import pytest

from model_files import write_model
from self_heal_engine import registry
from self_heal_engine.contest import chosen, contest, ranker_named, told, track
from self_heal_engine.errors import CannotHeal
from self_heal_engine.params import Split
from test_dataset import CASE
from test_promotion import ON_DISK
from workspace import write_pages

SPLIT = Split(test=("family0", "family1"), validation="family2")


def test_two_published_rankers_are_compared_pair_by_pair_and_tracked(tmp_path):
    write_pages(tmp_path)
    cases = chosen(ON_DISK, "test", SPLIT, None)
    store = registry.open_store(tmp_path, env={})
    found = contest("similo", "voting", cases, tmp_path, store)
    assert (found["cases"], found["gone"], found["against"]["n"]) == (60, 20, 40)
    assert found["against"]["win"] + found["against"]["tie"] + found["against"]["loss"] == 40
    said = told("similo", "voting", found)
    assert said.startswith("A similo beside B voting on 60 cases, in 20 of which the element is gone\n")
    assert "right element first, n 40: A won 0, tied 40, lost 0 (McNemar p 1.0000)" in said
    assert "| hit at 1 | 1.0000 [" in said

    run = track(store, "similo", "voting", "test", found)
    with registry.client(store) as mlflow:
        logged = mlflow.get_run(run).data
    assert logged.params["A"] == "similo"
    assert logged.metrics["against/headline_p"] == 1.0

    version = registry.register(store, write_model(tmp_path / "m.json"), [], {})
    registry.set_alias(store, "champion", version)
    exported = ranker_named("champion", store, tmp_path / "out")
    assert registry.sha256((tmp_path / "out" / "ranker.json").read_bytes()) == version.sha256
    assert exported.endswith("ranker.json")


def test_a_ranker_that_is_nowhere_is_refused_with_what_there_is(tmp_path):
    with pytest.raises(CannotHeal, match="unknown_ranker") as refusal:
        contest("similoo", "similo", [CASE], tmp_path, registry.open_store(tmp_path, env={}))
    assert "'similoo' is none of weighted, similo" in refusal.value.sentence
    assert "nothing is registered yet" in refusal.value.sentence


def test_a_model_file_that_cannot_be_loaded_is_refused_before_any_work(tmp_path):
    store = registry.open_store(tmp_path, env={})
    (tmp_path / "bad.json").write_text("{}")
    for name, word in (("nothing.json", "no_model"), ("bad.json", "bad_model")):
        with pytest.raises(CannotHeal, match=word) as refusal:
            contest("similo", str(tmp_path / name), [CASE], tmp_path, store)
        assert name in refusal.value.sentence


def test_a_sample_is_spread_evenly_over_one_side():
    assert len(chosen(ON_DISK, "all", SPLIT, None)) == 240
    assert {case.family for case in chosen(ON_DISK, "validation", SPLIT, None)} == {"family2"}
    assert {case.difficulty for case in chosen(ON_DISK, "train", SPLIT, 3)} == {"natural", "masked-1", "deleted"}
    assert len(chosen(ON_DISK, "test", SPLIT, 1_000)) == 60
    assert chosen([*ON_DISK, replace(CASE, rule="confirmed", id="c")], "all", SPLIT, None) == ON_DISK


@pytest.mark.parametrize(
    ("cases", "side", "word"), [(ON_DISK, "tests", "unknown_side"), (ON_DISK[:0], "test", "no_case")]
)
def test_a_side_without_cases_is_refused(cases, side, word):
    with pytest.raises(CannotHeal, match=word):
        chosen(cases, side, SPLIT, None)
