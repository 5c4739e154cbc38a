"""A posted review leaves no trace in logs, counts or files, with default settings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.support.stack import Stack

CANARY = "xylophonecanary"
SECRET = f"My {CANARY} was a splendid film, and my number is 4929 1234 5678 9012."
ONE, BATCH = "/v1/sentiment", "/v1/sentiment/batch"
JSON, LINES, TABLE = "application/json", "application/jsonlines", "text/csv"


class Sent(NamedTuple):
    """A request with the secret in one of its parts."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}


def of(kind: str) -> dict[str, str]:
    return {"Content-Type": kind}


def as_json(**message: object) -> bytes:
    return json.dumps(message).encode()


SENT = {
    "a review": Sent("POST", ONE, as_json(review=SECRET, explain="words"), of(JSON)),
    "a text": Sent("POST", ONE, SECRET.encode(), of("text/plain")),
    "the old route": Sent("POST", "/", SECRET.encode(), of("text/plain")),
    "markup": Sent("POST", ONE, as_json(review=f"<b title='{CANARY}'>Fine</b>"), of(JSON)),
    "a batch": Sent(
        "POST", BATCH, as_json(reviews=[{"id": CANARY, "review": SECRET}], explain="words"), of(JSON)
    ),
    "bad items": Sent("POST", BATCH, as_json(reviews=[CANARY, {CANARY: 1}, {"review": [SECRET]}]), of(JSON)),
    "lines": Sent("POST", BATCH, as_json(review=SECRET, id=CANARY) + b"\n" + CANARY.encode(), of(LINES)),
    "a table": Sent("POST", BATCH, f'id,review\n{CANARY},"{SECRET}"\n{CANARY},a,b\n'.encode(), of(TABLE)),
    "a column": Sent("POST", BATCH, f"review,{CANARY}\na,b\n".encode(), of(TABLE)),
    "an open quote": Sent("POST", BATCH, f'review\n"{SECRET}'.encode(), of(TABLE)),
    "bad JSON": Sent("POST", ONE, b'{"review": "' + SECRET.encode(), of(JSON)),
    "NaN beside it": Sent("POST", ONE, b'{"a": NaN, "review": "' + SECRET.encode() + b'"}', of(JSON)),
    "bad UTF-8": Sent("POST", ONE, SECRET.encode() + b"\xff", of("text/plain")),
    "a field's name": Sent("POST", ONE, as_json(review="Fine", **{CANARY: 1}), of(JSON)),
    "explain": Sent("POST", ONE, as_json(review="Fine", explain=CANARY), of(JSON)),
    "explain in the query": Sent("POST", f"{BATCH}?explain={CANARY}", b"review\nFine", of(TABLE)),
    "too long": Sent("POST", ONE, as_json(review=SECRET * 1_000), of(JSON)),
    "too large": Sent("POST", ONE, (SECRET * 15_000).encode(), of("text/plain")),
    "far too large": Sent("POST", ONE, (SECRET * 150_000).encode(), of("text/plain")),
    "a content type": Sent("POST", ONE, b"x", of(f"text/{CANARY}; charset={CANARY}")),
    "headers": Sent(
        "POST",
        ONE,
        as_json(review="Fine film."),
        {
            **of(JSON),
            "User-Agent": CANARY,
            "Cookie": f"session={CANARY}",
            "Authorization": f"Bearer {CANARY}",
            "X-Api-Key": CANARY,
            "Referer": f"https://{CANARY}.example/",
            "Origin": f"https://{CANARY}.example",
            "If-None-Match": f'"{CANARY}"',
            "X-Request-Id": f"no id of {CANARY}",
            "Accept": f"text/{CANARY}",
            CANARY: CANARY,
        },
    ),
    "feedback that nobody wants": Sent(
        "POST", "/v1/feedback", as_json(review=SECRET, label="positive"), of(JSON)
    ),
    "bad feedback": Sent("POST", "/v1/feedback", as_json(review=SECRET, label=CANARY), of(JSON)),
    "feedback to delete": Sent("DELETE", f"/v1/feedback/{CANARY}"),
    "a path": Sent("GET", f"/v1/{CANARY}/{CANARY}?{CANARY}={CANARY}"),
    "a query": Sent("GET", f"/v1/health?review={CANARY}"),
    "a method": Sent(CANARY.upper(), ONE),
}


class Watched(NamedTuple):
    """A running app, and the only folder where it could write files."""

    stack: Stack
    folder: Path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("home")
    places = {name: str(folder) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    stack = Stack(**places)
    stack.wait_for("Verdict is ready")
    yield Watched(stack, folder)
    stack.stop()


@pytest.mark.parametrize("name", SENT)
def test_a_secret_leaves_no_trace(name: str, watched: Watched) -> None:
    stack, folder = watched
    sent, printed = SENT[name], len(stack.log)
    with httpx.Client(base_url=stack.api, trust_env=False, timeout=30) as client:
        client.request(sent.method, sent.path, content=sent.body, headers=sent.headers)
        mark = "mark-" + name.replace(" ", "-").replace("'", "")
        counted = client.get("/v1/metrics", headers={"X-Request-Id": mark})
    stack.wait_for(mark)  # the lines before it have come
    logged = "".join(stack.log[printed:])
    assert logged.count('"route"') >= 2
    files = [path for path in folder.rglob("*") if path.is_file()]
    for trace in (CANARY, CANARY.upper(), "4929 1234", "splendid"):
        assert trace not in logged
        assert trace not in counted.text
        assert [path for path in files if trace.encode() in path.read_bytes() or trace in path.name] == []


def test_the_search_would_find_a_secret(watched: Watched) -> None:
    """The log may hold a caller's own request id."""
    request_id = f"{CANARY}-named"
    httpx.get(watched.stack.api + "/v1/health", headers={"X-Request-Id": request_id}, trust_env=False)
    watched.stack.wait_for(request_id)
    assert any(f'"request_id": "{request_id}"' in line for line in watched.stack.log)
