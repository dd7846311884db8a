"""The child process in which templates run; started by file name, so it imports little."""

import json
import os
import sys
import threading
import traceback
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

if sys.platform != "win32":
    import resource

MAX_SECONDS = 1.0
MAX_CHARACTERS = 16_000
_MAX_MEMORY = 512 * 1024 * 1024


def _rendered(request: dict[str, Any]) -> str:
    # Plain text for phones: there is nothing to escape.
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    pieces: list[str] = []
    length = 0
    for piece in environment.from_string(request["template"]).generate(request["document"]):
        length += len(piece)
        if length > MAX_CHARACTERS:
            raise ValueError(f"more than {MAX_CHARACTERS} characters")
        pieces.append(piece)
    return "".join(pieces)


def _reason(error: Exception) -> str:
    """For the log, which must not quote the document: an error's own words may."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.message}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [str(frame.lineno) for frame in frames if frame.filename == "<template>"]
    return f"{type(error).__name__}, line {lines[-1] if lines else '?'}"


def _answer(line: bytes) -> dict[str, str]:
    # The sandbox does not end a loop, and the gateway that would kill it may be gone.
    watchdog = threading.Timer(MAX_SECONDS, os._exit, (1,))
    watchdog.daemon = True
    watchdog.start()
    try:
        return {"text": _rendered(json.loads(line))}
    except Exception as exc:  # noqa: BLE001  a template is a plug-in: it may raise anything
        return {"error": _reason(exc)}
    finally:
        watchdog.cancel()


def main() -> None:
    """Answer a line with a line until the gateway closes the pipe."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(_answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
