"""Fuzz readers with mutated examples: bits flipped, bytes deleted, repeated, inserted and moved."""

import random
from pathlib import Path
from typing import NamedTuple

from tests.torture.readers import Reader, readers

MAX_BYTES = 400_000
MAX_EDITS = 6
# Tokens that often break readers of numbers, markup, lengths and quotes.
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


class FuzzResult(NamedTuple):
    """The cases that a reader got, those that it accepted, and its first fault."""

    name: str
    cases: int
    accepted: int
    fault: str


def fuzz(folder: Path, cases: int, seed: int) -> list[FuzzResult]:
    """Run ``cases`` mutated examples through every reader; a seed repeats the same cases."""
    return [fuzz_reader(reader, cases, random.Random(f"{seed} {reader.name}")) for reader in readers(folder)]


def fuzz_reader(reader: Reader, cases: int, rng: random.Random) -> FuzzResult:
    """Run mutated examples through a reader until one breaks it."""
    whole = [reader.accepts(example) for example in reader.examples]
    assert all(whole), f"{reader.name} refuses an example of its own"
    accepted = 0
    for case in range(cases):
        data = mutate(rng.choice(reader.examples), reader.examples, rng)
        try:
            accepted += reader.accepts(data)
        except Exception as error:
            fault = f"{type(error).__name__}: {str(error)[:80]} on {data[:200]!r}"
            return FuzzResult(reader.name, case + 1, accepted, fault)
    return FuzzResult(reader.name, cases, accepted, "")


def mutate(example: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Return the example with one to six mutations."""
    data = example
    for _ in range(rng.randint(1, MAX_EDITS)):
        data = rng.choice(MUTATIONS)(data, others, rng)
    return data[:MAX_BYTES]


# --- mutations ----------------------------------------------------------------------------------


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 1, 2, 4, 16, 100, 1000)))


def _flip(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _delete(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _cut(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _repeat(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 30)) + data[end:]


def _insert(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(TOKENS) + data[at:]


def _overwrite(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    at, token = rng.randint(0, len(data)), rng.choice(TOKENS)
    return data[:at] + token + data[at + len(token) :]


def _noise(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _graft(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    start, end = _span(other, rng)
    at = rng.randint(0, len(data))
    return data[:at] + other[start:end] + data[at:]


MUTATIONS = (_flip, _flip, _delete, _cut, _repeat, _insert, _insert, _overwrite, _noise, _graft)
