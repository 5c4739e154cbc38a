"""gateway.py: what API Gateway says by itself reads like what the app says."""

import json
import re
from typing import Any

import boto3
import pytest
from jsonschema import Draft202012Validator

from chalicelib import answers, openapi, problems
from training.aws import gateway

RESPONSES = {response["responseType"]: response for response in gateway.responses()}
HEADER = "gatewayresponse.header."


def problem_of(response: dict[str, Any]) -> dict[str, Any]:
    (body,) = response["responseTemplates"].values()
    return dict(json.loads(body))


def headers_of(response: dict[str, Any]) -> dict[str, str]:
    parameters = response["responseParameters"].items()
    return {name.removeprefix(HEADER): value.strip("'") for name, value in parameters}


@pytest.mark.parametrize("kind", RESPONSES)
def test_each_body_is_a_problem_as_the_document_describes_it(kind: str) -> None:
    problem = problem_of(RESPONSES[kind])
    components = openapi.document()["components"]
    schema = {"$ref": "#/components/schemas/Problem", "components": components}
    Draft202012Validator(schema).validate(problem)
    assert problem.keys() == problems.message(problems.not_found(), "r1").keys()
    assert problem["title"] == problems.TITLES[problem["code"]]
    assert problem["request_id"] == "$context.requestId"
    if not kind.startswith("DEFAULT_"):
        assert str(problem["status"]) == RESPONSES[kind]["statusCode"]


def test_the_two_defaults_leave_each_error_its_own_status() -> None:
    without = {kind for kind, response in RESPONSES.items() if "statusCode" not in response}
    assert without == {"DEFAULT_4XX", "DEFAULT_5XX"}


@pytest.mark.parametrize("kind", RESPONSES)
def test_each_carries_the_headers_of_every_answer(kind: str) -> None:
    headers = headers_of(RESPONSES[kind])
    assert answers.headers_of("r1").keys() <= headers.keys()
    assert headers["Content-Type"] == problems.PROBLEM_JSON
    own = {name: value for name, value in answers.headers_of("r1").items() if "'" not in value}
    own.pop("X-Request-Id")
    assert own.items() <= headers.items()


def test_the_policy_for_content_is_the_app_s_with_empty_lists_for_none() -> None:
    own = answers.SECURITY["Content-Security-Policy"]
    assert headers_of(RESPONSES["THROTTLED"])["Content-Security-Policy"] == own.replace(" 'none'", "")


def test_values_are_quoted_once_and_hold_no_quote() -> None:
    for response in RESPONSES.values():
        for name, value in response["responseParameters"].items():
            assert re.fullmatch(r"gatewayresponse\.header\.[A-Za-z-]+", name)
            assert re.fullmatch(r"'[^']+'|context\.requestId", value), value


def test_nothing_but_the_request_id_is_filled_in() -> None:
    for response in RESPONSES.values():
        assert re.findall(r"\$[a-zA-Z.]+", json.dumps(response)) == ["$context.requestId"]


def test_the_origin_is_the_one_that_is_named() -> None:
    for response in gateway.responses("https://page.example"):
        assert headers_of(response)["Access-Control-Allow-Origin"] == "https://page.example"


def test_of_several_origins_none_can_be_named_so_any_may_read_them() -> None:
    for response in gateway.responses("https://page.example,https://other.example"):
        assert headers_of(response)["Access-Control-Allow-Origin"] == "*"


def test_who_should_try_again_is_told_when() -> None:
    retried = {kind for kind, response in RESPONSES.items() if "Retry-After" in headers_of(response)}
    assert retried == {"THROTTLED", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "DEFAULT_5XX"}


def test_every_type_that_aws_knows_has_its_response() -> None:
    client = boto3.client("apigateway", region_name="us-east-1")
    shape = client.meta.service_model.operation_model("PutGatewayResponse").input_shape
    assert set(shape.members["responseType"].enum) == RESPONSES.keys()


def test_a_burst_is_at_least_a_second_s_worth() -> None:
    assert 0 < gateway.THROTTLE["rate"] <= gateway.THROTTLE["burst"]


def test_the_document_says_that_every_operation_may_be_throttled() -> None:
    for path in openapi.document()["paths"].values():
        for operation in path.values():
            assert RESPONSES["THROTTLED"]["statusCode"] in operation["responses"]
