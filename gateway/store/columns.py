"""Column types that mean the same on SQLite as on PostgreSQL."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

RisingId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by themselves only in a column of type INTEGER."""


def storable(text: str) -> str:
    """*text* with a visible sign for what PostgreSQL refuses: NUL and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def digest(*parts: object) -> bytes:
    """A key of fixed size: PostgreSQL indexes no value over about 2,700 bytes."""
    text = "".join([f"{len(text)}:{text}" for text in map(str, parts)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class SafeText(TypeDecorator[str]):
    """Text from outside, which is stored whatever is in it."""

    impl = Text
    cache_ok = True

    def bind_processor(self, _: Dialect) -> Callable[[str | None], str | None]:
        return _storable_or_null  # itself: this runs for most columns of every row


def _storable_or_null(text: str | None) -> str | None:
    return None if text is None else storable(text)


class Lines(TypeDecorator[tuple[str, ...]]):
    r"""A short list of words; ``LIKE '%\nWORD\n%'`` finds one of them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, _: Dialect) -> str:
        if not value:
            return ""
        words = [storable(word).replace("\n", " ") for word in value]
        return "".join(f"\n{word}" for word in words) + "\n" if words else ""

    def process_result_value(self, value: str | None, _: Dialect) -> tuple[str, ...]:
        return tuple(value[1:-1].split("\n")) if value else ()


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: only aware values go in, UTC comes back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(
        self, dialect: Dialect
    ) -> Callable[[datetime | None], datetime | str | None]:
        return _text_or_null if dialect.name == "sqlite" else _utc_or_null

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _utc_or_null(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError(f"a time without zone: {at}")
    return at.astimezone(UTC)


def _text_or_null(at: datetime | None) -> str | None:
    """SQLite keeps times as text: all in one zone and form, they compare as they should."""
    utc = _utc_or_null(at)
    return None if utc is None else utc.isoformat(" ", "microseconds")[: -len("+00:00")]
