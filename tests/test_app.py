"""The service's routes: what callers send, what they get, and what it refuses."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from self_heal_engine.access_tokens import create
from self_heal_engine.fingerprint import baseline_fingerprint, dump_fingerprint
from self_heal_engine.healer import heal
from self_heal_engine.parser import parse_html
from self_heal_engine.reading import read_locator
from self_heal_engine.request import HealRequest, as_data
from self_heal_engine.service.models import Served, chosen
from self_heal_engine.service.workers import Worker
from serving import EXAMPLES, GUIDE, post, service


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with service(tmp_path_factory.mktemp("service")) as asked:
        yield asked


def eventually(holds, seconds=5.0):
    """Wait for what happens after an answer."""
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.02)
    assert found
    return found


# -- POST /heal ----------------------------------------------------------------------------------------------------


def test_the_guides_body_is_healed(client):
    answer = post(client, "/heal", GUIDE).json()
    assert answer["decision"] == "healed"
    assert answer["candidates"][0]["text"] == "Sign In"
    assert UUID(answer["request_id"]).version == 4
    assert answer["confirmable"] is True
    assert answer["duration_ms"] > 0
    assert answer["model"]["variant"] == "champion"


def test_the_answer_is_the_librarys_own_with_the_services_fields_around_it(client):
    answer = post(client, "/heal", GUIDE).json()
    request = HealRequest("#login-btn", visible_text="Sign In", anchors=("Login",))
    library = as_data(heal(parse_html(GUIDE["html"]), request.wanted()), request)
    model = answer.pop("model")
    assert f"{model['name']}-{model['version']}" == library.pop("model")
    for name in ("request_id", "duration_ms", "confirmable", "llm"):
        answer.pop(name)
    assert answer == library


def test_html_and_locator_are_enough(client):
    answer = post(client, "/heal", {"html": "<a id='x'>Go</a>", "original_locator": "#x"}).json()
    assert answer["original_matches"] == 1


OLD = "<form><input name='user'><button id='login-btn' class='btn'>Sign in</button></form>"
NEW = "<button role='tab'>Register</button><form><input name='user'><button class='css-1x2y3z'>Log in</button></form>"
KNOWN = dump_fingerprint(baseline_fingerprint(parse_html(OLD), read_locator("css", "#login-btn")))


@pytest.mark.parametrize(
    "context",
    [{"baseline_html": OLD}, {"fingerprint": KNOWN}, {"fingerprint": json.loads(KNOWN)}],
    ids=["the old page", "the fingerprint as text", "the fingerprint as the object it is"],
)
def test_what_was_seen_on_an_earlier_page_is_used(client, context):
    answer = post(client, "/heal", {"html": NEW, "original_locator": "#login-btn", "context": context}).json()
    assert (answer["knowledge"], answer["candidates"][0]["text"]) == ("fingerprint", "Log in")


def test_max_candidates_bounds_the_list(client):
    page = "<ul>" + "".join(f"<li><a href='/{n}'>Item {n}</a></li>" for n in range(60)) + "</ul>"
    asked = {"html": page, "original_locator": "a.gone", "max_candidates": 2}
    assert len(post(client, "/heal", asked).json()["candidates"]) == 2
    assert len(post(client, "/heal", {**asked, "max_candidates": 50}).json()["candidates"]) == 50
    assert len(post(client, "/heal", {"html": page, "original_locator": "a.gone"}).json()["candidates"]) == 5


REFUSED = [
    ("an unknown field", {**GUIDE, "htlm": "x"}, 422, "bad_request", "htlm"),
    ("no html", {"original_locator": "#a"}, 422, "bad_request", "html: Field required"),
    ("no locator", {"html": "<p>x"}, 422, "bad_request", "original_locator: Field required"),
    ("null for html", {**GUIDE, "html": None}, 422, "bad_request", "html"),
    ("a number for html", {**GUIDE, "html": 3}, 422, "bad_request", "html"),
    ("no candidates", {**GUIDE, "max_candidates": 0}, 422, "bad_request", "max_candidates"),
    ("too many candidates", {**GUIDE, "max_candidates": 51}, 422, "bad_request", "max_candidates"),
    ("a text for a number", {**GUIDE, "max_candidates": "5"}, 422, "bad_request", "max_candidates"),
    ("a fraction of a candidate", {**GUIDE, "max_candidates": 2.5}, 422, "bad_request", "max_candidates"),
    ("an unknown kind", {**GUIDE, "locator_type": "cs"}, 422, "unknown_locator_kind", "'cs'"),
    ("a broken selector", {**GUIDE, "original_locator": "a["}, 422, "locator_syntax", "a["),
    ("an empty locator", {**GUIDE, "original_locator": " "}, 422, "empty_locator", ""),
    ("an empty page", {**GUIDE, "html": "  "}, 422, "empty_page", "2 characters"),
    ("an unknown action", {**GUIDE, "context": {"action": "hover"}}, 422, "unknown_action", "'hover'"),
    ("a damaged fingerprint", {**GUIDE, "context": {"fingerprint": "{}"}}, 422, "bad_fingerprint", ""),
    ("a locator without end", {**GUIDE, "original_locator": "a" * 4_001}, 422, "locator_too_long", "4001"),
    ("too many anchors", {**GUIDE, "context": {"anchors": ["x"] * 51}}, 422, "bad_request", "context.anchors"),
    ("no JSON", b"html=x", 422, "bad_request", "Invalid JSON"),
    ("nothing", b"", 422, "bad_request", "Invalid JSON"),
    ("a list", b"[]", 422, "bad_request", "the request cannot be read"),
    ("NaN", b'{"html": "<p>x", "original_locator": "a", "max_candidates": NaN}', 422, "bad_request", "max_candidates"),
    ("1e400", b'{"html": "<p>x", "original_locator": "a", "max_candidates": 1e400}', 422, "bad_request", "max_candidates"),
    ("half a character", b'{"html": "\\ud800", "original_locator": "a"}', 422, "bad_request", "Invalid JSON"),
    ("no UTF-8", b'{"html": "\xff", "original_locator": "a"}', 422, "bad_request", "Invalid JSON"),
    ("a tower of brackets", b"[" * 100_000, 422, "bad_request", "recursion limit"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "status", "word", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_bad_request_is_one_problem_with_one_word(client, what, body, status, word, said):
    answer = post(client, "/heal", body)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["type"]) == (status, status, word)
    assert said in problem["detail"]
    assert problem["trace_id"] == answer.headers["x-trace-id"]


def test_a_refusal_never_repeats_the_body(client):
    secret = "s3cret" * 1_000
    for body in ({**GUIDE, "html": [secret]}, {**GUIDE, "context": {secret: 1}}, {**GUIDE, "use_llm": secret}):
        said = post(client, "/heal", body).text
        assert len(said) < 800
        assert secret[:200] not in said


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_does_not_say_it_is_json_is_refused(client, content_type):
    answer = client.post("/heal", content=json.dumps(GUIDE), headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["type"]) == (415, "not_json")


def test_a_compressed_body_is_refused(client):
    answer = post(client, "/heal", GUIDE, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["type"]) == (415, "not_json")


# -- limits --------------------------------------------------------------------------------------------------------


def padded(bytes_long):
    """A body of exactly so many bytes, of characters of three bytes each and a few of one."""
    empty = len(json.dumps({"html": "<p>", "original_locator": "a"}, ensure_ascii=False).encode())
    many, rest = divmod(bytes_long - empty, 3)
    return json.dumps({"html": "<p>" + "€" * many + "x" * rest, "original_locator": "a"}, ensure_ascii=False).encode()


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not(tmp_path):
    with service(tmp_path, SELF_HEAL_BODY_BYTES="4096") as client:
        for size, status in ((4_095, 200), (4_096, 200), (4_097, 413)):
            body = padded(size)
            assert len(body) == size
            assert post(client, "/heal", body).status_code == status
            chunks = [body[at : at + 1_000] for at in range(0, size, 1_000)]  # no Content-Length
            told = client.post("/heal", content=iter(chunks), headers={"Content-Type": "application/json"})
            assert told.status_code == status
        assert post(client, "/heal", padded(5_000)).json()["type"] == "body_too_large"


@pytest.mark.parametrize(
    ("limit", "page", "said"),
    [
        ("SELF_HEAL_PAGE_ELEMENTS", "<p>x" * 400, "403 elements; at most 300"),
        ("SELF_HEAL_PAGE_DEPTH", "<div>" * 400, "402 elements inside each other; at most 300"),
        ("SELF_HEAL_ELEMENT_ATTRIBUTES", f"<p {' '.join(f'a{n}' for n in range(400))}>x", "400 attributes at one"),
    ],
)
def test_a_page_beyond_a_limit_is_refused_with_both_numbers(tmp_path, limit, page, said):
    with service(tmp_path, **{limit: "300"}) as client:
        for body in (
            {"html": page, "original_locator": "a"},
            {"html": "<p>x", "original_locator": "a", "context": {"baseline_html": page}},
        ):
            answer = post(client, "/heal", body)
            assert (answer.status_code, answer.json()["type"]) == (413, "page_too_large")
            assert said in answer.json()["detail"]


def test_a_button_below_three_hundred_nested_boxes_is_healed(client):
    page = "<div>" * 300 + "<button>Sign In</button>"
    answer = post(client, "/heal", {**GUIDE, "html": page}).json()
    assert answer["candidates"][0]["tag"] == "button"


HANGS = "*" + ":has(* " * 12 + "x" + ")" * 12


def test_a_selector_that_would_run_for_ever_ends_at_the_deadline_and_costs_nobody_else_anything(tmp_path):
    with service(tmp_path, SELF_HEAL_DEADLINE_SECONDS="0.5") as client:
        began = time.monotonic()
        answer = post(client, "/heal", {"html": "<div>" * 300, "original_locator": HANGS})
        assert (answer.status_code, answer.json()["type"]) == (422, "page_too_complex")
        assert time.monotonic() - began < 1.0
        assert eventually(lambda: post(client, "/heal", GUIDE).status_code == 200)
        assert 'self_heal_workers_lost_total{why="deadline"} 1.0' in client.get("/metrics").text


# -- POST /heal/batch ----------------------------------------------------------------------------------------------


TWINS = "<div><button>Save</button><button>Save</button></div>"


def test_a_batch_answers_in_order_and_gives_no_element_twice(client):
    locators = [{"original_locator": f"#save-{n}", "context": {"visible_text": "Save"}} for n in (1, 2)]
    answers = post(client, "/heal/batch", {"html": TWINS, "locators": locators}).json()["answers"]
    first, second = (answer["candidates"][0]["locator"] for answer in answers)
    assert first != second
    assert len({answer["request_id"] for answer in answers}) == 2


def test_a_batch_shares_its_old_page(client):
    locators = [{"original_locator": "#login-btn"}, {"original_locator": "input[name=user]"}]
    body = {"html": NEW, "locators": locators, "context": {"baseline_html": OLD, "test_session": "s1"}}
    answers = post(client, "/heal/batch", body).json()["answers"]
    assert [answer["candidates"][0]["tag"] for answer in answers] == ["button", "input"]
    assert {answer["knowledge"] for answer in answers} == {"fingerprint"}


@pytest.mark.parametrize(
    ("locators", "said"),
    [
        ([], "locators"),
        ([{"original_locator": "#a"}, {"original_locator": "a["}], "locators.1"),
        ([{"original_locator": "#a"}] * 101, "101 locators; at most 100"),
    ],
)
def test_a_bad_locator_of_a_batch_is_named(client, locators, said):
    answer = post(client, "/heal/batch", {"html": "<p>x", "locators": locators})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


# -- POST /confirm -------------------------------------------------------------------------------------------------


@pytest.fixture
def healed(client):
    return post(client, "/heal", GUIDE).json()["request_id"]


def test_the_guides_confirmation_is_recorded_and_the_same_again_is_fine(client, healed):
    body = {
        "request_id": healed,
        "accepted_index": 0,
        "metadata": {"test_session": "regression_001", "browser": "chrome"},
    }
    assert post(client, "/confirm", body).json() == {"request_id": healed, "recorded": True}
    again = post(client, "/confirm", body)
    assert (again.status_code, again.json()["recorded"]) == (200, False)


VERDICTS = [
    {"accepted_index": 0},
    {"accepted_index": 1},
    {"accepted_index": None},
    {"accepted_index": None, "correct_locator": "button.go"},
    {"gone": True},
]


@pytest.mark.parametrize("other", VERDICTS[1:], ids=str)
def test_another_verdict_than_the_stored_one_is_a_conflict(client, healed, other):
    assert post(client, "/confirm", {"request_id": healed, **VERDICTS[0]}).status_code == 200
    answer = post(client, "/confirm", {"request_id": healed, **other})
    assert (answer.status_code, answer.json()["type"]) == (409, "other_verdict")
    assert post(client, "/confirm", {"request_id": healed, **VERDICTS[0]}).status_code == 200


@pytest.mark.parametrize("verdict", VERDICTS, ids=str)
def test_every_verdict_can_be_given_and_given_again(client, healed, verdict):
    for recorded in (True, False):
        assert post(client, "/confirm", {"request_id": healed, **verdict}).json()["recorded"] is recorded


def test_an_unknown_request_is_not_found(client):
    answer = post(client, "/confirm", {"request_id": str(uuid4()), "accepted_index": 0})
    assert (answer.status_code, answer.json()["type"]) == (404, "unknown_request")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ({}, "accepted_index"),
        ({"gone": False}, "accepted_index"),
        ({"gone": True, "accepted_index": 0}, "gone"),
        ({"gone": True, "correct_locator": "a"}, "gone"),
        ({"accepted_index": 0, "correct_locator": "a"}, "accepted_index null"),
        ({"accepted_index": -1}, "accepted_index"),
        ({"accepted_index": 49}, "49"),
        ({"accepted_index": True}, "accepted_index"),
        ({"accepted_index": None, "correct_locator": "a["}, "a["),
        ({"accepted_index": None, "correct_locator": ""}, "correct_locator"),
        ({"accepted_index": 0, "metadata": []}, "metadata"),
        ({"accepted_index": 0, "verdict": "x"}, "verdict"),
    ],
    ids=str,
)
def test_a_confirmation_that_says_nothing_or_two_things_is_refused(client, healed, verdict, said):
    answer = post(client, "/confirm", {"request_id": healed, **verdict})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert post(client, "/confirm", {"request_id": healed, "accepted_index": 0}).json()["recorded"] is True


def test_a_request_id_that_is_none_is_refused(client):
    answer = post(client, "/confirm", {"request_id": "../../etc/passwd", "accepted_index": 0})
    assert (answer.status_code, answer.json()["type"]) == (422, "bad_request")


# -- snapshots, statistics -----------------------------------------------------------------------------------------


def test_a_heal_leaves_its_page_without_its_secrets(client):
    page = GUIDE["html"] + "<input type=password value=hunter2><script>key='k3y'</script>"
    request_id = post(client, "/heal", {**GUIDE, "html": page}).json()["request_id"]
    stored = eventually(lambda: (s := client.get(f"/snapshots/{request_id}").json())["page_html"] and s)
    assert "Sign In" in stored["page_html"]
    assert "hunter2" not in json.dumps(stored)
    assert "k3y" not in json.dumps(stored)
    assert stored["candidates"][0]["locator"]


def test_a_secret_that_is_a_candidate_itself_is_not_stored(client):
    page = "<form><textarea name=secret>t0psecret</textarea><input type=password value=hunter2></form>"
    answer = post(client, "/heal", {"html": page, "original_locator": "#gone"}).json()
    assert "t0psecret" in json.dumps(answer), "its owner is told"
    stored = client.get(f"/snapshots/{answer['request_id']}").json()
    assert stored["candidates"][0]["locator"]
    assert "t0psecret" not in json.dumps(stored)
    assert "hunter2" not in json.dumps(stored)


def test_an_unknown_snapshot_is_not_found_and_a_path_is_no_id(client):
    assert client.get(f"/snapshots/{uuid4()}").status_code == 404
    answer = client.get("/snapshots/..%2f..%2fsecret")
    assert (answer.status_code, answer.json()["type"]) == (404, "no_route")


def test_the_statistics_count_what_was_right(tmp_path):
    with service(tmp_path) as client:
        assert client.get("/stats").json()["acceptance_rate"] is None
        for verdict in ({"accepted_index": 0}, {"accepted_index": 0}, {"accepted_index": 1}, {"gone": True}):
            request_id = post(client, "/heal", GUIDE).json()["request_id"]
            assert post(client, "/confirm", {"request_id": request_id, **verdict}).status_code == 200
        found = client.get("/stats").json()
    assert (found["total_records"], found["acceptance_rate"], found["false_heal_rate"]) == (4, 0.5, 0.5)


def test_recent_heals_can_be_looked_through(tmp_path):
    with service(tmp_path) as client:
        for session in ("one", "two"):
            body = {**GUIDE, "context": {**GUIDE["context"], "test_session": session, "page_url": "http://x/y?token=1"}}
            request_id = post(client, "/heal", body).json()["request_id"]
        post(client, "/heal", {"html": "<p>nothing here", "original_locator": "#login-btn"})
        post(client, "/confirm", {"request_id": request_id, "accepted_index": 0})
        newest, *_ = client.get("/heals").json()["heals"]
        (two,) = client.get("/heals", params={"session": "two"}).json()["heals"]
        gone = client.get("/heals", params={"decision": "gone", "most": 0.5}).json()["heals"]
        assert client.get("/heals", params={"limit": 0}).status_code == 422
        assert client.get("/heals", params={"decision": "maybe"}).json()["type"] == "bad_request"
    assert newest["decision"] == "gone"
    assert (two["verdict"], two["page_url"], two["first"]["text"]) == ("first", "http://x/y", "Sign In")
    assert [heal["original_locator"] for heal in gone] == ["#login-btn"]


# -- health, metrics, document -------------------------------------------------------------------------------------


def test_health_is_exactly_what_the_guide_says(client):
    for path in ("/health", "/health/live", "/health/ready"):
        assert client.get(path).json() == {"status": "ok"}
    assert client.get("/health").text == '{"status":"ok"}'


def test_detailed_health_names_everything_behind_the_service(client):
    found = client.get("/health/detailed").json()
    assert found["status"] == "ok"
    assert found["models"][0]["sha256"].startswith(found["models"][0]["version"])
    assert found["workers"] == {"alive": 1, "wanted": 1, "waiting": 0}
    assert {"storage", "redis", "disk", "llm", "version", "uptime_seconds", "tokens"} <= set(found)


def test_the_metrics_count_requests_heals_and_problems(client):
    post(client, "/heal", GUIDE)
    post(client, "/heal", {**GUIDE, "original_locator": "a["})
    text = client.get("/metrics").text
    for line in (
        'self_heal_requests_total{method="POST",route="/heal",status="200"}',
        'self_heal_request_seconds_bucket{le="0.5",route="/heal"}',
        'self_heal_problems_total{problem="locator_syntax"}',
        'self_heal_heals_total{decision="healed"',
        'self_heal_top_score_bucket{le="0.9",variant="champion"}',
    ):
        assert line in text


def test_what_a_stranger_asks_for_makes_no_new_metric(client):
    for path in ("/a", "/b", "/" + "c" * 1_000):
        assert client.get(path).json()["type"] == "no_route"
    client.request("BREW", "/heal")
    text = client.get("/metrics").text
    assert 'route="/a"' not in text
    assert "BREW" not in text
    assert 'method="other",route="unknown"' in text or 'method="other",route="/heal"' in text


def test_a_wrong_method_names_the_right_one(client):
    answer = client.get("/heal")
    assert (answer.status_code, answer.json()["type"], answer.headers["allow"]) == (405, "wrong_method", "POST")


def test_a_traceparent_is_taken_over_and_nonsense_is_not(client):
    trace = "0af7651916cd43dd8448eb211c80319c"
    good = client.get("/health", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert good.headers["x-trace-id"] == trace
    assert client.get("/health", headers={"traceparent": "x" * 500}).headers["x-trace-id"] != trace


def test_the_document_shows_the_guides_body_and_every_route(client):
    found = client.get("/openapi.json").json()
    assert {"/heal", "/heal/batch", "/confirm", "/health/detailed", "/snapshots/{request_id}"} <= set(found["paths"])
    body = found["paths"]["/heal"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/HealBody"}
    example = found["components"]["schemas"]["HealBody"]["examples"][0]
    assert post(client, "/heal", example).json()["candidates"][0]["text"] == "Sign In"
    for name in set(__import__("re").findall(r"#/components/schemas/(\w+)", json.dumps(found))):
        assert name in found["components"]["schemas"]


# -- who may call --------------------------------------------------------------------------------------------------


def test_without_a_token_only_this_machine_may_call(tmp_path):
    with service(tmp_path, client=("192.0.2.7", 1234)) as client:
        answer = post(client, "/heal", GUIDE)
        assert (answer.status_code, answer.json()["type"]) == (401, "no_token_configured")
        assert "self-heal token create" in answer.json()["detail"]
        assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_a_proxy_on_this_machine_lets_no_stranger_in(client, header):
    assert post(client, "/heal", GUIDE, **{header: "192.0.2.7"}).status_code == 401


def test_another_name_for_this_machine_is_a_page_in_a_browser(client):
    assert post(client, "/heal", GUIDE, Host="evil.example").json()["type"] == "no_token_configured"


def test_auth_off_lets_everybody_in(tmp_path):
    with service(tmp_path, client=("192.0.2.7", 1234), AUTH="off") as client:
        assert post(client, "/heal", GUIDE).status_code == 200


def test_a_token_opens_what_its_scopes_say_and_no_more(tmp_path):
    file = tmp_path / "data" / "tokens.json"
    token = create(file, "ci", ["heal"], 1)
    with service(tmp_path) as client:
        assert post(client, "/heal", GUIDE, Authorization=f"Bearer {token}").status_code == 200
        assert post(client, "/heal", GUIDE).json()["type"] == "no_token"
        assert post(client, "/heal", GUIDE, Authorization="Bearer she_guess").json()["type"] == "unknown_token"
        for path, scope in (("/confirm", "confirm"), ("/model/reload", "admin")):
            refused = post(client, path, {}, Authorization=f"Bearer {token}")
            assert (refused.status_code, refused.json()["type"]) == (403, "missing_scope")
            assert scope in refused.json()["detail"]


def test_a_stranger_is_refused_before_the_body_is_read(tmp_path):
    create(tmp_path / "data" / "tokens.json", "ci", ["heal"], 1)

    async def story(app):
        read, said = [], []

        async def endless():
            read.append(1)
            return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

        async def heard(message):
            said.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/heal", "raw_path": b"/heal", "query_string": b"", "scheme": "http",
            "root_path": "", "headers": [(b"content-type", b"application/json"), (b"host", b"127.0.0.1")],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "http_version": "1.1", "asgi": {"version": "3.0"},
        }  # fmt: skip
        await app(scope, endless, heard)
        return said[0]["status"], len(read)

    with service(tmp_path) as client:
        assert client.portal.call(story, client.app) == (401, 0)


def test_calls_beyond_the_rate_are_told_when_to_come_again(tmp_path):
    with service(tmp_path, SELF_HEAL_RATE_LIMIT="3/minute") as client:
        statuses = [post(client, "/heal", GUIDE).status_code for _ in range(4)]
        last = post(client, "/heal", GUIDE)
        assert statuses == [200, 200, 200, 429]
        assert (last.json()["type"], 0 < int(last.headers["retry-after"]) <= 60) == ("rate_limited", True)
        assert client.get("/health").status_code == 200


# -- the model -----------------------------------------------------------------------------------------------------


def test_without_inference_the_weighted_ranker_answers(tmp_path):
    with service(tmp_path, SELF_HEAL_ENABLE_INFERENCE="false") as client:
        answer = post(client, "/heal", GUIDE).json()
    assert (answer["model"]["name"], answer["calibrated"]) == ("weighted", False)


def test_without_a_model_file_the_packaged_one_serves(tmp_path):
    with service(tmp_path, MODEL_PATH=str(tmp_path / "none.json")) as client:
        assert post(client, "/heal", GUIDE).json()["calibrated"] is True


def test_the_example_shop_is_healed_as_the_demo_says(client):
    old, new = ((EXAMPLES / name).read_text("utf-8") for name in ("shop_before.html", "shop_after.html"))
    body = {"html": new, "original_locator": "#login-btn", "context": {"baseline_html": old, "action": "click"}}
    assert post(client, "/heal", body).json()["decision"] == "healed"


def test_who_guesses_tokens_is_slowed_down_too(tmp_path):
    create(tmp_path / "data" / "tokens.json", "ci", ["heal"], 1)
    with service(tmp_path, SELF_HEAL_RATE_LIMIT="3/minute") as client:
        guesses = [post(client, "/heal", GUIDE, Authorization=f"Bearer she_{n}").status_code for n in range(5)]
    assert guesses == [401, 401, 401, 429, 429]


# -- two models ----------------------------------------------------------------------------------------------------

MODELS = Path(__file__).parents[1] / "models"


def test_a_session_is_always_answered_by_the_same_variant_and_both_answer(tmp_path):
    with service(tmp_path, SELF_HEAL_CHALLENGER_PATH=str(MODELS / "baseline.json")) as client:

        def variant(session):
            body = {**GUIDE, "context": {**GUIDE["context"], "test_session": session}}
            return post(client, "/heal", body).json()["model"]["variant"]

        drawn = {f"run {n}": variant(f"run {n}") for n in range(24)}
        assert {session: variant(session) for session in drawn} == drawn
        assert set(drawn.values()) == {"champion", "challenger"}
        request_id = client.get("/heals", params={"session": "run 1"}).json()["heals"][0]["request_id"]
        post(client, "/confirm", {"request_id": request_id, "accepted_index": 0})
        text = client.get("/metrics").text
        assert f'variant="{drawn["run 1"]}",verdict="first"}} 1.0' in text
        variants = {row["variant"] for row in client.get("/stats").json()["models"]}
    assert variants == {"champion", "challenger"}


def test_the_share_of_the_challenger_is_kept(tmp_path):
    champion, challenger = (Served("ranker", version, version, version * 32, "file", None) for version in ("aa", "bb"))
    for share in (0.1, 0.5, 0.9):
        drawn = sum(chosen((champion, challenger), f"session {n}", share) is challenger for n in range(4_000))
        assert abs(drawn - 4_000 * share) < 4 * sqrt(4_000 * share * (1 - share))
    assert chosen((champion,), "session", 0.9) is champion


def test_a_replaced_model_file_is_loaded_without_being_asked(tmp_path):
    model = tmp_path / "ranker.json"
    model.write_bytes((MODELS / "ranker.json").read_bytes())
    with service(tmp_path, MODEL_PATH=str(model)) as client:
        first = post(client, "/heal", GUIDE).json()["model"]["version"]
        model.write_bytes(b"{ half a mod")
        eventually(lambda: 'self_heal_model_reloads_total{outcome="bad_model"} 1.0' in client.get("/metrics").text)
        assert post(client, "/heal", GUIDE).json()["model"]["version"] == first
        model.unlink()
        time.sleep(1.5)
        assert post(client, "/heal", GUIDE).json()["model"]["version"] == first
        model.write_bytes((MODELS / "baseline.json").read_bytes())
        eventually(lambda: post(client, "/heal", GUIDE).json()["model"]["version"] != first, seconds=20)


# -- when it is too much, and when it is our fault -----------------------------------------------------------------


def test_a_full_queue_is_answered_at_once_and_says_when_to_come_again(tmp_path):
    page = "<ul>" + "".join(f"<li><a href='/{n}'>Item {n}</a></li>" for n in range(3_000)) + "</ul>"
    body = {"html": page, "original_locator": "a.gone", "context": {"visible_text": "Item 7"}}
    with service(tmp_path, SELF_HEAL_QUEUE_LENGTH="1", SELF_HEAL_QUEUE_SECONDS="0.2") as client:
        with ThreadPoolExecutor(12) as crowd:
            answers = list(crowd.map(lambda _: post(client, "/heal", body), range(24)))
        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert {answer.json()["type"] for answer in refused} == {"overloaded"}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert client.get("/health/detailed").json()["workers"]["waiting"] == 0
        assert post(client, "/heal", GUIDE).status_code == 200


def test_more_requests_at_once_than_the_bound_are_refused_before_their_bodies_are_read(tmp_path):
    with service(tmp_path, SELF_HEAL_CONCURRENT_REQUESTS="1") as client:
        client.app.state.service.in_flight = 1  # somebody else's, who does not finish
        answer = post(client, "/heal", GUIDE)
        assert (answer.status_code, answer.json()["type"]) == (503, "overloaded")
        assert client.get("/health").status_code == 200


def test_a_fault_of_ours_is_one_problem_with_the_word_in_log_and_metric(tmp_path, monkeypatch):
    log = tmp_path / "log"
    with service(tmp_path, SELF_HEAL_LOG_FILE=str(log)) as client:

        async def broken(*_):
            raise KeyError("our own")

        monkeypatch.setattr(client.app.state.service.workers, "ask", broken)
        answer = post(client, "/heal", GUIDE)
        assert (answer.status_code, answer.json()["type"]) == (500, "internal_error")
        trace_id = answer.json()["trace_id"]
        assert answer.headers["x-trace-id"] == trace_id
        assert "our own" not in answer.text
        assert 'self_heal_problems_total{problem="internal_error"} 1.0' in client.get("/metrics").text
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    told = [line for line in lines if line.get("trace_id") == trace_id]
    assert [line["message"] for line in told] == ["Request failed", "Request answered"]
    assert "KeyError" in json.dumps(told[0])
    assert told[1]["problem"] == "internal_error"


def test_healing_processes_that_die_over_a_page_are_replaced_and_the_caller_told_to_come_again(tmp_path, monkeypatch):
    with service(tmp_path) as client:

        def dies(self, question):
            self.process.kill()
            raise EOFError

        with monkeypatch.context() as patched:
            patched.setattr(Worker, "exchange", dies)
            answer = post(client, "/heal", GUIDE)
        assert answer.status_code == 503
        assert answer.json()["type"] in ("worker_died", "overloaded")
        assert eventually(lambda: post(client, "/heal", GUIDE).status_code == 200, seconds=20)


def test_what_a_language_model_changed_counts_for_no_model(tmp_path):
    with service(tmp_path) as client:

        async def second(answers, asked):
            told = {
                "provider": "mock",
                "asked": True,
                "choice": None,
                "changed": True,
                "problem": None,
                "duration_ms": 1,
            }
            return [{**answer, "llm": told} for answer in answers]

        client.app.state.service.opinions.applied = second
        request_id = post(client, "/heal", GUIDE).json()["request_id"]
        post(client, "/confirm", {"request_id": request_id, "accepted_index": 0})
        found = client.get("/stats").json()
    assert (found["total_records"], found["acceptance_rate"]) == (1, None)


def test_secrets_in_addresses_are_not_stored_with_a_candidate(client):
    page = "<nav><a href='/login?token=opensesame'>Sign In</a></nav>"
    answer = post(client, "/heal", {**GUIDE, "html": page}).json()
    stored = client.get(f"/snapshots/{answer['request_id']}").json()
    assert stored["candidates"][0]["text"] == "Sign In"
    assert "opensesame" not in json.dumps(stored)
