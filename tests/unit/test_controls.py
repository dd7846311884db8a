"""What each combination of MicroSIP's controls proves of its calls."""

import pytest

from gateway.call import LONGEST_USER
from gateway.microsip.controls import (
    Button,
    Controls,
    DialerPage,
    MessagesWindow,
    RingingWindow,
    look_at,
)
from gateway.phone_status import PhoneState

IDLE, RINGING, DIALING, ACTIVE, HELD = (
    PhoneState.IDLE,
    PhoneState.RINGING,
    PhoneState.DIALING,
    PhoneState.ACTIVE,
    PhoneState.HELD,
)
HIDDEN, OFF = Button(), Button(visible=True)
SHOWN = Button(visible=True, enabled=True)
UNCHECKED = Button(visible=True, enabled=True, checked=False)
CHECKED = Button(visible=True, enabled=True, checked=True)


def dialer(
    *,
    end: Button = HIDDEN,
    hold: Button = HIDDEN,
    transfer: Button = HIDDEN,
    record: Button = OFF,
) -> DialerPage:
    return DialerPage(
        end=end,
        hold=hold,
        transfer=transfer,
        record=record,
        number="1002",
        muted=False,
        speaker_muted=True,
        volume=40,
        mic_volume=75,
    )


def messages(
    *,
    end: Button = HIDDEN,
    hold: Button = HIDDEN,
    transfer: Button = HIDDEN,
    call: Button = SHOWN,
    tabs: int | None = 1,
) -> MessagesWindow:
    return MessagesWindow(
        end=end, hold=hold, transfer=transfer, call=call, tabs=tabs, caption="Eva"
    )


def ringing(
    address: str | None = "555@office.example", answer: Button = SHOWN
) -> RingingWindow:
    return RingingWindow(answer=answer, address=address)


NO_CALL = Controls(dialer=dialer(), messages=messages())
UP = dialer(end=SHOWN, hold=UNCHECKED, transfer=SHOWN, record=SHOWN)
UP_IN_TAB = messages(end=SHOWN, hold=UNCHECKED, transfer=SHOWN, call=HIDDEN)
HELD_CALL = dialer(end=SHOWN, hold=CHECKED, transfer=SHOWN, record=SHOWN)
HELD_IN_TAB = messages(end=SHOWN, hold=CHECKED, transfer=SHOWN, call=HIDDEN)
NO_RECORD = DialerPage(end=HIDDEN, hold=HIDDEN, transfer=HIDDEN)

TABLE = [
    pytest.param(NO_CALL, {IDLE}, id="no call anywhere"),
    pytest.param(
        Controls(dialer=dialer(end=SHOWN), messages=messages(end=SHOWN, call=HIDDEN)),
        {DIALING},
        id="an INVITE is out",
    ),
    pytest.param(
        Controls(
            dialer=dialer(end=SHOWN, transfer=SHOWN),
            messages=messages(end=SHOWN, transfer=SHOWN, call=HIDDEN),
        ),
        {DIALING},
        id="it rings there",
    ),
    pytest.param(
        Controls(dialer=dialer(), messages=messages(end=SHOWN, call=HIDDEN)),
        {DIALING},
        id="dialled where several calls are taken",
    ),
    pytest.param(Controls(dialer=UP, messages=UP_IN_TAB), {ACTIVE}, id="a call is up"),
    pytest.param(Controls(dialer=HELD_CALL, messages=HELD_IN_TAB), {HELD}, id="on hold"),
    pytest.param(
        Controls(dialer=dialer(record=SHOWN), messages=messages(), ringing=(ringing(),)),
        {RINGING},
        id="rings in a tab that is not selected",
    ),
    pytest.param(
        Controls(
            dialer=dialer(record=SHOWN, transfer=SHOWN),
            messages=messages(end=SHOWN, transfer=SHOWN, call=SHOWN),
            ringing=(ringing(),),
        ),
        {RINGING},
        id="rings in the selected tab from 3.21.4",
    ),
    pytest.param(
        Controls(
            dialer=dialer(record=SHOWN, transfer=SHOWN),
            messages=messages(end=SHOWN, transfer=SHOWN, call=HIDDEN),
            ringing=(ringing(),),
        ),
        {RINGING},
        id="rings in the selected tab of 3.20.5 as if dialled",
    ),
    pytest.param(
        Controls(
            dialer=dialer(record=SHOWN, transfer=SHOWN),
            messages=messages(end=SHOWN, transfer=SHOWN, call=SHOWN),
        ),
        {RINGING},
        id="its ringing window was closed to ignore it",
    ),
    pytest.param(
        Controls(dialer=UP, messages=UP_IN_TAB, ringing=(ringing(),)),
        {ACTIVE, RINGING},
        id="a second call rings",
    ),
    pytest.param(
        Controls(dialer=HELD_CALL, messages=HELD_IN_TAB, ringing=(ringing(), ringing())),
        {HELD, RINGING},
        id="two more ring beside a held one",
    ),
    pytest.param(
        Controls(dialer=dialer(), messages=messages(), ringing=(ringing(answer=OFF),)),
        {IDLE},
        id="a ringing window that is answered rings no more",
    ),
    pytest.param(
        Controls(dialer=dialer(record=SHOWN), messages=messages(tabs=2)),
        set(),
        id="the call is in another tab",
    ),
    pytest.param(
        Controls(dialer=dialer(end=SHOWN, record=SHOWN), messages=messages(tabs=2)),
        set(),
        id="one call at a time, in another tab",
    ),
    pytest.param(
        Controls(dialer=NO_RECORD, messages=messages(tabs=1)), {IDLE}, id="one tab hides none"
    ),
    pytest.param(
        Controls(dialer=NO_RECORD, messages=messages(tabs=0)), {IDLE}, id="no tab at all"
    ),
    pytest.param(
        Controls(dialer=NO_RECORD, messages=messages(tabs=2)), set(), id="a tab may hide one"
    ),
    pytest.param(
        Controls(dialer=NO_RECORD, messages=messages(tabs=None)), set(), id="tabs unknown"
    ),
    pytest.param(Controls(), set(), id="none of its windows"),
    pytest.param(Controls(messages=messages()), set(), id="no dialer page"),
    pytest.param(Controls(dialer=dialer()), set(), id="no messages window"),
    pytest.param(Controls(ringing=(ringing(),)), {RINGING}, id="but a ringing window"),
    pytest.param(Controls(dialer=UP), {ACTIVE}, id="up by the dialer page alone"),
    pytest.param(Controls(messages=HELD_IN_TAB), {HELD}, id="held by the messages alone"),
    pytest.param(
        Controls(dialer=UP, messages=messages(end=SHOWN, call=HIDDEN)),
        set(),
        id="read while it was answered",
    ),
    pytest.param(Controls(dialer=UP, messages=HELD_IN_TAB), set(), id="read while it was held"),
    pytest.param(
        Controls(
            dialer=dialer(transfer=SHOWN, record=SHOWN),
            messages=messages(end=SHOWN, call=HIDDEN),
        ),
        set(),
        id="read while it began to ring there",
    ),
    pytest.param(
        Controls(
            dialer=dialer(end=SHOWN, hold=SHOWN, transfer=SHOWN),
            messages=messages(end=SHOWN, hold=SHOWN, transfer=SHOWN, call=HIDDEN),
        ),
        set(),
        id="it did not say whether on hold",
    ),
]


@pytest.mark.parametrize(("controls", "states"), TABLE)
def test_a_state_is_shown_only_where_the_controls_prove_it(
    controls: Controls, states: set[PhoneState]
) -> None:
    assert look_at(controls).states == states


def test_levels_and_mute_buttons_are_those_of_the_dialer_page() -> None:
    look = look_at(NO_CALL)

    assert (look.muted, look.speaker_muted) == (False, True)
    assert (look.volume, look.mic_volume) == (40, 75)
    assert look.tab == "Eva"


def test_the_number_field_names_the_call_only_while_there_is_one() -> None:
    typed, called = look_at(NO_CALL), look_at(Controls(dialer=UP, messages=UP_IN_TAB))

    assert (typed.number, typed.one_call) == (None, False)
    assert (called.number, called.one_call) == ("1002", True)


ADDRESSES = [
    ("555@office.example\r\nMicroSIP/3.22.3\r\n\r\nTo: 101@office.example", "555"),
    ("Eva <555@office.example>\r\n", "555"),
    ("<evil> <555@office.example>", "555"),
    ("pbx.example", "pbx.example"),
    ("a@b@office.example", "a@b"),
    ("5\x1b[31m5\u202e5@office.example", "5[31m55"),
    ("5" * 1000, "5" * LONGEST_USER),
    ("\r\n \r\n", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("address", "peer"), ADDRESSES)
def test_who_rings_is_read_from_hostile_text(address: str | None, peer: str | None) -> None:
    controls = Controls(dialer=dialer(), messages=messages(), ringing=(ringing(address),))

    assert look_at(controls).peer == peer
