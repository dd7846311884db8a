"""Tells on a UDP port of loopback how this process was started.

python -m tests.peers.wine_command_line PORT ANYTHING...
"""

import ctypes
import socket
import sys

assert sys.platform == "win32"

_GetCommandLine = ctypes.WinDLL("kernel32").GetCommandLineW
_GetCommandLine.argtypes = []
_GetCommandLine.restype = ctypes.c_wchar_p

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.sendto(_GetCommandLine().encode("utf-8"), ("127.0.0.1", int(sys.argv[1])))
