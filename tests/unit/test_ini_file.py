"""microsip.ini: one key is changed, and not one byte beside it."""

import codecs

import pytest
from hypothesis import assume, given, strategies as st

from gateway.errors import ConfigError
from gateway.microsip.ini_file import IniFile

KEY = "cmdCallEnd"
HOOK = r'"C:\Users\Jo Bloggs\hook.exe" end --'
AS_WRITTEN_BY_MICROSIP = (
    "[Settings]\r\naccountId=1\r\ncmdCallEnd=\r\nvolumeOutput=60\r\n"
    "[Account1]\r\nserver=office.example\r\nlabel=Büro 📞\r\n"
)


def utf16(text: str) -> bytes:
    return codecs.BOM_UTF16_LE + text.encode("utf-16-le", "surrogatepass")


def settings(text: str) -> IniFile:
    return IniFile.parse(utf16(text))


MARKS = st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
ODD_LINES = st.sampled_from(
    [
        *("[Settings]", " [SETTINGS] ; twice", "[Calls]", "[broken", "]", "; a comment", ""),
        *("cmdCallEnd=old", " CMDCALLEND = old ", "cmdCallEnd", "cmdCallEnd==", "=no key"),
        *("\0", "\x1a", "volumeOutput=60", "label=\ud83d", "[Settings]cmdCallEnd=no"),
    ]
)
LINES = st.one_of(ODD_LINES, st.text(st.characters(codec="utf-16-le"), max_size=10))
ENDINGS = st.sampled_from(["\r\n", "\n", "\r", ""])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """What an ini file may become in people's hands."""
    mark = draw(MARKS)
    lines = draw(st.lists(st.tuples(LINES, ENDINGS).map("".join), max_size=12))
    codec = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(mark)
    if codec is None:
        return mark + "".join(lines).encode("utf-8", "surrogatepass")
    return mark + "".join(lines).encode(codec, "surrogatepass") + draw(st.binary(max_size=1))


@given(data=st.binary())
def test_what_is_read_is_what_is_written(data: bytes) -> None:
    assert IniFile.parse(data).data == data


@given(data=files(), value=st.text(st.sampled_from("ab \"'\\%=;[]-"), max_size=12))
def test_a_value_that_was_set_is_read(data: bytes, value: str) -> None:
    changed = IniFile.parse(data).with_value("Settings", KEY, value)

    assert IniFile.parse(changed.data).get("settings", KEY.upper()) == value


@given(data=files())
def test_setting_changes_one_line(data: bytes) -> None:
    before = IniFile.parse(data)

    after = before.with_value("Settings", KEY, "new")

    added = len(after.lines) - len(before.lines)
    changed = [line for line in after.lines if line not in before.lines]
    assert added in {0, 1, 2}
    # One more where it follows what had no line ending, one where the section is new.
    assert len(changed) <= 1 + added
    assert any("new" in line for line in changed)


@given(data=files())
def test_a_line_is_put_back_as_it_was(data: bytes) -> None:
    before = IniFile.parse(data)
    assume(before.has_section("Settings"))
    line = before.line("Settings", KEY)

    hooked = IniFile.parse(before.with_value("Settings", KEY, "hook.exe end --").data)
    if line is None:
        restored = hooked.without("Settings", KEY)
    else:
        restored = hooked.with_line("Settings", KEY, line)

    assert restored.data == data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("[Settings]\r\ncmdCallEnd=a.exe\r\n", "a.exe", id="plain"),
        pytest.param("[settings]\r\nCMDCALLEND=a.exe\r\n", "a.exe", id="any case"),
        pytest.param("  [Settings]\r\n cmdCallEnd = a.exe \r\n", "a.exe", id="spaces"),
        pytest.param("[Settings]\ncmdCallEnd=a.exe", "a.exe", id="no final line ending"),
        pytest.param("[Settings]\r\ncmdCallEnd=a\r\ncmdCallEnd=b\r\n", "a", id="first key"),
        pytest.param(
            "[Settings]\r\ncmdCallEnd=a\r\n[Settings]\r\ncmdCallEnd=b\r\n", "a", id="first one"
        ),
        pytest.param("[Calls]\r\ncmdCallEnd=a\r\n[Settings]\r\n", None, id="other section"),
        pytest.param("cmdCallEnd=a\r\n", None, id="no section"),
        pytest.param("[Settings]\r\n;cmdCallEnd=a\r\n", None, id="comment"),
        pytest.param("[Settings]\r\ncmdCallEnd=\r\n", "", id="empty"),
        pytest.param("[Settings]\r\ncmdCallEnd=a=b\r\n", "a=b", id="second ="),
        pytest.param('[Settings]\r\ncmdCallEnd="a b"\r\n', "a b", id="quotes"),
        pytest.param("[Settings]\r\ncmdCallEnd='a b'\r\n", "a b", id="single quotes"),
        pytest.param('[Settings]\r\ncmdCallEnd=""a b" c"\r\n', '"a b" c', id="outer quotes"),
        pytest.param('[Settings]\r\ncmdCallEnd="a b" c\r\n', '"a b" c', id="one quote"),
        pytest.param('[Settings]\r\ncmdCallEnd="\r\n', '"', id="lone quote"),
    ],
)
def test_a_value_is_what_windows_hands_out(text: str, value: str | None) -> None:
    assert settings(text).get("Settings", KEY) == value


def test_a_changed_file_is_the_same_but_for_the_line() -> None:
    ini = settings(AS_WRITTEN_BY_MICROSIP)

    changed = ini.with_value("Settings", KEY, HOOK)

    expected = AS_WRITTEN_BY_MICROSIP.replace("cmdCallEnd=", f"cmdCallEnd={HOOK}")
    assert changed.data == utf16(expected)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("[Settings]\na=1\n", "[Settings]\nk=v\na=1\n", id="behind the section"),
        pytest.param("[Settings]", "[Settings]\r\nk=v", id="no line ending"),
        pytest.param("[Calls]\na=1", "[Calls]\na=1\n[Settings]\nk=v\n", id="no section"),
        pytest.param("", "[Settings]\r\nk=v\r\n", id="empty file"),
    ],
)
def test_a_new_key_gets_a_line_of_its_own(before: str, after: str) -> None:
    assert settings(before).with_value("Settings", "k", "v").data == utf16(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[Settings]\r\nk=v\r\na=1\r\n", "[Settings]\r\na=1\r\n"),
        ("[Settings]\r\nk=v", "[Settings]"),
        ("[Settings]\r\nk=v\r\nk=w\r\n", "[Settings]\r\nk=w\r\n"),
        ("[Settings]\r\na=1\r\n", "[Settings]\r\na=1\r\n"),
    ],
    ids=["between", "at the end", "one of two", "absent"],
)
def test_a_key_goes_with_its_line(before: str, after: str) -> None:
    assert settings(before).without("Settings", "k").data == utf16(after)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param("[Settings]\nlabel=Büro".encode(), "Büro", id="utf-8"),
        pytest.param("[Settings]\nlabel=Büro".encode("cp1252"), "Büro", id="code page"),
        pytest.param(codecs.BOM_UTF8 + "[Settings]\nlabel=Büro".encode(), "Büro", id="mark"),
    ],
)
def test_what_is_not_in_unicode_is_read_and_kept_so(data: bytes, value: str) -> None:
    ini = IniFile.parse(data)

    changed = ini.with_value("Settings", KEY, "end --")

    assert ini.get("Settings", "label") == value
    assert changed.data == data.replace(b"[Settings]\n", b"[Settings]\ncmdCallEnd=end --\n")


@pytest.mark.parametrize(
    ("ini", "value", "remedy"),
    [
        pytest.param(settings(""), "x" * 256, "use a shorter path", id="too long"),
        pytest.param(settings(""), "a\nb=c", "more than a line", id="two lines"),
        pytest.param(settings(""), "a\0", "more than a line", id="NUL"),
        pytest.param(IniFile.parse(b""), "C:\\Büro", "start MicroSIP once", id="no Unicode"),
    ],
)
def test_what_microsip_would_not_read_is_refused(ini: IniFile, value: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        ini.with_value("Settings", KEY, value)


def test_a_line_beyond_the_files_characters_is_refused() -> None:
    with pytest.raises(ConfigError, match="start MicroSIP once"):
        IniFile.parse(b"").with_line("Settings", KEY, f'{KEY}="Głośnik"')


def test_a_section_is_read_in_its_order() -> None:
    ini = settings("[Calls]\r\n0=1002;Jo;0\r\nno entry\r\n1 = null\r\n[Dialed]\r\n0=1\r\n")

    assert list(ini.section("calls")) == [("0", "1002;Jo;0"), ("1", " null")]
    assert list(ini.section("Contacts")) == []
