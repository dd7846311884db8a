"""The strings that MicroSIP's DDE server is sent."""

import re
from typing import Literal

from gateway.errors import InvalidRequest
from gateway.phone import PhoneCommand

Syntax = Literal["plain", "bracket"]

_HOSTILE = re.compile(r'[\x00-\x20\x7f"()\[\]]')


def phrase(command: PhoneCommand, syntax: Syntax) -> str:
    """``Dial 1002`` or ``[Dial("1002")]``: always one command.

    ``parse_command`` let nothing through that could end an argument; it is looked at
    again because here it would become a second command.
    """
    for argument in command.arguments:
        if not argument or _HOSTILE.search(argument):
            raise InvalidRequest(f"{argument!r} cannot be an argument of {command.verb}")
    name = command.verb.dde_name
    if syntax == "bracket":
        quoted = ",".join(f'"{argument}"' for argument in command.arguments)
        return f"[{name}({quoted})]" if quoted else f"[{name}]"
    return f"{name} {','.join(command.arguments)}".rstrip()
