"""Requests made of the OpenAPI document, right and wrong ones: each is answered as the document says, none by 5xx."""

import json
import time
from collections import Counter
from functools import partial

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from attacks.running import ask, posted, running
from serving import GUIDE

# Not that right data is accepted: a right locator is more than a text, and a text is all that a schema can say.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

POSTED = ("/heal", "/heal/batch", "/confirm")

# It starts new healing processes each time.
RELOAD = "/model/reload"

QUIET = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=False
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service"), SELF_HEAL_DEADLINE_SECONDS="2") as one:
        yield one


class Sent:
    """Cases that were sent, and what came back."""

    def __init__(self, served):
        self.url = f"http://127.0.0.1:{served.port}"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {served.token}"
        self.document = self.session.get(f"{self.url}/openapi.json").json()
        self.heals = [
            ask(served.port, [posted("/heal", json.dumps(GUIDE).encode(), served.token)]).data()["request_id"]
            for _ in range(20)
        ]
        self.statuses = {}
        self.slowest = (0.0, "")
        self.wrong = {}

    def operations(self):
        """Every operation of the document, by path and method."""
        schema = schemathesis.openapi.from_dict(self.document)
        schema.config.update(base_url=self.url)
        found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
        assert len(found) == sum(len(methods) for methods in self.document["paths"].values())
        return found

    def send(self, operation, mode, many, seeded):
        """Send so many cases of an operation; fewer where there are not so many different ones."""
        said = self.document["paths"][operation.path][operation.method.lower()]
        if mode is GenerationMode.NEGATIVE and not {"parameters", "requestBody"} & set(said):
            return  # where nothing is asked, nothing is wrong

        @settings(QUIET, max_examples=many, derandomize=seeded)
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case):
            self.one(case, mode)

        check()

    def one(self, case, mode):
        """Send one case, check and count its answer."""
        route = f"{case.method.upper()} {case.operation.path}"
        counts = self.statuses.setdefault(route, Counter())
        if mode is GenerationMode.POSITIVE:
            self.known(case, counts.total())
        began = time.perf_counter()
        response = case.call(base_url=self.url, session=self.session)
        seconds = time.perf_counter() - began
        counts[response.status_code] += 1
        self.slowest = max(self.slowest, (round(seconds, 2), route))
        if seconds > 2.5:
            self.wrong.setdefault((route, "late"), f"{seconds:.1f} s: {case.as_curl_command()[:2_000]}")
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                self.wrong.setdefault((route, type(failure).__name__), f"{failures.exceptions}"[:3_000])

    def known(self, case, at):
        """Let every second case ask for a heal that there was: none is guessed."""
        if at % 2 == 0:
            return
        if case.operation.path == "/confirm" and isinstance(case.body, dict):
            case.body["request_id"] = self.heals[at // 2 % len(self.heals)]
        if "request_id" in (case.path_parameters or {}):
            case.path_parameters["request_id"] = self.heals[at // 2 % len(self.heals)]

    def count(self):
        return sum(counts.total() for counts in self.statuses.values())

    def report(self):
        print(f"\n{self.count()} cases; slowest {self.slowest}")
        for route, counts in self.statuses.items():
            print(f"  {counts.total():6d} {route}: {dict(sorted(counts.items()))}")


def few(operation, many):
    """How many cases an operation is worth."""
    if operation.path == RELOAD:
        return min(many, 3)
    return many if operation.path in POSTED else max(many // 10, 3)


def test_what_the_document_allows_and_what_it_forbids_is_answered_as_it_says(served):
    sent = Sent(served)
    for operation in sent.operations():
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
            sent.send(operation, mode, few(operation, 75), seeded=True)
    sent.report()
    assert sent.wrong == {}
    assert sum(sent.statuses[f"POST {path}"].total() for path in POSTED) >= 400


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_ten_thousand_cases_are_answered_as_the_document_says(served):
    sent = Sent(served)
    while sent.count() < 10_000:
        before = sent.count()
        for operation in sent.operations():
            for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
                sent.send(operation, mode, few(operation, 500), seeded=False)
        assert sent.count() > before
    sent.report()
    assert sent.wrong == {}


@pytest.mark.parametrize("path", POSTED)
def test_no_bytes_are_answered_by_5xx(served, path):
    """Bytes, and JSON that is nearly a body."""
    ask_for = partial(ask, served.port)
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
    names = st.sampled_from(["html", "original_locator", "locator_type", "context", "locators", "request_id", "gone"])
    nearly = st.dictionaries(names | st.text(), values).map(lambda data: json.dumps(data).encode())

    @settings(QUIET, max_examples=80, derandomize=True)
    @given(body=st.binary() | nearly)
    def check(body):
        answer = ask_for([posted(path, body, served.token)])
        assert 400 <= answer.status < 500, body
        assert answer.data()["status"] == answer.status

    check()
