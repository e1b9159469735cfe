"""Heals to store, and what processes beside the tests do with them: they import nothing else."""

import multiprocessing
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa

from self_heal_engine.errors import CannotHeal
from self_heal_engine.snapshots import page_snapshot
from self_heal_engine.storage import HealRecord, Verdict, open_store, upgrade

SPAWN = multiprocessing.get_context("spawn")

CANDIDATES = [{"index": at, "locator": f"#b{at}", "locator_type": "css", "score": 0.5} for at in range(3)]
PAGE, OTHER_PAGE = page_snapshot("<p>One</p>"), page_snapshot("<p>Another</p>")
FIRST, GONE = Verdict(0, gone=False), Verdict(None, gone=True)


def heal(**changes):
    usual = HealRecord(
        request_id=uuid4(), created_at=datetime(2026, 11, 24, 10, tzinfo=UTC), model="ranker", model_version="1",
        variant="champion", decision="healed", confidence=0.9, threshold=0.5, knowledge="locator", locator_type="css",
        original_locator="#login", visible_text="Log in", anchors=("Welcome", "Home"), action="click",
        page_url="https://shop.example/", test_session="s1", fingerprint=None, candidates=CANDIDATES, duration_ms=12.5,
        trace_id="t1",
    )  # fmt: skip
    return replace(usual, **changes)


def rows(store, table):
    with store._reading() as connection:
        return connection.execute(sa.select(table)).all()


def prepare(url, folder, begin):
    begin.wait()
    open_store(url, folder, 30).prepare()


def upgrade_when(url, begin):
    begin.wait()
    upgrade(url)


def confirm_all(url, folder, ids, verdict, said, begin):
    with closing(open_store(url, folder, 30)) as store:
        store.prepare()
        begin.wait()
        for request_id in ids:
            try:
                said.put((request_id, store.confirm(request_id, verdict, {}), verdict))
            except CannotHeal as refusal:
                said.put((request_id, str(refusal), verdict))


def run_at_once(target, *arguments, many):
    begin = SPAWN.Barrier(many)
    processes = [SPAWN.Process(target=target, args=(*arguments, begin)) for _ in range(many)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * many
