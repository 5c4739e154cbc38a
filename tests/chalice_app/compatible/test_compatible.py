"""compatible/: off unless asked for, behind the same keys, limits and log lines as every route."""

import hashlib
import http.client
import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from chalice.deploy.swagger import CFNSwaggerGenerator

from chalicelib import compatible
from tests.chalice_app.compatible.conftest import BOTH, OwnApp, start
from tests.support.api import FOLDER, ApiResponse, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.gateway import Gateway
from training.aws import gateway as own

CANARY = "xylophonecanary"
KEY = "verdict_one"
HASH = hashlib.sha256(KEY.encode()).hexdigest()
TARGET = {"X-Amz-Target": "Comprehend_20171127.DetectSentiment"}
AWS = {"Content-Type": "application/x-amz-json-1.1"} | TARGET
SIGNED = "AWS4-HMAC-SHA256 Credential={}/20261130/us-east-1/comprehend/aws4_request, SignedHeaders=host"
TEXT = json.dumps({"Text": f"A lovely {CANARY} of a film.", "LanguageCode": "en"}).encode()
INPUTS = json.dumps({"inputs": f"A lovely {CANARY} of a film."}).encode()
JSON = {"Content-Type": "application/json"}


def detect(api: Any, **headers: str) -> ApiResponse:
    answer: ApiResponse = api.send("POST", "/", TEXT, AWS | headers)
    return answer


def predict(api: Any, **headers: str) -> ApiResponse:
    answer: ApiResponse = api.send("POST", "/predict", INPUTS, JSON | headers)
    return answer


# --- off and on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", "none"])
def test_unless_asked_for_nothing_is_spoken_but_our_own(
    api: InProcess, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("COMPATIBLE", value)
    for method, path in (("POST", "/predict"), ("GET", "/info"), ("GET", "/health")):
        answer = api.send(method, path, INPUTS if method == "POST" else b"", JSON)
        assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert (detect(api).status, detect(api).json()["code"]) == (415, "unsupported_media_type")
    assert api.send("POST", "/", b"A lovely film", TARGET | {"Content-Type": "text/plain"}).body == b"1.0"


def test_each_protocol_is_spoken_alone_too(api: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPATIBLE", "comprehend")
    alone = OwnApp()
    assert detect(alone).json()["Sentiment"] == "POSITIVE"
    assert predict(alone).json()["code"] == "not_found"
    monkeypatch.setenv("COMPATIBLE", "tei")
    alone = OwnApp()
    assert predict(alone).json()[0]["label"] == "positive"
    assert detect(alone).json()["code"] == "unsupported_media_type"


def test_our_own_routes_answer_as_ever_beside_them(both: OwnApp, api: InProcess) -> None:
    headers = {"Content-Type": "text/plain", "X-Request-Id": "one"}
    for method, path, body in (
        ("POST", "/", b"A lovely film"),
        ("POST", "/v1/sentiment", b"A lovely film"),
        ("POST", "/v1/sentiment", b"\xff"),
        ("GET", "/v1/openapi.json", b""),
        ("GET", "/other", b""),
    ):
        theirs, ours = both.send(method, path, body, headers), api.send(method, path, body, headers)
        assert theirs == ours


@pytest.mark.parametrize(
    ("value", "names"),
    [("tei", ("tei",)), (" comprehend , tei,tei", ("comprehend", "tei")), ("none", ()), ("", ())],
)
def test_protocols_are_named_with_commas_between(value: str, names: tuple[str, ...]) -> None:
    assert compatible.read_protocols({"COMPATIBLE": value}) == names


@pytest.mark.parametrize("value", ["TEI", "comprehend;tei", "tei,", "openai", "none,tei"])
def test_an_unknown_name_is_one_sentence(value: str) -> None:
    with pytest.raises(compatible.CompatibleError, match="^COMPATIBLE must be none, or one or several of"):
        compatible.read_protocols({"COMPATIBLE": value})


@pytest.mark.slow
@pytest.mark.parametrize("module", ["development_server", "rsgi_server"])
def test_a_server_does_not_start_with_an_unknown_name(module: str, fake: FakeRuntime) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"chalice_app.local.{module}", "--port", "0"],
        cwd=FOLDER.parent,
        env={
            "COMPATIBLE": "comprehend,openai",
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": fake.url,
            "PYTHONPATH": os.environ["PYTHONPATH"],
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "api: COMPATIBLE must be none, or one or several of comprehend, tei with commas between,"
        " got 'openai'\n"
    )


# --- keys ---------------------------------------------------------------------------------------


@pytest.fixture
def locked(both: OwnApp, monkeypatch: pytest.MonkeyPatch) -> OwnApp:
    """Both protocols with AUTH=key."""
    monkeypatch.setenv("AUTH", "key")
    monkeypatch.setenv("API_KEYS", HASH)
    return both


def test_a_key_travels_as_access_key_id_as_bearer_token_or_in_our_own_header(locked: OwnApp) -> None:
    assert detect(locked, Authorization=SIGNED.format(KEY)).status == 200
    assert detect(locked, **{"X-Api-Key": KEY}).status == 200
    assert predict(locked, Authorization=f"Bearer {KEY}").status == 200
    assert predict(locked, **{"X-Api-Key": KEY}).status == 200
    assert locked.send("GET", "/info", headers={"Authorization": f"Bearer {KEY}"}).status == 200
    assert locked.send("GET", "/health").status == 200


@pytest.mark.parametrize("key", ["verdict_two", "", HASH])
def test_without_a_known_key_nobody_is_asked(locked: OwnApp, fake: FakeRuntime, key: str) -> None:
    for headers in ({}, {"Authorization": SIGNED.format(key)}, {"X-Api-Key": key}):
        answer = detect(locked, **headers)
        assert (answer.status, answer.json()["__type"]) == (401, "UnrecognizedClientException")
        assert "as the access key id" in answer.json()["Message"]
    for headers in ({}, {"Authorization": f"Bearer {key}"}, {"X-Api-Key": key}):
        answer = predict(locked, **headers)
        assert (answer.status, answer.json()["error_type"]) == (401, "Unauthorized")
        info = locked.send("GET", "/info", headers=headers)
        assert info.status == 401
    assert fake.calls == []


def test_a_foreign_header_opens_none_of_our_own_routes(locked: OwnApp) -> None:
    for header in (f"Bearer {KEY}", SIGNED.format(KEY)):
        answer = locked.send("POST", "/v1/sentiment", b"A film", {"Authorization": header})
        assert answer.status == 401
        assert locked.send("POST", "/", b"A film", {"Authorization": header}).status == 401


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["run", "serve"])
def test_boto3_passes_with_a_key_and_is_told_without(kind: str, fake: FakeRuntime) -> None:
    served = start(kind, fake, AUTH="key", API_KEYS=HASH, API_PROCESSES="1")
    try:
        known, stranger = (
            boto3.client(
                "comprehend",
                endpoint_url=served.url,
                region_name="eu-west-1",
                aws_access_key_id=key,
                aws_secret_access_key="x",
                config=Config(retries={"total_max_attempts": 1}),
            )
            for key in (KEY, "AKIAIOSFODNN7EXAMPLE")
        )
        answer = known.detect_sentiment(Text="A lovely film.", LanguageCode="en")
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            stranger.detect_sentiment(Text="A lovely film.", LanguageCode="en")
        known.close()
        stranger.close()
    finally:
        served.stop()
    assert answer["Sentiment"] == "POSITIVE"


# --- log, metrics, headers ----------------------------------------------------------------------


def test_a_request_leaves_one_line_without_its_words(
    both: OwnApp, capsys: pytest.CaptureFixture[str]
) -> None:
    detect(both, **{"X-Request-Id": "r-1"})
    predict(both, **{"X-Request-Id": "r-2"})
    captured = capsys.readouterr()
    assert captured.err == "" and CANARY not in captured.out
    first, second = map(json.loads, captured.out.splitlines())
    common = {"method": "POST", "characters": 35, "ids": 7, "verdict": "positive", "status": 200}
    assert common.items() <= first.items() and common.items() <= second.items()
    assert (first["request_id"], first["route"], first["operation"]) == ("r-1", "/", "DetectSentiment")
    assert (second["request_id"], second["route"]) == ("r-2", "/predict")


def test_a_refusal_leaves_its_code_and_the_status_that_was_sent(
    both: OwnApp, fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    both.send("POST", "/", json.dumps({"Text": CANARY * 400, "LanguageCode": "en"}).encode(), AWS)
    both.send("POST", "/", b"{}", AWS | {"X-Amz-Target": f"Comprehend_20171127.{CANARY}"})
    fake.refuse(424, "ModelError", OriginalStatusCode=500)
    predict(both)
    out = capsys.readouterr().out
    assert CANARY not in out
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["code"], line["status"]) for line in lines] == [
        ("too_long", 400),
        ("not_found", 400),
        ("endpoint_error", 424),
    ]


@pytest.mark.slow
def test_their_requests_are_counted_as_ours_are(server: Served) -> None:
    detect(server)
    predict(server)
    text = server.send("GET", "/v1/metrics").body.decode()
    counted = [line for line in text.splitlines() if line.startswith("verdict_requests_total")]
    for route in ("/", "/predict"):
        assert any(f'route="{route}"' in line and 'status="200"' in line for line in counted)


def test_every_answer_carries_our_headers_and_refusals_too(both: OwnApp) -> None:
    for answer in (detect(both), predict(both), both.send("POST", "/predict", b"{"), detect(both, **AWS)):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]


# --- on AWS -------------------------------------------------------------------------------------


def test_behind_api_gateway_both_are_spoken(both: OwnApp) -> None:
    definition = dict(CFNSwaggerGenerator().generate_swagger(both.module.app, None))
    gateway = Gateway(
        invoke=lambda event: both.module.app(event, None), definition=definition, responses=own.responses()
    )
    try:
        client = boto3.client(
            "comprehend",
            endpoint_url=gateway.url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        answer = client.detect_sentiment(Text="A lovely film, again \u00e9.", LanguageCode="en")
        with pytest.raises(client.exceptions.TextSizeLimitExceededException):
            client.detect_sentiment(Text="x" * 5_001, LanguageCode="en")
        client.close()
        url = urlsplit(gateway.url)
        connection = http.client.HTTPConnection("127.0.0.1", url.port or 0, timeout=30)
        connection.request("POST", f"{url.path}/predict", INPUTS, JSON)
        predictions = json.loads(connection.getresponse().read())
        connection.close()
    finally:
        gateway.stop()
    assert answer["Sentiment"] == "POSITIVE"
    assert predictions[0]["label"] == "positive"


def test_both_together_are_what_these_tests_speak() -> None:
    assert compatible.read_protocols({"COMPATIBLE": BOTH}) == tuple(compatible.PROTOCOLS)
