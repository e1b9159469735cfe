"""parse_html builds the tree a browser builds, from any string, in bounded time."""

import time

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import EXAMPLE_PAGES
from self_heal_engine.parser import PageCache, css_identifier, parse_html, read_page


def paths(page):
    """Every element as its tag and its parent's row."""
    return [(page.tag(row), int(page.parents[row])) for row in range(len(page))]


def html5lib_paths(html):
    tree = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    order = [element for element in tree.iter() if isinstance(element.tag, str)]
    rows = {element: row for row, element in enumerate(order)}
    parents = {child: element for element in order for child in element}
    return [(element.tag.rsplit("}")[-1], rows[parents[element]] if element in parents else -1) for element in order]


@pytest.mark.parametrize("html", EXAMPLE_PAGES)
def test_the_tree_equals_html5libs(html):
    # html5lib has no scripting flag: it reads what stands in <noscript> as elements, a browser as text.
    html = html.replace("<noscript>", "<!--").replace("</noscript>", "-->")
    assert paths(read_page(html)) == html5lib_paths(html)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("html", EXAMPLE_PAGES)
def test_the_tree_equals_chromiums(html, browser_page):
    browser_page.set_content(html)
    seen = browser_page.evaluate(
        """() => { const all = [...document.querySelectorAll('*')]; const rows = new Map(all.map((e, i) => [e, i]));
        return all.map(e => [e.localName, e.parentElement ? rows.get(e.parentElement) : -1]) }"""
    )
    # The scripts of the page ran in the browser: compare with what the browser itself would send us.
    assert paths(read_page(browser_page.content())) == [tuple(pair) for pair in seen]


@pytest.mark.parametrize(
    ("why", "html", "tags"),
    [
        ("a fragment gets its html, head and body", "<p>x", ["html", "head", "body", "p"]),
        ("an empty string is an empty page", "", ["html", "head", "body"]),
        ("noscript is text while scripts run", "<noscript><p>x</noscript>", ["html", "head", "noscript", "body"]),
        (
            "a template's content is not in the tree",
            "<template><p>x</p></template>",
            ["html", "head", "template", "body"],
        ),
        ("a table takes strangers out", "<table><b>x", ["html", "head", "body", "b", "table"]),
        ("a row gets its table body", "<table><tr>", ["html", "head", "body", "table", "tbody", "tr"]),
        ("an svg keeps the case of its tags", "<svg><foreignObject>", ["html", "head", "body", "svg", "foreignObject"]),
    ],
)
def test_the_tree_is_a_browsers_when(why, html, tags):
    page = read_page(html)
    assert [page.tag(row) for row in range(len(page))] == tags, why


def test_xpath_does_not_look_into_templates():
    assert read_page("<template><p>a</p></template><p>b</p>").xpath("//p").tolist() == [4]


MARKUP = st.lists(
    st.sampled_from(
        ["<div>", "</div>", "<p id=a>", "<a href='#'>", "</a>", "<table>", "<td>", "<b><i>", "</b>", "<select>", "<option>",
         "<svg>", "<math>", "<template>", "</template>", "<noscript>", "<script>", "</script>", "<!--", "-->", "<![CDATA[",
         "text ", "&amp;", "\x00", "\ud800", "<a<b", "</", "<input type=hidden>", "<body class=x>", "<html lang=en>",
         "<frameset>", "<br/>", "<li hidden>", "<div style='display:none'>", "<label for=a>", "<textarea>", "<title>"]
    ) | st.text(max_size=8),
    max_size=40,
).map("".join)  # fmt: skip


@given(MARKUP)
@settings(max_examples=300, deadline=None)
def test_no_string_makes_it_raise(html):
    page = read_page(html)
    assert page.parents[0] == -1
    assert (page.parents[1:] < range(1, len(page))).all(), "a parent stands before its children"
    for row in range(len(page)):
        assert all(page.parents[child] == row for child in page.children(row))
        assert page.ends[row] == max([row + 1, *(page.ends[child] for child in page.children(row))])
        assert page.depths[row] == len(list(page.ancestors(row)))
        assert isinstance(page.text(row) + page.text_content(row), str)
    assert len(page.hidden) == len(page.own_texts.codes) == len(page)


@pytest.mark.parametrize(
    ("what", "html"),
    [
        ("100,000 nested elements", "<div>" * 100_000 + "x"),
        ("formatting that the parser re-opens", "<p><b a=i>" * 8_000),
        ("60,000 attributes on one element", "<p " + " ".join(f"a{i}=1" for i in range(60_000)) + ">"),
        ("100,000 options", "<select>" + "<option>x" * 100_000),
        ("a tag that never ends", "<a<a" * 200_000),
        ("text in every one of 500 levels", "<div>word " * 50_000),
    ],
)
def test_a_hostile_page_is_read_in_bounded_time(what, html):
    began = time.process_time()
    page = read_page(html)
    assert len(page.texts.codes) == len(page.hidden) == len(page)
    assert time.process_time() - began < 5, what  # measured: 0.1 to 0.6 s


def test_the_work_grows_no_faster_than_the_page():
    def cost(times):
        html = "<ul>" + "<li class='item odd'><a href='/x'>word <b>and</b> word</a></li>" * times + "</ul>"
        runs = []
        for _ in range(5):
            began = time.process_time()
            page = read_page(html)
            assert len(page.texts.codes) == len(page.hidden)
            runs.append(time.process_time() - began)
        return min(runs)

    assert cost(16_000) / cost(4_000) < 8  # linear is 4; quadratic would be 16


def test_the_same_page_is_parsed_once_and_the_cache_is_bounded():
    cache = PageCache(most_pages=2, most_elements=1_000)
    first = cache.get("<p>1")
    assert cache.get("<p>1") is first
    cache.get("<p>2"), cache.get("<p>3")
    assert cache.get("<p>1") is not first


def test_a_page_larger_than_the_cache_displaces_the_others_only():
    cache = PageCache(most_pages=5, most_elements=50)
    small, large = cache.get("<p>1"), cache.get("<p>x" * 100)
    assert cache.get("<p>x" * 100) is large
    assert cache.get("<p>1") is not small


def test_pages_that_differ_in_a_lone_surrogate_are_kept_apart():
    assert parse_html("<p>\ud800") is not parse_html("<p>\ud801")


def test_an_identifier_is_escaped_as_css_wants():
    for name in ("1a", "a:b", "-", "ü", "a b", '"'):
        page = read_page("<p>")
        assert page.css(f"#{css_identifier(name)}").tolist() == []
