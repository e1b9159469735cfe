"""SIGTERM and kill -9 of the app: what was accepted is answered, what was answered is stored, no process stays."""

import http.client
import json
import socket
import sqlite3
import threading
import time
from contextlib import closing

import psutil
import pytest

from system.processes import FOREVER, HEAL, PAGE, eventually

BIG = {**HEAL, "html": PAGE.replace("<h1>", "".join(f"<p id=p{n}>Row {n}" for n in range(4_000)) + "<h1>")}


def sent(app, body):
    """Return a connection on which a request is on its way."""
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=20)
    connection.request("POST", "/heal", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return connection


def stored(app):
    """Return the ids of the heals that are stored, and of those whose page is."""
    with closing(sqlite3.connect(app.folder / "data" / "self_heal.db")) as database:
        ids = [
            {str(one).replace("-", "") for (one,) in database.execute(f"SELECT request_id FROM {table}")}
            for table in ("heals", "snapshots")
        ]
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return ids


def test_sigterm_under_load_every_accepted_request_is_answered_and_what_was_answered_is_stored(start):
    patient = ("SELF_HEAL_QUEUE_SECONDS", "SELF_HEAL_DEADLINE_SECONDS", "SELF_HEAL_STORAGE_SECONDS")
    app = start(env=dict.fromkeys(patient, "10"))
    family = app.family()
    answered, broken, ended = [], [], threading.Event()

    def load():
        while not ended.is_set():
            try:
                answered.append(app.heal().json)
            except ConnectionRefusedError:
                return
            except (OSError, http.client.HTTPException) as error:
                # Not accepted: it lay in the kernel's queue when that was closed.
                broken.append(repr(error))
                return

    clients = [threading.Thread(target=load) for _ in range(3)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    accepted = [sent(app, BIG) for _ in range(6)]
    eventually(lambda: app.metric("self_heal_waiting") >= 3, pause=0)
    began = time.monotonic()
    code = app.terminate(seconds=20)
    assert time.monotonic() - began < 15
    ended.set()
    for client in clients:
        client.join()
    for connection in accepted:
        answer = connection.getresponse()
        assert answer.status == 200
        answered.append(json.loads(answer.read()))
        connection.close()
    # uvicorn ends by the signal that it was sent, once it has shut down in order.
    assert code in (0, -15)
    assert app.log()[-1]["message"].startswith("Finished server process")
    assert len(answered) > 20
    assert len(broken) <= len(clients)
    ids = {answer["request_id"].replace("-", "") for answer in answered if answer["confirmable"]}
    assert len(ids) == len(answered)
    heals, snapshots = stored(app)
    assert ids <= heals
    assert ids <= snapshots, "the page of an answered heal is stored too"
    eventually(lambda: gone(family), seconds=2)


def gone(family):
    return not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_after_kill_9_of_the_app_its_workers_end_by_themselves(start):
    app = start(env={"SELF_HEAL_HEAL_WORKERS": "2"})
    app.heal()
    family = app.family()
    assert len(app.workers()) == 2
    app.kill()
    eventually(lambda: gone(family), seconds=2)


def test_after_kill_9_of_the_app_a_worker_that_is_busy_for_ever_ends_by_itself(start):
    app = start(env={"SELF_HEAL_DEADLINE_SECONDS": "1"})
    family = app.family()
    (worker,) = app.workers()
    connection = sent(app, FOREVER)
    eventually(lambda: worker.cpu_times().user > 0.3, pause=0)
    app.kill()
    connection.close()
    eventually(lambda: gone(family), seconds=5)  # the deadline and a moment


def test_a_worker_killed_in_the_middle_of_a_heal_costs_nobody_an_answer(start):
    app = start()
    for _ in range(3):
        connection = sent(app, BIG)
        time.sleep(0.05)
        for worker in app.workers():
            worker.kill()
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        # Another worker is started for it, if that is done before the caller has waited too long.
        assert answer.status == 200 or (answer.status == 503 and told["type"] == "overloaded"), told
        eventually(lambda: app.post("/heal", HEAL).status == 200)
    assert app.metric("self_heal_workers_lost_total") >= 3


@pytest.mark.parametrize(
    "half",
    [
        b"POST /heal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
        b"POST /heal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["a length", "chunks"],
)
def test_sixty_bodies_that_never_end_are_gone_in_time_and_others_are_served_meanwhile(start, half):
    app = start(env={"SELF_HEAL_BODY_SECONDS": "1"})
    connections = [socket.create_connection(("127.0.0.1", app.port), timeout=10) for _ in range(60)]
    began = time.monotonic()
    for connection in connections:
        connection.sendall(half)
    for _ in range(5):
        assert app.heal().seconds < 1.0
    for connection in connections:
        assert b"408" in read_to_the_end(connection)
        connection.close()
    assert time.monotonic() - began < 5.0  # uvicorn keeps a connection for five seconds beyond, if it is let
    held = psutil.Process(app.process.pid).net_connections("tcp")
    assert sum(one.status == psutil.CONN_ESTABLISHED for one in held) == 0
    assert app.metric("self_heal_requests_total", route="/heal", status="408") == 60


def read_to_the_end(connection):
    """Return what comes until the other side closes; TimeoutError if it does not."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)
