"""The columns of a page say what a reader of the page would."""

import pytest

from self_heal_engine.dom import encode, hides
from self_heal_engine.parser import read_page


def only(page, selector):
    (row,) = page.css(selector).tolist()
    return row


@pytest.mark.parametrize(
    ("why", "html", "text"),
    [
        ("white space is collapsed", "<div id=x>  a \n\t b </div>", "a b"),
        ("inline elements join", "<div id=x><b>Sign</b><i>in</i></div>", "Signin"),
        ("a space between inline elements stays", "<div id=x><b>Sign</b> <i>in</i></div>", "Sign in"),
        ("blocks are apart", "<div id=x><p>One</p><p>Two</p></div>", "One Two"),
        ("a line break is a space", "<div id=x>One<br>Two</div>", "One Two"),
        ("text after a block is apart from it", "<div id=x><div>One</div>Two</div>", "One Two"),
        ("scripts and styles are not text", "<div id=x>a<script>b</script><style>c</style>d</div>", "ad"),
        ("entities are read", "<div id=x>Tom &amp; Jerry&nbsp;!</div>", "Tom & Jerry !"),
        ("an element without text has an empty one", "<div id=x><input value=v></div>", ""),
        ("text ends where the element ends", "<div id=x>in</div>out", "in"),
        ("a hidden element's own text is known", "<div id=x hidden>later</div>", "later"),
    ],
)
def test_the_text_is_what_a_reader_sees_when(why, html, text):
    page = read_page(html)
    assert page.text(only(page, "#x")) == text, why


def test_text_content_has_no_spaces_at_blocks_as_in_the_dom():
    page = read_page("<div id=x><p>One</p><p>Two</p></div>")
    assert page.text_content(only(page, "#x")) == "OneTwo"


def test_own_text_leaves_out_the_childrens():
    page = read_page("<div id=x>Hello <b>big</b> world</div>")
    assert page.own_texts[only(page, "#x")] == "Hello world"


@pytest.mark.parametrize(
    ("why", "html", "hidden"),
    [
        ("plain", "<p id=x>", False),
        ("hidden", "<p id=x hidden>", True),
        ("below a hidden one", "<div hidden><p><b id=x>", True),
        ("after a hidden one", "<div hidden></div><p id=x>", False),
        ("aria-hidden", "<p id=x aria-hidden=true>", True),
        ("aria-hidden is false", "<p id=x aria-hidden=false>", False),
        ("a hidden input", "<input id=x type=HIDDEN>", True),
        ("not displayed", "<p id=x style='DISPLAY:none'>", True),
        ("invisible", "<p id=x style='color: red; visibility: hidden'>", True),
        ("in the head", "<meta id=x><p>", True),
        ("an option's own type is no hiding", "<p id=x type=hidden>", False),
    ],
)
def test_what_the_markup_hides_when(why, html, hidden):
    page = read_page(html)
    assert bool(page.hidden[only(page, "#x")]) is hidden, why


def test_position_counts_siblings_of_the_same_tag():
    page = read_page("<ul><li>a<b>x</b><li id=x>b<li>c</ul><ul><li>d</ul>")
    assert page.position(only(page, "#x")) == (2, 3)


def test_attributes_keep_the_order_and_spelling_of_the_page():
    page = read_page('<a id=x data-Z=1 CLASS=" b  a " href="/?a=1&amp;b=2" disabled>')
    attributes = {"id": "x", "data-z": "1", "class": " b  a ", "href": "/?a=1&b=2", "disabled": ""}
    assert list(page.attributes(only(page, "a")).items()) == list(attributes.items())


def test_an_attribute_column_is_absent_where_the_element_lacks_it():
    page = read_page("<p id=a><p><p id=a>")
    assert [page.attribute("id")[row] for row in page.css("p")] == ["a", None, "a"]
    assert page.attribute("id").rows_with("a").tolist() == page.css("#a").tolist()


def test_encoding_keeps_the_values_and_their_absence():
    column = encode(["b", None, "a", "b"])
    assert [column[row] for row in range(4)] == ["b", None, "a", "b"]
    assert column.counts().tolist() == [2, 1]


@pytest.mark.parametrize(("style", "answer"), [("", False), (";;", False), ("display:none", True), ("nonsense", False)])
def test_an_inline_style_hides(style, answer):
    assert hides(style) is answer


def test_a_selector_that_is_none_is_a_value_error():
    page = read_page("<p>")
    for bad in ("p[", "!"):
        with pytest.raises(ValueError):
            page.css(bad)
        with pytest.raises(ValueError):
            page.xpath(bad)
    with pytest.raises(ValueError, match="select elements"):
        page.xpath("count(//p)")
