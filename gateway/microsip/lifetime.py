"""Since when MicroSIP runs, which ends the calls it had before."""

import sys

assert sys.platform == "win32"

from datetime import datetime

from gateway.microsip.instance import same_path
from gateway.microsip.user_processes import began_at
from gateway.microsip.window import UserDesktop
from gateway.ports import Clock


def microsip_began(executable: str, clock: Clock) -> datetime | None:
    """Now, when it does not run; None where Windows does not tell. To be run on a thread.

    Where several run and none is configured, the oldest may have the call.
    """
    instances = [
        one
        for one in UserDesktop().instances()
        if not executable or not one.executable or same_path(one.executable, executable)
    ]
    if not instances:
        return clock()
    began = [began_at(one.process) for one in instances]
    return min((at for at in began if at), default=None) if all(began) else None
