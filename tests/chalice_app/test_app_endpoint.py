"""endpoint.py: the call's target, and the problem for each of AWS's errors."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore import exceptions as boto

from chalicelib import endpoint
from chalicelib.endpoint import AWAKE_SECONDS, WAKING_SECONDS, Endpoint, Settings, Sleep, read_settings
from chalicelib.endpoint_errors import problem_of as problem_of_error
from chalicelib.problems import Problem
from tests.support.api import FOLDER
from tests.support.fake_runtime import FakeRuntime
from tests.support.stack import free_ports

LOOPBACK = Settings("verdict", "http://127.0.0.1:8090", "us-east-1", True)


@pytest.fixture
def to_fake(fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point boto3 at the fake endpoint by its own variable."""
    for name in ("AWS_PROFILE", "AWS_CHALICE_CLI_MODE", "VERDICT_LOCAL", "ENDPOINT_NAME", "ENDPOINT_KIND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)


def problem_of(call: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


# --- where it goes ------------------------------------------------------------------------------


def test_in_the_lambda_the_call_goes_to_aws() -> None:
    settings = read_settings({"AWS_REGION": "eu-west-1", "ENDPOINT_NAME": "verdict-prod"})
    assert settings == Settings("verdict-prod", None, "eu-west-1", False, kind="serverless")


def test_the_zip_s_endpoint_holds_before_the_variables_are_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(endpoint, "ENDPOINT_FILE", tmp_path / "endpoint.json")
    (tmp_path / "endpoint.json").write_text('{"kind": "realtime", "name": "verdict-dev-2"}', encoding="utf-8")
    settings = read_settings({"ENDPOINT_NAME": "verdict-dev", "ENDPOINT_KIND": "serverless"})
    assert (settings.name, settings.kind) == ("verdict-dev-2", "realtime")


def test_an_endpoint_of_no_named_kind_is_serverless_in_the_cloud_alone() -> None:
    assert read_settings({"AWS_REGION": "eu-west-1"}).kind == "serverless"
    assert read_settings({"VERDICT_LOCAL": "1"}).kind == "realtime"
    assert read_settings({"VERDICT_LOCAL": "1", "ENDPOINT_KIND": "serverless"}).kind == "serverless"


def test_a_model_function_is_called_in_the_cloud_alone() -> None:
    env = {"ENDPOINT_KIND": "lambda", "ENDPOINT_NAME": "verdict-dev-model:live"}
    assert read_settings(env | {"AWS_REGION": "eu-west-1"}) == Settings(
        "verdict-dev-model:live", None, "eu-west-1", False, kind="lambda"
    )
    local = read_settings(env | {"VERDICT_LOCAL": "1"})
    assert (local.kind, local.url) == ("realtime", "http://127.0.0.1:8090")


@pytest.mark.parametrize("mode", [{"AWS_CHALICE_CLI_MODE": "true"}, {"VERDICT_LOCAL": "1"}])
def test_local_mode_means_loopback_whatever_credentials_there_are(mode: dict[str, str]) -> None:
    env = mode | {
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_ENDPOINT_URL": "http://x",
    }
    assert read_settings(env) == LOOPBACK


@pytest.mark.parametrize("region", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_shell_s_region_counts_in_the_cloud_alone(region: str) -> None:
    assert read_settings({"VERDICT_LOCAL": "1", region: " bad region"}) == LOOPBACK
    assert read_settings({region: "eu-west-1"}).region == "eu-west-1"


def test_another_port_can_be_chosen() -> None:
    assert read_settings({"VERDICT_LOCAL": "1", "ENDPOINT_PORT": "9191"}).url == "http://127.0.0.1:9191"


def test_the_cloud_s_name_is_not_used_by_chalice_local() -> None:
    assert read_settings({"AWS_CHALICE_CLI_MODE": "true", "ENDPOINT_NAME": "verdict-dev"}).name == "verdict"
    assert read_settings({"VERDICT_LOCAL": "1", "ENDPOINT_NAME": "mine"}).name == "mine"


def test_a_url_that_is_named_wins_over_local_mode() -> None:
    url = "https://runtime.sagemaker.eu-west-1.amazonaws.com"
    settings = read_settings({"VERDICT_LOCAL": "1", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url})
    assert (settings.url, settings.local) == (url, False)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "20.5", "soon"])
def test_a_time_that_is_none_is_named_as_a_setting(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_LOCAL", "1")
    monkeypatch.setenv("ENDPOINT_SECONDS", seconds)
    problem = problem_of(lambda: endpoint.invoke(b"{}", "r1"))
    assert problem.code == "misconfigured"
    assert "ENDPOINT_SECONDS" in problem.detail


@pytest.mark.parametrize("seconds", ["0.5", "20"])
def test_the_time_that_the_endpoint_has_can_be_shortened(seconds: str) -> None:
    assert read_settings({"ENDPOINT_SECONDS": seconds}).seconds == float(seconds)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"])
def test_a_url_on_loopback_is_local(host: str) -> None:
    assert read_settings({"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://{host}:1"}).local


@pytest.mark.parametrize("host", ["runtime.sagemaker.us-east-1.amazonaws.com", "10.0.0.1", "localhost.x.com"])
def test_any_other_url_is_not(host: str) -> None:
    assert not read_settings({"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://{host}"}).local


def test_real_credentials_never_reach_loopback(
    to_fake: None, fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    endpoint._client.cache_clear()
    endpoint.invoke(b'{"describe":true}', "r1")
    assert "Authorization" not in fake.calls[0].headers


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    to_fake: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    endpoint._client.cache_clear()
    assert endpoint.invoke(b'{"describe":true}', "r1")


def test_a_call_names_endpoint_types_and_request(
    to_fake: None, fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_NAME", "verdict-7")
    fake.queue(200, b"any bytes \xff")
    assert endpoint.invoke(b'{"describe":true}', "r-1") == b"any bytes \xff"
    (call,) = fake.calls
    assert (call.endpoint, call.message) == ("verdict-7", {"describe": True})
    assert call.headers["Content-Type"] == call.headers["Accept"] == "application/json"
    assert call.headers["X-Amzn-SageMaker-Custom-Attributes"] == "r-1"


def test_one_client_serves_all_calls(to_fake: None) -> None:
    endpoint._client.cache_clear()
    for _ in range(3):
        endpoint.invoke(b'{"describe":true}', "r1")
    assert endpoint._client.cache_info().misses == 1


def test_the_client_s_limits_lie_within_the_lambda_s() -> None:
    config = endpoint._client(LOOPBACK).meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, 20)
    assert (config.retries["total_max_attempts"], config.max_pool_connections) == (1, 50)
    longest = endpoint.RETRY_WITHIN_SECONDS + 0.25 + config.connect_timeout + config.read_timeout
    assert longest < json.loads((FOLDER / ".chalice/config.json").read_text())["lambda_timeout"]


# --- what goes wrong, as the service says it ----------------------------------------------------

MODEL = {
    "Message": "Received error from primary. secret words of a review",
    "OriginalMessage": "secret words",
}
NOT_FOUND = {"message": "Endpoint verdict of account 000000000000 not found."}
NO_CAPACITY = {"message": "Inference Component has no capacity to process this request."}
SERVICE = {
    "unknown endpoint": (400, "ValidationError", NOT_FOUND, 503, "endpoint_unavailable"),
    "scaled to zero": (400, "ValidationError", NO_CAPACITY, 503, "endpoint_waking"),
    "another validation error": (400, "ValidationError", {"message": "Body too long"}, 502, "endpoint_error"),
    "other vocabulary": (424, "ModelError", MODEL | {"OriginalStatusCode": 409}, 502, "vocabulary_mismatch"),
    "model says 400": (424, "ModelError", MODEL | {"OriginalStatusCode": 400}, 502, "version_mismatch"),
    "model says 500": (424, "ModelError", MODEL | {"OriginalStatusCode": 500}, 502, "endpoint_error"),
    "model says 503": (424, "ModelError", MODEL | {"OriginalStatusCode": 503}, 503, "endpoint_busy"),
    "model timed out": (424, "ModelError", {"Message": "Model timed out"}, 504, "endpoint_timeout"),
    "model error, no more": (424, "ModelError", {}, 502, "endpoint_error"),
    "throttled": (429, "ThrottlingException", {"message": "Rate exceeded"}, 503, "endpoint_busy"),
    "unavailable": (503, "ServiceUnavailable", {}, 503, "endpoint_busy"),
    "failure": (500, "InternalFailure", {}, 502, "endpoint_error"),
    "dependency": (530, "InternalDependencyException", {}, 502, "endpoint_error"),
    "not ready (429)": (429, "ModelNotReadyException", {}, 503, "endpoint_waking"),
    "not ready (530)": (530, "ModelNotReadyException", {}, 503, "endpoint_waking"),
    "access denied": (400, "AccessDeniedException", {"message": "not authorized"}, 500, "misconfigured"),
    "expired": (403, "ExpiredTokenException", {}, 500, "misconfigured"),
    "expired, old name": (403, "ExpiredToken", {}, 500, "misconfigured"),
    "bad token": (403, "UnrecognizedClientException", {}, 500, "misconfigured"),
    "bad signature": (403, "InvalidSignatureException", {}, 500, "misconfigured"),
    "403 without a code": (403, "", {}, 500, "misconfigured"),
    "424 without a code": (424, "", {}, 502, "endpoint_error"),
    "503 without a code": (503, "", {}, 503, "endpoint_busy"),
    "418": (418, "Teapot", {}, 502, "endpoint_error"),
}
PASSING = {"throttled", "unavailable", "failure", "dependency", "503 without a code"}


@pytest.mark.parametrize("name", SERVICE)
def test_each_error_of_the_service_is_one_of_ours(name: str, to_fake: None, fake: FakeRuntime) -> None:
    http_status, error, members, status, code = SERVICE[name]
    for _ in range(2):
        fake.refuse(http_status, error, **members)
    problem = problem_of(lambda: endpoint.invoke(b"{}", "r1"))
    assert (problem.status, problem.code) == (status, code)
    assert "secret" not in problem.detail
    assert ("Retry-After" in problem.headers) == (status in (503, 504))
    assert len(fake.calls) == (2 if name in PASSING else 1)


@pytest.mark.parametrize("name", sorted(PASSING))
def test_what_passes_by_itself_is_tried_once_more(name: str, to_fake: None, fake: FakeRuntime) -> None:
    http_status, error, members, *_ = SERVICE[name]
    fake.refuse(http_status, error, **members)
    fake.queue(200, b"fine")
    assert endpoint.invoke(b"{}", "r1") == b"fine"


def test_a_failure_that_took_long_is_not_tried_again(
    to_fake: None, fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "RETRY_WITHIN_SECONDS", 0.05)
    fake.queue(503, b"{}", seconds=0.1, x_amzn_ErrorType="ServiceUnavailable")
    assert problem_of(lambda: endpoint.invoke(b"{}", "r1")).code == "endpoint_busy"
    assert len(fake.calls) == 1


# --- what goes wrong on the way -----------------------------------------------------------------


def test_no_endpoint_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.delenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("VERDICT_LOCAL", "1")
    monkeypatch.setenv("ENDPOINT_PORT", str(port))
    began = time.monotonic()
    problem = problem_of(lambda: endpoint.invoke(b"{}", "r1"))
    assert (problem.status, problem.code) == (503, "endpoint_unavailable")
    assert "make run" in problem.detail and "python -m training.endpoint.local_endpoint" in problem.detail
    assert f"127.0.0.1:{port}" in problem.detail
    assert time.monotonic() - began < 3


def test_in_the_cloud_nobody_is_told_of_make_run() -> None:
    error = boto.EndpointConnectionError(endpoint_url="https://x")
    problem = problem_of_error(error, Settings("verdict-prod"))
    assert (problem.code, "make run" in problem.detail) == ("endpoint_unavailable", False)


@pytest.fixture
def hasty(to_fake: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Allow the endpoint a fifth of a second, and forget how it answered other tests."""
    monkeypatch.setattr(endpoint, "READ_SECONDS", 0.2)
    monkeypatch.setattr(endpoint, "_sleep", Sleep())
    endpoint._client.cache_clear()
    yield
    endpoint._client.cache_clear()


def test_a_slow_endpoint_is_a_504(hasty: None, fake: FakeRuntime) -> None:
    fake.queue(200, b"late", seconds=0.5)
    problem = problem_of(lambda: endpoint.invoke(b"{}", "r1"))
    assert (problem.status, problem.code) == (504, "endpoint_timeout")
    ends = time.monotonic() + 10
    while not fake.calls and time.monotonic() < ends:  # on a busy machine the call arrives late
        time.sleep(0.01)
    assert len(fake.calls) == 1


def test_a_serverless_endpoint_that_gives_no_first_answer_in_time_is_waking(
    hasty: None, fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_KIND", "serverless")
    fake.queue(200, b"late", seconds=0.5)
    problem = problem_of(lambda: endpoint.invoke(b"{}", "r1"))
    assert (problem.status, problem.code) == (503, "endpoint_waking")
    assert problem.headers == {"Retry-After": "5"}
    fake.queue(200, b"awake")
    assert endpoint.invoke(b"{}", "r1") == b"awake"
    fake.queue(200, b"late", seconds=0.5)
    assert problem_of(lambda: endpoint.invoke(b"{}", "r1")).code == "endpoint_timeout"


class Clock:
    """A clock that a test sets."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_an_endpoint_that_answered_lately_is_not_asleep() -> None:
    clock = Clock()
    sleep = Sleep(clock)
    sleep.note_answer("a")
    clock.seconds += AWAKE_SECONDS - 1
    assert not sleep.may_explain("a")
    assert sleep.may_explain("b")
    clock.seconds += 1
    assert sleep.may_explain("a")


def test_an_endpoint_that_never_wakes_is_too_slow_after_a_while() -> None:
    clock = Clock()
    sleep = Sleep(clock)
    assert sleep.may_explain("a")
    clock.seconds += WAKING_SECONDS
    assert sleep.may_explain("a")
    clock.seconds += 1
    assert not sleep.may_explain("a")
    clock.seconds += AWAKE_SECONDS  # nobody called it for so long: it sleeps again
    assert sleep.may_explain("a")


def test_a_connection_that_breaks_is_tried_once_more_then_a_502(to_fake: None, fake: FakeRuntime) -> None:
    fake.queue(0)
    fake.queue(200, b"fine")
    assert endpoint.invoke(b"{}", "r1") == b"fine"
    fake.queue(0)
    fake.queue(0)
    problem = problem_of(lambda: endpoint.invoke(b"{}", "r1"))
    assert (problem.status, problem.code) == (502, "endpoint_error")


class Failing:
    """A client whose calls raise one error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def invoke_endpoint(self, **arguments: object) -> None:
        raise self.error


OWN = {
    "no credentials": (boto.NoCredentialsError(), 500, "misconfigured"),
    "half credentials": (boto.PartialCredentialsError(provider="env", cred_var="x"), 500, "misconfigured"),
    "no region": (boto.NoRegionError(), 500, "misconfigured"),
    "credentials not fetched": (
        boto.CredentialRetrievalError(provider="sso", error_msg="x"),
        500,
        "misconfigured",
    ),
    "a bad name": (boto.ParamValidationError(report="x"), 500, "misconfigured"),
    "no profile": (boto.ProfileNotFound(profile="x"), 500, "misconfigured"),
    "an expired login": (boto.UnauthorizedSSOTokenError(), 500, "misconfigured"),
    "no way there": (boto.EndpointConnectionError(endpoint_url="x"), 503, "endpoint_unavailable"),
    "no answer to a connect": (boto.ConnectTimeoutError(endpoint_url="x"), 503, "endpoint_unavailable"),
    "TLS": (boto.SSLError(endpoint_url="x", error="x"), 503, "endpoint_unavailable"),
    "proxy": (boto.ProxyConnectionError(proxy_url="x"), 503, "endpoint_unavailable"),
    "slow": (boto.ReadTimeoutError(endpoint_url="x"), 504, "endpoint_timeout"),
    "hung up": (boto.ConnectionClosedError(endpoint_url="x"), 502, "endpoint_error"),
    "half an answer": (boto.ResponseStreamingError(error="x"), 502, "endpoint_error"),
}


@pytest.mark.parametrize("name", OWN)
def test_each_error_of_botocore_is_one_of_ours(name: str) -> None:
    error, status, code = OWN[name]
    failing_endpoint = Endpoint(Failing(error), Settings("verdict"))
    problem = problem_of(lambda: failing_endpoint.invoke(b"{}", "r1"))
    assert (problem.status, problem.code) == (status, code)


@pytest.mark.parametrize("url", ["not a url", "127.0.0.1:8090", "ftp//x", "http://[::1"])
def test_a_url_of_wrong_form_is_named_as_a_setting(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
    assert problem_of(lambda: endpoint.invoke(b"{}", "r1")).code == "misconfigured"


def broken_shell(file: Path) -> dict[str, str]:
    """Return settings of a shell with a broken AWS setup, one by one."""
    file.write_bytes(b"[half a section\n= 3")
    return {
        "AWS_PROFILE": "no-such-profile",
        "AWS_DEFAULT_PROFILE": "no-such-profile",
        "AWS_CONFIG_FILE": str(file),
        "AWS_SHARED_CREDENTIALS_FILE": str(file),
        "AWS_DEFAULT_REGION": " bad region",
        "AWS_REGION": " bad region",
    }


@pytest.mark.parametrize(
    "name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_REGION"]
)
def test_a_broken_setup_of_aws_does_not_matter_on_loopback(
    name: str, to_fake: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, broken_shell(tmp_path / "config")[name])
    endpoint._client.cache_clear()
    assert endpoint.invoke(b'{"describe":true}', "r1")


def test_all_of_a_setup_may_be_broken_on_loopback(
    to_fake: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in broken_shell(tmp_path / "config").items():
        monkeypatch.setenv(name, value)
    endpoint._client.cache_clear()
    assert endpoint.invoke(b'{"describe":true}', "r1")


def test_a_profile_that_does_not_exist_is_named_as_a_setting_in_the_cloud(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_CHALICE_CLI_MODE", "VERDICT_LOCAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    endpoint._client.cache_clear()
    assert problem_of(lambda: endpoint.invoke(b"{}", "r1")).code == "misconfigured"


# --- the local endpoint speaks like the service -------------------------------------------------


def test_the_local_endpoint_s_refusals_are_ours(local_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", local_endpoint)
    monkeypatch.setenv("ENDPOINT_NAME", "verdict-dev")
    assert b'"card"' in endpoint.invoke(b'{"describe":true}', "r1")
    other = b'{"vocabulary":"0000000000000000","reviews":[{"ids":[300],"sentences":[1]}]}'
    assert problem_of(lambda: endpoint.invoke(other, "r1")).code == "vocabulary_mismatch"
    unknown = b'{"reviews":[{"ids":[300],"sentences":[1]}],"aspects":true}'
    assert problem_of(lambda: endpoint.invoke(unknown, "r1")).code == "version_mismatch"
    monkeypatch.setenv("ENDPOINT_NAME", "another")
    problem = problem_of(lambda: endpoint.invoke(b'{"describe":true}', "r1"))
    assert problem.code == "endpoint_unavailable"
    assert "--name another" in problem.detail
