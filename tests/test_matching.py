"""A locator finds what the tool finds that it was written for."""

import pytest

from pages import ADMIN, CONTROLS, SHOP_AFTER, SHOP_BEFORE
from self_heal_engine.dom import gather
from self_heal_engine.locators import Locator
from self_heal_engine.matching import matches
from self_heal_engine.parser import read_page
from self_heal_engine.reading import read_locator


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
