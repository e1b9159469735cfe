"""Store: heals, their confirmations and their pages, in SQLite or PostgreSQL. The one door of sqlalchemy."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from self_heal_engine.database import (
    BUSY_SECONDS,
    check_revision,
    create,
    downgrade,
    open_engine,
    read_url,
    storage_errors,
    upgrade,
)
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.page_files import PageFiles
from self_heal_engine.records import Feedback, HealRecord, Heard, Verdict, checked, plain, rfc3339, said_in
from self_heal_engine.snapshots import Snapshot, page_html
from self_heal_engine.tables import CONFIRMATIONS, HEALS, PAGES, SNAPSHOTS

__all__ = (
    "Feedback", "HealRecord", "Heard", "Store", "Verdict", "downgrade", "get_training_stats", "load_snapshot",
    "open_store", "upgrade",
)  # fmt: skip

# How many rows are read or dropped at once, so that nobody waits long for a lock.
BATCH = 200

HEAL_FIELDS = tuple(field.name for field in fields(HealRecord))
VERDICT_FIELDS = tuple(field.name for field in fields(Verdict))


class Store:
    """The database and the pages; safe to share between threads. What it cannot do now is ``storage_down``."""

    def __init__(self, engine: sa.Engine, pages: PageFiles | None, snapshot_days: float) -> None:
        self._engine, self._files, self._days = engine, pages, snapshot_days
        dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
        self._insert: Any = dialect.insert  # both have ``on_conflict_do_nothing``; sqlalchemy's own has not
        # SQLite lets one writer in at a time and has the others poll: in turn is faster.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._prepared = False

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    # -- opening ---------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make a new SQLite file, or compare the schema: CannotHeal ``schema_behind`` says what to run.

        Every other call does so first, unless it was done: the database may have been down at the start.
        """
        if self.kind == "sqlite":
            create(self._engine.url)
        with storage_errors(self._engine.url), self._engine.connect() as connection:
            check_revision(connection.execution_options(reading=True))
        self._prepared = True

    def ping(self) -> None:
        """Return if the database answers."""
        with self._reading() as connection:
            connection.execute(sa.select(sa.literal(1)))

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if not self._prepared:
            self.prepare()
        if self._turn is not None and not self._turn.acquire(timeout=BUSY_SECONDS):
            raise CannotHeal("storage_down", f"the database was busy for {BUSY_SECONDS} seconds")
        try:
            with storage_errors(self._engine.url), self._engine.begin() as connection:
                yield connection
        finally:
            if self._turn is not None:
                self._turn.release()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        if not self._prepared:
            self.prepare()
        with storage_errors(self._engine.url), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)

    # -- writing ---------------------------------------------------------------------------------------------------

    def save_heals(self, heals: Sequence[HealRecord]) -> None:
        """Store all of the heals or none; one that is stored already stays as it is."""
        with self._writing() as connection:
            connection.execute(self._insert(HEALS).on_conflict_do_nothing(), [plain(asdict(heal)) for heal in heals])

    def save_snapshot(self, request_ids: Sequence[UUID], page: Snapshot) -> None:
        """Store the page of some heals, once however many name it; of heals that are not stored, nothing."""
        if self._files is not None:
            with storage_errors(self._engine.url):
                self._files.write(page)  # before others have to wait for us
        with self._writing() as connection:
            known = connection.scalars(sa.select(HEALS.c.request_id).where(HEALS.c.request_id.in_(request_ids))).all()
            if known:
                self._link(connection, known, page)

    def _link(self, connection: sa.Connection, request_ids: Sequence[UUID], page: Snapshot) -> None:
        now = datetime.now(UTC)
        used = sa.update(PAGES).where(PAGES.c.sha256 == page.sha256).values(last_used=now)
        if not connection.execute(used).rowcount:
            row = {"sha256": page.sha256, "last_used": now, "body": page.body if self._files is None else None}
            added = self._insert(PAGES).values(row)
            connection.execute(added.on_conflict_do_update(index_elements=["sha256"], set_={"last_used": now}))
        if self._files is not None:
            self._files.write(page)  # it may have expired since
        links = [{"request_id": request_id, "sha256": page.sha256, "saved_at": now} for request_id in request_ids]
        connection.execute(self._insert(SNAPSHOTS).on_conflict_do_nothing(), links)

    def confirm(self, request_id: UUID, verdict: Verdict, metadata: dict[str, Any]) -> bool:
        """Store what a user says of a heal; return False if the same was stored before.

        CannotHeal ``unknown_request``, ``bad_verdict`` if it fits no candidate or contradicts itself,
        ``other_verdict`` if another was stored.
        """
        verdict = checked(verdict)
        with self._writing() as connection:
            many = sa.select(sa.func.json_array_length(HEALS.c.candidates)).where(HEALS.c.request_id == request_id)
            candidates = connection.scalar(many)
            if candidates is None:
                raise unknown(request_id)
            if verdict.accepted_index is not None and verdict.accepted_index >= candidates:
                listed = f"the answer to {request_id} has {candidates} candidates, counted from 0"
                raise CannotHeal("bad_verdict", f"{listed}: accepted_index {verdict.accepted_index} is none of them")
            return self._confirm(connection, request_id, verdict, datetime.now(UTC), metadata)

    def _confirm(
        self, connection: sa.Connection, request_id: UUID, verdict: Verdict, at: datetime, metadata: dict[str, Any]
    ) -> bool:
        row = {"request_id": request_id, "confirmed_at": at, **asdict(verdict), "metadata": metadata}
        added = self._insert(CONFIRMATIONS).on_conflict_do_nothing().returning(CONFIRMATIONS.c.request_id)
        if connection.scalar(added, plain(row)) is not None:  # psycopg counts no rows here
            return True
        columns = [CONFIRMATIONS.c[name] for name in VERDICT_FIELDS]
        stored = Verdict(*connection.execute(sa.select(*columns).where(CONFIRMATIONS.c.request_id == request_id)).one())
        if stored != verdict:
            said = f"request {request_id} was confirmed before, and otherwise: {said_in(stored)}"
            raise CannotHeal("other_verdict", f"{said}, not {said_in(verdict)}")
        return False

    def add_feedback(self, feedback: Iterable[tuple[str, Feedback]]) -> int:
        """Store confirmed heals from elsewhere, each with where it comes from, all or none; return how many are new.

        CannotHeal ``other_verdict`` says where one comes from that was confirmed otherwise.
        """
        with self._writing() as connection:
            return sum([self._add(connection, where, given) for where, given in feedback])

    def _add(self, connection: sa.Connection, where: str, given: Feedback) -> bool:
        request_id = given.heal.request_id
        known = next(self._feedback(connection, HEALS.c.request_id == request_id), None)
        if known is not None:
            if known.answer() != given.answer():
                said = f"{where}: request {request_id} was confirmed otherwise: {known.answer()}"
                raise CannotHeal("other_verdict", f"{said}, not {given.answer()}")
            if known.page is not None:
                return False
        connection.execute(self._insert(HEALS).on_conflict_do_nothing(), plain(asdict(given.heal)))
        if given.page is not None:
            self._link(connection, [request_id], given.page)
        return known is None and self._confirm(connection, request_id, given.verdict, given.confirmed_at, {})

    def expire(self, now: datetime) -> int:
        """Drop the pages that no heal of the last days was asked on; return how many."""
        before = now - timedelta(days=self._days)
        old_links = sa.select(SNAPSHOTS.c.request_id).where(SNAPSHOTS.c.saved_at < before).limit(BATCH)
        named = sa.exists().where(SNAPSHOTS.c.sha256 == PAGES.c.sha256)
        old_pages = sa.select(PAGES.c.sha256).where(PAGES.c.last_used < before, ~named).limit(BATCH)
        links = sa.delete(SNAPSHOTS).where(SNAPSHOTS.c.request_id.in_(old_links)).returning(SNAPSHOTS.c.sha256)
        while self._drop(links):
            pass
        pages = sa.delete(PAGES).where(PAGES.c.sha256.in_(old_pages), PAGES.c.last_used < before)
        dropped = 0
        while many := self._drop(pages.returning(PAGES.c.sha256), files=True):
            dropped += many
        self._sweep()
        return dropped

    def _drop(self, statement: Any, files: bool = False) -> int:
        try:
            with self._writing() as connection:
                names = connection.scalars(statement).all()
                if files and self._files is not None:
                    for name in names:
                        self._files.remove(name)
        except sa.exc.IntegrityError:  # one of the pages is used again at this moment: it and its batch stay till later
            return 0
        return len(names)

    def _sweep(self) -> None:
        """Remove the files that a crash left behind."""
        if self._files is None:
            return
        with storage_errors(self._engine.url):
            self._files.remove_unfinished()
            names = self._files.names()
        for start in range(0, len(names), BATCH):
            some = names[start : start + BATCH]
            with self._writing() as connection:
                known = set(connection.scalars(sa.select(PAGES.c.sha256).where(PAGES.c.sha256.in_(some))))
                for name in set(some) - known:
                    self._files.remove(name)

    # -- reading ---------------------------------------------------------------------------------------------------

    def load_snapshot(self, request_id: UUID) -> dict[str, Any]:
        """Return all that is known of one heal as plain data; ``page_html`` is None once the page expired.

        CannotHeal ``unknown_request``.
        """
        joined = HEALS.outerjoin(CONFIRMATIONS).outerjoin(SNAPSHOTS, SNAPSHOTS.c.request_id == HEALS.c.request_id)
        wanted = sa.select(HEALS, CONFIRMATIONS, PAGES.c.sha256, PAGES.c.body).set_label_style(
            sa.LABEL_STYLE_TABLENAME_PLUS_COL
        )
        with self._reading() as connection:
            query = wanted.select_from(joined.outerjoin(PAGES)).where(HEALS.c.request_id == request_id)
            found = connection.execute(query).mappings().one_or_none()
            if found is None:
                raise unknown(request_id)
            body = None if found[PAGES.c.sha256] is None else self._body(found[PAGES.c.sha256], found[PAGES.c.body])
        heal = {name: found[HEALS.c[name]] for name in HEAL_FIELDS}
        at = found[CONFIRMATIONS.c.confirmed_at]
        verdict = None if at is None else {name: found[CONFIRMATIONS.c[name]] for name in VERDICT_FIELDS}
        return heal | {
            "request_id": str(request_id),
            "created_at": rfc3339(heal["created_at"]),
            "page_html": None if body is None else page_html(body),
            "verdict": verdict,
            "confirmed_at": None if at is None else rfc3339(at),
            "metadata": found[CONFIRMATIONS.c.metadata],
        }

    def _body(self, sha256: str, body: bytes | None) -> bytes | None:
        return body if body is not None or self._files is None else self._files.read(sha256)

    def answered_by(self, request_id: UUID) -> tuple[str, str]:
        """Return the variant that answered a heal and its decision; CannotHeal ``unknown_request``."""
        query = sa.select(HEALS.c.variant, HEALS.c.decision).where(HEALS.c.request_id == request_id)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise unknown(request_id)
        return row.variant, row.decision

    def stats(self) -> dict[str, Any]:
        """Return how many heals and confirmations there are, and how right the first candidates were.

        ``acceptance_rate``: of the heals that were answered with an element and confirmed, whose first candidate was
        right; ``false_heal_rate``: of those decided ``healed``, whose was not. Both are nan of none.
        """
        names = ("model", "model_version", "variant")
        own = HEALS.c.decision.in_(("healed", "unchanged")) & HEALS.c.changed_by.is_(None)
        answered = own & CONFIRMATIONS.c.request_id.is_not(None)
        right = answered & (sa.func.coalesce(CONFIRMATIONS.c.accepted_index, -1) == 0)
        healed = answered & (HEALS.c.decision == "healed")
        counts = {
            "heals": sa.true(),
            "total_records": CONFIRMATIONS.c.request_id.is_not(None),
            "answered": answered,
            "accepted": right,
            "healed": healed,
            "false_heals": healed & ~right,
        }
        columns = [sa.func.count(sa.case((condition, 1))).label(name) for name, condition in counts.items()]
        keys = [HEALS.c[name] for name in names]
        query = sa.select(*keys, *columns).select_from(HEALS.outerjoin(CONFIRMATIONS)).group_by(*keys).order_by(*keys)
        with self._reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        models = [{name: row[name] for name in names} | rates({name: row[name] for name in counts}) for row in rows]
        return rates({name: sum(row[name] for row in rows) for name in counts}) | {"models": models}

    def heals(
        self, session: str | None = None, since: datetime | None = None, decision: str | None = None,
        least: float = 0.0, most: float = 1.0, limit: int = 1_000,
    ) -> list[Heard]:  # fmt: skip
        """Return heals with what was said of them, the newest first; ``least`` and ``most`` bound the confidence."""
        wanted: list[sa.ColumnElement[bool]] = [HEALS.c.confidence.between(least, most)]
        wanted += [HEALS.c.test_session == plain(session)] if session is not None else []
        wanted += [HEALS.c.created_at >= since] if since is not None else []
        wanted += [HEALS.c.decision == plain(decision)] if decision is not None else []
        verdict = [CONFIRMATIONS.c[name] for name in VERDICT_FIELDS]
        query = (
            sa.select(*HEALS.c, *verdict, CONFIRMATIONS.c.confirmed_at)
            .select_from(HEALS.outerjoin(CONFIRMATIONS))
            .where(*wanted)
            .order_by(HEALS.c.created_at.desc(), HEALS.c.request_id)
            .limit(limit)
        )
        with self._reading() as connection:
            return [heard(row) for row in connection.execute(query).mappings()]

    def feedback(self) -> Iterator[Feedback]:
        """Yield every confirmed heal, in the order of their ids."""
        last: UUID | None = None
        while True:
            with self._reading() as connection:
                some = list(self._feedback(connection, sa.true() if last is None else HEALS.c.request_id > last))
            yield from some
            if len(some) < BATCH:
                return
            last = some[-1].heal.request_id

    def _feedback(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> Iterator[Feedback]:
        verdict = [CONFIRMATIONS.c[name] for name in VERDICT_FIELDS]
        joined = CONFIRMATIONS.join(HEALS).outerjoin(SNAPSHOTS, SNAPSHOTS.c.request_id == HEALS.c.request_id)
        query = (
            sa.select(*HEALS.c, *verdict, CONFIRMATIONS.c.confirmed_at, PAGES.c.sha256, PAGES.c.body)
            .select_from(joined.outerjoin(PAGES))
            .where(which)
            .order_by(HEALS.c.request_id)
            .limit(BATCH)
        )
        for row in connection.execute(query).mappings():
            said = heard(row)
            assert said.verdict is not None
            assert said.confirmed_at is not None
            body = None if row["sha256"] is None else self._body(row["sha256"], row["body"])
            page = None if body is None else Snapshot(row["sha256"], body)
            yield Feedback(said.heal, said.verdict, said.confirmed_at, page)


def open_store(database_url: str, snapshots_dir: Path, snapshot_days: float) -> Store:
    """Return the store of a database; nothing is connected yet. Only SQLite keeps its pages in ``snapshots_dir``."""
    url = read_url(database_url)
    pages = PageFiles(Path(snapshots_dir)) if url.drivername == "sqlite" else None
    return Store(open_engine(url), pages, snapshot_days)


def heard(row: Mapping[Any, Any]) -> Heard:
    """Return a row of a heal, and of its confirmation if it has one."""
    heal = HealRecord(**{name: row[name] for name in HEAL_FIELDS})
    said = row["confirmed_at"] is not None
    return Heard(
        heal=replace(heal, anchors=tuple(heal.anchors)),
        verdict=Verdict(**{name: row[name] for name in VERDICT_FIELDS}) if said else None,
        confirmed_at=row["confirmed_at"],
    )


def unknown(request_id: object) -> CannotHeal:
    """Return the refusal of a request that is not stored."""
    return CannotHeal("unknown_request", f"no heal is stored under the request id {quoted(request_id)}")


def rates(counts: dict[str, int]) -> dict[str, Any]:
    """Return the counts that a reader wants, and the two rates."""
    nan = float("nan")
    return {
        "total_records": counts["total_records"],
        "heals": counts["heals"],
        "acceptance_rate": counts["accepted"] / counts["answered"] if counts["answered"] else nan,
        "false_heal_rate": counts["false_heals"] / counts["healed"] if counts["healed"] else nan,
    }


# -- one-liners for a person -----------------------------------------------------------------------------------------


def settled_store() -> Store:
    """Return the store that the settings name, ready for use."""
    from self_heal_engine.settings import read_settings

    settings = read_settings()
    store = open_store(settings.database_url, settings.snapshots_dir, settings.snapshot_days)
    store.prepare()
    return store


def load_snapshot(request_id: str) -> dict[str, Any]:
    """Return what is known of one heal, as ``Store.load_snapshot`` does, from the store that the settings name."""
    try:
        parsed = UUID(request_id)
    except ValueError:
        raise unknown(request_id) from None
    return settled_store().load_snapshot(parsed)


def get_training_stats() -> dict[str, Any]:
    """Return the counts and rates of ``Store.stats`` from the store that the settings name."""
    return settled_store().stats()
