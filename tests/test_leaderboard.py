"""The leaderboard: one row for each name, the best first, and what cannot be compared kept apart."""

import json
from dataclasses import replace

import pytest

from model_files import made
from self_heal_engine.dataset import write_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.files import sha256
from self_heal_engine.leaderboard import CaseSet, case_set, page, read_leaderboard, row, write_leaderboard
from self_heal_engine.metrics import headline, hit_at
from test_promotion import ON_DISK as FULLY_KNOWN

# Of every third the caller knows locator and text.
ON_DISK = [replace(case, knowledge="text") if at % 3 == 0 else case for at, case in enumerate(FULLY_KNOWN)]
ON = CaseSet("a" * 64, "test", None, ("family0", "family1"))
TABLES = {"similo": made(ON_DISK, wrong=range(0, 240, 4)), "voting": made(ON_DISK, wrong=range(0, 240, 2))}


def rows_of(tables, on=ON):
    return [row(table, name, "", on) for name, table in tables.items()]


def names(board):
    return [each.name for each in board.rows]


def body(text):
    """Return the cells of a page's tables, a list a line."""
    return [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]


def test_a_row_holds_the_figures_of_the_metrics():
    (made_row, _) = rows_of(TABLES)
    table = TABLES["similo"]
    assert made_row.figures["headline"] == pytest.approx(headline(table), abs=1e-4)
    full = table["knowledge"].isin(["baseline", "fingerprint"]) & (table["difficulty"] == "natural")
    assert made_row.figures["natural"] == pytest.approx(hit_at(table[full], 1), abs=1e-4)
    natural, text = (made_row.figures[what]["n"] for what in ("natural", "text"))
    assert (natural, natural + text) == (int((full & ~table["gone"]).sum()), 80)
    assert "mutated-3" not in made_row.figures, "there is no such case"
    assert (made_row.cases, made_row.gone, made_row.no_answers) == (240, 80, 0)


def test_the_best_row_stands_first_and_a_row_replaces_the_one_of_its_name(tmp_path):
    write_leaderboard(tmp_path, rows_of({"voting": TABLES["voting"]}))
    board = write_leaderboard(tmp_path, rows_of({"similo": TABLES["similo"]}))
    assert names(board) == ["similo", "voting"]
    board = write_leaderboard(tmp_path, rows_of({"voting": made(ON_DISK)}, ON))
    assert names(board) == ["voting", "similo"]
    assert read_leaderboard(tmp_path) == board
    shown = body((tmp_path / "leaderboard.md").read_text("utf-8"))
    assert [cells[0] for cells in shown] == ["", "---", "*n*", "voting", "similo"]
    assert shown[3][2].startswith("100.0 [")
    assert shown[2][-1] == "240"


def test_the_order_of_arrival_changes_no_byte(tmp_path):
    rows = rows_of(TABLES)
    write_leaderboard(tmp_path / "a", rows)
    for each in rows[::-1]:
        write_leaderboard(tmp_path / "b", [each])
    for name in ("leaderboard.json", "leaderboard.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert b"\r" not in (tmp_path / "a" / name).read_bytes()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(ON, data="b" * 64), "cases bbbbbbbb"),
        (replace(ON, sample=40), "sample of 40"),
        (replace(ON, side="all"), "side all"),
        (replace(ON, families=("family0",)), "family0"),
    ],
)
def test_rows_over_other_data_are_kept_and_say_what_they_are(tmp_path, other, said):
    write_leaderboard(tmp_path, rows_of({"stranger": made(ON_DISK)}, other))
    board = write_leaderboard(tmp_path, rows_of(TABLES))
    assert (board.on, names(board)) == (ON, ["similo", "voting", "stranger"]), "the best of other data is not the best"
    shown = (tmp_path / "leaderboard.md").read_text("utf-8")
    above, below = shown.split("## Other data")
    assert ("stranger" in above, "similo" in below) == (False, False)
    assert body(below)[-1][:2] == [said, "stranger"]
    assert ", n 160" in body(below)[-1][3]


def test_a_sample_replaces_no_row_over_all_cases(tmp_path):
    write_leaderboard(tmp_path, rows_of(TABLES))
    sampled = rows_of({"similo": made(ON_DISK)}, replace(ON, sample=40))
    board = write_leaderboard(tmp_path, sampled)
    assert (board.on, names(board)) == (ON, ["similo", "voting", "similo"])
    assert names(write_leaderboard(tmp_path, sampled)) == names(board)


def test_on_new_cases_the_new_rows_count_and_old_ones_become_other_data(tmp_path):
    new = replace(ON, data="b" * 64)
    write_leaderboard(tmp_path, rows_of(TABLES))
    board = write_leaderboard(tmp_path, rows_of({"voting": TABLES["voting"]}, new))
    assert (board.on, names(board)) == (new, ["voting", "similo"])
    assert "| cases aaaaaaaa | similo |" in page(board)


def test_a_name_cannot_break_out_of_its_cell():
    named = row(made(ON_DISK), "a|b\n<script>", "1|2", ON)
    shown = page(replace(read_leaderboard_of([named]), on=ON))
    assert "| a\\|b &lt;script> | 1\\|2 |" in shown


def read_leaderboard_of(rows):
    from self_heal_engine.leaderboard import Board

    return Board(None, tuple(rows))


@pytest.mark.parametrize("text", ["", "[]", '{"on": null, "rows": [{}]}', '{"on": null, "rows": [], "more": 1}'])
def test_a_damaged_leaderboard_is_refused_and_not_overwritten(tmp_path, text):
    (tmp_path / "leaderboard.json").write_text(text)
    with pytest.raises(CannotHeal, match="bad_leaderboard") as refusal:
        write_leaderboard(tmp_path, rows_of(TABLES))
    assert "leaderboard.json" in refusal.value.sentence
    assert (tmp_path / "leaderboard.json").read_text() == text


def test_what_a_row_is_about_is_told_by_the_bytes_of_the_cases(tmp_path):
    file = tmp_path / "cases.jsonl"
    write_cases(file, ON_DISK)
    found = case_set(ON_DISK, file, "test", None)
    assert (found.data, found.sample) == (sha256(file.read_bytes()), None)
    assert found.families == tuple(sorted({case.family for case in ON_DISK}))
    assert case_set(ON_DISK[:9], file, "test", 9).sample == 9
    assert case_set(ON_DISK, file, "test", 10_000).sample is None, "there were no more"


def test_a_figure_keeps_the_type_of_its_numbers(tmp_path):
    write_leaderboard(tmp_path, rows_of(TABLES))
    write_leaderboard(tmp_path, [])
    (first, _) = json.loads((tmp_path / "leaderboard.json").read_text("utf-8"))["rows"]
    assert {type(number) for figure in first["figures"].values() for number in figure.values()} == {float, int}
    assert isinstance(first["figures"]["headline"]["n"], int)
