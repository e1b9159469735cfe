"""Cases as people look at them, in the terminal and on a sheet."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from self_heal_engine.cases import jobs, make_cases
from self_heal_engine.cli_data import app
from self_heal_engine.contact_sheet import sample, sheet, show, side
from self_heal_engine.dataset import open_page, read_cases, write_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.pairs import label, page_pairs, settle
from test_dataset import CASE
from test_pairs import SHOP
from workspace import CASES, LABEL, NEW, OLD, write_pages


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_pages(folder)
    (folder / "sources.toml").write_text("source = []\n")
    (job,) = page_pairs(folder / "pages", [SHOP])
    pairs = settle(label(folder / "pages", job), [], LABEL)
    write_cases(folder / "cases.jsonl", [case for job in jobs(folder, pairs, CASES) for case in make_cases(job)])
    return folder


@pytest.fixture
def cases(data):
    return list(read_cases(data / "cases.jsonl"))


@pytest.fixture
def self_heal_data(capsys):
    def run(*arguments):
        app(list(map(str, arguments)), standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_show_says_old_new_and_why(data, cases, self_heal_data):
    case = next(case for case in cases if case.difficulty == "natural" and case.rule == "A2" and case.new_row)
    said = self_heal_data("show", case.id, "--data", data)
    for part in (
        "shop 1.0 → 2.0",
        "broken:",
        "old: pages/shop/1.0",
        "new: pages/shop/2.0",
        "/html/body",
        "why: both have",
    ):
        assert part in said
    assert self_heal_data("show", case.id[:6], "--data", data) == said


def test_show_of_a_removed_element(data, cases):
    case = next(case for case in cases if case.rule == "R0")
    assert "\n  gone\n" in show(case, data)
    assert "[Fax us]" in show(case, data)


def test_the_mark_stands_at_the_element_and_not_at_the_first_of_its_words(tmp_path):
    rows = "".join(
        f"<tr><td>{name}<td><a href=/{name}>Edit</a><td><input name={name}><td>end" for name in ("Ann", "Bob")
    )
    (tmp_path / "page.html").write_text(f"<table>{rows}</table>")
    page = open_page(tmp_path, "page.html")
    link, field = page.css("a")[1], page.css("input")[1]
    assert side(page, int(link)).before.endswith("Bob")
    assert side(page, int(field)).before.endswith("Bob Edit")
    assert side(page, int(field)).text == ""


def test_a_row_outside_the_page_is_refused(tmp_path):
    (tmp_path / "page.html").write_text("<p>short")
    with pytest.raises(CannotHeal, match="bad_case"):
        show(replace(CASE, old_page="page.html", new_page="page.html", old_row=9999), tmp_path)


def test_a_case_does_not_read_outside_the_data(tmp_path):
    (tmp_path / "secret.html").write_text("<p>secret")
    with pytest.raises(CannotHeal, match="bad_path"):
        show(replace(CASE, old_page="../secret.html", new_page="../secret.html"), tmp_path / "data")


def test_an_empty_sheet_is_refused(data, tmp_path):
    with pytest.raises(CannotHeal, match="no_case"):
        app(["sheet", "--rule", "XX", "--out", str(tmp_path / "s.html"), "--data", str(data)], standalone_mode=False)
    assert not (tmp_path / "s.html").exists()


def test_an_unknown_case_is_refused(data):
    with pytest.raises(CannotHeal, match="no_case") as refusal:
        app(["show", "zzz", "--data", str(data)], standalone_mode=False)
    assert "'zzz'" in refusal.value.sentence


def test_the_sheet_shows_cases_side_by_side_and_marks_what_differs(data, self_heal_data, tmp_path):
    said = self_heal_data("sheet", "-n", 20, "--out", tmp_path / "s.html", "--data", data)
    html = (tmp_path / "s.html").read_text("utf-8")
    assert html.count("<article>") == 20
    assert "<mark>" in html
    assert "20 of" in said


def test_a_sheet_of_one_rule_and_difficulty(data, self_heal_data, tmp_path):
    self_heal_data("sheet", "--rule", "R0", "--difficulty", "natural", "--out", tmp_path / "s.html", "--data", data)
    html = (tmp_path / "s.html").read_text("utf-8")
    assert html.count("<article>") == 2
    assert html.count("not there") == 2


def test_a_page_cannot_write_on_the_sheet(data, tmp_path):
    evil = '<button id="a" title="</pre><script>alert(1)</script>">Pay<img src=x onerror=alert(1)></button>'
    (tmp_path / "old.html").write_text(evil)
    (tmp_path / "new.html").write_text(evil)
    case = replace(CASE, old_page="old.html", new_page="new.html", old_row=3, new_row=3, original_locator="<script>")
    html = sheet([case], tmp_path)
    assert set(re.findall(r"<(\w+)", html)) <= {
        "html", "head", "meta", "title", "style", "body", "h1", "article", "header", "span", "code", "div", "pre", "b", "mark",
    }  # fmt: skip


def test_a_sample_takes_every_stratum_in_turn(cases):
    drawn = sample(cases, 12, seed=1)
    assert len({case.id for case in drawn}) == 12
    assert max(Counter((case.rule, case.difficulty) for case in drawn).values()) <= 2
    assert sample(cases, 12, seed=1) == drawn
    assert sample(cases, 12, seed=2) != drawn
    assert len(sample(cases, 10_000, seed=1)) == len(cases)


# -- pages of one's own --------------------------------------------------------------------------------------------


@pytest.fixture
def team(data, tmp_path):
    (tmp_path / "a.html").write_text(OLD)
    (tmp_path / "orders.html").write_text(NEW)

    def add(old="a.html", new="orders.html", site="intranet"):
        return ["add", "--old", tmp_path / old, "--new", tmp_path / new, "--site", site, "--data", data]

    return add


def test_a_team_adds_a_page_of_its_own(data, team, self_heal_data):
    said = self_heal_data(*team())
    assert said.startswith("intranet: 5 pairs (4 by A2, 1 by T1), 1 removed elements")
    assert (data / "own/intranet/old/orders.html").read_text() == OLD
    assert (data / "own/intranet/new/orders.html").read_text() == NEW


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        ("bad_site", {"site": "../up"}),
        ("same_page", {"old": "orders.html"}),
        ("no_pairs", {"new": "other.html"}),
        ("unreadable_file", {"new": "none.html"}),
        ("empty_page", {"old": "empty.html"}),
    ],
)
def test_a_page_that_teaches_nothing_is_refused_and_not_kept(word, changes, data, team, tmp_path):
    (tmp_path / "other.html").write_text("<p>Nothing in common</p>")
    (tmp_path / "empty.html").write_text(" ")
    with pytest.raises(CannotHeal, match=word):
        app(list(map(str, team(**{"site": "fresh", **changes}))), standalone_mode=False)
    assert not (data / "own" / "fresh").exists()
