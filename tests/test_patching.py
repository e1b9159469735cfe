"""Patches: healed locators in the tests that use them, nothing else touched, and what a person must decide."""

import ast
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import playwright
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from library_imports import ROOT
from pages import SHOP_AFTER, SHOP_BEFORE
from self_heal_engine import cli, cli_patch
from self_heal_engine.errors import CannotHeal, at_the_edge
from self_heal_engine.fingerprint import baseline_fingerprint, dump_fingerprint
from self_heal_engine.heal_answers import read_answers
from self_heal_engine.healer import heal
from self_heal_engine.literals import read_source, rewritten
from self_heal_engine.patching import plan
from self_heal_engine.reading import read_locator
from self_heal_engine.request import HealRequest, as_data, read_page
from self_heal_engine.source_files import diff_of, write_all
from suites import BROKEN, SUITES

NODE = Path(playwright.__file__).parent / "driver" / "node"
NEW, OLD = read_page(SHOP_AFTER), read_page(SHOP_BEFORE)


def healed(value, kind="css", **known):
    """What the command answers on the redesigned shop."""
    request = HealRequest(value, kind, baseline_html=SHOP_BEFORE, **known)
    return as_data(heal(NEW, request.wanted()), request)


def answer(old, new, kind="css", decision="healed", others=()):
    """An answer with one locator of the old one's kind, and other candidates."""
    candidates = [{"locator": each, "locator_type": kind, "alternatives": []} for each in (new, *others)]
    return {"original_locator": old, "locator_type": kind, "decision": decision, "candidates": candidates}


@pytest.fixture(scope="module")
def shop():
    """The answers for all broken locators of the suites."""
    return [healed(value, kind) for value, kind in BROKEN]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def suite(folder):
    for name, source in SUITES.items():
        (folder / name).write_text(source, "utf-8")
    return folder


def patched(answers, *paths):
    return plan(read_answers(json.dumps(answers), Path("heals.json")), map(Path, paths or ["."]))


def edits(found):
    return [(patch.shown, edit.old, edit.new) for patch in found.patches for edit in patch.edits]


def one(folder, answers, source, name="test_one.py"):
    """What comes of one source: the source after it, and the reasons for what is left."""
    (folder / name).write_bytes(source if isinstance(source, bytes) else source.encode())
    found = patched([answers] if isinstance(answers, dict) else answers, name)
    after = found.patches[0].after() if found.patches else (folder / name).read_bytes()
    return after.decode("utf-8", "replace"), [left.why for left in found.left]


# -- the shop's suites in four languages -------------------------------------------------------------------------------

EMAIL = 'main input[name="email"][type="email"]'
BUTTON = "main > div > section > form > button"
NEWSLETTER = 'input[placeholder="you@example.org"]'
CART = 'a[aria-label="Cart, 2 items"]'
PASSWORD = ("//input[@id='login-password']", "//input[@name='password']")


def test_every_healed_locator_of_the_suites_is_rewritten_and_nothing_is_left(suite, shop):
    found = patched(shop)
    assert found.left == ()
    assert edits(found) == [
        ("LoginPage.java", *PASSWORD),
        ("LoginPage.java", "#login-btn", BUTTON),
        ("LoginPage.java", "#login-email", EMAIL),
        ("LoginPage.java", "#newsletter-email", NEWSLETTER),
        ("LoginPage.java", "My account", "Account"),
        ("login-page.ts", "#login-email", EMAIL),
        ("login-page.ts", *PASSWORD),
        ("login-page.ts", "Sign in", "Log in"),
        ("login-page.ts", "Newsletter", "News and offers"),
        ("login-page.ts", "#cart-link", CART),
        ("login.cy.js", "#login-email", EMAIL),
        ("login.cy.js", "#cart-link", CART),
        ("login.cy.js", "#login-btn", BUTTON),
        ("login.cy.js", "#newsletter-email", NEWSLETTER),
        ("login.cy.js", "#login-btn", BUTTON),
        ("login.cy.js", *PASSWORD),
        ("login.cy.js", "My account", "Account"),
        ("login.test.tsx", "#login-btn", BUTTON),
        ("test_login.py", "#login-email", EMAIL),
        ("test_login.py", *PASSWORD),
        ("test_login.py", "#cart-link", CART),
        ("test_login.py", "#login-btn", BUTTON),
        ("test_login.py", "My account", "Account"),
        ("test_login.py", "#login-email", EMAIL),
        ("test_login.py", "Sign in", "Log in"),
        ("test_login.py", "#newsletter-email", NEWSLETTER),
        ("test_login.py", "xpath=" + PASSWORD[0], "xpath=" + PASSWORD[1]),
    ]


def test_patching_again_finds_nothing_to_do(suite, shop):
    write_all(patched(shop).patches)
    again = patched(shop)
    assert (again.patches, again.left) == ((), ())
    assert len(again.notes) == len(shop), "each heal is found in no source any more"


def test_what_was_written_is_unchanged_on_the_new_page(suite, shop):
    write_all(patched(shop).patches)
    for (old, kind), said in zip(BROKEN, shop, strict=True):
        first = said["candidates"][0]
        new = next(each["locator"] for each in (first, *first["alternatives"]) if each["locator_type"] == kind)
        assert any(new.split('"')[1 if kind == "role" else 0] in Path(name).read_text("utf-8") for name in SUITES)
        known = dump_fingerprint(baseline_fingerprint(OLD, read_locator(kind, old)))
        assert heal(NEW, HealRequest(new, kind, fingerprint=known).wanted()).decision == "unchanged", new


def test_the_literals_in_the_files_say_unchanged_as_their_calls_spell_them(suite, shop):
    known = {old: dump_fingerprint(baseline_fingerprint(OLD, read_locator(kind, old))) for old, kind in BROKEN}
    kinds = {"My account": "link_text", "Newsletter": "label", "Sign in": None}
    found = patched(shop)
    write_all(found.patches)
    asked = {(old.removeprefix("xpath="), new) for _, old, new in edits(found) if kinds.get(old, "css")}
    assert len(asked) == 8
    for old, new in asked:
        request = HealRequest(new, kinds.get(old, "css"), fingerprint=known[old])
        assert heal(NEW, request.wanted()).decision == "unchanged", new


def test_git_applies_the_diff_and_gets_what_apply_writes(suite, shop):
    odd = suite / "more tests" / 'the "odd" one.py'
    odd.parent.mkdir()
    odd.write_text('page.click("#login-btn")', "utf-8")
    (odd.parent / "plain.py").write_text('page.click("#login-btn")\n', "utf-8")
    found = patched(shop)
    diff = "".join(map(diff_of, found.patches))
    assert "+++ b/more tests/plain.py\t\n" in diff, "as git marks a name with a space"
    subprocess.run(["git", "apply", "--check", "-"], input=diff.encode(), check=True)
    subprocess.run(["git", "apply", "-"], input=diff.encode(), check=True)
    by_git = {patch.path: patch.path.read_bytes() for patch in found.patches}
    assert len(by_git) == 7
    for patch in found.patches:
        patch.path.write_bytes(patch.before)
    write_all(found.patches)
    assert {path: path.read_bytes() for path in by_git} == by_git


# -- what is not touched ------------------------------------------------------------------------------------------------

GO = answer("#go", "#start")
LINES = 'a = 1\npage.click("#go")\nb = 2'


@pytest.mark.parametrize(
    ("what", "raw"),
    [
        ("Windows' line ends", LINES.replace("\n", "\r\n").encode()),
        ("mixed line ends", b'a = 1\r\npage.click("#go")\nb = 2\r\n'),
        ("a byte order mark", b"\xef\xbb\xbf" + LINES.encode()),
        ("no end of the last line", LINES.encode()),
        ("a last line that ends", LINES.encode() + b"\n"),
        ("form feeds and other ends of a line", b'a = 1\x0c\npage.click("#go")\nb = "\xe2\x80\xa8"\n'),
        ("characters of several bytes before it", 'é = "→😀"; page.click("#go")\n'.encode()),
    ],
)
def test_the_rest_of_the_file_is_kept_byte_for_byte(folder, what, raw):
    path = folder / "test_one.py"
    path.write_bytes(raw)
    found = patched([GO])
    subprocess.run(["git", "apply", "-"], input=diff_of(found.patches[0]).encode(), check=True)
    assert path.read_bytes() == raw.replace(b"#go", b"#start") == found.patches[0].after()


STATEMENTS = {
    "py": ['page.click("#go")', 'x = "#go!"  # "#go"', 'print("é → 😀")', '"""#go"""', "A = (By.CSS_SELECTOR, '#go')"],
    "js": ["cy.get('#go');", 'page.locator(`#go`);', "const s = '#go2'; // '#go'", "log('é → 😀');", "/#go/.test(x);", "x = <a id='#go'/>;"],
    "java": ['class A { By a = By.cssSelector("#go"); }', 'class B { String s = "#go2"; /* "#go" */ char c = \'é\'; }'],
}  # fmt: skip


@given(data=st.data(), new=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
@settings(deadline=None, max_examples=200)
def test_only_the_literals_change_and_they_say_the_new_value(tmp_path_factory, data, new):
    suffix = data.draw(st.sampled_from(sorted(STATEMENTS)))
    lines = data.draw(st.lists(st.sampled_from(STATEMENTS[suffix]), min_size=1, max_size=6))
    path = tmp_path_factory.mktemp("s") / f"test.{suffix}"
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    path.write_bytes(end.join(lines).encode())
    found = patched([answer("#go", new)], path)
    if not found.patches:
        assert (
            not any(re.search(r"(get|locator|click|SELECTOR|Selector)\W+#go\W", line) for line in lines) or new == "#go"
        )
        return
    (patch,) = found.patches
    before, after = (read_source(path, "", raw) for raw in (patch.before, patch.after()))
    edited = {edit.start for edit in patch.edits}
    assert [a.value for a in after.literals] == [new if b.start in edited else b.value for b in before.literals]
    kept, at = [], 0
    for edit in patch.edits:
        kept.append(patch.before[at : edit.start])
        at = edit.end
    kept.append(patch.before[at:])
    rest = patch.after()
    for part, edit in zip(kept, patch.edits, strict=False):
        assert rest.startswith(part)
        assert rest[len(part) :].startswith(edit.written.encode())
        rest = rest[len(part) + len(edit.written.encode()) :]
    assert rest == kept[-1]


# -- what the languages say that a literal is -----------------------------------------------------------------------------

LITERALS = {
    ".py": ['"x"', "'x'", '"""x"""', "'''x'''", 'r"x"', "u'x'"],
    ".js": ['"x"', "'x'", "`x`"],
    ".ts": ['"x"', "`x`"],
    ".java": ['"x"'],
}
VALUES = [
    "a", "it's", 'say "hi"', "back\\slash", "ends\\", "`${x}`", "a\nb\r\tc", "\0\x01\x7f1", "é → 😀 \u202e\u2028", "\\u0041", "{x} %s", "''' \"\"\"",
]  # fmt: skip


def rewritten_all(suffix, values):
    for written in LITERALS[suffix]:
        statement = f"class A {{ String s = {written}; }}" if suffix == ".java" else f"f({written})"
        source = read_source(Path("a" + suffix), "", statement.encode())
        for value in values:
            yield rewritten(source.literals[0], value, source.language), value, written


@given(value=st.text())
@settings(max_examples=300)
def test_python_reads_what_was_written(value):
    for written, said, was in rewritten_all(".py", [value, *VALUES]):
        assert ast.literal_eval(written) == said
        assert written[-len(was.lstrip("ru")) // 3 :].endswith(was[-1]), "its quotes are kept"


@pytest.mark.parametrize("suffix", [".js", ".ts"])
def test_node_reads_what_was_written(suffix):
    rows = list(rewritten_all(suffix, VALUES))
    script = "console.log(JSON.stringify([" + ",".join(written for written, *_ in rows) + "]))"
    said = subprocess.run([NODE, "-"], input=script.encode(), capture_output=True, check=True)
    assert json.loads(said.stdout) == [value for _, value, _ in rows]
    assert all(written[0] == written[-1] == was[0] for written, _, was in rows)


@pytest.mark.needs("java")
def test_java_reads_what_was_written(tmp_path):
    rows = list(rewritten_all(".java", VALUES))
    prints = "".join(
        f'for (char c : {written}.toCharArray()) System.out.print((int) c + " "); System.out.println();'
        for written, *_ in rows
    )
    program = tmp_path / "Main.java"
    program.write_text(f"class Main {{ public static void main(String[] a) {{ {prints} }} }}", "utf-8")
    said = subprocess.run(["java", "-Dfile.encoding=UTF-8", program], capture_output=True, text=True, check=True)
    units = [list(map(int, line.split())) for line in said.stdout.splitlines()]
    assert [b"".join(unit.to_bytes(2, "big") for unit in line).decode("utf-16-be") for line in units] == VALUES


@pytest.mark.parametrize("suffix", LITERALS)
def test_we_read_what_we_wrote(suffix):
    for written, value, _ in rewritten_all(suffix, VALUES):
        statement = f"class A {{ String s = {written}; }}" if suffix == ".java" else f"f({written})"
        source = read_source(Path("a" + suffix), "", statement.encode())
        assert [literal.value for literal in source.literals] == [value], written


def test_node_agrees_on_what_odd_literals_say():
    odd = [r"'\x41\u0041\u{1F600}\uD83D\uDE00'", r"'\v\0\q\'\"'", "'a\\\nb'", "`a\r\nb`", r"`\``"]
    said = subprocess.run([NODE, "-"], input=f"console.log(JSON.stringify([{','.join(odd)}]))".encode(), capture_output=True, check=True)  # fmt: skip
    source = read_source(Path("a.js"), "", f"f({','.join(odd)})".encode())
    assert [literal.value for literal in source.literals] == json.loads(said.stdout)


# -- what is rewritten ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "before", "after", "heals"),
    [
        ("a.py", 'driver.find_element_by_css_selector("#go")', 'driver.find_element_by_css_selector("#start")', GO),
        ("a.py", 'find_element(by=By.CSS_SELECTOR, value="#go")', 'find_element(by=By.CSS_SELECTOR, value="#start")', GO),
        ("a.py", 'GO = ("css selector", "#go")', 'GO = ("css selector", "#start")', GO),
        ("a.py", 'self.click((AppiumBy.ID, "go"))', 'self.click((AppiumBy.ID, "start"))', answer("go", "start", "id")),
        ("a.py", 'S = {"go": "#go"}\npage.click(S["go"])', 'S = {"go": "#start"}\npage.click(S["go"])', GO),
        ("a.py", 'page.locator("css=#go").nth(0)', 'page.locator("css=#start").nth(0)', GO),
        ("a.py", 'page.locator("//a")', 'page.locator("xpath=/html/b")', answer("//a", "/html/b", "xpath")),
        ("a.py", "page.locator('text=\"Go\"')", "page.locator('text=\"Start\"')", answer("Go", "Start", "text")),
        ("a.py", 'page.get_by_test_id("go")', 'page.get_by_test_id("start")', answer("go", "start", "test_id")),
        ("a.py", 'page.get_by_text("Go")', 'page.get_by_text("Start")', answer("Go", "Start", "text")),
        ("a.py", 'page.get_by_role("link", name="Go")', 'page.get_by_role("button", name="Start")', answer('link[name="Go"]', 'button[name="Start"]', "role")),
        ("a.py", 'page.get_by_role("link", name="Go")', 'page.get_by_role("link", name="Start")', answer('page.get_by_role("link", name="Go")', "x", "css") | {"candidates": [{"locator": 'link[name="Start"]', "locator_type": "role"}]}),
        ("a.js", "cy.contains('Go')", "cy.contains('Start')", answer("Go", "Start", "text")),
        ("a.js", "$('#go').click(); document.querySelector(\"#go\")", "$('#start').click(); document.querySelector(\"#start\")", GO),
        ("a.js", "screen.getByLabelText('Go')", "screen.getByLabelText('Start')", answer("Go", "Start", "label")),
        ("a.ts", "(await page.$('#go'))!.click()", "(await page.$('#start'))!.click()", GO),
        ("a.ts", "class A { #go = '#go'; m() { return cy.get(this.#go) } }", "class A { #go = '#start'; m() { return cy.get(this.#go) } }", GO),
        ("a.java", 'class A { void m() { $("#go").click(); } }', 'class A { void m() { $("#start").click(); } }', GO),
        ("a.java", 'class A { @FindBy(id="go") WebElement a; }', 'class A { @FindBy(id="start") WebElement a; }', answer("go", "start", "id")),
    ],
)  # fmt: skip
def test_rewritten(folder, name, before, after, heals):
    assert one(folder, heals, before, name) == (after, [])


def test_a_constant_is_followed_into_other_files_of_its_language(folder):
    (folder / "locators.py").write_text('GO = "#go"\n', "utf-8")
    (folder / "test_a.py").write_text("from locators import GO\npage.click(GO)\n", "utf-8")
    (folder / "test_b.py").write_text('GO = "elsewhere"\nprint(GO)\n', "utf-8")
    (folder / "c.js").write_text("log(GO)", "utf-8")
    found = patched([GO])
    assert (edits(found), found.left) == ([("locators.py", "#go", "#start")], ())
    (folder / "test_c.py").write_text("import locators\nprint(locators.GO)\n", "utf-8")
    (left,) = patched([GO]).left
    assert left.why == "GO or its value is also used where it may not be the locator: test_c.py:2"


# -- what is left to a person ----------------------------------------------------------------------------------------------

TWO = [GO, answer("#go", "#other")]


@pytest.mark.parametrize(
    ("why", "source", "heals"),
    [
        ("it is a plain value here", 'assert selector == "#go"', GO),
        ("it is a plain value here", 'log.info("#go")', GO),
        ("it is a plain value here", 'helper.click("#go")', GO),
        ("GO is used in no locator call that is known", 'GO = "#go"', GO),
        ("GO or its value is also used where it may not be the locator: test_one.py:3", 'GO = "#go"\npage.click(GO)\nprint(GO)', GO),
        ("A or its value is also used where it may not be the locator: test_one.py:3", 'A = "#go"\npage.click(A)\nprint("#go")', GO),
        ("A is used as a locator of kind id, and the heal is of a css", 'A = "#go"\nfind_element(By.ID, A)', GO),
        ("B has the same value and is left: test_one.py:2", 'A = "#go"\nB = "#go"\npage.click(A)\nprint(B)', GO),
        ("entries 1 and 2 healed it to different elements", 'page.click("#go")', TWO),
        ("the heals differ: healed in entry 1, unchanged in entry 2", 'page.click("#go")', [GO, answer("#go", "#go", decision="unchanged")]),
        ("no plain literal", 'page.click(f"{x} #go")', GO),
        ("no plain literal", 'page.click("#" "go")', GO),
        ("no plain literal", 'page.click("#go" + row)', GO),
        ("no plain literal", 'page.click("#go %s" % row)', GO),
        ("it contains '#go', which was healed", 'page.click("form > #go")', GO),
        ("the healed element has no css locator; it has role, xpath", 'page.click("#go")', GO | {"candidates": [{"locator": "button", "locator_type": "role", "alternatives": [{"locator": "//b", "locator_type": "xpath"}]}]}),
        ("it is a css locator here, and the heal is of a id", 'page.click("go")', answer("go", "start", "id")),
        ("nth behind the call says that it finds many elements", 'page.locator("#go").nth(2)', GO),
        ("an index behind the call narrows it", 'page.locator("#go")[1]', GO),
        ("count behind the call says that it finds many elements", 'page.locator("#go").count()', GO),
        ("find_elements finds many elements", 'driver.find_elements(By.CSS_SELECTOR, "#go")', GO),
        ("has_text narrows the call", 'page.locator("#go", has_text="x")', GO),
        ("level narrows the call", 'page.get_by_role("heading", level=2, name="Go")', answer('heading[name="Go"]', 'heading[name="X"]', "role")),
        ("an XPath inside another locator", 'page.locator("form").locator("//a")', answer("//a", "//b", "xpath")),
        ("the healed role locator is of another form", 'page.get_by_role("main")', answer("main", 'main[name="x"]', "role")),
        ("the name is no plain literal but 're.compile(\"go\")'", 'page.get_by_role("link", name=re.compile("go"))', answer("link[name=/go/]", 'link[name="x"]', "role")),
        ("'Start' is a part of 'Start over', too", 'page.get_by_text("Go")', answer("Go", "Start", "text", others=["Start over"])),
        ("""'Start' is a part of 'link[name="Restart"]', too""", 'page.get_by_role("link", name="Go")', answer('link[name="Go"]', 'link[name="Start"]', "role", others=['link[name="Restart"]'])),
        ("the healed test id stands in data-cy", 'page.get_by_test_id("go")', answer("go", "data-cy=start", "test_id")),
        ("cannot be written in the form that stands here", "page.locator('text=\"Go\"')", answer("Go", 'say "x"', "text")),
        ("the file cannot be parsed from here on", 'page.click("#go")\nx = = "\n', GO),
        ("the file is not UTF-8 text: byte 0xe9 at 1", b'#\xe9\npage.click("#go")', GO),
        ("the file says that it is latin-1, not UTF-8", b'# coding: latin-1\npage.click("#go")', GO),
    ],
)  # fmt: skip
def test_left_with_a_reason(folder, why, source, heals):
    after, reasons = one(folder, heals, source)
    assert (
        after.encode("utf-8", "replace") == (source if isinstance(source, bytes) else source.encode())
        or "\ufffd" in after
    )
    assert any(why in reason for reason in reasons), reasons


@pytest.mark.parametrize(
    ("why", "name", "source"),
    [
        ("no plain literal", "a.ts", "page.click(`#go ${x}`)"),
        ("no plain literal", "a.js", "cy.get(css`#go`)"),
        ("no plain literal", "a.java", 'class A { By a = By.cssSelector("#go" + x); }'),
        ("no plain literal", "a.java", 'class A { String a = """\n  #go"""; }'),
        ("eq behind the call", "a.js", "cy.get('#go').should('exist').eq(1)"),
        ("toHaveCount behind the call", "a.ts", "await expect(page.locator('#go')).toHaveCount(3)"),
        ("the field holds many elements", "a.java", 'class A { @FindBy(css = "#go") List<WebElement> all; }'),
        ("findElements finds many", "a.java", 'class A { void m() { d.findElements(By.cssSelector("#go")); } }'),
        ("it is a plain value here", "a.java", 'class A { void m() { assertEquals("#go", s); } }'),
        ("it is a plain value here", "a.js", "expect(s).to.equal('#go')"),
    ],
)
def test_left_with_a_reason_in_other_languages(folder, why, name, source):
    after, (reason,) = one(folder, GO, source, name)
    assert after == source
    assert why in reason


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.py", '"""#go"""\nd = {"#go": 1}\nx["#go"]\n# "#go"\nb"#go"\nx = "#gone"\nf"{x}"'),
        ("a.tsx", "import x from '#go';\ntype T = '#go';\nconst a = <a id='#go'>#go</a>; // '#go'"),
    ],
)
def test_keys_comments_names_of_modules_and_longer_names_are_nobodys_business(folder, name, source):
    assert one(folder, GO, source, name) == (source, [])


def test_a_plain_value_does_not_hold_up_the_locator_call(folder):
    after, reasons = one(folder, GO, 'page.click("#go")\nprint("#go")')
    assert after == 'page.click("#start")\nprint("#go")'
    assert reasons == ["it is a plain value here, not the argument of a known locator call"]


def test_what_is_installed_or_hidden_is_not_looked_at(folder):
    for name in ("node_modules/a.js", ".venv/a.py", "build/a.py", "tests/a.py", "tests/a.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text('page.click("#go")', "utf-8")
    (folder / "tests" / "link.py").symlink_to(folder / "build" / "a.py")
    assert [patch.shown for patch in patched([GO], ".", "tests/a.py").patches] == ["tests/a.py"]


# -- writing -------------------------------------------------------------------------------------------------------------


def test_all_files_are_written_or_none(folder, monkeypatch):
    for name in ("a.py", "b.py"):
        (folder / name).write_text('page.click("#go")', "utf-8")
    patches = patched([GO]).patches
    move, moved = os.replace, []

    def full(source, target):
        if moved:
            raise OSError(28, "No space left on device", str(target))
        moved.append(target)
        move(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CannotHeal, match="unwritable_file"):
        write_all(patches)
    assert len(moved) == 1
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(
        ("a.py", "b.py"), 'page.click("#go")'
    )


def test_a_file_that_changed_meanwhile_is_not_overwritten(folder):
    for name in ("a.py", "b.py"):
        (folder / name).write_text('page.click("#go")', "utf-8")
    patches = patched([GO]).patches
    (folder / "b.py").write_text("mine", "utf-8")
    with pytest.raises(CannotHeal, match="changed_meanwhile"):
        write_all(patches)
    assert sorted(path.read_text() for path in folder.iterdir()) == ["mine", 'page.click("#go")']


def test_a_file_keeps_its_mode_and_a_link_stays_one(folder):
    (folder / "real.py").write_text('page.click("#go")', "utf-8")
    (folder / "real.py").chmod(0o750)
    (folder / "link.py").symlink_to("real.py")
    write_all(patched([GO], "link.py").patches)
    assert (folder / "link.py").is_symlink()
    assert (folder / "real.py").read_text() == 'page.click("#start")'
    assert (folder / "real.py").stat().st_mode & 0o777 == 0o750


# -- the command -----------------------------------------------------------------------------------------------------------

app = typer.Typer(no_args_is_help=True)
app.add_typer(cli.app)
app.add_typer(cli_patch.app)


@pytest.fixture
def self_heal(capsys, monkeypatch):
    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["self-heal", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            at_the_edge("self-heal", app)
        said = capsys.readouterr()
        return end.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def small(folder):
    (folder / "test_one.py").write_text('page.click("#go")\nprint("#go")\n', "utf-8")
    (folder / "heals.json").write_text(json.dumps([GO, answer("#chat", "a", decision="gone")]), "utf-8")
    return folder


LEFT = "test_one.py:2: left: '#go': it is a plain value here, not the argument of a known locator call\ncss '#chat': gone, nothing to patch\n"


def test_the_diff_is_printed_and_nothing_written(self_heal, small):
    code, out, err = self_heal("patch", "--heals", "heals.json", ".")
    assert code == 0
    assert out.startswith("--- a/test_one.py\n+++ b/test_one.py\n@@ ")
    assert err == LEFT + "1 literal in 1 file to rewrite, 1 place left to a person\n"
    assert "#start" not in (small / "test_one.py").read_text()


def test_check_prints_no_diff_and_fails_while_there_is_something_to_do(self_heal, small):
    code, out, err = self_heal("patch", "--heals", "heals.json", "--check", ".")
    assert (code, out) == (1, "")
    assert err.startswith("test_one.py:1: '#go' -> '#start'\ntest_one.py:2: left")
    assert "#start" not in (small / "test_one.py").read_text()
    (small / "test_one.py").write_text('page.click("#start")\nprint("#go")\n', "utf-8")
    assert self_heal("patch", "--heals", "heals.json", "--check", ".")[0] == 1, "a place is left"
    (small / "test_one.py").write_text('page.click("#start")\n', "utf-8")
    code, _, err = self_heal("patch", "--heals", "heals.json", "--check", ".")
    assert (code, err.splitlines()[-1]) == (0, "nothing to do")


def test_apply_writes_and_says_what(self_heal, small):
    code, out, err = self_heal("patch", "--heals", "heals.json", "--apply", small)
    assert (code, out) == (0, "")
    assert (
        err == "test_one.py:1: '#go' -> '#start'\n" + LEFT + "1 literal in 1 file rewritten, 1 place left to a person\n"
    )
    assert (small / "test_one.py").read_text() == 'page.click("#start")\nprint("#go")\n'


@pytest.mark.parametrize(
    "form",
    [
        lambda answers: json.dumps(answers),
        lambda answers: json.dumps({"answers": answers}, indent=2),
        lambda answers: "\n".join(map(json.dumps, answers)) + "\n\n",
        lambda answers: json.dumps(answers[0], indent=2),
        lambda answers: "\ufeff" + json.dumps(answers[0] | {"request_id": 7, "unknown": None}),
    ],
    ids=["a list", "a batch", "lines", "one answer", "with other fields"],
)
def test_the_heals_come_in_any_form_that_the_engine_writes(self_heal, small, form):
    code, out, _ = self_heal("patch", "--heals", "-", "test_one.py", stdin=form([GO]).encode())
    assert (code, '+page.click("#start")' in out) == (0, True)


@pytest.mark.parametrize(
    ("word", "said", "heals"),
    [
        ("bad_heals", "is neither JSON nor lines of JSON", "nonsense"),
        ("bad_heals", "is neither JSON nor lines of JSON", '{"a": 1}\nnonsense'),
        ("bad_heals", "holds no list of answers but '7'", "7"),
        ("bad_heals", "holds no list of answers but '3'", '{"answers": 3}'),
        ("bad_heals", "cannot be read", "[" * 100_000),
        ("bad_heals", "entry 1 of 'heals.json' cannot be read: original_locator: Field required", "[{}]"),
        ("bad_heals", "entry 2 of 'heals.json' cannot be read: decision: Input should be", [GO, GO | {"decision": "fine"}]),
        ("bad_heals", "locator_type: Input should be a valid string", [GO | {"locator_type": 3}]),
        ("bad_heals", "candidates: it is healed and proposes nothing", [GO | {"candidates": []}]),
        ("bad_heals", "entry 1 of 'heals.json': original_locator: 'cs' is not a kind", [GO | {"locator_type": "cs"}]),
        ("bad_heals", "entry 1 of 'heals.json': candidates.0: 'cs' is not a kind", [answer("#a", "b") | {"candidates": [{"locator": "b", "locator_type": "cs"}]}]),
        ("bad_heals", "candidates.0: a css locator is empty", [answer("#a", "")]),
        ("bad_heals", "hex escape", '[{"original_locator": "\\ud800"}]'),
    ],
)  # fmt: skip
def test_heals_that_cannot_be_read_are_one_sentence_and_exit_code_2(self_heal, small, word, said, heals):
    (small / "heals.json").write_text(heals if isinstance(heals, str) else json.dumps(heals), "utf-8")
    code, out, err = self_heal("patch", "--heals", "heals.json", ".")
    assert (code, out) == (2, "")
    assert err.startswith(f"self-heal: {word}: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "said", "arguments"),
    [
        ("unreadable_file", "nofile.json", ["--heals", "nofile.json", "."]),
        ("unreadable_file", "nowhere", ["--heals", "heals.json", "nowhere"]),
        ("unknown_source", "'heals.json' is no source", ["--heals", "heals.json", "heals.json"]),
        ("apply_or_check", "give one of them", ["--heals", "heals.json", "--apply", "--check", "."]),
    ],
)
def test_other_bad_input_is_one_sentence_and_exit_code_2(self_heal, small, word, said, arguments):
    code, out, err = self_heal("patch", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"self-heal: {word}: ")
    assert said in err


# -- docs/patching.md --------------------------------------------------------------------------------------------------------

GUIDE = (ROOT / "docs" / "patching.md").read_text("utf-8") if (ROOT / "docs" / "patching.md").exists() else ""


def test_the_example_of_the_documentation_prints_what_it_says(self_heal, folder):
    blocks = dict(re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```", GUIDE, re.DOTALL))
    (folder / "tests").mkdir()
    for name in ("tests/test_login.py", "broken.jsonl"):
        (folder / name).write_text(blocks[name], "utf-8")
    (folder / "login.html").write_text(SHOP_AFTER, "utf-8")
    healing, patching = blocks["commands"].splitlines()
    command, _, target = healing.partition(" > ")
    lines = [json.loads(line) | {"baseline_html": SHOP_BEFORE} for line in blocks["broken.jsonl"].splitlines()]
    (folder / "broken.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    code, out, _ = self_heal(*shlex.split(command)[1:])
    assert code == 3, "one is gone"
    (folder / target).write_text(out, "utf-8")
    code, out, err = self_heal(*shlex.split(patching)[1:])
    assert (code, out, err) == (0, blocks["diff"], blocks["list"])
