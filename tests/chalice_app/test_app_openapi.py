"""openapi.py: the document is valid, complete and equal to the code."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import app
from chalicelib import openapi, problems, stats
from tests.support.api import InProcess
from vocab import messages, vocabulary

DOCUMENT = openapi.document()


def check(instance: object, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(instance)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    node: Any = DOCUMENT
    for name in part["$ref"].removeprefix("#/").split("/"):
        node = node[name]
    return node


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]


def examples() -> list[Any]:
    cases = []
    for method, path, operation in operations():
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            for name, example in content["examples"].items():
                cases.append(pytest.param(method, path, media, example["value"], id=f"{path} {media} {name}"))
    return cases


def check_documented(method: str, path: str, answer: Any) -> None:
    operation = DOCUMENT["paths"][path][method.lower()]
    response = resolved(operation["responses"][str(answer.status)])
    media = answer.headers["content-type"].split(";")[0]
    body = answer.json() if media in (messages.JSON, problems.PROBLEM_JSON) else answer.body.decode()
    check(body, response["content"][media]["schema"])


def test_the_document_is_valid_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_lists_the_app_s_routes_and_no_others() -> None:
    served = {
        (method, path)
        for path in app.app.routes
        for method in app.allowed_methods(path)
        if method not in ("HEAD", "OPTIONS")
    }
    assert {(method, path) for method, path, _ in operations()} == served


def test_it_is_served_with_the_stage_that_it_was_asked_at(api: InProcess) -> None:
    served = api.send("GET", "/v1/openapi.json").json()
    assert served == json.loads(json.dumps(DOCUMENT))
    assert openapi.document("/api/v1/openapi.json")["servers"] == [{"url": "/api"}]
    assert openapi.document("")["servers"] == [{"url": "/"}]


def test_its_limits_are_those_of_the_messages() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["ReviewRequest"]["properties"]["review"]["maxLength"] == messages.MAX_REVIEW_CHARACTERS
    assert schemas["Answer"]["properties"]["sentiment"]["enum"] == list(messages.SENTIMENTS)
    assert schemas["Answer"]["properties"]["reason"]["enum"] == [*messages.REASONS, None]
    assert schemas["Code"]["enum"] == list(problems.TITLES)


@pytest.mark.parametrize(("method", "path", "media", "value"), examples())
def test_each_example_works_and_is_answered_as_described(
    api: InProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    media: str,
    value: Any,
) -> None:
    monkeypatch.setenv("FEEDBACK", str(tmp_path))
    body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    answer = api.send(method, path, body, {"Content-Type": media})
    assert answer.status in (200, 201)
    check_documented(method, path, answer)


@pytest.mark.parametrize("path", ["/v1/health", "/v1/feedback", "/v1/model", "/v1/openapi.json"])
def test_each_get_is_answered_as_described(api: InProcess, path: str) -> None:
    answer = api.send("GET", path)
    assert answer.status == 200
    check_documented("GET", path, answer)


def test_metrics_are_answered_as_described_where_they_are_and_where_not(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_documented("GET", "/v1/metrics", api.send("GET", "/v1/metrics"))
    monkeypatch.setattr(stats, "prometheus_text", lambda: "verdict_words_total 1.0\n")
    answer = api.send("GET", "/v1/metrics")
    assert (answer.status, answer.body) == (200, b"verdict_words_total 1.0\n")
    check_documented("GET", "/v1/metrics", answer)


def test_errors_are_answered_as_described(api: InProcess, fake: Any) -> None:
    fake.refuse(429, "ModelNotReadyException")
    check_documented("GET", "/v1/health", api.send("GET", "/v1/health"))
    fake.refuse(403, "ExpiredToken")
    check_documented("GET", "/v1/model", api.send("GET", "/v1/model"))
    for body in (b"{", b"{}", b'{"review": " "}', b'{"review": 1}', b"\xff", b" " * 1_000_001):
        for path in ("/v1/sentiment", "/v1/sentiment/batch", "/"):
            check_documented("POST", path, api.send("POST", path, body, {"Content-Type": "application/json"}))


@pytest.mark.parametrize("kind", [messages.JSON_LINES, messages.NDJSON])
def test_lines_are_answered_as_described_to_who_accepts_them(api: InProcess, kind: str) -> None:
    body = b'{"reviews": [{"review": "A fine film."}, {"id": 2}]}'
    answer = api.send("POST", "/v1/sentiment/batch", body, {"Accept": kind})
    check_documented("POST", "/v1/sentiment/batch", answer)
    verdict, refusal = map(json.loads, answer.body.splitlines())
    check(verdict, {"$ref": "#/components/schemas/BatchVerdict"})
    check(refusal, {"$ref": "#/components/schemas/BatchRefusal"})


def test_a_batch_may_hold_anything_and_what_is_no_review_is_answered_as_described(api: InProcess) -> None:
    body = json.dumps({"reviews": [None, [], {"id": 1.5, "review": "x"}, {"text": "x"}]}).encode()
    check(json.loads(body), {"$ref": "#/components/schemas/BatchRequest"})
    answer = api.send("POST", "/v1/sentiment/batch", body)
    assert answer.status == 200
    check_documented("POST", "/v1/sentiment/batch", answer)


def test_the_batch_that_it_shows_fits_its_schema() -> None:
    check(openapi._BATCH, {"$ref": "#/components/schemas/BatchAnswer"})
    refusal = problems.of_item(messages.MessageError(422, "no_token", "x"))["error"]
    assert openapi._BATCH["answers"][1]["error"].keys() == refusal.keys()


def test_the_answer_that_it_shows_fits_its_schema_and_adds_up() -> None:
    check(openapi._EXAMPLE, {"$ref": "#/components/schemas/Answer"})
    pulls = [sentence["contribution"] for sentence in openapi._EXAMPLE["sentences"]]
    probability = messages.sigmoid(openapi._EXAMPLE["bias"] + sum(pulls))
    assert probability == pytest.approx(openapi._EXAMPLE["probability"], abs=1e-5)
    first, second = openapi._EXAMPLE["sentences"]
    assert (first["alone"], first["without"]) == (second["without"], second["alone"])
    assert [part["contribution"] > 0 for part in (first, second)] == [
        part["alone"] > 0.5 for part in (first, second)
    ]


def test_its_examples_name_this_vocabulary() -> None:
    fingerprint = vocabulary.load().fingerprint
    assert openapi._EXAMPLE["model"]["vocabulary"] == openapi._BATCH["model"]["vocabulary"] == fingerprint


def test_its_example_has_the_offsets_that_the_code_finds() -> None:
    text = openapi._EXAMPLE["text"]
    places = [(part["start"], part["end"]) for part in openapi._EXAMPLE["sentences"]]
    assert places == [(one.start, one.end) for one in vocabulary.load().encode(text).sentences]


@pytest.mark.parametrize("review", ["Zyxqw vbnmq!", "Good. Very good, and I would see it twice."])
@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_an_answer_with_or_without_a_reason_is_as_described(
    api: InProcess, review: str, explain: str
) -> None:
    body = json.dumps({"review": review, "explain": explain}).encode()
    answer = api.send("POST", "/v1/sentiment", body)
    check_documented("POST", "/v1/sentiment", answer)
    assert (answer.json()["reason"] is None) == (answer.json()["sentiment"] != "uncertain")


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_it_describes_every_field_of_an_explanation(api: InProcess, explain: str) -> None:
    body = json.dumps({"review": "Not good. Good, good!", "explain": explain}).encode()
    answer = api.send("POST", "/v1/sentiment", body).json()
    for name, schema in (("sentences", "Sentence"), ("words", "Word")):
        described = DOCUMENT["components"]["schemas"][schema]
        fields = {field for part in answer.get(name, []) for field in part}
        assert fields in (set(), set(described["properties"]))
        for part in answer.get(name, []):
            check(part, described)
            assert set(described["required"]) <= part.keys()
