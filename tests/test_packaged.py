"""The promoted model: it serves, is what its card says, and behaves as a tester would expect."""

import json
from dataclasses import replace

import pytest

from library_imports import ROOT
from pages import SHOP_AFTER, SHOP_BEFORE
from self_heal_engine import fingerprint, guess_fingerprint, heal, read_locator
from self_heal_engine.files import sha256
from self_heal_engine.parser import read_page
from self_heal_engine.ranking import packaged
from self_heal_engine.train_ranker import validate_model

RANKER = ROOT / "models" / "ranker.json"
CONTROLS = "a, button, input, select"


def healed(html, wanted):
    return heal(read_page(html), wanted)


def known(html, selector):
    page = read_page(html)
    return fingerprint(page, int(page.css(selector)[0]))


def test_the_packaged_model_is_the_promoted_one_and_calibrated():
    model = packaged()
    assert model.name.endswith(sha256(RANKER.read_bytes())[:8])
    assert model.decision.calibrated
    assert 0 < model.decision.threshold < 1
    assert model.provenance["families"], "where it comes from"


def test_the_card_is_of_this_very_file():
    assert sha256(RANKER.read_bytes()) in (ROOT / "models" / "MODEL_CARD.md").read_text("utf-8")


def test_it_was_not_trained_on_the_families_that_it_is_tested_on():
    metrics = json.loads((ROOT / "reports" / "evaluation" / "metrics.json").read_text("utf-8"))
    assert set(metrics["cases"]["families"]).isdisjoint(packaged().provenance["families"])


def test_it_is_as_good_on_the_bundled_cases_as_it_was():
    found = validate_model()
    assert 0.85 < found["accuracy"] <= 1.0
    assert found["false_heals"] <= 0.2
    assert found["model"] == packaged().name


def test_every_control_of_an_unchanged_page_is_found_again_and_trusted():
    page = read_page(SHOP_BEFORE)
    for row in page.css(CONTROLS).tolist():
        result = heal(page, fingerprint(page, row))
        assert (result.candidates[0].row, result.decision) == (row, "healed"), page.html(row)[:80]


@pytest.mark.parametrize("selector", ["#login-btn", "#login-password", "a[href='/password/forgot']"])
def test_an_element_that_was_taken_off_its_page_is_gone(selector):
    page = read_page(SHOP_BEFORE)
    html = page.html(int(page.css(selector)[0]))
    assert html in SHOP_BEFORE
    assert healed(SHOP_BEFORE.replace(html, ""), known(SHOP_BEFORE, selector)).decision == "gone"


def test_what_changes_elsewhere_on_the_page_changes_nothing():
    wanted = known(SHOP_BEFORE, "#login-password")
    before = healed(SHOP_AFTER, wanted)
    after = healed(SHOP_AFTER.replace("</body>", "<footer><p>Opening hours</p><p>9 to 5</p></footer></body>"), wanted)
    assert after.candidates[0].html == before.candidates[0].html
    assert after.confidence == pytest.approx(before.confidence, abs=0.1)


def test_the_order_of_attributes_changes_nothing():
    one = '<form><input name="user" id="a" type="text"><button id="b" class="go">Go</button></form>'
    other = '<form><input type="text" id="a" name="user"><button class="go" id="b">Go</button></form>'
    wanted = known(one, "#b")
    assert healed(one, wanted).confidence == healed(other, wanted).confidence


def test_the_less_is_left_of_an_element_the_less_it_is_trusted():
    wanted = known(
        '<p>Cart</p><a class="x" id="pay" href="/pay" title="Pay now">Pay order</a><a href="/help">Help</a>', "#pay"
    )
    pages = [
        '<p>Cart</p><a class="x" id="pay" href="/pay" title="Pay now">Pay order</a><a href="/help">Help</a>',
        '<p>Cart</p><a class="y" href="/checkout" title="Pay now">Pay order</a><a href="/help">Help</a>',
        '<p>Cart</p><a class="y" href="/checkout">Go on</a><a href="/help">Help</a>',
        '<p>Cart</p><a href="/help">Help</a>',
    ]
    sure = [healed(html, wanted).confidence for html in pages]
    assert sure == sorted(sure, reverse=True), sure


def test_the_more_a_caller_knows_the_surer_the_answer():
    locator = read_locator("css", "#login-btn")
    little = healed(SHOP_AFTER, guess_fingerprint(locator))
    more = healed(SHOP_AFTER, guess_fingerprint(locator, "Sign in", ["Forgot your password?"], "click"))
    whole = healed(SHOP_BEFORE, replace(known(SHOP_BEFORE, "#login-btn"), locator=locator))
    assert little.confidence <= more.confidence <= whole.confidence
