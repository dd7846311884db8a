import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from gateway.call import LONGEST_USER, CallEventKind
from gateway.microsip.hand_over import (
    KEY_BYTES,
    LARGEST_SKEW,
    LONGEST_DATAGRAM,
    LONGEST_USER_BYTES,
    HandOver,
    Refusal,
    SeenNonces,
    new_nonce,
    read_hand_over,
    write_hand_over,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = bytes(range(KEY_BYTES))
INSTANT = timedelta(milliseconds=1)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
kinds = st.sampled_from(CallEventKind)
nonces = st.text("0123456789abcdef", min_size=16, max_size=16)


def event(
    user: str = "555",
    *,
    kind: CallEventKind = CallEventKind.RING,
    at: datetime = NOON,
    nonce: str = "0123456789abcdef",
) -> HandOver:
    return HandOver(kind=kind, user=user, at=at, nonce=nonce)


def accepted(datagram: bytes, key: bytes = KEY, now: datetime = NOON) -> HandOver:
    read = read_hand_over(datagram, key, now)
    assert isinstance(read, HandOver), read
    return read


def authentic(fields: bytes) -> bytes:
    """*fields* with the right code, whatever they say."""
    return fields + b" " + hmac.digest(KEY, fields, "sha256").hex().encode()


def test_the_format_is_the_one_that_the_hook_program_knows() -> None:
    datagram = write_hand_over(event("a b"), KEY)

    # The code is openssl's: dgst -sha256 -mac HMAC -macopt hexkey:000102...
    assert datagram == (
        b"sip-gateway-event 1 1795348800000 0123456789abcdef ring 612062 "
        b"50f83b108e7f5958f58939a2140abba02d2afa1dd5f9441bb9875d11a62df2f0"
    )


@given(kind=kinds, user=texts, nonce=nonces, milliseconds=st.integers(0, 10**12))
def test_what_is_written_is_read(
    kind: CallEventKind, user: str, nonce: str, milliseconds: int
) -> None:
    at = datetime.fromtimestamp(0, UTC) + milliseconds * INSTANT
    written = event(user, kind=kind, at=at, nonce=nonce)

    read = accepted(write_hand_over(written, KEY), now=at)

    assert read == written


@given(user=st.text(max_size=2000), kind=kinds)
def test_any_user_part_fits(user: str, kind: CallEventKind) -> None:
    datagram = write_hand_over(event(user, kind=kind), KEY)

    assert len(datagram) <= LONGEST_DATAGRAM
    assert accepted(datagram).kind == kind


@pytest.mark.parametrize(
    ("user", "kept"),
    [
        pytest.param("5" * 5000, "5" * LONGEST_USER, id="characters"),
        pytest.param("\u20ac" * 256, "\u20ac" * (LONGEST_USER_BYTES // 3), id="bytes"),
        pytest.param("a" + "\u20ac" * 256, "a" + "\u20ac" * 199, id="whole characters"),
        pytest.param("5\ud800", "5\ufffd", id="lone surrogate"),
    ],
)
def test_a_long_user_part_is_cut(user: str, kept: str) -> None:
    assert accepted(write_hand_over(event(user), KEY)).user == kept


@given(bit=st.integers(0, 7), kind=kinds, user=texts)
def test_a_change_at_any_byte_is_refused(bit: int, kind: CallEventKind, user: str) -> None:
    datagram = write_hand_over(event(user, kind=kind), KEY)

    for place in range(len(datagram)):
        tampered = bytearray(datagram)
        tampered[place] ^= 1 << bit

        assert isinstance(read_hand_over(bytes(tampered), KEY, NOON), Refusal), place


@given(st.binary(max_size=LONGEST_DATAGRAM + 1))
def test_what_nobody_wrote_is_refused(datagram: bytes) -> None:
    assert isinstance(read_hand_over(datagram, KEY, NOON), Refusal)


@given(st.binary(max_size=100))
def test_authentic_nonsense_is_refused(rest: bytes) -> None:
    datagram = authentic(b"sip-gateway-event 1 " + rest)

    assert read_hand_over(datagram, KEY, NOON) is Refusal.MALFORMED


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        pytest.param(b"x" * 1401, Refusal.TOO_LONG, id="oversize"),
        pytest.param(b"", Refusal.FOREIGN, id="empty"),
        pytest.param(b"OPTIONS sip:me SIP/2.0", Refusal.FOREIGN, id="SIP"),
        pytest.param(b"sip-gateway-event", Refusal.OTHER_VERSION, id="nothing but a name"),
        pytest.param(b"sip-gateway-event 2 x", Refusal.OTHER_VERSION, id="newer"),
        pytest.param(b"sip-gateway-event 1 x", Refusal.FORGED, id="no code"),
    ],
)
def test_a_refusal_says_why(datagram: bytes, why: Refusal) -> None:
    assert read_hand_over(datagram, KEY, NOON) is why


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(b"1795348800000 0123456789abcdef explode 612062", id="kind"),
        pytest.param(b"1795348800000 0123456789abcdef ring ff", id="not UTF-8"),
        pytest.param(b"1795348800000 0123456789abcdef ring 6", id="half a byte"),
        pytest.param(b"1795348800000 0123456789abcdef ring 6G", id="not hex"),
        pytest.param(b"1795348800000 0123456789ABCDEF ring -", id="capital hex"),
        pytest.param(b"1795348800000 0123456789abcde ring -", id="short nonce"),
        pytest.param(b"99999999999999999999 0123456789abcdef ring -", id="far away"),
        pytest.param(b"-1 0123456789abcdef ring -", id="before the epoch"),
        pytest.param(b"1795348800000 0123456789abcdef ring", id="no user"),
        pytest.param(b"1795348800000 0123456789abcdef ring - -", id="one more field"),
        pytest.param(b"1795348800000 0123456789abcdef ring -\n", id="line end"),
    ],
)
def test_a_wrong_field_is_refused_though_authentic(fields: bytes) -> None:
    datagram = authentic(b"sip-gateway-event 1 " + fields)

    assert read_hand_over(datagram, KEY, NOON) is Refusal.MALFORMED


def test_another_key_is_refused() -> None:
    datagram = write_hand_over(event(), KEY)

    assert read_hand_over(datagram, bytes(KEY_BYTES), NOON) is Refusal.FORGED


@pytest.mark.parametrize("sign", [-1, 1], ids=["late", "early"])
def test_a_time_is_accepted_up_to_the_skew(sign: int) -> None:
    datagram = write_hand_over(event(), KEY)
    last = NOON + sign * LARGEST_SKEW

    assert accepted(datagram, now=last) == event()
    assert read_hand_over(datagram, KEY, last + sign * INSTANT) is Refusal.SKEWED


def test_a_datagram_is_new_once() -> None:
    seen = SeenNonces()

    first = [seen.is_new(event(nonce=nonce), NOON) for nonce in ("a" * 16, "b" * 16)]
    again = [seen.is_new(event(nonce=nonce), NOON) for nonce in ("a" * 16, "b" * 16)]

    assert (first, again) == ([True, True], [False, False])


@given(
    skew=st.timedeltas(-LARGEST_SKEW, LARGEST_SKEW),
    others=st.lists(st.timedeltas(timedelta(), 2 * LARGEST_SKEW)),
    later=st.timedeltas(timedelta(), 3 * LARGEST_SKEW),
)
def test_no_repetition_is_accepted_as_long_as_its_time_is(
    skew: timedelta, others: list[timedelta], later: timedelta
) -> None:
    sent = event(at=NOON + skew // INSTANT * INSTANT)
    datagram = write_hand_over(sent, KEY)
    seen = SeenNonces()
    seen.is_new(sent, NOON)
    for passed in sorted(others):
        if passed <= later:
            seen.is_new(event(at=NOON + passed, nonce=new_nonce()), NOON + passed)

    repeated = read_hand_over(datagram, KEY, NOON + later)

    assert repeated is Refusal.SKEWED or not seen.is_new(sent, NOON + later)


def test_a_nonce_is_forgotten_when_its_time_has_passed() -> None:
    seen = SeenNonces()
    seen.is_new(event(), NOON)

    assert not seen.is_new(event(), NOON + LARGEST_SKEW)
    assert seen.is_new(event(), NOON + LARGEST_SKEW + INSTANT)


def test_nonces_differ() -> None:
    nonces = {new_nonce() for _ in range(100)}

    assert len(nonces) == 100
    assert {len(nonce) for nonce in nonces} == {16}
