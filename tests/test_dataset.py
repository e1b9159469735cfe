"""A case is one line of JSON, checked when written and when read; families are never parted."""

import json
from dataclasses import asdict, replace

import pytest

from self_heal_engine.dataset import Case, check, open_page, read_cases, rotations, split_by_family, wanted, write_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.fingerprint import dump_fingerprint, fingerprint
from self_heal_engine.parser import read_page

CASE = Case(
    id="abc", pair="p", source="shop", family="shops", old_version="1.0", new_version="2.0", page="cart",
    old_page="pages/old.html", new_page="pages/new.html", old_row=3, new_row=4, rule="A2", difficulty="natural",
    operators=(), knowledge="baseline", form="id", locator_type="id", original_locator="go", failure="gone",
)  # fmt: skip


def test_a_case_survives_the_file(tmp_path):
    cases = [CASE, replace(CASE, id="def", visible_text="Größe → “5”", anchors=("a", "b"), new_row=None)]
    write_cases(tmp_path / "cases.jsonl", cases)
    assert list(read_cases(tmp_path / "cases.jsonl")) == cases
    assert (tmp_path / "cases.jsonl").read_text("utf-8").count("\n") == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"difficulty": "hard"}, "'hard'"),
        ({"knowledge": "all"}, "'all'"),
        ({"locator_type": "cs"}, "'cs'"),
        ({"form": "x"}, "'x'"),
        ({"old_row": None}, "old_row"),
        ({"difficulty": "deleted"}, "new_row"),
        ({"old_page": None, "old_row": None}, "old_page"),
    ],
)
def test_a_case_that_contradicts_itself_is_neither_written_nor_read(tmp_path, change, named):
    bad = replace(CASE, **change)
    with pytest.raises(CannotHeal, match="bad_case") as refusal:
        write_cases(tmp_path / "cases.jsonl", [CASE, bad])
    assert named in refusal.value.sentence
    assert not list(tmp_path.iterdir()), "nothing half-written"
    (tmp_path / "by_hand.jsonl").write_text(json.dumps(asdict(bad)) + "\n")
    with pytest.raises(CannotHeal, match="bad_case"):
        list(read_cases(tmp_path / "by_hand.jsonl"))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (json.dumps(asdict(CASE))[:-20], "line 2"),
        (json.dumps({**asdict(CASE), "extra": 1}), "extra"),
        (json.dumps({**asdict(CASE), "old_row": "3"}), "old_row"),
        ("[]", "line 2"),
        (json.dumps({**asdict(CASE), "failure": "odd"}), "failure"),
    ],
)
def test_a_line_that_is_cut_off_or_of_another_form_is_named(tmp_path, line, named):
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(asdict(CASE)) + "\n" + line + "\n")
    with pytest.raises(CannotHeal, match="bad_case") as refusal:
        list(read_cases(file))
    assert named in refusal.value.sentence
    assert "cases.jsonl" in refusal.value.sentence


def test_what_ends_a_line_elsewhere_does_not_end_a_case(tmp_path):
    case = replace(CASE, visible_text="two\u2028lines\x85", knowledge="text")
    write_cases(tmp_path / "cases.jsonl", [case, CASE])
    assert list(read_cases(tmp_path / "cases.jsonl")) == [case, CASE]


def test_what_is_measured_of_a_page_comes_with_it(tmp_path):
    (tmp_path / "a.html").write_text("<p>measured</p>")
    layout = {"rectangles": [[0, 0, 9, 9]] * 4, "visible": [True, True, True, False]}
    (tmp_path / "a.layout.json").write_text(json.dumps(layout))
    page = open_page(tmp_path, "a.html")
    assert page.rectangle(3) == (0, 0, 9, 9)
    assert page.hidden.tolist() == [False, True, False, True]


@pytest.mark.parametrize("layout", ['{"rectangles": [[0, 0, 9, 9]], "visible": [true]}', "{", '{"rectangles": []}'])
def test_a_layout_of_another_page_is_refused(tmp_path, layout):
    (tmp_path / "a.html").write_text("<p>measured by another</p>")
    (tmp_path / "a.layout.json").write_text(layout)
    with pytest.raises(CannotHeal, match="bad_layout"):
        open_page(tmp_path, "a.html")


def test_a_stored_fingerprint_is_what_is_known(tmp_path):
    page = read_page('<button id="go">Save</button>')
    stored = dump_fingerprint(fingerprint(page, 3))
    case = replace(CASE, knowledge="fingerprint", old_page=None, old_row=None, fingerprint=stored)
    assert wanted(check(case, "here"), tmp_path).text == "Save"


FAMILIES = [replace(CASE, id=str(number), family=family) for number, family in enumerate("aabbbcde")]


def test_a_family_stands_on_one_side():
    parts = split_by_family(FAMILIES, test=("a", "b"), validation="c")
    assert {side: {case.family for case in cases} for side, cases in parts.items()} == {
        "test": {"a", "b"},
        "validation": {"c"},
        "train": {"d", "e"},
    }
    assert sum(map(len, parts.values())) == len(FAMILIES)


def test_validation_rotates_and_never_touches_the_test_families():
    seen = []
    for family, parts in rotations(FAMILIES, test=("a", "b")):
        seen.append(family)
        assert {case.family for case in parts["validation"]} == {family}
        assert {case.family for case in parts["test"]} == {"a", "b"}
        assert family not in {case.family for case in parts["train"]}
    assert seen == ["c", "d", "e"]


def test_a_family_that_would_stand_on_two_sides_is_refused():
    with pytest.raises(CannotHeal, match="bad_split"):
        split_by_family(FAMILIES, test=("a",), validation="a")
    with pytest.raises(CannotHeal, match="bad_split"):
        split_by_family(FAMILIES, test=("z",), validation="a")
