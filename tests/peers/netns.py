"""Two network namespaces with a cable between them that can be cut."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

HERE, THERE = "10.77.0.1", "10.77.0.2"
"""The addresses of the two ends."""
_CLONE_NEWNET = 0x40000000
_NAMESPACES = Path("/run/netns")


class Cable:
    """While it is open, this thread and what it starts are at its one end.

    ``there`` is the other one: what is opened within it stays there.
    """

    def __init__(self) -> None:
        self._names = tuple(f"sip-gateway-{os.getpid()}-{end}" for end in ("here", "there"))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        here, there = self._names
        with ExitStack() as stack:
            for name in self._names:
                _ip("netns", "add", name)
                stack.callback(_ip, "netns", "delete", name)
            _ip(
                "-n",
                here,
                "link",
                "add",
                "cable",
                "type",
                "veth",
                "peer",
                "cable",
                "netns",
                there,
            )
            for name, address in zip(self._names, (HERE, THERE), strict=True):
                _ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
                _ip("-n", name, "link", "set", "lo", "up")
                _ip("-n", name, "link", "set", "cable", "up")
            stack.enter_context(_within(_NAMESPACES / here))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def there(self) -> Iterator[None]:
        with _within(_NAMESPACES / self._names[1]):
            yield

    def cut(self) -> None:
        _ip("-n", self._names[1], "link", "set", "cable", "down")

    def join(self) -> None:
        _ip("-n", self._names[1], "link", "set", "cable", "up")


@contextmanager
def _within(namespace: Path) -> Iterator[None]:
    """This thread alone; Python has os.setns from 3.12 on."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(namespace)
        yield
    finally:
        _setns(before)
        os.close(before)


def _enter(namespace: Path) -> None:
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        _setns(descriptor)
    finally:
        os.close(descriptor)


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
