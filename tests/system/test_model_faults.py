"""A bad model file: it ends the start, and never replaces a good one that serves."""

import http.client
import json
import shutil
import threading
import time
from collections import Counter

import pytest

from system.processes import HEAL, MODEL, OTHER_MODEL, App, eventually


def other_schema():
    model = json.loads(MODEL.read_bytes())
    model["learner"]["attributes"]["schema"] = "1"
    return json.dumps(model).encode()


# What lies where the model should, how it is put there, the word.
BAD = {
    "truncated": (lambda path: path.write_bytes(MODEL.read_bytes()[:-1_000]), "bad_model"),
    "empty": (lambda path: path.write_bytes(b""), "bad_model"),
    "garbage": (lambda path: path.write_bytes(b"\x80\x04\x95garbage" * 1_000), "bad_model"),
    "JSON of something else": (lambda path: path.write_text('{"learner": {"attributes": []}}'), "bad_model"),
    "of another schema": (lambda path: path.write_bytes(other_schema()), "model_schema"),
    "a directory": (lambda path: path.mkdir(), "no_model"),
    "unreadable": (lambda path: path.symlink_to("/proc/self/mem"), "no_model"),  # for root too
}


def put(path, what):
    """Put something else where the model lies."""
    remove(path)
    BAD[what][0](path)


def remove(path):
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


def replace(path, model):
    """Put a model there as an operator should: whole, at once."""
    remove(path) if path.is_dir() else None
    shutil.copy(model, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize("what", BAD)
def test_a_bad_model_file_at_the_start_ends_it_with_one_sentence_that_names_it(tmp_path, what):
    put(tmp_path / "model.json", what)
    app = App(tmp_path, env={"MODEL_PATH": "model.json"}).launch()
    assert app.process.wait(30) == 2
    (sentence,) = app.errors().splitlines()
    assert sentence.startswith(f"self-heal-engine: {BAD[what][1]}: ")
    assert "model.json" in sentence


@pytest.fixture(scope="module")
def app(start_shared):
    """Started without a model file."""
    return start_shared("models", env={"MODEL_PATH": "model.json", "SELF_HEAL_QUEUE_SECONDS": "10"})


def test_without_a_model_file_the_packaged_one_serves(app):
    answer = app.heal().json
    assert answer["calibrated"] is True
    assert app.detailed()["models"][0]["source"].endswith("models/ranker.json")


@pytest.mark.parametrize("what", BAD)
def test_a_bad_model_file_is_refused_at_a_reload_and_the_old_one_keeps_answering(app, what):
    word = BAD[what][1]
    before, counted = app.heal().json, app.metric("self_heal_model_reloads_total", outcome=word)
    put(app.folder / "model.json", what)
    refused = app.post("/model/reload")
    assert (refused.status, refused.json["type"]) == (422, word)
    assert "model.json" in refused.json["detail"]
    after = app.heal().json
    assert [after[name] for name in ("model", "confidence")] == [before[name] for name in ("model", "confidence")]
    assert app.metric("self_heal_model_reloads_total", outcome=word) > counted
    assert app.get("/health/ready").status == 200
    remove(app.folder / "model.json")


def told(answer):
    """Return what tells one model from another in an answer: what it is called, and what it computed."""
    return answer["model"]["version"], answer["confidence"], answer["threshold"]


def test_a_reload_under_load_fails_no_request_and_every_answer_is_of_one_model(app):
    known = {}
    for model in (MODEL, OTHER_MODEL):
        replace(app.folder / "model.json", model)
        assert app.post("/model/reload").json["models"][0]["variant"] == "champion"
        known[model] = told(app.heal().json)
    assert known[MODEL][0] != known[OTHER_MODEL][0]
    assert known[MODEL][1:] != known[OTHER_MODEL][1:]
    found, failed, ends = Counter(), [], threading.Event()

    def load():
        while not ends.is_set():
            try:
                answer = app.post("/heal", HEAL)
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
                continue
            if answer.status == 200:
                found[told(answer.json)] += 1
            else:
                failed.append(answer.text)

    clients = [threading.Thread(target=load) for _ in range(3)]
    for client in clients:
        client.start()
    for model in (MODEL, OTHER_MODEL) * 4:
        replace(app.folder / "model.json", model)
        reloaded = app.post("/model/reload")
        assert (reloaded.status, reloaded.json["models"][0]["version"]) == (200, known[model][0])
        time.sleep(0.2)
        put(app.folder / "model.json", "truncated")
        assert app.post("/model/reload").status == 422
    ends.set()
    for client in clients:
        client.join()
    assert not failed
    assert set(found) == set(known.values()), "an answer names one model and was computed by the other"
    assert sum(found.values()) > 50
    assert told(app.heal().json) == known[OTHER_MODEL]
    assert app.metric("self_heal_model", version=known[OTHER_MODEL][0]) == 1
    assert app.metric("self_heal_model", version=known[MODEL][0]) == 0
    eventually(lambda: len(app.workers()) == 1)  # those of the models before have ended
