"""Heals, confirmations, and the pages that they were asked on."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "heals",
        sa.Column("request_id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("knowledge", sa.Text(), nullable=False),
        sa.Column("locator_type", sa.Text(), nullable=False),
        sa.Column("original_locator", sa.Text(), nullable=False),
        sa.Column("visible_text", sa.Text()),
        sa.Column("anchors", sa.JSON(), nullable=False),
        sa.Column("action", sa.Text()),
        sa.Column("page_url", sa.Text()),
        sa.Column("test_session", sa.Text()),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("duration_ms", sa.Double(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text()),
        sa.Column("changed_by", sa.Text()),
    )
    op.create_index("ix_heals_created_at", "heals", ["created_at"])
    op.create_index("ix_heals_test_session", "heals", ["test_session"])
    op.create_table(
        "confirmations",
        sa.Column("request_id", sa.Uuid(), sa.ForeignKey("heals.request_id"), primary_key=True),
        sa.Column("confirmed_at", moment, nullable=False),
        sa.Column("accepted_index", sa.Integer()),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("correct_locator", sa.Text()),
        sa.Column("correct_locator_type", sa.Text()),
        sa.Column("metadata", sa.JSON(), nullable=False),
    )
    op.create_table(
        "pages",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("last_used", moment, nullable=False),
        sa.Column("body", sa.LargeBinary()),
    )
    op.create_index("ix_pages_last_used", "pages", ["last_used"])
    op.create_table(
        "snapshots",
        sa.Column("request_id", sa.Uuid(), sa.ForeignKey("heals.request_id"), primary_key=True),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("pages.sha256"), nullable=False),
        sa.Column("saved_at", moment, nullable=False),
    )
    op.create_index("ix_snapshots_saved_at", "snapshots", ["saved_at"])
    op.create_index("ix_snapshots_sha256", "snapshots", ["sha256"])


def downgrade() -> None:
    """Drop the tables with what is in them."""
    for table in ("snapshots", "pages", "confirmations", "heals"):
        op.drop_table(table)
