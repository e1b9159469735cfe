"""The tables of the database: heals, confirmations, pages, and which heal was asked on which page."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no time zones, keeps it without."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return what is stored; only moments with a time zone are."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return what was stored, in UTC."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


TABLES = sa.MetaData()
HEALS = sa.Table(
    "heals",
    TABLES,
    sa.Column("request_id", sa.Uuid(), primary_key=True),
    sa.Column("created_at", Moment, nullable=False, index=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("model", "model_version", "variant", "decision")),
    *(sa.Column(name, sa.Double, nullable=False) for name in ("confidence", "threshold")),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("knowledge", "locator_type", "original_locator")),
    sa.Column("visible_text", sa.Text),
    sa.Column("anchors", sa.JSON, nullable=False),
    *(sa.Column(name, sa.Text, index=name == "test_session") for name in ("action", "page_url", "test_session")),
    sa.Column("fingerprint", sa.Text),
    sa.Column("candidates", sa.JSON, nullable=False),
    sa.Column("duration_ms", sa.Double, nullable=False),
    sa.Column("trace_id", sa.Text, nullable=False),
    sa.Column("site", sa.Text),
    sa.Column("changed_by", sa.Text),
)
CONFIRMATIONS = sa.Table(
    "confirmations",
    TABLES,
    sa.Column("request_id", sa.Uuid(), sa.ForeignKey("heals.request_id"), primary_key=True),
    sa.Column("confirmed_at", Moment, nullable=False),
    sa.Column("accepted_index", sa.Integer),
    sa.Column("gone", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.Text) for name in ("correct_locator", "correct_locator_type")),
    sa.Column("metadata", sa.JSON, nullable=False),
)
PAGES = sa.Table(
    "pages",
    TABLES,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("last_used", Moment, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary),  # None: it is a file
)
SNAPSHOTS = sa.Table(
    "snapshots",
    TABLES,
    sa.Column("request_id", sa.Uuid(), sa.ForeignKey("heals.request_id"), primary_key=True),
    sa.Column("sha256", sa.String(64), sa.ForeignKey("pages.sha256"), nullable=False, index=True),
    sa.Column("saved_at", Moment, nullable=False, index=True),
)
