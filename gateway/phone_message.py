"""A SIP MESSAGE that goes out of the user's own MicroSIP."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.errors import InvalidRequest
from gateway.numbers import read_number

MAX_BYTES = 700  # MicroSIP splits nothing; see gateway.outbox for one MESSAGE's bytes

_TO_TYPE = "send as:me 1002 I am back at three"
_NUMBER = re.compile(r"[0-9*#+]{1,32}|sip:[A-Za-z0-9*#+._-]+@[A-Za-z0-9.-]+(?::\d+)?", re.ASCII)
# MicroSIP looks for these everywhere in what it is handed, and changes its account.
_SWITCH = re.compile(r"/\s*(?:account|password)\s*:")


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """A number with a text, checked: MicroSIP can take them for nothing but a message."""

    number: str
    text: str


def parse_message(number: str, text: str) -> PhoneMessage:
    """Check what somebody wants written; raises InvalidRequest saying what to type.

    Line ends become spaces, for MicroSIP is handed one line.
    """
    text = " ".join(text.replace("\t", " ").splitlines()).strip()
    if reason := _objection(text):
        raise InvalidRequest(reason, pointer="/text")
    return PhoneMessage(_number(number), text)


def _number(written: str) -> str:
    try:
        number = read_number(written)
    except InvalidRequest as exc:
        raise InvalidRequest(f"MicroSIP writes to {exc.detail}; type: {_TO_TYPE}") from exc
    if not _NUMBER.fullmatch(number):
        raise InvalidRequest(
            "MicroSIP writes to a number, or to sip:user@host without more behind it;"
            f" type: {_TO_TYPE}"
        )
    return number


def _objection(text: str) -> str:
    if not text:
        return f"there is no text; type: {_TO_TYPE}"
    if (size := len(text.encode("utf-8", "replace"))) > MAX_BYTES:
        return f"the text has {size} bytes, one message at most {MAX_BYTES}; send it in parts"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return "the text has a control character, or half of a pair; send plain text"
    if _could_be_a_switch(text):
        return "MicroSIP would take /account: or /password: in it for itself; leave that out"
    if text.endswith("/"):
        return "MicroSIP would cut the / off the end; put something behind it"
    return ""


def _could_be_a_switch(text: str) -> bool:
    """Whether it is one, or looks like one when decoded, folded or freed of what is unseen."""
    for form in (text, unquote(text), unquote(unquote(text))):
        folded = unicodedata.normalize("NFKC", form).casefold()
        seen = "".join(c for c in folded if unicodedata.category(c) not in {"Cf", "Cc", "Mn"})
        if _SWITCH.search(seen):
            return True
    return False
