"""winmm.dll as far as it is used: the names of the wave devices."""

import sys

assert sys.platform == "win32"

from ctypes import POINTER, Structure, WinDLL, c_size_t, c_wchar
from ctypes.wintypes import DWORD, UINT, WORD

_winmm = WinDLL("winmm")

MAXPNAMELEN = 32


class WAVEINCAPS(Structure):
    """A device that records."""

    _fields_ = (
        ("wMid", WORD),
        ("wPid", WORD),
        ("vDriverVersion", UINT),
        ("szPname", c_wchar * MAXPNAMELEN),
        ("dwFormats", DWORD),
        ("wChannels", WORD),
        ("wReserved1", WORD),
    )


class WAVEOUTCAPS(Structure):
    """A device that plays."""

    _fields_ = (
        ("wMid", WORD),
        ("wPid", WORD),
        ("vDriverVersion", UINT),
        ("szPname", c_wchar * MAXPNAMELEN),
        ("dwFormats", DWORD),
        ("wChannels", WORD),
        ("wReserved1", WORD),
        ("dwSupport", DWORD),
    )


WaveInGetNumDevs = _winmm.waveInGetNumDevs
WaveInGetNumDevs.argtypes = ()
WaveInGetNumDevs.restype = UINT

WaveInGetDevCaps = _winmm.waveInGetDevCapsW
WaveInGetDevCaps.argtypes = (c_size_t, POINTER(WAVEINCAPS), UINT)
WaveInGetDevCaps.restype = UINT

WaveOutGetNumDevs = _winmm.waveOutGetNumDevs
WaveOutGetNumDevs.argtypes = ()
WaveOutGetNumDevs.restype = UINT

WaveOutGetDevCaps = _winmm.waveOutGetDevCapsW
WaveOutGetDevCaps.argtypes = (c_size_t, POINTER(WAVEOUTCAPS), UINT)
WaveOutGetDevCaps.restype = UINT
