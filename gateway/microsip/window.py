"""MicroSIP's main window: finding it, handing it strings, telling it to end."""

import sys

assert sys.platform == "win32"

from collections.abc import Sequence
from ctypes import (
    addressof,
    byref,
    c_size_t,
    create_unicode_buffer,
    get_last_error,
    set_last_error,
    sizeof,
)
from ctypes.wintypes import DWORD

from gateway.errors import ConfigError
from gateway.microsip import kernel32, user32
from gateway.microsip.controls import Controls
from gateway.microsip.copydata import Reply
from gateway.microsip.file_version import file_version
from gateway.microsip.ini import read_version
from gateway.microsip.installation import find_ini, this_pc
from gateway.microsip.instance import Instance
from gateway.microsip.user_processes import image_of
from gateway.microsip.versions import Version
from gateway.microsip.window_controls import Reader

WINDOW_CLASS = "MicroSIP"
"""Of its main window alone; the title follows the account."""

EXECUTE = 1  # dwData: carried out before the answer, which then is 0


class UserDesktop:
    """The desktop this process sees, which is its user's own."""

    def instances(self) -> Sequence[Instance]:
        found: list[Instance] = []

        def visit(window: int, _parameter: int) -> bool:
            if _is_main_window(window):
                process = DWORD()
                user32.GetWindowThreadProcessId(window, byref(process))
                found.append(Instance(window, process.value, image_of(process.value)))
            return True

        user32.EnumWindows(user32.WNDENUMPROC(visit), 0)
        return found

    def version(self, instance: Instance) -> Version | None:
        """As its executable says, else its settings."""
        if not instance.executable:
            return None
        return file_version(instance.executable) or _noted_version(instance.executable)

    def send(self, instance: Instance, text: str, timeout: float) -> Reply:
        characters = create_unicode_buffer(text)  # ends in the NUL that MicroSIP looks for
        data = user32.COPYDATASTRUCT(EXECUTE, sizeof(characters), addressof(characters))
        answer = c_size_t()
        set_last_error(0)
        answered = user32.SendMessageTimeout(
            instance.window,
            user32.WM_COPYDATA,
            0,
            byref(data),
            user32.SMTO_ABORTIFHUNG | user32.SMTO_ERRORONEXIT,
            int(timeout * 1000),
            byref(answer),
        )
        if not answered:
            return _failure(instance)
        return Reply.DROPPED if answer.value else Reply.TAKEN

    def controls(self, instance: Instance, timeout: float) -> Controls:
        return Reader(instance, timeout).controls()

    def close(self, instance: Instance) -> Reply:
        set_last_error(0)
        if user32.PostMessage(instance.window, user32.WM_CLOSE, 0, 0):
            return Reply.TAKEN
        return _failure(instance)


def _is_main_window(window: int) -> bool:
    name = create_unicode_buffer(len(WINDOW_CLASS) + 2)
    user32.GetClassName(window, name, len(name))
    return name.value == WINDOW_CLASS and not user32.GetWindow(window, user32.GW_OWNER)


def _noted_version(executable: str) -> Version | None:
    ini = find_ini(this_pc(), executable)
    try:
        return Version.parse(read_version(ini)) if ini else None
    except ConfigError:
        return None


def _failure(instance: Instance) -> Reply:
    """Why nothing came back: the last error tells, while the window is still there."""
    error = get_last_error()
    if not user32.IsWindow(instance.window):
        return Reply.DIED
    if error == kernel32.ERROR_ACCESS_DENIED:
        return Reply.BLOCKED
    return Reply.SILENT
