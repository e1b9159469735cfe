"""Stores in SQLite and in PostgreSQL, each empty."""

from contextlib import closing

import psycopg
import pytest

from self_heal_engine.storage import open_store, upgrade
from stored import heal

BOTH = ("sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres")))


@pytest.fixture(scope="session")
def postgres_url(postgres):
    """A PostgreSQL database with its schema, for the whole session: making one takes long."""
    made = postgres.new_database()
    upgrade(made)
    return made


def emptied(url):
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE snapshots, pages, confirmations, heals")
    return url


@pytest.fixture(params=BOTH)
def url(request, tmp_path):
    """The URL of an empty database with its schema."""
    if request.param == "postgres":
        return emptied(request.getfixturevalue("postgres_url"))
    made = f"sqlite:///{tmp_path}/heals.db"
    upgrade(made)
    return made


@pytest.fixture(params=BOTH)
def own_url(request, tmp_path):
    """The same, but nobody else's, for tests that change the schema."""
    kind = request.param
    made = f"sqlite:///{tmp_path}/heals.db" if kind == "sqlite" else request.getfixturevalue("postgres").new_database()
    upgrade(made)
    return made


@pytest.fixture
def store(url, tmp_path):
    with closing(open_store(url, tmp_path / "pages", snapshot_days=30)) as opened:
        opened.prepare()
        yield opened


@pytest.fixture
def saved(store):
    """A heal that is stored."""
    record = heal()
    store.save_heals([record])
    return record


@pytest.fixture
def postgres_store(postgres_url, tmp_path):
    with closing(open_store(emptied(postgres_url), tmp_path / "pages", 30)) as opened:
        yield opened
