"""An account with a registrar is registered, and says when that comes back."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise

import pytest
from pydantic import SecretStr

from gateway.config import Account
from gateway.sip.user_agent import UserAgent
from tests.sip.conftest import SECRET, Returned, delivery
from tests.sip.peer import HOST, Peer, Reply, always, challenged, ok, registered, silent

pytestmark = pytest.mark.timeout(90)

Make = Callable[..., AbstractAsyncContextManager[UserAgent]]


def account(peer: Peer, **changed: object) -> Account:
    return Account.model_validate(
        {
            "name": "bot",
            "uri": "sip:bot@office.test",
            "registrar": f"sip:{HOST}:{peer.port}",
            "username": "bot",
            "password": SecretStr("secret"),
            **changed,
        }
    )


async def test_registers_with_digest_and_leaves_at_a_clean_stop(
    make: Make, peer: Peer, returned: Returned
) -> None:
    peer.answers["REGISTER"] = challenged("bot", "secret")

    async with make(account(peer)) as user_agent:
        name = await returned.next()
        state = user_agent.registrations["bot"]
        health = {part.part: part for part in await user_agent.health()}
        first, second = await peer.next("REGISTER"), await peer.next("REGISTER")
    last = [await peer.next("REGISTER") for _ in range(peer.requests.qsize())][-1]

    assert name == "bot"
    assert (state.registered, state.status_code) == (True, 200)
    assert health["registration:bot"].ok
    assert not health["registration:bot"].required
    assert (first.header("Authorization"), bool(second.header("Authorization"))) == ("", True)
    assert f";gw={SECRET}" in second.header("Contact")
    assert last.header("Expires") == "0"


async def test_a_registration_is_refreshed(make: Make, peer: Peer, returned: Returned) -> None:
    peer.answers["REGISTER"] = challenged("bot", "secret")

    async with make(account(peer, expires=10)):
        await returned.next()
        registered = [await peer.next("REGISTER"), await peer.next("REGISTER")]
        refresh = await peer.next("REGISTER", within=12)

    assert all(request.header("Expires") == "10" for request in (*registered, refresh))


async def test_a_registrar_that_is_away_is_probed_until_it_is_back(
    make: Make, peer: Peer, returned: Returned
) -> None:
    loop = asyncio.get_running_loop()
    peer.answers["REGISTER"] = always(Reply(503, "Away"))

    async with make(account(peer)) as user_agent:
        times = []
        for _ in range(3):
            await peer.next("REGISTER")
            times.append(loop.time())
        down = user_agent.registrations["bot"]
        peer.answers["REGISTER"] = challenged("bot", "secret")
        name = await returned.next()

    assert (down.registered, down.status_code) == (False, 503)
    assert all(2 < later - earlier < 7 for earlier, later in pairwise(times))
    assert name == "bot"


async def test_a_silent_registrar_is_found_again_within_seconds(
    make: Make, peer: Peer, returned: Returned
) -> None:
    peer.answers["REGISTER"] = silent

    async with make(account(peer)) as user_agent:
        for _ in range(3):
            await peer.next("REGISTER")
        health = {part.part: part for part in await user_agent.health()}
        peer.answers["REGISTER"] = challenged("bot", "secret")
        name = await returned.next(within=6)

    assert not health["registration:bot"].ok
    assert health["sip_engine"].ok
    assert name == "bot"


async def test_a_refused_password_is_reported_not_hidden(make: Make, peer: Peer) -> None:
    peer.answers["REGISTER"] = challenged("bot", "other")

    async with make(account(peer)) as user_agent:
        await peer.next("REGISTER")
        await peer.next("REGISTER")
        await user_agent.send(delivery(peer))  # what is reported before its answer is here then
        state = user_agent.registrations["bot"]

    assert (state.registered, state.status_code) == (False, 401)


async def test_seven_accounts_register_each(make: Make, peer: Peer, returned: Returned) -> None:
    peer.answers["REGISTER"] = registered
    accounts = [account(peer, name=f"a{n}", uri=f"sip:10{n}@office.test") for n in range(7)]

    async with make(*accounts):
        names = {await returned.next() for _ in accounts}

    assert names == {f"a{n}" for n in range(7)}


async def test_a_registrar_that_sends_no_contact_back_is_no_failure(
    make: Make, peer: Peer
) -> None:
    peer.answers["REGISTER"] = ok

    async with make(account(peer)) as user_agent:
        await peer.next("REGISTER")

        assert (await user_agent.health())[0].ok
