"""What MicroSIP's Status, windows and calls, before and after, say about a command."""

from datetime import datetime

from gateway.microsip.call_evidence import begun, call_effect, spelled
from gateway.microsip.levels import already_set, is_shown, level_effect
from gateway.microsip.observation import Observation
from gateway.microsip.reported import NOT_REPORTED, newly_named, reading, word_effect
from gateway.microsip.status_words import most_specific
from gateway.phone import PhoneCommand, Verb
from gateway.phone_status import CALL_UP, PhoneState

DIALS = frozenset({Verb.DIAL, Verb.CALLTO})
_ANSWERED = frozenset({PhoneState.ACTIVE, PhoneState.HELD})
_DIALLED = frozenset({PhoneState.DIALING, PhoneState.ACTIVE})
_NEEDS_ANSWERED = frozenset({Verb.HOLD, Verb.TRANSFER, Verb.DTMF})
_NEEDS_CALL = _NEEDS_ANSWERED | {Verb.HANGUP}
_NEEDS_RINGING = frozenset({Verb.ANSWER, Verb.REJECT})


def precondition(command: PhoneCommand, before: Observation) -> str:
    """Why the phone's known state forbids *command*, and what to do; empty: it does not."""
    verb, states = command.verb, before.states
    if verb in DIALS and before.look.one_call:
        return "a call is up, and MicroSIP is set to one call at a time; hang up first"
    if states and verb in _NEEDS_RINGING and PhoneState.RINGING not in states:
        return "no call: nothing is ringing"
    if states and verb in _NEEDS_CALL:
        return _without_call(verb, states)
    return ""


def needless(command: PhoneCommand, before: Observation) -> str:
    """That it is already as *command* would have it; empty: it is not, or not known."""
    return already_set(command, before.look)


def effect(
    command: PhoneCommand, before: Observation, after: Observation, since: datetime
) -> str:
    """The evidence that *command*, handed over at *since*, was carried out; empty: none."""
    if command.verb is Verb.CLOSE:
        return "MicroSIP is gone" if after.gone else ""
    if command.verb is Verb.DEVICE and after.look.device:
        chosen = after.look.device
        return chosen if chosen.startswith(f"{command.argument} ") else ""
    if command.verb in NOT_REPORTED:
        return level_effect(command, before.look, after.look) or word_effect(
            command, before.raw or "", after.raw or ""
        )
    if command.verb in DIALS:
        seen = _dialled_by_words(command, before, after) or _dialled_in_window(
            command, before, after
        )
    else:
        seen = _transition(command, before, after)
    return seen or call_effect(command, before, after, since)


def may_still_show(command: PhoneCommand, before: Observation, after: Observation) -> bool:
    """Whether another look could bring the evidence that *after* does not hold."""
    if after.gone:
        return False
    if command.verb is Verb.CLOSE or after.silent:
        return True
    if command.verb not in NOT_REPORTED:
        # Windows that are read while they change may for once show nothing.
        return not (before.blind and after.blind)
    return is_shown(command, before.look) or reading(command, before.raw or "") is not None


def _without_call(verb: Verb, states: frozenset[PhoneState]) -> str:
    if not states & CALL_UP:
        if PhoneState.RINGING in states:
            return "no call is up; the phone is ringing: type answer or reject first"
        return "no call is up; dial first"
    if verb in _NEEDS_ANSWERED and not states & _ANSWERED:
        return "no call is up yet; wait until it is answered"
    return ""


def _dialled_by_words(command: PhoneCommand, before: Observation, after: Observation) -> str:
    if after.raw is None:
        return ""
    if before.state is PhoneState.IDLE and after.state in _DIALLED:
        return _arrow(before.state, after.state)
    return after.raw if newly_named(command, before.raw, after.raw) else ""


def _dialled_in_window(command: PhoneCommand, before: Observation, after: Observation) -> str:
    """Somebody at the PC may dial too: only with the number is it the call of *command*."""
    had_none = before.gone or before.states == {PhoneState.IDLE}
    if not had_none or after.state not in _DIALLED:
        return ""
    names = spelled(command.argument, before.prefix)
    number = after.look.number
    others = [call for call in begun(before, after) if call.peer not in names]
    if number not in names or others:
        return ""
    return f"{_arrow(before.state, after.state)}, {names[number]}"


def _transition(command: PhoneCommand, before: Observation, after: Observation) -> str:
    up_before = before.states & CALL_UP
    match command.verb:
        case Verb.HANGUP | Verb.TRANSFER:
            was = before.state
            known = up_before or before.raw is not None
            shown = known and was is not PhoneState.IDLE and after.state is PhoneState.IDLE
        case Verb.ANSWER:
            was = PhoneState.RINGING
            shown = _is_answered(before, after)
        case Verb.REJECT:
            was = PhoneState.RINGING
            shown = before.state is was and not up_before and after.state is PhoneState.IDLE
        case Verb.HOLD:
            return _held_or_resumed(before, after)
        case _:
            return ""
    return _arrow(was, after.state) if shown else ""


def _is_answered(before: Observation, after: Observation) -> bool:
    """With another call up before, what is active afterwards may be that one."""
    if PhoneState.RINGING not in before.states or before.states & CALL_UP:
        return False
    caller, number = before.look.peer or "", after.look.number or ""
    # What was typed into the number field stays there, if the number begins with it.
    other = bool(caller and number) and not caller.startswith(number)
    return after.state is PhoneState.ACTIVE and not other


def _held_or_resumed(before: Observation, after: Observation) -> str:
    was, now = (most_specific(seen.states & _ANSWERED) for seen in (before, after))
    if PhoneState.UNKNOWN in {was, now} or was is now or before.look.tab != after.look.tab:
        return ""
    return _arrow(was, now)


def _arrow(was: PhoneState, now: PhoneState) -> str:
    return f"{was} -> {now}"
