"""Tokens: found by their secret, which is kept nowhere."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.bearer_token import Token
from gateway.errors import ConflictError
from gateway.store.database import Database
from gateway.store.tables import token
from gateway.store.tokens import SqlTokens
from tests.fakes import NOON, FakeClock

SCOPES = frozenset({"messages:read", "phone:control"})


async def test_a_token_is_found_by_its_secret(tokens: SqlTokens) -> None:
    created = await tokens.create_token("crm", SCOPES, "s3cret")

    assert created == Token(name="crm", scopes=SCOPES, created_at=NOON)
    assert await tokens.token_for("s3cret") == created
    assert list(await tokens.tokens()) == [created]


@pytest.mark.parametrize("secret", ["", "s3cre", "S3cret", "\0", "\udc80"])
async def test_another_secret_finds_nothing(tokens: SqlTokens, secret: str) -> None:
    await tokens.create_token("crm", SCOPES, "s3cret")

    assert await tokens.token_for(secret) is None


async def test_a_name_is_taken_once(tokens: SqlTokens) -> None:
    await tokens.create_token("crm", SCOPES, "first")

    with pytest.raises(ConflictError, match="crm"):
        await tokens.create_token("crm", frozenset(), "second")

    assert await tokens.token_for("second") is None


async def test_a_replaced_token_ends_the_old_secret(tokens: SqlTokens) -> None:
    await tokens.replace_token("cli", SCOPES, "first")

    created = await tokens.replace_token("cli", frozenset(), "second")

    assert await tokens.token_for("first") is None
    assert await tokens.token_for("second") == created
    assert list(await tokens.tokens()) == [created]


async def test_a_revoked_token_is_gone(tokens: SqlTokens) -> None:
    await tokens.create_token("crm", SCOPES, "s3cret")

    revoked = [await tokens.revoke_token("crm"), await tokens.revoke_token("crm")]

    assert revoked == [True, False]
    assert await tokens.token_for("s3cret") is None


async def test_a_token_that_was_in_use_ends_a_second_after_it_was_revoked(
    database: Database,
) -> None:
    clock = FakeClock()
    in_use, elsewhere = (SqlTokens(database=database, clock=clock) for _ in range(2))
    created = await elsewhere.create_token("crm", SCOPES, "s3cret")
    found = [await in_use.token_for("s3cret")]

    await elsewhere.revoke_token("crm")

    found.append(await in_use.token_for("s3cret"))
    clock.advance(timedelta(seconds=1))
    assert [*found, await in_use.token_for("s3cret")] == [created, created, None]


async def test_a_token_is_looked_up_again_after_the_clock_was_set_back(
    database: Database,
) -> None:
    clock = FakeClock()
    tokens = SqlTokens(database=database, clock=clock)
    await tokens.create_token("crm", SCOPES, "s3cret")
    await tokens.token_for("s3cret")
    await tokens.revoke_token("crm")

    clock.advance(timedelta(hours=-1))

    assert await tokens.token_for("s3cret") is None


async def test_the_secret_itself_is_not_stored(tokens: SqlTokens, database: Database) -> None:
    await tokens.create_token("crm", SCOPES, "s3cret")

    async def work(connection: AsyncConnection) -> str:
        return repr((await connection.execute(select(token))).all())

    stored = await database.read(work)

    assert "crm" in stored
    assert "s3cret" not in stored
