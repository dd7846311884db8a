"""The webhook format ``generic``: ``{text, to?, id?}``, or any flat document."""

import hashlib
import json

from gateway.errors import InvalidRequest
from gateway.hooks.notification import JsonObject, Notification, flat_text


def read_generic(document: JsonObject) -> Notification:
    """Raises InvalidRequest for a document without anything to tell, or a wrong *to*."""
    if not document:
        raise InvalidRequest('the body is empty; send {"text": "..."}')
    if "text" not in document:
        return Notification(text=flat_text(document))
    text = document["text"]
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequest("text must be a string that is not empty", pointer="/text")
    return Notification(
        text=text,
        recipients=_recipients(document.get("to")),
        duplicate_key=_duplicate_key(document.get("id")),
    )


def _duplicate_key(own_id: object) -> str:
    if not isinstance(own_id, str | int) or own_id == "":
        return ""
    # Hashed: an id may have any length, and characters that no database takes.
    return hashlib.sha256(json.dumps(["id", own_id]).encode()).hexdigest()


def _recipients(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    wanted = value if isinstance(value, list) else [value]
    addresses = tuple(dict.fromkeys(one for one in wanted if isinstance(one, str)))
    if not addresses or not all(isinstance(one, str) for one in wanted):
        raise InvalidRequest("to is an address, or a list of them", pointer="/to")
    return addresses
