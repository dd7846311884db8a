"""What is said of a command: its outcome, decided from what was observed."""

from dataclasses import dataclass

from gateway.errors import PhoneError
from gateway.microsip.evidence import NOT_REPORTED, Observation, effect, precondition
from gateway.phone import CommandOutcome, PhoneCommand, Problem


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


def forbidden(command: PhoneCommand, before: Observation) -> Verdict | None:
    """Where the phone's known state rules *command* out, so that nothing is sent."""
    reason = precondition(command, before)
    if not reason:
        return None
    return Verdict(
        outcome=CommandOutcome.FAILED, problem=Problem.NO_CALL, detail=reason, seen=before
    )


def status_read(seen: Observation) -> Verdict:
    if seen.raw is None:
        detail = _NO_STATUS
    elif not seen.states:
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
    timed_out: PhoneError | None,
) -> Verdict:
    """Of a command that was handed over, or whose hand-over *timed_out*."""
    evidence = effect(command, before, after)
    if evidence:
        return Verdict(outcome=CommandOutcome.CONFIRMED, evidence=evidence, seen=after)
    unconfirmed = CommandOutcome.UNCONFIRMED
    if timed_out is not None:
        problem = Problem(timed_out.problem)
        return Verdict(
            outcome=unconfirmed, problem=problem, detail=timed_out.detail, seen=after
        )
    return Verdict(outcome=unconfirmed, detail=_unseen(command, after), seen=after)


def _unseen(command: PhoneCommand, after: Observation) -> str:
    """Why nothing shows that the command took effect, after MicroSIP took it."""
    if after.gone:
        return "sent; then MicroSIP ended: look at the phone"
    if after.silent:
        return "sent; then MicroSIP stopped responding: look at the phone"
    if command.verb in NOT_REPORTED:
        return "sent; MicroSIP does not report it"
    if after.raw is None:
        return f"sent; {_NO_STATUS}: look at the phone"
    return f"sent; MicroSIP still says {after.raw!r}: look at the phone"
