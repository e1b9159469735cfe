"""On pages that others made: templates out of npm packages, as shipped."""

import re

import lxml.html
import pytest
from benchmarks.pages import SB_ADMIN, SB_ADMIN_2, package

from self_heal_engine import fingerprint, heal
from self_heal_engine.accessibility import roles
from self_heal_engine.accessible_names import names
from self_heal_engine.parser import read_page
from self_heal_engine.writing import unique_locators
from test_parser import html5lib_paths, paths

PAGES = [
    (SB_ADMIN, "dist/index.html"),
    (SB_ADMIN, "dist/tables.html"),
    (SB_ADMIN, "dist/register.html"),
    (SB_ADMIN_2, "pages/index.html"),
    (SB_ADMIN_2, "pages/forms.html"),
    (SB_ADMIN_2, "pages/icons.html"),
]
pytestmark = pytest.mark.needs("npm")


@pytest.fixture(params=PAGES, ids=lambda page: page[1])
def html(request):
    source, path = request.param
    return (package(source) / path).read_text("utf-8")


def test_the_tree_equals_html5libs(html):
    html = re.sub("<noscript>.*?</noscript>", "", html, flags=re.DOTALL)
    assert paths(read_page(html)) == html5lib_paths(html)


@pytest.mark.needs("chromium")
def test_tree_roles_and_names_equal_chromiums(html, browser_page):
    browser_page.set_content(re.sub("<script.*?</script>", "", html, flags=re.DOTALL))
    page = read_page(browser_page.content())
    seen = browser_page.evaluate(
        """() => { const all = [...document.querySelectorAll('*')]; const rows = new Map(all.map((e, i) => [e, i]));
        all.forEach((element, row) => element.row = row);
        return all.map(e => [e.localName, e.parentElement ? rows.get(e.parentElement) : -1]) }"""
    )
    assert paths(page) == [tuple(pair) for pair in seen]
    for role in ("link", "button", "textbox", "checkbox", "heading", "listitem", "row", "cell", "img", "combobox"):
        found = browser_page.locator(f"role={role}").evaluate_all("found => found.map(element => element.row)")
        ours = [row for row in roles(page).rows_with(role).tolist() if not page.hidden[row]]
        # Chromium leaves out what the page's style sheet hides, when it is there: here it is not, offline.
        assert ours == found, role
    for row in ours_to_try(page):
        role, name = roles(page)[row], names(page)[row]
        if role and name and not page.hidden[row]:
            found = browser_page.get_by_role(role, name=name, exact=True)
            assert row in found.evaluate_all("found => found.map(element => element.row)"), (role, name)


def ours_to_try(page):
    """Return about forty elements that a test would use, from all over the page."""
    rows = page.css("a, button, input, select, textarea, h1, h2, td").tolist()
    return rows[:: max(1, len(rows) // 40)]


def test_every_locator_finds_one_element_in_a_second_engine(html):
    written = re.sub("<noscript>.*?</noscript>", "", read_page(html).html(0), flags=re.DOTALL)
    page, tree = read_page(written), lxml.html.document_fromstring(written)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    assert len(elements) == len(page)
    for row in ours_to_try(page):
        css, xpath = unique_locators(page, row)[-2:]
        assert tree.cssselect(css.value) == [elements[row]], css
        assert tree.xpath(xpath.value) == [elements[row]], xpath


def test_an_unchanged_page_heals_to_the_same_element(html):
    page = read_page(html)
    for row in ours_to_try(page):
        best = heal(page, fingerprint(page, row)).candidates[0]
        same = (page.tag(row), page.text(row), page.attributes(row))
        assert best.row == row or (page.tag(best.row), page.text(best.row), page.attributes(best.row)) == same
