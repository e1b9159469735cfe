"""Hostile inputs to a service in processes of its own: each is answered in time, and nothing is left of it."""

import json
import time

import pytest

from attacks.hostile import ROWS, SHORT
from attacks.running import ask, head, posted, running
from serving import GUIDE

# What an answer may take beyond the deadline.
GRACE = 0.5

# Of an answer, a health check and a heal afterwards.
MOST_PROBLEM = 1_500
MOST_HEAL = 1_100_000
MOST_BATCH = 21_000_000
HEALTH_SECONDS = 0.3
HEAL_SECONDS = 1.0

# A process has the deadline once more for the snapshot of a page, and is then killed and replaced.
OVERLOADED_SECONDS = 8.0

# As many characters of what was sent as an answer may repeat: 80 of a value, 120 of a field's name.
MOST_REPEATED = 125

# What a healing process has when it is ready, generously; its bound counts from there.
OWN_MEGABYTES = 400
MOST_OF_THE_APP = 700


def healed(served):
    """The answer to the guide's heal; asked again while both processes still make snapshots of hostile pages."""
    end = time.monotonic() + OVERLOADED_SECONDS
    while True:
        answer = ask(served.port, [posted("/heal", json.dumps(GUIDE).encode(), served.token)])
        if word_of(answer) != "overloaded" or time.monotonic() > end:
            return answer


def word_of(answer):
    """What an answer is called in a row."""
    if answer.status is None:
        return "closed"
    return answer.data()["type"] if answer.kind == "application/problem+json" and answer.body else str(answer.status)


def repeats(said, sent):
    """Whether a text repeats more of what was sent than it may."""
    return any(said[at : at + MOST_REPEATED] in sent for at in range(len(said) - MOST_REPEATED + 1))


def fault(row, answer, sent):
    """What is wrong with an answer, or None."""
    word = word_of(answer)
    if word not in row.right:
        return f"{word} instead of {' or '.join(sorted(row.right))}: {answer.body[:200]!r}"
    if answer.kind == "application/problem+json" and answer.body:
        problem = answer.data()
        if set(problem) != {"type", "title", "status", "detail", "trace_id"} or problem["status"] != answer.status:
            return f"not a problem: {problem}"
        if len(answer.body) > MOST_PROBLEM:
            return f"a problem of {len(answer.body)} bytes"
        if repeats(problem["detail"], sent):
            return f"it repeats what was sent: {problem['detail']}"
    elif answer.status == 200:
        data = answer.data()
        if not {"status", "request_id", "answers"} & set(data):
            return f"neither heal nor confirmation: {answer.body[:200]!r}"
        if len(answer.body) > (MOST_BATCH if "answers" in data else MOST_HEAL):
            return f"an answer of {len(answer.body)} bytes"
    return None


def aftermath(served):
    """What is wrong with the service after an answer, or None; what is slow may be so once, as the machine is busy."""
    for _ in range(3):
        health = ask(served.port, [head("GET", "/health")], "GET")
        answer = healed(served)
        if (health.status, health.body) != (200, b'{"status":"ok"}'):
            return f"/health: {health.status} {health.body[:200]!r}"
        if answer.status != 200:
            return f"a heal: {answer.status} {answer.body[:200]!r}"
        if health.seconds <= HEALTH_SECONDS and answer.seconds <= HEAL_SECONDS:
            return None
    return f"/health took {health.seconds:.2f} s, a heal {answer.seconds:.2f} s"


def attack(served, row, deadline):
    """Send a row; return its answer and what is wrong, or None.

    What came too late, or reached the deadline and should not, is asked again: other tests may have had the machine.
    """
    for again in (True, True, False):
        request_id = healed(served).data().get("request_id", "")
        pieces = row.pieces(served, request_id)
        sent = b"".join(pieces).decode("utf-8", "replace") if isinstance(pieces, list) else ""
        answer = ask(served.port, pieces, row.method)
        wrong = fault(row, answer, sent) or aftermath(served)
        if answer.seconds > deadline + GRACE:
            wrong = wrong or f"an answer after {answer.seconds:.2f} s"
        if not wrong or not again or answer.seconds < deadline:
            break
    return answer, wrong


def sent_all(rows, folder, deadline):
    """Send the rows to a service, and check all that must hold afterwards; return what is wrong with which row."""
    wrong, words, seconds = [], {}, []
    env = {"SELF_HEAL_DEADLINE_SECONDS": str(deadline), "SELF_HEAL_BODY_SECONDS": str(deadline), "LOG_LEVEL": "DEBUG"}
    began = time.monotonic()
    with running(folder, **env) as served:
        for row in rows:
            answer, what = attack(served, row, deadline)
            if what:
                wrong.append(f"{row.name}: {what}")
            words[word_of(answer)] = words.get(word_of(answer), 0) + 1
            seconds.append((round(answer.seconds, 2), row.name))
        metrics = ask(served.port, [head("GET", "/metrics")], "GET").body.decode()
    wrong += [f"the log: {line[:200]}" for line in served.lines() if not is_an_object(line)]
    wrong += [f"the log: {line[:2_000]}" for line in served.lines() if '"level": "ERROR"' in line]
    wrong += [line for line in metrics.splitlines() if line.startswith("self_heal_workers_lost") and '"died"' in line]
    bound = 1_024 + OWN_MEGABYTES  # as much as it has when it is ready, and what it may take beyond
    healing = {pid: peak for pid, peak in served.peaks.items() if pid in served.bounds}
    wrong += [f"a healing process had {peak:.0f} MB" for pid, peak in healing.items() if peak > bound]
    wrong += [
        f"a healing process was bound to {most:.0f} MB" for most in served.bounds.values() if most > 1_024 + 4_000
    ]
    others = max(peak for pid, peak in served.peaks.items() if pid not in served.bounds)
    if others > MOST_OF_THE_APP:
        wrong.append(f"the service had {others:.0f} MB")
    print(f"\n{len(rows)} hostile inputs in {time.monotonic() - began:.0f} s: {words}")
    print("slowest:", sorted(seconds)[-5:])
    print(f"memory: healing processes {max(healing.values()):.0f} MB at most, the service {others:.0f} MB")
    return wrong


def is_an_object(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_there_are_two_hundred_hostile_inputs_and_each_has_a_name_of_its_own():
    assert len({row.name for row in ROWS}) == len(ROWS) >= 200
    assert {row.name.partition(":")[0] for row in SHORT} == {row.name.partition(":")[0] for row in ROWS}


def test_hostile_inputs_are_answered_in_time_and_leave_nothing_behind(tmp_path):
    assert "\n".join(sent_all(SHORT, tmp_path, deadline=1.0)) == ""


@pytest.mark.long
def test_all_hostile_inputs_are_answered_in_time_and_leave_nothing_behind(tmp_path):
    assert "\n".join(sent_all(ROWS, tmp_path, deadline=2.0)) == ""


# A page that needs more memory than a healing process may have, each time another.
SWELLING = [f"<p title={n}>" + "<b a=%d>" * 400 % tuple(range(400)) + "</p>" + "<p>x</p>" * 6_000 for n in range(3)]


def test_a_page_that_needs_too_much_memory_is_refused_and_the_next_page_finds_a_fresh_process(tmp_path):
    with running(tmp_path, SELF_HEAL_WORKER_MEMORY_MB="256", SELF_HEAL_DEADLINE_SECONDS="10") as served:
        for html in SWELLING:
            body = json.dumps({**GUIDE, "html": html}).encode()
            answer = ask(served.port, [posted("/heal", body, served.token)])
            assert (answer.status, answer.data()["type"]) == (422, "page_too_complex")
            assert "memory" in answer.data()["detail"]
            assert healed(served).status == 200
        metrics = ask(served.port, [head("GET", "/metrics")], "GET").body.decode()
    assert f'self_heal_workers_lost_total{{why="memory"}} {len(SWELLING)}.0' in metrics
    assert 'why="died"' not in metrics
    assert all(map(is_an_object, served.lines()))
