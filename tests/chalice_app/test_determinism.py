"""The same review gets the same bytes: in three separate processes, alone and at every place of a batch."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.api import Served
from tests.support.stack import free_ports
from vocab import messages

pytestmark = pytest.mark.slow

REVIEWS = [
    "Not good at all. The music was lovely!",
    "A joy, from its first minute to the last; I laughed, and I cried. 10/10",
    "Dull. " * 300,
    "Zzyzx kwyjibo blorpt, frumple!",
    "\U0001f600 caf\u00e9 <br/> &amp; more",
    "Ce film est une merveille.",
]
IDS = {"X-Request-Id": "same", "Content-Type": messages.JSON}


class Pair:
    """An endpoint and its API, in processes with a hash seed of their own."""

    def __init__(self, seed: int) -> None:
        (port,) = free_ports(1)
        self.endpoint = subprocess.Popen(
            [sys.executable, "-m", "training.endpoint.local_endpoint", "--port", str(port)],
            env={"PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.endpoint.stdout and "endpoint verdict" in self.endpoint.stdout.readline()
        url = f"http://127.0.0.1:{port}"
        self.api = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url, PYTHONHASHSEED=str(seed))

    def stop(self) -> None:
        self.api.stop()
        self.endpoint.terminate()
        self.endpoint.communicate(timeout=10)


@pytest.fixture(scope="module")
def pairs() -> Iterator[list[Pair]]:
    running = [Pair(seed) for seed in (0, 1, 2)]
    yield running
    for pair in running:
        pair.stop()


def ask(pair: Pair, path: str, **message: object) -> bytes:
    answer = pair.api.send("POST", path, json.dumps(message).encode(), IDS)
    assert answer.status == 200
    return answer.body


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_three_processes_say_the_same_bytes(pairs: list[Pair], explain: str) -> None:
    for review in REVIEWS:
        alone = {ask(pair, "/v1/sentiment", review=review, explain=explain) for pair in pairs}
        assert len(alone) == 1
    reviews = [{"id": number, "review": review} for number, review in enumerate(REVIEWS)]
    many = {ask(pair, "/v1/sentiment/batch", reviews=reviews, explain=explain) for pair in pairs}
    assert len(many) == 1


def test_at_every_place_of_a_batch_a_review_gets_its_own_bytes(pairs: list[Pair]) -> None:
    alone = []
    for review in REVIEWS:
        answers = json.loads(ask(pairs[0], "/v1/sentiment", review=review, explain="words"))
        alone.append(messages.to_json({k: v for k, v in answers.items() if k not in ("model", "request_id")}))
    for turn in range(len(REVIEWS)):
        turned = REVIEWS[turn:] + REVIEWS[:turn]
        body = ask(
            pairs[turn % 3],
            "/v1/sentiment/batch",
            reviews=[{"review": review} for review in turned],
            explain="words",
        )
        assert [messages.to_json(item) for item in json.loads(body)["answers"]] == alone[turn:] + alone[:turn]


def test_card_and_document_are_the_same_bytes_by_the_same_etag(pairs: list[Pair]) -> None:
    for path in ("/v1/model", "/v1/openapi.json"):
        answers = {
            (answer := pair.api.send("GET", path)).body + answer.headers["etag"].encode() for pair in pairs
        }
        assert len(answers) == 1
