"""user32.dll as far as it is used: DDEML, the message queue it needs, other windows."""

import sys

assert sys.platform == "win32"

from ctypes import (
    POINTER,
    WINFUNCTYPE,
    Structure,
    WinDLL,
    c_int,
    c_size_t,
    c_ssize_t,
    c_void_p,
    c_wchar_p,
)
from ctypes.wintypes import BOOL, DWORD, HWND, LONG, LPARAM, LPWSTR, MSG, UINT, WPARAM

_user32 = WinDLL("user32", use_last_error=True)

# Handles. A null one comes back from ctypes as None.
HCONV = c_void_p
HSZ = c_void_p
HDDEDATA = c_void_p

CP_WINUNICODE = 1200
CF_TEXT = 1
CF_UNICODETEXT = 13

DDE_FBUSY = 0x4000

APPCMD_CLIENTONLY = 0x00000010
CBF_SKIP_REGISTRATIONS = 0x00080000
CBF_SKIP_UNREGISTRATIONS = 0x00100000

DMLERR_NO_ERROR = 0

XTYP_EXECUTE = 0x4050
XTYP_REQUEST = 0x20B0
XTYP_DISCONNECT = 0x80C2

WM_NULL = 0x0000
WM_GETTEXT = 0x000D
WM_CLOSE = 0x0010
WM_COPYDATA = 0x004A
PM_NOREMOVE = 0x0000
PM_REMOVE = 0x0001
QS_ALLINPUT = 0x04FF
SMTO_ABORTIFHUNG = 0x0002
SMTO_ERRORONEXIT = 0x0020
GW_OWNER = 4
GWL_STYLE = -16
WS_VISIBLE = 0x10000000
WS_DISABLED = 0x08000000
BM_GETCHECK = 0x00F0
BST_CHECKED = 0x0001
TBM_GETPOS = 0x0400
TCM_GETITEMCOUNT = 0x1304

PFNCALLBACK = WINFUNCTYPE(
    HDDEDATA,
    UINT,  # transaction type
    UINT,  # clipboard format
    HCONV,
    HSZ,
    HSZ,
    HDDEDATA,
    c_size_t,
    c_size_t,
)

DdeInitialize = _user32.DdeInitializeW
DdeInitialize.argtypes = (POINTER(DWORD), PFNCALLBACK, DWORD, DWORD)
DdeInitialize.restype = UINT

DdeUninitialize = _user32.DdeUninitialize
DdeUninitialize.argtypes = (DWORD,)
DdeUninitialize.restype = BOOL

DdeCreateStringHandle = _user32.DdeCreateStringHandleW
DdeCreateStringHandle.argtypes = (DWORD, c_wchar_p, c_int)
DdeCreateStringHandle.restype = HSZ

DdeFreeStringHandle = _user32.DdeFreeStringHandle
DdeFreeStringHandle.argtypes = (DWORD, HSZ)
DdeFreeStringHandle.restype = BOOL

DdeConnect = _user32.DdeConnect
DdeConnect.argtypes = (DWORD, HSZ, HSZ, c_void_p)
DdeConnect.restype = HCONV

DdeDisconnect = _user32.DdeDisconnect
DdeDisconnect.argtypes = (HCONV,)
DdeDisconnect.restype = BOOL

DdeClientTransaction = _user32.DdeClientTransaction
DdeClientTransaction.argtypes = (
    c_void_p,  # data
    DWORD,  # its length
    HCONV,
    HSZ,  # item
    UINT,  # clipboard format
    UINT,  # transaction type
    DWORD,  # time-out in milliseconds
    POINTER(DWORD),
)
DdeClientTransaction.restype = HDDEDATA

DdeGetData = _user32.DdeGetData
DdeGetData.argtypes = (HDDEDATA, c_void_p, DWORD, DWORD)
DdeGetData.restype = DWORD

DdeFreeDataHandle = _user32.DdeFreeDataHandle
DdeFreeDataHandle.argtypes = (HDDEDATA,)
DdeFreeDataHandle.restype = BOOL

DdeGetLastError = _user32.DdeGetLastError
DdeGetLastError.argtypes = (DWORD,)
DdeGetLastError.restype = UINT

GetMessage = _user32.GetMessageW
GetMessage.argtypes = (POINTER(MSG), HWND, UINT, UINT)
GetMessage.restype = BOOL

PeekMessage = _user32.PeekMessageW
PeekMessage.argtypes = (POINTER(MSG), HWND, UINT, UINT, UINT)
PeekMessage.restype = BOOL

DispatchMessage = _user32.DispatchMessageW
DispatchMessage.argtypes = (POINTER(MSG),)
DispatchMessage.restype = c_ssize_t

PostThreadMessage = _user32.PostThreadMessageW
PostThreadMessage.argtypes = (DWORD, UINT, WPARAM, LPARAM)
PostThreadMessage.restype = BOOL

MsgWaitForMultipleObjects = _user32.MsgWaitForMultipleObjects
MsgWaitForMultipleObjects.argtypes = (DWORD, c_void_p, BOOL, DWORD, DWORD)
MsgWaitForMultipleObjects.restype = DWORD

WNDENUMPROC = WINFUNCTYPE(BOOL, HWND, LPARAM)


class COPYDATASTRUCT(Structure):
    """What WM_COPYDATA carries."""

    _fields_ = (("dwData", c_size_t), ("cbData", DWORD), ("lpData", c_void_p))


EnumWindows = _user32.EnumWindows
EnumWindows.argtypes = (WNDENUMPROC, LPARAM)
EnumWindows.restype = BOOL

GetClassName = _user32.GetClassNameW
GetClassName.argtypes = (HWND, LPWSTR, c_int)
GetClassName.restype = c_int

EnumChildWindows = _user32.EnumChildWindows
EnumChildWindows.argtypes = (HWND, WNDENUMPROC, LPARAM)
EnumChildWindows.restype = BOOL

GetDlgItem = _user32.GetDlgItem
GetDlgItem.argtypes = (HWND, c_int)
GetDlgItem.restype = HWND

# GetWindowLongPtr is a macro for it on 32 bits, and a style has 32 bits everywhere.
GetWindowLong = _user32.GetWindowLongW
GetWindowLong.argtypes = (HWND, c_int)
GetWindowLong.restype = LONG

GetWindow = _user32.GetWindow
GetWindow.argtypes = (HWND, UINT)
GetWindow.restype = HWND

GetWindowThreadProcessId = _user32.GetWindowThreadProcessId
GetWindowThreadProcessId.argtypes = (HWND, POINTER(DWORD))
GetWindowThreadProcessId.restype = DWORD

IsWindow = _user32.IsWindow
IsWindow.argtypes = (HWND,)
IsWindow.restype = BOOL

PostMessage = _user32.PostMessageW
PostMessage.argtypes = (HWND, UINT, WPARAM, LPARAM)
PostMessage.restype = BOOL

SendMessageTimeout = _user32.SendMessageTimeoutW
SendMessageTimeout.argtypes = (
    HWND,
    UINT,
    WPARAM,
    c_void_p,  # LPARAM: here always a pointer
    UINT,
    UINT,  # time-out in milliseconds
    POINTER(c_size_t),
)
SendMessageTimeout.restype = c_ssize_t
