"""Bytes made of good ones by a few random changes, the same again for the same seed."""

import random
from collections.abc import Iterator, Sequence

_PIECES = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"\xff", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80"),
    *(b";", b":", b",", b"<", b">", b'"', b"\\", b"=", b"@", b"%00", b"%", b"--b", b"[", b"]"),
    *(b"{", b"}", b"null", b"-1", b"99999999999999999999", b"\r\n\r\n", b"\r\n "),
)


def mutants(seed: int, count: int, good: Sequence[bytes]) -> Iterator[bytes]:
    """*count* of them, each of one of the *good* ones."""
    chance = random.Random(seed)  # noqa: S311  no secret
    for _ in range(count):
        data = bytearray(chance.choice(good))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            _change(data, chance, good)
        yield bytes(data[:4000])


def _change(data: bytearray, chance: random.Random, good: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    end = min(len(data), at + chance.choice((0, 1, 1, 8, 64)))
    match chance.randrange(6):
        case 0:  # a bit
            if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
        case 1:  # something with a meaning
            data[at:end] = chance.choice(_PIECES) * chance.choice((1, 1, 1, 3, 300))
        case 2:
            del data[at:end]
        case 3:  # again
            data[at:at] = data[at:end] * chance.choice((1, 20))
        case 4:  # of another one
            other = chance.choice(good)
            start = chance.randint(0, len(other))
            data[at:end] = other[start : start + chance.choice((4, 32, 500))]
        case _:
            data[at:end] = chance.randbytes(end - at)
