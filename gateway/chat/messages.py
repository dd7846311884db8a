"""The command that writes to somebody else."""

from gateway.address import SipUri
from gateway.caller import Permission
from gateway.chat.command import Call, Command, CommandLine, Reply
from gateway.errors import AddressError, InvalidRequest
from gateway.phone import CommandOutcome
from gateway.ports import Submitter

_WHAT_TO_TYPE = "send takes a peer and a text; type: send 1002 I am back at three"


class MessageCommands:
    """``send PEER TEXT``."""

    def __init__(self, *, submitter: Submitter) -> None:
        self._submitter = submitter

    def commands(self) -> tuple[Command, ...]:
        send = Command(
            name="send",
            usage="send PEER TEXT",
            help="Sends a message in your name; you are told once if it cannot be delivered.",
            run=self._send,
            permissions=(Permission.SEND,),
            subject=_peer,
            once=True,
        )
        return (send,)

    async def _send(self, call: Call) -> Reply:
        peer, text = _peer(call.line), call.line.beyond(1)
        if not text:
            raise InvalidRequest(_WHAT_TO_TYPE)
        message = await self._submitter.send_for(call.caller, peer, text)
        return Reply(outcome=CommandOutcome.CONFIRMED, subject=peer, state=message.status.value)


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
