"""A database that is down, full, locked or killed says so, loses nothing that it acknowledged, and comes back."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from self_heal_engine import database
from self_heal_engine.errors import CannotHeal
from self_heal_engine.storage import open_store, upgrade
from self_heal_engine.tables import CONFIRMATIONS, PAGES
from stored import FIRST, GONE, PAGE, SPAWN, confirm_all, heal, rows

# -- faults --------------------------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_down(tmp_path):
    (tmp_path / "heals.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(CannotHeal, match="storage_down") as refusal:
        open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path, 30).prepare()
    assert "not a database" in refusal.value.sentence


def test_a_folder_that_cannot_be_made_is_down(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(CannotHeal, match="storage_down"):
        open_store(f"sqlite:///{tmp_path}/data/heals.db", tmp_path, 30).prepare()


def test_a_full_disk_refuses_and_loses_nothing_that_was_acknowledged(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)
    first = heal()
    store.save_heals([first])
    with fewer_pages(store):
        with pytest.raises(CannotHeal, match="storage_down") as refusal:
            store.save_heals([heal(visible_text="x" * 500_000)])
        assert "full" in refusal.value.sentence
        assert store.load_snapshot(first.request_id)["decision"] == "healed"
    store.save_heals([heal(visible_text="x" * 500_000)])  # room again: no restart is needed
    assert store.stats()["heals"] == 2


class fewer_pages:
    """The file may not grow beyond what it is."""

    def __init__(self, store):
        self.store = store

    def set(self, pages):
        self.store._engine.dispose()

        def limit(connection, _record):
            connection.execute(f"PRAGMA max_page_count={pages}")

        self.limit = limit
        sa.event.listen(self.store._engine, "connect", limit)

    def __enter__(self):
        self.set(60)

    def __exit__(self, *_):
        sa.event.remove(self.store._engine, "connect", self.limit)
        self.store._engine.dispose()


def test_a_read_only_database_says_so_and_can_still_be_read(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)
    record = heal()
    store.save_heals([record])

    def read_only(connection, _record):
        connection.execute("PRAGMA query_only=ON")

    store._engine.dispose()
    sa.event.listen(store._engine, "connect", read_only)
    with pytest.raises(CannotHeal, match="storage_down") as refusal:
        store.confirm(record.request_id, FIRST, {})
    assert "readonly" in refusal.value.sentence
    assert store.load_snapshot(record.request_id)["decision"] == "healed"


def test_a_database_locked_beyond_its_time_is_down_and_then_up_again(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    store = open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)
    store.prepare()
    with closing(sqlite3.connect(tmp_path / "heals.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(CannotHeal, match="storage_down") as refusal:
            store.save_heals([heal()])
        assert "locked" in refusal.value.sentence
        assert time.monotonic() - began < 2
        assert store.stats()["heals"] == 0  # who only reads does not wait
        other.execute("COMMIT")
    store.save_heals([heal()])


def test_a_page_that_was_damaged_on_disk_is_told(store, saved, tmp_path):
    store.save_snapshot([saved.request_id], PAGE)
    if store.kind == "sqlite":
        (file,) = (tmp_path / "pages").rglob("*.gz")
        file.write_bytes(PAGE.body[:-9])
    else:
        with store._writing() as connection:
            connection.execute(sa.update(PAGES).values(body=PAGE.body[:-9]))
    with pytest.raises(CannotHeal, match="bad_snapshot"):
        store.load_snapshot(saved.request_id)


def test_a_page_file_that_somebody_removed_is_as_expired(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)
    record = heal()
    store.save_heals([record])
    store.save_snapshot([record.request_id], PAGE)
    shutil.rmtree(tmp_path / "pages")
    assert store.load_snapshot(record.request_id)["page_html"] is None
    store.save_snapshot([record.request_id], PAGE)  # and it is written again where it is missing
    assert store.load_snapshot(record.request_id)["page_html"] is not None


@pytest.mark.needs("postgres")
def test_a_postgresql_that_dies_is_down_within_seconds_and_back_without_help(postgres, postgres_store):
    record = heal()
    postgres_store.save_heals([record])
    postgres.kill()
    try:
        for ask in (postgres_store.ping, lambda: postgres_store.confirm(record.request_id, FIRST, {})):
            began = time.monotonic()
            with pytest.raises(CannotHeal, match="storage_down"):
                ask()
            assert time.monotonic() - began < 3
    finally:
        postgres.start()
    assert postgres_store.confirm(record.request_id, FIRST, {}) is True


@pytest.mark.needs("postgres")
def test_who_sleeps_through_a_restart_of_postgresql_notices_nothing(postgres, postgres_store):
    with contextmanagers(postgres_store._reading, 3):
        pass  # connections that will be dead
    postgres.restart_killed()
    postgres_store.save_heals([heal()])
    assert postgres_store.stats()["heals"] == 1


@pytest.mark.needs("postgres")
def test_a_postgresql_that_is_down_at_the_start_is_looked_at_when_it_is_back(postgres, tmp_path):
    url, empty = postgres.new_database(), postgres.new_database()
    upgrade(url)
    postgres.kill()
    try:
        good, behind = (open_store(one, tmp_path, 30) for one in (url, empty))
        for store in (good, behind):
            with pytest.raises(CannotHeal, match="storage_down"):
                store.prepare()
    finally:
        postgres.start()
    good.save_heals([heal()])
    with pytest.raises(CannotHeal, match="schema_behind"):
        behind.save_heals([heal()])


@pytest.mark.needs("postgres")
def test_more_callers_than_connections_are_told_within_seconds(postgres_store):
    with contextmanagers(postgres_store._reading, database.CONNECTIONS + database.MORE_CONNECTIONS):
        began = time.monotonic()
        with pytest.raises(CannotHeal, match="storage_down") as refusal:
            postgres_store.save_heals([heal()])
        assert "busy" in refusal.value.sentence
        assert time.monotonic() - began < database.POOL_SECONDS + 1
    postgres_store.save_heals([heal()])


def contextmanagers(make, many):
    stack = ExitStack()
    for _ in range(many):
        stack.enter_context(make())
    return stack


@pytest.mark.needs("postgres")
def test_a_lock_that_nobody_gives_back_does_not_hold_a_thread(postgres_store):
    record = heal()
    postgres_store.save_heals([record])
    with postgres_store._engine.begin() as other:
        other.execute(sa.text("LOCK TABLE confirmations IN ACCESS EXCLUSIVE MODE"))
        began = time.monotonic()
        with pytest.raises(CannotHeal, match="storage_down"):
            postgres_store.confirm(record.request_id, FIRST, {})
        assert time.monotonic() - began < database.STATEMENT_SECONDS + 1
    assert postgres_store.confirm(record.request_id, FIRST, {}) is True


@pytest.mark.needs("postgres")
def test_a_postgresql_that_takes_no_writes_is_down(postgres_store):
    record = heal()
    postgres_store.save_heals([record])
    url = postgres_store._engine.url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    with closing(open_store(url.render_as_string(hide_password=False), Path("unused"), 30)) as reader:
        with pytest.raises(CannotHeal, match="storage_down") as refusal:
            reader.confirm(record.request_id, FIRST, {})
        assert "read-only" in refusal.value.sentence
        assert reader.load_snapshot(record.request_id)["decision"] == "healed"


# -- at once, and cut off ------------------------------------------------------------------------------------------


def test_threads_share_a_store(store):
    heals = [heal() for _ in range(40)]

    def work(some):
        for one in some:
            store.save_heals([one])
            store.save_snapshot([one.request_id], PAGE)
            assert store.confirm(one.request_id, FIRST, {}) is True

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [heals[at::8] for at in range(8)]))
    assert (store.stats()["heals"], store.stats()["total_records"]) == (40, 40)
    assert len(rows(store, PAGES)) == 1


@pytest.mark.parametrize("verdicts", [(FIRST, FIRST), (FIRST, GONE)], ids=["the same", "different"])
def test_two_processes_confirming_the_same_at_once_store_one_verdict(url, store, tmp_path, verdicts):
    heals = [heal() for _ in range(40)]
    store.save_heals(heals)
    ids, said, begin = [one.request_id for one in heals], SPAWN.Queue(), SPAWN.Barrier(2)
    processes = [
        SPAWN.Process(target=confirm_all, args=(url, tmp_path / "pages", ids, verdict, said, begin))
        for verdict in verdicts
    ]
    for process in processes:
        process.start()
    answers = [said.get(timeout=60) for _ in range(80)]
    for process in processes:
        process.join()
    for request_id in ids:
        ours = [(answer, verdict) for asked, answer, verdict in answers if asked == request_id]
        (winner,) = [verdict for answer, verdict in ours if answer is True]
        (loser,) = [answer for answer, _ in ours if answer is not True]
        assert loser == (False if verdicts[0] == verdicts[1] else "other_verdict")
        assert store.load_snapshot(request_id)["verdict"]["gone"] is winner.gone
    assert len(rows(store, CONFIRMATIONS)) == 40


WRITER = """
import sys
from uuid import UUID
from pathlib import Path
from self_heal_engine.storage import Verdict, open_store
store = open_store(sys.argv[1], Path(sys.argv[2]), 30)
for line in sys.stdin:
    request_id, index = line.split()
    store.confirm(UUID(request_id), Verdict(int(index), False), {"index": index})
    print(request_id, index, flush=True)
"""

pytest_plugins = ["postgres_server", "stores"]


def test_nothing_acknowledged_is_lost_or_doubled_when_writers_are_killed(url, store, tmp_path):
    """Four writers in turn, each killed at another moment; what one said it stored must be there, and once."""
    heals = [heal() for _ in range(400)]
    store.save_heals(heals)
    orders = [(one.request_id, at % 3) for at, one in enumerate(heals)]
    acknowledged = {}
    for turn in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, tmp_path / "pages"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        feeder = threading.Thread(target=feed, args=(writer, orders))
        feeder.start()
        some = [writer.stdout.readline() for _ in range(20 + 17 * turn)]
        writer.kill()
        rest = writer.stdout.read().splitlines()
        feeder.join()
        writer.wait()
        for line in some + rest:
            if len(line.split()) == 2:
                acknowledged[UUID(line.split()[0])] = int(line.split()[1])
    stored = {row.request_id: row.accepted_index for row in rows(store, CONFIRMATIONS)}
    assert len(acknowledged) >= 20
    assert acknowledged.items() <= stored.items()
    assert stored.items() <= dict(orders).items()
    if store.kind == "sqlite":
        with store._reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def feed(writer, orders):
    try:
        for request_id, index in orders:
            writer.stdin.write(f"{request_id} {index}\n")
        writer.stdin.close()
    except BrokenPipeError:
        return


@pytest.mark.needs("postgres")
def test_nothing_acknowledged_is_lost_when_postgresql_is_killed(postgres, postgres_store):
    heals = [heal() for _ in range(300)]
    postgres_store.save_heals(heals)
    acknowledged, done = [], threading.Event()

    def write():
        for one in heals:
            while not done.is_set():
                try:
                    acknowledged.append((one.request_id, postgres_store.confirm(one.request_id, FIRST, {})))
                    break
                except CannotHeal as refusal:
                    assert str(refusal) == "storage_down"
                    time.sleep(0.02)

    writing = threading.Thread(target=write)
    writing.start()
    for _ in range(3):
        time.sleep(0.1)
        postgres.restart_killed()
    writing.join(20)
    done.set()
    assert len(acknowledged) == 300
    assert {row.request_id for row in rows(postgres_store, CONFIRMATIONS)} == {one.request_id for one in heals}
