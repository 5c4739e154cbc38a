"""compatible/comprehend.py: boto3's own Comprehend client, with nothing but another endpoint_url."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.compatible import comprehend
from chalicelib.problems import TITLES, Problem
from tests.chalice_app.compatible.conftest import OwnApp, queue_verdict, start
from tests.support.api import ApiResponse, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from vocab.messages import BatchRequest, MessageError, ReviewRequest

GOOD = "A lovely film, and I would see it again and again."
HEADERS = {"Content-Type": comprehend.JSON_1_1}


def client_of(url: str, tries: int = 1, mode: str = "legacy", key: str = "anything") -> Any:
    """Return boto3's client, as a user makes it."""
    return boto3.client(
        "comprehend",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key="anything",
        config=Config(retries={"total_max_attempts": tries, "mode": mode}),
    )


@pytest.fixture
def client(server: Served) -> Iterator[Any]:
    made = client_of(server.url)
    yield made
    made.close()


def post(api: InProcess | Served, operation: str, message: object, **headers: str) -> ApiResponse:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    target = {"X-Amz-Target": f"Comprehend_20171127.{operation}"}
    return api.send("POST", "/", body, HEADERS | target | headers)


# --- boto3, against both servers ----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("logit", "opinion", "sentiment"),
    [
        (3.0, "one_sided", "POSITIVE"),
        (-3.0, "one_sided", "NEGATIVE"),
        (3.0, "mixed", "POSITIVE"),
        (0.1, "mixed", "MIXED"),
        (0.1, "none", "NEUTRAL"),
        (0.1, "one_sided", "NEUTRAL"),
    ],
)
def test_a_text_gets_the_verdict_s_sentiment(
    client: Any, fake: FakeRuntime, logit: float, opinion: str, sentiment: str
) -> None:
    queue_verdict(fake, logit, opinion)
    answer = client.detect_sentiment(Text=GOOD, LanguageCode="en")
    scores = answer["SentimentScore"]
    assert answer["Sentiment"] == sentiment == max(scores, key=scores.get).upper()
    assert sum(scores.values()) == pytest.approx(1)
    assert set(scores) == {"Positive", "Negative", "Neutral", "Mixed"}
    assert re.fullmatch("[0-9a-f]{32}", answer["ResponseMetadata"]["RequestId"])


@pytest.mark.slow
def test_a_text_in_another_language_is_neutral(client: Any) -> None:
    text = "Ein wirklich wunderbarer Film, den man unbedingt gesehen haben muss."
    assert client.detect_sentiment(Text=text, LanguageCode="en")["Sentiment"] == "NEUTRAL"


@pytest.mark.slow
def test_a_batch_names_its_bad_texts_by_index_and_answers_the_others(client: Any, fake: FakeRuntime) -> None:
    texts = [GOOD, "\u00e9" * 2_501, GOOD, "<br>", "x" * 5_000]
    answer = client.batch_detect_sentiment(TextList=texts, LanguageCode="en")
    assert [result["Index"] for result in answer["ResultList"]] == [0, 2, 4]
    assert [result["Sentiment"] for result in answer["ResultList"]] == ["POSITIVE", "POSITIVE", "NEUTRAL"]
    assert [(error["Index"], error["ErrorCode"]) for error in answer["ErrorList"]] == [
        (1, "TEXT_SIZE_LIMIT_EXCEEDED"),
        (3, "INVALID_REQUEST"),
    ]
    assert "5,002 bytes" in answer["ErrorList"][0]["ErrorMessage"]
    assert len(fake.calls) == 1


@pytest.mark.slow
def test_a_long_list_is_read_25_at_a_time_though_some_of_it_is_bad(client: Any) -> None:
    texts = [GOOD if number % 7 else "x" * 5_001 for number in range(60)]
    judged, refused = [], []
    for first in range(0, len(texts), 25):
        answer = client.batch_detect_sentiment(TextList=texts[first : first + 25], LanguageCode="en")
        judged += [first + result["Index"] for result in answer["ResultList"]]
        refused += [first + error["Index"] for error in answer["ErrorList"]]
    assert refused == list(range(0, 60, 7))
    assert sorted(judged + refused) == list(range(60))


@pytest.mark.slow
def test_a_batch_of_bad_texts_alone_asks_nobody(client: Any, fake: FakeRuntime) -> None:
    answer = client.batch_detect_sentiment(TextList=["<br>"], LanguageCode="en")
    assert (answer["ResultList"], len(answer["ErrorList"]), fake.calls) == ([], 1, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "name", "says"),
    [
        (
            lambda client: client.detect_sentiment(Text="x" * 5_001, LanguageCode="en"),
            "TextSizeLimitExceededException",
            "the text has 5,001 bytes in UTF-8, at most 5,000 are read",
        ),
        (
            lambda client: client.batch_detect_sentiment(TextList=["x"] * 26, LanguageCode="en"),
            "BatchSizeLimitExceededException",
            "TextList has 26 texts, at most 25",
        ),
        (
            lambda client: client.detect_sentiment(Text="Un film superbe.", LanguageCode="fr"),
            "UnsupportedLanguageException",
            "LanguageCode must be 'en'",
        ),
        (
            lambda client: client.batch_detect_sentiment(TextList=["x"], LanguageCode="zh-TW"),
            "UnsupportedLanguageException",
            "LanguageCode must be 'en'",
        ),
        (
            lambda client: client.detect_sentiment(Text=" <br> ", LanguageCode="en"),
            "InvalidRequestException",
            "the text holds no word or sign",
        ),
    ],
)
def test_an_error_is_the_client_s_own_exception(
    client: Any, fake: FakeRuntime, call: Callable[[Any], object], name: str, says: str
) -> None:
    with pytest.raises(getattr(client.exceptions, name), match=re.escape(says)) as caught:
        call(client)
    response = caught.value.response
    assert response["Error"]["Code"] == name
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RequestId"]
    if name == "InvalidRequestException":
        assert (response["Reason"], response["Detail"]["Reason"]) == ("INVALID_DOCUMENT",) * 2
    assert fake.calls == []


@pytest.mark.slow
def test_another_operation_is_unknown(client: Any) -> None:
    with pytest.raises(ClientError, match="only Comprehend_20171127.DetectSentiment and") as caught:
        client.detect_entities(Text=GOOD, LanguageCode="en")
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


@pytest.mark.slow
def test_a_failing_endpoint_is_an_internal_server_error(client: Any, fake: FakeRuntime) -> None:
    fake.refuse(424, "ModelError", OriginalStatusCode=500)
    with pytest.raises(client.exceptions.InternalServerException, match="the model could not answer"):
        client.detect_sentiment(Text=GOOD, LanguageCode="en")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_the_client_tries_again_after_a_failure_that_passes(
    server: Served, fake: FakeRuntime, mode: str
) -> None:
    fake.refuse(424, "ModelError", OriginalStatusCode=500)
    client = client_of(server.url, tries=2, mode=mode)
    answer = client.detect_sentiment(Text=GOOD, LanguageCode="en")
    client.close()
    assert (answer["Sentiment"], answer["ResponseMetadata"]["RetryAttempts"]) == ("POSITIVE", 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["run", "serve"])
@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_beyond_the_rate_the_client_is_throttled_and_tries_again(
    kind: str, mode: str, fake: FakeRuntime
) -> None:
    served = start(kind, fake, RATE_LIMIT="2/9999", API_PROCESSES="1")  # the start takes one
    try:
        client = client_of(served.url, tries=2, mode=mode)
        assert client.detect_sentiment(Text=GOOD, LanguageCode="en")["Sentiment"] == "POSITIVE"
        with pytest.raises(ClientError, match="over 2 requests in 9,999 s") as caught:
            client.detect_sentiment(Text=GOOD, LanguageCode="en")
        client.close()
    finally:
        served.stop()
    response = caught.value.response
    assert response["Error"]["Code"] == "ThrottlingException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]


@pytest.mark.slow
def test_what_a_server_refuses_by_itself_is_aws_s_error_too(server: Served) -> None:
    answer = post(server, "DetectSentiment", b"x" * 10_000_001)
    assert (answer.status, answer.json()["__type"]) == (413, "RequestEntityTooLargeException")
    assert answer.headers["x-amzn-requestid"] == answer.headers["x-request-id"]


# --- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "message", "name", "says"),
    [
        ("DetectSentiment", b"{", "SerializationException", 'no valid JSON at character 1; send {"Text"'),
        ("DetectSentiment", b"\xff", "SerializationException", "not UTF-8"),
        ("DetectSentiment", [], "SerializationException", "must be an object, got list of length 0"),
        ("DetectSentiment", {"Text": 1, "LanguageCode": "en"}, "SerializationException", "got number"),
        ("DetectSentiment", {"Text": "x", "LanguageCode": 1}, "SerializationException", "got number"),
        ("DetectSentiment", {}, "ValidationException", "Text is missing"),
        ("DetectSentiment", {"Text": None, "LanguageCode": "en"}, "ValidationException", "Text is missing"),
        ("DetectSentiment", {"Text": "", "LanguageCode": "en"}, "ValidationException", "Text is empty"),
        ("DetectSentiment", {"Text": "x"}, "ValidationException", "LanguageCode is missing"),
        ("BatchDetectSentiment", {"LanguageCode": "en"}, "ValidationException", "TextList is missing"),
        (
            "BatchDetectSentiment",
            {"TextList": [], "LanguageCode": "en"},
            "ValidationException",
            "TextList is empty",
        ),
        (
            "BatchDetectSentiment",
            {"TextList": ["x", ""], "LanguageCode": "en"},
            "ValidationException",
            "TextList[1] is empty",
        ),
        (
            "BatchDetectSentiment",
            {"TextList": ["x", 7], "LanguageCode": "en"},
            "SerializationException",
            "TextList[1] must be a string, got number",
        ),
        (
            "BatchDetectSentiment",
            {"TextList": "x", "LanguageCode": "en"},
            "SerializationException",
            "TextList must be a list, got string of length 1",
        ),
        ("DetectSyntax", {}, "UnknownOperationException", "only Comprehend_20171127"),
    ],
)
def test_what_no_sdk_would_send_is_refused_by_name(
    both: OwnApp, fake: FakeRuntime, operation: str, message: object, name: str, says: str
) -> None:
    answer = post(both, operation, message)
    assert (answer.status, answer.json()["__type"]) == (400, name)
    assert says in answer.json()["Message"]
    assert answer.headers["content-type"] == comprehend.JSON_1_1
    assert fake.calls == []


@pytest.mark.parametrize("target", ["", ".", "DetectSentiment", "DynamoDB_20120810.DetectSentiment"])
def test_another_service_s_target_is_an_unknown_operation(both: OwnApp, target: str) -> None:
    answer = both.send("POST", "/", b"{}", HEADERS | {"X-Amz-Target": target})
    assert answer.json()["__type"] == "UnknownOperationException"


def test_another_method_and_another_type_are_errors_of_aws(both: OwnApp) -> None:
    answer = both.send("PUT", "/", b"{}", HEADERS | {"X-Amz-Target": "Comprehend_20171127.DetectSentiment"})
    assert (answer.status, answer.json()["__type"]) == (405, "ValidationException")
    answer = post(both, "DetectSentiment", {}, **{"Content-Type": "application/xml"})
    assert answer.json()["__type"] == "SerializationException"


def test_texts_of_exactly_the_limit_pass_in_any_script() -> None:
    for text in ("x" * 5_000, "\u00e9" * 2_500, "\U0001f600" * 1_250, "\ud800" * 1_666):
        body = json.dumps({"Text": text, "LanguageCode": "en"}).encode()
        request = comprehend.parse_request("DetectSentiment", body, comprehend.JSON_1_1)
        assert request == ReviewRequest(text, "none")
        longer = json.dumps({"Text": text + "\u20ac", "LanguageCode": "en"}).encode()
        with pytest.raises(MessageError, match="at most 5,000"):
            comprehend.parse_request("DetectSentiment", longer, comprehend.JSON_1_1)


def test_the_largest_batch_fits_a_body() -> None:
    body = json.dumps({"TextList": ["\x01" * 5_000] * 25, "LanguageCode": "en"}).encode()
    request = comprehend.parse_request("BatchDetectSentiment", body, None)
    assert isinstance(request, BatchRequest)
    assert [item.error for item in request.items] == [None] * 25


@given(st.sampled_from(["DetectSentiment", "BatchDetectSentiment"]), st.binary() | st.text().map(str.encode))
def test_any_body_is_read_or_refused(operation: str, body: bytes) -> None:
    try:
        comprehend.parse_request(operation, body, None)
    except (MessageError, Problem) as error:
        assert error.detail


@pytest.mark.parametrize("code", TITLES)
@pytest.mark.parametrize("status", [400, 503])
def test_every_problem_of_ours_is_an_error_with_a_name_and_a_sentence(code: str, status: int) -> None:
    refusal = comprehend.refuse(Problem(status, code, "a sentence", {"Retry-After": "1"}), "r-1")
    message = json.loads(refusal.body)
    assert message["__type"].endswith("Exception") and message["Message"]
    assert refusal.headers["x-amzn-RequestId"] == "r-1"
    assert refusal.headers["Retry-After"] == "1"
    assert refusal.status >= 400


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (
            "AWS4-HMAC-SHA256 Credential=verdict_a-b/20261130/us-east-1/comprehend/aws4_request, Sig",
            "verdict_a-b",
        ),
        ("AWS4-ECDSA-P256-SHA256 Credential=k/20261130/comprehend/aws4_request", "k"),
        ("AWS4-HMAC-SHA256 SignedHeaders=host, Credential=k/20261130/x", "k"),
        ("AWS4-HMAC-SHA256 Credential=/20261130/x", None),
        ("Bearer k", None),
        ("", None),
    ],
)
def test_the_key_is_the_access_key_id(header: str, key: str | None) -> None:
    assert comprehend.key_of({"authorization": header}) == key
    assert comprehend.key_of({"authorization": header, "x-api-key": "own"}) == (key or "own")
