"""The champion with a second opinion, as healers of the benchmark; and what a scripted model's opinions come to.

``self-heal bench --healer benchmarks.llm_healer:mock`` (or ``:scripted``) gives it its row; ``python -m benchmarks.llm_healer``
writes ``reports/llm.md``. ``mock`` agrees with the ranking. ``scripted`` is the real client against a local server that
speaks the protocol, and whose "model" counts words: what it is worth says nothing of a language model's worth, but every
line between the ranking and such a model runs. Nothing is tuned on what comes of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd

from self_heal_engine.contest import chosen
from self_heal_engine.dataset import Case, open_page, read_cases
from self_heal_engine.files import write_text
from self_heal_engine.healers import answered, outcome_of, question, read_answer
from self_heal_engine.llm import PROVIDERS, Provider, Reach, second_opinion, with_choice
from self_heal_engine.markdown import markdown
from self_heal_engine.metrics import Figure, decisions, hit_at, wilson
from self_heal_engine.outcomes import Outcome, outcome_table
from self_heal_engine.parallel import in_parallel
from self_heal_engine.params import read_params
from self_heal_engine.words import weight, words, words_of

Answer = dict[str, Any]

# Beside a busy machine's other work.
SECONDS = 30.0

CHUNK = 32

# Below this confidence the last row of the report asks.
BELOW = 0.9

# What HTML and locators say of every element.
MARKUP = words(
    "html body main nav header section article div span ul li table tbody tr td th form label a p class style href src nth child type of text normalize space contains id name data testid role aria css xpath"
)


# -- healers -------------------------------------------------------------------------------------------------------


def mock(asked: dict[str, Any]) -> Answer:
    """Return the champion's answer with the mock's opinion on it."""
    return opined(answered(asked), asked, provider("mock"))


def scripted(asked: dict[str, Any]) -> Answer:
    """Return the champion's answer with the scripted model's opinion on it."""
    return opined(answered(asked), asked, provider("openai"))


def opined(answer: Answer, asked: dict[str, Any], by: Provider) -> Answer:
    """Return an answer with an opinion on it."""
    of = {"original_locator": asked["original_locator"], "locator_type": asked["locator_type"], **asked["context"]}
    return runner().run(second_opinion(answer, of, by))


@cache
def provider(name: str) -> Provider:
    """Return who is asked; the client's server is in this process."""

    async def made() -> Provider:
        return PROVIDERS[name](Reach(base_url=scripted_server(), model="scripted", seconds=SECONDS))

    return runner().run(made())


@cache
def runner() -> asyncio.Runner:
    """Return the one event loop of this process: connections are bound to theirs."""
    return asyncio.Runner()


# -- the scripted model --------------------------------------------------------------------------------------------


@cache
def scripted_server() -> str:
    """Start the server and return its base URL; it ends with the process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"


class Chat(BaseHTTPRequestHandler):
    """POST /v1/chat/completions, no more."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one question."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = json.dumps({"choice": by_words(asked["messages"][-1]["content"])})
        message = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        body = json.dumps({"id": "1", "object": "chat.completion", "model": "scripted", "choices": [message]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def by_words(data: str) -> int | None:
    """Return the candidate that shares most words with what the test knows, None if none shares any.

    >>> wanted = '{"broken_locator": "#login-btn", "visible_text": "", "texts_nearby": []}'
    >>> by_words("\\n".join(["DATA", wanted, '{"text": "Help", "html": "", "locators": ["#go"]}', "END"]))
    >>> by_words("\\n".join(["DATA", wanted, '{"text": "Sign in", "html": "", "locators": ["#go"]}', "END"]))
    0
    """
    _, first, *lines, _ = data.split("\n")
    known = json.loads(first)
    wanted = told(words_of([known["broken_locator"], known["visible_text"], *known["texts_nearby"]]))
    shared = [
        len(wanted & told(words_of([one["text"], unescape(one["html"]), *one["locators"]])))
        for one in map(json.loads, lines)
    ]
    return shared.index(max(shared)) if any(shared) else None


def told(found: frozenset[str]) -> frozenset[str]:
    """Return the words that say which element is meant, not only of what kind it is."""
    return frozenset(word for word in found - MARKUP if weight(word) == 1)


# -- what it comes to ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """Some cases, with the whole path of their data."""

    data: Path
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """One case: the outcome of the ranking, of each way to use the opinion, and the opinion."""

    outcomes: dict[str, Outcome]
    decision: str
    choice: int | None
    problem: str | None
    right: bool  # of what was chosen: that candidate, or none where the element is gone or not listed


def healed_by(answer: Answer, choice: int | None) -> Answer:
    """Return the answer with any choice as a reason to heal what the ranking calls gone."""
    if answer["decision"] != "gone" or choice is None:
        return with_choice(answer, choice)
    return with_choice({**answer, "decision": "healed"}, choice)


def healed_by_another(answer: Answer, choice: int | None) -> Answer:
    """Return the answer with the choice of another candidate as a reason to heal what the ranking calls gone."""
    return healed_by(answer, choice) if choice else with_choice(answer, choice)


def if_unsure(answer: Answer, choice: int | None) -> Answer:
    """Return the answer with the opinion on it where it would have been asked below a confidence."""
    return with_choice(answer, choice) if answer["confidence"] < BELOW else answer


USES: dict[str, Callable[[Answer, int | None], Answer]] = {
    "the ranking alone, and with the mock": lambda answer, choice: answer,
    "with the opinion": with_choice,
    f"the same, asked below a confidence of {BELOW:g} only": if_unsure,
    "if another candidate than the first healed what is gone": healed_by_another,
    "if any choice healed what is gone": healed_by,
}


def judge(job: Job) -> list[Heard]:
    """Return what came of each case."""
    return [judged(case, job.data) for case in job.cases]


def judged(case: Case, data: Path) -> Heard:
    """Return what came of one case."""
    asked = question(case, data)
    answer = answered(asked)
    page = open_page(data, case.new_page)
    opinion = (
        opined(answer, asked, provider("openai"))["llm"] if answer["candidates"] else {"choice": None, "problem": None}
    )
    made = {
        name: outcome_of(read_answer(json.dumps(use(answer, opinion["choice"]))), page, case.new_row)
        for name, use in USES.items()
    }
    place = outcome_of(read_answer(json.dumps(answer)), page, case.new_row).place
    return Heard(
        made,
        answer["decision"],
        opinion["choice"],
        opinion["problem"],
        place == (0 if opinion["choice"] is None else opinion["choice"] + 1),
    )


def main(data: Path, sample: int, report: Path) -> None:
    """Ask about the test cases and write what comes of it."""
    cases = chosen(read_cases(data / "cases.jsonl"), "test", read_params(Path("params.yaml")).split, sample)
    jobs = [Job(data.resolve(), tuple(cases[at : at + CHUNK])) for at in range(0, len(cases), CHUNK)]
    heard = [one for some in in_parallel(judge, jobs) for one in some]
    tables = {name: outcome_table(cases, [one.outcomes[name] for one in heard]) for name in USES}
    text = [
        "# A second opinion, scripted",
        "",
        f"What a second opinion does to {len(cases):,} test cases, spread evenly; in {sum(case.new_row is None for case in cases):,} of them the element is gone.",
        "The opinion is that of a script behind a server that speaks the protocol, asked through the real client: it chooses the",
        "candidate that shares most words with the broken locator, the visible text and the anchors, and none where nothing is",
        "shared. A language model would do something else: this shows what an opinion can do, not how good one is. The threshold is",
        "the champion's, nothing was tuned. `python -m benchmarks.llm_healer` writes this page.",
        "",
        *markdown(
            ["", "right element first", "right heals", "wrong heals", "abstentions", "gone, and healed"], rows(tables)
        ),
        "",
        "Right element first: of the cases in which it is there, as are right heals, wrong heals and abstentions. In per cent, with",
        "95 % intervals over families.",
        "",
        "## What it chose",
        "",
        *markdown(["the ranking says", "the script chooses", "cases", "it is right"], choices(heard)),
        "",
        "None is right where the element is gone or not listed. With the mock, which agrees, every answer is the ranking's.",
        f"Asked in vain: {sum(one.problem is not None for one in heard)}. What is done with each choice, and why, stands in `docs/llm.md`.",
    ]
    write_text(report, "\n".join(text) + "\n")
    print("\n".join(text))


def rows(tables: dict[str, pd.DataFrame]) -> list[list[str]]:
    """Return the figures of each way to use the opinion."""
    made = []
    for name, table in tables.items():
        of = decisions(table)
        figures = (hit_at(table, 1), of["right_heals"], of["wrong_heals"], of["abstentions"], of["false_heals"])
        made.append([name, *map(shown, figures)])
    return made


def choices(heard: Sequence[Heard]) -> list[list[str]]:
    """Return how often each kind of choice was made, and was right."""
    kinds: dict[str, Callable[[int | None], bool]] = {
        "the first": lambda choice: choice == 0,
        "another": lambda choice: bool(choice),
        "none": lambda choice: choice is None,
    }
    made = []
    for says, decided in (("healed or unchanged", ("healed", "unchanged")), ("gone", ("gone",))):
        for kind, is_of in kinds.items():
            of = [one.right for one in heard if one.decision in decided and is_of(one.choice) and one.problem is None]
            low, high = wilson(sum(of), len(of))
            rate = f"{100 * sum(of) / len(of):.1f} [{100 * low:.1f}, {100 * high:.1f}]" if of else "-"
            made.append([says, kind, f"{len(of):,}", rate])
    return made


def shown(figure: Figure | None) -> str:
    """Return a figure in per cent with its interval."""
    if figure is None:
        return "-"
    value, low, high = (f"{100 * figure[end]:.1f}" for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    from benchmarks import llm_healer  # the jobs name their function, and `__main__` is another module elsewhere

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--sample", type=int, default=2_000)
    parser.add_argument("--report", type=Path, default=Path("reports/llm.md"))
    llm_healer.main(**vars(parser.parse_args()))
