"""The wave devices of this PC, as Windows numbers them."""

import sys

assert sys.platform == "win32"

from collections.abc import Sequence
from ctypes import byref, sizeof

from gateway.microsip import winmm


def wave_devices(kind: str) -> Sequence[str]:
    """Their names, by number; of ``input`` or ``output``. Windows cuts them at 31."""
    if kind == "input":
        return [_input(number) for number in range(winmm.WaveInGetNumDevs())]
    return [_output(number) for number in range(winmm.WaveOutGetNumDevs())]


def _input(number: int) -> str:
    found = winmm.WAVEINCAPS()
    failed = winmm.WaveInGetDevCaps(number, byref(found), sizeof(found))
    return "" if failed else found.szPname


def _output(number: int) -> str:
    found = winmm.WAVEOUTCAPS()
    failed = winmm.WaveOutGetDevCaps(number, byref(found), sizeof(found))
    return "" if failed else found.szPname
