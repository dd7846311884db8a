"""Plays the MicroSIP that answers WM_COPYDATA, with its window, in a process of its own.

    python -m tests.peers.wine_microsip_window --steer PORT --version 3.22.3

Each string received is reported as a JSON line before it is acted on. Which MicroSIP it is
to others is its executable: ``wine_installation.py`` makes one.
"""

import argparse
import ctypes
import os
import sys
from ctypes import c_size_t, c_ssize_t, c_void_p, wintypes

from tests.peers import wine_ddeml as ddeml
from tests.peers.copydata_softphone import Softphone
from tests.peers.wine_steering import Steering

assert sys.platform == "win32"

WM_CLOSE, WM_COPYDATA = 0x0010, 0x004A
WS_OVERLAPPEDWINDOW = 0x00CF0000
EXECUTE = 1
TAKEN, DROPPED = 0, 1
PUMP_MS = 10

_WindowProcedure = ctypes.WINFUNCTYPE(
    c_ssize_t, wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM
)


class _WindowClass(ctypes.Structure):
    _fields_ = (
        ("style", wintypes.UINT),
        ("procedure", _WindowProcedure),
        ("class_extra", ctypes.c_int),
        ("window_extra", ctypes.c_int),
        ("instance", wintypes.HINSTANCE),
        ("icon", wintypes.HICON),
        ("cursor", wintypes.HANDLE),
        ("background", wintypes.HBRUSH),
        ("menu", wintypes.LPCWSTR),
        ("name", wintypes.LPCWSTR),
    )


class _CopyData(ctypes.Structure):
    _fields_ = (("kind", c_size_t), ("size", wintypes.DWORD), ("data", c_void_p))


_user32 = ctypes.WinDLL("user32", use_last_error=True)
_RegisterClass = _user32.RegisterClassW
_RegisterClass.argtypes = [ctypes.POINTER(_WindowClass)]
_RegisterClass.restype = wintypes.ATOM
_CreateWindow = _user32.CreateWindowExW
_CreateWindow.argtypes = [
    wintypes.DWORD,
    wintypes.LPCWSTR,
    wintypes.LPCWSTR,
    wintypes.DWORD,
    *[ctypes.c_int] * 4,
    wintypes.HWND,
    wintypes.HMENU,
    wintypes.HINSTANCE,
    c_void_p,
]
_CreateWindow.restype = wintypes.HWND
_DestroyWindow = _user32.DestroyWindow
_DestroyWindow.argtypes = [wintypes.HWND]
_DestroyWindow.restype = wintypes.BOOL
_DefWindowProc = _user32.DefWindowProcW
_DefWindowProc.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]
_DefWindowProc.restype = c_ssize_t


class Window:
    """MicroSIP's main window: every string is reported, then answered as ordered."""

    def __init__(self, steering: Steering, version: str, title: str) -> None:
        self._steering = steering
        self._version = version
        self.order_reset()
        self._running = True
        self._hang = False
        self._procedure = _WindowProcedure(self._received)
        window_class = _WindowClass(procedure=self._procedure, name="MicroSIP")
        assert _RegisterClass(ctypes.byref(window_class)), ctypes.get_last_error()
        main = self._create("MicroSIP", title, None)
        # Its other windows have other classes; one that it owns is not the main one.
        self._create("STATIC", "Messages", None)
        self._create("MicroSIP", "owned", main)

    def run(self) -> None:
        self._steering.report("ready")
        while self._running:
            ddeml.pump(PUMP_MS)
            self._steering.obey(self, wait=0)

    def order_sync(self) -> None:
        """What was reported before is at the test when this is done."""

    def order_reset(self) -> None:
        self._phone = Softphone(self._version)
        self._ready = True
        self._drop_after: int | None = None
        self._dies = False

    def order_stack(self, *, up: bool) -> None:
        """Its SIP stack: while it is down, strings are dropped."""
        self._ready = up

    def order_drop_after(self, strings: int) -> None:
        """The SIP stack goes down after so many more, pings left out."""
        self._drop_after = strings

    def order_hang(self) -> None:
        """From the next string on, until released: no message is pumped."""
        self._hang = True

    def order_release(self) -> None:
        self._hang = False

    def order_die_at_next(self) -> None:
        """While it is asked, not before."""
        self._dies = True

    def order_die(self) -> None:
        os._exit(9)

    def _create(self, window_class: str, title: str, owner: int | None) -> int:
        window = _CreateWindow(
            *(0, window_class, title, WS_OVERLAPPEDWINDOW),
            *(0, 0, 200, 100),
            *(owner, None, None, None),
        )
        assert isinstance(window, int), ctypes.get_last_error()
        return window

    def _received(self, window: int, message: int, first: int, second: int) -> int:
        if message == WM_COPYDATA:
            return self._copied(ctypes.cast(second, ctypes.POINTER(_CopyData)).contents)
        if message == WM_CLOSE:
            self._steering.report("close")
            self._running = False
            _DestroyWindow(window)
            return 0
        result: int = _DefWindowProc(window, message, first, second)
        return result

    def _copied(self, copied: _CopyData) -> int:
        if copied.kind != EXECUTE or not self._ready or not copied.data:
            return DROPPED
        text = ctypes.wstring_at(copied.data)
        if self._dies and text != "msip:":
            self._steering.report("copydata", text=text, effect="died")
            os._exit(9)
        if self._drop_after is not None and text != "msip:":
            if not self._drop_after:
                return DROPPED
            self._drop_after -= 1
        effect = self._phone.execute(text)
        raw = ctypes.string_at(copied.data, copied.size).hex()
        self._steering.report("copydata", text=text, effect=effect, raw=raw)
        while self._hang:
            self._steering.obey(self, wait=None)
        return TAKEN


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steer", type=int, required=True)
    options.add_argument("--version", default="3.22.3")
    options.add_argument("--title", default="MicroSIP - Büro")
    chosen = options.parse_args()
    Window(Steering(chosen.steer), chosen.version, chosen.title).run()


if __name__ == "__main__":
    main()
