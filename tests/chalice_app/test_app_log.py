"""log.py: one line a request, without a review's words."""

import json

import pytest

import app
from chalicelib import log
from chalicelib.stats import ReviewStats
from tests.support.api import InProcess
from tests.support.fake_runtime import FakeRuntime

CANARY = "xylophonecanary"
REVIEW = json.dumps({"review": f"A lovely {CANARY} of a film."}).encode()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.err == ""
    assert CANARY not in captured.out
    return [json.loads(line) for line in captured.out.splitlines()]


def test_a_request_leaves_one_line(api: InProcess, capsys: pytest.CaptureFixture[str]) -> None:
    api.send("POST", "/v1/sentiment", REVIEW, {"X-Request-Id": "r-1"})
    (line,) = lines(capsys)
    assert line.pop("ms") >= 0
    assert line == {
        "request_id": "r-1",
        "method": "POST",
        "route": "/v1/sentiment",
        "characters": 35,
        "ids": 7,
        "verdict": "positive",
        "words": 6,
        "unknown": 1,
        "warnings": {"too_short": 1},
        "status": 200,
    }


def test_a_refused_request_leaves_its_code(api: InProcess, capsys: pytest.CaptureFixture[str]) -> None:
    api.send("POST", "/v1/sentiment", b"{" + REVIEW)
    (line,) = lines(capsys)
    assert (line["status"], line["code"]) == (400, "malformed_json")


def test_an_endpoint_s_error_leaves_its_names_and_not_its_text(
    api: InProcess, fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.refuse(424, "ModelError", Message=CANARY, OriginalStatusCode=400, OriginalMessage=CANARY)
    api.send("POST", "/v1/sentiment", REVIEW)
    (line,) = lines(capsys)
    assert (line["code"], line["error"]) == ("version_mismatch", "ModelError ModelError 400")
    assert (line["characters"], line["ids"]) == (35, 7)


@pytest.mark.parametrize(
    "request_",
    [
        ("POST", "/v1/sentiment", REVIEW, {}),
        ("POST", "/v1/sentiment", REVIEW, {"Content-Type": CANARY}),
        ("POST", "/v1/sentiment", CANARY.encode(), {"Content-Type": "text/plain"}),
        ("POST", "/v1/sentiment", json.dumps({CANARY: 1}).encode(), {}),
        ("POST", "/v1/sentiment", json.dumps({"review": "x", "explain": CANARY}).encode(), {}),
        ("POST", "/", CANARY.encode(), {}),
        ("GET", f"/{CANARY}", b"", {}),
        ("GET", f"/v1/health?review={CANARY}", b"", {}),
        (CANARY.upper(), "/v1/health", b"", {}),
    ],
)
def test_nothing_that_a_caller_wrote_is_logged(
    api: InProcess, capsys: pytest.CaptureFixture[str], request_: tuple[str, str, bytes, dict[str, str]]
) -> None:
    api.send(*request_)
    captured = capsys.readouterr()
    assert CANARY not in (captured.out + captured.err).lower()
    assert len(captured.out.splitlines()) == 1


def test_an_unforeseen_error_leaves_its_type_and_place_alone(
    api: InProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise KeyError(CANARY)

    monkeypatch.setattr(app, "app_vocabulary", broken)
    api.send("POST", "/v1/sentiment", REVIEW)
    (line,) = lines(capsys)
    assert (line["status"], line["code"], line["error"]) == (500, "internal", "KeyError")
    assert str(line["at"]).startswith("test_app_log.py:")


def test_lines_of_requests_do_not_mix(api: InProcess, capsys: pytest.CaptureFixture[str]) -> None:
    api.send("POST", "/v1/sentiment", REVIEW)
    api.send("GET", "/nothing")
    second = lines(capsys)[1]
    assert not {"characters", "ids", "verdict"} & second.keys()


def test_a_watcher_sees_the_line_and_what_was_measured(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[dict[str, object], list[ReviewStats]]] = []
    monkeypatch.setattr(log, "_watchers", [lambda line, judged: seen.append((line, list(judged)))])
    answer = json.loads(api.send("POST", "/v1/sentiment", REVIEW).body)
    api.send("GET", "/nothing")
    (line, judged), (other, none) = seen
    expected = ReviewStats(7, 6, 1, "positive", ("too_short",), answer["probability"])
    assert (line["status"], judged) == (200, [expected])
    assert (other["status"], none) == (404, [])


def test_a_watcher_that_fails_costs_no_answer_and_no_other_watcher(
    api: InProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(line: object, judged: object) -> None:
        raise KeyError(CANARY)

    seen: list[object] = []
    monkeypatch.setattr(log, "_watchers", [broken, lambda line, judged: seen.append(line)])
    assert api.send("POST", "/v1/sentiment", REVIEW).status == 200
    _, failed = lines(capsys)
    assert failed["error"] == "KeyError" and str(failed["at"]).startswith("test_app_log.py:")
    assert len(seen) == 1


def test_a_closed_log_costs_the_line_and_not_the_answer(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed:
        def write(self, text: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    assert api.send("POST", "/v1/sentiment", REVIEW).status == 200


def test_lines_that_waited_are_written_whole_in_pieces_that_a_pipe_keeps_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    monkeypatch.setattr(log.sys.stdout, "write", written.append)
    for number in range(100):
        log.print_line({"request_id": f"r-{number}", "padding": "x" * 100}, late=True)
    log.print_line({"padding": "x" * 5_000})
    assert [len(json.loads(line)) for line in "".join(written).splitlines()] == [2] * 100 + [1]
    assert all(piece.endswith("\n") for piece in written)
    assert all(len(piece) <= log.WHOLE_BYTES for piece in written[:-1]) and len(written) < 50
