"""A review has one answer: by `make run`, by `make serve`, in a batch request and in a file."""

import http.client
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import ROOT, Stack
from training.data.dataset import Dataset
from vocab.messages import JSON

pytestmark = pytest.mark.slow

COUNT = 300
A_BATCH = 100
SENTIMENT = "/v1/sentiment"
EXPLAINED = {"explain": "words", "aspects": "film"}


@pytest.fixture(scope="module")
def reviews(imdb: Dataset) -> list[str]:
    """Reviews of the development split, drawn by a seed."""
    drawn = random.Random(1).sample(imdb.development, COUNT)
    return [review.text for review in drawn]


@pytest.fixture(scope="module")
def serving() -> Iterator[Stack]:
    """The app as `make serve` starts it."""
    running = Stack("--serve")
    try:
        running.wait_for("Verdict is ready")
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def answers(stack: Stack, reviews: list[str]) -> list[bytes]:
    """What `make run` answers to each review, with words and their effects, and aspects."""
    return asked(stack, SENTIMENT, singly(reviews))


def singly(reviews: Sequence[str]) -> list[dict[str, Any]]:
    """Return a request for each review."""
    return [{"review": review, **EXPLAINED} for review in reviews]


def together(reviews: Sequence[str]) -> list[dict[str, Any]]:
    """Return batch requests."""
    items = [{"review": review} for review in reviews]
    return [{"reviews": items[at : at + A_BATCH], **EXPLAINED} for at in range(0, len(items), A_BATCH)]


def asked(running: Stack, path: str, bodies: Sequence[dict[str, Any]]) -> list[bytes]:
    """Return the answers to requests over one connection. Each request has the same id."""
    connection = http.client.HTTPConnection("127.0.0.1", int(running.ports["API_PORT"]), timeout=30)
    headers = {"Content-Type": JSON, "X-Request-Id": "same"}
    answers = []
    try:
        for body in bodies:
            connection.request("POST", path, json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            answers.append(answer.read())
            assert answer.status == 200, answers[-1][:200]
    finally:
        connection.close()
    return answers


def test_make_serve_answers_the_same_bytes_as_make_run(
    answers: list[bytes], serving: Stack, reviews: list[str]
) -> None:
    assert asked(serving, SENTIMENT, singly(reviews)) == answers


@pytest.mark.parametrize("server", ["stack", "serving"])
def test_a_batch_request_has_the_same_answers(
    server: str, answers: list[bytes], reviews: list[str], request: pytest.FixtureRequest
) -> None:
    running: Stack = request.getfixturevalue(server)
    batches = map(json.loads, asked(running, f"{SENTIMENT}/batch", together(reviews)))
    for body, answer in zip(answers, [item for batch in batches for item in batch["answers"]], strict=True):
        whole = json.loads(body)
        assert answer == {key: whole[key] for key in answer}
        assert set(whole) - set(answer) <= {"model", "request_id"}


@pytest.mark.parametrize("aspects", [(), ("--aspects", "film")])
@pytest.mark.parametrize("command", ["batch", "command"])
def test_a_file_has_the_same_verdicts(
    command: str, aspects: tuple[str, ...], answers: list[bytes], reviews: list[str], tmp_path: Path
) -> None:
    file, out = tmp_path / "reviews.jsonl", tmp_path / "verdicts.jsonl"
    file.write_text("".join(json.dumps({"review": review}) + "\n" for review in reviews), encoding="utf-8")
    modules = {
        "batch": ["training.jobs.batch", str(file), "--local", "--out", str(out)],
        "command": ["verdict_sentiment", str(file), "-o", str(out)],
    }
    subprocess.run([sys.executable, "-m", *modules[command], *aspects], cwd=ROOT, check=True, timeout=300)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for body, row in zip(answers, rows, strict=True):
        whole = json.loads(body)
        assert row["probability"] == whole["probability"]
        assert (row["sentiment"], row["reason"]) == (whole["sentiment"], whole["reason"])
        assert row["model"] == whole["model"]["id"]
        assert row.get("aspects") == (whole["aspects"] if aspects else None)
