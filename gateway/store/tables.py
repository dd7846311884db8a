"""The tables of the store."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    literal_column,
    true,
)

from gateway.store.columns import Lines, RisingId, SafeText, UtcDateTime

OPEN = "open"
"""State of a delivery that is still to be made; any other is its end."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# The gateways that share the database.
node = Table(
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    # Until then nobody takes over what it left unanswered.
    Column("lease_until", UtcDateTime, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("archive_id", RisingId, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("direction", Text, nullable=False),
    Column("account", SafeText, nullable=False),
    Column("peer", SafeText, nullable=False),
    Column("from_uri", SafeText, nullable=False),
    Column("to_uri", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    # What is searched: lower() of SQLite knows only ASCII letters.
    Column("folded", SafeText, nullable=False),
    Column("content_type", SafeText, nullable=False),
    Column("raw_body", LargeBinary),
    Column("call_id", SafeText, nullable=False),
    Column("cseq", BigInteger, nullable=False),
    Column("from_tag", SafeText, nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("source", SafeText, nullable=False),
    # Of (account, proven, call_id, cseq, from_tag); null when outbound.
    Column("request_key", LargeBinary, unique=True),
    Column("flags", Lines, nullable=False),
    Column("resent", Boolean, nullable=False),
    Column("origin", SafeText, nullable=False),
    Column("client_ref", SafeText, nullable=False),
    Column("tags", Lines, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_code", Integer),
    Column("reason_phrase", SafeText),
    Column("retry_after", BigInteger),
    Column("local", Boolean),
    Column("attempts", Integer, nullable=False),
    Column("unanswered", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    # Who received it; null when outbound, or older than nodes.
    Column("node", Text),
    # Who answers it instead, since that one stopped.
    Column("taken_by", Text),
    # An archive id is never given twice, even after the newest message was deleted.
    sqlite_autoincrement=True,
)
Index(None, message.c.peer, message.c.archive_id)
Index(None, message.c.created_at)
Index(
    "ix_message_unanswered",
    message.c.archive_id,
    sqlite_where=message.c.unanswered == true(),
    postgresql_where=message.c.unanswered == true(),
)

delivery = Table(
    "delivery",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("archive_id", ForeignKey(message.c.archive_id, ondelete="CASCADE"), nullable=False),
    # Among the deliveries of its message; those of one peer leave by (archive_id, place).
    Column("place", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("account", SafeText, nullable=False),
    Column("peer", SafeText, nullable=False),
    Column("to_uri", SafeText, nullable=False),
    Column("target", SafeText, nullable=False),
    Column("destination", SafeText, nullable=False),
    Column("content_type", SafeText, nullable=False),
    Column("body", SafeText, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
)
Index(None, delivery.c.archive_id, delivery.c.place)
IS_OPEN = delivery.c.state == literal_column(f"'{OPEN}'")
"""Said in the statement, which need not look at a parameter to know that an index of open
deliveries serves it: with one SQLite plans it anew each time, and takes 50 times as long.
"""
for _columns in (
    (delivery.c.peer, delivery.c.archive_id, delivery.c.place),
    (delivery.c.peer, delivery.c.due_at),
    (delivery.c.peer, delivery.c.expires_at),
):
    Index(
        None,
        *_columns,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )

attempt = Table(
    "attempt",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("delivery", ForeignKey(delivery.c.number, ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("status_code", Integer, nullable=False),
    Column("reason_phrase", SafeText, nullable=False),
    Column("retry_after", BigInteger),
    Column("local", Boolean, nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
)
Index(None, attempt.c.delivery)

# A peer is a lane of the queue: its oldest delivery is leased, so none overtakes another.
peer = Table(
    "peer",
    metadata,
    Column("aor", SafeText, primary_key=True),
    # When there is something to lease, by refresh() of gateway.store.lanes; null: never.
    Column("due_at", UtcDateTime, index=True),
    # Where the first delivery goes: keeps full destinations out of the search.
    Column("destination", SafeText),
    # By which it leaves: only a node that has the account looks at the lane.
    Column("account", SafeText),
    # A deferred delivery holds back those behind it.
    Column("held_until", UtcDateTime),
    Column("lease_until", UtcDateTime, index=True),
    Column("leased", BigInteger),
    # The node that makes the attempt.
    Column("leased_by", Text),
    Column("known", Boolean, nullable=False, server_default=false()),
    Column("refuses", Integer, nullable=False, server_default="0"),
    Column("refused_at", UtcDateTime),
)

command = Table(
    "command",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("who", SafeText, nullable=False),
    Column("proof", SafeText, nullable=False),
    Column("origin", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("verb", SafeText, nullable=False),
    Column("argument", SafeText, nullable=False),
    # Unique, so that one message never runs two commands.
    Column("message_id", Uuid, unique=True),
    Column("channel", SafeText, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("problem", Text, nullable=False),
    Column("evidence", SafeText, nullable=False),
    Column("detail", SafeText, nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
    # Whose MicroSIP it drove, or was to drive.
    Column("node", Text),
)

call = Table(
    "call",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("direction", Text, nullable=False),
    Column("peer", SafeText, nullable=False, index=True),
    Column("name", SafeText, nullable=False),
    Column("started_at", UtcDateTime, nullable=False, index=True),
    Column("rang_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text),
    Column("sources", Lines, nullable=False),
    # Of its record in [Calls]; null while only hooks told of it.
    Column("record_key", SafeText),
    # Whose MicroSIP it is of.
    Column("node", Text),
    UniqueConstraint("node", "record_key"),
)

# From MicroSIP's event hooks, as they came.
call_event = Table(
    "call_event",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("user", SafeText, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("call", ForeignKey(call.c.number, ondelete="CASCADE"), nullable=False, index=True),
)

hook_delivery = Table(
    "hook_delivery",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("source", SafeText, nullable=False),
    Column("duplicate_key", SafeText, nullable=False),
    # Of (source, duplicate_key); null where the sender gives no id.
    Column("unique_key", LargeBinary, unique=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("content_type", SafeText, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("message_ids", Lines, nullable=False),
)

# What outbound webhooks tell; stored only when an endpoint wants it.
event = Table(
    "event",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # The whole document, so that each attempt sends the same.
    Column("body", SafeText, nullable=False),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("event", ForeignKey(event.c.number, ondelete="CASCADE"), nullable=False, index=True),
    Column("endpoint", SafeText, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    # The next attempt; while one is made, when it may be made again.
    Column("due_at", UtcDateTime, nullable=False),
    # Of the last attempt; status_code is null when there was no answer.
    Column("status_code", Integer),
    Column("reason", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
)
Index(None, webhook_delivery.c.endpoint, webhook_delivery.c.number)
Index(
    None,
    webhook_delivery.c.endpoint,
    webhook_delivery.c.due_at,
    sqlite_where=webhook_delivery.c.state == OPEN,
    postgresql_where=webhook_delivery.c.state == OPEN,
)

# The configuration owns the endpoints; only what they answered is kept.
webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("id", SafeText, primary_key=True),
    # It answered 410: nothing is sent to it until it is enabled again.
    Column("disabled_at", UtcDateTime),
)

token = Table(
    "token",
    metadata,
    Column("name", SafeText, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", Lines, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", SafeText, nullable=False),
    Column("key", SafeText, nullable=False),
    Column("fingerprint", SafeText, nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False, index=True),
    Column("status", Integer),
    Column("body", SafeText),
    Column("location", SafeText),
    PrimaryKeyConstraint("scope", "key"),
)
