"""The claim of the running gateway to its PostgreSQL database."""

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import AlreadyRunning

_KEY = int.from_bytes(b"sip-gate")
_LOCK_NOT_AVAILABLE = "55P03"
_SESSION = {
    # A gateway that was told to stop may still be finishing.
    "lock_timeout": "3s",
    # A machine that lost its power holds its claim for two minutes, not for two hours.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
}


async def claim(connection: AsyncConnection) -> None:
    """Hold the database's advisory lock until *connection* ends; raises AlreadyRunning."""
    session = await connection.execution_options(isolation_level="AUTOCOMMIT")
    await session.execute(
        select(*(func.set_config(name, value, False) for name, value in _SESSION.items()))
    )
    try:
        await session.execute(select(func.pg_advisory_lock(_KEY)))
    except DBAPIError as exc:
        if getattr(exc.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        url = connection.engine.url.render_as_string(hide_password=True)
        raise AlreadyRunning(
            f"the database {url} is in use by another gateway; stop that one, or give this"
            " one a database of its own: set [database] url"
        ) from exc
