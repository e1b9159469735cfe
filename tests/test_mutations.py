"""Edited pages: whatever was done to a page, the truth is exact."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import ADMIN, CONTROLS, SHOP_AFTER
from self_heal_engine.mutations import delete, edit, mask, mutate, slug, with_test_ids
from self_heal_engine.operators import AMBIENT_OPERATORS, MASKED, OPERATORS, css_modules
from self_heal_engine.params import read_params
from self_heal_engine.parser import read_page

ALWAYS = dict.fromkeys([*OPERATORS, "css_modules", "removed"], 1.0)

FORM = """<!doctype html><html><head><title>T</title></head><body><nav class="bar"><a href="/home.html" class="on">Home</a>
<a href="/list.html">Orders</a></nav><main class="page"><h2 class="title">Sign in</h2><form class="box wide" id="login">
<div class="row"><label for="user">User name</label><input id="user" name="user" type="text" class="field" title="yours"></div>
<div class="row"><label>Stay <input type="checkbox" name="stay" value="1" aria-label="Stay signed in"></label></div>
<button id="go" class="btn primary" type="submit" data-testid="go" title="now">Sign in</button></form></main></body></html>"""

# A word in an attribute that no operator touches, on the target alone: what the truth is checked by.
TRUTH = "for"


def targets_of(page):
    """The elements that a test might use, by row."""
    return [
        row
        for row in range(len(page))
        if page.tag(row) in ("a", "button", "input", "select", "textarea", "h2", "h3", "div")
    ]


def marked(html, row):
    """The page with a private word on one element."""

    def change(draft):
        draft.targets[row][TRUTH] = "the-truth"

    return edit(html, [row], "seed", change).html


def holders(html):
    page = read_page(html)
    return page, page.attribute(TRUTH).rows_with("the-truth").tolist()


# Pages whose nesting browsers leave as it is, with what operators look for.
words = st.sampled_from(["Save", "Delete order", "Profile", "Sign in", "Next", "Mail to Ann", "17 items"])
leaf = st.one_of(
    st.builds('<a href="/{}.html" class="c{}">{}</a>'.format, st.integers(0, 9), st.integers(0, 3), words),
    st.builds('<button id="b{}" name="n" type="button" title="t">{}</button>'.format, st.integers(0, 9), words),
    st.builds('<label>{} <input name="f{}" placeholder="p"></label>'.format, words, st.integers(0, 9)),
    st.builds('<label for="i{0}">{1}</label><input id="i{0}" data-test="x{0}">'.format, st.integers(0, 9), words),
    st.builds("<h3>{}</h3>".format, words),
)
tree = st.recursive(
    leaf, lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda parts: f'<div class="box">{"".join(parts)}</div>'),
    max_leaves=12,
)  # fmt: skip
pages = st.lists(tree, min_size=1, max_size=3).map(lambda parts: f"<body><main>{''.join(parts)}</main></body>")


@pytest.mark.parametrize("name", [*OPERATORS, "css_modules"])
@settings(max_examples=40, deadline=None)
@given(html=pages, which=st.integers(0, 10**6), seed=st.integers(0, 10**6))
def test_the_truth_stays_exact_under(name, html, which, seed):
    rows = targets_of(read_page(html))
    row = rows[which % len(rows)]
    html = marked(html, row)

    def change(draft):
        css_modules(draft) if name == "css_modules" else OPERATORS[name](draft, draft.targets[row])

    edited = edit(html, [row], str(seed), change)
    _, found = holders(edited.html)
    assert "data-row" not in edited.html, "the private marker is gone"
    if row in edited.rows:
        assert edited.rows[row] in found
        assert len(found) == 1 or name == "near_duplicate_inserted"


@settings(max_examples=60, deadline=None)
@given(html=pages, which=st.integers(0, 10**6), seed=st.integers(0, 10**6), severity=st.integers(1, 4))
def test_the_truth_stays_exact_under_all_of_them_at_once(html, which, seed, severity):
    rows = targets_of(read_page(html))
    row = rows[which % len(rows)]
    edited = mutate(marked(html, row), [row], ALWAYS, severity, str(seed))
    _, found = holders(edited.html)
    if row in edited.rows:
        assert edited.rows[row] in found
        assert len(edited.operators[row]) >= 1


@pytest.mark.parametrize("level", [1, 2, 3])
@settings(max_examples=30, deadline=None)
@given(html=pages, which=st.integers(0, 10**6), seed=st.integers(0, 10**6))
def test_the_truth_stays_exact_under_a_mask(level, html, which, seed):
    rows = targets_of(read_page(html))
    row = rows[which % len(rows)]
    edited = mask(marked(html, row), [row], level, str(seed))
    assert holders(edited.html)[1] == [edited.rows[row]]


@settings(max_examples=30, deadline=None)
@given(html=pages, which=st.integers(0, 10**6))
def test_a_deleted_element_is_gone_and_the_others_are_not(html, which):
    rows = targets_of(read_page(html))
    row = rows[which % len(rows)]
    edited = delete(marked(html, row), [row], "seed")
    assert edited.rows == {row: None}
    assert holders(edited.html)[1] == []


@pytest.mark.parametrize("html", [SHOP_AFTER, ADMIN, CONTROLS], ids=["shop", "admin", "controls"])
@pytest.mark.parametrize("severity", [1, 3])
def test_many_targets_of_a_realistic_page_are_followed_at_once(html, severity):
    page = read_page(html)
    rows = [row for row in targets_of(page) if page.tag(row) != "div"][:8]
    edited = mutate(html, rows, dict.fromkeys(OPERATORS, 0.4), severity, "seed")
    assert len(edited.rows) >= len(rows) - 1, "an edit hardly ever splits an element"
    assert len(set(edited.rows.values())) == len(edited.rows)


def test_the_same_seed_gives_the_same_page_and_another_another():
    rates = dict.fromkeys(OPERATORS, 0.5)
    rows = targets_of(read_page(SHOP_AFTER))[:5]
    one, again, other = (mutate(SHOP_AFTER, rows, rates, 2, seed) for seed in ("1", "1", "2"))
    assert one == again
    assert one.html != other.html


@pytest.mark.parametrize(
    ("name", "selector", "before", "after"),
    [
        ("id_regenerated", "#go", 'id="go"', r'id="(?!go")[^"]+"'),
        ("class_replaced", "#go", 'class="btn primary"', r'class="(?!btn primary")[^"]+"'),
        ("name_changed", "[name=user]", 'name="user"', r'name="(?!user")[^"]+"'),
        ("href_changed", ".on", 'href="/home.html"', r'href="(?!/home.html")[^"]+"'),
        ("test_id_changed", "#go", 'data-testid="go"', r"<button(?![^>]*data-testid=\"go\")"),
        ("attribute_dropped", "#go", 'title="now"', r'<button id="go"(?![^>]*title)'),
        ("text_reworded", "#go", ">Sign in<", r">(Log in|Login|Sign on)</button>"),
        ("wrapper_inserted", "#go", 'submit" data-', r'<(div|span)[^>]*>\s*(<button id="go"|<form)'),
        ("tag_swapped", "#go", "<button", r'<(div|a)[^>]*id="go"'),
        ("tag_swapped", ".on", '<a href="/home', r'<button[^>]*class="on"[^>]*>Home'),
        ("tag_swapped", "[name=user]", "<input", r'<textarea[^>]*name="user"'),
        ("near_duplicate_inserted", "#go", "Sign in</button>", r"(?s)</button>.*</button>"),
    ],
)
def test_an_operator_does_what_its_name_says(name, selector, before, after):
    assert before in FORM
    page = read_page(FORM)
    (row,) = page.css(selector)
    done = []
    edited = edit(FORM, [row], "1", lambda draft: done.append(OPERATORS[name](draft, draft.targets[row])))
    assert done == [True]
    assert re.search(after, edited.html), edited.html


def test_what_only_a_browser_without_scripts_would_see_is_no_hindrance():
    html = "<body><noscript><p>No <b>scripts</b></p></noscript><textarea><i></textarea><a href=/x>Go</a></body>"
    (row,) = read_page(html).css("a")
    edited = mutate(html, [row], ALWAYS, 2, "seed")
    assert read_page(edited.html).text(edited.rows[row])


def test_attributes_keep_their_order():
    (row,) = read_page(FORM).css("#go")
    edited = mutate(FORM, [row], {"class_replaced": 1.0}, 1, "1")
    names = list(read_page(edited.html).attributes(edited.rows[row]))
    assert names == ["id", "class", "type", "data-testid", "title"]


def test_a_moved_field_takes_its_label_along():
    (row,) = read_page(FORM).css("#user")
    for seed in range(10):
        edited = edit(FORM, [row], str(seed), lambda draft: OPERATORS["moved"](draft, draft.targets[row]))
        assert re.search(r'<div class="row"><label for="user">User name</label><input', edited.html)


def test_siblings_change_places_and_none_is_lost():
    page = read_page(SHOP_AFTER)
    row = targets_of(page)[3]
    edited = edit(SHOP_AFTER, [row], "5", lambda draft: OPERATORS["siblings_reordered"](draft, draft.targets[row]))
    after = read_page(edited.html)
    assert sorted(map(after.tag, range(len(after)))) == sorted(map(page.tag, range(len(page))))


def test_a_label_follows_the_id_of_its_field():
    (row,) = read_page(FORM).css("#user")
    for seed in range(20):
        edited = mask(FORM, [row], 1, str(seed))
        after = read_page(edited.html)
        new = after.value(edited.rows[row], "id")
        if new:
            assert f'<label for="{new}">' in edited.html
        else:
            assert any(after.tag(above) == "label" for above in after.ancestors(edited.rows[row]))


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_mask_hides_what_its_level_says_and_leaves_the_rest(level):
    (row,) = read_page(FORM).css("#go")
    edited = mask(FORM, [row], level, "seed")
    after = read_page(edited.html)
    attributes, text = after.attributes(edited.rows[row]), after.text(edited.rows[row])
    assert attributes.get("id") != "go"
    assert attributes.get("data-testid") != "go"
    assert (attributes.get("title") == "now") == (level < 2)
    assert (text == "Sign in") == (level < 3)
    assert attributes["class"] == "btn primary"


def test_a_mask_hits_others_too_so_that_an_odd_id_does_not_give_the_target_away():
    html = "<body>" + "".join(f'<button id="b{number}">B{number}</button>' for number in range(100)) + "</body>"
    edited = mask(html, [5], 1, "seed")
    kept = sum(f'id="b{number}"' in edited.html for number in range(100))
    assert 25 <= kept <= 55


def test_css_modules_give_one_class_one_name_everywhere():
    html = '<body><a class="x y">1</a><a class="x">2</a></body>'
    edited = edit(html, [3], "seed", css_modules)
    first, second = re.findall(r'class="([^"]+)"', edited.html)
    assert first.split()[0] == second
    assert second.startswith("x_")


def test_a_near_duplicate_can_be_told_from_the_original():
    (row,) = read_page(FORM).css("#go")
    edited = edit(FORM, [row], "3", lambda draft: OPERATORS["near_duplicate_inserted"](draft, draft.targets[row]))
    after = read_page(edited.html)
    one, other = after.css("button").tolist()
    assert after.text(one) != after.text(other)
    assert after.value(one, "id") != after.value(other, "id")
    assert after.text(edited.rows[row]) == "Sign in"


def test_a_deleted_field_takes_its_label_along():
    (row,) = read_page(FORM).css("#user")
    assert "User name" not in delete(FORM, [row], "seed").html


def test_test_ids_are_set_and_no_row_moves():
    page = read_page(FORM)
    (row,) = page.css("#user")
    edited = with_test_ids(FORM, {row: "user-field"}, "seed")
    after = read_page(edited.html)
    assert edited.rows == {row: row}
    assert after.value(row, "data-testid") == "user-field"
    assert slug("Sign in, please do so now") == "sign-in-please-do"


def test_rates_decide_how_often_an_operator_hits():
    html = "<body>" + "".join(f'<a href="/{number}" class="c">L{number}</a>' for number in range(60)) + "</body>"
    rows = list(range(3, 63))
    edited = mutate(html, rows, {"href_changed": 0.5}, 0, "seed")
    hit = sum("href_changed" in names for names in edited.operators.values())
    assert 18 <= hit <= 42
    assert not any("class_replaced" in names for names in edited.operators.values())


def test_every_operator_has_a_rate_for_every_severity():
    rates = read_params(Path("params.yaml")).cases.rates
    for severity, given_ in rates.items():
        assert set(given_) == {*OPERATORS, "css_modules", "removed"}, severity
    for name in OPERATORS:
        assert [rates[level][name] for level in "1234"] == sorted(rates[level][name] for level in "1234"), name


def test_masks_and_ambient_changes_name_what_exists():
    assert set(AMBIENT_OPERATORS) - {"removed"} <= set(OPERATORS)
    assert set(MASKED) == {1, 2, 3}
