"""What a DDEML error code means to the one who gave the command."""

from enum import IntEnum

from gateway.errors import PhoneError
from gateway.phone import Problem


class Dmlerr(IntEnum):
    """Of DdeGetLastError, from the SDK's ddeml.h."""

    ADVACKTIMEOUT = 0x4000
    BUSY = 0x4001
    DATAACKTIMEOUT = 0x4002
    DLL_NOT_INITIALIZED = 0x4003
    DLL_USAGE = 0x4004
    EXECACKTIMEOUT = 0x4005
    INVALIDPARAMETER = 0x4006
    LOW_MEMORY = 0x4007
    MEMORY_ERROR = 0x4008
    NOTPROCESSED = 0x4009
    NO_CONV_ESTABLISHED = 0x400A
    POKEACKTIMEOUT = 0x400B
    POSTMSG_FAILED = 0x400C
    REENTRANCY = 0x400D
    SERVER_DIED = 0x400E
    SYS_ERROR = 0x400F
    UNADVACKTIMEOUT = 0x4010
    UNFOUND_QUEUE_ID = 0x4011


TIMED_OUT = frozenset(
    {
        Dmlerr.ADVACKTIMEOUT,
        Dmlerr.DATAACKTIMEOUT,
        Dmlerr.EXECACKTIMEOUT,
        Dmlerr.POKEACKTIMEOUT,
        Dmlerr.UNADVACKTIMEOUT,
    }
)
STALE = frozenset({Dmlerr.INVALIDPARAMETER, Dmlerr.NO_CONV_ESTABLISHED, Dmlerr.POSTMSG_FAILED})
"""Nothing was handed over, because the conversation had ended: another may be opened."""

NOT_RUNNING = "MicroSIP is not running, or answers no DDE; start it and try again"
NOT_RESPONDING = (
    "MicroSIP did not answer in time, but may have done it: look at the phone first"
)
STUCK = (
    "MicroSIP, or another window on its desktop, does not respond; nothing was sent: "
    "close the window that hangs, or restart MicroSIP"
)
_DIED = "MicroSIP ended while it was asked; look at the phone before trying again"
_TEXTS: dict[int, tuple[Problem, str]] = {
    Dmlerr.BUSY: (Problem.FAILED, "MicroSIP is busy; try again in a moment"),
    Dmlerr.NOTPROCESSED: (
        Problem.FAILED,
        "MicroSIP refused it; look at what it is doing, then try again",
    ),
    Dmlerr.SERVER_DIED: (Problem.NOT_RESPONDING, _DIED),
    Dmlerr.LOW_MEMORY: (Problem.FAILED, "Windows is out of memory; close some programs"),
    Dmlerr.MEMORY_ERROR: (Problem.FAILED, "Windows is out of memory; close some programs"),
    **dict.fromkeys(STALE, (Problem.NOT_RUNNING, NOT_RUNNING)),
    **dict.fromkeys(TIMED_OUT, (Problem.NOT_RESPONDING, NOT_RESPONDING)),
    Dmlerr.DATAACKTIMEOUT: (Problem.NOT_RESPONDING, STUCK),
}


def failure(code: int) -> PhoneError:
    """The error for a transaction or connection that ended with *code*."""
    if code in _TEXTS:
        return PhoneError(*_TEXTS[code])
    name = Dmlerr(code).name if code in set(Dmlerr) else hex(code)
    return PhoneError(
        Problem.FAILED,
        f"DDE failed ({name}); restart MicroSIP, then the gateway, and try again",
    )
