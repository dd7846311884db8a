"""Opaque keyset cursors."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.web.problem import Code, HttpProblem

Item = TypeVar("Item")

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a list: beyond the item *key*, forwards or *backwards*."""

    key: str
    backwards: bool = False


def filter_hash(conditions: Mapping[str, object]) -> str:
    """The mark of a query, which its cursors carry."""
    canonical = json.dumps(conditions, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def encode_cursor(cursor: Cursor, mark: str) -> str:
    content = json.dumps([_VERSION, cursor.key, cursor.backwards, mark], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def decode_cursor(text: str, mark: str) -> Cursor:
    """Raises the problem ``cursor_invalid`` unless it was made for the query *mark*."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError as exc:
        raise _unfit("it is not one of this gateway's") from exc
    match content:
        case [int(version), str(key), bool(backwards), str(made_for)] if version == _VERSION:
            if made_for != mark:
                raise _unfit("it was made for another query")
            return Cursor(key=key, backwards=backwards)
        case _:
            raise _unfit("it is not one of this gateway's")


def last_id(text: str, mark: str) -> str:
    """The id of the last item of the page before; empty for the first page."""
    return decode_cursor(text, mark).key if text else ""


def cut(
    found: Sequence[Item], limit: int, mark: str, item_id: Callable[[Item], str]
) -> tuple[Sequence[Item], str | None]:
    """The page of *found*, which has one item more if there is another page; its cursor."""
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    return page, encode_cursor(Cursor(key=item_id(page[-1])), mark)


def decode_archive_id(cursor: Cursor) -> int:
    """The key of a cursor through the archive."""
    if not cursor.key.isascii() or not cursor.key.isdigit() or len(cursor.key) > 18:
        raise _unfit("it is not one of this gateway's")
    return int(cursor.key)


def _unfit(why: str) -> HttpProblem:
    return HttpProblem(
        Code.CURSOR_INVALID, f"the cursor cannot be used: {why}; start again without a cursor"
    )
