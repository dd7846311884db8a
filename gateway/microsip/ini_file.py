"""One key of an ini file at a time: everything else stays byte for byte as it was."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from gateway.errors import ConfigError

LONGEST_VALUE = 255
"""Characters that MicroSIP reads of a value."""

# What Windows passes over at both ends of a line, a name or a value.
_SPACE = " \t\v\f\x1a"
_QUOTES = "\"'"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ENDING = re.compile(r"[\r\n]*\Z")
_LINE_END = re.compile(r"[\r\n]")
_BYTE_A_CHARACTER = "latin-1"
_NOT_UNICODE = (
    "the settings are not in Unicode, so that this cannot be written; start MicroSIP once, "
    "which converts them, and end it again"
)
_ANY = "surrogatepass"  # half of a pair is kept as it is
_MARKS = {
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: _BYTE_A_CHARACTER,
}


@dataclass(frozen=True, slots=True)
class IniFile:
    """An ini file as Windows reads it: names without case, the first of two counts.

    MicroSIP writes UTF-16 with its mark; without one a file is in the PC's code page or in
    UTF-8, and is kept so.
    """

    lines: tuple[str, ...]
    """With their line endings."""
    mark: bytes = b""
    codec: str = _BYTE_A_CHARACTER
    half: bytes = b""
    """The odd byte at the end of a UTF-16 file that is cut."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Any *data*: what is not understood is kept."""
        mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
        codec = _MARKS.get(mark, _BYTE_A_CHARACTER)
        body, half = data[len(mark) :], b""
        if codec != _BYTE_A_CHARACTER and len(body) % 2:
            body, half = body[:-1], body[-1:]
        return cls(tuple(_LINE.findall(body.decode(codec, _ANY))), mark, codec, half)

    @property
    def data(self) -> bytes:
        return self.mark + "".join(self.lines).encode(self.codec, _ANY) + self.half

    def get(self, section: str, key: str) -> str | None:
        """The value as Windows hands it out: without a pair of quotes around it."""
        line = self.line(section, key)
        if line is None:
            return None
        value = unquoted(line.partition("=")[2].strip(_SPACE))
        if self.codec != _BYTE_A_CHARACTER:
            return value
        data = value.encode(self.codec)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("cp1252", "replace")

    def line(self, section: str, key: str) -> str | None:
        """The line of *key* as it is, for ``with_line`` to put back."""
        index = self._line_of(section, key)
        return None if index is None else _content(self.lines[index])

    def with_value(self, section: str, key: str, value: str) -> Self:
        """Reads back as *value*; raises ConfigError when it cannot be written."""
        if len(value) > LONGEST_VALUE:
            raise ConfigError(
                f"{key}={value}: MicroSIP reads {LONGEST_VALUE} characters, these are "
                f"{len(value)}; use a shorter path"
            )
        if self.codec == _BYTE_A_CHARACTER and not value.isascii():
            raise ConfigError(f"{key}={value}: {_NOT_UNICODE}")
        if "\0" in value:
            raise ConfigError(f"{value!r} is more than a line: MicroSIP reads up to the NUL")
        name = (self.line(section, key) or key).partition("=")[0]
        return self.with_line(section, key, f"{name}={quoted(value)}")

    def with_line(self, section: str, key: str, line: str) -> Self:
        """With *line* for that of *key*, or as the first of its section."""
        if _LINE_END.search(line):  # a NUL that was there is put back with the rest
            raise ConfigError(f"{line!r} is more than a line, which no ini file can hold")
        try:
            line.encode(self.codec, _ANY)
        except UnicodeEncodeError as exc:
            raise ConfigError(f"{line}: {_NOT_UNICODE}") from exc
        index = self._line_of(section, key)
        if index is not None:
            return self._with_lines(index, index + 1, line + _ending(self.lines[index]))
        header = self._header(section)
        if header is None:
            return self._with_section(section, line)
        return self._after(header, line)

    def without(self, section: str, key: str) -> Self:
        """Without the first line of *key*."""
        index = self._line_of(section, key)
        if index is None:
            return self
        if index and not _ending(self.lines[index]):
            # The file had no final line ending, and has none again.
            return self._with_lines(index - 1, index + 1, _content(self.lines[index - 1]))
        return self._with_lines(index, index + 1)

    def has_section(self, name: str) -> bool:
        return self._header(name) is not None

    def section(self, name: str) -> Iterator[tuple[str, str]]:
        """Each key with what stands behind its ``=``, in the order of the file."""
        header = self._header(name)
        if header is None:
            return
        for line in self.lines[header + 1 :]:
            if _section_of(line) is not None:
                return
            key, separator, raw = _content(line).partition("=")
            if separator:
                yield key.strip(_SPACE), raw

    def _header(self, section: str) -> int | None:
        wanted = section.lower()
        for index, line in enumerate(self.lines):
            found = _section_of(line)
            if found is not None and found.lower() == wanted:
                return index
        return None

    def _line_of(self, section: str, key: str) -> int | None:
        header = self._header(section)
        if header is None:
            return None
        for index in range(header + 1, len(self.lines)):
            line = self.lines[index]
            if _section_of(line) is not None:
                return None
            if _content(line).partition("=")[0].strip(_SPACE).lower() == key.lower():
                return index
        return None

    def _after(self, header: int, content: str) -> Self:
        line = self.lines[header]
        if _ending(line):
            return self._with_lines(header + 1, header + 1, content + _ending(line))
        ended = line + self._line_ending()
        return self._with_lines(header, header + 1, ended, content)

    def _with_section(self, section: str, content: str) -> Self:
        ending = self._line_ending()
        added: tuple[str, ...] = (f"[{section}]{ending}", f"{content}{ending}")
        if self.lines and not _ending(self.lines[-1]):
            added = (self.lines[-1] + ending, *added)
            return self._with_lines(len(self.lines) - 1, len(self.lines), *added)
        return self._with_lines(len(self.lines), len(self.lines), *added)

    def _line_ending(self) -> str:
        return (_ending(self.lines[0]) if self.lines else "") or "\r\n"

    def _with_lines(self, first: int, end: int, *lines: str) -> Self:
        return replace(self, lines=(*self.lines[:first], *lines, *self.lines[end:]))


def unquoted(value: str) -> str:
    """Windows takes off one pair of quotes, when they are the first and last character."""
    if len(value) > 1 and value[0] in _QUOTES and value[-1] == value[0]:
        return value[1:-1]
    return value


def quoted(value: str) -> str:
    """What must be written for *value* to be read."""
    if value != value.strip(_SPACE) or value != unquoted(value):
        return f'"{value}"'
    return value


def _ending(line: str) -> str:
    found = _ENDING.search(line)
    return found[0] if found else ""


def _content(line: str) -> str:
    return line.rstrip("\r\n")


def _section_of(line: str) -> str | None:
    """The name in brackets, where *line* begins a section."""
    content = _content(line).strip(_SPACE)
    if not content.startswith("["):
        return None
    name, bracket, _ = content[1:].rpartition("]")
    return name if bracket else None
