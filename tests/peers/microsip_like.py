"""A second PJSIP user agent that behaves to messages as MicroSIP does, run as a program.

It answers every MESSAGE with 200 at once and shows what is exactly ``text/plain``; what
it shows goes to standard output, a JSON object a line, after ``{"registered": 200}``.
"""

import json
import os
import sys
from typing import Any

import pjsua2 as pj

from tests.peers.kamailio import DOMAIN, PASSWORD


class _Account(pj.Account):  # type: ignore[misc]  # pjsua2 ships no types
    def __init__(self, out: int) -> None:
        super().__init__()
        self._out = out

    def onRegState(self, prm: Any) -> None:  # noqa: N802  PJSIP's name
        self._say(registered=prm.code)

    def onInstantMessage(self, prm: Any) -> None:  # noqa: N802  PJSIP's name
        if prm.contentType.partition(";")[0] == "text/plain":
            self._say(sender=prm.fromUri, text=prm.msgBody)

    def _say(self, **fields: object) -> None:
        os.write(self._out, json.dumps(fields).encode() + b"\n")


def _endpoint() -> Any:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.medConfig.threadCnt = 0
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    return endpoint


def _account_config(user: str, registrar: int) -> Any:
    config = pj.AccountConfig()
    config.idUri = f"sip:{user}@{DOMAIN}"
    config.regConfig.registrarUri = f"sip:{DOMAIN}"
    config.regConfig.timeoutSec = 300
    config.sipConfig.proxies.append(f"sip:127.0.0.1:{registrar};lr")
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, PASSWORD))
    return config


def main(user: str, registrar: int) -> None:
    out = os.dup(1)
    os.dup2(2, 1)  # libCreate writes to standard output whatever the log settings
    endpoint = _endpoint()
    account = _Account(out)
    account.create(_account_config(user, registrar))
    parent = os.getppid()
    while os.getppid() == parent:
        endpoint.libHandleEvents(50)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
