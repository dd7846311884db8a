"""What the commands that list something have in common: whole pages, one line an item."""

import shutil
import sys
from collections.abc import Awaitable, Callable

from gateway.query import MAX_PAGE
from gateway.web.client import JsonObject

NextPage = Callable[[int, str], Awaitable[JsonObject]]
"""Of at most so many items, from a cursor on."""


async def newest(limit: int, page_of: NextPage) -> list[JsonObject]:
    """The first *limit* items, from as many pages as that takes."""
    items: list[JsonObject] = []
    cursor = ""
    while len(items) < limit:
        page = await page_of(min(limit - len(items), MAX_PAGE), cursor)
        items += page["items"]
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    return items


def one_line(text: str) -> str:
    """*text* without what a terminal would obey, cut to its width where there is one."""
    line = "".join(character if character.isprintable() else "?" for character in text)
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        return line if len(line) <= width else line[: width - 3] + "..."
    return line
