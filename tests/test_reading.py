"""A locator is read in whatever spelling people write it, and says what it can of its element."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from self_heal_engine.errors import CannotHeal
from self_heal_engine.generated import is_generated
from self_heal_engine.locators import KINDS, Locator, Step
from self_heal_engine.reading import MOST_LOCATOR, clues, read_locator


@pytest.mark.parametrize(
    ("kind", "value", "locator"),
    [
        ("css", "#go", Locator("css", "#go")),
        ("css selector", "#go", Locator("css", "#go")),
        ("CSS_SELECTOR", " #go ", Locator("css", "#go")),
        ("link text", "Sign in", Locator("link_text", "Sign in")),
        ("linkText", "Sign in", Locator("link_text", "Sign in")),
        ("partial link text", "Sign", Locator("partial_link_text", "Sign")),
        ("class name", "btn", Locator("class_name", "btn")),
        ("tag name", "h1", Locator("tag_name", "h1")),
        ("testId", "go", Locator("test_id", "go")),
        ("data-testid", "go", Locator("test_id", "go")),
        ("alt-text", "Logo", Locator("alt_text", "Logo")),
        ("css", "css=#go", Locator("css", "#go")),
        ("css", "xpath=//a", Locator("xpath", "//a")),
        ("css", "//a[2]", Locator("xpath", "//a[2]")),
        ("css", "(//a)[2]", Locator("xpath", "(//a)[2]")),
        ("css", 'text="Sign in"', Locator("text", "Sign in")),
        ("css", "id=go", Locator("id", "go")),
        ("css", "data-cy=go", Locator("test_id", "data-cy=go")),
        ("css", 'role=button[name="Go"]', Locator("role", 'button[name="Go"]')),
        ("css", 'page.get_by_role("button", name="Go", exact=True)', Locator("role", 'button[name="Go"]')),
        ("css", "page.getByRole('button', { name: 'Go', exact: true })", Locator("role", 'button[name="Go"]')),
        ("css", "page.getByTestId('go')", Locator("test_id", "go")),
        ("css", "page.get_by_label('User')", Locator("label", "User")),
        ("css", "screen.findByPlaceholderText('User')", Locator("placeholder", "User")),
        ("css", "page.locator('#go')", Locator("css", "#go")),
        ("css", "page.locator('xpath=//a')", Locator("xpath", "//a")),
        ("css", 'By.ID, "go"', Locator("id", "go")),
        ("css", 'driver.find_element(By.XPATH, "//a")', Locator("xpath", "//a")),
        ("css", 'driver.findElement(By.cssSelector("#go"))', Locator("css", "#go")),
        ("css", 'By.partialLinkText("Sign")', Locator("partial_link_text", "Sign")),
        ("css", "cy.get('[data-cy=go]')", Locator("css", "[data-cy=go]")),
        ("css", "cy.contains('Sign in')", Locator("text", "Sign in")),
        ("css", "cy.contains('a', 'Sign in')", Locator("css", 'a:contains("Sign in")')),
        ("css", "$('.go')", Locator("css", ".go")),
        ("css", "$x('//a')", Locator("xpath", "//a")),
        ("css", "document.querySelector('#go')", Locator("css", "#go")),
        ("css", 'driver.find_element(by=By.ID, value="go")', Locator("id", "go")),
        ("css", 'driver.find_element_by_css_selector(".go")', Locator("css", ".go")),
        ("css", 'page.locator("#go").click()', Locator("css", "#go")),
        ("css", 'page.get_by_text("a).first")', Locator("text", "a).first")),
        ("css", 'page.get_by_role("button", name=re.compile("go", re.I))', Locator("role", "button[name=/go/i]")),
        ("css", "page.getByRole('button', { name: /go/i })", Locator("role", "button[name=/go/i]")),
        ("css", "page.getByRole('heading', { name: 'X', level: 2 })", Locator("role", 'heading[name="X"][level=2]')),
        ("css", 'page.get_by_role("checkbox", checked=True)', Locator("role", "checkbox[checked=true]")),
    ],
)
def test_it_is_read_as_meant(kind, value, locator):
    assert read_locator(kind, value) == locator


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("#go", {"attributes": {"id": "go"}}),
        ("button.btn.primary", {"tag": "button", "classes": ("btn", "primary")}),
        ("input[name=q][type='search']", {"tag": "input", "attributes": {"name": "q", "type": "search"}}),
        ("a[href^='/c/'][class='x y']", {"tag": "a", "parts": {"href": "/c/"}, "classes": ("x", "y")}),
        ("#f > .row a", {"tag": "a", "path": (Step(id="f"), Step(classes=("row",)))}),
        ("ul li:nth-of-type(3) > a", {"tag": "a", "path": (Step("ul"), Step("li", index=3))}),
        ("label + input", {"tag": "input", "path": ()}),
        ("a:contains('Sign in')", {"tag": "a", "text": "Sign in", "text_exact": False}),
        ("div >> text=Hi", {"text": "Hi", "path": (Step("div"),)}),
        ("tr:has-text('Ann') button", {"tag": "button", "path": (Step("tr"),), "near": ("Ann",)}),
        ("label:contains('User') + input", {"tag": "input", "path": (), "near": ("User",)}),
        (":is(button).x", {"tag": "button", "classes": ("x",)}),
        ("a, b", {"tag": "a"}),
        (
            "html > body > p:nth-of-type(2)",
            {"tag": "p", "index": 2, "rooted": True, "path": (Step("html", index=1), Step("body", index=1))},
        ),
        ("//a[@id='go' and contains(@class,'btn')]", {"tag": "a", "attributes": {"id": "go"}, "classes": ("btn",)}),
        ("//a[contains(concat(' ', normalize-space(@class), ' '), ' btn ')]", {"classes": ("btn",)}),
        ("//button[normalize-space()='Sign in']", {"tag": "button", "text": "Sign in", "text_exact": True}),
        ("//a[contains(text(),'Sign')]", {"text": "Sign", "text_exact": False}),
        ("//a[starts-with(@href,'/c')]", {"parts": {"href": "/c"}}),
        (
            "/html/body/div[3]/a",
            {
                "tag": "a",
                "rooted": True,
                "index": 1,
                "path": (Step("html", index=1), Step("body", index=1), Step("div", index=3)),
            },
        ),
        ("(//a)[3]", {"tag": "a", "index": None}),
        ("//tr[2]/td", {"tag": "td", "path": (Step("tr", index=2),)}),
        ("//label[text()='User']/following-sibling::input", {"tag": "input", "near": ("User",), "path": ()}),
        ("//td[.='Ann']/../td[3]/button", {"tag": "button", "near": ("Ann",), "path": (Step("td", index=3),)}),
        ("id('f')/a", {"tag": "a", "path": (Step(id="f"),)}),
        ("//*[local-name()='svg']", {"tag": "svg"}),
    ],
)
def test_what_css_and_xpath_say(value, said):
    found = clues(read_locator("css", value))
    assert {name: getattr(found, name) for name in said} == said


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("test_id", "go", {"attributes": {"data-testid": "go"}}),
        ("test_id", "data-cy=go", {"attributes": {"data-cy": "go"}}),
        ("role", 'button[name="Go"]', {"role": "button", "name": "Go"}),
        ("role", "heading[level=2]", {"role": "heading", "name": None}),
        ("link_text", "Go", {"tag": "a", "text": "Go", "text_exact": True}),
        ("partial_link_text", "Go", {"tag": "a", "text": "Go", "text_exact": False}),
        ("class_name", "btn", {"classes": ("btn",)}),
        ("alt_text", "Logo", {"attributes": {"alt": "Logo"}}),
        ("label", "User", {"label": "User"}),
    ],
)
def test_what_the_other_kinds_say(kind, value, said):
    found = clues(Locator(kind, value))
    assert {name: getattr(found, name) for name in said} == said


@pytest.mark.parametrize(
    ("kind", "value", "word", "shown"),
    [
        ("cs", "#go", "unknown_locator_kind", "'cs'"),
        ("css", "", "empty_locator", "''"),
        ("css", " \n ", "empty_locator", "' \\n '"),
        ("css", "a" * (MOST_LOCATOR + 1), "locator_too_long", "4001"),
        ("css", "a[", "locator_syntax", "position 2: 'a[⟶'"),
        ("css", "div > > b", "locator_syntax", "'div > ⟶> b'"),
        ("css", "a:nonsense(", "locator_syntax", "a:nonsense("),
        ("xpath", "//a[", "locator_syntax", "position 3"),
        ("xpath", "count(//a)", "locator_syntax", "does not select elements"),
        ("xpath", "//a" + "[a" * 900, "locator_syntax", "position"),
        ("role", "button[name=", "locator_syntax", "'button⟶[name='"),
        ("role", "button[name=/(a+)+/]", "locator_syntax", "repeats too much"),
        ("role", "button[name=/(/]", "locator_syntax", "button"),
        ("css", "page.locator(x)", "locator_syntax", "no string"),
        ("css", "page.locator('#f').get_by_role('button')", "locator_syntax", "⟶get_by_role"),
        ("css", "page.get_by_role('button').first", "locator_syntax", "⟶first"),
        ("css", "cy.get('form').find('a')", "locator_syntax", "⟶find"),
        ("role", 'button[name="a"]x', "locator_syntax", "⟶x"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(kind, value, word, shown):
    with pytest.raises(CannotHeal, match=word) as refusal:
        read_locator(kind, value)
    assert shown in refusal.value.sentence
    assert "\n" not in refusal.value.sentence


PIECES = st.lists(
    st.sampled_from(["#", ".", "a", "div", "[", "]", "(", ")", "'", '"', "=", ":", "not", ">", ">>", "//", "/", "@", "*", "text()",
                     "and", "1", ",", "name", "|", "~", "+", "-", "\\", "contains", "..", "::", " ", "By.id", "cy.get", ":eq(", ":text(", ":first", ":contains(a)", "[name=", "button", "level", "\ud800", "\x00"])
    | st.text(max_size=4),
    max_size=25,
).map("".join)  # fmt: skip


@given(st.sampled_from([*KINDS, "nonsense"]), PIECES)
@settings(max_examples=600, deadline=None)
def test_any_string_is_read_or_refused(kind, value):
    try:
        locator = read_locator(kind, value)
    except CannotHeal as refusal:
        assert refusal.sentence
    else:
        assert locator.kind in KINDS
        assert clues(locator) is not None


@pytest.mark.parametrize(
    "value",
    ["(" * 3_999, "a" + ":not(" * 700, "//a" + "[.//a" * 700, "-" * 3_000 + "1", "//a" + "/a" * 1_900, "a " * 1_900, "[" * 3_999, '"' * 3_999,
     "button" + "[name='" * 500, "button" + "[a]" * 1_300 + "x", "button" + "[1]" * 1_300, "button[a" + " " * 3_900, "a >> " * 790,
     "getByRole('a', name" + " " * 3_900],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["css", "xpath", "role"])
def test_hostile_locators_are_done_with_in_bounded_time(kind, value):
    began = time.process_time()
    try:
        read_locator(kind, value)
    except CannotHeal as refusal:
        assert str(refusal) == "locator_syntax"
    assert time.process_time() - began < 1


GENERATED = """css-1x2y3z sc-bdVaJa sc-gKsewC-0 jss123 ember1234 :r1: :r1a: mui-123 ng-tns-c12-3 _ngcontent-abc-c12 9f2c1a7b4d
3f2504e0-4f89-11d3-9a0c-0305e82c3301 react-select-2-input Button_root__3xYz1 svelte-abc123 data-v-7ba5bd90 input-10234
makeStyles-root-12 jsx-2871293847 yui_3_18_1_1_1234 gwt-uid-44 ext-gen1001 ui-id-5 mat-input-3 cdk-overlay-2 radix-12
mat-mdc-form-field-label-0 headlessui-menu-button-3 user-92831 el-id-1024-2 id-1234567 row_20391 Header_bar__Qw9z3
_button_1a2b3_14 a1b2c3d4 kJ3xQ9z «r3» _r_1a_ emotion-0 css-0 dropdown-4f8a2b1c 123456 post-48213 downshift-0-label
rc_select_3 x1i10hfl panel-deadbeef1""".split()
WRITTEN = """btn-primary col-md-6 h1 mt-4 login-btn step2 item-12 main header nav-link submit email password2 user-name
firstName btnSubmit navbar-expand-lg form-control d-flex px-3 text-danger cart-link product-list page-login address1
line2 col-xs-12 w-100 fa-2x icon-24 panel_2 section3 tab1 searchInput csrf_token id_username id_form-0-name mb-0
g-recaptcha h264 utf8 sha256 mp3-player vcard btn-lg ui-button mat-button v-btn el-button MuiButton-root css-grid
ant-btn-primary sc-header checkbox_1 question-7 loginBtn2 jumbotron rhythm lbl txt html5 slide-21 text-gray-500""".split()


@pytest.mark.parametrize("value", GENERATED)
def test_a_machine_made(value):
    assert is_generated(value)


@pytest.mark.parametrize("value", WRITTEN)
def test_a_person_wrote(value):
    assert not is_generated(value)
