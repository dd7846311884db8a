"""The controls of a played MicroSIP, kept as its own sources keep them.

Ids, classes and states are MicroSIP's; the captions are in no language that a reader
could be made for.
"""

import ctypes
import sys
from collections.abc import Sequence
from ctypes import c_ssize_t, c_void_p, wintypes

from tests.peers.copydata_softphone import Softphone
from tests.peers.played_calls import Calls, PlayedCall, State

assert sys.platform == "win32"

WS_CHILD, WS_VISIBLE, WS_POPUP = 0x40000000, 0x10000000, 0x80000000
BS_CHECKBOX, ES_READONLY = 0x0002, 0x0800
SW_HIDE, SW_SHOWNA = 0, 8
BM_SETCHECK, TBM_SETPOS, TBM_SETRANGE, WM_SETTEXT = 0x00F1, 0x0405, 0x0406, 0x000C
TCM_DELETEALLITEMS, TCM_INSERTITEM, TCIF_TEXT = 0x1309, 0x133E, 0x0001
CBS_DROPDOWN = 0x0002
ICC_BAR_CLASSES, ICC_TAB_CLASSES = 0x0004, 0x0008

MAIN_TAB = MESSAGES_TAB = ANSWER = 1000
RECORD, MUTE_INPUT, MUTE_OUTPUT = 1005, 1018, 1019
CALL, CALL_END, CALLER_ADDRESS, CALLER_NAME, DECLINE = 1022, 1023, 1025, 1026, 1032
END, HOLD, NUMBER, TRANSFER = 1055, 1057, 1078, 1135
VOLUME_INPUT, VOLUME_OUTPUT = 1143, 1144

_UP = (State.EARLY, State.CONFIRMED)

user32 = ctypes.WinDLL("user32", use_last_error=True)
CreateWindow = user32.CreateWindowExW
CreateWindow.argtypes = [
    wintypes.DWORD,
    wintypes.LPCWSTR,
    wintypes.LPCWSTR,
    wintypes.DWORD,
    *[ctypes.c_int] * 4,
    wintypes.HWND,
    c_void_p,  # the menu; of a child its id
    wintypes.HINSTANCE,
    c_void_p,
]
CreateWindow.restype = wintypes.HWND
DestroyWindow = user32.DestroyWindow
DestroyWindow.argtypes = [wintypes.HWND]
DestroyWindow.restype = wintypes.BOOL
_SendMessage = user32.SendMessageW
_SendMessage.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]
_SendMessage.restype = c_ssize_t
_ShowWindow = user32.ShowWindow
_ShowWindow.argtypes = [wintypes.HWND, ctypes.c_int]
_ShowWindow.restype = wintypes.BOOL
_EnableWindow = user32.EnableWindow
_EnableWindow.argtypes = [wintypes.HWND, wintypes.BOOL]
_EnableWindow.restype = wintypes.BOOL


class _CommonControls(ctypes.Structure):
    _fields_ = (("size", wintypes.DWORD), ("classes", wintypes.DWORD))


class _TabItem(ctypes.Structure):
    _fields_ = (
        ("mask", wintypes.UINT),
        ("state", wintypes.DWORD),
        ("state_mask", wintypes.DWORD),
        ("text", wintypes.LPCWSTR),
        ("length", ctypes.c_int),
        ("image", ctypes.c_int),
        ("parameter", wintypes.LPARAM),
    )


_InitCommonControls = ctypes.WinDLL("comctl32").InitCommonControlsEx
_InitCommonControls.argtypes = [ctypes.POINTER(_CommonControls)]
_InitCommonControls.restype = wintypes.BOOL


class Dialog:
    """A window with numbered controls."""

    def __init__(self, title: str, *, parent: int | None = None, style: int = 0) -> None:
        style |= WS_CHILD if parent else WS_POPUP
        self.window = _create("#32770", title, style, parent, None)
        self._controls: dict[int, int] = {}

    def add(self, number: int, window_class: str = "Button", style: int = 0) -> None:
        style |= WS_CHILD
        self._controls[number] = _create(window_class, "ẋẋẋ", style, self.window, number)

    def show(self, number: int, *, visible: bool) -> None:
        _ShowWindow(self._controls[number], SW_SHOWNA if visible else SW_HIDE)

    def enable(self, number: int, *, enabled: bool) -> None:
        _EnableWindow(self._controls[number], enabled)

    def check(self, number: int, *, checked: bool) -> None:
        _SendMessage(self._controls[number], BM_SETCHECK, int(checked), 0)

    def write(self, number: int, text: str) -> None:
        _write(self._controls[number], text)

    def entitle(self, title: str) -> None:
        _write(self.window, title)

    def list_tabs(self, number: int, names: Sequence[str]) -> None:
        _SendMessage(self._controls[number], TCM_DELETEALLITEMS, 0, 0)
        for index, name in enumerate(names):
            item = _TabItem(mask=TCIF_TEXT, text=name)
            _SendMessage(self._controls[number], TCM_INSERTITEM, index, ctypes.addressof(item))

    def turn(self, number: int, position: int) -> None:
        _SendMessage(self._controls[number], TBM_SETPOS, 1, position)

    def appear(self) -> None:
        _ShowWindow(self.window, SW_SHOWNA)

    def close(self) -> None:
        DestroyWindow(self.window)


class Controls:
    """All that a user would see of the calls; ``follow`` brings it up to date."""

    def __init__(self, main_window: int) -> None:
        wanted = ICC_BAR_CLASSES | ICC_TAB_CLASSES
        classes = _CommonControls(ctypes.sizeof(_CommonControls), wanted)
        assert _InitCommonControls(ctypes.byref(classes))
        _create("STATIC", "", WS_CHILD | WS_VISIBLE, main_window, MAIN_TAB)
        self._dialer = _dialer(main_window)
        self._messages = _messages()
        self._tabs: list[str] = []
        self._caption = ""
        self._ringing: dict[int, Dialog] = {}

    def follow(self, phone: Softphone) -> None:
        calls = phone.calls
        self._follow_dialer(phone)
        self._follow_messages(phone.version, calls)
        ringing = {id(c): c for c in calls.ongoing if c.state is State.INCOMING}
        for gone in self._ringing.keys() - ringing.keys():
            self._ringing.pop(gone).close()
        for new in ringing.keys() - self._ringing.keys():
            self._ringing[new] = _ringing(ringing[new])

    def _follow_dialer(self, phone: Softphone) -> None:
        dialer, calls = self._dialer, phone.calls
        dialer.turn(VOLUME_INPUT, phone.levels["mic"])
        dialer.turn(VOLUME_OUTPUT, phone.levels["speak"])
        dialer.check(MUTE_INPUT, checked=phone.muted["mic"])
        dialer.check(MUTE_OUTPUT, checked=phone.muted["speak"])
        if calls.conditions.single_mode:
            # Those that ring are not counted: they have a window of their own.
            counted = any(c.state is not State.INCOMING for c in calls.ongoing)
            for number in (END, HOLD, TRANSFER):
                dialer.show(number, visible=counted)
            dialer.show(CALL, visible=not counted)
            with_whom = calls.selected.user if counted and calls.selected else ""
            dialer.write(NUMBER, with_whom)
        dialer.enable(RECORD, enabled=bool(calls.ongoing))
        selected = calls.selected
        dialer.enable(HOLD, enabled=_is_up(selected))
        dialer.enable(TRANSFER, enabled=selected is not None and selected.state in _UP)
        dialer.check(HOLD, checked=_is_held(selected))

    def _follow_messages(self, version: str, calls: Calls) -> None:
        messages, selected = self._messages, calls.selected
        rings = selected is not None and selected.state is State.INCOMING
        messages.show(END, visible=selected is not None)
        messages.show(CALL_END, visible=selected is None or (rings and version != "3.20.5"))
        messages.show(HOLD, visible=_is_up(selected))
        messages.check(HOLD, checked=_is_held(selected))
        messages.show(TRANSFER, visible=selected is not None and selected.state in _UP)
        # A tab stays when its call is over; here the last one alone does.
        tabs = [call.user for call in calls.ongoing] or self._tabs[:1]
        if tabs != self._tabs:
            self._tabs = tabs
            messages.list_tabs(MESSAGES_TAB, tabs)
        caption = selected.user if selected else "".join(tabs[:1])
        if caption != self._caption:
            self._caption = caption
            messages.entitle(caption)


def _is_up(call: PlayedCall | None) -> bool:
    return call is not None and call.state is State.CONFIRMED


def _is_held(call: PlayedCall | None) -> bool:
    return call is not None and call.held


def _dialer(main_window: int) -> Dialog:
    dialer = Dialog("", parent=main_window, style=WS_VISIBLE)
    for number in (CALL, END, TRANSFER):
        dialer.add(number)
    for number in (HOLD, MUTE_INPUT, MUTE_OUTPUT, RECORD):
        dialer.add(number, style=BS_CHECKBOX)
    dialer.add(NUMBER, "ComboBox", WS_VISIBLE | CBS_DROPDOWN)
    for number in (VOLUME_INPUT, VOLUME_OUTPUT):
        dialer.add(number, "msctls_trackbar32", WS_VISIBLE)
        _SendMessage(dialer._controls[number], TBM_SETRANGE, 0, 100 << 16)
    return dialer


def _messages() -> Dialog:
    messages = Dialog("ẋẋẋ ẋẋẋ")
    for number in (CALL_END, END, TRANSFER):
        messages.add(number)
    messages.add(HOLD, style=BS_CHECKBOX)
    messages.add(MESSAGES_TAB, "SysTabControl32")
    return messages


def _ringing(call: PlayedCall) -> Dialog:
    # Without caption or focus: else Wine waits 2 s for a window manager when it is closed.
    ringing = Dialog("ẋẋẋ ẋẋẋ")
    ringing.add(ANSWER, style=WS_VISIBLE)
    ringing.add(DECLINE, style=WS_VISIBLE)
    for number in (CALLER_NAME, CALLER_ADDRESS):
        style = WS_CHILD | WS_VISIBLE | ES_READONLY
        _create("Edit", call.user, style, ringing.window, number)
    ringing.appear()
    return ringing


def _write(window: int, text: str) -> None:
    written = ctypes.create_unicode_buffer(text)
    _SendMessage(window, WM_SETTEXT, 0, ctypes.addressof(written))


def _create(
    window_class: str, title: str, style: int, parent: int | None, number: int | None
) -> int:
    place = (0, 0, 100, 20)
    window = CreateWindow(0, window_class, title, style, *place, parent, number, None, None)
    assert isinstance(window, int), (window_class, ctypes.get_last_error())
    return window
