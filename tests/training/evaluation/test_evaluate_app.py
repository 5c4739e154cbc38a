"""The judge of the running app, against a tiny API: errors count as wrong, silence is one sentence."""

import http.client
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import free_ports
from training.data import dataset
from training.endpoint import inference
from training.evaluation import evaluate_app
from training.evaluation.evaluate_app import AppResponse


class Api(ThreadingHTTPServer):
    """An API that calls a review positive when it holds " pos "; ``wrongs`` maps a word to its error."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ApiHandler)
        self.wrongs: dict[str, str] = {}
        self.asked: list[tuple[str, Any]] = []
        self.connections: set[Any] = set()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _ApiHandler(BaseHTTPRequestHandler):
    server: Api
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, message))
        self.server.connections.add(self.client_address)
        review = message["review"]
        wrong = next((how for word, how in self.server.wrongs.items() if word in review), "")
        if wrong == "hang up":
            self.close_connection = True
            return
        probability = 0.9 if " pos " in review else 0.1
        answer = {"probability": probability, "sentiment": "positive" if probability > 0.5 else "negative"}
        if wrong == "uncertain":
            answer = {"probability": 0.52, "sentiment": "uncertain"}
        body = b"<html>" if wrong == "html" else json.dumps(answer).encode()
        self.send_response(500 if wrong == "500" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def judge(
    make_archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, float]]:
    """A function that runs the script on the tiny archive's four test reviews and returns its JSON."""

    def run(*flags: str) -> dict[str, float]:
        monkeypatch.setattr(
            sys, "argv", ["evaluate_app.py", "--archive", str(make_archive()), "--count", "4", *flags]
        )
        evaluate_app.main()
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture(autouse=True)
def connections_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what the script leaves to its own end."""
    opened: list[http.client.HTTPConnection] = []

    class Closing(http.client.HTTPConnection):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            opened.append(self)

    monkeypatch.setattr(evaluate_app.http.client, "HTTPConnection", Closing)
    yield
    for connection in opened:
        connection.close()


def test_an_api_that_is_right_gets_all(api: Api, judge: Callable[..., dict[str, float]]) -> None:
    found = judge("--url", api.url)
    assert {key: found[key] for key in ("reviews", "accuracy", "uncertain", "errors")} == {
        "reviews": 4,
        "accuracy": 1.0,
        "uncertain": 0.0,
        "errors": 0,
    }
    assert 0 < found["p50_ms"] <= found["p95_ms"]


@pytest.mark.parametrize("wrong", ["500", "html", "hang up"])
def test_an_error_counts_as_wrong_and_ends_the_script_with_one_sentence_and_nothing_published(
    wrong: str,
    api: Api,
    judge: Callable[..., dict[str, float]],
    own_package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(inference, "MODEL_FOLDER", own_package)
    before = (own_package / "model.json").read_bytes()
    api.wrongs["pos film 1"] = wrong
    with pytest.raises(SystemExit, match="^evaluate-app: 1 of 4 requests failed; "):
        judge("--url", api.url, "--publish")
    found = json.loads(capsys.readouterr().out)
    assert (found["accuracy"], found["errors"]) == (0.75, 1)
    assert (own_package / "model.json").read_bytes() == before


def test_an_uncertain_answer_is_right_or_wrong_by_its_probability(
    api: Api, judge: Callable[..., dict[str, float]]
) -> None:
    api.wrongs["film 0"] = "uncertain"
    found = judge("--url", api.url)
    assert (found["accuracy"], found["uncertain"], found["errors"]) == (0.75, 0.5, 0)


def test_each_review_is_one_request_over_one_connection(
    api: Api, judge: Callable[..., dict[str, float]]
) -> None:
    judge("--url", f"{api.url}/api/")
    assert {path for path, _ in api.asked} == {"/api/v1/sentiment"}
    reviews = [message["review"] for _, message in api.asked[1:]]
    assert sorted(reviews) == [
        "The test neg film 0.",
        "The test neg film 1.",
        "The test pos film 0.",
        "The test pos film 1.",
    ]
    assert all(message["explain"] == "none" for _, message in api.asked)
    assert len(api.connections) == 1


def test_nothing_that_answers_ends_the_script_with_one_sentence(
    judge: Callable[..., dict[str, float]],
) -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(
        SystemExit, match=f"^evaluate-app: nothing answers at {url}; start it with `make run`"
    ):
        judge("--url", url)


@pytest.mark.parametrize(
    "url", ["nonsense", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://a:port", "http://[::1"]
)
def test_an_address_that_is_no_url_ends_the_script_with_one_sentence(
    url: str, judge: Callable[..., dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_URL", url)
    with pytest.raises(SystemExit, match=f"^evaluate-app: {re.escape(repr(url))} is no http"):
        judge()


def test_a_missing_archive_ends_the_script_with_one_sentence(
    api: Api, judge: Callable[..., dict[str, float]]
) -> None:
    with pytest.raises(SystemExit, match="^evaluate-app: no IMDb archive at /nowhere.tar.gz; "):
        judge("--url", api.url, "--archive", "/nowhere.tar.gz")


@pytest.mark.parametrize("count", ["0", "1", "-3", "1000000"])
def test_a_count_that_can_t_be_drawn_is_named_by_the_usage(
    count: str, judge: Callable[..., dict[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        judge("--count", count)
    assert "--count must lie from 2 to 4" in capsys.readouterr().err


@pytest.mark.parametrize(("variables", "expected"), [("API_URL", "{url}"), ("API_PORT", "{port}")])
def test_the_address_comes_from_the_environment(
    variables: str,
    expected: str,
    api: Api,
    judge: Callable[..., dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variables, expected.format(url=api.url, port=api.server_port))
    assert judge()["accuracy"] == 1.0


def test_figures_are_published_when_that_is_asked_for(
    api: Api,
    judge: Callable[..., dict[str, float]],
    own_package: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inference, "MODEL_FOLDER", own_package)
    card = own_package / "model.json"
    before = card.read_bytes()
    judge("--url", api.url)
    assert card.read_bytes() == before
    found = judge("--url", api.url, "--publish")
    published = json.loads(card.read_text(encoding="utf-8"))["metrics"]["app"]
    assert published.pop("command") == "python -m training.evaluation.evaluate_app"
    assert published.pop("machine")
    assert published == found


def test_a_sample_is_half_of_each_label_and_the_same_for_the_same_seed() -> None:
    reviews = [dataset.Review(str(n), str(n), n % 2, 1, "film") for n in range(400)]
    chosen = evaluate_app.sample(reviews, 100, 1)
    assert len({review.name for review in chosen}) == 100
    assert sum(review.label for review in chosen) == 50
    assert chosen == evaluate_app.sample(reviews, 100, 1)
    assert chosen != evaluate_app.sample(reviews, 100, 2)
    assert [review.label for review in chosen] != sorted(review.label for review in chosen)


def test_times_are_the_middle_and_the_slowest_twentieth() -> None:
    answers = [AppResponse(0.9, "positive", 200, float(ms)) for ms in range(100, 0, -1)]
    found = evaluate_app.summarize(answers, [1] * 100)
    assert (found["p50_ms"], found["p95_ms"]) == (51.0, 96.0)
