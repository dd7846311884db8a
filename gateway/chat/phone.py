"""The sixteen verbs of MicroSIP as chat commands."""

from datetime import tzinfo

from gateway.caller import Permission
from gateway.chat.access import Access, Denied
from gateway.chat.command import Call, Command, Reply, Run
from gateway.chat.confirm import VALID_FOR, Confirmations
from gateway.chat.status_line import status_line
from gateway.errors import InvalidRequest
from gateway.phone import (
    TO_CONFIRM,
    CommandOutcome,
    CommandResult,
    PhoneCommand,
    PhoneRequest,
    Problem,
    Verb,
    parse_command,
)
from gateway.ports import CallControl, Clock

INTERRUPTED = "interrupted; check the phone"

_HELP = {
    Verb.DIAL: "Calls a number or SIP URI; a call that is up is put on hold.",
    Verb.CALLTO: "Calls a number or SIP URI, without holding the call in progress.",
    Verb.HANGUP: "Ends the call.",
    Verb.ANSWER: "Answers the ringing call.",
    Verb.REJECT: "Rejects the ringing call.",
    Verb.HOLD: "Holds the call, or resumes the held one.",
    Verb.TRANSFER: "Transfers the call to a number or SIP URI, without asking first.",
    Verb.DTMF: "Sends tones: 0-9 A-D * #, and a pause for each comma.",
    Verb.MUTE: "Mutes the microphone, or ends that.",
    Verb.VOLUP: "Turns the loudspeaker up by so many steps.",
    Verb.VOLDOWN: "Turns the loudspeaker down by so many steps.",
    Verb.VOLUME: "Sets the loudspeaker's volume.",
    Verb.MICVOLUME: "Sets the microphone's volume.",
    Verb.DEVICE: "Chooses the microphone (input) or loudspeaker (output), when confirmed.",
    Verb.STATUS: "Says what MicroSIP is doing.",
    Verb.CLOSE: "Closes MicroSIP, when confirmed.",
}
_TO_CONFIRM = {
    Verb.CLOSE: "To close MicroSIP",
    Verb.DEVICE: "To change the device, for which MicroSIP may have to restart,",
}
_PERMISSIONS = {Verb.STATUS: Permission.PHONE_READ, Verb.CLOSE: Permission.ADMIN}


class PhoneCommands:
    """Each verb by its chat word and DDE name, and ``confirm``."""

    def __init__(
        self,
        *,
        call_control: CallControl,
        confirmations: Confirmations,
        access: Access,
        clock: Clock,
        timezone: tzinfo,
    ) -> None:
        self._call_control = call_control
        self._confirmations = confirmations
        self._access = access
        self._clock = clock
        self._timezone = timezone

    def commands(self) -> tuple[Command, ...]:
        confirm = Command(
            name="confirm",
            usage="confirm CODE",
            help="Carries out the command that was answered with this code.",
            run=self._confirm,
            perishable=True,
        )
        return (*(self._command(verb) for verb in Verb), confirm)

    def _command(self, verb: Verb) -> Command:
        return Command(
            name=verb.value,
            usage=verb.usage,
            help=_HELP[verb],
            run=self._ask_about(verb) if verb in TO_CONFIRM else self._run_of(verb),
            aliases=tuple({verb.dde_name.lower()} - {verb.value}),
            permissions=(_PERMISSIONS.get(verb, Permission.PHONE_CONTROL),),
            subject=lambda line: parse_command(verb, line.words).argument,
            perishable=True,
        )

    def _run_of(self, verb: Verb) -> Run:
        async def run(call: Call) -> Reply:
            return await self._execute(parse_command(verb, call.line.words), call)

        return run

    async def _execute(self, command: PhoneCommand, call: Call) -> Reply:
        return phone_reply(
            await self._call_control.execute(
                PhoneRequest(
                    command=command,
                    caller=call.caller,
                    text=call.text,
                    message_id=call.message_id,
                )
            ),
            self._timezone,
        )

    def _ask_about(self, verb: Verb) -> Run:
        async def ask(call: Call) -> Reply:
            command = parse_command(verb, call.line.words)
            code = self._confirmations.ask(call.caller.who, command, self._clock())
            seconds = round(VALID_FOR.total_seconds())
            return Reply(
                outcome=CommandOutcome.UNCONFIRMED,
                subject=command.argument,
                state="to be confirmed",
                lines=(f"{_TO_CONFIRM[verb]} type within {seconds} s: confirm {code}",),
            )

        return ask

    async def _confirm(self, call: Call) -> Reply:
        if len(call.line.words) != 1:
            raise InvalidRequest("confirm takes the code it was asked with; type: confirm CODE")
        who, code = call.caller.who, call.line.words[0]
        command = self._confirmations.take(who, code, self._clock())
        if command is None:
            raise InvalidRequest(
                "no command waits for this code, or no longer; type the command again"
            )
        asked = self._command(command.verb)
        decision = self._access.decide(call.caller, asked, command.argument, call.at)
        if isinstance(decision, Denied):
            return Reply(
                outcome=CommandOutcome.REFUSED,
                verb=asked.name,
                state=decision.why,
                lines=decision.remedy,
                problem=Problem.NOT_ALLOWED,
            )
        return await self._execute(command, call)


def phone_reply(result: CommandResult, zone: tzinfo | None = None) -> Reply:
    """What the caller, who is in *zone*, is told of *result*."""
    return Reply(
        outcome=_outcome(result),
        verb=result.command.verb.value,
        subject=result.command.argument,
        state=_state(result, zone) + ("; simulated" if result.simulated else ""),
        command_id=result.command_id,
    )


def _outcome(result: CommandResult) -> CommandOutcome:
    if result.problem is Problem.INTERRUPTED:
        return CommandOutcome.UNCONFIRMED
    if result.outcome is CommandOutcome.REFUSED and result.problem is not Problem.NOT_ALLOWED:
        return CommandOutcome.FAILED
    return result.outcome


def _state(result: CommandResult, zone: tzinfo | None) -> str:
    if result.problem is Problem.INTERRUPTED:
        return INTERRUPTED
    if result.command.verb is Verb.STATUS and result.status is not None:
        line = status_line(result.status, zone)
        return f"{line}; {result.detail}" if result.detail else line
    if result.outcome is CommandOutcome.CONFIRMED:
        return result.evidence or result.detail or "done"
    return result.detail or result.evidence or result.problem.value or "not confirmed"
