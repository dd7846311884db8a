"""advapi32.dll as far as it is used: the access token of a process."""

import sys

assert sys.platform == "win32"

from ctypes import POINTER, Structure, WinDLL, c_ubyte, c_void_p
from ctypes.wintypes import BOOL, DWORD, HANDLE

_advapi32 = WinDLL("advapi32", use_last_error=True)

TOKEN_QUERY = 0x0008
TokenIntegrityLevel = 25


class SID_AND_ATTRIBUTES(Structure):
    """What TokenIntegrityLevel is answered with; the SID lies behind it."""

    _fields_ = (("Sid", c_void_p), ("Attributes", DWORD))


OpenProcessToken = _advapi32.OpenProcessToken
OpenProcessToken.argtypes = (HANDLE, DWORD, POINTER(HANDLE))
OpenProcessToken.restype = BOOL

GetTokenInformation = _advapi32.GetTokenInformation
GetTokenInformation.argtypes = (HANDLE, DWORD, c_void_p, DWORD, POINTER(DWORD))
GetTokenInformation.restype = BOOL

GetSidSubAuthorityCount = _advapi32.GetSidSubAuthorityCount
GetSidSubAuthorityCount.argtypes = (c_void_p,)
GetSidSubAuthorityCount.restype = POINTER(c_ubyte)

GetSidSubAuthority = _advapi32.GetSidSubAuthority
GetSidSubAuthority.argtypes = (c_void_p, DWORD)
GetSidSubAuthority.restype = POINTER(DWORD)
