"""`self-heal serve --workers 2`: several app processes answer as one."""

import http.client
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from system.processes import MODEL, OTHER_MODEL, PROGRAM, App, eventually

SERVE = (str(PROGRAM), "serve", "--workers", "2")


@pytest.fixture(scope="module")
def app(start_shared):
    started = start_shared(
        "serve",
        command=SERVE,
        env={"MODEL_PATH": "model.json", "SELF_HEAL_QUEUE_SECONDS": "10", "SELF_HEAL_STORAGE_SECONDS": "5"},
    )
    eventually(lambda: len(apps(started)) == 2 and len(started.workers()) == 2, seconds=30)
    return started


def command(process):
    """The command line of a process; none of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def apps(app):
    """Return the app processes: those that have a fork server of their own."""
    found = {one.parent() for one in app.family() if "multiprocessing.forkserver" in " ".join(command(one))}
    return [one for one in found if one and "forkserver" not in " ".join(one.cmdline())]


def starts(app):
    """Return how many app processes have begun to serve so far."""
    return sum(line["message"] == "Application startup complete." for line in app.log())


def test_a_heal_is_confirmable_whichever_process_is_asked(app):
    for _ in range(20):
        request_id = app.stored()
        assert app.confirm(request_id).json["recorded"] is True
        assert app.confirm(request_id).json["recorded"] is False
        assert app.get(f"/snapshots/{request_id}").status == 200


def test_the_metrics_are_those_of_all_processes(app):
    """Each answer to /metrics counts every heal, whichever process answered it."""
    before = app.metric("self_heal_requests_total", route="/heal", status="200")
    used = {app.process.pid: 0.0} | {one.pid: one.cpu_times().user for one in app.workers()}
    with ThreadPoolExecutor(6) as clients:
        list(clients.map(lambda _: app.heal(), range(60)))
    assert all(one.cpu_times().user > used[one.pid] for one in app.workers()), "both processes healed"
    counts = {app.metric("self_heal_requests_total", route="/heal", status="200") for _ in range(10)}
    assert counts == {before + 60}
    assert app.metric("self_heal_workers") == 2


def test_kill_9_of_one_app_process_the_other_answers_and_it_is_started_again(app):
    first, _ = apps(app)
    started = starts(app)
    family = first.children(recursive=True)
    counted = app.metric("self_heal_heals_total")
    healed = 0
    first.kill()
    for _ in range(30):
        try:
            app.heal()
            healed += 1
        except (ConnectionError, http.client.HTTPException):
            continue  # it was already the killed one's
    assert healed >= 28
    eventually(lambda: len(apps(app)) == 2 and len(app.workers()) == 2, seconds=30)
    eventually(lambda: not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    assert app.metric("self_heal_heals_total") == counted + healed, "what the killed one counted is not forgotten"
    eventually(lambda: starts(app) == started + 1, seconds=30)
    assert app.metric("self_heal_workers") == 2, "a process that is gone has no workers"


def test_a_reload_reaches_every_process(app):
    (app.folder / "model.json").write_bytes(OTHER_MODEL.read_bytes())
    version = app.post("/model/reload").json["models"][0]["version"]
    eventually(lambda: {app.heal().json["model"]["version"] for _ in range(20)} == {version}, seconds=10)
    assert app.metric("self_heal_model", version=version) == 1
    (app.folder / "model.json").write_bytes(MODEL.read_bytes())
    newer = app.post("/model/reload").json["models"][0]["version"]
    eventually(lambda: {app.heal().json["model"]["version"] for _ in range(20)} == {newer}, seconds=10)
    assert app.metric("self_heal_model", version=version) == 0, "the model before serves no more"


def test_what_keeps_it_from_starting_is_said_once_and_ends_it(tmp_path):
    (tmp_path / "model.json").write_text("garbage")
    app = App(tmp_path, command=SERVE, env={"MODEL_PATH": "model.json"}).launch()
    try:
        assert app.process.wait(10) == 2
    except subprocess.TimeoutExpired:
        app.end()
        pytest.fail(f"it started again and again: {len(app.errors().splitlines())} lines")
    assert len(app.errors().splitlines()) == 1


def test_sigterm_ends_every_process(start):
    app = start(command=SERVE)
    eventually(lambda: len(apps(app)) == 2, seconds=30)
    app.heal()
    family = app.family()
    folder = environment(apps(app)[0])["PROMETHEUS_MULTIPROC_DIR"]
    app.process.send_signal(signal.SIGTERM)
    assert app.process.wait(15) == 0
    eventually(lambda: not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    assert not re.search("Traceback", app.errors())
    assert subprocess.run(["ls", folder], capture_output=True).returncode != 0, "its metrics' files are removed"


def environment(process):
    return process.environ()
