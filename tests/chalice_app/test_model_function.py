"""model_function.py: the call of the model in a Lambda function, and the problem for each of its errors."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib import model_function
from chalicelib.endpoint import Endpoint, Settings
from chalicelib.endpoint_errors import ModelRefusal
from chalicelib.problems import Problem

SETTINGS = Settings("verdict-dev-model:live", kind="lambda")
SECRET = "secret words of a review"


class Client:
    """A lambda client that answers each call in turn, or raises; ``calls`` holds the arguments."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.calls.append(arguments)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def answered(payload: Any, **members: str) -> dict[str, Any]:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return {"StatusCode": 200, "Payload": io.BytesIO(data), **members}


def refused(status: int, code: str) -> ClientError:
    error = {"Error": {"Code": code, "Message": SECRET}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, "Invoke")  # type: ignore[arg-type]


def problem_of(*answers: Any) -> tuple[Problem, Client]:
    client = Client(*answers)
    with pytest.raises(Problem) as caught:
        Endpoint(client, SETTINGS).invoke(b"{}", "r1")
    return caught.value, client


def test_a_call_carries_the_message_and_gives_back_the_answer_s_bytes() -> None:
    body = '{"answers":["\u00fc"],"note":"a \\"quote\\""}'
    client = Client(answered({"status": 200, "body": body, "content_type": "application/json"}))
    assert Endpoint(client, SETTINGS).invoke(b'{"describe":true}', "r1") == body.encode()
    (call,) = client.calls
    assert call["FunctionName"] == "verdict-dev-model:live"
    assert json.loads(call["Payload"]) == {
        "body": '{"describe":true}',
        "content_type": "application/json",
        "accept": "application/json",
        "request_id": "r1",
    }


@pytest.mark.parametrize(
    "status, code, expected",
    [
        (404, "ResourceNotFoundException", (503, "endpoint_unavailable")),
        (409, "ResourceConflictException", (503, "endpoint_waking")),
        (502, "ResourceNotReadyException", (503, "endpoint_waking")),
        (413, "RequestTooLargeException", (502, "endpoint_error")),
        (403, "AccessDeniedException", (500, "misconfigured")),
    ],
)
def test_an_error_of_lambda_is_one_of_ours(status: int, code: str, expected: tuple[int, str]) -> None:
    problem, client = problem_of(refused(status, code))
    assert (problem.status, problem.code) == expected
    assert ("Retry-After" in problem.headers) == (problem.status == 503)
    assert SECRET not in problem.detail
    assert len(client.calls) == 1


@pytest.mark.parametrize(
    "status, code, expected",
    [
        (429, "TooManyRequestsException", (503, "endpoint_busy")),
        (502, "EC2ThrottledException", (503, "endpoint_busy")),
        (500, "ServiceException", (502, "endpoint_error")),
    ],
)
def test_what_passes_by_itself_is_tried_once_more(status: int, code: str, expected: tuple[int, str]) -> None:
    problem, client = problem_of(refused(status, code), refused(status, code))
    assert (problem.status, problem.code) == expected
    fine = answered({"status": 200, "body": "{}"})
    assert Endpoint(Client(refused(status, code), fine), SETTINGS).invoke(b"{}", "r1") == b"{}"
    assert len(client.calls) == 2


@pytest.mark.parametrize(
    "status, expected",
    [
        (400, (502, "version_mismatch")),
        (409, (502, "vocabulary_mismatch")),
        (500, (502, "endpoint_error")),
        (503, (503, "endpoint_busy")),
    ],
)
def test_a_refusal_of_the_hooks_is_that_of_an_endpoint(status: int, expected: tuple[int, str]) -> None:
    problem, _ = problem_of(answered({"status": status, "body": SECRET}))
    assert (problem.status, problem.code) == expected
    assert SECRET not in problem.detail


@pytest.mark.parametrize(
    "failure, expected",
    [
        ({"errorMessage": "2026 r1 Task timed out after 20.00 seconds"}, (504, "endpoint_timeout")),
        ({"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out"}, (504, "endpoint_timeout")),
        ({"errorType": "Runtime.OutOfMemory", "errorMessage": SECRET}, (502, "endpoint_error")),
        ({"errorType": "ModelFilesError", "errorMessage": SECRET}, (502, "endpoint_error")),
    ],
)
def test_a_function_that_fails_is_a_problem_without_its_words(
    failure: dict[str, str], expected: tuple[int, str]
) -> None:
    problem, _ = problem_of(answered(failure, FunctionError="Unhandled"))
    assert (problem.status, problem.code) == expected
    assert SECRET not in problem.detail


def test_a_function_that_gives_no_answer_in_time_is_too_slow_and_not_asleep() -> None:
    problem, _ = problem_of(ReadTimeoutError(endpoint_url="https://x"))
    assert (problem.status, problem.code) == (504, "endpoint_timeout")


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'"text"', b"{}", b"no JSON", b'{"status": 200}'])
def test_an_answer_that_is_none_of_ours_is_a_refusal(payload: bytes) -> None:
    with pytest.raises(ModelRefusal):
        model_function.invoke(Client(answered(payload)), "f:live", b"{}", "r1")
