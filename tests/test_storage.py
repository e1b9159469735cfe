"""Heals, confirmations and pages in SQLite and PostgreSQL: each once, none lost, and what is down says so."""

import os
import shutil
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import SEARCHED
from self_heal_engine import database, storage
from self_heal_engine.database import open_engine, read_url, shown
from self_heal_engine.errors import CannotHeal
from self_heal_engine.records import plain
from self_heal_engine.snapshots import page_snapshot
from self_heal_engine.storage import Verdict, downgrade, open_store, upgrade
from self_heal_engine.tables import CONFIRMATIONS, HEALS, PAGES, SNAPSHOTS, TABLES
from stored import (
    CANDIDATES,
    FIRST,
    GONE,
    OTHER_PAGE,
    PAGE,
    heal,
    prepare,
    rows,
    run_at_once,
    upgrade_when,
)

pytest_plugins = ["postgres_server", "stores"]

# -- heals and confirmations ---------------------------------------------------------------------------------------


def test_a_heal_is_read_as_it_was_saved(store, saved):
    read = store.load_snapshot(saved.request_id)
    assert (read["request_id"], read["created_at"]) == (str(saved.request_id), "2026-11-24T10:00:00Z")
    assert read["candidates"] == CANDIDATES
    assert (read["anchors"], read["confidence"], read["visible_text"]) == (["Welcome", "Home"], 0.9, "Log in")
    assert (read["page_html"], read["verdict"], read["metadata"]) == (None, None, None)


def test_many_heals_are_saved_whole_or_not_at_all(store):
    good, bad = heal(), heal(decision=None)
    with pytest.raises(sa.exc.IntegrityError):  # our own mistake is not the database's being down
        store.save_heals([good, bad])
    assert rows(store, HEALS) == []


def test_a_heal_saved_again_stays_as_it_was(store, saved):
    store.save_heals([replace(saved, decision="gone"), heal()])
    assert store.load_snapshot(saved.request_id)["decision"] == "healed"
    assert len(rows(store, HEALS)) == 2


def test_a_confirmation_sent_twice_is_stored_once(store, saved):
    assert store.confirm(saved.request_id, FIRST, {"browser": "chrome"}) is True
    assert store.confirm(saved.request_id, FIRST, {"browser": "firefox"}) is False
    assert len(rows(store, CONFIRMATIONS)) == 1
    read = store.load_snapshot(saved.request_id)
    assert read["verdict"] == {
        "accepted_index": 0, "gone": False, "correct_locator": None, "correct_locator_type": None,
    }  # fmt: skip
    assert read["metadata"] == {"browser": "chrome"}


@pytest.mark.parametrize("other", [Verdict(1, False), GONE, Verdict(None, False), Verdict(None, False, "#x")])
def test_another_verdict_is_refused_and_the_first_stays(store, saved, other):
    store.confirm(saved.request_id, FIRST, {})
    with pytest.raises(CannotHeal, match="other_verdict") as refusal:
        store.confirm(saved.request_id, other, {})
    assert str(saved.request_id) in refusal.value.sentence
    assert "'accepted_index': 0" in refusal.value.sentence
    assert store.load_snapshot(saved.request_id)["verdict"]["accepted_index"] == 0


def test_the_same_locator_in_another_spelling_is_the_same_verdict(store, saved):
    assert store.confirm(saved.request_id, Verdict(None, False, "//a[@id='x']"), {}) is True
    assert store.confirm(saved.request_id, Verdict(None, False, "//a[@id='x']", "XPath"), {}) is False


def test_a_request_that_is_not_stored_is_unknown(store):
    for ask in (lambda: store.confirm(uuid4(), FIRST, {}), lambda: store.load_snapshot(uuid4())):
        with pytest.raises(CannotHeal, match="unknown_request"):
            ask()


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("bad_verdict", Verdict(3, False)),
        ("bad_verdict", Verdict(10**30, False)),
        ("bad_verdict", Verdict(-1, False)),
        ("bad_verdict", Verdict(0, True)),
        ("bad_verdict", Verdict(0, False, "#x")),
        ("bad_verdict", Verdict(None, True, "#x")),
        ("bad_verdict", Verdict(None, False, None, "css")),
        ("locator_syntax", Verdict(None, False, "a[")),
        ("empty_locator", Verdict(None, False, " ")),
        ("unknown_locator_kind", Verdict(None, False, "#x", "cs\0")),
    ],
)
def test_a_verdict_that_makes_no_sense_is_refused(store, saved, word, verdict):
    with pytest.raises(CannotHeal, match=word):
        store.confirm(saved.request_id, verdict, {})
    assert rows(store, CONFIRMATIONS) == []


TEXT = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(["a\0b", "\ud800", "\U0001f600", "'; DROP"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(["sqlite", "postgres"]))
def test_whatever_text_a_caller_sends_can_be_stored(text_stores, data, kind):
    if kind not in text_stores:
        return
    text, given_json = data.draw(TEXT), data.draw(st.dictionaries(TEXT, JSON, max_size=3))
    record = heal(
        original_locator=text, visible_text=text, anchors=(text,), test_session=text, trace_id=text,
        candidates=[{"locator": text, "locator_type": "css", "more": given_json}],
    )  # fmt: skip
    store = text_stores[kind]
    store.save_heals([record])
    store.confirm(record.request_id, FIRST, given_json)
    read = store.load_snapshot(record.request_id)
    assert read["original_locator"] == read["visible_text"] == read["candidates"][0]["locator"] == plain(text)
    assert read["metadata"] == plain(given_json)
    if "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text):
        assert read["original_locator"] == text


@pytest.fixture(scope="module")
def text_stores(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    urls = {"sqlite": f"sqlite:///{folder}/heals.db"}
    if database_server_is_there():
        urls["postgres"] = request.getfixturevalue("postgres").new_database()
    for url in urls.values():
        upgrade(url)
    stores = {kind: open_store(url, folder, 30) for kind, url in urls.items()}
    yield stores
    for store in stores.values():
        store.close()


def database_server_is_there():
    return shutil.which("postgres", path=SEARCHED) is not None or os.environ.get("CI") == "true"


def test_moments_are_kept_to_the_microsecond_whatever_their_time_zone(store):
    at = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    record = heal(created_at=at)
    store.save_heals([record])
    assert store.load_snapshot(record.request_id)["created_at"] == "2026-03-28T20:45:00.123456Z"


# -- pages ---------------------------------------------------------------------------------------------------------


def stored_pages(store, tmp_path):
    """Return how many pages are kept, counted where they lie."""
    kept = len(rows(store, PAGES))
    if store.kind == "sqlite":
        files = [path for path in (tmp_path / "pages").rglob("*") if path.is_file()]
        assert len(files) == kept
    return kept


def test_a_page_is_stored_once_for_many_heals(store, tmp_path):
    heals = [heal() for _ in range(3)]
    store.save_heals(heals)
    store.save_snapshot([one.request_id for one in heals[:2]], PAGE)
    store.save_snapshot([heals[2].request_id], PAGE)
    assert stored_pages(store, tmp_path) == 1
    assert {store.load_snapshot(one.request_id)["page_html"] for one in heals} == {
        "<html><head></head><body><p>One</p></body></html>"
    }


def test_a_page_of_a_heal_that_is_not_stored_is_not_kept_for_it(store, saved, tmp_path):
    store.save_snapshot([uuid4()], PAGE)
    assert rows(store, PAGES) == []
    store.expire(datetime.now(UTC))
    store.save_snapshot([uuid4(), saved.request_id], PAGE)
    assert len(rows(store, SNAPSHOTS)) == stored_pages(store, tmp_path) == 1


def test_the_page_that_a_heal_was_first_asked_on_stays(store, saved):
    store.save_snapshot([saved.request_id], PAGE)
    store.save_snapshot([saved.request_id], OTHER_PAGE)
    assert "One" in store.load_snapshot(saved.request_id)["page_html"]


def test_pages_expire_but_heals_and_verdicts_stay(store, saved, tmp_path):
    store.save_snapshot([saved.request_id], PAGE)
    store.confirm(saved.request_id, FIRST, {})
    now = datetime.now(UTC)
    assert store.expire(now + timedelta(days=29)) == 0
    assert store.load_snapshot(saved.request_id)["page_html"] is not None
    assert store.expire(now + timedelta(days=31)) == 1
    read = store.load_snapshot(saved.request_id)
    assert (read["page_html"], read["verdict"]["accepted_index"]) == (None, 0)
    assert stored_pages(store, tmp_path) == 0
    assert store.expire(now + timedelta(days=31)) == 0


def test_a_page_lives_as_long_as_the_last_heal_asked_on_it(store, saved, monkeypatch):
    later = heal()
    store.save_heals([later])
    now = datetime.now(UTC)
    store.save_snapshot([saved.request_id], PAGE)
    with monkeypatch.context() as patched:
        patched.setattr(storage, "datetime", ClockAt(now + timedelta(days=20)))
        store.save_snapshot([later.request_id], PAGE)
    assert store.expire(now + timedelta(days=31)) == 0
    assert store.load_snapshot(saved.request_id)["page_html"] is None
    assert store.load_snapshot(later.request_id)["page_html"] is not None


class ClockAt:
    def __init__(self, moment):
        self.moment = moment

    def now(self, zone):
        return self.moment.astimezone(zone)


def test_thousands_of_old_pages_expire_too(store, monkeypatch):
    monkeypatch.setattr(storage, "BATCH", 7)
    heals = [heal() for _ in range(40)]
    store.save_heals(heals)
    for at, one in enumerate(heals):
        store.save_snapshot([one.request_id], page_snapshot(f"<p>{at % 20}"))
    assert store.expire(datetime.now(UTC) + timedelta(days=31)) == 20
    assert rows(store, SNAPSHOTS) == rows(store, PAGES) == []


def test_files_that_a_crash_left_behind_are_removed_and_no_others(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)
    record = heal()
    store.save_heals([record])
    store.save_snapshot([record.request_id], PAGE)
    folder = tmp_path / "pages" / PAGE.sha256[:2]
    (orphan := tmp_path / "pages" / "ab" / ("ab" * 32 + ".html.gz")).parent.mkdir(exist_ok=True)
    (unfinished, young, foreign) = (folder / f".{uuid4()}", folder / f".{uuid4()}", folder / "notes.txt")
    for path in (orphan, unfinished, young, foreign):
        path.write_bytes(b"x")
    os.utime(unfinished, (time.time() - 7200,) * 2)
    store.expire(datetime.now(UTC))
    assert [path.exists() for path in (orphan, unfinished, young, foreign)] == [False, False, True, True]
    assert store.load_snapshot(record.request_id)["page_html"] is not None


def test_a_page_that_is_used_again_while_it_expires_is_kept(store):
    """One thread drops what is old, and all is, while others save the same page again and again."""
    store._days = 0
    heals = [heal() for _ in range(60)]
    store.save_heals(heals)
    done = threading.Event()
    failed = []

    def drop():
        while not done.is_set():
            try:
                store.expire(datetime.now(UTC))
            except Exception as error:  # noqa: BLE001 - told below
                failed.append(error)

    dropping = threading.Thread(target=drop)
    dropping.start()
    for one in heals:
        store.save_snapshot([one.request_id], PAGE)
        read = store.load_snapshot(one.request_id)  # dropped by now or not: never a link without its page
        assert read["page_html"] in (None, "<html><head></head><body><p>One</p></body></html>")
    done.set()
    dropping.join()
    assert failed == []
    store._days = 30
    store.save_snapshot([heals[-1].request_id], PAGE)
    assert store.load_snapshot(heals[-1].request_id)["page_html"] is not None


# -- statistics ----------------------------------------------------------------------------------------------------


def test_the_statistics_of_nothing_have_no_rates(store):
    stats = store.stats()
    assert (stats["total_records"], stats["heals"], stats["models"]) == (0, 0, [])
    assert str(stats["acceptance_rate"]) == str(stats["false_heal_rate"]) == "nan"


def test_the_statistics_say_how_right_the_first_candidates_were(store):
    old = [heal() for _ in range(5)]
    new = [heal(model_version="2", variant="challenger", decision="unchanged"), heal(model_version="2", variant="challenger", decision="gone")]  # fmt: skip
    store.save_heals(old + new)
    for one, verdict in zip(old, (FIRST, FIRST, Verdict(1, False), GONE), strict=False):
        store.confirm(one.request_id, verdict, {})
    for one, verdict in zip(new, (FIRST, GONE), strict=True):
        store.confirm(one.request_id, verdict, {})
    stats = store.stats()
    assert (stats["total_records"], stats["heals"]) == (6, 7)
    assert stats["acceptance_rate"] == 3 / 5  # of two right, one second, one gone, and one unchanged
    assert stats["false_heal_rate"] == 2 / 4
    first, second = stats["models"]
    assert (first["model_version"], first["variant"], first["heals"], first["acceptance_rate"]) == ("1", "champion", 5, 0.5)  # fmt: skip
    assert (second["model_version"], second["total_records"], second["acceptance_rate"]) == ("2", 2, 1.0)


# -- the schema ----------------------------------------------------------------------------------------------------


def test_the_revisions_make_the_tables_that_the_code_knows(own_url):
    engine = open_engine(read_url(own_url))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
    engine.dispose()


def test_the_schema_goes_up_down_and_up_again(own_url, tmp_path):
    assert downgrade(own_url, "base") == "base"
    with open_engine(read_url(own_url)).connect() as connection, pytest.raises(CannotHeal, match="schema_behind"):
        database.check_revision(connection)
    assert upgrade(own_url) == upgrade(own_url) == "0001"
    with closing(open_store(own_url, tmp_path, 30)) as store:
        store.save_heals([heal()])
        assert store.stats()["heals"] == 1


def test_a_revision_that_does_not_exist_is_refused(own_url):
    for move in (upgrade, downgrade):
        with pytest.raises(CannotHeal, match="bad_revision") as refusal:
            move(own_url, "9999")
        assert "9999" in refusal.value.sentence


def test_a_newer_schema_is_refused(own_url, tmp_path):
    store = open_store(own_url, tmp_path, 30)
    with store._writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CannotHeal, match="schema_ahead"):
        store.prepare()


@pytest.mark.needs("postgres")
def test_an_empty_postgresql_database_says_what_to_run(postgres, tmp_path):
    store = open_store(postgres.new_database(), tmp_path, 30)
    for ask in (store.prepare, store.ping, lambda: store.save_heals([heal()])):
        with pytest.raises(CannotHeal, match="schema_behind") as refusal:
            ask()
        assert "self-heal db upgrade" in refusal.value.sentence


def test_a_new_sqlite_file_is_made_with_its_folder(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/a/b/heals.db", tmp_path / "pages", 30)
    assert not (tmp_path / "a").exists()  # opening does not connect
    store.prepare()
    assert store.stats()["heals"] == 0


def test_processes_that_start_at_once_make_one_file(tmp_path):
    run_at_once(prepare, f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", many=4)
    assert open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path, 30).stats()["heals"] == 0


@pytest.mark.needs("postgres")
def test_processes_that_upgrade_at_once_take_turns(postgres):
    run_at_once(upgrade_when, postgres.new_database(), many=2)


def test_sqlite_is_set_up_for_durability(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path, 30)
    with store._reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")]  # fmt: skip
    assert found == ["wal", 2, 5000, 1]


# -- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["mysql://ann:hunter2@db/x", "sqlite://", "sqlite:///:memory:", "nonsense hunter2", "", "postgresql+asyncpg://ann:hunter2@db/x", "postgresql://ann:hunter2@db:port/x"],
)  # fmt: skip
def test_another_kind_of_database_is_refused_without_its_password(url, tmp_path):
    with pytest.raises(CannotHeal, match="bad_settings") as refusal:
        open_store(url, tmp_path, 30)
    assert "hunter2" not in refusal.value.sentence


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_address_is_read(scheme):
    assert shown(read_url(f"{scheme}://ann:hunter2@db/x")) == "postgresql+psycopg://ann:***@db/x"


def test_a_server_that_does_not_answer_is_down_and_the_password_is_not_told(tmp_path):
    store = open_store("postgresql://ann:hunter2@127.0.0.1:1/x", tmp_path, 30)
    for ask in (
        store.prepare,
        store.ping,
        lambda: store.save_heals([heal()]),
        lambda: store.confirm(uuid4(), FIRST, {}),
    ):
        with pytest.raises(CannotHeal, match="storage_down") as refusal:
            ask()
        assert "hunter2" not in refusal.value.sentence
        assert "127.0.0.1:1" in refusal.value.sentence


# -- the guide's one-liners ----------------------------------------------------------------------------------------


def test_the_one_liners_of_the_guide_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    stats = storage.get_training_stats()
    assert f"Total records: {stats['total_records']}" == "Total records: 0"
    assert f"Acceptance rate: {stats['acceptance_rate']:.2%}" == "Acceptance rate: nan%"
    store = storage.settled_store()
    record = heal()
    store.save_heals([record])
    store.save_snapshot([record.request_id], PAGE)
    snapshot = storage.load_snapshot(str(record.request_id))
    assert snapshot["candidates"][0]["locator"] == "#b0"
    assert snapshot["page_html"][:500].startswith("<html>")


@pytest.mark.parametrize("request_id", ["request-id", "", "../../etc/passwd", "0" * 32])
def test_a_request_id_that_is_none_is_unknown(tmp_path, monkeypatch, request_id):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CannotHeal, match="unknown_request"):
        storage.load_snapshot(request_id)
