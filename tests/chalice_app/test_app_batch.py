"""POST /v1/sentiment/batch: one call of the endpoint, answers in order, an own error for each bad review."""

import json
from typing import Any

import pytest

from tests.support.api import ApiResponse, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from vocab import messages, vocabulary

BATCH = "/v1/sentiment/batch"
JSON = {"Content-Type": messages.JSON}
LINES = {"Content-Type": messages.JSON_LINES}
CSV = {"Content-Type": messages.CSV}
FINE, BAD = "A fine film.", {"id": "bad", "review": " <br/> "}


def send(api: InProcess | Served, *reviews: object, **more: object) -> ApiResponse:
    return api.send("POST", BATCH, json.dumps({"reviews": reviews, **more}).encode(), JSON)


def ask(api: InProcess | Served, *reviews: object, **more: object) -> dict[str, Any]:
    answer = send(api, *reviews, **more)
    assert answer.status == 200, answer.body
    return dict(answer.json())


@pytest.fixture(params=["in process", "served"])
def each_api(request: pytest.FixtureRequest) -> InProcess | Served:
    """The app in this process, and behind its local server."""
    return request.getfixturevalue("api" if request.param == "in process" else "served")


def test_reviews_are_answered_in_their_order_by_one_call_of_the_endpoint(
    each_api: InProcess | Served, fake: FakeRuntime
) -> None:
    reviews = [{"id": "x", "review": FINE}, {"id": 7, "review": "Not good."}, {"review": "Lovely!"}]
    answer = ask(each_api, *reviews)
    assert [item.get("id") for item in answer["answers"]] == ["x", 7, None]
    assert [item["sentiment"] for item in answer["answers"]] == ["positive"] * 3
    (call,) = fake.calls
    words = vocabulary.load()
    encoded = [words.encode(one["review"]) for one in reviews]
    assert call.message == {
        "vocabulary": words.fingerprint,
        "reviews": [{"ids": one.ids, "sentences": one.lengths} for one in encoded],
        "explain": "none",
    }
    assert call.headers["X-Amzn-SageMaker-Custom-Attributes"] == answer["request_id"]
    assert answer["model"] == fake.model


@pytest.mark.parametrize("more", [{}, {"aspects": "film"}, {"aspects": {"film": ["film"], "odd": ["zzqx"]}}])
@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_a_review_s_verdict_is_the_same_bytes_alone_and_at_any_place(
    api: InProcess, fake: FakeRuntime, explain: str, more: dict[str, Any]
) -> None:
    fake.pull = lambda number: (number % 7 - 3) / 4
    body = {"review": FINE, "explain": explain, **more}
    alone = api.send("POST", "/v1/sentiment", json.dumps(body).encode())
    verdict = {name: value for name, value in alone.json().items() if name not in ("model", "request_id")}
    for place in range(4):
        reviews: list[object] = [{"review": "Dull. So dull!"}, BAD, {"review": "word " * 900}]
        reviews.insert(place, {"review": FINE})
        answer_to_batch = send(api, *reviews, explain=explain, **more)
        assert messages.to_json(answer_to_batch.json()["answers"][place]) == messages.to_json(verdict)


def test_the_real_endpoint_says_the_same_bytes_alone_and_at_any_place(
    api: InProcess, local_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", local_endpoint)
    reviews = [
        "Not good at all. The music was lovely!",
        "Dull. " * 300,
        "\U0001f3ac",
        "A joy, from start to end.",
    ]
    alone = []
    for review in reviews:
        body = json.dumps({"review": review, "explain": "words"}).encode()
        verdict = api.send("POST", "/v1/sentiment", body).json()
        alone.append(messages.to_json({k: v for k, v in verdict.items() if k not in ("model", "request_id")}))
    for turn in range(4):
        turned = [{"review": review} for review in reviews[turn:] + reviews[:turn]]
        rotated = [messages.to_json(item) for item in ask(api, *turned, explain="words")["answers"]]
        assert rotated == alone[turn:] + alone[:turn]


def test_a_review_that_can_not_be_read_has_its_own_problem(
    each_api: InProcess | Served, fake: FakeRuntime
) -> None:
    answer = ask(each_api, {"review": FINE}, BAD, {"id": 3, "review": 3}, None, {"review": "a" * 50_001})
    good, *bad = answer["answers"]
    assert good["sentiment"] == "positive"
    assert [item.get("id") for item in bad] == ["bad", 3, None, None]
    problems = [(item["error"]["status"], item["error"]["code"]) for item in bad]
    assert problems == [(422, "no_token"), (400, "wrong_type"), (400, "wrong_type"), (413, "too_long")]
    for item in bad:
        assert item["error"].keys() == {"type", "title", "status", "detail", "code"}
        assert item.keys() <= {"id", "error"}
    assert len(fake.calls[0].message["reviews"]) == 1


def test_more_mentions_than_can_be_answered_are_refused_without_a_call(
    api: InProcess, fake: FakeRuntime
) -> None:
    aspects = {f"a{number}": ["music"] for number in range(20)}
    answer = send(api, *[{"review": "the music is but " * 100}] * 100, aspects=aspects)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert "send fewer reviews or aspects" in answer.json()["detail"]
    assert fake.calls == []


def test_wrong_aspects_refuse_the_whole_batch(api: InProcess, fake: FakeRuntime) -> None:
    answer = send(api, {"review": FINE}, aspects="films")
    assert (answer.status, answer.json()["code"]) == (400, "bad_value")
    assert fake.calls == []


def test_without_a_readable_review_no_endpoint_is_asked(api: InProcess, fake: FakeRuntime) -> None:
    answer = ask(api, BAD, {"review": None})
    assert [item["error"]["code"] for item in answer["answers"]] == ["no_token", "wrong_type"]
    assert answer["model"] is None
    assert fake.calls == []


def test_each_review_is_explained_as_was_asked(api: InProcess) -> None:
    for explain, parts in (("none", set()), ("sentences", {"sentences"}), ("words", {"sentences", "words"})):
        for item in ask(api, {"review": FINE}, {"review": FINE}, explain=explain)["answers"]:
            assert item.keys() & {"sentences", "words"} == parts
            assert ("text" in item) == (explain != "none")


def test_lines_and_csv_are_answered_like_json(each_api: InProcess | Served) -> None:
    expected = ask(each_api, {"id": "a", "review": FINE}, {"id": "b", "review": ""}, explain="sentences")
    lines = b'{"id": "a", "review": "A fine film."}\n{"id": "b", "review": ""}\n'
    table = b'id,review\r\na,A fine film.\r\nb,""\r\n'
    for body, headers in ((lines, LINES), (lines, {"Content-Type": messages.NDJSON}), (table, CSV)):
        answer = each_api.send("POST", BATCH + "?explain=sentences", body, headers)
        assert answer.status == 200, answer.body
        assert answer.json()["answers"] == expected["answers"]


@pytest.mark.parametrize("kind", [messages.JSON_LINES, messages.NDJSON])
def test_who_accepts_lines_gets_an_item_a_line(api: InProcess, kind: str) -> None:
    body = json.dumps({"reviews": [{"id": 1, "review": FINE}, BAD]}).encode()
    expected = api.send("POST", BATCH, body).json()["answers"]
    answer = api.send("POST", BATCH, body, {"Accept": f"application/json;q=0.9, {kind}; q=1"})
    assert answer.headers["content-type"] == kind
    assert answer.body.endswith(b"}\n")
    assert [json.loads(line) for line in answer.body.splitlines()] == expected


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "",
        "application/json, application/jsonlines",
        "text/html",
        "application/jsonlines;q=0, */*",
        "application/jsonlines; q=0.5, application/json; q=0.6",
    ],
)
def test_who_accepts_anything_else_gets_json(api: InProcess, accept: str) -> None:
    body = json.dumps({"reviews": [{"review": FINE}]}).encode()
    assert api.send("POST", BATCH, body, {"Accept": accept}).headers["content-type"] == messages.JSON


REFUSED = {
    "no JSON": (b"{", JSON, 400, "malformed_json"),
    "an empty body": (b"", JSON, 400, "malformed_json"),
    "no list": (b'{"reviews": "x"}', JSON, 400, "wrong_type"),
    "no reviews": (b'{"reviews": []}', JSON, 400, "bad_value"),
    "a bad explain": (b'{"reviews": [{"review": "x"}], "explain": 1}', JSON, 400, "bad_value"),
    "101 reviews": (json.dumps({"reviews": [{"review": "x"}] * 101}).encode(), JSON, 413, "too_many_reviews"),
    "101 lines": (b'{"review": "x"}\n' * 101, LINES, 413, "too_many_reviews"),
    "a large body": (b" " * 1_000_001, JSON, 413, "too_large"),
    "another column": (b"review,stars\nx,5\n", CSV, 400, "unknown_field"),
    "an open quote": (b'review\n"x\n', CSV, 400, "malformed_csv"),
    "plain text": (b"x", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    "gzip": (b"\x1f\x8b", JSON | {"Content-Encoding": "gzip"}, 415, "unsupported_encoding"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_can_not_be_used_as_a_whole_is_a_problem(
    each_api: InProcess | Served, name: str, fake: FakeRuntime
) -> None:
    body, headers, status, code = REFUSED[name]
    answer = each_api.send("POST", BATCH, body, headers)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert fake.calls == []


def test_an_endpoint_that_fails_gives_a_problem_and_no_verdict(api: InProcess, fake: FakeRuntime) -> None:
    fake.refuse(424, "ModelError", OriginalStatusCode=500, OriginalMessage="x")
    answer = send(api, {"review": FINE}, BAD)
    assert (answer.status, answer.json()["code"]) == (502, "endpoint_error")
    good = messages.score_message(messages.build_score(0.5, []))
    fake.queue(200, messages.to_json({"model": fake.model, "answers": [good]}))
    answer = send(api, {"review": FINE}, {"review": FINE})
    assert (answer.status, answer.json()["code"]) == (502, "bad_endpoint_answer")


def test_an_answer_that_lambda_could_not_send_is_refused(api: InProcess) -> None:
    line = "Fun!\n"  # each is a sentence, and most of what stands in the middle is not read
    reviews = [{"review": line * 64 + "\U0001f600" * 1850 + line * 136}] * 100
    body = json.dumps({"reviews": reviews, "explain": "words"}, ensure_ascii=False).encode()
    assert len(body) < messages.MAX_BODY_BYTES
    answer = api.send("POST", BATCH, body)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_the_log_line_counts_and_says_no_word(api: InProcess, capsys: pytest.CaptureFixture[str]) -> None:
    send(api, {"id": "xylophonecanary", "review": FINE}, {"review": "xylophonecanary"}, BAD)
    captured = capsys.readouterr().out
    assert "xylophonecanary" not in captured
    (line,) = map(json.loads, captured.splitlines())
    for name in ("request_id", "status", "ms"):
        line.pop(name)
    assert line == {
        "method": "POST",
        "route": BATCH,
        "reviews": 3,
        "characters": 34,
        "ids": 5,
        "refused": {"no_token": 1},
        "verdicts": {"positive": 1, "uncertain": 1},
        "words": 4,
        "unknown": 1,
        "warnings": {"too_short": 2, "no_known_words": 1},
    }


def test_aspects_in_the_address_are_refused(api: InProcess, fake: FakeRuntime) -> None:
    answer = api.send("POST", BATCH + "?aspects=film", json.dumps({"reviews": [{"review": FINE}]}).encode())
    assert (answer.status, answer.json()["code"]) == (400, "bad_value")
    assert "JSON body" in answer.json()["detail"]
