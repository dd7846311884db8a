"""DDEML as a server needs it, declared apart from the gateway's own declarations."""

import ctypes
import sys
from ctypes import c_void_p, wintypes

assert sys.platform == "win32"

CBF_SKIP_ALLNOTIFICATIONS = 0x003C0000
DNS_REGISTER = 0x0001
CP_WINUNICODE = 1200
CF_TEXT = 1
CF_UNICODETEXT = 13

XTYP_CONNECT = 0x1062
XTYP_WILDCONNECT = 0x20E2
XTYP_EXECUTE = 0x4050
XTYP_REQUEST = 0x20B0

DDE_FACK = 0x8000
DDE_FBUSY = 0x4000
DDE_FNOTPROCESSED = 0x0000

QS_ALLINPUT = 0x04FF
PM_REMOVE = 0x0001

Callback = ctypes.WINFUNCTYPE(
    c_void_p,  # HDDEDATA
    wintypes.UINT,  # transaction type
    wintypes.UINT,  # clipboard format
    c_void_p,  # conversation
    c_void_p,  # first string
    c_void_p,  # second string
    c_void_p,  # data
    c_void_p,
    c_void_p,
)


class StringPair(ctypes.Structure):
    """HSZPAIR."""

    _fields_ = [("service", c_void_p), ("topic", c_void_p)]


user32 = ctypes.WinDLL("user32", use_last_error=True)

DdeInitialize = user32.DdeInitializeW
DdeInitialize.argtypes = [
    ctypes.POINTER(wintypes.DWORD),
    Callback,
    wintypes.DWORD,
    wintypes.DWORD,
]
DdeInitialize.restype = wintypes.UINT

DdeCreateStringHandle = user32.DdeCreateStringHandleW
DdeCreateStringHandle.argtypes = [wintypes.DWORD, wintypes.LPCWSTR, ctypes.c_int]
DdeCreateStringHandle.restype = c_void_p

DdeQueryString = user32.DdeQueryStringW
DdeQueryString.argtypes = [
    wintypes.DWORD,
    c_void_p,
    wintypes.LPWSTR,
    wintypes.DWORD,
    ctypes.c_int,
]
DdeQueryString.restype = wintypes.DWORD

DdeNameService = user32.DdeNameService
DdeNameService.argtypes = [wintypes.DWORD, c_void_p, c_void_p, wintypes.UINT]
DdeNameService.restype = c_void_p

DdeGetData = user32.DdeGetData
DdeGetData.argtypes = [c_void_p, c_void_p, wintypes.DWORD, wintypes.DWORD]
DdeGetData.restype = wintypes.DWORD

DdeCreateDataHandle = user32.DdeCreateDataHandle
DdeCreateDataHandle.argtypes = [
    wintypes.DWORD,
    c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    c_void_p,
    wintypes.UINT,
    wintypes.UINT,
]
DdeCreateDataHandle.restype = c_void_p

MsgWaitForMultipleObjects = user32.MsgWaitForMultipleObjects
MsgWaitForMultipleObjects.argtypes = [
    wintypes.DWORD,
    c_void_p,
    wintypes.BOOL,
    wintypes.DWORD,
    wintypes.DWORD,
]
MsgWaitForMultipleObjects.restype = wintypes.DWORD

PeekMessage = user32.PeekMessageW
PeekMessage.argtypes = [
    ctypes.POINTER(wintypes.MSG),
    wintypes.HWND,
    wintypes.UINT,
    wintypes.UINT,
    wintypes.UINT,
]
PeekMessage.restype = wintypes.BOOL

DispatchMessage = user32.DispatchMessageW
DispatchMessage.argtypes = [ctypes.POINTER(wintypes.MSG)]
DispatchMessage.restype = wintypes.LPARAM


def pump(milliseconds: int) -> None:
    """Dispatch what is queued, after waiting at most *milliseconds* for something."""
    MsgWaitForMultipleObjects(0, None, False, milliseconds, QS_ALLINPUT)
    message = wintypes.MSG()
    while PeekMessage(ctypes.byref(message), None, 0, 0, PM_REMOVE):
        DispatchMessage(ctypes.byref(message))
