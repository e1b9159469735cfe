"""Rankers, the decision and model files: what is not one for this code never serves."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from pages import SHOP_AFTER, SHOP_BEFORE
from self_heal_engine import CannotHeal, Fingerprint, fingerprint, guess_fingerprint, heal, read_locator
from self_heal_engine.candidates import anchor_nearness, candidates
from self_heal_engine.decision import (
    ALONE,
    DECISION_DIRECTIONS,
    DECISION_NAMES,
    STANDING,
    decision_features,
    joined,
    standing,
)
from self_heal_engine.features import (
    BASE_FEATURES,
    BASE_NAMES,
    DIRECTIONS,
    FEATURE_NAMES,
    RELATIVE,
    SCHEMA,
    feature_matrix,
    margin,
    rank,
)
from self_heal_engine.parser import read_page
from self_heal_engine.ranking import BOUNDS, ROUGH, Calibrated, load_ranker, save_ranker, weighted
from self_heal_engine.weights import PENALTIES, WEIGHTS

NOTHING = Fingerprint()


@pytest.fixture(scope="module")
def booster():
    """Trees that learnt on the shop's own elements which candidate is the element: enough to serve."""
    page = read_page(SHOP_BEFORE)
    wanted = [fingerprint(page, row) for row in page.css("a, button, input").tolist()]
    rows = [candidates(page, known) for known in wanted]
    matrix = np.vstack([feature_matrix(page, these, known) for these, known in zip(rows, wanted, strict=True)])
    targets = page.css("a, button, input").tolist()
    right = np.concatenate([these == row for these, row in zip(rows, targets, strict=True)])
    data = xgboost.DMatrix(matrix, right.astype(float), feature_names=list(FEATURE_NAMES), nthread=1)
    return xgboost.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, data, 20)


@pytest.fixture(scope="module")
def decision():
    """A decision that learnt that a high score is right."""
    chance = np.random.default_rng(1)
    figures = chance.normal(size=(400, len(DECISION_NAMES))).astype(np.float32)
    data = xgboost.DMatrix(figures, (figures[:, 0] > 0).astype(float), nthread=1)
    trees = xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, data, 20)
    return Calibrated(trees, slope=0.9, intercept=0.1, threshold=0.4, budget=0.05, gone_prior=0.25)


def test_a_saved_model_serves_as_it_was(booster, decision, tmp_path):
    save_ranker(booster, decision, "test", tmp_path / "model.json", {"cases": 3})
    model = load_ranker(tmp_path / "model.json")
    page, before = read_page(SHOP_AFTER), read_page(SHOP_BEFORE)
    result = heal(page, fingerprint(before, int(before.css("#login-password")[0])), model)
    again = {name: getattr(model.decision, name) for name in BOUNDS}
    assert again == {name: getattr(decision, name) for name in BOUNDS}
    figures = np.random.default_rng(2).normal(size=(50, len(DECISION_NAMES))).astype(np.float32)
    assert (model.decision.trees.inplace_predict(figures) == decision.trees.inplace_predict(figures)).all()
    assert model.provenance == {"cases": 3}
    assert model.name.startswith("test-")
    assert (result.model, result.calibrated) == (model.name, True)
    assert 'name="password"' in result.candidates[0].html
    assert all(0 <= healing.score <= 1 for healing in result.candidates)


def changed(said, **values):
    """The stored decision with other values."""
    return json.dumps({**json.loads(said["decision"]), **values})


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("model_schema", lambda said: said.update(schema=str(SCHEMA + 1))),
        ("model_schema", lambda said: said.update(features=json.dumps(list(FEATURE_NAMES)[:-1]))),
        ("model_schema", lambda said: said.update(features=json.dumps([*FEATURE_NAMES[1:], FEATURE_NAMES[0]]))),
        ("bad_model", lambda said: said.pop("schema")),
        ("model_schema", lambda said: said.update(decision=changed(said, features=["score"]))),
        ("bad_model", lambda said: said.pop("decision")),
        ("bad_model", lambda said: said.pop("provenance")),
        ("bad_model", lambda said: said.update(provenance="3")),
        ("bad_model", lambda said: said.update(decision=changed(said, threshold=1.5))),
        ("bad_model", lambda said: said.update(decision=changed(said, threshold=float("nan")))),
        ("bad_model", lambda said: said.update(decision=changed(said, slope="steep"))),
        ("bad_model", lambda said: said.update(decision=changed(said, slope=-1))),
        ("bad_model", lambda said: said.update(decision=changed(said, trees="{}"))),
        ("bad_model", lambda said: said.update(decision=changed(said, trees=7))),
        ("bad_model", lambda said: said.update(decision="{}")),
        ("bad_model", lambda said: said.update(decision="[1")),
        ("bad_model", lambda said: said.update(decision=json.dumps({"bias": "a"}))),
    ],
)
def test_a_model_for_other_code_is_refused(booster, decision, tmp_path, word, change):
    save_ranker(booster, decision, "test", tmp_path / "model.json")
    model = json.loads((tmp_path / "model.json").read_text())
    change(model["learner"]["attributes"])
    (tmp_path / "model.json").write_text(json.dumps(model))
    with pytest.raises(CannotHeal, match=word) as refusal:
        load_ranker(tmp_path / "model.json")
    assert "model.json" in refusal.value.sentence


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff\xfe", b'{"learner": []}', b"[" * 100_000])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(CannotHeal, match="bad_model"):
        load_ranker(tmp_path / "model.json")


def test_a_truncated_model_is_refused(booster, decision, tmp_path):
    save_ranker(booster, decision, "test", tmp_path / "model.json")
    raw = (tmp_path / "model.json").read_bytes()
    (tmp_path / "model.json").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(CannotHeal, match="bad_model"):
        load_ranker(tmp_path / "model.json")


def test_a_model_with_its_trees_torn_out_is_refused(booster, decision, tmp_path):
    save_ranker(booster, decision, "test", tmp_path / "model.json")
    model = json.loads((tmp_path / "model.json").read_text())
    model["learner"]["gradient_booster"] = {}
    (tmp_path / "model.json").write_text(json.dumps(model))
    with pytest.raises(CannotHeal, match="bad_model"):
        load_ranker(tmp_path / "model.json")


def tree_of(model, which):
    """One tree of the ranker or of its decision, and a function that puts the decision back."""
    return model["learner"]["gradient_booster"]["model"]["trees"][which]


@pytest.mark.parametrize(
    "damage",
    [
        lambda model: tree_of(model, 0)["left_children"].__setitem__(0, 500_000_000),
        lambda model: tree_of(model, 0)["left_children"].__setitem__(0, 0),
        lambda model: tree_of(model, 3)["right_children"].__setitem__(0, -7),
        lambda model: tree_of(model, 3)["right_children"].__setitem__(0, 1.5),
        lambda model: tree_of(model, 1)["split_indices"].__setitem__(0, 100_000),
        lambda model: tree_of(model, 1)["split_conditions"].pop(),
        lambda model: tree_of(model, 1)["split_type"].__setitem__(0, 1),
        lambda model: model["learner"]["gradient_booster"]["model"]["trees"].pop(),
        lambda model: model["learner"]["learner_model_param"].update(num_class="3"),
        lambda model: model["learner"]["learner_model_param"].update(num_feature="3"),
        lambda model: model["learner"]["gradient_booster"].update(name="dart"),
    ],
)
@pytest.mark.parametrize("of", ["ranker", "decision"])
def test_a_model_whose_trees_lead_astray_is_refused_before_anything_walks_them(booster, decision, tmp_path, damage, of):
    save_ranker(booster, decision, "test", tmp_path / "model.json")
    model = json.loads((tmp_path / "model.json").read_text())
    told = json.loads(model["learner"]["attributes"]["decision"])
    inner = json.loads(told["trees"])
    damage(model if of == "ranker" else inner)
    model["learner"]["attributes"]["decision"] = json.dumps({**told, "trees": json.dumps(inner)})
    (tmp_path / "model.json").write_text(json.dumps(model))
    with pytest.raises(CannotHeal, match="bad_model"):
        load_ranker(tmp_path / "model.json")


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(CannotHeal, match="no_model") as refusal:
        load_ranker(tmp_path / "nothing.json")
    assert "nothing.json" in refusal.value.sentence


@given(st.lists(st.floats(0, 1), max_size=10))
def test_a_confidence_is_a_probability_that_grows_with_the_lead(scores):
    page = read_page("<p>" * 11)
    rows, scores = page.css("p"), np.array(scores)
    confidence = ROUGH.confidence(page, rows[: len(scores)], NOTHING, scores)
    assert 0 <= confidence <= 1
    if len(scores):
        with_rival = ROUGH.confidence(page, rows[: len(scores) + 1], NOTHING, np.append(scores, scores.max()))
        assert with_rival <= confidence + 1e-12, "an equal rival lowers it"


def test_with_nothing_to_choose_from_there_is_no_confidence():
    assert ROUGH.confidence(read_page(""), np.empty(0, dtype=np.intp), NOTHING, np.array([])) == 0.0


def test_what_lies_inside_the_best_candidate_is_no_rival():
    page = read_page("<button><span>Go</span></button><a>Go</a>")
    button, span, link = page.css("button, span, a")
    alone = ROUGH.confidence(page, np.array([button]), NOTHING, np.array([0.5]))
    assert ROUGH.confidence(page, np.array([button, span]), NOTHING, np.array([0.5, 0.5])) == alone
    assert ROUGH.confidence(page, np.array([button, link]), NOTHING, np.array([0.5, 0.5])) < alone


def test_the_weights_are_of_features_there_are():
    assert set(WEIGHTS) | set(PENALTIES) <= set(FEATURE_NAMES)
    assert not set(WEIGHTS) & set(PENALTIES)


def test_every_feature_has_a_name_a_meaning_and_a_direction():
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES) == len(DIRECTIONS) == len(BASE_NAMES) + 2 * len(RELATIVE)
    assert all(feature.meaning.strip() and feature.direction in (-1, 0, 1) for feature in BASE_FEATURES)


def features_of(old, new, selector="#x", wanted=None):
    before, after = read_page(old), read_page(new)
    wanted = wanted or fingerprint(before, int(before.css("#x")[0]))
    rows = after.css(selector)
    matrix = feature_matrix(after, rows, wanted)
    return [dict(zip(FEATURE_NAMES, map(float, line), strict=True)) for line in matrix]


@pytest.mark.parametrize(
    ("feature", "old", "new", "figures"),
    [
        ("tag_same", "<a id=x>", "<a><b>", [1, 0]),
        ("control_same", "<button id=x>", "<a></a><input type=submit><input>", [1, 1, 0]),
        ("role_same", "<button id=x>", "<p role=button></p><p>", [1, 0]),
        ("id_alike", "<p id=x>", "<p id=x></p><p>", [1, 0]),
        ("href_same", "<a id=x href=/a>", "<a href=/a></a><a href=/b>", [1, 0]),
        ("class_overlap", "<p id=x class='a b'>", "<p class='b a'></p><p class='a c'></p><p>", [1, 1 / 3, 0]),
        ("text_same", "<p id=x>Go", "<p>Go</p><p>go</p>", [1, 0]),
        ("text_alike", "<p id=x>Go", "<p>GO</p><p>xy</p>", [1, 0]),
        ("text_words", "<p id=x>Sign in", "<p>Log in</p><p>Log out</p>", [1, 0]),
        ("words_contradict", "<a id=x>Delete", "<a>Edit</a><a>Remove</a><a>Help</a>", [1, 0, 0]),
        ("label_alike", "<label>User<input id=x>", "<label>User<input name=a></label>", [0, 1]),
        ("other_attributes", "<p id=x data-a=1 data-b=2>", "<p data-a=1 data-b=3></p><p>", [0.5, 0]),
        ("place_same", "<p></p><p id=x>", "<p></p><p>", [0, 1]),
        ("index_same", "<p></p><p id=x>", "<b></b><p></p><p>", [0, 0, 1]),
        ("ancestor_ids", "<div id=d><p id=x>", "<div id=d><p></p></div><p>", [0, 1, 0]),
        ("parent_alike", "<div class=c><p id=x>", "<div class=c><p></p></div><p>", [0, 1, 0]),
        ("hidden", "<p id=x>", "<p hidden></p><p>", [1, 0]),
        ("text_alone", "<p id=x>a", "<p>a</p><p>a</p><p>b</p>", [0.5, 0.5, 0]),
        ("called_alike", "<p id=x>Go", "<input placeholder=Go><img alt=xy>", [1, 0]),
        ("called_same", "<p id=x>Go", "<input title=go><p>Go on</p>", [1, 0]),
        ("words_strange", "<p id=x>Top", "<p>Top</p><p>Top left</p><p>Low</p>", [0, 0.5, 1]),
        ("tokens_strange", "<p id=x>Go", "<p id=x>Go</p><p class=a>Go</p><p>", [0, 0.5, 0]),
        (
            "inside_shared",
            "<p id=x><i class='fa bin'>",
            "<p><b class='fa bin'></b></p><p><i class=fa></i></p><p>",
            [1, 0, 0.5, 0, 0],
        ),
        ("claimed", "<a href=/a id=x></a><a href=/b>", "<a href=/b></a><a href=/c></a><b>", [1, 0, 0]),
        ("before_alike", "<u>Name</u><input id=x>", "<u>Name</u><input><u>Mail</u>", [0, 1, 1]),
        ("heading_alike", "<h2>Users</h2><p id=x>", "<h2>Users</h2><p></p><h2>xyz</h2><p>", [0, 1, 1, 0]),
        ("number_alike", "<p>a</p><p id=x>a", "<p>a</p><p>a</p><p>b</p>", [0.5, 1, 0.5]),
        ("place_near", "<p></p><p id=x>", "<p></p><p></p>", [0.8, 1]),
        ("steps_alike", "<div></div><div><p id=x>", "<div><p></p></div><div><p>", [0.8, 2 / 3, 0.8, 1]),
    ],
)
def test_a_feature_says_what_its_name_says(feature, old, new, figures):
    found = features_of(old, new, "body *")
    assert [line[feature] for line in found] == pytest.approx(figures, abs=1e-6)


@pytest.mark.parametrize(
    ("action", "html", "fits"),
    [
        ("click", "<button></button><a href=/></a><input><p>", [1, 1, 0, 0]),
        ("type", "<input><textarea></textarea><input type=password><input type=checkbox>", [1, 1, 1, 0]),
        ("select", "<select></select><input type=radio><button>", [1, 1, 0]),
        ("check", "<input type=checkbox><input>", [1, 0]),
        ("read", "<h1></h1><button>", [1, 0]),
    ],
)
def test_the_role_agrees_with_the_action(action, html, fits):
    wanted = guess_fingerprint(read_locator("css", "#x"), action=action)
    assert [line["action_fits"] for line in features_of("", html, "body *", wanted)] == fits


def test_an_anchor_is_nearest_to_what_follows_it_then_to_what_precedes_it():
    page = read_page("<i>a</i><b>1</b><u>Here</u><s>2</s><q>3</q><p>4</p>")
    near = anchor_nearness(page, ("Here",))
    before, after, second, third = (float(near[int(page.css(tag)[0])]) for tag in ("b", "s", "q", "p"))
    assert after == 1.0
    assert after > before
    assert before == second > third > 0
    assert (anchor_nearness(page, ("not there",)) == 0).all()
    assert anchor_nearness(page, ("Here", "not there")).max() == 0.5, "averaged over the anchors"


def test_what_is_not_known_is_not_a_number():
    wanted = guess_fingerprint(read_locator("css", "#x"))
    (line,) = features_of("", "<p>a</p>", "p", wanted)
    unknown = {
        "text_alike",
        "role_same",
        "label_alike",
        "anchor_near",
        "path_alike",
        "location_alike",
        "old_text_rarity",
        "claimed",
        "before_alike",
        "called_alike",
    }
    assert all(np.isnan(line[name]) for name in unknown)
    assert line["id_alike"] == 0.0


def test_rectangles_are_used_where_both_are_known():
    before, after = read_page("<p id=x>a"), read_page("<p>a</p><p>a</p>")
    before.rectangles = [(0.0, 0.0, 0.0, 0.0)] * 3 + [(10.0, 20.0, 100.0, 10.0)]
    after.rectangles = [(0.0, 0.0, 0.0, 0.0)] * 3 + [(10.0, 20.0, 100.0, 5.0), (10.0, 220.0, 100.0, 10.0)]
    matrix = feature_matrix(after, after.css("p"), fingerprint(before, 3))
    found = matrix[:, [FEATURE_NAMES.index("location_alike"), FEATURE_NAMES.index("area_alike")]]
    assert found == pytest.approx(np.array([[1, 0.5], [np.exp(-1), 1]]), abs=1e-6)


def test_rank_and_margin_within_the_page():
    figures = np.array([[0.9, np.nan], [0.5, np.nan], [0.9, np.nan], [0.1, np.nan]])
    assert rank(figures)[:, 0].tolist() == pytest.approx([0, 2 / 3, 0, 1])
    assert margin(figures)[:, 0].tolist() == pytest.approx([0, -0.4, 0, -0.8])
    assert np.isnan(rank(figures)[:, 1]).all()
    assert np.isnan(margin(figures)[:, 1]).all()


def test_no_candidates_no_scores():
    page = read_page("")
    assert weighted(page, np.empty(0, dtype=np.intp), guess_fingerprint(read_locator("css", "#x"))).shape == (0,)


def test_the_target_is_among_the_candidates_of_a_large_page():
    page = read_page("".join(f"<div class=card><h3>Item {n}</h3><a href=/i/{n}>Open</a></div>" for n in range(2_000)))
    for row in page.css("a").tolist()[::400]:
        rows = candidates(page, fingerprint(page, row))
        assert row in rows
        assert len(rows) <= 128


def test_the_decision_sees_the_first_candidate_as_the_table_that_it_was_trained_on_has_it():
    before, page = read_page(SHOP_BEFORE), read_page(SHOP_AFTER)
    for row in before.css("a, button, input").tolist():
        known = fingerprint(before, row)
        rows = candidates(page, known)
        matrix, scores = feature_matrix(page, rows, known), weighted(page, rows, known)
        best = int(np.argmax(scores))
        told = joined(standing(rows, page.ends[rows], scores, len(page)), matrix[best, : len(BASE_NAMES)])
        np.testing.assert_array_equal(decision_features(page, rows, known, scores), told)
        assert told.shape == (len(DECISION_NAMES),) == (len(DECISION_DIRECTIONS),)


def test_how_the_first_candidate_stands_among_its_rivals():
    rows, ends = np.array([4, 5, 8]), np.array([6, 6, 9])  # the second lies inside the first
    told = dict(zip(STANDING, standing(rows, ends, np.array([3.0, 2.5, 1.0]), 20), strict=True))
    assert told["score"] == 3.0
    assert told["lead"] == 2.0, "over the one that is not inside"
    assert told["lead_over_any"] == 0.5
    assert told["close_rivals"] == 2
    assert told["share"] == pytest.approx(1 / (1 + np.exp(-0.5) + np.exp(-2)))
    alone = dict(zip(STANDING, standing(rows[:1], ends[:1], np.array([3.0]), 20), strict=True))
    assert alone["lead"] == alone["lead_over_any"] == ALONE


def test_the_features_are_the_same_in_every_process():
    """Sets of strings have another order in each: nothing may hang on it, not even by a rounding."""
    ask = """
import hashlib, random
from self_heal_engine import fingerprint
from self_heal_engine.features import feature_matrix
from self_heal_engine.parser import read_page
words, chance = "save order button link input field text box now 1 2 3 a b c please send list item".split(), random.Random(1)
page = read_page("".join(f"<p>{' '.join(chance.sample(words, 11))}</p>" for _ in range(60)))
rows = page.css("p")
print(hashlib.sha256(b"".join(feature_matrix(page, rows, fingerprint(page, int(row))).tobytes() for row in rows)).hexdigest())
"""
    seen = {
        subprocess.run(
            [sys.executable, "-c", ask],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(seen) == 1
