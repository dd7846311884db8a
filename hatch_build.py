"""The wheel's build: compiles the program that MicroSIP runs for an event of a call."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPILER = "x86_64-w64-mingw32-gcc"
OPTIONS = (
    *("-std=gnu17", "-O2", "-s", "-mwindows"),
    *("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes"),
    # Without the C runtime, whose start costs more than all of the program's own work.
    *("-ffreestanding", "-nostdlib", "-Wl,--entry=hook_start"),
    "-fstack-protector-strong",
    "-Wl,--nxcompat,--dynamicbase,--high-entropy-va",
    "-Wl,--no-insert-timestamp",  # the same source makes the same program
)
LIBRARIES = ("-lkernel32", "-lws2_32", "-lbcrypt")

PROGRAM = Path("gateway", "microsip", "hook", "sip-gateway-hook.exe")


def compile_hook(program: Path, *sources: Path, options: tuple[str, ...] = ()) -> None:
    """Raises CalledProcessError; the compiler has said why."""
    command = [COMPILER, *OPTIONS, *options, *map(str, sources), "-o", str(program)]
    command += LIBRARIES
    subprocess.run(command, check=True)  # noqa: S603  nothing of it comes from outside


class HookProgram(BuildHookInterface[Any]):
    """Adds the compiled program to the wheel, if there is a compiler for Windows."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's signature
        program = Path(self.root, PROGRAM)
        if shutil.which(COMPILER) is None:
            program.unlink(missing_ok=True)  # it may be another source's
            self.app.display_warning(
                f"{PROGRAM.name} is left out: there is no {COMPILER} (Debian: mingw-w64)."
                " MicroSIP's events then go by sip-gateway notify-call, which is slower."
            )
            return
        unfinished = program.with_suffix(f".{os.getpid()}")
        compile_hook(unfinished, *sorted(program.parent.glob("*.c")))
        unfinished.replace(program)
        build_data["artifacts"].append(f"/{PROGRAM.as_posix()}")
