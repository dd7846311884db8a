"""What the controls of MicroSIP's windows say of its calls."""

import re
from dataclasses import dataclass

from gateway.call import LONGEST_USER
from gateway.phone_status import Look, PhoneState

_IN_BRACKETS = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class Button:
    """By its own style bits: also in a window that is not shown."""

    visible: bool = False
    enabled: bool = False
    checked: bool | None = None
    """None: it was not asked, or did not answer."""


HIDDEN = Button()


@dataclass(frozen=True, slots=True, kw_only=True)
class DialerPage:
    """The first page of the main window.

    Hold and transfer are those of the call in the tab that is selected in the messages
    window; end belongs to any call, but only where one call at a time is taken.
    """

    end: Button
    hold: Button
    transfer: Button
    record: Button | None = None
    """Enabled while there is any call, in whatever tab; not everybody has it."""
    number: str | None = None
    muted: bool | None = None
    speaker_muted: bool | None = None
    volume: int | None = None
    mic_volume: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesWindow:
    """It has a tab for each contact, and shows the call of the one that is selected."""

    end: Button
    hold: Button
    transfer: Button
    call: Button
    """It starts a call; from 3.21.4 it stands beside end while the call rings."""
    tabs: int | None = None
    caption: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RingingWindow:
    """There is one for each call that rings, until it is answered, over or ignored."""

    answer: Button
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Everything that was found; None: there is no such window, or not all of it."""

    dialer: DialerPage | None = None
    messages: MessagesWindow | None = None
    ringing: tuple[RingingWindow, ...] = ()


def look_at(controls: Controls) -> Look:
    dialer = controls.dialer
    waiting = [window for window in controls.ringing if window.answer.enabled]
    peer = next((_user(window.address) for window in waiting if window.address), None)
    if dialer is None:
        return Look(states=_states(controls), peer=peer or None)
    return Look(
        states=_states(controls),
        peer=peer or None,
        number=printable(dialer.number) if dialer.end.visible and dialer.number else None,
        one_call=dialer.end.visible,
        tab=printable(controls.messages.caption or "") if controls.messages else None,
        muted=dialer.muted,
        speaker_muted=dialer.speaker_muted,
        volume=dialer.volume,
        mic_volume=dialer.mic_volume,
    )


def printable(text: str) -> str:
    """Of hostile *text*, what can be shown in a line."""
    return "".join(char for char in text if char.isprintable())[:LONGEST_USER]


def _states(controls: Controls) -> frozenset[PhoneState]:
    messages = controls.messages
    in_tab = messages is not None and messages.end.visible
    tab_rings = messages is not None and in_tab and messages.call.visible
    windows_ring = any(window.answer.enabled for window in controls.ringing)
    rings = frozenset({PhoneState.RINGING} if tab_rings or windows_ring else ())
    up = _answered(controls)
    if up is not None:
        return rings | {up}
    if rings or controls.dialer is None or messages is None or _at_odds(controls):
        # What rings may be the call in the tab: 3.20.5 shows it like one that is dialled.
        return rings
    if in_tab:
        return frozenset({PhoneState.DIALING})
    if _nothing_hidden(controls.dialer, messages):
        return frozenset({PhoneState.IDLE})
    return frozenset()


def _answered(controls: Controls) -> PhoneState | None:
    """Active or held, where every control that is there says so."""
    dialer, messages = controls.dialer, controls.messages
    shown = []
    if dialer is not None:
        shown.append((dialer.hold.enabled, dialer.hold.checked))
    if messages is not None:
        shown.append((messages.hold.visible, messages.hold.checked))
    if not shown or len(set(shown)) > 1:
        return None
    ((up, checked),) = set(shown)
    if not up or checked is None:
        return None
    return PhoneState.HELD if checked else PhoneState.ACTIVE


def _at_odds(controls: Controls) -> bool:
    """Read while it changed: a moment later both windows say the same of the tab's call."""
    dialer, messages = controls.dialer, controls.messages
    assert dialer is not None
    assert messages is not None
    transfer = dialer.transfer.enabled != messages.transfer.visible
    return dialer.hold.enabled or messages.hold.visible or transfer


def _nothing_hidden(dialer: DialerPage, messages: MessagesWindow) -> bool:
    """Whether no tab that is not selected can have a call."""
    if dialer.end.visible:
        return False
    if dialer.record is not None:
        return not dialer.record.enabled
    return messages.tabs is not None and messages.tabs <= 1


def _user(address: str) -> str:
    """The user part in what a ringing window shows: the address, maybe behind a name."""
    line = address.lstrip().partition("\n")[0].strip()
    bracketed = _IN_BRACKETS.findall(line)
    uri = bracketed[-1] if bracketed else line
    user, at, _domain = uri.rpartition("@")
    return printable(user if at else uri)
