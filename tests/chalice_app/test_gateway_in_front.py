"""The app behind a simulated API Gateway, tests/support/gateway.py."""

import base64
import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from chalice.deploy.swagger import CFNSwaggerGenerator

import app
from tests.support.api import FOLDER, ApiResponse, InProcess
from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from tests.support.fake_runtime import FakeRuntime
from tests.support.gateway import Event, Gateway, GatewayRequest, deployed, http_answer, match, proxy_event
from training.aws import gateway as own

JSON = {"Content-Type": "application/json"}
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:verdict-dev"
REVIEW = json.dumps({"review": "A lovely film, and I would see it again."}).encode()


def definition() -> dict[str, Any]:
    return dict(CFNSwaggerGenerator().generate_swagger(app.app, None))


class Front:
    """A gateway in front of the app in this process; ``event`` is its last event."""

    def __init__(self, **settings: Any) -> None:
        self.event: Event = {}
        arguments = {"definition": definition(), "responses": own.responses()} | settings
        self.gateway = Gateway(invoke=self.invoke, **arguments)

    def invoke(self, event: Event) -> Any:
        self.event = json.loads(json.dumps(event))
        return app.app(self.event, None)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> ApiResponse:
        url = urlsplit(self.gateway.url)
        assert url.port
        connection = http.client.HTTPConnection("127.0.0.1", url.port, timeout=30)
        try:
            connection.request(method, url.path + path, body or None, headers or {})
            answer = connection.getresponse()
            lower_case = {name.lower(): value for name, value in answer.getheaders()}
            return ApiResponse(answer.status, lower_case, answer.read())
        finally:
            connection.close()


@pytest.fixture
def front(api: InProcess) -> Iterator[Front]:
    running = Front()
    yield running
    running.gateway.stop()


def check_problem(answer: ApiResponse, status: int, code: str) -> None:
    problem = answer.json()
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-request-id"] == problem["request_id"] != "$context.requestId"


# --- the app's own answers ----------------------------------------------------------------------


def test_a_review_gets_the_answer_that_the_app_gives(front: Front, api: InProcess) -> None:
    headers = JSON | {"X-Request-Id": "one"}
    through = front.send("POST", "/v1/sentiment", REVIEW, headers)
    assert through.status == 200
    assert through.body == api.send("POST", "/v1/sentiment", REVIEW, headers).body
    assert front.event["requestContext"]["path"] == "/api/v1/sentiment"
    assert front.event["path"] == "/v1/sentiment"


def test_a_batch_gets_the_answer_that_the_app_gives(front: Front, api: InProcess) -> None:
    table = 'id,review\r\n1,"Lovely, again"\r\n2,\u00e9\U0001f600\r\n'.encode()
    headers = {"Content-Type": "text/csv", "X-Request-Id": "one", "Accept": "application/jsonlines"}
    through = front.send("POST", "/v1/sentiment/batch?explain=words", table, headers)
    own = api.send("POST", "/v1/sentiment/batch?explain=words", table, headers)
    assert (through.status, through.body) == (200, own.body)
    assert through.headers["content-type"] == "application/jsonlines"
    assert b'"words":' in through.body


def test_a_query_means_the_same_behind_the_gateway(front: Front) -> None:
    text = {"Content-Type": "text/plain"}
    assert b'"words":' in front.send("POST", "/v1/sentiment?explain=words", b"Lovely film", text).body
    for query, code in (("explian=words", "unknown_parameter"), ("explain=none&explain=none", "bad_value")):
        check_problem(front.send("POST", f"/v1/sentiment?{query}", REVIEW, JSON), 400, code)
    body = b'{"review": "Lovely film", "explain": "none"}'
    check_problem(front.send("POST", "/v1/sentiment?explain=words", body, JSON), 400, "bad_value")


def test_two_content_types_are_refused_behind_the_gateway(front: Front) -> None:
    headers = JSON | {"content-type": "text/plain"}
    check_problem(front.send("POST", "/v1/sentiment", REVIEW, headers), 400, "bad_request")


def test_the_root_is_reached_with_and_without_its_slash(front: Front) -> None:
    for path in ("", "/"):
        answer = front.send("POST", path, b"Lovely film", {"Content-Type": "text/plain"})
        assert (answer.status, answer.body) == (200, b"1.0")


def test_the_document_names_the_stage_as_its_server(front: Front) -> None:
    assert front.send("GET", "/v1/openapi.json").json()["servers"] == [{"url": "/api"}]


def test_unknown_paths_and_methods_reach_the_app_s_own_answers(front: Front) -> None:
    check_problem(front.send("GET", "/a/b/c"), 404, "not_found")
    check_problem(front.send("DELETE", "/v1/sentiment"), 405, "method_not_allowed")
    assert front.gateway.calls == 2


def test_head_has_headers_and_no_body(front: Front, fake: FakeRuntime) -> None:
    answer = front.send("HEAD", "/v1/openapi.json")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["x-request-id"]


def test_a_binary_type_comes_as_base64(front: Front) -> None:
    answer = front.send("POST", "/v1/sentiment", b"\xff\x00", {"Content-Type": "application/zip"})
    check_problem(answer, 415, "unsupported_media_type")
    assert front.event["isBase64Encoded"]
    assert base64.b64decode(front.event["body"]) == b"\xff\x00"


# --- what API Gateway answers by itself ---------------------------------------------------------


def test_a_preflight_is_answered_without_the_function(front: Front) -> None:
    answer = front.send("OPTIONS", "/v1/sentiment", headers={"Origin": "https://page.example"})
    assert (answer.status, answer.body, front.gateway.calls) == (200, b"", 0)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert "POST" in answer.headers["access-control-allow-methods"].split(",")


@pytest.mark.parametrize(
    ("origins", "answered_by"),
    [("*", "mock"), ("https://a.example", "mock"), ("https://a.example,https://b.example", "aws_proxy")],
)
def test_for_several_origins_the_function_answers_preflights_itself(origins: str, answered_by: str) -> None:
    """API Gateway's own answer to them is a fixed text."""
    script = (
        "import json, app; from chalice.deploy.swagger import CFNSwaggerGenerator as Made;"
        "print(json.dumps(Made().generate_swagger(app.app, None)))"
    )
    env = os.environ | {"CORS_ORIGIN": origins, "PYTHONPATH": f"{FOLDER}:{FOLDER / 'vendor'}"}
    made = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60)
    for path, operations in json.loads(made.stdout)["paths"].items():
        assert operations["options"]["x-amazon-apigateway-integration"]["type"] == answered_by, path


def test_a_method_that_no_resource_has_is_a_problem_of_ours(front: Front) -> None:
    check_problem(front.send("TRACE", "/v1/sentiment"), 404, "not_found")
    assert front.gateway.calls == 0


def test_another_stage_is_forbidden_in_aws_s_own_words(front: Front) -> None:
    front.gateway.stage = "other"
    answer = front.send("GET", "/v1/health")
    assert (answer.status, answer.json()) == (403, {"message": "Forbidden"})


def test_too_large_a_body_does_not_reach_the_function(front: Front) -> None:
    check_problem(front.send("POST", "/v1/sentiment", b"x" * (10 * 1024 * 1024 + 1)), 413, "too_large")
    assert front.gateway.calls == 0


def test_a_function_that_breaks_off_is_a_problem_with_retry_after(front: Front) -> None:
    for reply in ({"errorMessage": "Task timed out after 25.00 seconds"}, "Task timed out", None):
        front.gateway.invoke = lambda event, reply=reply: reply
        answer = front.send("POST", "/v1/sentiment", REVIEW, JSON)
        check_problem(answer, 502, "app_failed")
        assert answer.headers["retry-after"] == "1"


def test_a_flood_is_throttled_with_retry_after(api: InProcess) -> None:
    front = Front(throttle={"rate": 0.001, "burst": 2})
    try:
        answers = [front.send("GET", "/v1/openapi.json") for _ in range(3)]
    finally:
        front.gateway.stop()
    assert [answer.status for answer in answers] == [200, 200, 429]
    check_problem(answers[2], 429, "too_many_requests")
    assert answers[2].headers["retry-after"] == "1"


def test_an_api_read_back_from_aws_is_served_by_what_was_put_there(api: InProcess, tmp_path: Path) -> None:
    document = re.sub(r'\{"Fn::Sub": ("[^"]+")\}', r"\1", json.dumps(definition()))
    filled = {"AWS::Partition": "aws", "AWS::Region": REGION, "APIHandler.Arn": FUNCTION}
    document = re.sub(r"\$\{([\w:.]+)\}", lambda name: filled[name[1]], document)
    server = AwsServer(tmp_path / "moto.log")
    try:
        client = boto3.client(
            "apigateway",
            endpoint_url=server.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        api_id = client.import_rest_api(body=document.encode())["id"]
        for response in own.responses("https://page.example"):
            client.put_gateway_response(restApiId=api_id, **response)
        read = deployed(client, api_id)
    finally:
        server.stop()
    front = Front(**read)
    try:
        answer = front.send("POST", "/v1/sentiment", REVIEW, JSON | {"X-Request-Id": "one"})
        assert answer.json()["sentiment"] == "positive"
        preflight = front.send("OPTIONS", "/v1/sentiment")
        assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, "*")
        refused = front.send("TRACE", "/v1/sentiment")
        assert (refused.status, refused.json()["code"]) == (404, "not_found")
        assert refused.headers["access-control-allow-origin"] == "https://page.example"
    finally:
        front.gateway.stop()


# --- events and answers -------------------------------------------------------------------------


def test_literal_resources_come_before_greedy_ones() -> None:
    resources = ["/{proxy+}", "/v1/{proxy+}", "/v1/health", "/"]
    assert match(resources, "/v1/health") == ("/v1/health", {})
    assert match(resources, "/v1/a/b%20c") == ("/v1/{proxy+}", {"proxy": "a/b c"})
    assert match(resources, "/x") == ("/{proxy+}", {"proxy": "x"})
    assert match(["/v1/health"], "/x") is None


def test_an_event_keeps_what_came_twice() -> None:
    headers = [("X-Word", "a"), ("X-Word", "b")]
    gateway_request = GatewayRequest("GET", "/api/v1/health?q=1&q=&p", headers, b"")
    event = proxy_event(gateway_request, "/v1/health", "/v1/health", {}, "api", False, "r1")
    assert (event["headers"]["X-Word"], event["multiValueHeaders"]["X-Word"]) == ("b", ["a", "b"])
    assert event["multiValueQueryStringParameters"] == {"q": ["1", ""], "p": [""]}
    assert (event["body"], event["isBase64Encoded"], event["pathParameters"]) == (None, False, None)


def test_answers_keep_headers_that_come_twice_and_binary_bodies() -> None:
    reply = {
        "statusCode": 200,
        "headers": {"A": "1"},
        "multiValueHeaders": {"B": ["2", "3"]},
        "body": base64.b64encode(b"\xff").decode(),
        "isBase64Encoded": True,
    }
    answer = http_answer(reply, wants_binary=True)
    assert answer.body == b"\xff"
    assert [pair for pair in answer.headers if pair[0] in "AB"] == [("A", "1"), ("B", "2"), ("B", "3")]
    assert http_answer(reply, wants_binary=False).body == b"/w=="
