"""What the training data look like: the same features as a stored heal's, compact, the same bytes again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from drift_world import FAMILIES, PAGES, TARGETS, reference, training, world
from model_files import write_candidate, write_data
from self_heal_engine import reference as stage
from self_heal_engine.dataset import open_page, wanted, write_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.evidence import write_evidence
from self_heal_engine.files import sha256
from self_heal_engine.promotion import Workshop, promote, rollback
from self_heal_engine.reference import (
    COLUMNS,
    FEWEST,
    Column,
    counted,
    edges_of,
    figures_of,
    read_reference,
    reference_of,
    write_reference,
    written,
)
from self_heal_engine.registry import open_store
from test_gates import MASKED
from test_promotion import ON_DISK, WANTED
from workspace import write_pages


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Where the sites' pages lie, once for all tests."""
    return tmp_path_factory.getbasetemp() / "drift-world"


# -- the training side ---------------------------------------------------------------------------------------------


def test_a_case_has_the_figures_that_a_stored_heal_of_it_would_have(data):
    cases, _, outcomes = world(data)
    observed = training(data)
    for at in range(0, len(cases), 29):
        case = cases[at]
        page, known = open_page(data, case.new_page), wanted(case, data)
        served = figures_of(page, known, int(outcomes["chosen"][at]))
        np.testing.assert_array_equal(observed.figures[at, :-2], np.array(served))
        assert observed.figures[at, -2] == outcomes["confidence"][at]


def test_what_is_no_candidate_has_no_figures(data):
    case = world(data)[0][0]
    assert figures_of(open_page(data, case.new_page), wanted(case, data), 0) is None


@pytest.fixture
def trained(data, tmp_path, monkeypatch):
    """A candidate with its cases and evidence, as the stage finds them; only the table is not read from Parquet."""
    cases, table, outcomes = world(data)
    write_cases(tmp_path / "cases.jsonl", cases)
    model = tmp_path / "candidate.json"
    model.write_bytes(b"a model")
    write_evidence(outcomes, model, tmp_path / "candidate.oof.parquet")
    monkeypatch.setattr(stage, "read_table", lambda *_: table)
    return model


def test_the_stage_writes_the_same_small_file_again_and_it_is_read_back(trained, tmp_path):
    paths = [tmp_path / name for name in ("one.json", "other.json")]
    for path in paths:
        write_reference(tmp_path / "cases.jsonl", tmp_path, trained, path, gone_prior=0.25)
    one, other = (path.read_bytes() for path in paths)
    assert one == other
    assert len(one) < 100_000
    read = read_reference(paths[0])
    assert tuple(read.columns) == COLUMNS
    assert read.cases == FAMILIES * PAGES * TARGETS
    assert read.families == FAMILIES
    assert written(read).encode() == one


def test_evidence_of_another_model_is_refused(trained, tmp_path):
    trained.write_bytes(b"another model")
    with pytest.raises(CannotHeal, match="no_evidence"):
        write_reference(tmp_path / "cases.jsonl", tmp_path, trained, tmp_path / "x.json", gone_prior=0.25)


def test_cases_count_as_their_weights_say(data):
    observed = training(data)
    weights = np.where(observed.known == "text", 3.0, 1.0)
    made, share = reference_of(observed, weights, "0" * 64), (observed.known == "text").mean()
    assert made.mix["known"]["text"] == pytest.approx(3 * share / (1 + 2 * share), abs=1e-3)


def test_families_that_are_alike_have_no_spread_and_those_that_differ_have():
    observed = training_of(np.tile([0.0, 1.0], 200))
    alike = reference_of(observed, np.ones(400), "0" * 64).columns["confidence"].strata["page"]
    apart = reference_of(training_of(np.repeat([0.0, 1.0], 200)), np.ones(400), "0" * 64)
    assert alike.spread < 0.01
    assert apart.columns["confidence"].strata["page"].spread > 0.5


def training_of(confidence, families=4):
    """First candidates of which only the confidence is known."""
    many = len(confidence)
    figures = np.full((many, len(COLUMNS)), np.nan)
    figures[:, COLUMNS.index("confidence")] = confidence
    names = np.repeat([f"family {at}" for at in range(families)], many // families)
    pages = np.array([f"page {at}" for at in range(many)])
    return stage.Observed(figures, np.full(many, "page"), np.full(many, "css"), pages, names)


def test_a_small_family_says_nothing_of_how_families_differ():
    observed = training_of(np.repeat([0.0, 1.0], [4 * FEWEST, 4]))
    few = replace(
        observed, site=np.where(observed.figures[:, COLUMNS.index("confidence")] == 1, "small", observed.site)
    )
    assert reference_of(few, np.ones(len(few)), "0" * 64).columns["confidence"].strata["page"].spread < 0.2


# -- promotion ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path):
    """A clone with a committed champion and a better candidate, as in the tests of promotion."""
    write_pages(tmp_path / "data")
    write_data(tmp_path / "data", ON_DISK)
    write_candidate(tmp_path / "models", ON_DISK, seed=1, name="ranker", wrong=MASKED[::4])
    write_candidate(tmp_path / "models", ON_DISK, seed=2, wrong=MASKED[::20])
    return Workshop(tmp_path / "models", tmp_path / "data", tmp_path / "metrics.json", open_store(tmp_path, env={}))


def test_the_reference_goes_where_its_model_goes_and_comes_back_with_it(shop, data):
    of_champion, of_candidate = (
        written(replace(reference(data), model_sha256=sha256((shop.models / name).read_bytes())))
        for name in ("ranker.json", "candidate.json")
    )
    (shop.models / "reference.json").write_text(of_champion)
    (shop.models / "candidate.reference.json").write_text(of_candidate)
    promote(shop, WANTED, {})
    assert (shop.models / "reference.json").read_text() == of_candidate
    rollback(shop.models, shop.store)
    assert (shop.models / "reference.json").read_text() == of_champion


def test_a_reference_of_another_candidate_is_not_promoted(shop, data):
    (shop.models / "candidate.reference.json").write_text(written(reference(data)))
    promote(shop, WANTED, {})
    assert not (shop.models / "reference.json").exists()


# -- bins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "edges"),
    [
        ([], ()),
        ([np.nan] * 5, ()),
        ([1.0] * 50, (0.999, 1.001)),  # what is not the same, one day, is not in the same bin
        ([0.0] * 50 + [1.0] * 50, (0.5,)),
        ([0.0] * 3 + [1.0] * 97, (0.5,)),  # rare, but told apart from what is common
        ([0.0] * 97 + [1.0] * 3, (0.5,)),
        ([0.0] * 997 + [1.0] * 3, (-0.001, 0.001)),
    ],
)
def test_what_is_common_has_a_bin_of_its_own(figures, edges):
    assert edges_of(np.array(figures, dtype=np.float64), np.ones(len(figures))) == edges


def test_many_values_go_into_about_ten_bins_of_the_same_weight():
    chance = np.random.default_rng(1)
    figures, weights = chance.exponential(size=5_000), chance.uniform(1, 3, 5_000)
    edges = edges_of(figures, weights)
    shares = np.bincount(Column(edges, {}).bins(figures), weights) / weights.sum()
    assert len(edges) in (8, 9, 10)
    assert shares[:9].max() < 0.11


def test_the_unknown_is_in_the_last_bin():
    assert Column((0.5,), {}).bins(np.array([np.nan, 0.0, 0.5, 0.7])).tolist() == [2, 0, 0, 1]


def test_groups_of_one_size_count_as_they_are_and_a_large_one_counts_little():
    assert counted(np.repeat(["a", "b", "c"], 50)) == pytest.approx(3)
    assert counted(np.repeat(["a", "b"], [990, 10])) < 1.03


# -- files that do not fit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda said: said.update(feature_schema=1), "schema 1"),
        (lambda said: said.pop("model_sha256"), "model_sha256"),
        (lambda said: said.update(extra=1), "extra"),
        (lambda said: said["columns"].pop("similo"), "schema"),
        (lambda said: said["columns"]["confidence"]["edges"].reverse(), "confidence"),
        (lambda said: said["columns"]["confidence"]["strata"]["page"][0].pop(), "confidence"),
        (lambda said: said["columns"]["confidence"]["strata"].pop("page"), "strata"),
        (lambda said: said["columns"]["confidence"]["strata"]["page"].__setitem__(1, -1.0), "spread"),
    ],
)
def test_a_file_that_is_no_reference_is_refused(data, tmp_path, change, named):
    said = json.loads(written(reference(data)))
    change(said)
    path = tmp_path / "reference.json"
    path.write_text(json.dumps(said))
    with pytest.raises(CannotHeal, match="bad_reference") as refusal:
        read_reference(path)
    assert named in refusal.value.sentence
    assert "reference.json" in refusal.value.sentence
