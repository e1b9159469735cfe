"""Storage, Redis and the tokens' file fail for real, one at a time: what the caller sees, and how it comes back."""

import json
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager

import pytest

from system.processes import DEADLINE, GRACE, eventually, run

# Before a confirmation is refused it waits for storage, which may be back in a moment.
CONFIRM_SECONDS = 5.0


def assert_heals_unconfirmable(app, earlier, stored=lambda: None):
    """A heal is answered in time and cannot be confirmed, and the service says so wherever it is asked."""
    before = app.metric("self_heal_unconfirmable_total")
    for _ in range(3):
        answer = app.heal()
        assert answer.json["confirmable"] is False
        assert answer.json["candidates"][0]["text"] == "Sign In"
        assert answer.seconds < DEADLINE + GRACE
    assert app.metric("self_heal_unconfirmable_total") == before + 3
    refused = app.confirm(earlier)
    assert (refused.status, refused.json["type"]) == (503, "storage_down")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.seconds < CONFIRM_SECONDS + GRACE
    assert app.get("/health").text == '{"status":"ok"}'
    assert app.get("/health/ready").status == 200
    health = app.detailed()
    assert (health["status"], health["storage"]["status"]) == ("degraded", "degraded")
    assert app.get("/stats").status == 503


def assert_confirmable_again(app, *earlier, seconds=15):
    """Without a restart: heals can be confirmed, those answered before the fault too."""
    eventually(app.confirmable, seconds)
    for request_id in (*earlier, app.stored()):
        confirmed = app.confirm(request_id)
        assert (confirmed.status, confirmed.json["recorded"]) == (200, True), confirmed.text
    health = app.detailed()
    assert (health["status"], health["storage"]["status"]) == ("ok", "ok")


# -- PostgreSQL ----------------------------------------------------------------------------------------------------


@pytest.fixture
def server(postgres):
    """The session's server, running again after the test."""
    yield postgres
    if postgres.process.poll() is None:
        postgres.thaw()
    else:
        postgres.start()


@pytest.fixture(scope="module")
def database(postgres, tmp_path_factory):
    """The URL of a database with the schema."""
    url = postgres.new_database()
    assert run(tmp_path_factory.mktemp("db"), "db", "upgrade", DATABASE_URL=url).returncode == 0
    return url


@pytest.fixture(scope="module")
def on_postgres(database, start_shared):
    return start_shared("on-postgres", env={"DATABASE_URL": database})


@pytest.mark.needs("postgres")
def test_postgres_killed_in_the_middle_heals_are_answered_and_confirmable_again_after_its_restart(server, on_postgres):
    earlier = on_postgres.stored()
    server.kill()
    assert_heals_unconfirmable(on_postgres, earlier)
    server.start()
    assert_confirmable_again(on_postgres, earlier)


@pytest.mark.needs("postgres")
def test_postgres_hanging_heals_are_answered_and_confirmable_again_once_it_answers(server, on_postgres):
    earlier = on_postgres.stored()
    server.freeze()
    began = time.monotonic()
    assert_heals_unconfirmable(on_postgres, earlier)
    assert on_postgres.heal().seconds < DEADLINE + GRACE, "also once every connection hangs"
    assert time.monotonic() - began < 30
    server.thaw()
    eventually(on_postgres.confirmable)
    # What was refused was on its way to the database all the same: now it is there, or is taken now.
    assert on_postgres.confirm(earlier).status == 200
    assert_confirmable_again(on_postgres)


@pytest.mark.needs("postgres")
def test_postgres_hanging_does_not_keep_the_app_from_ending(server, database, start):
    app = start(env={"DATABASE_URL": database})
    earlier = app.stored()
    server.freeze()
    assert [app.confirmable() for _ in range(10)] == [False] * 10
    assert app.confirm(earlier).status == 503
    assert app.terminate(seconds=15) in (0, -15)


@pytest.mark.needs("postgres")
@pytest.mark.parametrize(("fail", "mend"), [("kill", "start"), ("freeze", "thaw")], ids=["down", "hanging"])
def test_postgres_failing_at_the_start_the_app_starts_and_is_confirmable_once_it_is_back(
    server, database, start, fail, mend
):
    getattr(server, fail)()
    app = start(env={"DATABASE_URL": database})
    assert_heals_unconfirmable(app, "6f1c2f6e-3f0e-4a55-9c1e-1d1f6f9c2b7a")
    getattr(server, mend)()
    assert_confirmable_again(app)


@pytest.mark.needs("postgres")
def test_without_the_schema_the_start_ends_with_the_command_that_makes_it(server, start, tmp_path):
    url = server.new_database()

    def refused():
        said = run(tmp_path, "serve", "--port", "0", DATABASE_URL=url, DATA_DIR=str(tmp_path / "data"))
        (sentence,) = said.stderr.splitlines()
        return said.returncode, "schema_behind" in sentence and "`self-heal db upgrade`" in sentence

    def move(*arguments):
        return run(tmp_path, "db", *arguments, DATABASE_URL=url).returncode

    assert refused() == (2, True)
    assert move("upgrade") == 0
    app = start(env={"DATABASE_URL": url})
    assert_confirmable_again(app)
    # Down while it serves: heals are answered, confirmations are to be tried again.
    assert move("downgrade", "base") == 0
    assert app.heal().json["confirmable"] is False
    answer = app.confirm("6f1c2f6e-3f0e-4a55-9c1e-1d1f6f9c2b7a")
    assert (answer.status, answer.json["type"]) == (503, "schema_behind")
    assert refused() == (2, True)
    assert move("upgrade") == 0
    assert_confirmable_again(app)


@pytest.mark.needs("postgres")
def test_a_heal_of_one_app_is_confirmed_and_shown_by_another_on_the_same_postgres(on_postgres, database, start):
    other = start(env={"DATABASE_URL": database})
    request_id = on_postgres.stored()
    assert other.confirm(request_id).json["recorded"] is True
    assert on_postgres.confirm(request_id).json["recorded"] is False
    assert on_postgres.confirm(request_id, gone=True).json["type"] == "other_verdict"
    stored = eventually(lambda: (s := other.get(f"/snapshots/{request_id}").json)["page_html"] and s)
    assert "Sign In" in stored["page_html"]
    assert stored["verdict"]["accepted_index"] == 0
    assert not list((on_postgres.folder / "data").rglob("*.gz")), "no page may lie where the other cannot read it"


# -- SQLite --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def on_sqlite(start_shared):
    return start_shared("on-sqlite")


@contextmanager
def locked(app):
    """Another process, this one, writes and does not come to an end."""
    with closing(sqlite3.connect(app.folder / "data" / "self_heal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def assert_whole(folder):
    """What is stored is whole: the database, and every page that it names."""
    with closing(sqlite3.connect(folder / "self_heal.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        pages = {sha256 for (sha256,) in database.execute("SELECT sha256 FROM pages")}
    for sha256 in pages:
        (file,) = (folder / "snapshots").rglob(f"{sha256}.html.gz")
        assert subprocess.run(["gzip", "-t", str(file)], capture_output=True).returncode == 0
    assert not list((folder / "snapshots").rglob(".*")), "half a file was left"


def test_sqlite_locked_for_long_by_another_process_heals_are_answered_and_confirmations_refused(on_sqlite):
    earlier = on_sqlite.stored()
    with locked(on_sqlite):
        before = on_sqlite.metric("self_heal_unconfirmable_total")
        for _ in range(12):  # more than there are threads that wait for the database
            answer = on_sqlite.heal()
            assert (answer.json["confirmable"], answer.seconds < DEADLINE + GRACE) == (False, True)
        assert on_sqlite.metric("self_heal_unconfirmable_total") == before + 12
        refused = on_sqlite.confirm(earlier)
        assert (refused.status, refused.json["type"]) == (503, "storage_down")
        assert refused.seconds < CONFIRM_SECONDS + GRACE
        assert on_sqlite.get("/health/ready").status == 200
    eventually(on_sqlite.confirmable)
    assert on_sqlite.confirm(earlier).status == 200  # recorded now, or by the one that was refused too early
    assert_confirmable_again(on_sqlite)


def test_sqlite_locked_at_the_start_the_app_starts_all_the_same(on_sqlite, start, tmp_path):
    with locked(on_sqlite):
        app = start(tmp_path, env={"DATA_DIR": str(on_sqlite.folder / "data")})
        assert app.heal().json["confirmable"] is False
    assert_confirmable_again(app)


def fill(disk):
    """Take the last byte of a disk."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        for block in (65_536, 1):
            try:
                while filler.write(b"x" * block):
                    pass
            except OSError:
                continue


def test_a_full_disk_heals_are_answered_and_confirmable_again_once_there_is_room(disk_of_a_megabyte, start, tmp_path):
    disk = disk_of_a_megabyte
    app = start(tmp_path, env={"DATA_DIR": str(disk), "SELF_HEAL_LOG_FILE": str(disk / "log")})
    earlier = app.stored()
    fill(disk)
    exhaust(app)
    assert app.detailed()["disk"]["status"] == "degraded"
    assert_heals_unconfirmable_with_room_for_reading(app, earlier)
    (disk / "filler").unlink()
    assert_confirmable_again_but_for_the_disk(app, earlier)
    app.terminate()
    assert_whole(disk)


def test_files_that_may_not_grow_heals_are_answered_and_confirmable_again_once_they_may(start, tmp_path, bound_files):
    app = start(tmp_path)
    earlier = app.stored()
    bound_files(app, most=0)
    assert_heals_unconfirmable_with_room_for_reading(app, earlier)
    bound_files(app)
    assert_confirmable_again(app, earlier)
    app.terminate()
    assert_whole(tmp_path / "data")


def exhaust(app):
    """Heal until the room that the database's files had left is used up."""
    eventually(lambda: not app.confirmable(), pause=0)


def assert_heals_unconfirmable_with_room_for_reading(app, earlier):
    """As above, but that what only reads still does."""
    before = app.metric("self_heal_unconfirmable_total")
    for _ in range(3):
        answer = app.heal()
        assert (answer.json["confirmable"], answer.seconds < DEADLINE + GRACE) == (False, True)
    assert app.metric("self_heal_unconfirmable_total") == before + 3
    refused = app.confirm(earlier)
    assert (refused.status, refused.json["type"]) == (503, "storage_down"), refused.text
    assert refused.headers["retry-after"]
    assert app.get("/health/ready").status == 200
    assert app.detailed()["status"] == "degraded"
    assert app.get(f"/snapshots/{earlier}").json["verdict"] is None


def assert_confirmable_again_but_for_the_disk(app, *earlier):
    """As above; the disk is small, which the health goes on saying."""
    eventually(app.confirmable)
    for request_id in (*earlier, app.stored()):
        assert app.confirm(request_id).json["recorded"] is True


def test_a_folder_that_cannot_be_written_at_the_start_heals_are_answered(disk_of_a_megabyte, start, tmp_path):
    remount = ["mount", "-o", "remount,{}", str(disk_of_a_megabyte)]
    subprocess.run([word.format("ro") for word in remount], check=True)
    app = start(tmp_path, env={"DATA_DIR": str(disk_of_a_megabyte)})
    assert_heals_unconfirmable(app, "6f1c2f6e-3f0e-4a55-9c1e-1d1f6f9c2b7a")
    subprocess.run([word.format("rw") for word in remount], check=True)
    assert_confirmable_again_but_for_the_disk(app)


def test_a_database_file_of_garbage_heals_are_answered(start, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "self_heal.db").write_bytes(b"garbage " * 10_000)
    assert_heals_unconfirmable(start(tmp_path), "6f1c2f6e-3f0e-4a55-9c1e-1d1f6f9c2b7a")


# -- Redis ---------------------------------------------------------------------------------------------------------

LIMIT = 8

# The app asks a Redis that was lost again after so many seconds.
ASKED_AGAIN = 5.0


@pytest.fixture(scope="module")
def limited_env(redis_session):
    """A limit in Redis; the proxy in front of the app, this test, names the callers."""
    return {
        "REDIS_URL": redis_session.url,
        "SELF_HEAL_RATE_LIMIT": f"{LIMIT}/minute",
        "SELF_HEAL_TRUSTED_PROXIES": "127.0.0.1",
        "AUTH": "off",
    }


@pytest.fixture(scope="module")
def limited(limited_env, start_shared):
    return start_shared("limited", env=limited_env)


def statuses(caller, *apps):
    """Return what one caller gets who asks twice as often as it may, and how long that took at most."""
    answers = [
        app.post("/confirm", {}, **{"X-Forwarded-For": caller}) for _ in range(2 * LIMIT // len(apps)) for app in apps
    ]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status == 429)
    return [answer.status for answer in answers], max(answer.seconds for answer in answers)


FIRST_PASS = [422] * LIMIT + [429] * LIMIT  # an empty body is none of a confirmation, but is counted


def health_of_redis(app, caller):
    return app.get("/health/detailed", **{"X-Forwarded-For": caller}).json["redis"]["status"]


def assert_limited_without_redis(app, caller):
    """The limit holds, answers are quick, and the service says that it counts alone."""
    before = app.metric("self_heal_rate_limit_unshared_total")
    found, slowest = statuses(caller, app)
    assert found == FIRST_PASS
    assert slowest < GRACE
    assert app.metric("self_heal_rate_limit_unshared_total") == before + 2 * LIMIT
    assert health_of_redis(app, f"{caller}1") == "degraded"
    assert app.get("/health/ready").status == 200


def assert_limited_with_redis(app, redis, caller):
    """It counts in Redis again, and nobody had to ask for that."""
    counted = app.metric("self_heal_rate_limit_unshared_total")

    def shared():
        nonlocal counted
        before, counted = counted, (app.get("/stats", **{"X-Forwarded-For": f"{caller}2"}), app.metric(
            "self_heal_rate_limit_unshared_total"
        ))[1]  # fmt: skip
        return counted == before

    eventually(shared, ASKED_AGAIN + 3, pause=1.0)
    redis.says("FLUSHALL")
    assert statuses(caller, app)[0] == FIRST_PASS
    assert "self-heal" in redis.says("KEYS *")
    assert health_of_redis(app, f"{caller}3") == "ok"


@pytest.mark.needs("redis")
def test_two_apps_share_one_limit_through_redis(redis, limited, limited_env, start):
    found, _ = statuses("192.0.2.1", limited, start(env=limited_env))
    assert found == FIRST_PASS


@pytest.mark.needs("redis")
def test_redis_killed_calls_are_still_limited_and_quick_and_share_again_after_its_restart(redis, limited):
    redis.kill()
    assert_limited_without_redis(limited, "192.0.2.2")
    redis.start()
    assert_limited_with_redis(limited, redis, "192.0.2.2")


@pytest.mark.needs("redis")
def test_redis_hanging_calls_are_still_limited_and_quick_and_share_again_once_it_answers(redis, limited):
    redis.freeze()
    assert_limited_without_redis(limited, "192.0.2.3")
    redis.thaw()
    assert_limited_with_redis(limited, redis, "192.0.2.3")


@pytest.mark.needs("redis")
def test_redis_down_at_the_start_calls_are_limited_and_shared_once_it_is_there(redis, limited_env, start):
    redis.kill()
    app = start(env=limited_env)
    assert_limited_without_redis(app, "192.0.2.4")
    redis.start()
    assert_limited_with_redis(app, redis, "192.0.2.4")


# -- the tokens' file ----------------------------------------------------------------------------------------------


def test_a_tokens_file_damaged_while_running_keeps_the_old_tokens_valid_and_shows_in_the_health(start, tmp_path):
    file = tmp_path / "data" / "tokens.json"
    made = run(tmp_path, "token", "create", "--name", "ci", "--scope", "heal", "--scope", "admin", "--file", str(file))
    bearer = {"Authorization": f"Bearer {made.stdout.strip()}"}
    whole = file.read_bytes()
    app = start(tmp_path)
    assert app.heal(**bearer).json["confirmable"] is True
    for damaged in (whole[: len(whole) // 2], b"", b"\xff\x00", json.dumps({"tokens": [{"id": "x"}]}).encode()):
        file.write_bytes(damaged)
        time.sleep(1.1)  # it is looked at once a second
        assert app.heal(**bearer).status == 200
        assert app.post("/heal").json["type"] == "no_token", "a damaged file opens nothing"
        health = app.get("/health/detailed", **bearer).json
        assert (health["status"], health["tokens"]["status"]) == ("degraded", "degraded")
        assert "tokens.json" in health["tokens"]["detail"]
    file.write_bytes(whole)
    time.sleep(1.1)
    assert app.get("/health/detailed", **bearer).json["status"] == "ok"


def test_a_tokens_file_damaged_at_the_start_ends_it_with_one_sentence(tmp_path):
    (tmp_path / "tokens.json").write_text("{")
    said = run(tmp_path, "serve", "--port", "0", DATA_DIR=str(tmp_path))
    assert said.returncode == 2
    (sentence,) = said.stderr.splitlines()
    assert "bad_tokens" in sentence
