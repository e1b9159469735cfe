"""Scrapling's real package as a healer: asked, understood, and its elements carried over between two parsers."""

from importlib.resources import files
from pathlib import Path

import pytest
from benchmarks.scrapling_healer import heal, number_of, numbered, old_element
from scrapling.parser import Selector

from self_heal_engine.dataset import open_page, read_cases
from self_heal_engine.healers import outcome_of, question, read_answer
from self_heal_engine.parser import parse_html
from test_healers import answer

EXAMPLES = Path(str(files("self_heal_engine") / "examples"))
CASES = list(read_cases(EXAMPLES / "cases.jsonl"))

# A browser adds the tbody and reads no tag inside noscript; Scrapling's parser does neither.
OLD = "<p>x</p><noscript><img><a>n</a></noscript><table><tr><td><a id=u>Up</a><td><a id=go class=b>Go now</a></table>"
NEW = "<noscript><a>n</a></noscript><table><tr><td><a id=v>Up</a><td><a class=b>Go now</a></table>"


def asked(**context):
    told = {"baseline_html": OLD, "visible_text": None, "anchors": [], "action": None, "fingerprint": None}
    return {
        "html": NEW, "original_locator": "#go", "locator_type": "css", "context": {**told, **context},
        "max_candidates": 5,
    }  # fmt: skip


def attributes(element):
    """Return the attributes of an element of Scrapling's tree, which fills in those without a value."""
    return {name: value or name for name, value in element.attrib.items()}


def test_the_right_element_is_found_across_two_trees():
    page = parse_html(NEW)
    said = heal(asked())
    found = outcome_of(read_answer(answer(("xpath", said["candidates"][0]["locator"]))), page, page.css(".b")[0])
    assert (said["decision"], found.place) == ("healed", 1)
    assert 0.4 <= said["confidence"] <= 1


def test_without_the_old_page_or_the_element_on_it_there_is_no_answer():
    assert heal(asked(baseline_html=None)) is None
    assert heal(asked(baseline_html="<p>nothing here</p>")) is None


def test_nothing_like_enough_is_gone():
    said = heal({**asked(), "html": "<i>other</i>"})
    assert (said["decision"], said["confidence"], said["candidates"]) == ("gone", 0.0, [])


@pytest.mark.parametrize("name", ["shop_before", "shop_after", "admin_before", "settings_after"])
def test_the_nth_element_of_a_tag_is_the_same_in_both_trees(name):
    html = (EXAMPLES / f"{name}.html").read_text("utf-8")
    page = parse_html(html)
    for row in page.css("body a, body button, body input").tolist():
        element = old_element(html, "xpath", f"(//{page.tag(row)})[{number_of(page, row)}]")
        assert attributes(element) == {what: value or what for what, value in page.attributes(row).items()}
        assert numbered(element).endswith(f"[{number_of(page, row)}]")


def test_its_choice_is_the_one_of_relocate():
    for case in [case for case in CASES if case.knowledge == "baseline"][::6]:
        told = question(case, EXAMPLES)
        said = heal(told)
        known = old_element(told["context"]["baseline_html"], case.locator_type, case.original_locator)
        best = Selector(told["html"]).relocate(known, percentage=40)
        page = open_page(EXAMPLES, case.new_page)
        for candidate, element in zip(said["candidates"], best, strict=True):
            text = answer(("xpath", candidate["locator"]))
            chosen = page.attributes(outcome_of(read_answer(text), page, None).chosen)
            assert {what: value or what for what, value in chosen.items()} == attributes(element)
