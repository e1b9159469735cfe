"""Training: folds by family, trees on the hardest rivals, and a decision that keeps to its budget on families unseen."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from library_imports import ROOT
from self_heal_engine import train_ranker
from self_heal_engine.cases import jobs, make_cases
from self_heal_engine.dataset import write_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.evidence import read_evidence
from self_heal_engine.feature_table import read_table, write_table
from self_heal_engine.features import FEATURE_NAMES
from self_heal_engine.outcomes import outcomes
from self_heal_engine.pairs import label, page_pairs, settle
from self_heal_engine.params import Deciding, Training, Trees, Tuning
from self_heal_engine.ranking import BOUNDS, load_ranker, save_ranker, sigmoid
from self_heal_engine.training import (
    Fit,
    fit_decision,
    fit_ranker,
    folds,
    leave_one_out,
    margins_out_of_fold,
    platt,
    prior_weights,
    threshold_for,
    train,
)
from self_heal_engine.tuning import batches, best_trees, tune
from test_pairs import SHOP
from workspace import CASES, LABEL, write_pages

TREES = Trees(eta=0.3, max_depth=3, min_child_weight=1.0, subsample=0.9, colsample_bytree=0.5, reg_lambda=1.0)
RANKING = Training(seed=1, objective="binary:logistic", negatives=8, rounds=20, folds=3)
DECIDING = Deciding(
    false_heal_budget=0.1, gone_prior=0.25, seed=1, rounds=20, eta=0.1, max_depth=3, min_child_weight=1.0
)
TUNING = Tuning(
    seed=1, trials=5, batch=2, folds=2, every=1, start=TREES, space={"eta": (0.05, 0.5), "max_depth": (2, 4)}
)
SITES = ("market", "shop", "store")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three sites of one page each in two releases, with their cases and feature table."""
    folder = tmp_path_factory.mktemp("data")
    for site in SITES:
        write_pages(folder, site)
    sources = [replace(SHOP, name=site, family=site) for site in SITES]
    found = [pair for where in page_pairs(folder / "pages", sources) for pair in label(folder / "pages", where)]
    pairs = settle(found, [], LABEL)
    cases = [case for job in jobs(folder, pairs, CASES) for case in make_cases(job)]
    write_cases(folder / "cases.jsonl", cases)
    write_table(folder, cases, folder / "features")
    return folder


@pytest.fixture(scope="module")
def table(data):
    return read_table(data / "features", data / "cases.jsonl")


@pytest.fixture(scope="module")
def trained(data):
    return train(data / "features", data / "cases.jsonl", SITES, RANKING, TREES, DECIDING)


# -- the table -----------------------------------------------------------------------------------------------------


def test_the_table_has_every_candidate_of_every_case_with_its_features(data, table):
    assert table.features.shape == (len(table.case), len(FEATURE_NAMES))
    assert sorted(set(table.case.tolist())) == list(range(len(table.cases))) == list(range(len(table.starts) - 1))
    for number, case in enumerate(table.cases):
        part = slice(table.starts[number], table.starts[number + 1])
        right = table.row[part][table.right[part]].tolist()
        assert right in ([], [case.new_row]) if case.new_row is not None else right == []
        assert (
            table.hardness[part].tolist()
            == np.argsort(
                np.argsort(-table.features[part, FEATURE_NAMES.index("weighted")], kind="stable"), kind="stable"
            ).tolist()
        )


def test_a_table_of_other_cases_or_features_is_refused(data, tmp_path):
    write_cases(tmp_path / "cases.jsonl", [])
    with pytest.raises(CannotHeal, match="bad_table"):
        read_table(data / "features", tmp_path / "cases.jsonl")
    import pyarrow.parquet

    part = pyarrow.parquet.read_table(data / "features" / "part-00000.parquet")
    (tmp_path / "features").mkdir()
    for file in (data / "features").glob("*.parquet"):
        pyarrow.parquet.write_table(part.drop_columns(["id_alike"]), tmp_path / "features" / file.name)
    with pytest.raises(CannotHeal, match="bad_table") as refusal:
        read_table(tmp_path / "features", data / "cases.jsonl")
    assert "part-00000.parquet" in refusal.value.sentence


# -- folds ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 50), min_size=2, max_size=12), st.integers(2, 6))
def test_folds_part_no_family_and_leave_none_out(sizes, many):
    families = [f"f{at:02}" for at, size in enumerate(sizes) for _ in range(size)]
    groups = folds(np.array(families), sorted(set(families)), many)
    assert sorted(name for group in groups for name in group) == sorted(set(families))
    assert len(groups) == min(many, len(sizes))
    load = [sum(families.count(name) for name in group) for group in groups]
    assert max(load) - min(load) <= max(sizes), "about as many cases each"


def test_one_family_alone_cannot_be_learnt_from():
    with pytest.raises(CannotHeal, match="too_few_families") as refusal:
        folds(np.array(["shop"]), ["shop"], 3)
    assert "'shop'" in refusal.value.sentence


# -- the ranker ----------------------------------------------------------------------------------------------------


def test_a_ranker_is_trained_on_the_named_families_alone(table):
    alone = fit_ranker(table, ["shop"], RANKING, TREES)
    blind = replace(
        table, features=np.where((table.family == "shop")[table.case][:, None], table.features, np.float32(0))
    )
    assert fit_ranker(blind, ["shop"], RANKING, TREES).save_raw() == alone.save_raw()
    assert fit_ranker(table, ["store"], RANKING, TREES).save_raw() != alone.save_raw()


@pytest.mark.parametrize("objective", ["binary:logistic", "rank:pairwise", "rank:ndcg"])
def test_every_formulation_learns(table, objective):
    booster = fit_ranker(table, SITES, replace(RANKING, objective=objective), TREES)
    margins = booster.inplace_predict(table.features, predict_type="margin")
    hits = [
        bool(table.right[start + int(np.argmax(margins[start:end]))])
        for start, end, gone in zip(table.starts[:-1], table.starts[1:], table.gone, strict=True)
        if not gone
    ]
    assert np.mean(hits) > 0.9


def test_more_of_what_can_only_help_never_lowers_a_score(table):
    booster = fit_ranker(table, SITES, RANKING, TREES)
    figures = table.features[:50].copy()
    before = booster.inplace_predict(figures, predict_type="margin")
    for name, sign in (("text_alike", 1), ("tokens_shared", 1), ("claimed", -1), ("depth_gap", -1)):
        better = figures.copy()
        better[:, FEATURE_NAMES.index(name)] += sign
        assert (booster.inplace_predict(better, predict_type="margin") >= before - 1e-6).all(), name


# -- the decision --------------------------------------------------------------------------------------------------


def test_what_is_said_of_a_family_does_not_hang_on_its_own_answers(data, table):
    groups = [(site,) for site in SITES]
    works = [
        Fit(data / "features", data / "cases.jsonl", tuple({*SITES} - {site}), (site,), RANKING, TREES)
        for site in SITES
    ]
    margins = margins_out_of_fold(works)
    _, before = fit_decision(table, margins, groups, DECIDING)
    shop = table.family[before.found.cases] == "shop"
    other = replace(table, right=table.right & (table.family != "shop")[table.case])
    _, after = fit_decision(other, margins, groups, DECIDING)
    assert not after.found.right[shop].any(), "all its answers were taken away"
    assert (after.confidence[shop] == before.confidence[shop]).all()
    assert (after.healed[shop] == before.healed[shop]).all()
    assert (after.confidence[~shop] != before.confidence[~shop]).any()


def test_the_file_says_what_its_threshold_assumes(trained):
    assert (trained.decision.budget, trained.decision.gone_prior) == (0.1, 0.25)
    assert 0 < trained.decision.threshold < 1
    assert trained.decision.slope > 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_threshold_lets_no_more_of_the_gone_through_than_the_budget(gone, budget):
    threshold = threshold_for(np.array(gone), budget)
    assert (np.array(gone) >= threshold).mean() <= budget or threshold == 1.0


def test_weights_give_the_gone_the_share_that_is_assumed():
    gone = np.array([True] * 30 + [False] * 70)
    weights = prior_weights(gone, 0.1)
    assert weights[gone].sum() / weights.sum() == pytest.approx(0.1)
    assert prior_weights(gone[:30], 0.1).tolist() == [1.0] * 30


def test_a_curve_brings_margins_that_are_too_sure_back_to_how_often_they_are_right():
    chance = np.random.default_rng(1)
    truth = chance.normal(size=20_000)
    right = chance.random(20_000) < sigmoid(truth)
    slope, intercept = platt(truth * 3 + 2, right, np.ones(20_000))
    assert slope == pytest.approx(1 / 3, abs=0.02)
    assert intercept == pytest.approx(-2 / 3, abs=0.06)


@pytest.mark.parametrize("margins", [[-1.0, -0.9, 0.9, 1.0], [1.0, 0.9, -0.9, -1.0]])
def test_a_curve_on_few_cases_stays_within_what_a_model_file_may_hold(margins):
    slope, intercept = platt(np.array(margins) * 1e-3, np.array([False, False, True, True]), np.ones(4))
    assert BOUNDS["slope"][0] <= slope <= BOUNDS["slope"][1]
    assert BOUNDS["intercept"][0] <= intercept <= BOUNDS["intercept"][1]


# -- the whole way -------------------------------------------------------------------------------------------------


def test_trained_again_the_file_is_the_same_to_the_bit_and_serves_what_was_trained(data, trained, tmp_path):
    again = train(data / "features", data / "cases.jsonl", SITES, RANKING, TREES, DECIDING)
    for name, made in (("one", trained), ("two", again)):
        save_ranker(made.booster, made.decision, "ranker", tmp_path / f"{name}.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert again.out_of_fold.equals(trained.out_of_fold)
    cases = list(read_table(data / "features", data / "cases.jsonl").cases)
    (served,) = outcomes(data, cases, [str(tmp_path / "one.json")]).values()
    assert served["place"].eq(1)[~served["gone"]].mean() > 0.9
    model = load_ranker(tmp_path / "one.json")
    assert (model.decision.threshold, model.decision.calibrated) == (trained.decision.threshold, True)


def test_every_family_is_left_out_once(data):
    table = leave_one_out(data / "features", data / "cases.jsonl", RANKING, TREES, DECIDING)
    assert sorted(table["family"].unique()) == list(SITES)
    assert table["id"].is_unique


# -- tuning --------------------------------------------------------------------------------------------------------


def study_of(data, params=TUNING, **options):
    return tune(data / "features", data / "cases.jsonl", SITES, params, RANKING, **options)


def told(study):
    return [(trial.number, trial.params, trial.value, trial.state.name) for trial in study.trials]


def test_a_study_is_the_same_on_any_number_of_processes(data, monkeypatch):
    on_two = study_of(data)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert told(study_of(data)) == told(on_two)
    assert len(on_two.trials) == 5
    first = on_two.trials[0].params
    assert first == {"eta": TREES.eta, "max_depth": TREES.max_depth}, "the first trial is what the hand set"
    assert best_trees(on_two, TREES) == replace(TREES, **on_two.best_params)


def test_a_stored_study_goes_on_where_it_was_left(data, tmp_path):
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    study_of(data, replace(TUNING, trials=2), storage=storage)
    assert len(study_of(data, replace(TUNING, trials=4), storage=storage).trials) == 4
    assert len(optuna.load_study(study_name=None, storage=storage).trials) == 4


def test_without_trials_the_start_is_taken(data):
    assert best_trees(study_of(data, replace(TUNING, trials=0)), TREES) == TREES


@given(st.integers(0, 50), st.integers(1, 9))
def test_batches_have_the_size_that_is_asked_for_but_the_last(trials, size):
    sizes = list(batches(trials, size))
    assert sum(sizes) == trials
    assert all(many == size for many in sizes[:-1])


def test_a_ranker_is_trained_end_to_end_without_dvc(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    params["split"] = {"test": ["store"], "validation": "shop"}
    params["tune"] |= {"trials": 2, "batch": 2, "folds": 2, "every": 1}
    params["train"] |= {"rounds": 20, "folds": 2}
    params["decision"] |= {"rounds": 10}
    Path("params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    copy = shutil.copytree(data, tmp_path / "data", ignore=shutil.ignore_patterns("features"))
    train_ranker.main(copy, tmp_path / "models" / "candidate.json", Path("params.yaml"))
    said = json.loads(capsys.readouterr().out)
    model = load_ranker(tmp_path / "models" / "candidate.json")
    assert said["model"] == model.name
    assert said["n"] >= 100
    assert model.provenance["families"] == ["market", "shop"], "the store is for testing"
    assert set(
        read_evidence(tmp_path / "models" / "candidate.oof.parquet", tmp_path / "models" / "candidate.json")["family"]
    ) == {"market", "shop"}
