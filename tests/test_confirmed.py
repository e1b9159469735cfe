"""Heals that users confirmed become cases."""

import json
from dataclasses import asdict, replace

import pytest

from self_heal_engine.confirmed import Confirmed, confirmed_cases
from self_heal_engine.dataset import read_cases, wanted, write_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.files import sha256

PAGE = '<body><a href="/out">Sign out</a><button class="primary">Log in</button></body>'
HEAL = Confirmed(
    request_id="7f9c", confirmed_at="2026-11-24T10:00:00Z", site="intranet", page_sha256=sha256(PAGE),
    locator_type="id", original_locator="login", correct_locator_type="css", correct_locator="button.primary",
    visible_text="Sign in", anchors=("Welcome",), action="click",
)  # fmt: skip


@pytest.fixture
def training(tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / f"{sha256(PAGE)}.html").write_text(PAGE)

    def write(*heals):
        (tmp_path / "training.jsonl").write_text("".join(json.dumps(asdict(heal)) + "\n" for heal in heals))
        return tmp_path / "training.jsonl"

    return write


def test_a_confirmed_heal_is_a_case_with_a_weight(training, tmp_path):
    (case,) = confirmed_cases(training(HEAL), weight=2.5)
    assert (case.new_row, case.failure, case.rule, case.weight) == (4, "gone", "confirmed", 2.5)
    assert (case.source, case.family, case.knowledge) == ("intranet", "own-intranet", "anchors")
    write_cases(tmp_path / "cases.jsonl", [case])
    assert list(read_cases(tmp_path / "cases.jsonl")) == [case]
    assert wanted(case, tmp_path).text == "Sign in"


def test_an_element_confirmed_as_gone_has_no_row(training):
    gone = replace(HEAL, correct_locator=None, correct_locator_type=None)
    (case,) = confirmed_cases(training(gone), weight=1.0)
    assert case.new_row is None


def test_a_locator_that_works_on_the_stored_page_teaches_nothing(training):
    assert confirmed_cases(training(replace(HEAL, original_locator="primary", locator_type="class_name")), 1.0) == []


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("bad_training", {"correct_locator": ".nowhere"}),
        ("bad_training", {"correct_locator": "body *"}),
        ("unreadable_file", {"page_sha256": "0" * 64}),
    ],
)
def test_what_does_not_fit_is_named(training, word, change):
    with pytest.raises(CannotHeal, match=word):
        confirmed_cases(training(replace(HEAL, **change)), 1.0)


def test_a_page_that_was_changed_is_refused(training, tmp_path):
    file = training(HEAL)
    (tmp_path / "training" / f"{sha256(PAGE)}.html").write_text("<button class=primary>Other</button>")
    with pytest.raises(CannotHeal, match="wrong_hash"):
        confirmed_cases(file, 1.0)


def test_a_line_cut_off_is_named(training):
    file = training(HEAL, HEAL)
    file.write_text(file.read_text()[:-40])
    with pytest.raises(CannotHeal, match="bad_training") as refusal:
        confirmed_cases(file, 1.0)
    assert "line 2" in refusal.value.sentence


def test_no_confirmed_heal_is_no_case(training):
    assert confirmed_cases(training(), 1.0) == []
