"""What MicroSIP's sliders and mute buttons say about a command."""

from math import ceil

from gateway.phone import PhoneCommand, Verb
from gateway.phone_status import Look

STEP = 5
"""Of 0 to 100: what MicroSIP moves a slider by at once."""
LOUDEST = 100


def is_shown(command: PhoneCommand, look: Look) -> bool:
    """Whether *look* tells of the thing that *command* sets."""
    if command.verb is Verb.MUTE:
        return look.muted is not None
    return level(command, look) is not None


def level(command: PhoneCommand, look: Look) -> int | None:
    """Where the slider stands that *command* moves."""
    match command.verb:
        case Verb.VOLUME | Verb.VOLUP | Verb.VOLDOWN:
            return look.volume
        case Verb.MICVOLUME:
            return look.mic_volume
        case _:
            return None


def silenced(command: PhoneCommand, look: Look) -> bool:
    """Muted: what moves the slider ends that."""
    return bool(look.muted if command.verb is Verb.MICVOLUME else look.speaker_muted)


def wanted(command: PhoneCommand, stands: int) -> int:
    """Where *command* will have moved the slider that *stands* there."""
    match command.verb:
        case Verb.VOLUP:
            return min(LOUDEST, stands + STEP * int(command.argument))
        case Verb.VOLDOWN:
            return max(0, stands - STEP * int(command.argument))
        case _:
            return int(command.argument)


def moves(stands: int, wanted_level: int) -> tuple[int, ...]:
    """The steps up, or negative down, that bring a slider nearest to *wanted_level*.

    Where it cannot get there in whole steps it goes by the end stop that costs fewer.
    """
    directly = round((wanted_level - stands) / STEP)
    steps_from_bottom = round(wanted_level / STEP)
    from_bottom = STEP * steps_from_bottom
    if abs(stands + STEP * directly - wanted_level) <= abs(from_bottom - wanted_level):
        return (directly,) if directly else ()
    by_bottom = (-ceil(stands / STEP), steps_from_bottom)
    by_top = (ceil((LOUDEST - stands) / STEP), steps_from_bottom - LOUDEST // STEP)
    shorter = min(by_bottom, by_top, key=lambda way: sum(map(abs, way)))
    return tuple(run for run in shorter if run)


def already_set(command: PhoneCommand, look: Look) -> str:
    """The evidence that nothing is left to do; empty: something is, or that is not known."""
    stands = level(command, look)
    if stands is None or silenced(command, look) or wanted(command, stands) != stands:
        return ""
    return f"already {stands}"


def level_effect(command: PhoneCommand, before: Look, after: Look) -> str:
    """The evidence in what both show; empty: none."""
    if command.verb is Verb.MUTE:
        if before.muted is None or after.muted is None or before.muted is after.muted:
            return ""
        return "microphone muted" if after.muted else "microphone no longer muted"
    stood, stands = level(command, before), level(command, after)
    if stood is None or stands is None or stands != wanted(command, stood):
        return ""
    heard_again = silenced(command, before) and not silenced(command, after)
    if stands == stood and not heard_again:
        return ""
    return f"{stood} -> {stands}" + (", no longer muted" if heard_again else "")


def shortfall(command: PhoneCommand, after: Look) -> str:
    """What is said where the slider stands at another value than was asked for."""
    stands = level(command, after)
    if command.verb not in {Verb.VOLUME, Verb.MICVOLUME} or stands is None:
        return ""
    if moves(stands, int(command.argument)):
        return f"sent; it is at {stands}: try again"
    return f"sent; it is at {stands}: MicroSIP moves it in steps of {STEP}"
