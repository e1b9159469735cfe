"""kill -9 under load, of whatever there is to kill: nothing that was acknowledged is lost, doubled or torn."""

import gzip
import hashlib
import http.client
import json
import random
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest

from system.processes import eventually, run

CLIENTS = 4
RETRY_SECONDS = 0.1

# So many confirmations are acknowledged between two kills, at least.
BETWEEN = 5

# More than any fault here lasts: a client that cannot get through for so long has found a bug.
PATIENCE = 60.0

VERDICTS = [
    {"accepted_index": 0},
    {"accepted_index": 1},
    {"accepted_index": None},
    {"accepted_index": None, "correct_locator": "button.go", "correct_locator_type": "css"},
    {"gone": True},
]
FIELDS = ("accepted_index", "gone", "correct_locator", "correct_locator_type")


@dataclass
class Said:
    """What the clients were told, and what should never have been said."""

    verdicts: dict[str, dict] = field(default_factory=dict)  # acknowledged, by request id
    recorded: Counter = field(default_factory=Counter)  # how often "recorded now" was answered
    resent: int = 0
    healed: int = 0
    unconfirmable: int = 0
    errors: Counter = field(default_factory=Counter)  # of those that a client tries again
    wrong: list[str] = field(default_factory=list)


def through(app, said, path, body):
    """Return the answer to a request, sent again as long as it is answered by 503, 429 or not at all."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            answer = app.post(path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            said.errors[type(error).__name__] += 1
        else:
            if answer.status not in (503, 429):
                return answer
            said.errors[answer.json["type"]] += 1
        time.sleep(RETRY_SECONDS)
    raise AssertionError(f"{path} was not answered within {PATIENCE} s: {said.errors}")


def client(app, said, number, ended):
    """Heal and confirm until told to end, each confirmation until it is acknowledged."""
    chance = random.Random(number)
    done = 0
    while not ended.is_set():
        done += 1
        page = f"<h1>Page {number}.{done}</h1><button class='go'>Sign In</button><button>Help {done}</button>"
        asked = {"html": page, "original_locator": "#login-btn", "context": {"visible_text": "Sign In"}}
        healed = through(app, said, "/heal", asked)
        if healed.status != 200:
            said.wrong.append(f"a heal: {healed.status} {healed.text}")
            continue
        said.healed += 1
        answer = healed.json
        if not answer["confirmable"]:
            said.unconfirmable += 1
            continue
        verdict = chance.choice(VERDICTS)
        metadata = {"client": number, "heal": done, "note": "é" * chance.randrange(200)}
        body = {"request_id": answer["request_id"], **verdict, "metadata": metadata}
        for again in range(chance.choice((1, 1, 3))):
            told = through(app, said, "/confirm", body)
            if told.status != 200:
                said.wrong.append(f"a confirmation, sent {again + 1} times: {told.status} {told.text}")
                break
            said.verdicts[answer["request_id"]] = {**verdict, "metadata": metadata}
            said.recorded[answer["request_id"]] += told.json["recorded"]
            said.resent += again > 0
        if chance.random() < 0.2:
            other = {"request_id": answer["request_id"], **chance.choice([v for v in VERDICTS if v != verdict])}
            told = through(app, said, "/confirm", other)
            if (told.status, told.json.get("type")) != (409, "other_verdict"):
                said.wrong.append(f"another verdict: {told.status} {told.text}")


def under_kills(app, victims, kills, seed):
    """Return what clients were told while one victim after the other was killed, and how many of each."""
    chance, said, ended, killed = random.Random(seed), Said(), threading.Event(), Counter()
    order = [name for name, (_, share) in victims.items() for _ in range(round(kills * share))]
    chance.shuffle(order)
    with ThreadPoolExecutor(CLIENTS) as threads:
        clients = [threads.submit(client, app, said, number, ended) for number in range(CLIENTS)]
        try:
            for name in order:
                until(len(said.verdicts) + BETWEEN, said, clients)
                time.sleep(chance.uniform(0, 0.2))
                victims[name][0](chance)
                killed[name] += 1
            until(len(said.verdicts) + BETWEEN, said, clients)
        finally:
            ended.set()
    for one in clients:
        one.result()  # what ended it, if anything did
    return said, killed


def until(many, said, clients):
    """Wait until so many confirmations were acknowledged, or a client has ended."""
    eventually(lambda: len(said.verdicts) >= many or any(one.done() for one in clients), seconds=PATIENCE)


def kill_worker(app):
    def kill(chance):
        workers = eventually(app.workers, seconds=30)
        chance.choice(workers).kill()

    return kill


def kill_app(app):
    def kill(chance):
        left = app.family()
        app.kill()
        app.start()
        eventually(lambda: not [one for one in left if one.is_running() and one.status() != "zombie"])

    return kill


def kill_server(server):
    def kill(chance):
        server.kill()
        time.sleep(chance.uniform(0, 0.5))
        server.start()

    return kill


def compared(said, rows):
    """Compare what was acknowledged with what is stored: (request_id, accepted_index, gone, ..., metadata)."""
    stored = {}
    for request_id, *values in rows:
        key = str(UUID(str(request_id)))
        assert key not in stored, f"doubled: {key}"
        *verdict, metadata = values
        stored[key] = dict(zip(FIELDS, verdict, strict=True)) | {
            "metadata": json.loads(metadata) if isinstance(metadata, str) else metadata
        }
    lost = sorted(set(said.verdicts) - set(stored))
    assert not lost, f"lost: {len(lost)} of {len(said.verdicts)}, first {lost[0]}"
    for key, sent in said.verdicts.items():
        meant = dict.fromkeys(FIELDS) | {"gone": False} | sent
        assert stored[key] | {"gone": bool(stored[key]["gone"])} == meant, f"torn: {key}"
    # A confirmation whose acknowledgement was lost on the way is told "the same was there" when it is sent again.
    doubled = [key for key, many in said.recorded.items() if many > 1]
    assert not doubled, f"acknowledged as new twice: {doubled}"
    assert not said.wrong, said.wrong[:5]


def report(store, said, killed, seconds):
    kills = ", ".join(f"{many} of {name}" for name, many in sorted(killed.items()))
    print(
        f"\n{store}: {sum(killed.values())} kills ({kills}) in {seconds:.0f} s; {said.healed} heals answered, "
        f"{said.unconfirmable} of them unconfirmable; {len(said.verdicts)} confirmations acknowledged, {said.resent} "
        f"sent again; 0 lost, 0 doubled, 0 torn; tried again after {dict(said.errors)}"
    )


COLUMNS = f"request_id, {', '.join(FIELDS)}, metadata"

# Kills in the short and in the long run: 200 there, half of them with each store.
SHORT = pytest.param(10, id="10 kills")
LONG = pytest.param(100, id="100 kills", marks=[pytest.mark.long, pytest.mark.timeout(1_200)])
PATIENT = {"SELF_HEAL_HEAL_WORKERS": "2", "SELF_HEAL_RATE_LIMIT": "1000000/minute"}


@pytest.mark.parametrize("kills", [SHORT, LONG])
def test_sqlite_keeps_every_acknowledged_confirmation_under_kills_of_workers_and_app(start, tmp_path, kills):
    app, began = start(tmp_path, env=PATIENT), time.monotonic()
    said, killed = under_kills(app, {"workers": (kill_worker(app), 0.7), "app": (kill_app(app), 0.3)}, kills, seed=1)
    app.terminate()
    with closing(sqlite3.connect(tmp_path / "data" / "self_heal.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        compared(said, database.execute(f"SELECT {COLUMNS} FROM confirmations"))
        pages = [sha256 for (sha256,) in database.execute("SELECT sha256 FROM pages")]
    assert pages
    for sha256 in pages:
        file = tmp_path / "data" / "snapshots" / sha256[:2] / f"{sha256}.html.gz"
        assert hashlib.sha256(gzip.decompress(file.read_bytes())).hexdigest() == sha256
    assert len(said.verdicts) >= BETWEEN * kills
    report("SQLite", said, killed, time.monotonic() - began)


@pytest.mark.needs("postgres")
@pytest.mark.needs("redis")
@pytest.mark.parametrize("kills", [SHORT, LONG])
def test_postgres_keeps_every_acknowledged_confirmation_under_kills_of_all_there_is(
    start, tmp_path, postgres, redis, kills
):
    url = postgres.new_database()
    assert run(tmp_path, "db", "upgrade", DATABASE_URL=url).returncode == 0
    app, began = start(tmp_path, env={**PATIENT, "DATABASE_URL": url, "REDIS_URL": redis.url}), time.monotonic()
    victims = {
        "workers": (kill_worker(app), 0.4),
        "app": (kill_app(app), 0.2),
        "PostgreSQL": (kill_server(postgres), 0.2),
        "Redis": (kill_server(redis), 0.2),
    }
    said, killed = under_kills(app, victims, kills, seed=2)
    app.terminate()
    with psycopg.connect(url) as database:
        compared(said, database.execute(f"SELECT {COLUMNS} FROM confirmations"))
        pages = database.execute("SELECT sha256, body FROM pages").fetchall()
    assert pages
    for sha256, body in pages:
        assert hashlib.sha256(gzip.decompress(body)).hexdigest() == sha256
    assert len(said.verdicts) >= BETWEEN * kills
    report("PostgreSQL", said, killed, time.monotonic() - began)
