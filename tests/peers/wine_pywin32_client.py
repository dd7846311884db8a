"""Somebody else's DDE client: executes strings with pywin32, asks for Status after each.

python -m tests.peers.wine_pywin32_client PYWIN32_FOLDER SERVICE STRING...
"""

import importlib
import site
import sys
from typing import Any

assert sys.platform == "win32"


def main(folder: str, service: str, *strings: str) -> None:
    site.addsitedir(folder)
    importlib.import_module("win32ui")  # has to come before dde
    dde: Any = importlib.import_module("dde")
    server = dde.CreateServer()
    server.Create("Client")
    conversation = dde.CreateConversation(server)
    conversation.ConnectTo(service, "MicroSIP")
    for string in strings:
        conversation.Exec(string)


if __name__ == "__main__":
    main(*sys.argv[1:])
