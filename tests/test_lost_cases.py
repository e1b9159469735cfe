"""The lost cases: by kind, and as a page that no one else's page can write on."""

import re
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from self_heal_engine import lost_cases as kinds
from self_heal_engine.dataset import open_page
from self_heal_engine.lost_cases import KINDS, kinds_of_loss, lost_page
from test_dataset import CASE

OLD = "<main><h1>Orders</h1><button id=pay>Pay</button><a href=/a>Home</a><input name=q><p>Total</p></main>"
NEW = (
    "<main><h1>Orders</h1><button id=buy><b>Pay</b></button><a href=/b>Start</a><input name=q2><input name=r>"
    "<button id=other>Pay</button><p>Sum</p><p>Total</p><select><option>Total</option></select></main>"
)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "old.html").write_text(OLD)
    (tmp_path / "new.html").write_text(NEW)
    return tmp_path


@pytest.fixture
def lose(data):
    """Return a function that makes a case and its outcome from CSS selectors."""
    old, new = open_page(data, "old.html"), open_page(data, "new.html")

    def lost(was, right, chosen, place=2, healed=True, **facts):
        case = replace(
            CASE, old_page="old.html", new_page="new.html", old_row=int(old.css(was)[0]),
            new_row=None if right is None else int(new.css(right)[0]), **facts,
        )  # fmt: skip
        row = -1 if chosen is None else int(new.css(chosen)[0])
        return case, {"place": place, "candidates": 9, "chosen": row, "confidence": 0.876, "healed": healed}

    return lost


def outcomes(*lost):
    """Return cases with ids of their own, and their outcomes."""
    cases = [replace(case, id=f"case{number:03}") for number, (case, _) in enumerate(lost)]
    return cases, pd.DataFrame([{"id": case.id, **row} for case, (_, row) in zip(cases, lost, strict=True)])


@pytest.mark.parametrize(
    ("kind", "arguments", "facts"),
    [
        (kinds.GONE, ("#pay", None, "#other"), {"place": 0}),
        (kinds.NOT_LISTED, ("#pay", "#buy", "#other"), {"place": 0}),
        (kinds.NOT_LISTED, ("#pay", "#buy", None), {"place": 0}),
        (kinds.NESTED, ("#pay", "#buy", "#buy b"), {}),
        (kinds.NESTED, ("#pay", "#buy", "main"), {"knowledge": "locator"}),
        (kinds.LOOK_ALIKE, ("#pay", "#buy", "#other"), {"knowledge": "locator"}),
        (kinds.LOCATOR_ALONE, ("a", "a", "#other"), {"knowledge": "locator"}),
        (kinds.REWORDED, ("a", "a", "#other"), {}),
        (kinds.TWIN, ("input", "input", "input[name=r]"), {}),
        (kinds.OTHER_TAG, ("p", "p:nth-of-type(2)", "a"), {}),
        (kinds.OTHER, ("p", "p:nth-of-type(2)", "p"), {}),
    ],
)
def test_a_loss_is_of_a_kind(kind, arguments, facts, lose, data):
    assert kinds_of_loss(*outcomes(lose(*arguments, **facts)), data) == {kind: 1}


def test_what_is_healed_rightly_or_left_alone_for_good_reason_is_not_lost(lose, data):
    found = outcomes(
        lose("#pay", "#buy", "#buy", place=1, healed=False),
        lose("#pay", None, "#other", place=0, healed=False),
        lose("#pay", "#buy", "#other", healed=False),
        lose("#pay", "#buy", "#other"),
    )
    assert kinds_of_loss(*found, data) == {kinds.LOOK_ALIKE: 2}


def test_without_an_old_page_nothing_is_said_of_its_text(lose, data):
    case, row = lose("a", "a", "#other")
    assert kinds_of_loss(*outcomes((replace(case, old_page=None, old_row=None), row)), data) == {kinds.OTHER_TAG: 1}


def test_the_outcomes_of_other_cases_are_refused(lose, data):
    cases, rows = outcomes(lose("#pay", "#buy", "#other"), lose("#pay", None, "#other"))
    with pytest.raises(ValueError, match="not those of these cases"):
        lost_page(cases[::-1], rows, data)


def test_the_page_shows_the_old_the_chosen_and_the_right_element_and_why(lose, data):
    html = lost_page(*outcomes(lose("p", "p", "option", place=3)), data)
    for part in (
        "1 lost of 1 cases", kinds.REWORDED, "old <span", "chosen <span", "right <span",
        "at confidence 0.876; 9 candidates, the right one in place 3", "healed wrongly",
        "lost by its text: &#x27;Sum&#x27; is further from &#x27;Total&#x27; than &#x27;Total&#x27;",
        "lost by its tag: &#x27;option&#x27; is further from &#x27;p&#x27; than &#x27;p&#x27;",
    ):  # fmt: skip
        assert part in html, part
    assert html.index("lost by its text") < html.index("the chosen one should have") < html.index("lost by its tag")


def test_nothing_is_said_for_the_right_element_where_nothing_speaks_for_it(lose, data):
    html = lost_page(*outcomes(lose("p", "p:nth-of-type(2)", "p:nth-of-type(2)")), data)
    assert html.count("lost by its place") == 1
    assert "should have" not in html


def test_a_gone_element_and_a_case_without_candidates_are_shown(lose, data):
    html = lost_page(
        *outcomes(lose("#pay", None, "#other", place=0), lose("a", "a", None, place=0, healed=False)), data
    )
    assert html.count("not there") == 2
    assert "not healed" in html


def test_every_kind_gives_its_share_of_the_page(lose, data):
    many = (
        [lose("#pay", "#buy", "#other")] * 30 + [lose("a", "a", "#other")] * 3 + [lose("#pay", None, "a", place=0)] * 8
    )
    html = lost_page(*outcomes(*many), data, most=12)
    assert html.count("<article>") == 12
    shown = dict(re.findall(r"<h2 [^>]*>([^:<]+): ([^<]+)</h2>", html))
    assert shown == {
        kinds.GONE: "5 of 8 cases", kinds.LOOK_ALIKE: "4 of 30 cases", kinds.REWORDED: "3 cases",
    }  # fmt: skip
    assert lost_page(*outcomes(*many), data, most=12) == html
    assert lost_page(*outcomes(*many), data, most=12, seed=2) != html


def test_links_lead_to_the_kinds(lose, data):
    html = lost_page(*outcomes(lose("#pay", "#buy", "#other"), lose("a", "a", "#other")), data)
    links, names = re.findall(r'href="#([^"]+)"', html), re.findall(r'<h2 id="([^"]+)"', html)
    assert links == names
    assert len(set(names)) == 2


def test_a_page_cannot_write_on_the_page_of_lost_cases(data):
    evil = '<button id="a" title="</pre><script>alert(1)</script>">Pay<img src=x onerror=alert(1)></button><a>Pay</a>'
    for name in ("old.html", "new.html"):
        (data / name).write_text(evil)
    page = open_page(data, "new.html")
    case = replace(
        CASE, old_page="old.html", new_page="new.html", old_row=3, new_row=3, original_locator="<script>",
        visible_text="<script>", anchors=("<iframe>",), operators=("<b>",), source="<i>", page="<u>",
    )  # fmt: skip
    row = {"place": 2, "candidates": 2, "chosen": int(page.css("a")[0]), "confidence": 0.5, "healed": True}
    html = lost_page(*outcomes((case, row)), data)
    assert set(re.findall(r"<(\w+)", html)) <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "nav", "table", "tr", "td", "a", "article", "header",
        "span", "code", "div", "pre", "b", "mark", "ul", "li",
    }  # fmt: skip
    assert html.count("<b>") == Counter(re.findall(r"<b>\[", html)).total(), (
        "the mark at the element, no bold of a page"
    )
    assert not re.search(r"\b(src|href)=[\"']?(https?:|//)", html), "it needs nothing from elsewhere"


def test_a_case_does_not_read_outside_the_data(lose, data):
    case, row = lose("#pay", "#buy", "#other")
    with pytest.raises(Exception, match="bad_path"):
        lost_page(*outcomes((replace(case, new_page="../secret.html"), row)), data)


def test_kinds_say_different_things():
    assert len(set(KINDS)) == len(KINDS) == 9
