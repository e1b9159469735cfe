"""The locators a test might hold, and how each fails."""

import pytest

from pages import ADMIN, SHOP_AFTER, SHOP_BEFORE
from self_heal_engine.breaking import FORMS, failure, locators_of
from self_heal_engine.locators import KINDS, Locator
from self_heal_engine.matching import matches
from self_heal_engine.parser import read_page

FORM = """<body><div id="box"><form><label>User <input id="u" name="user" class="field wide" placeholder="Name" title="Yours"
data-cy="user"></label><a class="help" href="/help">Get some help</a><img src="x" alt="A picture"></form></div></body>"""


def test_every_form_of_a_field():
    page = read_page(FORM)
    (row,) = page.css("#u")
    assert dict(locators_of(page, row)) == {
        "css_path": Locator("css", "html > body > div > form > label > input"),
        "absolute_xpath": Locator("xpath", "/html/body/div/form/label/input"),
        "tag_name": Locator("tag_name", "input"),
        "css_id_path": Locator("css", "#box > form > label > input"),
        "id_xpath": Locator("xpath", "//*[@id='box']/form/label/input"),
        "css_class": Locator("css", "input.field.wide"),
        "class_name": Locator("class_name", "wide"),
        "css_attribute": Locator("css", 'input[placeholder="Name"]'),
        "attribute_xpath": Locator("xpath", "//input[@placeholder='Name']"),
        "id": Locator("id", "u"),
        "name": Locator("name", "user"),
        "test_id": Locator("test_id", "data-cy=user"),
        "placeholder": Locator("placeholder", "Name"),
        "title": Locator("title", "Yours"),
        "label": Locator("label", "User"),
        "role": Locator("role", 'textbox[name="User"]'),
    }


def test_the_forms_of_a_link_and_a_picture():
    page = read_page(FORM)
    link, picture = dict(locators_of(page, *page.css("a"))), dict(locators_of(page, *page.css("img")))
    assert link["link_text"] == Locator("link_text", "Get some help")
    assert link["partial_link_text"] == Locator("partial_link_text", "Get some")
    assert link["text"] == Locator("text", "Get some help")
    assert link["text_xpath"] == Locator("xpath", "//a[normalize-space()='Get some help']")
    assert picture["alt_text"] == Locator("alt_text", "A picture")


@pytest.mark.parametrize("html", [SHOP_BEFORE, SHOP_AFTER, ADMIN], ids=["before", "after", "admin"])
def test_each_finds_its_element_and_no_other(html):
    page = read_page(html)
    for row in range(len(page)):
        for form, locator in locators_of(page, row):
            assert form in FORMS
            assert locator.kind in KINDS
            assert matches(page, locator).tolist() == [row]


@pytest.mark.parametrize(
    ("how", "new"),
    [
        (None, '<button id="go">A</button><i class="go"></i>'),
        ("gone", '<button id="start">A</button>'),
        ("wrong_element", '<a id="go">B</a><button>A</button>'),
        ("wrong_element", '<a id="go">B</a><button id="go">A</button>'),
        (None, '<button id="go">A</button><a id="go">B</a>'),
    ],
)
def test_how_a_locator_fails(how, new):
    page = read_page(new)
    (target,) = page.css("button")
    assert failure(page, Locator("id", "go"), int(target)) == how


def test_a_locator_of_a_removed_element_that_finds_something_finds_the_wrong_element():
    page = read_page('<a id="go">B</a>')
    assert failure(page, Locator("id", "go"), None) == "wrong_element"
    assert failure(page, Locator("id", "stop"), None) == "gone"
