"""The cases of a page pair: every difficulty, with a truth that holds."""

from collections import Counter
from dataclasses import replace

import pytest

from self_heal_engine import cases
from self_heal_engine.breaking import failure
from self_heal_engine.cases import anchor_texts, jobs, make_cases, visible_text, without_twins
from self_heal_engine.dataset import KNOWLEDGE, open_page, read_cases, wanted, write_cases
from self_heal_engine.elements import elements
from self_heal_engine.locators import Locator
from self_heal_engine.matching import matches
from self_heal_engine.pairs import label, page_pairs, settle
from self_heal_engine.parser import read_page
from test_pairs import SHOP
from workspace import CASES, LABEL, write_pages


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_pages(folder)
    return folder


@pytest.fixture(scope="module")
def pairs(data):
    (job,) = page_pairs(data / "pages", [SHOP])
    return settle(label(data / "pages", job), [], LABEL)


@pytest.fixture(scope="module")
def made(data, pairs):
    return [case for job in jobs(data, pairs, CASES) for case in make_cases(job)]


def test_each_pair_gives_cases_of_every_difficulty(made):
    kinds = Counter(case.difficulty.partition("-")[0] for case in made)
    assert kinds == {"natural": 12, "masked": 5, "mutated": 10, "deleted": 5}
    assert {case.difficulty for case in made if case.rule == "R0"} == {"natural"}


def test_each_locator_found_its_element_and_fails_now_as_the_case_says(data, made):
    for case in made:
        locator = Locator(case.locator_type, case.original_locator)
        assert matches(open_page(data, case.old_page), locator).tolist() == [case.old_row]
        assert failure(open_page(data, case.new_page), locator, case.new_row) == case.failure


def test_gone_means_that_nothing_is_left(made):
    for case in made:
        assert (case.new_row is None) == (case.difficulty == "deleted" or case.rule == "R0")


def test_the_truth_is_the_same_element_by_what_was_left_alone(data, made):
    for case in made:
        if case.new_row is not None and case.difficulty in ("natural", "masked-1", "masked-2"):
            old, new = open_page(data, case.old_page), open_page(data, case.new_page)
            assert old.text(case.old_row) == new.text(case.new_row)
            assert old.tag(case.old_row) == new.tag(case.new_row)


def test_what_was_done_to_the_element_stands_in_the_case(made):
    assert all(case.operators for case in made if case.difficulty != "natural")
    assert not any(case.operators for case in made if case.difficulty == "natural")


def test_a_caller_knows_what_the_case_says(data, made):
    assert {case.knowledge for case in made} == set(KNOWLEDGE)
    for case in made:
        known = wanted(case, data)
        assert known.complete == (case.knowledge in ("baseline", "fingerprint"))
        assert bool(case.anchors) == (case.knowledge == "anchors")
        assert bool(case.visible_text) == (case.knowledge in ("text", "anchors"))
        assert known.locator == Locator(case.locator_type, case.original_locator)


def test_test_ids_are_on_both_pages_and_can_break(made):
    assert any(case.form == "test_id" for case in made)
    assert all("test-ids" in case.old_page for case in made if case.difficulty.startswith("m"))


def test_the_same_seed_makes_the_same_cases_and_pages(tmp_path, data, pairs, made):
    write_pages(tmp_path)
    again = [case for job in jobs(tmp_path, pairs, CASES) for case in make_cases(job)]
    assert again == made
    for case in made:
        assert (tmp_path / case.new_page).read_bytes() == (data / case.new_page).read_bytes()
    other = [case for job in jobs(tmp_path, pairs, replace(CASES, seed=2)) for case in make_cases(job)]
    assert other != made


def test_every_case_has_an_id_of_its_own_and_survives_the_file(tmp_path, made):
    assert len({case.id for case in made}) == len(made)
    write_cases(tmp_path / "cases.jsonl", made)
    assert list(read_cases(tmp_path / "cases.jsonl")) == made


@pytest.mark.parametrize(
    ("twin", "html"),
    [
        (False, "<button>Save</button><button>Stop</button>"),
        (True, "<button>Save</button><button>save</button>"),
        (False, "<button>Save</button><a href=x>Save</a>"),
        (True, "<a href=/x>One</a><a href=/x>Two</a>"),
        (True, '<input name="a"><input name="a">'),
        (True, "<button class=x></button>"),
    ],
)
def test_a_twin_of_a_removed_element(twin, html, pairs):
    pair = replace(pairs[0], new_row=3)
    assert without_twins(elements(read_page(html)), [pair]) == ([] if twin else [pair])


def test_what_a_person_would_say_of_an_element():
    page = read_page(
        '<h2>Sign in</h2><p>Welcome back</p><label for=u>User name</label><input id=u><button title="Go">→</button>'
    )
    (field,), (button,) = page.css("input"), page.css("button")
    assert visible_text(page, field) == "User name"
    assert visible_text(page, button) == "→"
    assert anchor_texts(page, field) == ("User name", "Welcome back")
    assert cases.ACTIONS["link"] == "click"
