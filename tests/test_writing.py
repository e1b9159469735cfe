"""Every locator we write finds its element alone: in our engine, in a second one, and in Chromium."""

import re

import lxml.html
import pytest
from hypothesis import given, settings

from pages import ADMIN, CONTROLS, SHOP_AFTER, SHOP_BEFORE
from self_heal_engine.locators import Locator
from self_heal_engine.matching import matches
from self_heal_engine.parser import read_page
from self_heal_engine.snippets import snippets
from self_heal_engine.writing import unique_locators, xpath_string
from test_parser import MARKUP


def only(page, selector="#x"):
    (row,) = page.css(selector).tolist()
    return row


def best(html, selector="#x", kind=None):
    page = read_page(html)
    return unique_locators(page, only(page, selector), kind)


@pytest.mark.parametrize(
    ("why", "html", "locator"),
    [
        ("a test id is first", "<button id=x data-testid=go>Go</button>", Locator("test_id", "go")),
        ("a test id in another attribute names it", "<button id=x data-cy=go>Go</button>", Locator("test_id", "data-cy=go")),
        ("then role and name", "<button id=x class=a>Go</button>", Locator("role", 'button[name="Go"]')),
        ("quotes in a name are escaped", '<button id=x>Say "a\\b"</button>', Locator("role", r'button[name="Say \"a\\b\""]')),
        ("a label, where the role's name is taken", "<label for=x>User</label><input id=x><input aria-label=User type=search>", Locator("role", 'textbox[name="User"]')),
        ("a placeholder", "<input id=x placeholder=Name aria-label=A><input aria-label=A>", Locator("placeholder", "Name")),
        ("a written id", "<div id=x><p>", Locator("id", "x")),
        ("never a generated id", "<div id=':r1:' class=card><p>", Locator("css", "div.card")),
        ("the text", "<div id=':r1:'>Only here</div>", Locator("text", "Only here")),
    ],
)  # fmt: skip
def test_the_most_stable_is_first(why, html, locator):
    page = read_page(html)
    row = next(row for row in range(len(page)) if page.attribute("id")[row])
    assert unique_locators(page, row)[0] == locator, why


@pytest.mark.parametrize(
    ("why", "html", "css"),
    [
        ("a test id", "<p id=x data-testid=a>", '[data-testid="a"]'),
        ("an id", "<p id=x>", "#x"),
        ("an id that needs escaping", "<p id='1:x' class=c>", "#\\31 \\:x"),
        ("a telling attribute", "<input id=':r1:' name=q><input>", 'input[name="q"]'),
        ("a class", "<p id=':r1:' class='c Mod_x__a1B2c'><p>", "p.c"),
        ("from an ancestor that lasts", "<div id=f><b id=':r1:'></b></div><b></b>", "#f b"),
        ("by number from an ancestor that lasts", "<div id=f><b></b><b id=':r1:'></b></div>", "#f > b:nth-of-type(2)"),
        ("by number from the root", "<b></b><b id=':r1:'></b>", "html > body > b:nth-of-type(2)"),
    ],
)
def test_the_css_starts_from_what_lasts(why, html, css):
    page = read_page(html)
    row = next(row for row in range(len(page) - 1, 0, -1) if page.attribute("id")[row])
    assert Locator("css", css) in unique_locators(page, row), why


@pytest.mark.parametrize(
    ("kind", "html", "value"),
    [
        ("link_text", "<a id=x href=#>Go on</a>", "Go on"),
        ("partial_link_text", "<a id=x href=#>Go on</a>", "Go on"),
        ("class_name", "<p id=x class='a b'><p class=a>", "b"),
        ("tag_name", "<h1 id=x>", "h1"),
        ("name", "<input id=x name=q>", "q"),
        ("id", "<input id=x name=q>", "x"),
        ("xpath", "<input id=x name=q>", "//input[@id='x']"),
    ],
)
def test_one_is_in_the_callers_own_kind(kind, html, value):
    assert Locator(kind, value) in best(html, kind=kind)


def test_a_generated_id_or_class_is_never_used():
    for page in (read_page(SHOP_AFTER),):
        for row in range(2, len(page)):
            for locator in unique_locators(page, row):
                assert ":r" not in locator.value, locator
                assert "__" not in locator.value, locator


@pytest.mark.parametrize("html", [SHOP_BEFORE, SHOP_AFTER, ADMIN, CONTROLS])
def test_every_css_and_xpath_finds_one_element_in_a_second_engine(html):
    # lxml's parser builds another tree from broken HTML, and looks into <noscript>: both read what ours wrote out.
    written = re.sub("<noscript>.*?</noscript>", "", read_page(html).html(0), flags=re.DOTALL)
    page, tree = read_page(written), lxml.html.document_fromstring(written)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    rows = {element: row for row, element in enumerate(elements)}
    tags = [page.tag(row).lower() for row in range(len(page))]
    assert [element.tag.lower() for element in elements] == tags, "both engines see the same elements"
    for row in range(len(page)):
        css, xpath = unique_locators(page, row)[-2:]
        assert [rows[element] for element in tree.cssselect(css.value)] == [row], css
        assert [rows[element] for element in tree.xpath(xpath.value)] == [row], xpath


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("html", [SHOP_BEFORE, SHOP_AFTER, ADMIN, CONTROLS])
def test_every_locator_finds_its_element_in_chromium(html, browser_page):
    browser_page.set_content(html)
    page = read_page(browser_page.content())
    browser_page.evaluate("() => document.querySelectorAll('*').forEach((element, row) => element.row = row)")
    ask = {
        "css": lambda value: browser_page.locator(f"css={value}"),
        "xpath": lambda value: browser_page.locator(f"xpath={value}"),
        "id": lambda value: browser_page.locator(f"id={value}"),
        "name": lambda value: browser_page.locator(f'[name="{value}"]'),
        "role": lambda value: browser_page.locator(f"role={value}"),
        "text": lambda value: browser_page.get_by_text(value, exact=True),
        "label": lambda value: browser_page.get_by_label(value, exact=True),
        "placeholder": lambda value: browser_page.get_by_placeholder(value, exact=True),
        "alt_text": lambda value: browser_page.get_by_alt_text(value, exact=True),
        "title": lambda value: browser_page.get_by_title(value, exact=True),
    }
    for row in range(1, len(page)):
        for locator in unique_locators(page, row):
            seen = ask[locator.kind](locator.value).evaluate_all("found => found.map(element => element.row)")
            assert seen == [row], locator


@given(MARKUP)
@settings(max_examples=100, deadline=None)
def test_on_any_page_every_locator_finds_its_element_alone(html):
    page = read_page(html)
    for row in range(len(page)):
        locators = unique_locators(page, row, "link_text")
        assert {"css", "xpath"} <= {locator.kind for locator in locators}
        assert len({locator.kind for locator in locators}) == len(locators)
        for locator in locators:
            assert matches(page, locator).tolist() == [row], locator


@pytest.mark.parametrize("value", ["plain", "it's", 'say "x"', """both ' and " """])
def test_a_string_stands_in_an_xpath(value):
    page = read_page("<p>")
    assert len(page.xpath(f"//p[{xpath_string(value)}={xpath_string(value)}]")) == 1


def test_a_locator_as_source_text():
    written = snippets(
        [Locator("role", 'button[name="Sign in"]'), Locator("css", 'a[title="x"]'), Locator("xpath", "//a")]
    )
    assert written == {
        "selenium_python": 'driver.find_element(By.CSS_SELECTOR, "a[title=\\"x\\"]")',
        "selenium_java": 'driver.findElement(By.cssSelector("a[title=\\"x\\"]"));',
        "selenium_javascript": 'await driver.findElement(By.css("a[title=\\"x\\"]"));',
        "playwright_python": 'page.get_by_role("button", name="Sign in", exact=True)',
        "playwright_typescript": 'page.getByRole("button", { name: "Sign in", exact: true })',
        "cypress": 'cy.get("a[title=\\"x\\"]")',
    }


@pytest.mark.parametrize(
    ("locator", "framework", "source"),
    [
        (Locator("test_id", "go"), "playwright_python", 'page.get_by_test_id("go")'),
        (Locator("test_id", "data-cy=go"), "playwright_python", 'page.locator("[data-cy=\\"go\\"]")'),
        (Locator("test_id", "data-cy=go"), "cypress", 'cy.get("[data-cy=\\"go\\"]")'),
        (Locator("alt_text", "Logo"), "playwright_typescript", 'page.getByAltText("Logo", { exact: true })'),
        (Locator("label", "User"), "playwright_python", 'page.get_by_label("User", exact=True)'),
        (Locator("id", "1a"), "cypress", 'cy.get("#\\\\31 a")'),
        (Locator("xpath", "//a"), "playwright_python", 'page.locator("xpath=//a")'),
        (Locator("link_text", "Go"), "selenium_java", 'driver.findElement(By.linkText("Go"));'),
        (Locator("name", "q"), "selenium_javascript", 'await driver.findElement(By.name("q"));'),
    ],
)
def test_each_framework_gets_its_own_call(locator, framework, source):
    assert snippets([locator])[framework] == source


@pytest.mark.needs("chromium")
def test_the_python_source_runs_in_playwright(browser_page):
    browser_page.set_content(SHOP_AFTER)
    page = read_page(browser_page.content())
    for row in page.css("button, input, a").tolist():
        source = snippets(unique_locators(page, row))["playwright_python"]
        assert eval(source, {"page": browser_page}).count() == 1, source
