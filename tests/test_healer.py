"""Healing: the right element, verified locators, a decision; and what must never change the answer."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import ADMIN, CONTROLS, SHOP_AFTER, SHOP_BEFORE
from self_heal_engine import (
    Fingerprint,
    Locator,
    baseline_fingerprint,
    dump_fingerprint,
    fingerprint,
    guess_fingerprint,
    heal,
    heal_all,
    load_fingerprint,
    read_locator,
)
from self_heal_engine.errors import CannotHeal
from self_heal_engine.fingerprint import with_context
from self_heal_engine.healer import assign
from self_heal_engine.parser import read_page
from self_heal_engine.ranking import ROUGH, WEIGHTED, Model

SIGN_IN = '<form><input name=user><button id=login-btn class="btn primary">Sign in</button></form>'


def known(html, selector):
    page = read_page(html)
    return baseline_fingerprint(page, read_locator("css", selector))


@pytest.mark.parametrize(
    ("change", "html", "text"),
    [
        ("the id is renamed", "<a href=/>Help</a><form><input name=user><button id=signin class='btn primary'>Sign in</button></form>", "Sign in"),
        ("id and class are replaced", "<a href=/>Help</a><form><input name=user><button class=css-1x2y3z>Sign in</button></form>", "Sign in"),
        ("it moved into a dialog", "<a href=/>Help</a><dialog open><p><button id=login-btn class='btn primary'>Sign in</button></dialog>", "Sign in"),
        ("the button became a link", "<button>Help</button><form><input name=user><a id=login-btn href=#>Sign in</a></form>", "Sign in"),
        ("the wording changed", "<button>Help</button><form><input name=user><button id=login-btn class='btn primary'>Log in</button></form>", "Log in"),
        ("a wrapper came between", "<a href=/>Help</a><form><div><input name=user></div><div><div><button id=x1 class='btn primary'>Sign in</button></div></div></form>", "Sign in"),
        ("a rival came before it", "<form><input name=q><button class='btn'>Search</button></form><form><input name=user><button class='btn primary'>Sign in</button></form>", "Sign in"),
    ],
)  # fmt: skip
def test_the_sign_in_button_is_found_when(change, html, text):
    result = heal(read_page(html), known(SIGN_IN, "#login-btn"))
    assert result.candidates[0].text == text, change


@pytest.mark.parametrize(
    ("selector", "healed"),
    [
        ("#login-btn", "Log in"),
        ("#login-email", 'input[name="email"]'),
        ("#login-password", 'input[name="password"]'),
        ("#newsletter-btn", "Subscribe"),
        ("#product-4711 button", "4711"),
        ("a[href='/returns']", "Returns"),
        ("a[href='/password/forgot']", "Forgot your password?"),
        ("[name=remember]", "remember"),
        ("[name=q]", "Search tents"),
    ],
)
def test_the_redesigned_shop_is_healed(selector, healed):
    page = read_page(SHOP_AFTER)
    result = heal(page, known(SHOP_BEFORE, selector))
    first = result.candidates[0]
    told = [first.text, first.html, *(locator.value for locator in first.locators)]
    assert any(healed in part for part in told), told


@pytest.mark.parametrize("selector", ["#live-chat", "#register-country", "#register-btn"])
def test_what_the_redesign_took_away_is_gone(selector):
    result = heal(read_page(SHOP_AFTER), known(SHOP_BEFORE, selector))
    assert result.decision == "gone"
    assert result.confidence < result.threshold
    assert result.candidates, "what came nearest is still listed"


@pytest.mark.parametrize("html", [SHOP_BEFORE, SHOP_AFTER, ADMIN, CONTROLS])
def test_on_an_unchanged_page_every_element_is_itself(html):
    page = read_page(html)
    for row in range(len(page)):
        if page.tag(row) in ("a", "button", "input", "select", "textarea", "h1", "h2"):
            wanted = fingerprint(page, row)
            scores = {healing.row: healing.score for healing in heal(page, wanted).candidates}
            assert scores.get(row) == max(scores.values()), page.html(row)


@pytest.mark.parametrize(
    "selector", ["#login-btn", "#login-email", "#cart-link", "#newsletter-btn", "#register-country"]
)
def test_a_locator_that_still_works_is_unchanged(selector):
    result = heal(read_page(SHOP_BEFORE), known(SHOP_BEFORE, selector))
    assert (result.decision, result.original_matches) == ("unchanged", 1)


def test_a_locator_that_finds_another_element_now_is_healed_not_unchanged():
    old = "<ul><li><a href=/in>Sign in</a><li><a href=/up>Register</a></ul>"
    new = "<ul><li><a href=/help>Help</a><li><a href=/in>Sign in</a><li><a href=/up>Register</a></ul>"
    result = heal(read_page(new), known(old, "li:nth-of-type(1) > a"))
    assert (result.decision, result.original_matches) == ("healed", 1)
    assert result.candidates[0].text == "Sign in"


@pytest.mark.parametrize("selector", ["#login-btn", "#login-password", "#cart-link"])
def test_renaming_the_id_and_nothing_else_still_finds_it(selector):
    renamed = SHOP_BEFORE.replace(f'id="{selector[1:]}"', 'id="zq"').replace(f'for="{selector[1:]}"', 'for="zq"')
    result = heal(read_page(renamed), known(SHOP_BEFORE, selector))
    assert result.decision == "healed"
    assert 'id="zq"' in result.candidates[0].html


ATTRIBUTES = ["id=login-btn", "class='btn primary'", "type=submit", "title=Go", "data-a=1", "aria-label='Sign in'"]


@given(st.permutations(ATTRIBUTES), st.permutations(ATTRIBUTES))
@settings(max_examples=30, deadline=None)
def test_the_order_of_attributes_changes_nothing(old, new):
    page = "<form><input name=user><button {}>Sign in</button><button>Help</button></form>".format
    changed = page(" ".join(new)).replace("login-btn", "go")
    plain = page(" ".join(ATTRIBUTES)).replace("login-btn", "go")
    wanted = known(page(" ".join(old)), "#login-btn")
    answers = [heal(read_page(html), wanted) for html in (changed, plain)]
    first, second = ([healing.score for healing in answer.candidates] for answer in answers)
    assert first == second


@pytest.mark.parametrize(
    ("locator", "text", "anchors", "action", "html", "found"),
    [
        (("css", "#login-btn"), None, (), None, "<button>Help</button><button>Sign in</button>", "Sign in"),
        (("css", "#submit-order"), "Buy now", (), None, "<button>Cancel</button><button>Buy now</button>", "Buy now"),
        (("css", "#login_pwd"), None, (), "type", "<input name=username><input type=password name=p aria-label=Password>", "Password"),
        (("css", ".delete"), None, ("Bob",), "click", "<table><tr><td>Ann<td><button>Delete</button><tr><td>Bob<td><button>Delete</button></table>", "Delete"),
        (("link text", "Sign in"), None, (), None, "<a href=/a>Help</a><a href=/b>Sign in »</a>", "Sign in"),
        (("role", 'button[name="Save"]'), None, (), None, "<button>Save draft</button><a href=#>Save</a><button>Send</button>", "Save"),
        (("xpath", "//label[text()='E-mail']/following-sibling::input"), None, (), None, "<label>Name</label><input name=n><label>E-mail</label><div><input name=e></div>", "name=\"e\""),
    ],
)  # fmt: skip
def test_with_the_locator_alone(locator, text, anchors, action, html, found):
    wanted = guess_fingerprint(read_locator(*locator), text, anchors, action)
    first = heal(read_page(html), wanted).candidates[0]
    assert found in first.text + first.html


def test_a_generated_id_is_weak_evidence():
    wanted = known("<a href=/a>Help</a><button id=:r1: class='Btn_x__a1B2c primary'>Save</button>", "button")
    page = read_page(
        "<button id=:r1: class='Btn_x__a1B2c'>Print</button><button id=:r2: class='Btn_x__z9Y8x primary'>Save</button>"
    )
    first, second = heal(page, wanted, limit=2).candidates
    assert (first.text, second.text) == ("Save", "Print")
    assert heal(page, guess_fingerprint(read_locator("id", ":r1:"), "Save")).candidates[0].text == "Save"


def test_an_anchor_decides_between_twins():
    html = "<table><tr><td>Ann<td><button>Delete</button><tr><td>Bob<td><button>Delete</button><tr><td>Cy<td><button>Delete</button></table>"
    page = read_page(html)
    buttons = page.css("button").tolist()
    for at, name in enumerate(("Ann", "Bob", "Cy")):
        wanted = guess_fingerprint(read_locator("css", "#gone"), "Delete", (name,), "click")
        assert heal(page, wanted).candidates[0].row == buttons[at]


def test_a_page_with_nothing_on_it_says_gone():
    result = heal(read_page(""), guess_fingerprint(read_locator("css", "#a")))
    assert (result.decision, result.candidates, result.confidence) == ("gone", [], 0.0)


def test_any_callable_is_a_ranker():
    backwards = Model("backwards", lambda page, rows, wanted: rows / len(page), ROUGH)
    page = read_page("<p>a<p>b<p>c")
    assert heal(page, Fingerprint(tag="p"), backwards, limit=1).candidates[0].text == "c"


def test_two_broken_locators_do_not_get_the_same_element():
    old = "<form><button id=a>Save</button><button id=b>Save as</button></form>"
    new = "<form><button>Save</button></form>"
    both = heal_all(read_page(new), [known(old, "#a"), known(old, "#b")])
    first = [result.candidates[0].row if result.candidates else None for result in both]
    assert first[0] is not None
    assert first[0] != first[1]


def test_many_locators_of_the_shop_each_get_their_own():
    selectors = ["#login-email", "#newsletter-email", "#login-btn", "#newsletter-btn", "#search-btn"]
    page = read_page(SHOP_AFTER)
    results = heal_all(page, [known(SHOP_BEFORE, selector) for selector in selectors])
    rows = [result.candidates[0].row for result in results]
    assert len(set(rows)) == len(rows)
    emails = page.css("[type=email]").tolist()
    assert rows[:2] == emails


def test_the_same_locator_twice_gets_the_same_answer():
    wanted = known(SHOP_BEFORE, "#login-btn")
    first, second = heal_all(read_page(SHOP_AFTER), [wanted, wanted])
    assert first == second


def test_assignment_gives_the_highest_sum_not_the_first_come():
    rows = [np.array([3, 5]), np.array([3, 7])]
    scores = [np.array([0.9, 0.8]), np.array([0.9, 0.1])]
    assert assign(rows, scores) == [5, 3]


def test_two_locators_of_one_element_share_it():
    before, page = read_page(SHOP_BEFORE), read_page(SHOP_AFTER)
    locators = [read_locator("css", "#login-btn"), read_locator("xpath", "//form[@id='login-form']/button")]
    first, second = heal_all(page, [baseline_fingerprint(before, locator) for locator in locators])
    assert first.candidates[0].row == second.candidates[0].row


def test_the_reasons_name_what_matched_and_what_did_not():
    first = heal(read_page(SHOP_AFTER), known(SHOP_BEFORE, "#login-btn")).candidates[0]
    assert "same type 'submit'" in first.reasons
    assert "no id, wanted 'login-btn'" in first.reasons
    assert any(reason.startswith("similar text 'Log in'") for reason in first.reasons)


def test_why_the_runner_up_lost():
    page, wanted = read_page(SHOP_AFTER), known(SHOP_BEFORE, "#login-btn")
    winner, rival, third = heal(page, wanted).candidates[:3]
    assert "lost by its type: none is further from 'submit' than 'submit'" in rival.reasons
    assert not any(reason.startswith("lost") for reason in winner.reasons + third.reasons)


@pytest.mark.parametrize("selector", ["#login-btn", "#login-email", "#product-4711 button", "select"])
def test_a_stored_fingerprint_comes_back_as_it_was(selector):
    wanted = with_context(known(SHOP_BEFORE, selector), "text", ["near"], "click")
    assert load_fingerprint(dump_fingerprint(wanted)) == wanted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "Invalid JSON"),
        ("[]", "an object"),
        ('{"version": 1, "known": {}}', "version 1"),
        ('{"version": 2, "known": {"tag": 3}}', "known.tag"),
        ('{"version": 2, "known": {"nonsense": 3}}', "known.nonsense"),
        ('{"version": 2, "known": {"place": NaN}}', "place"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_bad_stored_fingerprint_is_refused(text, shown):
    with pytest.raises(CannotHeal, match="bad_fingerprint") as refusal:
        load_fingerprint(text)
    assert shown in refusal.value.sentence


def test_an_action_that_is_none_is_refused():
    with pytest.raises(CannotHeal, match="unknown_action") as refusal:
        guess_fingerprint(read_locator("css", "#a"), action="hover")
    assert "'hover'" in refusal.value.sentence


def test_the_baseline_without_the_element_gives_no_fingerprint():
    assert baseline_fingerprint(read_page("<p>"), Locator("css", "#a")) is None


def test_noise_elsewhere_on_the_page_does_not_change_the_winner():
    wanted = known(SHOP_BEFORE, "#login-btn")
    noise = "".join(f"<p class=n{n}>Paragraph {n} about tents</p>" for n in random.Random(1).sample(range(500), 200))
    page = read_page(SHOP_AFTER.replace("</main>", f"<aside>{noise}</aside></main>"))
    assert heal(page, wanted, WEIGHTED).candidates[0].text == "Log in"
