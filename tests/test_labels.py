"""Which element of a page is which one of its next release: the rules, each with the HTML in sight."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from self_heal_engine.elements import address
from self_heal_engine.labels import label_pages
from self_heal_engine.parser import read_page


def labelled(old, new, one_language=True):
    """Rules by (old id or text, new id or text), as a reader would name the elements."""
    before, after = read_page(f"<body>{old}</body>"), read_page(f"<body>{new}</body>")

    def called(page, row):
        return None if row is None else page.value(row, "data-x") or page.text(row)

    matches = label_pages(before, after, one_language)
    return {(called(before, match.old), called(after, match.new)): match.rule for match in matches}


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("A2", '<button data-x=o id="go">Save</button>', '<div><button data-x=n id="go" class="b">Save</button></div>'),
        ("A2", '<a data-x=o href="/a" title="To A">A</a>', '<a data-x=n href="/a" title="To A">Anna</a>'),
        ("A2", '<label>User <input data-x=o name="u"></label>', '<label>User <input data-x=n name="u" class="wide"></label>'),
        ("K1", '<label>User <input data-x=o name="u"></label>', '<label>User <textarea></textarea></label><label>User <input data-x=n name="u" class="wide"></label>'),
        ("K1", '<button data-x=o id="go">Save</button>', '<button data-x=n id="go">Save changes</button>'),
        ("H1", '<a data-x=o href="/a">Account</a>', '<a data-x=n href="/a">Your account</a>'),
        ("T1", '<button data-x=o class="a">Save</button>', '<p><button data-x=n class="b">Save</button></p>'),
        ("T1", '<a data-x=o href="#">More</a>', '<a data-x=n href="#">More</a><a href="#">Less</a>'),
        ("T1h", '<a data-x=o href="/old">Orders</a>', '<a data-x=n href="/new">Orders</a>'),
        ("D1", '<button data-x=o data-test="go">Save</button>', '<button data-x=n data-test="go">Save it</button>'),
        ("C2", '<a data-x=o href="/s" id="go">Save</a>', '<button data-x=n id="go">Save</button>'),
    ],
)  # fmt: skip
def test_a_rule_makes_a_pair(rule, old, new):
    assert labelled(old, new) == {("o", "n"): rule}


@pytest.mark.parametrize(
    ("why", "old", "new"),
    [
        ("the id says one, the text another", '<button id="a">Save</button>', '<button id="a">Stop</button><button id="b">Save</button>'),
        ("the id alone, with nothing in common to read", '<button id="a">Save</button>', '<button id="a">Print</button>'),
        ("two have the text now", "<button>Save</button>", "<button>Save</button><button>Save</button>"),
        ("two had the text", "<a href=/1>Edit</a><a href=/2>Edit</a>", "<a href=/3>Edit</a>"),
        ("a generated id is no key", '<input id="ember1234">', '<input id="ember1234">'),
        ("an address that leads nowhere is no key", '<a href="#">One</a>', '<a href="#">Two</a>'),
        ("it is another kind of element", '<h2 id="a">Save</h2>', '<input id="a">'),
        ("it is not displayed", '<div hidden><button id="a">Save</button></div>', '<button id="a">Save</button>'),
    ],
)  # fmt: skip
def test_no_pair_when(why, old, new):
    assert not [pair for pair, rule in labelled(old, new).items() if rule != "R0"], why


def test_two_old_elements_never_claim_one_new():
    old = '<button data-x=one id="a">Save now</button><button data-x=two name="b">Save</button>'
    new = '<button data-x=n id="a" name="b">Save now</button>'
    assert labelled(old, new) == {}


def test_between_two_labelled_neighbours_with_the_same_text():
    old = '<a href=/1>Home</a> <a href="#" data-x=o></a> <a href=/2>Help</a>'
    new = '<p><a href=/1>Home</a> <a href="#" data-x=n></a> <a href=/2>Help</a></p>'
    assert labelled(old, new)["o", "n"] == "S1"
    assert ("o", "n") not in labelled(old, new.replace('data-x=n></a>', 'data-x=n>New</a>'))  # fmt: skip
    torn = '<a href=/1>Home</a> <a href="/x" data-x=o>Y</a> <a href=/2>Help</a>'
    says = '<a href=/1>Home</a> <a data-x=n href="/q">Y</a> <a href=/2>Help</a> <a href="/x">Other</a>'
    assert ("o", "n") not in labelled(torn, says), "its address says another"
    named = old.replace("data-x=o", "data-x=o name=css-url"), new.replace("data-x=n", "data-x=n name=css-file")
    assert ("o", "n") not in labelled(*named), "their names contradict each other"
    two = new.replace("<a href=/2>", '<a href="#"></a><a href=/2>')
    assert ("o", "n") not in labelled(old, two)


def test_in_a_translation_ids_names_and_addresses_are_enough():
    old = '<input data-x=o name="title" aria-label="Title"><a data-x=l href="/add/">Add</a><button>Go</button>'
    new = '<input data-x=n name="title" aria-label="Titel"><a data-x=m href="/add/">Neu</a><button>Los</button>'
    assert labelled(old, new, one_language=False) == {("o", "n"): "L1", ("l", "m"): "L1"}


def test_a_removed_link_is_one_of_which_nothing_is_left():
    old = '<a data-x=o href="/billing">Billing</a><a href="/home">Home</a>'
    assert labelled(old, '<a href="/home">Home</a>')["o", None] == "R0"
    for left in (
        '<a href="/billing">Pay</a>',
        "<p><a>Your billing plan</a></p>",
        "<button>Biling</button>",
        '<input type=submit value="Billing plan">',
        '<a href="/b" title="Billing"><svg></svg></a>',
        '<script>menu = [{"label": "Billing"}]</script>',
    ):
        assert ("o", None) not in labelled(old, f'<a href="/home">Home</a>{left}'), left


def test_a_button_of_which_only_the_picture_stayed_was_not_removed():
    old = "<button data-x=o>Toggle navigation<i class=bars></i></button><h2>End</h2><h2>More</h2>"
    assert ("o", None) in labelled(old, "<h2>End</h2><h2>More</h2>")
    assert ("o", None) not in labelled(old, "<h2>End</h2><h2>More</h2><a href=/nav><i class=bars></i></a>")


def test_on_a_page_that_is_another_one_now_nothing_was_removed():
    old = "<a href=/a data-x=o>Billing</a><h2>One</h2><h2>Two</h2><h2>Three</h2>"
    assert ("o", None) in labelled(old, "<h2>One</h2><h2>Two</h2>")
    assert labelled(old, "<h2>One</h2><div id=root></div>") == {("One", "One"): "T1"}


def test_what_stands_in_its_place_now_may_be_the_same_reworded():
    old = '<h2>Tabs</h2><a data-x=o href="#">Extra</a><h2>Forms</h2>'
    assert ("o", None) in labelled(old, "<h2>Tabs</h2><h2>Forms</h2><a href=/x>Active</a>")
    assert ("o", None) not in labelled(old, '<h2>Tabs</h2><a href="#">Active</a><h2>Forms</h2>')
    assert ("o", None) not in labelled(old, "<h2>Forms</h2><h2>Tabs</h2>"), "they changed places"


def test_an_icon_of_a_font_is_no_word():
    assert labelled("<button>\ue5cd</button>", "<p>Nothing</p>") == {}


def test_a_removed_field_is_never_called_so():
    assert labelled('<label>Phone <input name="phone"></label>', "<p>No form</p>") == {}


def test_radio_buttons_of_one_group_are_told_apart_by_their_value():
    old = "<input type=radio name=size value=s data-x=s><input type=radio name=size value=l data-x=l>"
    new = "<p><input type=radio name=size value=l data-x=L><input type=radio name=size value=s data-x=S></p>"
    assert labelled(old, new) == {("s", "S"): "K1", ("l", "L"): "K1"}


@pytest.mark.parametrize(
    ("href", "said"),
    [("http://localhost/a", "/a"), ("./a.html", "a.html"), ("#", None), ("", None), (" JavaScript:void(0) ", None)],
)
def test_an_address(href, said):
    assert address(href) == said


names = st.sampled_from(["Save", "Stop", "Next", "Back", "Home"])
button = st.builds('<button id="b{}" class="{}">{}</button>'.format, st.integers(0, 9), st.sampled_from("ab"), names)


@settings(max_examples=60, deadline=None)
@given(st.lists(button, max_size=8), st.lists(button, max_size=8))
def test_no_element_stands_in_two_pairs(old, new):
    matches = label_pages(read_page("".join(old)), read_page("".join(new)))
    olds, news = [match.old for match in matches], [match.new for match in matches if match.new is not None]
    assert len(set(olds)) == len(olds)
    assert len(set(news)) == len(news)


@settings(max_examples=60, deadline=None)
@given(st.lists(button, max_size=8))
def test_a_page_and_itself_pair_each_element_with_itself(buttons):
    page = read_page("".join(buttons))
    assert all(match.old == match.new for match in label_pages(page, page))
