"""Bearer tokens, of which only hashes are kept."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.bearer_token import Token
from gateway.errors import ConflictError
from gateway.ports import Clock
from gateway.store.database import Database, insert_into
from gateway.store.group_commit import GroupCommit
from gateway.store.rows import AnyRow, Values
from gateway.store.tables import token

_REMEMBERED = timedelta(seconds=1)
"""How long a token that was revoked may still let in: it is not looked up each time."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Found:
    token: Token
    at: datetime


class SqlTokens:
    """Tokens on SQL.

    SHA-256 without salt or stretching is enough, as the secrets are random and long.
    """

    def __init__(self, *, database: Database, clock: Clock = _now) -> None:
        self._database = database
        self._clock = clock
        self._finding = GroupCommit(database=database, work=_find, only_reads=True)
        self._found: dict[bytes, _Found] = {}
        """By the digest of their secret."""

    async def create_token(self, name: str, scopes: frozenset[str], secret: str) -> Token:
        created = Token(name=name, scopes=scopes, created_at=self._clock())

        async def work(connection: AsyncConnection) -> Token:
            insert = insert_into(connection, token).values(_values(created, secret))
            added = await connection.execute(
                insert.on_conflict_do_nothing().returning(token.c.name)
            )
            if added.first() is None:
                raise ConflictError(f"there is a token {name} already; revoke it first")
            return created

        return await self._database.write(work)

    async def replace_token(self, name: str, scopes: frozenset[str], secret: str) -> Token:
        created = Token(name=name, scopes=scopes, created_at=self._clock())
        values = _values(created, secret)

        async def work(connection: AsyncConnection) -> Token:
            insert = insert_into(connection, token).values(values)
            await connection.execute(
                insert.on_conflict_do_update(index_elements=[token.c.name], set_=values)
            )
            return created

        return await self._database.write(work)

    async def tokens(self) -> Sequence[Token]:
        query = select(token).order_by(token.c.name)

        async def work(connection: AsyncConnection) -> Sequence[Token]:
            return [_token(row) for row in await connection.execute(query)]

        return await self._database.read(work)

    async def revoke_token(self, name: str) -> bool:
        statement = delete(token).where(token.c.name == name)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(statement)).rowcount > 0

        return await self._database.write(work)

    async def token_for(self, secret: str) -> Token | None:
        digest, now = _digest(secret), self._clock()
        remembered = self._found.get(digest)
        if remembered is not None and timedelta() <= now - remembered.at < _REMEMBERED:
            return remembered.token
        self._found.pop(digest, None)
        found = await self._finding.submit(digest)
        if found is not None:
            self._found[digest] = _Found(found, now)
        return found


async def _find(
    connection: AsyncConnection, digests: Sequence[bytes]
) -> Sequence[Token | None]:
    rows = (
        await connection.execute(select(token).where(token.c.digest.in_(set(digests))))
    ).all()
    return [_of_digest(rows, digest) for digest in digests]


def _of_digest(rows: Sequence[AnyRow], digest: bytes) -> Token | None:
    """The index found them; that took a time that tells of the hashes, not the secrets."""
    for row in rows:
        if hmac.compare_digest(row.digest, digest):
            return _token(row)
    return None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _values(created: Token, secret: str) -> Values:
    return {
        "name": created.name,
        "digest": _digest(secret),
        "scopes": sorted(created.scopes),
        "created_at": created.created_at,
    }


def _token(row: AnyRow) -> Token:
    return Token(name=row.name, scopes=frozenset(row.scopes), created_at=row.created_at)
