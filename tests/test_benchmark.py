"""The benchmark: any ranker or healer on the same cases, with the same figures, whatever a healer does."""

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_files import write_model
from self_heal_engine import registry
from self_heal_engine.benchmark import run_healer, run_ranker, told
from self_heal_engine.cli import app
from self_heal_engine.dataset import read_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.leaderboard import CaseSet, row

ROOT = Path(__file__).parent.parent
EXAMPLES = Path(str(files("self_heal_engine") / "examples"))
CASES = list(read_cases(EXAMPLES / "cases.jsonl"))
ON = CaseSet("0" * 64, "all", None, ("admin", "settings", "shop"))
ON_EXAMPLES = ["--data", EXAMPLES, "--side", "all", "--params", ROOT / "params.yaml"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def run(*args):
    """Return what the command printed, or raise as it does."""
    result = CliRunner().invoke(app, ["bench", *map(str, args)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_healer_that_fails_now_and_then_is_measured_on_every_case():
    cases = CASES[::7]
    expected = [("", "raised", "", "died")[len(case.original_locator) % 4] for case in cases]
    assert {*expected} == {"", "raised", "died"}
    done = run_healer("bad_healers:moody", cases, EXAMPLES, 60.0)
    assert done.table["id"].tolist() == [case.id for case in cases]
    assert done.problems == {problem: expected.count(problem) for problem in ("died", "raised")}
    answered = [not problem for problem in expected]
    silent = [bool(problem) for problem in expected]
    assert (done.table[answered]["candidates"] == 5).all()
    assert (done.table[answered]["place"] == 1).any()
    assert done.table[silent]["place"].eq(0).all()
    assert not done.table[silent]["healed"].any()

    made = row(done.table, done.name, done.version, ON, no_answers=sum(done.problems.values()))
    assert (made.cases, made.no_answers) == (len(cases), sum(silent))
    assert f"no answer in {expected.count('raised')} cases: raised an error, first: KeyError" in told(done, made)


def test_a_healer_that_answers_nothing_gets_no_row(folder):
    with pytest.raises(CannotHeal, match="no_answer") as refusal:
        run("--healer", "bad_healers:raises", "--sample", 3, *ON_EXAMPLES)
    assert "none of 3 cases: KeyError: 'no such thing'" in refusal.value.sentence
    assert list(folder.iterdir()) == []


def test_a_ranker_and_the_same_ranker_as_a_healer_get_the_same_figures(folder):
    said = run("--ranker", "weighted", "--healer", "weighted_healer:heal", *ON_EXAMPLES)
    board = json.loads((folder / "reports" / "leaderboard.json").read_text("utf-8"))
    ours, theirs = sorted(board["rows"], key=lambda each: each["name"])[::-1]
    assert (ours["name"], theirs["name"]) == ("weighted_healer:heal", "weighted")
    assert ours["figures"].keys() == theirs["figures"].keys()
    for what in ours["figures"].keys() - {"ece", "false_heals"}:  # confidence is rounded in an answer
        assert ours["figures"][what] == theirs["figures"][what], what
    assert ours["figures"]["ece"]["value"] == pytest.approx(theirs["figures"]["ece"]["value"], abs=1e-3)
    assert "weighted on 103 cases, in 17 of which the element is gone" in said
    assert re.search(r"median time of an answer: \d+ ms", said)


def test_the_same_run_writes_the_same_bytes_and_no_time(folder):
    for _ in range(2):
        run("--ranker", "similo", "--sample", 20, *ON_EXAMPLES)
        written = {path.name: path.read_bytes() for path in (folder / "reports").iterdir()}
        run("--ranker", "similo", "--sample", 20, *ON_EXAMPLES)
        assert written == {path.name: path.read_bytes() for path in (folder / "reports").iterdir()}
    assert set(written) == {"leaderboard.json", "leaderboard.md"}
    assert b" ms" not in b"".join(written.values())


def test_paths_are_meant_from_the_folder_one_stands_in(folder):
    """Processes that outlive one run have begun in another folder."""
    run("--healer", "weighted_healer:heal", "--sample", 2, *ON_EXAMPLES)
    shutil.copytree(EXAMPLES, folder / "here" / "data")
    (folder / "here" / "own_healer.py").write_text("from weighted_healer import heal\n", "utf-8")
    write_model(folder / "here" / "own.json")
    with contextlib.chdir(folder / "here"):
        said = run("--healer", "own_healer:heal", "--ranker", "own.json", *ON_EXAMPLES[2:], "--sample", 9)
    assert "own_healer:heal on 9 cases" in said


def test_a_model_is_called_like_its_file_and_told_from_others_by_its_hash(folder):
    path = write_model(folder / "m.json")
    store = registry.open_store(folder)
    registry.set_alias(store, "champion", registry.register(store, path, [], {}))
    by_file, by_alias = (run_ranker(name, CASES[:9], EXAMPLES, store) for name in (str(path), "champion"))
    assert (by_file.name, by_file.version) == ("self-heal-engine, m", registry.sha256(path.read_bytes())[:8])
    assert (by_alias.name, by_alias.version) == ("self-heal-engine, ranker", by_file.version)
    assert by_alias.table.equals(by_file.table)


@pytest.mark.parametrize(
    ("args", "word"),
    [
        ([], "no_contestant"),
        (["--ranker", "similoo"], "unknown_ranker"),
        (["--healer", "nowhere:heal"], "unknown_healer"),
        (["--ranker", "similo", "--side", "tests"], "unknown_side"),
    ],
)
def test_what_cannot_be_measured_is_refused_and_leaves_nothing(folder, args, word):
    with pytest.raises(CannotHeal, match=word):
        run(*ON_EXAMPLES, *args)
    assert list(folder.iterdir()) == []


# -- the document --------------------------------------------------------------------------------------------------

DOCUMENT = (ROOT / "docs" / "benchmark.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", DOCUMENT, re.DOTALL))


def test_the_documents_callable_gets_its_row(folder):
    (folder / "my_healer.py").write_text(BLOCKS["my_healer.py"], "utf-8")
    command = re.search(r"^self-heal bench (--healer my_healer.*)$", DOCUMENT, re.MULTILINE)[1]
    said = run(*shlex.split(command), "--sample", 40, *ON_EXAMPLES)
    assert re.search(r"no answer in \d+ cases: said that it cannot answer", said)
    assert "; sample of 40 | my tool | 1.0 |" in (folder / "reports" / "leaderboard.md").read_text("utf-8")


def test_the_documents_service_gets_its_row(folder):
    (folder / "my_healer.py").write_text(BLOCKS["my_healer.py"], "utf-8")
    (folder / "my_service.py").write_text(BLOCKS["my_service.py"], "utf-8")
    service = subprocess.Popen([sys.executable, "my_service.py", "0"], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        url = service.stdout.readline().strip()
        asked = ["--sample", 40, *ON_EXAMPLES]
        run("--healer", url, "--name", "service", *asked)
        run("--healer", "my_healer:heal", "--name", "callable", *asked)
    finally:
        service.kill()
        service.wait()
        service.stdout.close()
    rows = {each["name"]: each for each in json.loads((folder / "reports/leaderboard.json").read_text("utf-8"))["rows"]}
    assert {**rows["service"], "name": "callable"} == rows["callable"]


def test_every_column_is_explained_and_every_option_of_the_command():
    from self_heal_engine.healers import PROBLEMS
    from self_heal_engine.leaderboard import COLUMNS

    for name in (*COLUMNS.values(), *PROBLEMS):
        assert f"| `{name}` |" in DOCUMENT, name
    listed = CliRunner().invoke(app, ["bench", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for option in set(re.findall(r"--[a-z]+", listed)) - {"--help"}:
        assert f"`{option}`" in DOCUMENT, option
