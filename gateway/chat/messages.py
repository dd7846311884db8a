"""The command that writes to somebody else."""

import logging
from dataclasses import replace

from gateway.address import SipUri
from gateway.caller import Permission
from gateway.chat.command import Call, Command, CommandLine, Reply
from gateway.errors import AddressError, InvalidRequest, PhoneError, StorageUnavailable
from gateway.phone import CommandOutcome, Problem
from gateway.phone_message import PhoneMessage, parse_message
from gateway.ports import CallControl, Submitter

AS_ME = "as:me"

log = logging.getLogger(__name__)

_WHAT_TO_TYPE = "send takes a peer and a text; type: send 1002 I am back at three"


class MessageCommands:
    """``send PEER TEXT``; with ``as:me`` it goes out of the user's own MicroSIP."""

    def __init__(self, *, submitter: Submitter, call_control: CallControl) -> None:
        self._submitter = submitter
        self._call_control = call_control

    def commands(self) -> tuple[Command, ...]:
        plain = Command(
            name="send",
            usage=f"send [{AS_ME}] PEER TEXT",
            help=(
                "Sends a message in your name; you are told once if it cannot be delivered. "
                f"{AS_ME}: out of MicroSIP, as its own user."
            ),
            run=self._send,
            permissions=(Permission.SEND,),
            subject=_peer,
            once=True,
        )
        as_me = replace(
            plain,
            run=self._send_as_me,
            needs=(Permission.PHONE_CONTROL,),
            subject=lambda line: _message(line).number,
            perishable=True,
        )
        return (replace(plain, variant=lambda line: as_me if _is_as_me(line) else None),)

    async def _send(self, call: Call) -> Reply:
        peer, text = _peer(call.line), call.line.beyond(1)
        if not text:
            raise InvalidRequest(_WHAT_TO_TYPE)
        message = await self._submitter.send_for(call.caller, peer, text)
        return Reply(outcome=CommandOutcome.CONFIRMED, subject=peer, state=message.status.value)

    async def _send_as_me(self, call: Call) -> Reply:
        message = _message(call.line)
        try:
            said = await self._call_control.write(message)
        except PhoneError as exc:
            return _not_known_to_be_sent(message, exc)
        try:
            await self._submitter.keep_written(message)
        except StorageUnavailable as exc:
            # It was handed over, whatever the history can say: nobody must repeat it.
            log.warning("a message to %s is not in the history: %s", message.number, exc)
            said = f"{said}; the history has it not, the database is away"
        return Reply(
            outcome=CommandOutcome.UNCONFIRMED, subject=f"{AS_ME} {message.number}", state=said
        )


def _not_known_to_be_sent(message: PhoneMessage, error: PhoneError) -> Reply:
    match problem := Problem(error.problem):
        case Problem.NOT_ALLOWED:
            outcome = CommandOutcome.REFUSED
        case Problem.NOT_RESPONDING:
            outcome = CommandOutcome.UNCONFIRMED
        case _:
            outcome = CommandOutcome.FAILED
    return Reply(
        outcome=outcome,
        subject=f"{AS_ME} {message.number}",
        state=error.detail,
        problem=problem,
    )


def _is_as_me(line: CommandLine) -> bool:
    return next(iter(line.words), "").lower() == AS_ME


def _message(line: CommandLine) -> PhoneMessage:
    number = next(iter(line.words[1:]), "")
    return parse_message(number, line.beyond(2))


def _peer(line: CommandLine) -> str:
    """As typed, or the URI without what could hide another host in it (headers)."""
    peer = next(iter(line.words), "")
    if not peer:
        raise InvalidRequest(_WHAT_TO_TYPE)
    if "@" not in peer and ":" not in peer:
        return peer
    try:
        return str(SipUri.parse(peer if peer.lower().startswith("sip") else f"sip:{peer}"))
    except AddressError as exc:
        raise InvalidRequest(f"{exc}; type: send 1002 TEXT") from exc
