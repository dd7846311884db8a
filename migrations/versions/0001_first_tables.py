"""The first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


RISING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def rising_id(name: str) -> sa.Column:
    return sa.Column(name, RISING_ID, autoincrement=True, nullable=False)


def text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def integer(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def boolean(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=nullable)


def upgrade() -> None:
    create_message()
    create_delivery()
    create_attempt()
    create_peer()
    create_command()
    create_hook_delivery()
    create_token()
    create_idempotency()


def create_message() -> None:
    op.create_table(
        "message",
        rising_id("archive_id"),
        sa.Column("id", sa.Uuid(), nullable=False),
        text("direction"),
        text("account"),
        text("peer"),
        text("from_uri"),
        text("to_uri"),
        text("text"),
        text("folded"),
        text("content_type"),
        sa.Column("raw_body", sa.LargeBinary()),
        text("call_id"),
        sa.Column("cseq", sa.BigInteger(), nullable=False),
        text("from_tag"),
        boolean("proven"),
        text("source"),
        sa.Column("request_key", sa.LargeBinary()),
        text("flags"),
        boolean("resent"),
        text("origin"),
        text("client_ref"),
        text("tags"),
        text("status"),
        integer("status_code", nullable=True),
        text("reason_phrase", nullable=True),
        sa.Column("retry_after", sa.BigInteger()),
        boolean("local", nullable=True),
        integer("attempts"),
        boolean("unanswered"),
        instant("created_at"),
        instant("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("archive_id", name="pk_message"),
        sa.UniqueConstraint("id", name="uq_message_id"),
        sa.UniqueConstraint("request_key", name="uq_message_request_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_peer_archive_id", "message", ["peer", "archive_id"])
    op.create_index("ix_message_created_at", "message", ["created_at"])
    op.create_index(
        "ix_message_unanswered",
        "message",
        ["archive_id"],
        sqlite_where=sa.text("unanswered = 1"),
        postgresql_where=sa.text("unanswered = true"),
    )


def create_delivery() -> None:
    op.create_table(
        "delivery",
        rising_id("number"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("archive_id", RISING_ID, nullable=False),
        integer("place"),
        integer("part"),
        text("state"),
        text("account"),
        text("peer"),
        text("to_uri"),
        text("target"),
        text("destination"),
        text("content_type"),
        text("body"),
        instant("due_at"),
        instant("expires_at"),
        integer("attempts"),
        sa.PrimaryKeyConstraint("number", name="pk_delivery"),
        sa.UniqueConstraint("id", name="uq_delivery_id"),
        sa.ForeignKeyConstraint(
            ["archive_id"],
            ["message.archive_id"],
            name="fk_delivery_archive_id_message",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_delivery_archive_id_place", "delivery", ["archive_id", "place"])
    for columns in (["peer", "archive_id", "place"], ["peer", "due_at"], ["peer", "expires_at"]):
        op.create_index(
            "ix_delivery_" + "_".join(columns),
            "delivery",
            columns,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def create_attempt() -> None:
    op.create_table(
        "attempt",
        rising_id("number"),
        sa.Column("delivery", RISING_ID, nullable=False),
        instant("at"),
        integer("status_code"),
        text("reason_phrase"),
        sa.Column("retry_after", sa.BigInteger()),
        boolean("local"),
        integer("elapsed_ms"),
        sa.PrimaryKeyConstraint("number", name="pk_attempt"),
        sa.ForeignKeyConstraint(
            ["delivery"],
            ["delivery.number"],
            name="fk_attempt_delivery_delivery",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_attempt_delivery", "attempt", ["delivery"])


def create_peer() -> None:
    op.create_table(
        "peer",
        text("aor"),
        instant("due_at", nullable=True),
        text("destination", nullable=True),
        instant("held_until", nullable=True),
        instant("lease_until", nullable=True),
        sa.Column("leased", sa.BigInteger()),
        sa.Column("known", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("refuses", sa.Integer(), server_default="0", nullable=False),
        instant("refused_at", nullable=True),
        sa.PrimaryKeyConstraint("aor", name="pk_peer"),
    )
    op.create_index("ix_peer_due_at", "peer", ["due_at"])
    op.create_index("ix_peer_lease_until", "peer", ["lease_until"])


def create_command() -> None:
    op.create_table(
        "command",
        rising_id("number"),
        text("id"),
        instant("at"),
        text("who"),
        text("proof"),
        text("origin"),
        text("text"),
        text("verb"),
        text("argument"),
        sa.Column("message_id", sa.Uuid()),
        text("channel"),
        text("state"),
        text("outcome", nullable=True),
        text("problem"),
        text("evidence"),
        text("detail"),
        integer("elapsed_ms"),
        sa.PrimaryKeyConstraint("number", name="pk_command"),
        sa.UniqueConstraint("id", name="uq_command_id"),
        sa.UniqueConstraint("message_id", name="uq_command_message_id"),
    )
    op.create_index("ix_command_at", "command", ["at"])


def create_hook_delivery() -> None:
    op.create_table(
        "hook_delivery",
        rising_id("number"),
        text("id"),
        text("source"),
        text("duplicate_key"),
        sa.Column("unique_key", sa.LargeBinary()),
        instant("received_at"),
        text("content_type"),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        text("message_ids"),
        sa.PrimaryKeyConstraint("number", name="pk_hook_delivery"),
        sa.UniqueConstraint("id", name="uq_hook_delivery_id"),
        sa.UniqueConstraint("unique_key", name="uq_hook_delivery_unique_key"),
    )


def create_token() -> None:
    op.create_table(
        "token",
        text("name"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        text("scopes"),
        instant("created_at"),
        sa.PrimaryKeyConstraint("name", name="pk_token"),
        sa.UniqueConstraint("digest", name="uq_token_digest"),
    )


def create_idempotency() -> None:
    op.create_table(
        "idempotency",
        text("scope"),
        text("key"),
        text("fingerprint"),
        instant("claimed_at"),
        integer("status", nullable=True),
        text("body", nullable=True),
        text("location", nullable=True),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_claimed_at", "idempotency", ["claimed_at"])


def downgrade() -> None:
    for table in (
        "idempotency",
        "token",
        "hook_delivery",
        "command",
        "peer",
        "attempt",
        "delivery",
        "message",
    ):
        op.drop_table(table)
