"""Somebody else's DDE server: pywin32's, answering as MicroSIP is documented to.

python -m tests.peers.dde_pywin32 --steer PORT --pywin32 FOLDER --service NAME
"""

import argparse
import importlib
import site
import sys
from typing import Any

from tests.peers.wine_steering import Steering

assert sys.platform == "win32"

PUMP_SECONDS = 0.01


class Topic:
    """What pywin32 calls for a topic: Exec for a command, Request for an item."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering
        self._now = self._after = "idle"

    def Exec(self, text: str) -> None:  # noqa: N802  pywin32 looks it up by this name
        self._steering.report("execute", text=text)
        self._now = self._after

    def Request(self, item: str) -> str:  # noqa: N802  pywin32 looks it up by this name
        self._steering.report("request", item=item)
        return self._now

    def order_says(self, now: str, after: str) -> None:
        """What Status is *now*, and *after* the next command."""
        self._now, self._after = now, after

    def order_sync(self) -> None:
        """What was reported before is at the test when this is done."""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steer", type=int, required=True)
    options.add_argument("--pywin32", required=True)
    options.add_argument("--service", default="MicroSIP")
    chosen = options.parse_args()
    steering = Steering(chosen.steer)
    site.addsitedir(chosen.pywin32)
    win32ui: Any = importlib.import_module("win32ui")  # has to come before dde
    dde: Any = importlib.import_module("dde")
    answers = Topic(steering)
    topic = dde.CreateTopic("MicroSIP")
    topic.AddItem(dde.CreateStringItem(""))
    topic.AttachObject(answers)
    server = dde.CreateServer()
    server.AddTopic(topic)
    server.Create(chosen.service)
    steering.report("ready")
    while True:
        win32ui.PumpWaitingMessages(0, -1)
        steering.obey(answers, wait=PUMP_SECONDS)


if __name__ == "__main__":
    main()
