"""Runs programs as a test orders, in a process of Windows Python.

python -m tests.peers.wine_program_runner --steer PORT
"""

import os
import shutil
import subprocess
import sys
import time

from tests.peers.wine_steering import Steering

assert sys.platform == "win32"

from tests.peers import wine_microsip_hooks  # noqa: E402  the fence comes first


class ProgramRunner:
    """What can be ordered."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering

    def order_run(self, command_line: str) -> None:
        """Report the exit code of the program that exactly this command line starts."""
        self._steering.report(
            "ended", code=subprocess.run(command_line, check=False).returncode
        )

    def order_run_as_microsip(self, value: str, user: str) -> None:
        """Run an event hook; *value* as MicroSIP has read it from its ini."""
        self._steering.report("waited", milliseconds=wine_microsip_hooks.run(value, user))

    def order_copy_python(self, target: str) -> None:
        shutil.copy(sys.executable, target)

    def order_compare(self, command_lines: list[str]) -> None:
        """Run one after the other; report the milliseconds and the exit code of each."""
        for number, command_line in enumerate(command_lines):
            began = time.perf_counter()
            code = subprocess.run(command_line, check=False).returncode
            took = (time.perf_counter() - began) * 1000
            self._steering.report("took", number=number, milliseconds=took, code=code)

    def order_sync(self) -> None:
        """Answered like any other."""


def main() -> None:
    # For a Python that is copied away from its library.
    environment = os.environ  # noqa: TID251  this process is the test's own
    environment["PYTHONHOME"] = sys.prefix
    environment["PATH"] = f"{sys.prefix};{environment['PATH']}"
    steering = Steering(int(sys.argv[sys.argv.index("--steer") + 1]))
    steering.report("ready")
    runner = ProgramRunner(steering)
    while True:
        steering.obey(runner, wait=None)


if __name__ == "__main__":
    main()
