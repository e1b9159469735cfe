"""Healers of others, asked as our service would be: what they are told, what is read of it, and that none stops a run."""

import json
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from self_heal_engine.dataset import open_page, read_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.healers import NOTHING, Healer, answered, check, opened, outcome_of, question, read_answer
from self_heal_engine.outcomes import Job, judge
from self_heal_engine.parser import parse_html
from self_heal_engine.ranking import WEIGHTED

EXAMPLES = Path(str(files("self_heal_engine") / "examples"))
CASES = list(read_cases(EXAMPLES / "cases.jsonl"))
BY_KNOWLEDGE = {case.knowledge: case for case in CASES}

PAGE = parse_html("<main><button>Save</button><button>Send</button><a id=x href=/help>Help</a></main>")
SAVE, HELP = 4, 6


def answer(*locators, decision="healed", confidence=0.9):
    """Return an answer in JSON, with the rest of what /heal says."""
    candidates = [{"locator": value, "locator_type": kind, "score": 1, "reasons": []} for kind, value in locators]
    return json.dumps({"decision": decision, "confidence": confidence, "candidates": candidates, "model": "m"})


def came_to(*locators, right=SAVE, **rest):
    return outcome_of(read_answer(answer(*locators, **rest)), PAGE, right)


def test_a_healer_is_told_what_the_caller_knows_and_no_more():
    told = {knowledge: question(case, EXAMPLES)["context"] for knowledge, case in BY_KNOWLEDGE.items()}
    given = {knowledge: {name for name, value in context.items() if value} for knowledge, context in told.items()}
    assert given == {
        "locator": set(),
        "text": {"visible_text"},
        "anchors": {"visible_text", "anchors"},
        "baseline": {"baseline_html", "action"},
        "fingerprint": {"baseline_html", "fingerprint", "action"},
    }
    for case in CASES:
        asked = question(case, EXAMPLES)
        assert asked["html"] == (EXAMPLES / case.new_page).read_text("utf-8")
        assert (asked["locator_type"], asked["original_locator"]) == (case.locator_type, case.original_locator)
        assert json.loads(json.dumps(asked)) == asked


def test_our_own_answer_comes_to_what_the_ranker_did():
    """The one protocol loses nothing: five candidates apart, both roads give the same outcome."""
    judged = judge(Job(EXAMPLES, ("weighted",), tuple(CASES)))
    for case, row in zip(CASES, judged, strict=True):
        expected = row["weighted"]
        text = json.dumps(answered(question(case, EXAMPLES), WEIGHTED))
        found = outcome_of(read_answer(text), open_page(EXAMPLES, case.new_page), case.new_row)
        assert found.place == (expected.place if expected.place <= 5 else 0), case
        assert (found.chosen, found.healed) == (expected.chosen, expected.healed), case
        assert found.confidence == pytest.approx(expected.confidence, abs=1e-4)


def test_a_candidate_is_what_its_locator_finds_alone():
    found = came_to(("css", "button"), ("css", "#none"), ("xpath", "//button[1]"), ("role", 'link[name="Help"]'))
    assert (found.place, found.candidates, found.chosen) == (3, 4, -1)
    assert came_to(("role", 'link[name="Help"]'), ("text", "Save")).chosen == HELP
    assert came_to(("text", "Save")).place == 1
    assert came_to(("xpath", "(//button)[2]")).place == 0


@pytest.mark.parametrize(
    "locator", [("css", "a["), ("css", ""), ("spell", "x"), ("xpath", "//a[" * 900), ("css", "\0")]
)
def test_a_locator_that_cannot_be_run_finds_nothing(locator):
    found = came_to(locator, ("text", "Save"))
    assert (found.place, found.chosen) == (2, -1)


def test_who_says_gone_has_not_healed_and_who_names_nothing_neither():
    assert came_to(("text", "Save")).healed
    assert came_to(("text", "Save"), decision="unchanged").healed
    assert not came_to(("text", "Save"), decision="gone", confidence=0.2).healed
    assert not came_to().healed
    assert came_to(("text", "Save"), right=None).place == 0
    assert came_to(("text", "Save"), right=None).healed, "a false heal"


def test_no_more_candidates_count_than_were_asked_for():
    found = came_to(*[("css", "#none")] * 5, ("text", "Save"))
    assert (found.place, found.candidates) == (0, 5)


@pytest.mark.parametrize(
    ("name", "problem", "said"),
    [
        ("silent", "declined", "cannot answer"),
        ("raises", "raised", "KeyError: 'no such thing'"),
        ("raises_unprintably", "raised", "Unprintable"),
        ("not_json", "raised", "not JSON serializable"),
        ("no_answer", "malformed", "cannot be read"),
        ("no_decision", "malformed", "decision"),
        ("too_sure", "malformed", "1.5"),
        ("not_a_number", "malformed", "confidence"),
        ("text_for_number", "malformed", "confidence"),
        ("half_a_locator", "malformed", "locator_type"),
    ],
)
def test_a_bad_answer_costs_the_case_and_not_the_process(healers, name, problem, said):
    healer = healers(f"bad_healers:{name}")
    heard = healer.ask(CASES[0])
    assert (heard.outcome, heard.problem) == (NOTHING, problem)
    assert said in heard.sentence
    first = healer.process.pid
    assert healer.ask(CASES[1]).problem == problem
    assert healer.process.pid == first, "a restart for each such case would take hours"


@pytest.mark.parametrize(("name", "problem"), [("hangs", "timeout"), ("dies", "died"), ("leaves", "died")])
def test_a_healer_that_hangs_or_dies_is_started_again_for_the_next_case(healers, name, problem):
    healer = healers(f"bad_healers:{name}", seconds=3.0)
    began = time.monotonic()
    heard = healer.ask(CASES[0])
    assert (heard.outcome, heard.problem) == (NOTHING, problem)
    assert healer.process is None
    assert healer.ask(CASES[1]).problem == problem
    assert time.monotonic() - began < 30


def test_what_a_healer_prints_is_not_on_standard_output(healers, capfd):
    assert not healers("bad_healers:right").ask(BY_KNOWLEDGE["baseline"]).problem
    assert capfd.readouterr().out == ""


def test_a_page_of_ours_that_is_missing_is_no_fault_of_the_healer(healers):
    with pytest.raises(CannotHeal, match="unreadable_file"):
        healers("bad_healers:right").ask(replace(CASES[0], new_page="nowhere.html"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bad_healers:heel", "has no attribute 'heel'"),
        ("no_such_module:heal", "No module named 'no_such_module'"),
        ("bad_healers", "package.module:callable"),
        ("bad_healers:NOT_CALLABLE", "no callable"),
        ("http://127.0.0.1:9/heal", "refused"),
        ("http:///heal", "healer"),
    ],
)
def test_a_healer_that_cannot_be_asked_is_refused_before_the_run(name, said):
    with pytest.raises(CannotHeal, match="unknown_healer") as refusal:
        check(name, EXAMPLES, Path.cwd())
    assert said in refusal.value.sentence


@pytest.fixture
def healers():
    """Return healers that are stopped after the test."""
    made = []

    def make(name, seconds=60.0):
        made.append(Healer(name, EXAMPLES, seconds, Path.cwd()))
        return made[-1]

    yield make
    for healer in made:
        healer.stop()


def test_the_process_of_a_healer_ends_with_its_block():
    with opened("bad_healers:right", EXAMPLES, 60.0, Path.cwd()) as healer:
        healer.start()
        process = healer.process
        assert process.is_alive()
    assert not process.is_alive()
