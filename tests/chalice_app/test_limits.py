"""Every limit over HTTP: the largest accepted value, the smallest refused one, and its status."""

import json

import pytest

from tests.support.api import Served
from vocab import messages

JSON, LINES, TABLE = ({"Content-Type": kind} for kind in (messages.JSON, messages.JSON_LINES, messages.CSV))
TEXT = {"Content-Type": messages.TEXT}
MANY = b'{"reviews":[{"review":"fine"}]'
ONE, BATCH = "/v1/sentiment", "/v1/sentiment/batch"


def nested(depth: int) -> bytes:
    return b'{"review":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def sized(bytes_: int, start: bytes = b'{"review":"fine"', end: bytes = b"}") -> bytes:
    return start + b" " * (bytes_ - len(start) - len(end)) + end


def batch(*reviews: object) -> bytes:
    return json.dumps({"reviews": reviews}).encode()


LONG = json.dumps({"review": "a " * 25_000}).encode()
EDGES = {
    "50,000 characters": (ONE, LONG, JSON, 200, None),
    "50,001 characters": (ONE, LONG.replace(b'a "', b'a a"'), JSON, 413, "too_long"),
    "50,000 escaped characters": (ONE, b'{"review":"' + rb"\u00e9 " * 25_000 + b'"}', JSON, 200, None),
    "50,000 emoji of text": (ONE, "\U0001f600".encode() * 50_000, TEXT, 200, None),
    "50,001 emoji of text": (ONE, "\U0001f600".encode() * 50_001, TEXT, 413, "too_long"),
    "1,000,000 bytes": (ONE, sized(1_000_000), JSON, 200, None),
    "1,000,001 bytes": (ONE, sized(1_000_001), JSON, 413, "too_large"),
    "1,000,000 bytes of many": (BATCH, sized(1_000_000, MANY), JSON, 200, None),
    "1,000,001 bytes of many": (BATCH, sized(1_000_001, MANY), JSON, 413, "too_large"),
    "10,000,000 bytes": (ONE, sized(10_000_000), JSON, 413, "too_large"),
    "10,000,001 bytes": (ONE, sized(10_000_001), JSON, 413, "too_large"),
    "depth 20": (ONE, nested(20), JSON, 400, "wrong_type"),
    "depth 21": (ONE, nested(21), JSON, 400, "malformed_json"),
    "100 reviews": (BATCH, batch(*[{"review": "fine"}] * 100), JSON, 200, None),
    "101 reviews": (BATCH, batch(*[{"review": "fine"}] * 101), JSON, 413, "too_many_reviews"),
    "100 lines": (BATCH, b'{"review":"fine"}\n' * 100, LINES, 200, None),
    "101 lines": (BATCH, b'{"review":"fine"}\n' * 101, LINES, 413, "too_many_reviews"),
    "100 rows": (BATCH, b"review\n" + b"fine\n" * 100, TABLE, 200, None),
    "101 rows": (BATCH, b"review\n" + b"fine\n" * 101, TABLE, 413, "too_many_reviews"),
    "a comma of text": (ONE, b",", TEXT, 200, None),
    "white space": (ONE, b" \n\t", TEXT, 422, "no_token"),
    "CSV for one": (ONE, b"review\nfine", TABLE, 415, "unsupported_media_type"),
    "text for many": (BATCH, b"fine", TEXT, 415, "unsupported_media_type"),
    "UTF-16": (ONE, b"fine", {"Content-Type": "text/plain; charset=utf-16"}, 415, "unsupported_media_type"),
    "compressed": (ONE, b"fine", TEXT | {"Content-Encoding": "br"}, 415, "unsupported_encoding"),
}


@pytest.mark.parametrize("name", EDGES)
def test_a_limit_is_where_it_is_said_to_be(served: Served, name: str) -> None:
    path, body, headers, status, code = EDGES[name]
    answer = served.send("POST", path, body, headers)
    problem = answer.json()
    assert (answer.status, problem.get("code")) == (status, code), problem
    assert (answer.headers["content-type"] == "application/problem+json") == (code is not None)
