"""Roles, names and labels are those that Playwright and assistive technology see."""

import time

import pytest
from hypothesis import given, settings

from pages import ADMIN, CONTROLS, SHOP_AFTER, SHOP_BEFORE
from self_heal_engine.accessibility import KNOWN_ROLES, labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.parser import read_page
from test_parser import MARKUP


def only(page, selector="#x"):
    (row,) = page.css(selector).tolist()
    return row


@pytest.mark.parametrize(
    ("html", "role"),
    [
        ("<a id=x href=/>", "link"),
        ("<a id=x>", None),
        ("<button id=x>", "button"),
        ("<input id=x>", "textbox"),
        ("<input id=x type=SUBMIT>", "button"),
        ("<input id=x type=hidden>", None),
        ("<input id=x type=search>", "searchbox"),
        ("<input id=x list=d>", "combobox"),
        ("<input id=x type=checkbox list=d>", "checkbox"),
        ("<input id=x type=number>", "spinbutton"),
        ("<input id=x type=range>", "slider"),
        ("<select id=x>", "combobox"),
        ("<select id=x multiple>", "listbox"),
        ("<select id=x size=1>", "combobox"),
        ("<select id=x size=3>", "listbox"),
        ("<textarea id=x>", "textbox"),
        ("<h3 id=x>", "heading"),
        ("<img id=x>", "img"),
        ("<img id=x alt=''>", "presentation"),
        ("<img id=x alt='' title=t>", "img"),
        ("<header id=x>", "banner"),
        ("<main><header id=x>", None),
        ("<footer id=x>", "contentinfo"),
        ("<form id=x>", None),
        ("<form id=x aria-label=f>", "form"),
        ("<section id=x>", None),
        ("<section id=x title=s>", "region"),
        ("<table><tr><td id=x>", "cell"),
        ("<table role=grid><tr><td id=x>", "gridcell"),
        ("<table><tr><th id=x scope=row>", "rowheader"),
        ("<table><tr><th id=x scope=col>", "columnheader"),
        ("<div id=x role=button>", "button"),
        ("<div id=x role='nonsense TAB'>", "tab"),
        ("<ul id=x role=none>", "none"),
        ("<ul role=none><li id=x>", "none"),
        ("<table role=presentation><tr id=x><td>", "none"),
        ("<button id=x role=none>", "button"),
        ("<button id=x role=none disabled>", "none"),
        ("<nav id=x role=presentation aria-label=n>", "navigation"),
        ("<div id=x>", None),
        ("<span id=x>", None),
    ],
)
def test_the_role_of(html, role):
    page = read_page(html)
    assert roles(page)[only(page)] == role


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ("<button id=x> Sign\n in </button>", "Sign in"),
        ("<button id=x aria-label='Close'>x</button>", "Close"),
        ("<button id=x aria-label='  '>x</button>", "x"),
        ("<button id=x aria-labelledby='b a'>x</button><i id=a>A</i><i id=b>B</i>", "B A"),
        ("<button id=x aria-labelledby='none'>x</button>", "x"),
        ("<button id=x aria-labelledby=a>x</button><i id=a hidden>A</i>", "A"),
        ("<button id=x title=T></button>", "T"),
        ("<button id=x><img alt=Save> all</button>", "Save all"),
        ("<button id=x><span aria-hidden=true>*</span>Star</button>", "Star"),
        ("<button id=x><svg><title>Icon</title></svg></button>", "Icon"),
        ("<button id=x><p>a</p><p>b</p></button>", "a b"),
        ("<a id=x href=#><img src=i alt=Home></a>", "Home"),
        ("<label for=x>User <b>name</b></label><input id=x>", "User name"),
        ("<label>Wrap <input id=x></label>", "Wrap"),
        ("<label for=x>One</label><label for=x>Two</label><input id=x>", "One Two"),
        ("<label>Pick <input id=x type=checkbox> me</label>", "Pick me"),
        ("<input id=x placeholder=Search>", "Search"),
        ("<input id=x placeholder=P title=T>", "T"),
        ("<input id=x type=submit>", "Submit"),
        ("<input id=x type=submit value=Go>", "Go"),
        ("<input id=x type=reset>", "Reset"),
        ("<input id=x type=image alt=Find>", "Find"),
        ("<fieldset id=x><legend>Legend</legend></fieldset>", "Legend"),
        ("<figure id=x><img><figcaption>Caption</figcaption></figure>", "Caption"),
        ("<table id=x><caption>Caption</caption></table>", "Caption"),
        ("<img id=x alt=Logo>", "Logo"),
        ("<nav id=x>text</nav>", ""),
        ("<nav id=x aria-label=Main>text</nav>", "Main"),
        ("<ul><li id=x>item</li></ul>", ""),
        ("<h2 id=x>Head <small>small</small></h2>", "Head small"),
        ("<table><tr><td id=x><button>A</button><button>B</button></table>", "A B"),
        ("<div id=x role=checkbox>On</div>", "On"),
    ],
)
def test_the_name_of(html, name):
    page = read_page(html)
    assert names(page)[only(page)] == name


@pytest.mark.parametrize(
    ("html", "label"),
    [
        ("<label for=x>User</label><input id=x>", "User"),
        ("<label>User <input id=x></label>", "User"),
        ("<label>User <input type=hidden><input id=x></label>", "User"),
        ("<i id=l>User</i><input id=x aria-labelledby=l>", "User"),
        ("<label for=y>User</label><input id=x>", None),
        ("<input id=x aria-label=User>", None),
        ("<label for=x>User</label><div id=x>", None),
    ],
)
def test_the_label_of(html, label):
    page = read_page(html)
    assert labels(page)[only(page)] == label


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("html", [SHOP_BEFORE, SHOP_AFTER, ADMIN, CONTROLS])
def test_every_role_finds_what_playwrights_finds(html, browser_page):
    browser_page.set_content(html)
    page = read_page(browser_page.content())
    browser_page.evaluate("() => document.querySelectorAll('*').forEach((element, row) => element.row = row)")
    for role in sorted(KNOWN_ROLES - {"directory"}):
        found = browser_page.locator(f"role={role}").evaluate_all("found => found.map(element => element.row)")
        ours = [row for row in roles(page).rows_with(role).tolist() if not page.hidden[row]]
        assert ours == found, role


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("html", [SHOP_BEFORE, SHOP_AFTER, ADMIN, CONTROLS])
def test_every_name_is_playwrights(html, browser_page):
    browser_page.set_content(html)
    page = read_page(browser_page.content())
    browser_page.evaluate("() => document.querySelectorAll('*').forEach((element, row) => element.row = row)")
    named = {
        (roles(page)[row], names(page)[row]) for row in range(len(page)) if roles(page)[row] and not page.hidden[row]
    }
    for role, name in sorted(named):
        if name:
            locator = browser_page.get_by_role(role, name=name, exact=True)
        else:
            locator = browser_page.locator(f"role={role}[name=/^$/]")
        found = locator.evaluate_all("found => found.map(element => element.row)")
        same = [row for row in names(page).rows_with(name) if roles(page)[row] == role and not page.hidden[row]]
        assert same == found, (role, name)


@given(MARKUP)
@settings(max_examples=150, deadline=None)
def test_no_page_makes_them_raise(html):
    page = read_page(html)
    assert ((names(page).codes >= 0) == (roles(page).codes >= 0)).all(), "a name for what has a role, and only that"
    assert len(labels(page).codes) == len(page)


@pytest.mark.parametrize(
    ("what", "html"),
    [
        ("deep buttons", "<div role=button title=x>" * 500 + "x" * 100),
        ("labels that name each other", "<b id=a role=button aria-labelledby=b></b><b id=b role=button aria-labelledby=a></b>" * 2_000),
        ("everything named by everything", "".join(f"<i id=i{n} role=button aria-labelledby='{' '.join(f'i{m}' for m in range(50))}'>x</i>" for n in range(2_000))),
        ("nested rows with images", "<div role=row><img alt=x>" * 500 + "<img alt=y>" * 5_000),
    ],
)  # fmt: skip
def test_hostile_references_end_in_bounded_time(what, html):
    began = time.process_time()
    page = read_page(html)
    assert len(names(page).codes) == len(page)
    assert time.process_time() - began < 5, what
