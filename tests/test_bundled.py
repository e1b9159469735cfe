"""The cases that come with the package: their truth, and what a model makes of them."""

import json
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from model_files import write_model
from self_heal_engine.breaking import failure
from self_heal_engine.bundled import judge, validate_model
from self_heal_engine.contestants import contestant
from self_heal_engine.dataset import KNOWLEDGE, open_page, read_cases
from self_heal_engine.locators import Locator
from self_heal_engine.matching import matches
from self_heal_engine.ranking import WEIGHTED

EXAMPLES = Path(str(files("self_heal_engine") / "examples"))
CASES = list(read_cases(EXAMPLES / "cases.jsonl"))

# Which old element is which new one, by a person: a CSS selector for either; None: it is gone.
TRUTH = {
    "shop": {
        "#search-btn": "form[role=search] button",
        "#header input[name=q]": "header input[name=q]",
        "#cart-link": "a[href='/cart']",
        "#account-link": "nav[aria-label=Account] a[href='/account']",
        "#categories a[href='/c/boots']": "a[href='/c/footwear/boots']",
        "#categories a[href='/c/sale']": "a[href='/c/sale']",
        "#login-email": "input[name=email][autocomplete=username]",
        "#login-password": "input[name=password]",
        "input[name=remember]": "input[name=remember]",
        "#login-btn": "main form button[type=submit]",
        "a[href='/password/forgot']": "a[href='/account/reset-password']",
        "button[data-product='4711']": "button[data-product='4711']",
        "button[data-product='4713']": "button[data-product='4713']",
        "#product-4713 a": "a[href='/p/4713-summit-45-litre-backpack']",
        "#newsletter-btn": "footer button",
        "#newsletter-email": "footer input",
        "a[href='/returns']": "a[href='/help/returns']",
        "#live-chat": None,
        "#categories a[href='/c/stoves']": None,
        "#register-country": None,
        "button[data-product='4712']": None,
    },
    "admin": {
        "#new-shipment": "a[href='/app/shipments/create']",
        "#export-csv": "a[href='/app/shipments/export?format=csv']",
        "#filter-q": "input[name=query]",
        "#filter-status": "select[name=state]",
        "#filter-apply": "form[role=search] button",
        "#filter-reset": "form[role=search] a",
        "#select-all": "thead input",
        "#shipment-8103 a.edit": "a[href='/app/shipments/8103/edit']",
        "#shipment-8102 a.edit": "a[href='/app/shipments/8102/edit']",
        "#shipment-8102 button": "button[aria-label='Cancel SH-8102']",
        "#shipment-8103 input": "input[value='8103']",
        "#shipment-8104 td a[href='/admin/shipments/8104']": "a[href='/app/shipments/8104']",
        ".menu a[href='/admin/invoices']": "a[href='/app/billing/invoices']",
        "#logout-link": "form[action='/session/end'] button",
        "#profile-link": "a[href='/app/me']",
        "a.next": "a[rel=next]",
        "#print-list": None,
        ".menu a[href='/admin/faxes']": None,
        "#shipment-8101 a.edit": None,
        "#shipment-8104 button": None,
        "a[href='/admin/keyboard']": None,
    },
    "settings": {
        "#display_name": "#f-name",
        "#email": "#f-mail",
        "#language": "#f-lang",
        "#timezone": "#f-tz",
        "#bio": "#f-about",
        "#save-profile": "form[action='?/saveProfile'] button[type=submit]",
        "#save-notifications": "form[action='?/saveAlerts'] button[type=submit]",
        "#save-password": "form[action='?/setPassword'] button[type=submit]",
        "#notify_share": "input[name='alert.share']",
        "#notify_comment": "input[name='alert.comment']",
        "#freq_daily": "input[value=day]",
        "#old_pw": "#f-current",
        "#new_pw": "#f-next",
        "a[href='/settings/sessions/51/end']": "button[data-session='51']",
        "a[href='/settings/sessions/64/end']": "button[data-session='64']",
        "#export-notes": "a[href='/settings/takeout']",
        "#close-account": "button.danger",
        "a[href='/trash']": "a[href='/n/bin']",
        "a[href='/contact']": "footer a:last-child",
        ".tabs a[href='#security']": "a[href='/settings/security']",
        "#icq": None,
        "#new_pw2": None,
        "#notify_news": None,
    },
}


def element(page, selector):
    """Return the one row that a selector finds; None for none that there is."""
    if selector is None:
        return None
    (row,) = page.css(selector).tolist()
    return row


@pytest.mark.parametrize("name", TRUTH)
def test_the_cases_of_a_page_are_about_the_elements_that_a_person_paired(name):
    old, new = (open_page(EXAMPLES, f"{name}_{age}.html") for age in ("before", "after"))
    paired = {element(old, before): element(new, after) for before, after in TRUTH[name].items()}
    assert len(paired) == len(TRUTH[name]), "no element twice"
    assert {case.old_row: case.new_row for case in CASES if case.page == name} == paired


def test_every_locator_finds_the_old_element_alone_and_is_broken_on_the_new_page():
    for case in CASES:
        locator = Locator(case.locator_type, case.original_locator)
        assert matches(open_page(EXAMPLES, case.old_page), locator).tolist() == [case.old_row], case
        assert failure(open_page(EXAMPLES, case.new_page), locator, case.new_row) == case.failure, case


def test_there_are_enough_cases_of_every_sort():
    assert len({case.id for case in CASES}) == len(CASES) >= 40
    assert sum(case.new_row is None for case in CASES) >= 10
    knowledge, kinds = Counter(case.knowledge for case in CASES), Counter(case.locator_type for case in CASES)
    assert set(knowledge) == set(KNOWLEDGE)
    assert min(knowledge.values()) >= 8
    assert len(kinds) >= 8
    assert {case.page for case in CASES if case.new_row is None} == set(TRUTH)
    for case in CASES:
        assert (case.knowledge in ("text", "anchors")) == bool(case.visible_text)
        assert (case.knowledge == "anchors") == bool(case.anchors)


def test_the_pages_are_told_apart_by_more_than_one_ranker_and_are_no_gift():
    hits = {
        name: sum(judge(contestant(name), case, EXAMPLES)[0] == 1 for case in CASES)
        for name in ("weighted", "similo", "voting")
    }
    assert hits["voting"] < hits["similo"] < hits["weighted"] < len(CASES)


def test_a_model_is_validated_in_plain_figures():
    found = validate_model()
    assert 0.8 < found["accuracy"] < 0.999
    assert found["accuracy"] <= found["mrr"] <= found["hit_at_5"] <= 1
    assert found["right_heals"] <= found["accuracy"]
    assert found["right_heals"] + found["abstentions"] <= 1
    assert 0 <= found["false_heals"] < 0.5
    assert (found["n"], found["gone"]) == (len(CASES), sum(case.new_row is None for case in CASES))
    assert json.loads(json.dumps(found)) == found == validate_model()


def test_the_figures_count_what_the_ranker_did(monkeypatch):
    monkeypatch.setattr("self_heal_engine.bundled.packaged", lambda: WEIGHTED)
    found, judged = validate_model(), [judge(WEIGHTED, case, EXAMPLES) for case in CASES]
    assert [gone for _, _, gone in judged] == [case.new_row is None for case in CASES]
    there = [(place, healed) for place, healed, gone in judged if not gone]
    counted = {
        "accuracy": sum(place == 1 for place, _ in there),
        "hit_at_5": sum(place in range(1, 6) for place, _ in there),
        "mrr": sum(1 / place for place, _ in there if place),
        "right_heals": sum(place == 1 for place, healed in there if healed),
        "abstentions": sum(not healed for _, healed in there),
    }
    assert any(place != 1 for place, healed in there if healed), "a wrong heal, which is no right one"
    assert {what: found[what] for what in counted} == {what: round(n / len(there), 4) for what, n in counted.items()}
    assert found["false_heals"] == round(sum(healed for _, healed, gone in judged if gone) / found["gone"], 4)


def test_a_model_file_is_validated_and_named(tmp_path):
    found = validate_model(write_model(tmp_path / "chance.json"))
    assert found["model"].startswith("ranker-")
    assert found["accuracy"] < validate_model()["accuracy"], "it learnt on chance"


def test_serving_needs_no_pandas_to_validate():
    ask = (
        "import sys; sys.modules['pandas'] = None; from self_heal_engine.bundled import validate_model; "
        "print(validate_model()['n'])"
    )
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert int(said.stdout) == len(CASES)
