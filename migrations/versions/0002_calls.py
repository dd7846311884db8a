"""Calls, and the events that MicroSIP's hooks tell.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RISING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("number", RISING_ID, autoincrement=True, nullable=False),
        text("id"),
        text("direction"),
        text("peer"),
        text("name"),
        instant("started_at"),
        instant("rang_at", nullable=True),
        instant("answered_at", nullable=True),
        instant("ended_at", nullable=True),
        text("outcome", nullable=True),
        text("sources"),
        text("record_key", nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_call"),
        sa.UniqueConstraint("id", name="uq_call_id"),
        sa.UniqueConstraint("record_key", name="uq_call_record_key"),
    )
    op.create_index("ix_call_peer", "call", ["peer"])
    op.create_index("ix_call_started_at", "call", ["started_at"])
    op.create_table(
        "call_event",
        sa.Column("number", RISING_ID, autoincrement=True, nullable=False),
        text("id"),
        text("kind"),
        text("user"),
        instant("at"),
        sa.Column("call", RISING_ID, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_call_event"),
        sa.UniqueConstraint("id", name="uq_call_event_id"),
        sa.ForeignKeyConstraint(
            ["call"], ["call.number"], name="fk_call_event_call_call", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_call_event_at", "call_event", ["at"])
    op.create_index("ix_call_event_call", "call_event", ["call"])


def downgrade() -> None:
    op.drop_table("call_event")
    op.drop_table("call")
