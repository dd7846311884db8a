"""What is said of a command: its outcome, decided from what was observed."""

from dataclasses import dataclass
from datetime import datetime

from gateway.errors import PhoneError
from gateway.microsip.call_evidence import begun, spelled
from gateway.microsip.evidence import DIALS, effect, needless, precondition
from gateway.microsip.levels import is_shown, shortfall
from gateway.microsip.observation import Observation
from gateway.microsip.reported import NOT_REPORTED
from gateway.phone import CommandOutcome, PhoneCommand, Problem, Verb
from gateway.phone_status import PhoneState


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outcome with its reason, for the one who gave the command."""

    outcome: CommandOutcome
    problem: Problem = Problem.NONE
    evidence: str = ""
    detail: str = ""
    seen: Observation | None = None
    """The last look at the phone."""


INTERRUPTED = Verdict(
    outcome=CommandOutcome.UNCONFIRMED,
    problem=Problem.INTERRUPTED,
    detail="interrupted; check the phone",
)
_NO_STATUS = "MicroSIP does not report its state"


def not_allowed(reason: str) -> Verdict:
    return Verdict(outcome=CommandOutcome.REFUSED, problem=Problem.NOT_ALLOWED, detail=reason)


def not_done(error: PhoneError) -> Verdict:
    """MicroSIP was not reached, or it refused."""
    return Verdict(
        outcome=CommandOutcome.FAILED, problem=Problem(error.problem), detail=error.detail
    )


def not_handed_over(command: PhoneCommand, before: Observation) -> Verdict | None:
    """Where the phone's known state rules *command* out, or leaves nothing to do."""
    if reason := precondition(command, before):
        failed, problem = CommandOutcome.FAILED, Problem.NO_CALL
        return Verdict(outcome=failed, problem=problem, detail=reason, seen=before)
    if evidence := needless(command, before):
        return Verdict(outcome=CommandOutcome.CONFIRMED, evidence=evidence, seen=before)
    return None


def status_read(seen: Observation) -> Verdict:
    if seen.blind:
        detail = _NO_STATUS
    elif seen.raw is not None and not seen.states:
        detail = "no known state word in it; add its words to [phone.dde.status_words]"
    else:
        detail = ""
    return Verdict(
        outcome=CommandOutcome.CONFIRMED,
        evidence=seen.raw or "",
        detail=detail,
        seen=seen,
    )


def judge(
    command: PhoneCommand,
    before: Observation,
    after: Observation,
    since: datetime,
    timed_out: PhoneError | None,
) -> Verdict:
    """Of a command that was handed over at *since*, or whose hand-over *timed_out*."""
    evidence = effect(command, before, after, since)
    if evidence:
        return Verdict(outcome=CommandOutcome.CONFIRMED, evidence=evidence, seen=after)
    unconfirmed = CommandOutcome.UNCONFIRMED
    if timed_out is not None:
        problem = Problem(timed_out.problem)
        return Verdict(
            outcome=unconfirmed, problem=problem, detail=timed_out.detail, seen=after
        )
    return Verdict(outcome=unconfirmed, detail=_unseen(command, before, after), seen=after)


def _unseen(command: PhoneCommand, before: Observation, after: Observation) -> str:
    """Why nothing shows that the command took effect, after MicroSIP took it."""
    if after.gone or after.silent:
        what = "ended" if after.gone else "stopped responding"
        return f"sent; then MicroSIP {what}: look at the phone"
    if command.verb in NOT_REPORTED:
        return shortfall(command, after.look) or _unreported(command, before)
    if after.raw is not None:
        return f"sent; MicroSIP still says {after.raw!r}: look at the phone"
    if before.blind and after.blind:
        return f"sent; {_NO_STATUS}: look at the phone"
    return _not_dialled(command, before, after) or _no_change(command, after)


def _unreported(command: PhoneCommand, before: Observation) -> str:
    if is_shown(command, before.look):
        return "sent; MicroSIP does not show it: look at the phone"
    return "sent; MicroSIP does not report it"


def _no_change(command: PhoneCommand, after: Observation) -> str:
    if command.verb is Verb.TRANSFER:
        return "sent; the call is still here: the other side may refuse it, look at the phone"
    return f"sent; MicroSIP shows {after.state}: look at the phone"


def _not_dialled(command: PhoneCommand, before: Observation, after: Observation) -> str:
    if command.verb not in DIALS:
        return ""
    names = spelled(command.argument, before.prefix)
    if others := [call.peer for call in begun(before, after) if call.peer not in names]:
        return f"sent; but MicroSIP's new call is with {others[0]}: look at the phone"
    if after.state in {PhoneState.DIALING, PhoneState.ACTIVE}:
        return "sent; MicroSIP has a call, but does not show with whom: look at the phone"
    if PhoneState.RINGING in before.states:
        return "sent; no call shows: while it rings MicroSIP may dial nobody"
    return (
        "sent; no call shows: a MicroSIP that is not registered keeps the number, and will "
        "dial it when it is"
    )
