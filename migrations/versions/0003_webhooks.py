"""Outbound webhooks: events with their deliveries.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RISING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("number", RISING_ID, autoincrement=True, nullable=False),
        text("id"),
        text("type"),
        instant("at"),
        text("body"),
        sa.PrimaryKeyConstraint("number", name="pk_event"),
        sa.UniqueConstraint("id", name="uq_event_id"),
    )
    create_webhook_delivery()
    op.create_table(
        "webhook_endpoint",
        text("id"),
        instant("disabled_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoint"),
    )


def create_webhook_delivery() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("number", RISING_ID, autoincrement=True, nullable=False),
        text("id"),
        sa.Column("event", RISING_ID, nullable=False),
        text("endpoint"),
        text("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        instant("due_at"),
        sa.Column("status_code", sa.Integer(), nullable=True),
        text("reason"),
        instant("created_at"),
        instant("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_webhook_delivery"),
        sa.UniqueConstraint("id", name="uq_webhook_delivery_id"),
        sa.ForeignKeyConstraint(
            ["event"], ["event.number"], name="fk_webhook_delivery_event_event",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_webhook_delivery_event", "webhook_delivery", ["event"])
    op.create_index(
        "ix_webhook_delivery_endpoint_number", "webhook_delivery", ["endpoint", "number"]
    )
    op.create_index(
        "ix_webhook_delivery_endpoint_due_at",
        "webhook_delivery",
        ["endpoint", "due_at"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_table("webhook_endpoint")
    op.drop_table("webhook_delivery")
    op.drop_table("event")
