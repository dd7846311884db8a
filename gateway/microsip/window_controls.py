"""MicroSIP's own controls, read from outside its process."""

import sys

assert sys.platform == "win32"

import time
from collections.abc import Callable, Sequence
from ctypes import byref, c_size_t, create_unicode_buffer
from ctypes.wintypes import DWORD

from gateway.microsip import user32
from gateway.microsip.controls import (
    HIDDEN,
    Button,
    Controls,
    DialerPage,
    MessagesWindow,
    RingingWindow,
)
from gateway.microsip.instance import Instance

# Of the dialogs in MicroSIP's resources: the same in 3.20.5, 3.21.4, 3.21.6 and 3.22.3.
IDC_ANSWER = 1000
IDC_MESSAGES_TAB = 1000
IDC_DIALER_REC = 1005
IDC_BUTTON_MUTE_INPUT = 1018
IDC_BUTTON_MUTE_OUTPUT = 1019
IDC_CALL_END = 1023
IDC_CALLER_ADDR = 1025
IDC_DECLINE = 1032
IDC_END = 1055
IDC_HOLD = 1057
IDC_NUMBER = 1078
IDC_TRANSFER = 1135
IDC_VOLUME_INPUT = 1143
IDC_VOLUME_OUTPUT = 1144

DIALOG = "#32770"
BUTTON = "Button"
TRACKBAR = "msctls_trackbar32"
TABS = "SysTabControl32"
COMBO_BOX = "ComboBox"
EDIT = "Edit"

_LONGEST_CLASS = 32
_LONGEST_TEXT = 1024


class Reader:
    """One look at the windows of one MicroSIP, within *patience* seconds.

    Styles are Windows' to tell; what MicroSIP itself must be asked is no longer asked
    once it stayed silent.
    """

    def __init__(self, instance: Instance, patience: float) -> None:
        self._instance = instance
        self._deadline = time.monotonic() + patience
        self._silent = False

    def controls(self) -> Controls:
        dialogs = _listed(
            lambda visit: user32.EnumWindows(visit, 0), self._is_dialog_of_microsip
        )
        pages = _listed(
            lambda visit: user32.EnumChildWindows(self._instance.window, visit, 0), _is_dialog
        )
        return Controls(
            dialer=next(filter(None, map(self._dialer, pages)), None),
            messages=next(filter(None, map(self._messages, dialogs)), None),
            ringing=tuple(filter(None, map(self._ringing, dialogs))),
        )

    def _is_dialog_of_microsip(self, window: int) -> bool:
        process = DWORD()
        user32.GetWindowThreadProcessId(window, byref(process))
        return process.value == self._instance.process and _is_dialog(window)

    def _dialer(self, page: int) -> DialerPage | None:
        speaker = _control(page, IDC_VOLUME_OUTPUT, TRACKBAR)
        microphone = _control(page, IDC_VOLUME_INPUT, TRACKBAR)
        end, hold, transfer = (
            self._button(page, number) for number in (IDC_END, IDC_HOLD, IDC_TRANSFER)
        )
        if speaker is None or microphone is None or not (end and hold and transfer):
            return None
        mute = self._button(page, IDC_BUTTON_MUTE_INPUT, asked=True) or HIDDEN
        speaker_mute = self._button(page, IDC_BUTTON_MUTE_OUTPUT, asked=True) or HIDDEN
        number = _control(page, IDC_NUMBER, COMBO_BOX)
        return DialerPage(
            end=end,
            hold=self._button(page, IDC_HOLD, asked=hold.enabled) or hold,
            transfer=transfer,
            record=self._button(page, IDC_DIALER_REC),
            number=self._text(number) if number else None,
            muted=mute.checked,
            speaker_muted=speaker_mute.checked,
            volume=self._position(speaker),
            mic_volume=self._position(microphone),
        )

    def _messages(self, window: int) -> MessagesWindow | None:
        end, hold, transfer, call = (
            self._button(window, number)
            for number in (IDC_END, IDC_HOLD, IDC_TRANSFER, IDC_CALL_END)
        )
        if not (end and hold and transfer and call):
            return None
        tabs = _control(window, IDC_MESSAGES_TAB, TABS)
        return MessagesWindow(
            end=end,
            hold=self._button(window, IDC_HOLD, asked=hold.visible) or hold,
            transfer=transfer,
            call=call,
            tabs=self._ask(tabs, user32.TCM_GETITEMCOUNT) if tabs else None,
            caption=self._text(window),
        )

    def _ringing(self, window: int) -> RingingWindow | None:
        answer = self._button(window, IDC_ANSWER)
        if answer is None or self._button(window, IDC_DECLINE) is None:
            return None
        address = _control(window, IDC_CALLER_ADDR, EDIT)
        return RingingWindow(answer=answer, address=self._text(address) if address else None)

    def _button(self, parent: int, number: int, *, asked: bool = False) -> Button | None:
        window = _control(parent, number, BUTTON)
        if window is None:
            return None
        style = user32.GetWindowLong(window, user32.GWL_STYLE)
        check = self._ask(window, user32.BM_GETCHECK) if asked else None
        return Button(
            visible=bool(style & user32.WS_VISIBLE),
            enabled=not style & user32.WS_DISABLED,
            checked=None if check is None else check == user32.BST_CHECKED,
        )

    def _position(self, trackbar: int) -> int | None:
        position = self._ask(trackbar, user32.TBM_GETPOS)
        return position if position is not None and 0 <= position <= 100 else None

    def _text(self, window: int) -> str | None:
        text = create_unicode_buffer(_LONGEST_TEXT)
        length = self._ask(window, user32.WM_GETTEXT, len(text), text)
        return None if length is None else text.value

    def _ask(
        self, window: int, message: int, first: int = 0, second: object = None
    ) -> int | None:
        """What the control answers; None: nothing in time."""
        rest = self._deadline - time.monotonic()
        if self._silent or rest <= 0:
            return None
        answer = c_size_t()
        flags = user32.SMTO_ABORTIFHUNG | user32.SMTO_ERRORONEXIT
        in_time = user32.SendMessageTimeout(
            window, message, first, second, flags, max(1, int(rest * 1000)), byref(answer)
        )
        self._silent = not in_time
        return answer.value if in_time else None


def _listed(
    enumerate_windows: Callable[[object], object], wanted: Callable[[int], bool]
) -> Sequence[int]:
    found: list[int] = []

    def visit(window: int, _parameter: int) -> bool:
        if wanted(window):
            found.append(window)
        return True

    enumerate_windows(user32.WNDENUMPROC(visit))
    return found


def _control(parent: int, number: int, window_class: str) -> int | None:
    window: int | None = user32.GetDlgItem(parent, number)
    return window if window and _class(window) == window_class else None


def _is_dialog(window: int) -> bool:
    return _class(window) == DIALOG


def _class(window: int) -> str:
    name = create_unicode_buffer(_LONGEST_CLASS)
    user32.GetClassName(window, name, len(name))
    return name.value
