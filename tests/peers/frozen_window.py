"""A desktop with a program that has hung: its window never reads a message.

    python -m tests.peers.frozen_window --steer PORT

DDE asks every top-level window, this one too, and waits for it.
"""

import argparse
import ctypes
import sys
from ctypes import c_void_p, wintypes

from tests.peers.wine_steering import Steering

assert sys.platform == "win32"

WS_OVERLAPPEDWINDOW = 0x00CF0000

_user32 = ctypes.WinDLL("user32", use_last_error=True)
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


class Program:
    """Hung from its first moment; it still takes orders, which no window knows of."""

    def order_sync(self) -> None:
        """What was reported before is at the test when this is done."""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steer", type=int, required=True)
    steering = Steering(options.parse_args().steer)
    window = _CreateWindow(
        0,
        "STATIC",
        "Not responding",
        WS_OVERLAPPEDWINDOW,
        0,
        0,
        200,
        100,
        None,
        None,
        None,
        None,
    )
    assert window, ctypes.get_last_error()
    steering.report("ready")
    program = Program()
    while True:
        steering.obey(program, wait=None)


if __name__ == "__main__":
    main()
