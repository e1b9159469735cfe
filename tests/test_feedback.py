"""Confirmed heals go out to the training file and in again, and nothing is lost or doubled on the way."""

import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from typer.testing import CliRunner

from self_heal_engine import cli_storage
from self_heal_engine.confirmed import confirmed_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.feedback import export_feedback, import_feedback
from self_heal_engine.files import sha256
from self_heal_engine.fingerprint import fingerprint
from self_heal_engine.parser import read_page
from self_heal_engine.snapshots import page_html, page_snapshot, redacted_fingerprint
from self_heal_engine.storage import Verdict, load_snapshot, open_store
from stored import FIRST, GONE, heal

pytest_plugins = ["postgres_server", "stores"]

HTML = """<body><a href="/out?token=s3cret">Sign out</a><form><input type="hidden" name="csrf" value="s3cret">
<button class="primary">Log in</button><button class="help">Hélp ✓</button></form></body>"""
PAGE = page_snapshot(HTML)
CANDIDATES = [
    {"locator": "button.primary", "locator_type": "css"},
    {"locator": 'button[name="Hélp ✓"]', "locator_type": "role"},
    {"locator": "button", "locator_type": "css"},
]
KNOWN = redacted_fingerprint(fingerprint(read_page(HTML), 6))
OTHER_DATABASE = UUID("11111111-1111-4111-8111-111111111111")


def confirmed(store, verdict, page=PAGE, **changes):
    """Store a heal with its page and its verdict."""
    record = heal(**{"original_locator": "login", "locator_type": "ID", "candidates": CANDIDATES, **changes})
    store.save_heals([record])
    if page is not None:
        store.save_snapshot([record.request_id], page)
    store.confirm(record.request_id, verdict, {})
    return record


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "training.jsonl"


def lines(file):
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def everything(folder):
    """Return every file below a folder and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_accepted_candidate_is_a_line_and_its_page_a_file(store, file):
    record = confirmed(store, FIRST, fingerprint=KNOWN)
    done = export_feedback(store, file)
    assert (done.lines, done.kept, done.left_out) == (1, 0, Counter())
    (line,) = lines(file)
    assert line == {
        "request_id": str(record.request_id), "confirmed_at": line["confirmed_at"], "site": "shop.example",
        "page_sha256": PAGE.sha256, "locator_type": "id", "original_locator": "login", "correct_locator_type": "css",
        "correct_locator": "button.primary", "visible_text": "Log in", "anchors": ["Welcome", "Home"],
        "action": "click", "fingerprint": KNOWN,
    }  # fmt: skip
    assert line["confirmed_at"].endswith("Z")
    page = (file.parent / "training" / f"{PAGE.sha256}.html").read_bytes()
    assert sha256(page) == PAGE.sha256
    assert b"s3cret" not in page + file.read_bytes()


@pytest.mark.parametrize(
    ("verdict", "kind", "locator"),
    [
        (FIRST, "css", "button.primary"),
        (Verdict(1, False), "role", 'button[name="Hélp ✓"]'),
        (GONE, None, None),
        (Verdict(None, False, "Hélp ✓", "text"), "text", "Hélp ✓"),
        (Verdict(None, False, "page.get_by_role('button', name='Log in')"), "role", 'button[name="Log in"]'),
        (Verdict(None, False, "//button[2]", "XPath"), "xpath", "//button[2]"),
    ],
)
def test_every_kind_of_verdict_becomes_a_case(store, file, verdict, kind, locator):
    confirmed(store, verdict)
    export_feedback(store, file)
    (line,) = lines(file)
    assert (line["correct_locator_type"], line["correct_locator"]) == (kind, locator)
    (case,) = confirmed_cases(file, weight=1.0)
    assert (case.new_row is None) == verdict.gone
    assert case.family == "own-shop.example"


def test_what_teaches_nothing_is_left_out_counted_and_said_why(store, file):
    confirmed(store, FIRST)
    confirmed(store, FIRST, page=None)
    confirmed(store, Verdict(2, False))  # finds both buttons
    confirmed(store, Verdict(None, False, "#nowhere"))
    confirmed(store, Verdict(None, False))
    confirmed(store, FIRST, fingerprint='{"version": 1}')
    done = export_feedback(store, file)
    assert done.lines == len(lines(file)) == 1
    assert done.left_out == {
        "its page expired": 1,
        "its locator does not find one element on the redacted page": 2,
        "the element is there, but no locator was given": 1,
        "the pipeline would refuse it: bad_fingerprint": 1,
    }
    assert len(list((file.parent / "training").iterdir())) == 1


def test_a_heal_whose_own_locator_works_is_exported_and_taught_as_nothing(store, file):
    confirmed(store, FIRST, original_locator="button.primary", locator_type="css", decision="unchanged")
    assert export_feedback(store, file).lines == 1
    assert confirmed_cases(file, weight=1.0) == []


def test_the_same_export_gives_the_same_bytes(store, file):
    for at in range(20):
        confirmed(store, FIRST if at % 3 else GONE, page=page_snapshot(HTML + str(at % 4)))
    export_feedback(store, file)
    first = everything(file.parent)
    export_feedback(store, file)
    assert everything(file.parent) == first
    assert [line["confirmed_at"] for line in lines(file)] == sorted(line["confirmed_at"] for line in lines(file))


def test_what_only_the_file_knows_stays_in_it(store, file, tmp_path):
    record = confirmed(store, FIRST)
    export_feedback(store, file)
    other = json.loads(file.read_text()) | {"request_id": str(OTHER_DATABASE), "site": "other"}
    file.write_text(file.read_text() + json.dumps(other) + "\n")
    done = export_feedback(store, file)
    assert (done.lines, done.kept) == (2, 1)
    store.expire(datetime.now(UTC) + timedelta(days=31))  # and what the database can no longer teach
    done = export_feedback(store, file)
    assert (done.lines, done.kept, done.left_out) == (2, 2, Counter())
    assert {line["request_id"] for line in lines(file)} == {str(record.request_id), str(OTHER_DATABASE)}


def test_a_file_that_contradicts_the_database_is_left_as_it_is(store, file):
    record = confirmed(store, FIRST)
    export_feedback(store, file)
    changed = file.read_text().replace("button.primary", "button.help")
    file.write_text(changed)
    with pytest.raises(CannotHeal, match="other_verdict") as refusal:
        export_feedback(store, file)
    assert "line 1 of" in refusal.value.sentence
    assert str(record.request_id) in refusal.value.sentence
    assert file.read_text() == changed


# -- in ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def exported(tmp_path):
    """A training file of four confirmations on two pages, made by another database."""
    with closing(open_store(f"sqlite:///{tmp_path}/first.db", tmp_path / "first", 30)) as first:
        confirmed(first, FIRST, fingerprint=KNOWN, page_url="https://Bücher.example:8443/x?y#z")
        confirmed(first, GONE, page_url=None, visible_text=None, anchors=(), action=None)
        confirmed(first, Verdict(1, False), page=page_snapshot(HTML + "<p>more"))
        confirmed(first, Verdict(None, False, "css=button.help"))
        export_feedback(first, tmp_path / "first" / "training.jsonl")
    return tmp_path / "first" / "training.jsonl"


def test_out_in_and_out_again_gives_the_same_bytes(store, exported, file):
    assert asdict_of(import_feedback(store, exported)) == {"new": 4, "known": 0}
    done = export_feedback(store, file)
    assert (done.lines, done.left_out) == (4, Counter())
    assert file.read_bytes() == exported.read_bytes()
    pages = [everything(one.parent / "training") for one in (file, exported)]
    assert pages[0] == pages[1]


def asdict_of(record):
    return asdict(record)


def test_importing_twice_is_importing_once(store, exported, file):
    import_feedback(store, exported)
    before = store.stats()
    assert asdict_of(import_feedback(store, exported)) == {"new": 0, "known": 4}
    assert repr(store.stats()) == repr(before)
    export_feedback(store, file)
    assert file.read_bytes() == exported.read_bytes()


def test_importing_into_the_database_that_exported_changes_nothing(store, file):
    records = [confirmed(store, verdict) for verdict in (FIRST, GONE, Verdict(None, False, "css=button.help"))]
    export_feedback(store, file)
    before = [store.load_snapshot(record.request_id) for record in records]
    assert asdict_of(import_feedback(store, file)) == {"new": 0, "known": 3}
    assert [store.load_snapshot(record.request_id) for record in records] == before


def test_imported_confirmations_count_but_say_nothing_of_our_models(store, exported):
    import_feedback(store, exported)
    stats = store.stats()
    assert stats["total_records"] == 4
    assert repr(stats["acceptance_rate"]) == repr(stats["false_heal_rate"]) == "nan"


def test_a_page_that_expired_comes_back_with_the_file(store, file):
    record = confirmed(store, FIRST)
    export_feedback(store, file)
    store.expire(datetime.now(UTC) + timedelta(days=31))
    import_feedback(store, file)
    assert store.load_snapshot(record.request_id)["page_html"] == page_html(PAGE.body)


def test_a_heal_that_nobody_confirmed_here_is_confirmed_by_the_file(store, exported):
    line = lines(exported)[0]
    store.save_heals([heal(request_id=UUID(line["request_id"]), candidates=CANDIDATES)])
    assert import_feedback(store, exported).new == 4
    assert store.load_snapshot(UUID(line["request_id"]))["verdict"] is not None


def test_a_request_that_was_confirmed_otherwise_is_refused_and_nothing_is_stored(store, exported):
    last = lines(exported)[3]
    store.save_heals([heal(request_id=UUID(last["request_id"]), candidates=CANDIDATES)])
    store.confirm(UUID(last["request_id"]), GONE, {})
    with pytest.raises(CannotHeal, match="other_verdict") as refusal:
        import_feedback(store, exported)
    assert "line 4 of" in refusal.value.sentence
    assert last["request_id"] in refusal.value.sentence
    assert store.stats()["total_records"] == 1
    assert store.stats()["heals"] == 1


def changed(file, at, **changes):
    """Change one line of a training file."""
    all_lines = lines(file)
    all_lines[at] |= changes
    file.write_text("".join(json.dumps(line) + "\n" for line in all_lines))


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("bad_training", {"request_id": "7f9c"}),
        ("bad_training", {"confirmed_at": "yesterday"}),
        ("bad_training", {"confirmed_at": "2026-11-24T10:00:00"}),
        ("bad_training", {"locator_type": "cs"}),
        ("bad_training", {"correct_locator": "button", "correct_locator_type": "css"}),
        ("bad_training", {"correct_locator": "#nowhere", "correct_locator_type": "css"}),
        ("bad_training", {"correct_locator_type": "cs", "correct_locator": "x"}),
        ("bad_training", {"anchors": "Welcome"}),
        ("bad_training", {"surprise": 1}),
        ("bad_path", {"page_sha256": "../../secret"}),
        ("unreadable_file", {"page_sha256": "0" * 64}),
    ],
)
def test_a_line_that_does_not_fit_is_named_and_nothing_is_stored(store, exported, word, change):
    changed(exported, 2, **change)
    with pytest.raises(CannotHeal, match=word) as refusal:
        import_feedback(store, exported)
    assert "line 3 of" in refusal.value.sentence
    assert (store.stats()["total_records"], store.stats()["heals"]) == (0, 0)


def test_a_page_that_was_changed_is_refused(store, exported):
    page = exported.parent / "training" / f"{lines(exported)[0]['page_sha256']}.html"
    page.write_text(page.read_text().replace("Log in", "Sign in"))
    with pytest.raises(CannotHeal, match="wrong_hash"):
        import_feedback(store, exported)


def test_a_file_that_contradicts_itself_is_refused(store, exported):
    first = lines(exported)[0]
    exported.write_text(exported.read_text() + json.dumps(first | {"correct_locator": None, "correct_locator_type": None}) + "\n")  # fmt: skip
    for ask in (import_feedback, export_feedback):
        with pytest.raises(CannotHeal, match="other_verdict") as refusal:
            ask(store, exported)
        assert "line 5 of" in refusal.value.sentence
    assert store.stats()["heals"] == 0


def test_a_line_that_stands_there_twice_is_stored_once(store, exported):
    exported.write_text(exported.read_text() * 2)
    assert asdict_of(import_feedback(store, exported)) == {"new": 4, "known": 4}
    assert export_feedback(store, exported).lines == 4


def test_another_time_zone_is_the_same_moment(store, exported, file):
    changed(exported, 0, confirmed_at="2026-01-01T01:00:00+01:00")
    import_feedback(store, exported)
    export_feedback(store, file)
    assert lines(file)[0]["confirmed_at"] == "2026-01-01T00:00:00Z"


@pytest.mark.needs("postgres")
def test_jsonl_moves_from_sqlite_to_postgresql_and_back(postgres_store, exported, tmp_path):
    import_feedback(postgres_store, exported)
    export_feedback(postgres_store, tmp_path / "pg" / "training.jsonl")
    with closing(open_store(f"sqlite:///{tmp_path}/again.db", tmp_path / "again", 30)) as again:
        import_feedback(again, tmp_path / "pg" / "training.jsonl")
        export_feedback(again, tmp_path / "back" / "training.jsonl")
    assert everything(tmp_path / "back") == everything(tmp_path / "pg")
    assert (tmp_path / "back" / "training.jsonl").read_bytes() == exported.read_bytes()


# -- the commands --------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    def command(*arguments):
        said = CliRunner().invoke(cli_storage.app, list(map(str, arguments)), catch_exceptions=False)
        assert said.exit_code == 0, said.output
        return said.output

    return command


def test_the_commands_say_what_they_did(run, exported, tmp_path):
    assert run("db", "upgrade") == "schema 0001\n"
    assert run("feedback", "import", exported) == "4 confirmed heals imported, 0 known before\n"
    assert run("feedback", "import", exported) == "0 confirmed heals imported, 4 known before\n"
    assert run("feedback", "export").startswith("4 confirmed heals in ")
    assert (tmp_path / "data" / "training.jsonl").read_bytes() == exported.read_bytes()
    assert run("snapshots", "expire") == "0 pages removed\n"
    assert load_snapshot(lines(exported)[0]["request_id"])["page_html"] is not None
    assert run("db", "downgrade", "base") == "schema base\n"
    assert run("db", "upgrade", "0001") == "schema 0001\n"
    assert run("feedback", "export", tmp_path / "none.jsonl").startswith("0 confirmed heals in ")


SERVING_ONLY = """
import sys
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pandas", "mlflow", "sklearn", "pyarrow", "optuna", "dvc", "matplotlib", "bs4", "distributed"):
            raise ImportError(name)
sys.meta_path.insert(0, Refused())
from pathlib import Path
from self_heal_engine.feedback import export_feedback, import_feedback
from self_heal_engine.storage import open_store
store = open_store(sys.argv[1], Path(sys.argv[2]), 30)
print(import_feedback(store, Path(sys.argv[3])).new, export_feedback(store, Path(sys.argv[2]) / "t.jsonl").lines)
"""


def test_feedback_needs_no_more_than_serving_does(exported, tmp_path):
    arguments = (f"sqlite:///{tmp_path}/x.db", tmp_path / "x", exported)
    said = subprocess.run([sys.executable, "-c", SERVING_ONLY, *arguments], capture_output=True, text=True)
    assert said.stdout == "4 4\n", said.stderr
