"""compatible/text_embeddings.py: /predict as callers of text-embeddings-inference send and read it."""

import json
import math
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.compatible import text_embeddings
from chalicelib.problems import TITLES, Problem
from tests.chalice_app.compatible.conftest import OwnApp, queue_verdict
from tests.support.api import ApiResponse, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from vocab.messages import MessageError

GOOD = "A lovely film, and I would see it again and again."
JSON = {"Content-Type": "application/json"}


def post(api: InProcess | Served, message: object, **headers: str) -> ApiResponse:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return api.send("POST", "/predict", body, JSON | headers)


def scores_of(predictions: list[dict[str, Any]]) -> dict[str, float]:
    return {one["label"]: one["score"] for one in predictions}


# --- callers, against both servers --------------------------------------------------------------


@pytest.fixture
def hub(server: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """huggingface_hub's client of /predict, as a user makes it."""
    monkeypatch.setitem(os.environ, "HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import InferenceClient

    with InferenceClient(model=f"{server.url}/predict", token="any") as client:
        yield client


@pytest.mark.slow
def test_huggingface_hub_reads_each_class_with_its_score(hub: Any, fake: FakeRuntime) -> None:
    queue_verdict(fake, 3.0)
    first, *others = hub.text_classification(GOOD)
    assert first.label == "positive" and first.score > 0.9
    assert {one.label for one in others} == {"neutral", "negative"}
    assert first.score + sum(one.score for one in others) == pytest.approx(1)


@pytest.mark.slow
def test_huggingface_hub_reads_as_many_classes_as_it_wants(hub: Any, fake: FakeRuntime) -> None:
    queue_verdict(fake, -3.0)
    (only,) = hub.text_classification(GOOD, top_k=1)
    assert only.label == "negative"


@pytest.mark.slow
def test_huggingface_hub_says_why_a_text_is_refused(hub: Any) -> None:
    from huggingface_hub.errors import HfHubHTTPError

    with pytest.raises(HfHubHTTPError, match="holds no word or sign"):
        hub.text_classification("<br>")


@pytest.mark.slow
def test_a_forum_s_request_is_answered_as_it_reads_it(server: Served, fake: FakeRuntime) -> None:
    """Discourse posts inputs and truncate, and looks up "positive" and "negative" in a flat list."""
    queue_verdict(fake, 3.0)
    headers = {"Referer": "https://forum.example", "X-API-KEY": "any"}
    with httpx.Client(trust_env=False) as client:
        url = f"{server.url}/predict"
        answer = client.post(url, json={"inputs": GOOD, "truncate": True}, headers=headers)
    assert answer.status_code == 200
    assert scores_of(answer.json())["positive"] > 0.6 > scores_of(answer.json())["negative"]


@pytest.mark.slow
def test_what_a_server_refuses_by_itself_is_tei_s_error_too(server: Served) -> None:
    answer = post(server, b"x" * 10_000_001)
    assert (answer.status, answer.json()["error_type"]) == (413, "Validation")


# --- messages -----------------------------------------------------------------------------------


def test_a_text_is_answered_with_a_list_and_a_batch_with_a_list_of_lists(both: OwnApp) -> None:
    single, alone, batch = (post(both, {"inputs": inputs}).json() for inputs in (GOOD, [GOOD], [[GOOD]] * 2))
    scores = [one["score"] for one in single]
    assert scores_of(single).keys() == {"positive", "neutral", "negative"}
    assert single[0]["label"] == "positive"
    assert scores == sorted(scores, reverse=True)
    assert alone == single
    assert batch == [single, single]


def test_mixed_is_neutral_here(both: OwnApp, fake: FakeRuntime) -> None:
    queue_verdict(fake, 0.1, "mixed")
    assert post(both, {"inputs": GOOD}).json()[0]["label"] == "neutral"


def test_raw_scores_are_logits_whose_softmax_is_the_scores(both: OwnApp) -> None:
    scores = scores_of(post(both, {"inputs": GOOD}).json())
    raw = scores_of(post(both, {"inputs": GOOD, "raw_scores": True}).json())
    total = math.fsum(map(math.exp, raw.values()))
    assert {label: math.exp(value) / total for label, value in raw.items()} == pytest.approx(scores)
    function = post(both, {"inputs": GOOD, "parameters": {"function_to_apply": "none"}}).json()
    assert scores_of(function[0]) == raw


@pytest.mark.parametrize(("truncate", "status"), [(True, 200), (None, 200), (False, 413)])
def test_a_long_text_is_cut_unless_the_caller_forbids_it(
    both: OwnApp, truncate: bool | None, status: int
) -> None:
    answer = post(both, {"inputs": "good " * 401, "truncate": truncate})
    assert answer.status == status
    if status == 413:
        assert answer.json() == {
            "error": '`inputs` must have at most 400 tokens; send "truncate": true',
            "error_type": "Validation",
        }
    assert post(both, {"inputs": "good " * 400, "truncate": truncate}).status == 200


@pytest.mark.parametrize(
    ("message", "status", "kind", "says"),
    [
        (b"{", 400, "Validation", 'the body is no valid JSON at character 1; send {"inputs": "..."}'),
        (b"\xff", 400, "Validation", "not UTF-8"),
        ([], 400, "Validation", "must be an object"),
        ({}, 422, "Validation", "`inputs` is missing"),
        ({"inputs": []}, 422, "Validation", "it came empty"),
        ({"inputs": 7}, 422, "Validation", "it came as number"),
        ({"inputs": None}, 422, "Validation", "it came as null"),
        ({"inputs": ["a", "b"]}, 422, "Validation", "a list of length 2 came where one text was due"),
        ({"inputs": [["a", "b"]]}, 422, "Validation", "a list of length 2 came where one text was due"),
        ({"inputs": [["a"], "b"]}, 422, "Validation", "an item of it came as string of length 1"),
        ({"inputs": [[7]]}, 422, "Validation", "one text was due"),
        ({"inputs": "x", "truncate": "yes"}, 422, "Validation", "`truncate` must be true or false"),
        ({"inputs": "x", "raw_scores": 1}, 422, "Validation", "`raw_scores` must be true or false"),
        ({"inputs": "x", "parameters": {"top_k": 0}}, 422, "Validation", "`top_k` must be 1 or more"),
        (
            {"inputs": "x", "parameters": {"function_to_apply": "sigmoid"}},
            422,
            "Validation",
            "softmax or none",
        ),
        ({"inputs": " <br> "}, 422, "Tokenizer", "`inputs` holds no word or sign"),
        ({"inputs": [[GOOD], [" "]]}, 422, "Tokenizer", "`inputs`[1] holds no word or sign"),
        ({"inputs": "x" * 50_001}, 413, "Validation", "has 50,001 characters, at most 50,000 are read"),
        ({"inputs": [["x"]] * 101}, 413, "Validation", "batch size 101 > maximum allowed batch size 100"),
        (b" " * 1_000_001, 413, "Validation", "the body has 1,000,001 bytes"),
    ],
)
def test_a_bad_request_is_tei_s_error(
    both: OwnApp, message: object, status: int, kind: str, says: str
) -> None:
    answer = post(both, message)
    assert (answer.status, answer.json()["error_type"]) == (status, kind)
    assert answer.json().keys() == {"error", "error_type"}
    assert says in answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (429, "ThrottlingException", (429, "Overloaded")),
        (424, "ModelError", (424, "Backend")),
        (429, "ModelNotReadyException", (503, "Unhealthy")),
        (403, "ExpiredToken", (424, "Backend")),
    ],
)
def test_a_failing_endpoint_is_tei_s_error(
    both: OwnApp, fake: FakeRuntime, status: int, code: str, expected: tuple[int, str]
) -> None:
    for _ in range(2):  # the app tries once more
        fake.refuse(status, code, OriginalStatusCode=500)
    answer = post(both, {"inputs": GOOD})
    assert (answer.status, answer.json()["error_type"]) == expected


def test_another_method_and_another_type_are_errors_of_tei(both: OwnApp) -> None:
    answer = both.send("GET", "/predict")
    assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")
    assert answer.json()["error_type"] == "Validation"
    assert post(both, GOOD.encode(), **{"Content-Type": "text/plain"}).status == 415


def test_unknown_fields_are_ignored_as_tei_does(both: OwnApp) -> None:
    message = {"inputs": GOOD, "truncation_direction": "right", "options": {"wait_for_model": True}}
    assert post(both, message).json() == post(both, {"inputs": GOOD}).json()


@given(st.binary() | st.text().map(str.encode))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        text_embeddings.parse_request(body, None)
    except MessageError as error:
        assert error.detail


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({"inputs": JSON_VALUES, "truncate": JSON_VALUES, "parameters": JSON_VALUES}))
def test_any_fields_are_read_or_refused(message: dict[str, Any]) -> None:
    try:
        text_embeddings.parse_request(json.dumps(message).encode(), None)
    except MessageError as error:
        assert error.status in (400, 413, 422)


@pytest.mark.parametrize("code", TITLES)
@pytest.mark.parametrize("status", [400, 503])
def test_every_problem_of_ours_is_an_error_with_a_type_and_a_sentence(code: str, status: int) -> None:
    refusal = text_embeddings.refuse(Problem(status, code, "a sentence", {"Retry-After": "1"}), "r-1")
    message = json.loads(refusal.body)
    assert message["error"] and message["error_type"]
    assert refusal.headers["Retry-After"] == "1"
    assert refusal.status >= 400


# --- the model and its health -------------------------------------------------------------------


def test_info_names_the_model_its_labels_and_its_limits(both: OwnApp, fake: FakeRuntime) -> None:
    info = both.send("GET", "/info").json()
    assert info["model_id"] == fake.model["id"]
    labels = info["model_type"]["classifier"]["id2label"]
    assert set(labels.values()) == scores_of(post(both, {"inputs": GOOD}).json()).keys()
    assert post(both, {"inputs": [["x"]] * info["max_client_batch_size"]}).status == 200
    text = "good " * info["max_input_length"]
    assert post(both, {"inputs": text, "truncate": False}).status == 200


def test_health_is_a_bare_200_or_says_that_it_is_unhealthy(both: OwnApp, fake: FakeRuntime) -> None:
    answer = both.send("GET", "/health")
    assert (answer.status, answer.body) == (200, b"")
    fake.refuse(424, "ModelError", OriginalStatusCode=500)
    answer = both.send("GET", "/health")
    assert (answer.status, answer.json()["error_type"]) == (503, "Unhealthy")


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer k"}, "k"),
        ({"authorization": "bearer k", "x-api-key": "other"}, "k"),
        ({"authorization": "Basic k", "x-api-key": "own"}, "own"),
        ({}, None),
    ],
)
def test_the_key_is_the_bearer_token_or_our_own_header(headers: dict[str, str], key: str | None) -> None:
    assert text_embeddings.key_of(headers) == key
