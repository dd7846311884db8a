"""Which microsip.ini is in use."""

import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.microsip.installation import find_ini, this_pc
from gateway.microsip.instance import Instance, in_use

if sys.platform == "win32":
    from gateway.microsip.window import UserDesktop

    def _running() -> Sequence[Instance]:
        return UserDesktop().instances()

else:

    def _running() -> Sequence[Instance]:
        return ()


def settings_file(executable: str) -> Path | None:
    """Of *executable* as configured, else of the MicroSIP that runs, else of one that is found.

    A portable MicroSIP is noted nowhere: only its window tells where it is. To be run on a
    thread.
    """
    return find_ini(this_pc(), in_use(executable, _running()))
