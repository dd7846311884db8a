"""Plays the MicroSIP that answers WM_COPYDATA, with its windows, in a process of its own.

    python -m tests.peers.wine_microsip_window --steer PORT --version 3.22.3 --ini FILE

Each string received is reported as a JSON line before it is acted on. Which MicroSIP it is
to others is its executable: ``wine_installation.py`` makes one.
"""

import argparse
import ctypes
import os
import sys
import time
from collections.abc import Callable
from ctypes import c_size_t, c_ssize_t, c_void_p, wintypes
from pathlib import Path
from threading import Thread

from tests.peers.copydata_softphone import Softphone
from tests.peers.played_calls import Calls, Record
from tests.peers.wine_steering import Steering

assert sys.platform == "win32"

from tests.peers import wine_ddeml as ddeml  # noqa: E402  the fence comes first
from tests.peers.wine_microsip_controls import (  # noqa: E402
    Controls,
    CreateWindow,
    DestroyWindow,
)
from tests.peers.wine_microsip_hooks import run  # noqa: E402
from tests.peers.wine_microsip_ini import Settings  # noqa: E402

WM_CLOSE, WM_COPYDATA = 0x0010, 0x004A
WS_OVERLAPPEDWINDOW = 0x00CF0000
EXECUTE = 1
TAKEN, DROPPED = 0, 1
PUMP_MS = 10
SAVED_AFTER = 5.0  # seconds from a change of a slider
SIP_TAKES = 0.01  # seconds: what it does to a call shows later than its answer

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
_DefWindowProc = _user32.DefWindowProcW
_DefWindowProc.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]
_DefWindowProc.restype = c_ssize_t


class Window:
    """MicroSIP's main window: every string is reported, then answered as ordered."""

    def __init__(self, steering: Steering, version: str, title: str, ini: Path | None) -> None:
        self._steering = steering
        self._version = version
        self._settings = Settings(ini, version) if ini else None
        self._reset()
        self._running = True
        self._hang = self._frozen = False
        self._procedure = _WindowProcedure(self._received)
        window_class = _WindowClass(procedure=self._procedure, name="MicroSIP")
        assert _RegisterClass(ctypes.byref(window_class)), ctypes.get_last_error()
        main = self._create("MicroSIP", title, None)
        # Its other windows have other classes; one that it owns is not the main one.
        self._create("STATIC", "Messages", None)
        self._create("MicroSIP", "owned", main)
        self._controls = Controls(main)

    def run(self) -> None:
        self._controls.follow(self._phone)
        self._steering.report("ready")
        while self._running:
            ddeml.pump(PUMP_MS)
            self._steering.obey(self, wait=0)
            while self._frozen:
                self._steering.obey(self, wait=None)
            self._phone.calls.tick()
            self._controls.follow(self._phone)
            if self._save_at is not None and time.monotonic() >= self._save_at:
                self._save()
        self._save()

    def order_sync(self) -> None:
        """What was reported before is at the test when this is done."""

    def order_reset(self) -> None:
        """As just started."""
        self._reset()
        self._controls.follow(self._phone)

    def _reset(self) -> None:
        self._phone = Softphone(self._version, Calls(hook=self._hook, record=self._record))
        self._phone.calls.conditions.takes_effect_after = SIP_TAKES
        if self._settings:
            values = self._settings.values
            self._phone.calls.conditions.single_mode = values["singleMode"] != "0"
            self._phone.calls.next_key = self._settings.next_key()
            self._phone.levels["speak"] = int(values["volumeOutput"])
            self._phone.levels["mic"] = int(values["volumeInput"])
        self._ready = True
        self._drop_after: int | None = None
        self._dies = False
        self._save_at: float | None = None

    def order_conditions(self, **conditions: object) -> None:
        """How the far side and the network behave: see ``Conditions``."""
        for name, value in conditions.items():
            assert hasattr(self._phone.calls.conditions, name), name
            setattr(self._phone.calls.conditions, name, value)

    def order_ring(self, user: str) -> None:
        self._phone.calls.ring(user)
        self._controls.follow(self._phone)

    def order_far_side_answers(self) -> None:
        self._phone.calls.far_side_answers()
        self._controls.follow(self._phone)

    def order_far_side_ends(self, *, busy: bool = False) -> None:
        self._phone.calls.far_side_ends(busy=busy)
        self._controls.follow(self._phone)

    def order_register(self) -> None:
        """The registrar answers again."""
        self._phone.calls.register()

    def order_human(self, text: str) -> None:
        """Somebody at the PC does what *text* would, and sees it done."""
        conditions = self._phone.calls.conditions
        usual, conditions.takes_effect_after = conditions.takes_effect_after, 0
        self._phone.execute(text)
        conditions.takes_effect_after = usual
        self._controls.follow(self._phone)

    def order_save(self) -> None:
        """SettingsSave(): every known key is written from memory."""
        self._save()

    def order_stack(self, *, up: bool) -> None:
        """Its SIP stack: while it is down, strings are dropped."""
        self._ready = up

    def order_drop_after(self, strings: int) -> None:
        """The SIP stack goes down after so many more, pings left out."""
        self._drop_after = strings

    def order_hang(self) -> None:
        """From the next string on, until released: no message is pumped."""
        self._hang = True

    def order_freeze(self) -> None:
        """From now on, until released: as while it waits for a program that it ran."""
        self._frozen = True

    def order_release(self) -> None:
        self._hang = self._frozen = False

    def order_die_at_next(self) -> None:
        """While it is asked, not before."""
        self._dies = True

    def order_die(self) -> None:
        os._exit(9)

    def _hook(self, key: str, user: str) -> None:
        command = self._settings.values.get(key, "") if self._settings else ""
        self._steering.report("hook", key=key, user=user, set=bool(command))
        if not command:
            return
        work = self._waited_for(key, command, user)
        if key != "cmdIncomingCall":
            work()
            return
        # Its SIP thread waits, and only then the phone rings; the window lives on.
        waiting = Thread(target=work, name=key)
        waiting.start()
        while waiting.is_alive():
            ddeml.pump(PUMP_MS)

    def _waited_for(self, key: str, command: str, user: str) -> Callable[[], None]:
        def work() -> None:
            self._steering.report("waited", key=key, milliseconds=run(command, user))

        return work

    def _record(self, key: int, record: Record) -> None:
        if self._settings:
            self._settings.record(key, record)

    def _save(self) -> None:
        self._save_at = None
        if self._settings:
            self._settings.values["volumeOutput"] = str(self._phone.levels["speak"])
            self._settings.values["volumeInput"] = str(self._phone.levels["mic"])
            self._settings.save()

    def _create(self, window_class: str, title: str, owner: int | None) -> int:
        window = CreateWindow(
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
            DestroyWindow(window)
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
        levels = dict(self._phone.levels)
        effect = self._phone.execute(text)
        if self._phone.levels != levels:
            self._save_at = time.monotonic() + SAVED_AFTER
        self._controls.follow(self._phone)
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
    options.add_argument("--ini", type=Path)
    chosen = options.parse_args()
    Window(Steering(chosen.steer), chosen.version, chosen.title, chosen.ini).run()


if __name__ == "__main__":
    main()
