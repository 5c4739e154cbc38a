"""Change whole examples until a reader breaks: bits flipped, pieces lost, doubled, moved, put in."""

import random
from pathlib import Path
from typing import NamedTuple

from tests.torture.readers import Reader, readers

MAX_BYTES = 400_000
MAX_EDITS = 6
# What readers of numbers, markup, lengths and quotes are prone to stumble over.
TOKENS = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b'""',
        b"\\",
        b",",
        b":",
        b"\n",
        b"\r\n",
        b"\t",
        b";",
        b"=",
        b"\x00",
        b" ",
    ),
    *(
        b"null",
        b"true",
        b"NaN",
        b"-0",
        b"1e999",
        b"9" * 400,
        b"-1",
        b"0.1",
        b'"id"',
        b'"review"',
        b'"\\ud800"',
    ),
    *(
        b"<",
        b"</",
        b"<!--",
        b"-->",
        b"<!",
        b"&",
        b"&#",
        b"&#xD800;",
        b"&amp",
        b"<script>",
        b"<br>",
        b"'",
        b"n't",
    ),
    *(
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xf4\x8f\xbf\xbf",
        b"\xe2\x80\xa8",
        b"\xcc\x81",
        b"\xc2\x85",
    ),
    *(
        b"\x80\x04",
        b"\x93",
        b"\x94",
        b"R",
        b"r\xff\xff\xff\xff",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"ustar",
    ),
    *(b"17777777777", b"\x80" + bytes(7) + b"\xff" * 4, b"GNU.sparse.map=", b"30 path=../../x\n", b"x" * 512),
]


class Told(NamedTuple):
    """What came of a reader: how many cases, how many it took, and the first that it broke on."""

    name: str
    cases: int
    taken: int
    fault: str


def fuzz(folder: Path, cases: int, seed: int) -> list[Told]:
    """Try ``cases`` changed examples on every reader; the same seed tries the same."""
    return [tried_on(one, cases, random.Random(f"{seed} {one.name}")) for one in readers(folder)]


def tried_on(reader: Reader, cases: int, chance: random.Random) -> Told:
    """Try changed examples on a reader until it breaks."""
    whole = [reader.try_on(example) for example in reader.examples]
    assert all(whole), f"{reader.name} refuses an example of its own"
    taken = 0
    for case in range(cases):
        data = changed(chance.choice(reader.examples), reader.examples, chance)
        try:
            taken += reader.try_on(data)
        except Exception as error:
            fault = f"{type(error).__name__}: {str(error)[:80]} on {data[:200]!r}"
            return Told(reader.name, case + 1, taken, fault)
    return Told(reader.name, cases, taken, "")


def changed(example: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return the example with one to six changes."""
    data = example
    for _ in range(chance.randint(1, MAX_EDITS)):
        data = chance.choice(CHANGES)(data, others, chance)
    return data[:MAX_BYTES]


# --- changes ------------------------------------------------------------------------------------


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.choice((1, 1, 2, 4, 16, 100, 1000)))


def _flip(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _lose(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _cut(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _repeat(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 1, 2, 30)) + data[end:]


def _put_in(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(TOKENS) + data[at:]


def _put_over(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    at, token = chance.randint(0, len(data)), chance.choice(TOKENS)
    return data[:at] + token + data[at + len(token) :]


def _noise(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + chance.randbytes(end - start) + data[end:]


def _graft(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    other = chance.choice(others)
    start, end = _span(other, chance)
    at = chance.randint(0, len(data))
    return data[:at] + other[start:end] + data[at:]


CHANGES = (_flip, _flip, _lose, _cut, _repeat, _put_in, _put_in, _put_over, _noise, _graft)
