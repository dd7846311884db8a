"""The claim of the running gateway to its part in a PostgreSQL database."""

import hashlib

from sqlalchemy import Function, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import AlreadyRunning

_WHOLE = int.from_bytes(b"sip-gate")
"""Key of the lock that gateways share; who holds it alone has the database for itself."""
_UPGRADE = int.from_bytes(b"sip-upgr")
_LOCK_NOT_AVAILABLE = "55P03"
_SESSION = {
    # A gateway that was told to stop may still be finishing.
    "lock_timeout": "3s",
    # A machine that lost its power holds its claim for two minutes, not for two hours.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
}


async def claim(connection: AsyncConnection, node: str) -> None:
    """Be the one gateway that is *node* until *connection* ends; raises AlreadyRunning."""
    url = await _prepared(connection)
    await _hold(
        connection,
        func.pg_advisory_lock_shared(_WHOLE),
        f"the database {url} is being copied, or in use by another gateway of an older"
        " version; wait for its end, or set [database] url to a database of its own",
    )
    await _hold(
        connection,
        func.pg_advisory_lock(_key(node)),
        f"another gateway with the id {node} uses the database {url}: one has a copy of the"
        " other's data folder; stop the copy, delete the file node in its data_dir and start"
        " it again",
    )


async def claim_whole(connection: AsyncConnection) -> None:
    """Keep every gateway away until *connection* ends; raises AlreadyRunning."""
    url = await _prepared(connection)
    await _hold(
        connection,
        func.pg_advisory_lock(_WHOLE),
        f"the database {url} is in use by another gateway; stop all that use it, or name"
        " another database",
    )


async def one_upgrade_at_a_time(connection: AsyncConnection) -> None:
    """Several gateways may be started at once: let the others wait for this transaction."""
    await connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE)))


async def _prepared(connection: AsyncConnection) -> str:
    """The database's address, once its locks wait as long as a gateway may take to stop."""
    await connection.execute(
        select(*(func.set_config(name, value, False) for name, value in _SESSION.items()))
    )
    return connection.engine.url.render_as_string(hide_password=True)


async def _hold(connection: AsyncConnection, lock: Function[None], otherwise: str) -> None:
    try:
        await connection.execute(select(lock))
    except DBAPIError as exc:
        if getattr(exc.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise AlreadyRunning(otherwise) from exc


def _key(node: str) -> int:
    digest = hashlib.sha256(f"sip-gateway node {node}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
