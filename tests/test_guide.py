"""What users were promised, and what docs/service.md says: run as they would, against one service."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID

import pytest

from library_imports import ROOT
from model_files import write_model
from pages import SHOP_AFTER
from self_heal_engine.parser import read_page
from self_heal_engine.service.problems import STATUS
from serving import CONFIG, GUIDE
from uvicorn_process import BESIDE, environment, serving

TEXT = (ROOT / "docs" / "service.md").read_text("utf-8")
PRINTED = {  # as the guide prints it
    "html": "<html>...</html>",
    "original_locator": "#login-btn",
    "locator_type": "css",
    "context": {"anchors": ["Login"], "visible_text": "Sign In"},
    "max_candidates": 5,
    "use_llm": False,
}
CONFIRMED = {"accepted_index": 0, "metadata": {"test_session": "regression_001", "browser": "chrome"}}


# -- one service, in a folder with the guide's config.yaml -------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("service")
    (made / "config.yaml").write_text(CONFIG, "utf-8")
    (made / "models").mkdir()
    (made / "models" / "ranker.json").write_bytes((ROOT / "models" / "ranker.json").read_bytes())
    return made


@pytest.fixture(scope="module")
def url(folder):
    with serving(folder, SELF_HEAL_RATE_LIMIT="off") as started:
        yield started


@pytest.fixture(scope="module")
def ask(url):
    """Ask the service; return the status, and the answer as JSON where it is some, else as text."""

    def asked(path, body=None, **headers):
        raw = None if body is None else json.dumps(body).encode()
        request = Request(url + path, raw, {"Content-Type": "application/json", **headers})
        try:
            with urlopen(request, timeout=30) as answer:
                status, kind, said = answer.status, answer.headers["Content-Type"], answer.read().decode()
        except HTTPError as error:
            status, kind, said = error.code, error.headers["Content-Type"], error.read().decode()
        return status, json.loads(said) if "json" in kind else said

    return asked


@pytest.fixture(scope="module")
def healed(ask):
    """A heal that was confirmed, and whose page is stored."""
    _, answer = ask("/heal", GUIDE)
    assert ask("/confirm", {"request_id": answer["request_id"], **CONFIRMED})[0] == 200
    for _ in range(500):
        if ask(f"/snapshots/{answer['request_id']}")[1]["page_html"]:
            return answer["request_id"]
    pytest.fail("the page of a heal was not stored")


def block(language, beginning):
    """The block of docs/service.md that begins so."""
    (found,) = (code for code in re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL) if code.startswith(beginning))
    return found


def run(script, folder, url="http://localhost:8000", **env):
    """What a script prints, run in a folder with this project's commands on the PATH."""
    path = os.pathsep.join([str(BESIDE), os.environ["PATH"]])
    asked = ["bash", "-euc", script.replace("http://localhost:8000", url)]
    done = subprocess.run(asked, cwd=folder, env=environment(PATH=path, **env), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- the guide's promises ----------------------------------------------------------------------------------------------


def test_health_is_the_exact_text(ask, url):
    assert ask("/health") == (200, {"status": "ok"})
    assert run("curl -s http://localhost:8000/health", ".", url) == '{"status":"ok"}'


def test_the_printed_bodies_are_taken_as_they_are(ask):
    status, answer = ask("/heal", PRINTED)
    assert (status, answer["decision"], answer["confirmable"]) == (200, "gone", True)
    status, answer = ask("/heal", GUIDE)
    assert (status, answer["decision"], answer["candidates"][0]["text"]) == (200, "healed", "Sign In")
    assert ask("/confirm", {"request_id": answer["request_id"], **CONFIRMED}) == (
        200,
        {"request_id": answer["request_id"], "recorded": True},
    )


def test_the_printed_config_is_in_force(ask, folder):
    ask("/heal", GUIDE)
    assert (folder / "data" / "self_heal.db").exists()
    assert (folder / "logs" / "self_heal_engine.log").exists()
    assert ask("/health/detailed")[1]["models"][0]["source"] == "models/ranker.json"
    assert ask("/health/detailed")[1]["llm"] == {"provider": "mock", "asked_by_default": False}


def test_the_printed_one_liners_work_beside_the_service(folder, healed):
    validate = "from self_heal_engine.parser import parse_html; print(parse_html('<p>x') is not None)"
    stats = """
from self_heal_engine.storage import get_training_stats
stats = get_training_stats()
print(f'Total records: {stats["total_records"]}')
print(f'Acceptance rate: {stats["acceptance_rate"]:.2%}')
"""
    snapshot = f"""
from self_heal_engine.storage import load_snapshot
snapshot = load_snapshot({healed!r})
print(snapshot["candidates"][0]["text"], snapshot["page_html"][:500].count("Login"))
"""
    said = [
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True)
        for code in (validate, stats, snapshot)
    ]
    assert [each.stderr for each in said] == ["", "", ""]
    assert said[0].stdout == "True\n"
    assert re.fullmatch(r"Total records: [1-9]\d*\nAcceptance rate: 100\.00%\n", said[1].stdout)
    assert said[2].stdout == "Sign In 1\n"


def test_a_log_line_has_the_seven_fields_and_no_page_locator_or_token(ask, folder):
    words = ["PageOfNobody", "locator-of-nobody", "she_nobody"]
    body = {"html": f"<button>{words[0]}</button>", "original_locator": f"#{words[1]}"}
    _, answer = ask("/heal", body, Authorization=f"Bearer {words[2]}")
    log = (folder / "logs" / "self_heal_engine.log").read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    (line,) = (line for line in lines if line.get("request_id") == answer["request_id"])
    assert {"timestamp", "level", "request_id", "message", "candidates_found", "top_score", "duration_ms"} <= set(line)
    assert (line["message"], line["level"]) == ("Healing completed", "INFO")
    assert list(line) == list(json.loads(block("json", '{"timestamp"')))
    assert not [word for word in words if word in log]


def test_pages_of_a_megabyte_and_ten_levels_are_no_bound(ask):
    page = read_page(SHOP_AFTER)
    assert int(page.depths.max()) + 1 == 13
    assert "login form stands 13 deep" in TEXT
    assert deepest_of_the_form(page) == 13
    body = {"html": SHOP_AFTER + "<!--" + "x" * 1_100_000 + "-->", "original_locator": "#login-btn"}
    assert ask("/heal", body | {"context": {"visible_text": "Sign in"}})[0] == 200
    for said in ("widgets as saved | 1,564 | 1.59", "a cheat sheet | 30,800 | 1.28"):
        assert said in (ROOT / "reports" / "speed.md").read_text("utf-8")


def deepest_of_the_form(page):
    return max(int(page.depths[row]) + 1 for row in page.css("form[action='/api/session'] *").tolist())


# -- the blocks of docs/service.md -------------------------------------------------------------------------------------


def test_the_curl_lines_heal_and_confirm(folder, url):
    answer = json.loads(run(block("bash", "curl -s http://localhost:8000/heal"), folder, url))
    assert (answer["decision"], UUID(answer["request_id"]).version) == ("healed", 4)
    confirm = block("bash", "curl -s http://localhost:8000/confirm")
    for recorded in (True, False):
        assert json.loads(run(confirm, folder, url, REQUEST_ID=answer["request_id"]))["recorded"] is recorded


def test_the_python_lines_read_the_store(folder, healed):
    code = block("python", "from").replace("REQUEST_ID", repr(healed))
    said = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True)
    assert said.stdout.startswith("Total records: "), said.stderr
    assert "<h1>Login</h1>" in said.stdout


def test_the_database_and_feedback_commands_work_beside_the_service(folder, healed, tmp_path):
    assert re.fullmatch(r"schema \w+\n", run(block("bash", "self-heal db upgrade"), folder))
    said = run(block("bash", "self-heal feedback export"), folder)
    assert re.search(r"^[1-9]\d* confirmed heals in data/training.jsonl", said)
    assert re.search(r"^0 confirmed heals imported, [1-9]\d* known before$", said, re.MULTILINE)
    (tmp_path / "data").symlink_to(folder / "data")
    said = run("self-heal feedback import data/training.jsonl", tmp_path, DATA_DIR="other")
    assert re.search(r"^[1-9]\d* confirmed heals imported, 0 known before$", said)


def test_recent_heals_are_listed(ask):
    _, answer = ask("/heal", {**GUIDE, "context": {"visible_text": "Sign In", "test_session": "listed"}})
    assert ask("/confirm", {"request_id": answer["request_id"], **CONFIRMED})[0] == 200
    (listed,) = ask("/heals?session=listed&decision=healed&least=0.1&most=1&limit=1")[1]["heals"]
    assert (listed["request_id"], listed["verdict"]) == (answer["request_id"], "first")
    assert ask("/heals?session=listed&decision=gone")[1]["heals"] == []


def test_the_token_commands_make_tokens(tmp_path):
    said = run(block("bash", "self-heal token create"), tmp_path).splitlines()
    assert [line.startswith("she_") for line in said] == [True, True, False, False]
    assert ["heal,confirm" in said[2], "admin" in said[3]] == [True, True]
    assert said[0] not in (tmp_path / "data" / "tokens.json").read_text("utf-8")


def test_another_model_takes_over_without_a_lost_request_and_a_bad_one_does_not(ask, folder, url):
    command = block("bash", "cp new_model.json")
    old = ask("/health/detailed")[1]["models"][0]["version"]
    write_model(folder / "new_model.json")
    statuses, done = [], threading.Event()

    def keep_asking():
        while not done.is_set():
            statuses.append(ask("/heal", PRINTED)[0])

    asking = threading.Thread(target=keep_asking)
    asking.start()
    new = json.loads(run(command, folder, url))["models"][0]["version"]
    done.set()
    asking.join()
    assert new != old
    assert set(statuses) == {200}
    assert ask("/heal", PRINTED)[1]["model"]["version"] == new

    (folder / "new_model.json").write_text("{}", "utf-8")
    refused = json.loads(run(command, folder, url))
    assert (refused["type"], refused["status"]) == ("bad_model", 422)
    assert ask("/heal", PRINTED)[1]["model"]["version"] == new
    assert f'self_heal_model{{name="ranker",variant="champion",version="{old}"}} 0.0' in ask("/metrics")[1]
    assert f'self_heal_model{{name="ranker",variant="champion",version="{new}"}} 1.0' in ask("/metrics")[1]

    (folder / "new_model.json").write_bytes((ROOT / "models" / "ranker.json").read_bytes())
    run(command.splitlines()[0], folder)  # and nobody says so to the service
    for _ in range(100):
        if ask("/heal", PRINTED)[1]["model"]["version"] == old:
            return
        time.sleep(0.1)
    pytest.fail("the service did not look at the file")


VERDICTS = re.findall(r'^\| `(".*?)` \|', TEXT, re.MULTILINE)


def test_there_are_four_verdicts():
    assert len(VERDICTS) == 4


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_documented_verdict_is_taken(ask, verdict):
    _, answer = ask("/heal", GUIDE)
    body = {"request_id": answer["request_id"], **json.loads(f"{{{verdict}}}")}
    assert ask("/confirm", body)[1]["recorded"] is True


def test_a_problem_looks_as_documented(ask):
    status, problem = ask("/heal", {**GUIDE, "original_locator": "a["})
    shown = json.loads(block("json", '{"type"'))
    assert list(problem) == list(shown)
    same = ("type", "title", "status")
    assert [problem[name] for name in same] == [shown[name] for name in same]
    assert problem["detail"].startswith(shown["detail"].removesuffix("..."))
    assert status == 422


def test_a_start_that_is_refused_ends_with_one_sentence(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "ranker.json").write_text("{}", "utf-8")
    command = [sys.executable, "-m", "uvicorn", "self_heal_engine.app:app", "--port", "0"]
    said = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60)
    assert said.returncode == 2
    assert [line for line in said.stderr.splitlines() if "ranker.json" in line] == said.stderr.splitlines()[-1:]


# -- nothing is left out -----------------------------------------------------------------------------------------------


def test_every_route_is_documented_and_every_documented_one_is_there(ask):
    routes = {
        f"{method.upper()} {path}" for path, methods in ask("/openapi.json")[1]["paths"].items() for method in methods
    }
    table = "\n".join(line for line in TEXT.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`((?:GET|POST) /[^`]*)`", table)) == routes


def test_every_metric_is_documented_and_every_documented_one_is_there(ask):
    exported = {
        name + ("_total" if kind == "counter" and not name.endswith("_total") else "")
        for name, kind in re.findall(r"^# TYPE (\w+) (\w+)", ask("/metrics")[1], re.MULTILINE)
    }
    documented, queries = TEXT.partition("## Metrics")[2].partition("| to watch | query |")[::2]
    assert set(re.findall(r"`(self_heal_\w+)`", documented)) == exported
    asked = set(re.findall(r"self_heal_\w+", queries.partition("## Logs")[0]))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in asked} <= exported
    assert len(asked) == 6


def test_the_labels_are_the_documented_ones(ask):
    ask("/heal", {**GUIDE, "original_locator": "a["})
    ask("/confirm", {"request_id": ask("/heal", GUIDE)[1]["request_id"], **CONFIRMED})
    found = {}
    for name, labels in re.findall(r"^(self_heal_\w+?)(?:_bucket)?\{(.*?)\} ", ask("/metrics")[1], re.MULTILINE):
        found[re.sub("_(sum|count)$", "", name)] = set(re.findall(r"(\w+)=", labels)) - {"le"}
    table = TEXT.partition("## Metrics")[2].partition("| to watch | query |")[0]
    told = {
        name: set(re.findall(r"`(\w+)`", labels))
        for name, labels in re.findall(r"^\| `(self_heal_\w+)` \| (.*?) \|", table, re.MULTILINE)
    }
    assert {name: told.get(name) for name in found} == found
    assert len(found) >= 7


def test_every_word_with_a_status_of_its_own_is_documented():
    table = TEXT.partition("| status | words |")[2].partition("\n\n")[0]
    told = {word: int(status) for status, words in re.findall(r"^\| (\d+) \| (.*) \|", table, re.MULTILINE) for word in re.findall(r"`(\w+)`", words)}  # fmt: skip
    assert {word: status for word, status in told.items() if status != 422} == STATUS
