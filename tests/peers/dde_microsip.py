"""Plays MicroSIP's DDE server in a process of its own, steered over a loopback socket.

    python -m tests.peers.dde_microsip --steer PORT [--service NAME] [--topic NAME]

Each string received is reported as a JSON line on that socket before it is acted on.
"""

import argparse
import ctypes
import os
import sys
import time
from ctypes import c_void_p, wintypes

from tests.peers import wine_ddeml as ddeml
from tests.peers.dde_softphone import WORDING, Softphone, parse
from tests.peers.wine_steering import Steering

assert sys.platform == "win32"

PUMP_MS = 10


class Server:
    """The DDE side: every transaction is reported, then answered as ordered."""

    def __init__(self, steering: Steering, service: str, topic: str) -> None:
        self._steering = steering
        self.order_reset()
        self._service_name, self._topic_name = service, topic
        self._hang = False
        self._wildcard = True
        self._instance = wintypes.DWORD()
        self._callback = ddeml.Callback(self._transaction)
        failed = ddeml.DdeInitialize(
            ctypes.byref(self._instance), self._callback, ddeml.CBF_SKIP_ALLNOTIFICATIONS, 0
        )
        assert not failed
        self._service = self._string(service)
        self._topic = self._string(topic)
        assert ddeml.DdeNameService(self._instance, self._service, None, ddeml.DNS_REGISTER)

    def run(self) -> None:
        self._steering.report("ready")
        while self._phone.running:
            ddeml.pump(PUMP_MS)
            self._steering.obey(self, wait=0)

    def order_sync(self) -> None:
        """What was reported before is at the test when this is done."""

    def order_busy(self, times: int) -> None:
        self._busy = times

    def order_refuse(self, times: int) -> None:
        self._refuse = times

    def order_hang(self) -> None:
        """From the next command on, until released: no message is pumped."""
        self._hang = True

    def order_release(self) -> None:
        self._hang = False

    def order_reset(
        self,
        state: str = "idle",
        number: str = "",
        wording: dict[str, str] | None = None,
        *,
        silent: bool = False,
        ansi: bool = False,
    ) -> None:
        """Another call, or none; Status in this *wording*, as CF_TEXT only, or *silent*."""
        self._busy = self._refuse = 0
        self._ansi = ansi
        self._phone = Softphone(clock=time.monotonic, state=state, number=number)
        self._phone.wording = None if silent else wording or WORDING

    def order_ring(self, number: str) -> None:
        self._phone.state, self._phone.number = "ringing", number

    def order_wildcard(self, *, offered: bool) -> None:
        """Whether a client that names no topic is told the topic."""
        self._wildcard = offered

    def order_die(self) -> None:
        os._exit(9)

    def _transaction(
        self,
        kind: int,
        clipboard_format: int,
        _conversation: int,
        first: int,
        second: int,
        data: int,
        *_more: int,
    ) -> int | None:
        if kind == ddeml.XTYP_CONNECT:
            names = self._text(first).lower(), self._text(second).lower()
            return int(names == (self._topic_name.lower(), self._service_name.lower()))
        if kind == ddeml.XTYP_WILDCONNECT:
            return self._offer(first, second)
        if kind == ddeml.XTYP_EXECUTE:
            return self._execute(self._text(first), data)
        if kind == ddeml.XTYP_REQUEST:
            return self._request(second, self._text(second), clipboard_format)
        return None

    def _offer(self, topic: int | None, service: int | None) -> int | None:
        """The pair that a client means who leaves topic or service open."""
        meant = not topic and (not service or self._text(service) == self._service_name)
        if not (meant and self._wildcard):
            return None
        pairs = (ddeml.StringPair * 2)(ddeml.StringPair(self._service, self._topic))
        return self._data(bytes(pairs), None, 0)

    def _execute(self, topic: str, data: int) -> int:
        size = ddeml.DdeGetData(data, None, 0, 0)
        raw = ctypes.create_string_buffer(size)
        ddeml.DdeGetData(data, raw, size, 0)
        text = raw.raw.decode("utf-16-le", "replace").partition("\0")[0]
        self._steering.report("execute", topic=topic, text=text, raw=raw.raw.hex())
        while self._hang:
            self._steering.obey(self, wait=None)
        if self._busy:
            self._busy -= 1
            return ddeml.DDE_FBUSY
        if self._refuse:
            self._refuse -= 1
            return ddeml.DDE_FNOTPROCESSED
        done = self._phone.execute(*parse(text))
        return ddeml.DDE_FACK if done else ddeml.DDE_FNOTPROCESSED

    def _request(self, item: int, name: str, clipboard_format: int) -> int | None:
        text = self._phone.status() if name == "Status" else None
        self._steering.report("request", item=name, format=clipboard_format, text=text)
        if text is None:
            return None
        if clipboard_format == ddeml.CF_UNICODETEXT and not self._ansi:
            return self._data((text + "\0").encode("utf-16-le"), item, clipboard_format)
        if clipboard_format == ddeml.CF_TEXT:
            return self._data((text + "\0").encode("cp1252"), item, clipboard_format)
        return None

    def _data(self, content: bytes, item: int | None, clipboard_format: int) -> int:
        handle = ddeml.DdeCreateDataHandle(
            self._instance, content, len(content), 0, item, clipboard_format, 0
        )
        assert isinstance(handle, int)
        return handle

    def _string(self, text: str) -> c_void_p:
        return c_void_p(ddeml.DdeCreateStringHandle(self._instance, text, ddeml.CP_WINUNICODE))

    def _text(self, handle: int) -> str:
        buffer = ctypes.create_unicode_buffer(256)
        ddeml.DdeQueryString(self._instance, handle, buffer, 256, ddeml.CP_WINUNICODE)
        return buffer.value


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steer", type=int, required=True)
    options.add_argument("--service", default="MicroSIP")
    options.add_argument("--topic", default="MicroSIP")
    chosen = options.parse_args()
    Server(Steering(chosen.steer), chosen.service, chosen.topic).run()


if __name__ == "__main__":
    main()
