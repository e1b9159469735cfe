"""Opening the database, its schema up and down, and what is wrong with it in a sentence without the password."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc, pool

from self_heal_engine.errors import CannotHeal, quoted

# Seconds: to find a connection free or another writer done, to connect, for one statement.
POOL_SECONDS, CONNECT_SECONDS, STATEMENT_SECONDS, BUSY_SECONDS = 1, 2, 2, 5
CONNECTIONS, MORE_CONNECTIONS = 5, 5

MIGRATIONS = Path(__file__).parent / "migrations"

# Two processes that migrate one PostgreSQL database take turns: any number, the same in all of them.
TURN = 5_360_001

# Alembic keeps what it runs in a global.
MIGRATING = Lock()

# What SQLite and PostgreSQL say of a table or column that is not there (yet), and of one we may not write.
MISSING = ("no such table", "no such column", "has no column named")
UNDEFINED_TABLE, UNDEFINED_COLUMN, NOT_ALLOWED = "42P01", "42703", "42501"


def read_url(text: str) -> sa.URL:
    """Return a database URL as SQLAlchemy takes it; CannotHeal ``bad_settings`` without quoting a password."""
    try:
        url = sa.make_url(text)
    except (exc.ArgumentError, ValueError) as error:
        raise CannotHeal("bad_settings", "DATABASE_URL is not a URL such as postgresql://user@host/database") from error
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite" or not url.database or url.database == ":memory:":
        known = "sqlite:///path/to/file.db and postgresql://user@host/database"
        raise CannotHeal("bad_settings", f"DATABASE_URL {quoted(shown(url))} is neither of {known}")
    return url


def shown(url: sa.URL) -> str:
    """Return a database URL as it may be printed."""
    return url.render_as_string(hide_password=True)


def open_engine(url: sa.URL, statement_seconds: float = STATEMENT_SECONDS) -> sa.Engine:
    """Return the pooled way to a database; nothing is connected yet."""
    pooled: dict[str, Any] = {"poolclass": pool.QueuePool, "pool_size": CONNECTIONS, "max_overflow": MORE_CONNECTIONS}
    pooled |= {"pool_timeout": POOL_SECONDS, "pool_pre_ping": True}
    if url.drivername == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **pooled)
        sa.event.listen(engine, "connect", as_sqlite_should)
        sa.event.listen(engine, "begin", begin_sqlite)
        return engine
    limits = f"-c statement_timeout={round(statement_seconds * 1000)}"  # waiting for a lock counts
    options = " ".join(
        [limits, "-c idle_in_transaction_session_timeout=10000", *url.normalized_query.get("options", ())]
    )
    # The keepalives notice a server that vanished without a word; the statement's own limit needs its answer.
    alive = {"keepalives_idle": 5, "keepalives_interval": 1, "keepalives_count": 3, "tcp_user_timeout": 3000}
    arguments = {"connect_timeout": CONNECT_SECONDS, "options": options, **alive}
    return sa.create_engine(url, connect_args=arguments, **pooled)


def as_sqlite_should(connection: Any, _record: object) -> None:
    """Set up one SQLite connection: durable, and with the transactions that we begin."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={round(BUSY_SECONDS * 1000)}")
    write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def write_ahead(connection: Any) -> None:
    """Switch a new file to write-ahead logging. SQLite does not wait for others that do so at once: we do."""
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic() > deadline:
                raise
        sleep(0.01)


def begin_sqlite(connection: sa.Connection) -> None:
    """Begin a transaction; one that may write takes the lock now, since SQLite refuses to wait for it later."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE")


@contextmanager
def storage_errors(url: sa.URL) -> Iterator[None]:
    """Turn what is wrong with the database into CannotHeal ``storage_down`` or ``schema_behind``; not our own bugs."""
    try:
        yield
    except exc.TimeoutError as error:
        many = CONNECTIONS + MORE_CONNECTIONS
        raise CannotHeal("storage_down", f"{shown(url)}: all {many} connections were busy") from error
    except exc.DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        said = one_line(error.orig, url)
        if state in (UNDEFINED_TABLE, UNDEFINED_COLUMN) or said.startswith(MISSING):
            raise behind(url, said) from error
        ours = (exc.IntegrityError, exc.DataError, exc.ProgrammingError, exc.NotSupportedError)
        if isinstance(error, ours) and state != NOT_ALLOWED:
            raise
        raise CannotHeal("storage_down", f"{shown(url)}: {said}") from error
    except (sqlite3.Error, OSError) as error:  # while a connection was set up; a file of a page
        raise CannotHeal("storage_down", f"{shown(url)}: {one_line(error, url)}") from error


def one_line(error: BaseException | None, url: sa.URL) -> str:
    """Return what a driver said, on one line, without the password."""
    said = " ".join(str(error).split())[:300]
    return said.replace(str(url.password), "***") if url.password else said


def behind(url: sa.URL, why: str) -> CannotHeal:
    """Return the refusal of a database whose schema is older than this code."""
    return CannotHeal("schema_behind", f"{shown(url)}: {why}; run `self-heal db upgrade`")


# -- the schema ----------------------------------------------------------------------------------------------------


def check_revision(connection: sa.Connection) -> None:
    """CannotHeal ``schema_behind`` or ``schema_ahead`` if the schema is not the one that this code knows."""
    url, found = connection.engine.url, revision_of(connection)
    known = [script.revision for script in scripts().walk_revisions()]
    if found is not None and found not in known:
        newer = f"{shown(url)} has the schema {quoted(found)} of a newer version"
        raise CannotHeal("schema_ahead", f"{newer}; this one knows up to {quoted(known[0])}")
    if found != known[0]:
        raise behind(url, f"its schema is {'empty' if found is None else quoted(found)}, not {quoted(known[0])}")


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision of the schema, or None of an empty database."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def scripts() -> Any:
    """Return the revisions, newest first when walked."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS))


def create(url: sa.URL) -> None:
    """Make a SQLite file with the newest schema, unless it has one; safe when several processes do so at once."""
    make_folder(url)
    engine = open_engine(url)
    try:
        with storage_errors(url), engine.connect() as connection:
            if sa.inspect(connection.execution_options(reading=True)).get_table_names():
                return
    finally:
        engine.dispose()
    migrate(url, "head", only_empty=True)


def make_folder(url: sa.URL) -> None:
    """Make the folder of a SQLite file."""
    with storage_errors(url):
        Path(str(url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)


def upgrade(database_url: str, revision: str = "head") -> str:
    """Bring the schema up to a revision, and return which it is now."""
    url = read_url(database_url)
    if url.drivername == "sqlite":
        make_folder(url)
    return migrate(url, revision)


def downgrade(database_url: str, revision: str) -> str:
    """Bring the schema down to a revision, and return which it is now: ``base`` is none, and drops everything."""
    return migrate(read_url(database_url), revision, down=True)


def migrate(url: sa.URL, revision: str, down: bool = False, only_empty: bool = False) -> str:
    """Move the schema in one transaction; CannotHeal ``bad_revision`` if there is no such way."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    engine = open_engine(url, statement_seconds=0)  # no limit: a migration takes what it takes
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with MIGRATING, storage_errors(url), engine.begin() as connection:
            if url.drivername != "sqlite":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TURN)))
            if not (only_empty and sa.inspect(connection).get_table_names()):
                config.attributes["connection"] = connection
                (command.downgrade if down else command.upgrade)(config, revision)
            return revision_of(connection) or "base"
    except CommandError as error:
        raise CannotHeal("bad_revision", f"no way to the schema {quoted(revision)}: {one_line(error, url)}") from error
    finally:
        engine.dispose()
