"""app.py: each route's answers, and its messages to the endpoint."""

import json
import math

import pytest

import app
from chalicelib import problems
from tests.support.api import InProcess
from tests.support.fake_runtime import FakeRuntime
from tests.support.scores import MEASURED
from vocab import messages, vocabulary

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
FRENCH = "Ce film est vraiment magnifique et les acteurs sont excellents."


def ask(api: InProcess, **message: object) -> dict[str, object]:
    answer = api.send("POST", "/v1/sentiment", json.dumps(message).encode(), JSON)
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_review_gets_its_verdict(api: InProcess) -> None:
    answer = ask(api, review="Good. Very good, and I would see it twice.")
    assert answer["sentiment"] == "positive"
    assert answer["probability"] == pytest.approx(messages.sigmoid(-0.25 + 0.5 * 12), abs=1e-5)
    assert answer["warnings"] == []
    assert answer["text"] == "Good. Very good, and I would see it twice."
    assert [(s["start"], s["end"]) for s in answer["sentences"]] == [(0, 5), (6, 42)]
    assert "words" not in answer
    assert answer["model"]["id"] == "fake-1"


def test_parts_and_bias_add_up_to_the_probability(api: InProcess, fake: FakeRuntime) -> None:
    fake.pull = lambda number: math.sin(number)
    answer = ask(api, review="Not good at all. The music, though, was lovely!", explain="words")
    for parts in (answer["sentences"], answer["words"]):
        logit = answer["bias"] + sum(part["contribution"] for part in parts)
        assert messages.sigmoid(logit) == pytest.approx(answer["probability"], abs=1e-5)
    words = [answer["text"][word["start"] : word["end"]] for word in answer["words"]]
    assert words == "Not good at all . The music , though , was lovely !".split()
    assert ["effect" in word for word in answer["words"]] == [True] * MEASURED + [False] * 10


def test_each_sentence_is_answered_alone_and_left_out(api: InProcess, fake: FakeRuntime) -> None:
    fake.pull = lambda number: math.sin(number)
    first, second = ask(api, review="Not good at all. The music was lovely!")["sentences"]
    assert first.keys() == second.keys() == {"start", "end", "contribution", "alone", "without"}
    assert (first["alone"], first["without"]) == (second["without"], second["alone"])
    assert ask(api, review="Not good at all.")["sentences"][0]["without"] is None


def test_aspects_are_answered_in_order_from_one_call(api: InProcess, fake: FakeRuntime) -> None:
    review = "The music was lovely, but the plot was not. There is no story."
    aspects = {"cast": ["cast"], "plot": ["plot", "story"], "music": ["music"]}
    answer = ask(api, review=review, explain="none", aspects=aspects)
    assert list(answer["aspects"]) == list(aspects)
    assert answer["text"] == review and "sentences" not in answer
    assert answer["aspects"]["cast"] == {"sentiment": "not_mentioned"}
    plot = answer["aspects"]["plot"]["mentions"]
    assert [review[one["start"] : one["end"]] for one in plot] == [
        "but the plot was not.",
        "There is no story.",
    ]
    assert [one["negated"] for one in plot] == [False, True]
    assert len(fake.calls) == 1
    assert [len(clauses) for clauses in fake.calls[0].message["reviews"][0]["aspects"]] == [2, 1]


def test_a_review_without_aspects_is_sent_as_before(api: InProcess, fake: FakeRuntime) -> None:
    answer = ask(api, review="The music was lovely.", explain="none")
    assert fake.calls[0].message["reviews"][0].keys() == {"ids", "sentences"}
    assert not {"aspects", "text"} & answer.keys()


def test_wrong_aspects_are_refused_without_a_call(api: InProcess, fake: FakeRuntime) -> None:
    body = json.dumps({"review": "A fine film.", "aspects": {"music": []}}).encode()
    answer = api.send("POST", "/v1/sentiment", body, JSON)
    assert answer.status == 400 and answer.json()["code"] == "bad_value"
    assert "the terms of 'music' are 0" in answer.json()["detail"]
    assert fake.calls == []


def test_an_endpoint_that_leaves_the_aspects_out_is_a_502(api: InProcess, fake: FakeRuntime) -> None:
    good = messages.score_message(messages.build_score(0.5, []))
    fake.queue(200, messages.to_json({"model": fake.model, "answers": [good]}))
    body = json.dumps({"review": "A fine film.", "explain": "none", "aspects": "film"}).encode()
    answer = api.send("POST", "/v1/sentiment", body, JSON)
    assert (answer.status, answer.json()["code"]) == (502, "bad_endpoint_answer")


def test_explain_none_sends_the_verdict_alone(api: InProcess, fake: FakeRuntime) -> None:
    answer = ask(api, review="A fine film.", explain="none")
    assert not {"text", "sentences", "words"} & answer.keys()
    assert fake.calls[0].message["explain"] == "none"


def test_text_plain_is_the_review_itself(api: InProcess) -> None:
    answer = api.send("POST", "/v1/sentiment", 'Très {"good"} film'.encode(), TEXT).json()
    assert answer["text"] == 'Très {"good"} film'


def test_no_content_type_means_json(api: InProcess) -> None:
    assert api.send("POST", "/v1/sentiment", b'{"review": "A fine film."}').status == 200


def test_the_endpoint_gets_ids_lengths_and_fingerprint_and_never_the_review(
    api: InProcess, fake: FakeRuntime
) -> None:
    ask(api, review="An unforgettable evening. See it!")
    (call,) = fake.calls
    words = vocabulary.load()
    assert call.message == {
        "vocabulary": words.fingerprint,
        "reviews": [{"ids": words.encode_ids("An unforgettable evening. See it!"), "sentences": [4, 3]}],
        "explain": "sentences",
    }
    assert call.endpoint == "verdict-dev"  # config.json's name for the stage that the test client runs


def test_the_request_id_goes_all_the_way(api: InProcess, fake: FakeRuntime) -> None:
    headers = JSON | {"X-Request-Id": "my.own-id_7"}
    answer = api.send("POST", "/v1/sentiment", b'{"review": "A fine film."}', headers)
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "my.own-id_7"
    assert fake.calls[0].headers["X-Amzn-SageMaker-Custom-Attributes"] == "my.own-id_7"


def test_a_verdict_inside_the_band_is_uncertain(api: InProcess, fake: FakeRuntime) -> None:
    fake.pull = lambda number: 0.0
    assert ask(api, review="A film of some kind.")["sentiment"] == "uncertain"


@pytest.mark.parametrize(("pull", "number"), [(0.5, b"1.0"), (-0.5, b"0.0"), (0.0, b"0.0"), (0.1, b"1.0")])
def test_the_compatible_route_answers_one_number(
    api: InProcess, fake: FakeRuntime, pull: float, number: bytes
) -> None:
    fake.pull = lambda _: pull
    answer = api.send("POST", "/", b"It was a film", TEXT)
    assert (answer.status, answer.body) == (200, number)
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_compatible_route_reads_text_when_no_type_is_named(api: InProcess) -> None:
    assert api.send("POST", "/", b"{a curious film}").body == b"1.0"


def test_the_compatible_route_never_answers_a_failure_with_a_verdict(
    api: InProcess, fake: FakeRuntime
) -> None:
    fake.refuse(424, "ModelError", Message="x", OriginalStatusCode=500, OriginalMessage="x")
    answer = api.send("POST", "/", b"A fine film", TEXT)
    assert (answer.status, answer.json()["code"]) == (502, "endpoint_error")


# --- health and model ---------------------------------------------------------------------------


def test_health_is_ok_when_the_endpoint_answers_its_card(api: InProcess, fake: FakeRuntime) -> None:
    answer = api.send("GET", "/v1/health")
    assert answer.status == 200
    model = {"id": "fake-1", "vocabulary": fake.model["vocabulary"]}
    assert answer.json() == {"status": "ok", "app": "ok", "endpoint": "ok", "model": model}
    assert fake.calls[0].message == {"describe": True}


def test_health_says_which_part_is_not_fine(api: InProcess, fake: FakeRuntime) -> None:
    fake.refuse(429, "ModelNotReadyException", Message="provisioning")
    answer = api.send("GET", "/v1/health")
    assert (answer.status, answer.headers["content-type"]) == (503, "application/json")
    health = answer.json()
    assert (health["status"], health["app"], health["endpoint"]) == ("degraded", "ok", "unavailable")
    assert (health["model"], health["code"]) == (None, "endpoint_waking")


def test_health_is_degraded_when_the_endpoint_has_another_vocabulary(
    api: InProcess, fake: FakeRuntime
) -> None:
    fake.queue(200, messages.to_json({"card": {**fake.model, "vocabulary": "0" * 16}}))
    health = api.send("GET", "/v1/health").json()
    assert (health["endpoint"], health["code"]) == ("unavailable", "vocabulary_mismatch")


def test_health_is_asked_anew_each_time(api: InProcess, fake: FakeRuntime) -> None:
    api.send("GET", "/v1/health")
    api.send("GET", "/v1/health")
    assert len(fake.calls) == 2


def test_the_model_card_is_kept_for_a_minute(
    api: InProcess, fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.time, "monotonic", lambda: 1000.0)
    first = api.send("GET", "/v1/model").json()
    assert first["metrics"] == {"accuracy": 0.9}
    assert api.send("GET", "/v1/model").json() == first
    assert len(fake.calls) == 1
    monkeypatch.setattr(app.time, "monotonic", lambda: 1060.1)
    api.send("GET", "/v1/model")
    assert len(fake.calls) == 2


def test_a_failed_card_is_not_kept(api: InProcess, fake: FakeRuntime) -> None:
    fake.refuse(400, "ValidationError", message="Endpoint verdict-dev of account 1 not found.")
    assert api.send("GET", "/v1/model").status == 503
    assert api.send("GET", "/v1/model").status == 200


@pytest.mark.parametrize("card", [b"{}", b'{"card": 1}', b"<html>", b'{"card": {"id": NaN}}', b""])
def test_a_card_of_wrong_form_is_a_502(api: InProcess, fake: FakeRuntime, card: bytes) -> None:
    fake.queue(200, card)
    answer = api.send("GET", "/v1/model")
    assert (answer.status, answer.json()["code"]) == (502, "bad_endpoint_answer")


def test_infinity_in_a_card_does_not_leave(api: InProcess, fake: FakeRuntime) -> None:
    card = messages.to_json({"card": {**fake.model, "loss": 1.5}}).replace(b"1.5", b"1e999")
    fake.queue(200, card)
    answer = api.send("GET", "/v1/model")
    assert (answer.status, answer.json()["code"]) == (502, "bad_endpoint_answer")


OLDER = {
    "a field that it does not know": "'sentences' is not known; send only id, ids, review",
    "a wish that it does not know": "explain must be true or false, got string of length 9",
}


@pytest.mark.parametrize("name", OLDER)
@pytest.mark.parametrize("path", ["/v1/sentiment", "/v1/sentiment/batch", "/"])
def test_an_endpoint_of_an_older_version_is_named_as_that(
    api: InProcess, fake: FakeRuntime, name: str, path: str
) -> None:
    refusal = json.dumps({"code": "unknown_field", "detail": OLDER[name]})
    fake.refuse(424, "ModelError", OriginalStatusCode=400, OriginalMessage=refusal)
    body = {"reviews": [{"review": "Fine."}]} if path.endswith("batch") else {"review": "Fine."}
    answer = api.send("POST", path, json.dumps(body).encode(), JSON)
    problem = answer.json()
    assert (answer.status, problem["code"]) == (502, "version_mismatch")
    assert problem["title"] == "App and endpoint are of different versions"
    assert problem["detail"].endswith("deploy both from one version")
    assert "sentences" not in answer.body.decode()
    assert len(fake.calls) == 1


@pytest.mark.parametrize("explain", ["sentences", "words"])
def test_the_answer_of_an_older_endpoint_is_no_verdict(
    api: InProcess, fake: FakeRuntime, explain: str
) -> None:
    older = {"logit": 1.25, "probability": 0.7773, "bias": 0.25, "contributions": [0.5, 0.5]}
    fake.queue(200, messages.to_json({"model": fake.model, "answers": [older]}))
    body = json.dumps({"review": "Fine.", "explain": explain}).encode()
    answer = api.send("POST", "/v1/sentiment", body, JSON)
    assert (answer.status, answer.json()["code"]) == (502, "bad_endpoint_answer")


@pytest.mark.parametrize(
    ("review", "reason"),
    [("Qwzxv blorptastic", "no_known_words"), ("\U0001f3ac", "no_known_words"), (FRENCH, "not_english")],
)
def test_a_text_that_is_not_understood_is_uncertain_and_explains_nothing(
    api: InProcess, review: str, reason: str
) -> None:
    body = json.dumps({"review": review, "explain": "words"}).encode()
    answer = api.send("POST", "/v1/sentiment", body, JSON).json()
    assert (answer["sentiment"], answer["reason"]) == ("uncertain", reason)
    assert (answer["text"], answer["sentences"], answer["words"]) == (review, [], [])
    assert answer["probability"] == messages.rounded(messages.sigmoid(answer["bias"]))


@pytest.mark.parametrize("pull", [0.0, 0.5])
@pytest.mark.parametrize("opinion", messages.OPINIONS)
def test_an_opinion_becomes_a_reason_or_a_warning(
    api: InProcess, fake: FakeRuntime, opinion: str, pull: float
) -> None:
    review = "A warm and funny film that I watched with my whole family."
    score = messages.build_score(0.0, [pull * 8])._replace(opinion=opinion)
    fake.queue(200, messages.to_json({"model": fake.model, "answers": [messages.score_message(score)]}))
    body = json.dumps({"review": review, "explain": "none"}).encode()
    answer = api.send("POST", "/v1/sentiment", body, JSON).json()
    reason = {"one_sided": "unclear", "mixed": "mixed", "none": "no_opinion"}[opinion]
    warned = [warning["code"] for warning in answer["warnings"]]
    assert answer["reason"] == (None if pull else reason)
    assert warned == (["mixed"] if pull and opinion == "mixed" else [])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "null", '"0.5"', "true"])
def test_no_number_that_is_none_leaves(api: InProcess, fake: FakeRuntime, number: str) -> None:
    good = messages.score_message(messages.build_score(0.5, []))
    message = json.dumps({"model": fake.model, "answers": [good]})
    wrong = message.replace(f'"probability": {good["probability"]}', f'"probability": {number}')
    assert wrong != message
    fake.queue(200, wrong.encode())
    answer = api.send("POST", "/v1/sentiment", b'{"review": "Fine film.", "explain": "none"}', JSON)
    assert (answer.status, answer.json()["code"]) == (502, "bad_endpoint_answer")


# --- odd input ----------------------------------------------------------------------------------

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ODD = {
    "no JSON": (b"{", JSON, 400, "malformed_json"),
    "empty body": (b"", JSON, 400, "malformed_json"),
    "NaN": (b'{"review": NaN}', JSON, 400, "malformed_json"),
    "deep nesting": (b"[" * 100_000 + b"]" * 100_000, JSON, 400, "malformed_json"),
    "deep nesting, open": (b'{"review":' * 100_000, JSON, 400, "malformed_json"),
    "bad UTF-8 in JSON": (b'{"review": "\xff"}', JSON, 400, "not_utf8"),
    "bad UTF-8 in text": (b"caf\xe9", TEXT, 400, "not_utf8"),
    "UTF-16": ('{"review": "x"}'.encode("utf-16"), JSON, 400, "not_utf8"),
    "a list": (b"[]", JSON, 400, "wrong_type"),
    "no review": (b"{}", JSON, 400, "missing_field"),
    "null": (b'{"review": null}', JSON, 400, "wrong_type"),
    "a number": (b'{"review": 5}', JSON, 400, "wrong_type"),
    "an unknown field": (b'{"review": "x", "lang": "en"}', JSON, 400, "unknown_field"),
    "a bad explain": (b'{"review": "x", "explain": "all"}', JSON, 400, "bad_value"),
    "a form": (b"review=good", FORM, 415, "unsupported_media_type"),
    "XML": (b"<a/>", {"Content-Type": "text/xml"}, 415, "unsupported_media_type"),
    "a picture": (b"\x89PNG", {"Content-Type": "image/png"}, 415, "unsupported_media_type"),
    "gzip": (b"\x1f\x8b\x08", JSON | {"Content-Encoding": "gzip"}, 415, "unsupported_encoding"),
    "gzip, not named": (b"\x1f\x8b\x08", JSON, 400, "not_utf8"),
    "nothing to read": (b'{"review": "  \\n "}', JSON, 422, "no_token"),
    "markup alone": (b'{"review": "<b></b>"}', JSON, 422, "no_token"),
    "50,001 characters": (json.dumps({"review": "a" * 50_001}).encode(), JSON, 413, "too_long"),
    "50,001 characters of text": (b"a" * 50_001, TEXT, 413, "too_long"),
    "a large body": (b" " * 1_000_001, JSON, 413, "too_large"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("way", ["in process", "served"])
def test_odd_input_is_refused(name: str, way: str, request: pytest.FixtureRequest, fake: FakeRuntime) -> None:
    api = request.getfixturevalue("api" if way == "in process" else "served")
    body, headers, status, code = ODD[name]
    answer = api.send("POST", "/v1/sentiment", body, headers)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert not fake.calls


EVEN = {
    "Application/JSON": (b'{"review": "Good"}', {"Content-Type": "Application/JSON; Charset=UTF-8"}),
    "Text/Plain": (b"Good", {"Content-Type": "Text/Plain;charset=utf-8"}),
    "an empty content type": (b'{"review": "Good"}', {"Content-Type": ""}),
    "a byte order mark": (b'\xef\xbb\xbf{"review": "Good"}', JSON),
    "a lone surrogate": (b'{"review": "Good \\ud800 film"}', JSON),
    "zero bytes": (b'{"review": "Good \\u0000 film"}', JSON),
    "identity encoding": (b'{"review": "Good"}', JSON | {"Content-Encoding": "identity"}),
    "50,000 characters": (json.dumps({"review": "ab \U0001f600 " * 10_000}).encode(), JSON),
    "emoji": ('{"review": "\U0001f600\U0001f600"}'.encode(), JSON),
}


@pytest.mark.parametrize("name", EVEN)
@pytest.mark.parametrize("way", ["in process", "served"])
def test_input_that_only_looks_odd_is_answered(name: str, way: str, request: pytest.FixtureRequest) -> None:
    api = request.getfixturevalue("api" if way == "in process" else "served")
    body, headers = EVEN[name]
    answer = api.send("POST", "/v1/sentiment", body, headers)
    assert answer.status == 200, answer.body
    answer.json()


def test_a_body_in_base64_is_read_as_its_bytes(api: InProcess, fake: FakeRuntime) -> None:
    event = proxy_event("POST", "/v1/sentiment", "eyJyZXZpZXciOiAiR29vZCJ9", isBase64Encoded=True)
    assert app.app(event, None)["statusCode"] == 200
    event["body"] = "%%%"
    assert app.app(event, None)["statusCode"] == 400


def test_a_broken_vocabulary_is_named_and_nothing_else_breaks(
    api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise vocabulary.VocabularyError("vocabulary.pkl is not the file that vocabulary.json names")

    monkeypatch.setattr(app, "app_vocabulary", broken)
    answer = api.send("POST", "/v1/sentiment", b'{"review": "Good"}', JSON)
    assert (answer.status, answer.json()["code"]) == (500, "vocabulary_unreadable")
    health = api.send("GET", "/v1/health")
    assert (health.status, health.json()["app"]) == (503, "unavailable")
    assert api.send("GET", "/v1/openapi.json").status == 200


def test_every_code_has_a_title(api: InProcess) -> None:
    assert {code for _, _, _, code in ODD.values()} <= problems.TITLES.keys()


# --- paths and methods --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/v2"])
@pytest.mark.parametrize("method", app.METHODS)
def test_an_unknown_path_is_our_404(api: InProcess, method: str, path: str) -> None:
    answer = api.send(method, path)
    assert answer.status == 404
    assert method == "HEAD" or answer.json()["code"] == "not_found"


SERVED = {
    "/": "POST",
    "/v1/sentiment": "POST",
    "/v1/sentiment/batch": "POST",
    "/v1/health": "GET, HEAD",
    "/v1/model": "GET, HEAD",
    "/v1/metrics": "GET, HEAD",
    "/v1/openapi.json": "GET, HEAD",
}


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize("method", [*app.METHODS, "TRACE"])
def test_a_wrong_method_is_our_405_with_allow(api: InProcess, method: str, path: str) -> None:
    if method in SERVED[path].split(", "):
        return
    answer = api.send(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, SERVED[path] + ", OPTIONS")
    assert method == "HEAD" or answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v1/health", "/v1/model", "/v1/openapi.json"])
def test_head_answers_as_get_does_without_a_body(api: InProcess, path: str) -> None:
    answer = api.send("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "application/json"


def proxy_event(method: str, path: str, body: str | None = None, **more: object) -> dict[str, object]:
    """Return an event in API Gateway's form."""
    return {
        "headers": {"Content-Type": "application/json"},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {"resourcePath": path, "httpMethod": method, "path": "/api" + path},
        **more,
    }
