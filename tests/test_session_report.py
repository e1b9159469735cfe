"""The report of a test session: each locator once, what needs a person, and HTML that no page can break out of."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import html5lib
import pytest
from typer.testing import CliRunner

from self_heal_engine import cli_live
from self_heal_engine.errors import CannotHeal
from self_heal_engine.heal_answers import read_answers
from self_heal_engine.patching import plan
from self_heal_engine.records import Heard, Verdict
from self_heal_engine.session_data import Advice, as_data, to_patch
from self_heal_engine.session_html import page, shown
from self_heal_engine.session_report import checked_policy, comes_close, failures, session_heals, session_report
from self_heal_engine.storage import open_store
from stored import heal

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
FIRST, SECOND, NONE, GONE = Verdict(0, False), Verdict(1, False), Verdict(None, False), Verdict(None, True)


def candidate(locator, score=0.99, text="Log in", **more):
    return {
        "index": 0, "locator": f'button[name="{text}"]', "locator_type": "role", "score": score, "tag": "button",
        "text": text, "alternatives": [{"locator": locator, "locator_type": "css"}], "reasons": [f"same text {text!r}"],
    } | more  # fmt: skip


SURE = [candidate("#sign-in"), candidate("#help", 0.1, "Help")]


def asked(locator="#login", verdict=None, at=0, **changes):
    """A heal of a session, asked so many minutes after its start."""
    usual = {"original_locator": locator, "created_at": START + timedelta(minutes=at), "candidates": SURE}
    return Heard(heal(**usual | changes), verdict, None if verdict is None else START)


def told(*heals, least=0.8):
    return session_report(heals, least)


def only(*heals):
    """What became of the one locator of some heals."""
    (one,) = told(*heals).asked
    return one


# -- what became of each locator -------------------------------------------------------------------------------------


def test_a_heal_asked_many_times_appears_once_with_its_count():
    pages = {"page_url": "https://shop.example/cart"}
    found = told(asked(at=0), asked(at=1, **pages), asked(at=2, confidence=0.85), asked("#cart", at=3))
    assert found.sentence() == "4 heals of 2 locators: 0 need a person, 2 healed, 0 gone, 0 unchanged"
    (answer,) = found.asked[0].answers
    assert (found.asked[0].times, answer.times, answer.confidence) == (3, 3, 0.85)
    assert answer.pages == ("https://shop.example/", "https://shop.example/cart")
    assert page(found).count("#sign-in") >= 1
    assert "asked 3 times" in page(found)


def test_one_locator_in_two_spellings_is_one():
    one = only(asked(), asked(" #login "), asked(locator_type="css selector"), asked("css=#login"))
    assert one.times == 4


@pytest.mark.parametrize(
    ("decision", "verdict", "section", "said", "after"),
    [
        ("healed", None, "healed", None, "#sign-in"),
        ("healed", FIRST, "healed", "right", "#sign-in"),
        ("healed", SECOND, "healed", "wrong", "#help"),
        ("healed", Verdict(None, False, "#other", "css"), "healed", "wrong", "#other"),
        ("healed", Verdict(None, False, "#sign-in", "css"), "healed", "right", "#sign-in"),
        ("healed", GONE, "gone", "wrong", None),
        ("healed", NONE, "needs_person", "wrong", None),
        ("unchanged", None, "unchanged", None, "#sign-in"),
        ("unchanged", FIRST, "unchanged", "right", "#sign-in"),
        ("gone", None, "gone", None, None),
        ("gone", GONE, "gone", "right", None),
        ("gone", SECOND, "healed", "wrong", "#help"),
    ],
)
def test_what_a_person_said_goes_before_what_was_answered(decision, verdict, section, said, after):
    one = only(asked(decision=decision, verdict=verdict))
    (answer,) = one.answers
    assert (one.section(), answer.said) == (section, said)
    assert (answer.element and answer.element.after("css").value) == after


@pytest.mark.parametrize(
    ("heals", "condition", "why"),
    [
        ([asked(confidence=0.79)], "low-confidence", "the confidence is 0.79, less than 0.80"),
        ([asked(confidence=0.7, decision="unchanged")], "low-confidence", "0.70"),
        ([asked(candidates=[SURE[0], candidate("#b", 0.98, "B")])], "ambiguous", "comes close: it scores 0.98"),
        ([asked(), asked(candidates=SURE[::-1])], "ambiguous", "healed as css '#sign-in'; healed as css '#help'"),
        ([asked(), asked(decision="gone")], "ambiguous", "it was answered in 2 ways: healed as css '#sign-in'; gone"),
        ([asked(verdict=FIRST), asked(verdict=GONE)], "ambiguous", "people said different things"),
        ([asked(verdict=NONE)], "wrong", "none of the candidates, and nobody said what finds it"),
    ],
)
def test_a_person_is_needed_where(heals, condition, why):
    one = only(*heals)
    assert one.section() == "needs_person"
    assert one.holds(condition)
    assert why in " ".join(sentence for _, sentence in one.needs)


@pytest.mark.parametrize("verdict", [FIRST, SECOND, GONE])
def test_what_a_person_settled_needs_none(verdict):
    close = [SURE[0], candidate("#b", 0.98, "B")]
    assert only(asked(confidence=0.65, verdict=verdict, candidates=close)).needs == ()


def test_one_confirmation_settles_the_same_answer_asked_again():
    assert only(asked(confidence=0.65), asked(confidence=0.65, verdict=FIRST), asked(confidence=0.65)).needs == ()


@pytest.mark.parametrize(
    ("first", "second", "close"),
    [(0.99, 0.98, True), (0.99, 0.5, False), (1.0, 1.0, True), (0.0, 0.0, True), (0.6, None, False)],
)
def test_a_rival_comes_close_by_log_odds(first, second, close):
    assert comes_close(first, second) is close


# -- policy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heals", "held"),
    [
        ([asked(verdict=FIRST)], set()),
        ([asked()], {"unconfirmed"}),
        ([asked(confidence=0.7)], {"unconfirmed", "low-confidence"}),
        ([asked(decision="gone")], {"gone"}),
        ([asked(decision="unchanged")], set()),
        ([asked(verdict=GONE)], {"gone", "wrong"}),
        ([asked(), asked(decision="gone")], {"unconfirmed", "ambiguous", "gone"}),
        ([asked(verdict=FIRST), asked(verdict=SECOND)], {"ambiguous", "wrong"}),
    ],
)
def test_a_run_fails_by(heals, held):
    every = checked_policy(["low-confidence,ambiguous", "gone", "wrong", "unconfirmed", "gone"])
    assert len(every) == 5
    assert set(failures(told(*heals), every)) == held
    assert failures(told(*heals), []) == {}


def test_a_failure_is_a_sentence():
    (sentence,) = failures(told(asked(decision="gone")), ["gone"]).values()
    assert sentence == "1 locator is gone from the page (gone)"


def test_an_unknown_condition_is_quoted():
    with pytest.raises(CannotHeal, match="bad_policy") as refusal:
        checked_policy(["gone", "broken"])
    assert refusal.value.sentence.startswith("--fail-on 'broken' is none of low-confidence, ambiguous, gone")


# -- patches ---------------------------------------------------------------------------------------------------------

SOURCE = """\
from selenium.webdriver.common.by import By

def test_login(driver):
    driver.find_element(By.CSS_SELECTOR, "#login").click()
    driver.find_element(By.CSS_SELECTOR, "#unsure").click()
    driver.find_element(By.CSS_SELECTOR, "#corrected").click()
"""
RUN = [asked(), asked("#unsure", confidence=0.7), asked("#corrected", SECOND)]


def test_only_what_needs_no_person_is_patched_and_as_a_person_corrected_it():
    found = told(*RUN)
    answers = {answer.original_locator: answer for answer in to_patch(found)}
    assert set(answers) == {"#login", "#corrected"}
    assert answers["#corrected"].candidates[0].alternatives[0].locator == "#help"


def test_the_json_is_what_patch_takes(tmp_path):
    (tmp_path / "test_login.py").write_text(SOURCE, "utf-8")
    text = json.dumps(as_data(told(*RUN), None, [], {}))
    (patch,) = plan(read_answers(text, Path("report.json")), [tmp_path]).patches
    assert [(edit.old, edit.new) for edit in patch.edits] == [("#login", "#sign-in"), ("#corrected", "#help")]


def test_a_locator_that_cannot_be_read_any_more_is_shown_and_not_patched():
    found = told(asked("a[[["))
    assert to_patch(found) == []
    assert "a[[[" in page(found)


# -- HTML ------------------------------------------------------------------------------------------------------------

HOSTILE = [
    "</style><script>hit()</script>", "<img src=//evil.example/x onerror=hit()>", '"><svg onload=hit()>', "' onfocus='hit()",
    "</details></article><base href=//evil.example>", "<!--", "javascript:hit()", "&lt;b&gt;", "\ud800 lone", "\0\x1b[31m",
    "\u202eevil\u2066", "שלום עולם", "x" * 5_000, "<meta http-equiv=refresh content=0;url=//evil.example>",
]  # fmt: skip


def hostile_report():
    """Every hostile text at every place."""
    heals = [
        asked(
            text, original_locator=text, visible_text=text, page_url=text, test_session=text, model=text, decision=decision,
            candidates=[candidate(text, text=text, tag=text, reasons=[text]), candidate(text, 0.985, text)],
        )
        for text in HOSTILE
        for decision in ("healed", "gone", "unchanged")
    ]  # fmt: skip
    advice = Advice("".join(f"+{text}\n" for text in HOSTILE), tuple((text, 1, text, text) for text in HOSTILE))
    return page(told(*heals), advice, ["gone"], {"gone": HOSTILE[0]})


def test_hostile_texts_stay_texts():
    html = hostile_report()
    html.encode("utf-8")
    usual = html5lib.parse(page(told(*RUN), Advice("+a\n", (("a", 1, "b", "c"),)), ["gone"], {"gone": "x"}))
    tree = html5lib.parse(html)
    known = {element.tag for element in usual.iter()} | {
        element.tag for element in html5lib.parse(page_of_all()).iter()
    }
    assert {element.tag for element in tree.iter()} <= known
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on")} | attributes & {"src", "style", "action"}
    assert all(element.get("href").startswith("#") for element in tree.iter() if element.get("href"))
    for steering in "\u202e\u2066\0\x1b":
        assert steering not in html


def page_of_all():
    """A report with every section."""
    return page(told(*RUN, asked("#old", decision="gone"), asked("#same", decision="unchanged")))


@pytest.mark.needs("chromium")
def test_in_a_browser_nothing_runs_nothing_is_loaded_and_no_rule_is_broken(browser_page, tmp_path):
    (tmp_path / "report.html").write_text(hostile_report(), "utf-8")
    asked_for, said = [], []
    browser_page.on("request", lambda request: asked_for.append(request.url))
    browser_page.on("console", lambda message: said.append(message.text))
    browser_page.goto((tmp_path / "report.html").as_uri())
    assert asked_for == [(tmp_path / "report.html").as_uri()]
    assert said == [], "the page's own policy allows its style"
    assert browser_page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    assert browser_page.evaluate("typeof hit") == "undefined"


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", [320, 700, 1600])
def test_no_width_needs_scrolling_sideways(browser_page, tmp_path, width):
    (tmp_path / "report.html").write_text(hostile_report(), "utf-8")
    browser_page.set_viewport_size({"width": width, "height": 800})
    browser_page.goto((tmp_path / "report.html").as_uri())
    browser_page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.needs("chromium")
def test_on_paper_what_was_folded_is_unfolded(browser_page, tmp_path):
    (tmp_path / "report.html").write_text(page_of_all(), "utf-8")
    browser_page.goto((tmp_path / "report.html").as_uri())
    source = browser_page.locator("details code").first
    assert not source.is_visible()
    browser_page.emulate_media(media="print")
    assert source.is_visible()


def test_every_table_says_what_it_is_and_which_cells_are_heads():
    tree = html5lib.parse(page_of_all(), namespaceHTMLElements=False)
    tables = list(tree.iter("table"))
    assert len(tables) >= 4
    for table in tables:
        assert table.find("caption").text
        assert {head.get("scope") for head in table.iter("th")} == {"col", "row"}
    headings = [element.tag for element in tree.iter() if element.tag in ("h1", "h2", "h3")]
    assert headings == ["h1", "h2", "h2", "h2", "h2"]
    for section in tree.iter("section"):
        assert any(each.get("id") == section.get("aria-labelledby") for each in section.iter("h2"))


def contrast(one, other):
    """WCAG's ratio of two colours such as #fff."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(scheme):
    css = files("self_heal_engine").joinpath("session_report.css").read_text("utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]))
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in ("page", "card")]
    pairs += [(ink, "code") for ink in ("ink", "soft")]
    pairs += [(name, f"{name}-ground") for name in ("good", "look", "bad", "quiet")]
    pairs += [(name, "card") for name in ("good", "look", "bad")]
    for ink, ground in pairs:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def test_a_long_run_is_a_small_file_and_the_same_run_the_same_bytes():
    many = [asked(f"#button-{at}", at=at, candidates=[candidate(f"#new-{at}", text=f"Text {at}")]) for at in range(100)]
    html = page(told(*many))
    assert len(html) < 400_000
    assert html == page(told(*many))
    assert "100 heals of 100 locators" in html


def test_a_text_of_a_page_is_cut():
    assert len(shown("x" * 5_000)) < 200


# -- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/heals.db")
    with closing(open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)) as store:
        heals = [*RUN, asked("#old", decision="gone", at=1), asked("#elsewhere", test_session="s2")]
        store.save_heals([each.heal for each in heals])
        store.confirm(RUN[2].heal.request_id, SECOND, {})
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_login.py").write_text(SOURCE, "utf-8")
    return tmp_path


def run(*args):
    return CliRunner().invoke(cli_live.app, ["report", *map(str, args)], catch_exceptions=False)


def test_the_command_writes_both_files_with_patches_and_touches_no_test(folder):
    done = run("--session", "s1", "--json", "report.json", "--tests", "tests")
    assert done.exit_code == 0, done.output
    assert "4 heals of 4 locators: 1 need a person, 2 healed, 1 gone, 0 unchanged" in done.stdout
    data = json.loads(Path("report.json").read_text("utf-8"))
    assert data["counts"] == {"needs_person": 1, "healed": 2, "gone": 1, "unchanged": 0}
    assert '+    driver.find_element(By.CSS_SELECTOR, "#sign-in").click()' in data["patches"]["diff"]
    assert "#elsewhere" not in json.dumps(data)
    (login,) = (one for one in data["locators"] if one["original_locator"] == "#login")
    assert login["answers"][0]["after"]["source"]["cypress"] == 'cy.get("#sign-in")'
    html = Path("report.html").read_text("utf-8")
    assert "+    driver.find_element(By.CSS_SELECTOR, &quot;#sign-in&quot;).click()" in html
    assert (folder / "tests" / "test_login.py").read_text("utf-8") == SOURCE


@pytest.mark.parametrize(
    ("policy", "code", "said"),
    [
        (["--fail-on", "gone"], 1, "1 locator is gone from the page (gone)"),
        (["--fail-on", "low-confidence"], 1, "with too low a confidence"),
        (["--fail-on", "low-confidence", "--least", "0.5"], 0, ""),
        (["--fail-on", "gone,wrong", "--fail-on", "unconfirmed"], 1, "2 locators are healed, and confirmed by nobody"),
        ([], 0, ""),
    ],
)
def test_the_exit_code_follows_the_policy_and_the_report_is_written_anyhow(folder, policy, code, said):
    done = run("--session", "s1", *policy)
    assert done.exit_code == code
    assert said in done.stderr
    assert ("Failed." in Path("report.html").read_text("utf-8")) == bool(code)


@pytest.mark.parametrize(
    ("args", "word", "said"),
    [
        (["--session", "s3"], "unknown_session", "'s3' is stored; the last ones are of 's1', 's2'"),
        (["--session", "\udcff\0"], "unknown_session", r"\udcff"),
        (["--session", "s1", "--fail-on", "gonne"], "bad_policy", "'gonne'"),
        (["--session", "s1", "--out", "tests"], "unwritable_file", "'tests' is a folder"),
        (["--session", "s1", "--out", "tests/test_login.py/report.html"], "unwritable_file", "report.html"),
        (["--session", "s1", "--tests", "nowhere"], "unreadable_file", "'nowhere'"),
    ],
)
def test_what_cannot_be_reported_is_refused(folder, args, word, said):
    with pytest.raises(CannotHeal, match=word) as refusal:
        run(*args)
    assert said in refusal.value.sentence
    assert not Path("report.html").exists()


def test_an_empty_store_says_that_it_knows_no_session(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)
    with closing(store), pytest.raises(CannotHeal, match="unknown_session") as refusal:
        session_heals(store, "s1")
    assert "none of the last ones names a session" in refusal.value.sentence
