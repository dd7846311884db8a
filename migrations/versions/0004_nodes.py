"""Several gateways on one database: each is a node.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RISING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CALL_EVENTS = "number, id, kind, \"user\", at, call"

# Lanes that wait already: what is first in each of them.
FILL_ACCOUNT = """
UPDATE peer SET account = (
    SELECT delivery.account FROM delivery
    WHERE delivery.peer = peer.aor AND delivery.state = 'open'
    ORDER BY delivery.archive_id, delivery.place LIMIT 1
) WHERE due_at IS NOT NULL
"""


def instant(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "node",
        text("id"),
        instant("started_at"),
        instant("lease_until"),
        sa.PrimaryKeyConstraint("id", name="pk_node"),
    )
    op.add_column("message", text("node", nullable=True))
    op.add_column("message", text("taken_by", nullable=True))
    op.add_column("command", text("node", nullable=True))
    op.add_column("peer", text("account", nullable=True))
    op.add_column("peer", text("leased_by", nullable=True))
    op.execute(FILL_ACCOUNT)
    set_call_events_aside()
    with op.batch_alter_table("call") as call:
        call.add_column(text("node", nullable=True))
        call.drop_constraint("uq_call_record_key", type_="unique")
        call.create_unique_constraint("uq_call_node_record_key", ["node", "record_key"])
    put_call_events_back()


def set_call_events_aside() -> None:
    """SQLite changes a constraint by copying the table; dropping the old one cascades."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("CREATE TEMPORARY TABLE kept_call_event AS SELECT * FROM call_event")
    op.drop_table("call_event")


def put_call_events_back() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
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
    op.execute(
        f"INSERT INTO call_event ({CALL_EVENTS}) SELECT {CALL_EVENTS} FROM kept_call_event"
    )
    op.execute("DROP TABLE kept_call_event")


def downgrade() -> None:
    set_call_events_aside()
    with op.batch_alter_table("call") as call:
        call.drop_constraint("uq_call_node_record_key", type_="unique")
        call.drop_column("node")
        call.create_unique_constraint("uq_call_record_key", ["record_key"])
    put_call_events_back()
    op.drop_column("peer", "leased_by")
    op.drop_column("peer", "account")
    op.drop_column("command", "node")
    op.drop_column("message", "taken_by")
    op.drop_column("message", "node")
    op.drop_table("node")
