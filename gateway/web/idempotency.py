"""Idempotency keys: the same request twice has its effect once."""

import hashlib
import re
from contextlib import suppress
from dataclasses import replace
from typing import assert_never
from uuid import UUID, uuid5

from aiohttp import web

from gateway.errors import ConflictError, InvalidRequest, StorageUnavailable
from gateway.idempotency import Claim, IdempotencyKey, StoredResponse
from gateway.message import MessageId
from gateway.ports import Clock, Idempotency
from gateway.web.middleware import REQUEST_ID
from gateway.web.problem import CONTENT_TYPE, Code, HttpProblem
from gateway.web.route import JSON, Answer, Call, Handler

HEADER = "Idempotency-Key"
_KEYED = UUID("5f0c53f5-4f6f-5c0b-9a50-0f0c3f6b7d11")  # ours alone: names are hashed in it
_KEY = re.compile(r"[!-~]{1,255}")


def once_for(key: IdempotencyKey, command: str) -> MessageId:
    """In the place of the message that carries it: the audit runs no message twice.

    So the key holds for the phone even when the gateway is killed in the middle.
    """
    return MessageId(uuid5(_KEYED, f"{key.scope}\n{key.key}\n{command}"))


class OnceOnly:
    """Runs a handler once for a key; a repeated request gets the first one's answer.

    The store frees the key of a request that was cut off. What must not happen twice even
    then is tied to the key: a message is queued in the transaction that completes it, a
    phone command has its name in the audit.
    """

    def __init__(self, *, idempotency: Idempotency, clock: Clock) -> None:
        self._idempotency = idempotency
        self._clock = clock

    async def answer(self, call: Call, handler: Handler) -> Answer:
        key = _key(call)
        if key is None:
            return await handler(call)
        fingerprint = hashlib.sha256(await call.request.read()).hexdigest()
        match await self._idempotency.claim(key, fingerprint, self._clock()):
            case StoredResponse() as stored:
                return _replayed(stored)
            case Claim.MISMATCH:
                raise HttpProblem(
                    Code.IDEMPOTENCY_MISMATCH, "this key came with another body; use a new key"
                )
            case Claim.IN_PROGRESS:
                raise HttpProblem(
                    Code.IDEMPOTENCY_IN_PROGRESS,
                    "the first request with this key has not ended; ask again later",
                    headers={"Retry-After": "1"},
                )
            case Claim.CLAIMED:
                return await self._run(replace(call, key=key), key, handler)
            case never:
                assert_never(never)

    async def _run(self, call: Call, key: IdempotencyKey, handler: Handler) -> Answer:
        try:
            answer = await handler(call)
        except HttpProblem as problem:
            await self._end(call.request, key, problem)
            raise
        except (InvalidRequest, ConflictError):
            await self._abandon(key)
            raise
        if not answer.key_completed:
            location = answer.headers.get("Location", "")
            await self._idempotency.complete(
                key, StoredResponse(answer.status, answer.body, location)
            )
        return answer

    async def _end(
        self, request: web.Request, key: IdempotencyKey, problem: HttpProblem
    ) -> None:
        if not problem.took_effect:
            await self._abandon(key)
            return
        document = problem.document(request[REQUEST_ID])
        await self._idempotency.complete(key, StoredResponse(problem.code.status, document))

    async def _abandon(self, key: IdempotencyKey) -> None:
        with suppress(StorageUnavailable):  # what is being raised says more
            await self._idempotency.abandon(key)


def _key(call: Call) -> IdempotencyKey | None:
    text = call.request.headers.get(HEADER)
    if text is None or call.token is None:
        return None
    if not _KEY.fullmatch(text):
        raise HttpProblem(
            Code.INVALID_REQUEST, f"{HEADER} takes 1 to 255 visible ASCII characters"
        )
    scope = f"{call.token.name} {call.request.method} {call.request.path}"
    return IdempotencyKey(scope, text)


def _replayed(stored: StoredResponse) -> Answer:
    headers = {"Idempotent-Replayed": "true"}
    if stored.location:
        headers["Location"] = stored.location
    return Answer(
        status=stored.status,
        body=stored.body,
        content_type=CONTENT_TYPE if stored.status >= 400 else JSON,
        headers=headers,
    )
