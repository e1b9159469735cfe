"""A locator finds what the tool finds that it was written for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import ADMIN, CONTROLS, SHOP_AFTER, SHOP_BEFORE
from self_heal_engine.dom import gather
from self_heal_engine.errors import CannotHeal
from self_heal_engine.locators import KINDS, Locator
from self_heal_engine.matching import matches
from self_heal_engine.parser import read_page
from self_heal_engine.reading import read_locator
from test_reading import PIECES


def found(html, kind, value):
    page = read_page(html)
    rows = matches(page, read_locator(kind, value))
    return gather(page.attribute("id"), rows)


@pytest.mark.parametrize(
    ("kind", "value", "html", "ids"),
    [
        ("id", "a", "<p id=a><p id=A>", ["a"]),
        ("name", "q", "<input id=a name=q><p id=b name=q>", ["a", "b"]),
        ("class_name", "x", "<p id=a class='x y'><p id=b class=xy>", ["a"]),
        ("tag_name", "P", "<p id=a><b id=b>", ["a"]),
        ("link_text", "Sign in", "<a id=a> Sign <b>in</b></a><a id=b>Sign in now</a>", ["a"]),
        ("link_text", "Sign in", "<a id=a hidden>Sign in</a>", []),
        ("partial_link_text", "Sign", "<a id=a>Sign in</a><p id=b>Sign", ["a"]),
        ("test_id", "x", "<p id=a data-testid=x><p id=b data-cy=x><p id=c data-id=x>", ["a", "b"]),
        ("test_id", "data-id=x", "<p id=a data-testid=x><p id=c data-id=x>", ["c"]),
        ("placeholder", "Your  name", "<input id=a placeholder='Your name'><input id=b placeholder='your name'>", ["a"]),
        ("alt_text", "Logo", "<img id=a alt=Logo>", ["a"]),
        ("title", "Tip", "<p id=a title=Tip>", ["a"]),
        ("label", "User", "<label for=a>User</label><input id=a><input id=b aria-label=User>", ["a", "b"]),
        ("text", "One", "<div id=a><p id=b>One</p></div><p id=c>One two</p>", ["b"]),
        ("text", "Go", "<input id=a type=submit value=Go><input id=b value=Go>", ["a"]),
        ("text", "One Two", "<p id=a>One <b>Two</b></p>", ["a"]),
        ("role", "button", "<button id=a></button><div id=b role=button></div><button id=c hidden></button>", ["a", "b"]),
        ("role", 'button[name="Go"]', "<button id=a>Go</button><button id=b>Go on</button>", ["a"]),
        ("role", "button[name=/go/i]", "<button id=a>Go</button><button id=b>Go on</button>", ["a", "b"]),
        ("role", 'button[name="go" i]', "<button id=a>Go</button><button id=b>Stop</button>", ["a"]),
        ("role", "heading[level=2]", "<h1 id=a>x</h1><h2 id=b>y</h2><p id=c role=heading aria-level=2>z</p>", ["b", "c"]),
        ("role", "checkbox[checked]", "<input id=a type=checkbox checked><input id=b type=checkbox>", ["a"]),
        ("role", "button[disabled=false]", "<button id=a disabled>x</button><button id=b>y</button>", ["b"]),
        ("css", "a:contains('in')", "<a id=a>Sign IN</a><a id=b>out</a>", ["a"]),
        ("css", "a:has-text('in'):visible", "<a id=a hidden>in</a><a id=b>in</a>", ["b"]),
        ("css", "p:eq(1)", "<p id=a><p id=b><p id=c>", ["b"]),
        ("css", "p:nth(-1)", "<p id=a><p id=b>", ["b"]),
        ("css", "p:first", "<p id=a><p id=b>", ["a"]),
        ("css", "p:last", "<p id=a><p id=b>", ["b"]),
        ("css", "p:text-is('x')", "<p id=a>x</p><p id=b>xy</p>", ["a"]),
        ("css", "div >> p >> nth=1", "<div><p id=a><p id=b></div>", ["b"]),
        ("css", "div >> text=Go", "<div><p id=a>Go</p></div><p id=b>Go</p>", ["a"]),
        ("css", "a, p", "<p id=a></p><a id=b></a>", ["a", "b"]),
        ("css", "a:has-text('x, y'), p", "<a id=a>x, y</a><a id=b>x</a><p id=c>", ["a", "c"]),
        ("css", "tr:has-text('Ann') button", "<table><tr><td>Ann<td><button id=a></button><tr><td>Bob<td><button id=b></button></table>", ["a"]),
        ("css", "label:contains('User') + input", "<label>User</label><input id=a><input id=b>", ["a"]),
        ("css", "label:contains('User') ~ input", "<label>User</label><input id=a><input id=b>", ["a", "b"]),
        ("css", "div:has-text('x') > p", "<div>x<p id=a></p><b><p id=b></p></b></div>", ["a"]),
        ("css", "[title=':first']", "<p id=a title=':first'><p id=b title=':first'>", ["a", "b"]),
        ("css", "p:eq(--1)", "<p id=a>", []),
        ("css", "p:text('go')", "<p id=a>Let us Go</p><p id=b><b>go</b></p>", ["a"]),
        ("role", 'button[name*="go" i]', "<button id=a>Let us Go</button><button id=b>Stop</button>", ["a"]),
        ("role", 'button[name="go" i]', "<button id=a>Go</button><button id=b>Go on</button>", ["a"]),
        ("xpath", "//p[2]", "<p id=a><p id=b>", ["b"]),
    ],
)  # fmt: skip
def test_it_finds(kind, value, html, ids):
    assert found(html, kind, value) == ids


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("html", [SHOP_BEFORE, SHOP_AFTER, ADMIN, CONTROLS])
def test_text_label_and_attribute_kinds_find_what_playwright_finds(html, browser_page):
    browser_page.set_content(html)
    page = read_page(browser_page.content())
    browser_page.evaluate("() => document.querySelectorAll('*').forEach((element, row) => element.row = row)")
    attributes = {"placeholder": "placeholder", "alt_text": "alt", "title": "title", "test_id": "data-testid"}
    asked = {
        "text": {page.text_content(row) for row in range(len(page)) if 0 < page.solid_lengths[row] < 60},
        "label": {page.text_content(row) for row in page.css("label")} | set(page.attribute("aria-label").values),
        **{kind: set(page.attribute(name).values) for kind, name in attributes.items()},
    }
    for kind, values in asked.items():
        for value in sorted(filter(str.strip, values)):
            search = getattr(browser_page, f"get_by_{kind}")
            locator = search(value) if kind == "test_id" else search(value, exact=True)
            seen = locator.evaluate_all("found => found.map(element => element.row)")
            assert matches(page, Locator(kind, value)).tolist() == seen, (kind, value)


@given(st.sampled_from(KINDS), PIECES)
@settings(max_examples=400, deadline=None)
def test_whatever_is_read_is_run_or_refused(kind, value):
    page = read_page(ADMIN)
    try:
        rows = matches(page, read_locator(kind, value))
    except CannotHeal as refusal:
        assert str(refusal) in ("locator_syntax", "empty_locator")
    else:
        assert rows.dtype == np.intp
        assert (np.diff(rows) > 0).all(), "sorted, each once"


STATES = """<fieldset disabled><legend><button id=l>Legend</button></legend><button>In</button><input><div role=button>div</div></fieldset>
<button disabled>off</button><div aria-disabled=true><button>chain</button><a href=#>x</a><p>t</p></div><button aria-pressed=mixed>m</button>
<button aria-pressed=TRUE>on</button><button aria-pressed=false>no</button><button aria-expanded=true>e</button><button aria-expanded=false>c</button>
<div role=checkbox aria-checked=true>1</div><div role=checkbox aria-checked=mixed>2</div><div role=checkbox>3</div><input type=checkbox checked>
<input type=checkbox aria-checked=true><input type=radio checked><select><option>a<option>b</select><select><option>a<option selected>b</select>
<select><option disabled>a<option>b</select><select multiple><optgroup disabled><option selected>a</optgroup><option>b</select>
<select><option selected>p<option selected>q</select><select size=3><option>z<option>y</select><div role=tab aria-selected=true>t</div><div role=tab>u</div><details open><summary>s</summary></details>
<details><summary>s</summary></details><h1>1</h1><h2 aria-level=4>2</h2><p role=heading aria-level=2>3</p><p role=heading>4</p>
<div role=treeitem aria-level=2 aria-expanded=true>5</div>"""


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(
    "state",
    ["checked", "disabled", "expanded", "pressed", "selected", "level=2", "level=4", "checked=mixed", "pressed=mixed"],
)
def test_states_are_those_that_playwright_sees(state, browser_page):
    browser_page.set_content(STATES)
    page = read_page(browser_page.content())
    browser_page.evaluate("() => document.querySelectorAll('*').forEach((element, row) => element.row = row)")
    able = {
        "checked": ["checkbox", "radio", "option"], "expanded": ["button", "checkbox", "tab", "treeitem"], "pressed": ["button"],
        "selected": ["option", "tab"], "level": ["heading", "treeitem"], "disabled": ["button", "textbox", "link", "option", "group"],
    }[state.partition("=")[0]]  # fmt: skip
    asked = [state] if "=" in state else [state, f"{state}=true", f"{state}=false"]
    for role in able:
        for condition in asked:
            found = browser_page.locator(f"role={role}[{condition}]").evaluate_all("found => found.map(e => e.row)")
            assert matches(page, read_locator("role", f"{role}[{condition}]")).tolist() == found, (role, condition)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("html", [SHOP_BEFORE, ADMIN, CONTROLS])
def test_unusual_css_finds_what_playwright_finds(html, browser_page):
    browser_page.set_content(html)
    page = read_page(browser_page.content())
    browser_page.evaluate("() => document.querySelectorAll('*').forEach((element, row) => element.row = row)")
    for selector in [
        "tr:has-text('Ann') button", "tr:has-text('bob') >> button", "li:has-text('e') > a", "label:has-text('User') ~ input", "td:text('ann')",
        "button:text('i'), a:has-text('E')", "button >> nth=1", "button >> nth=-1", "li >> text=users", ":text('e')", "label:text-is('nothing')",
    ]:  # fmt: skip
        found = browser_page.locator(selector).evaluate_all("found => found.map(element => element.row)")
        assert matches(page, read_locator("css", selector)).tolist() == sorted(found), selector
