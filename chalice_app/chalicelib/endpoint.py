"""Call the SageMaker endpoint, and turn each error of the call into a problem for the caller.

In local mode (`chalice local`, or VERDICT_LOCAL=1) without AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME, the endpoint
is the one on loopback and no call is signed. So no call reaches AWS by accident. Local mode ignores the AWS
region, profile and files of the user's shell.
"""

import functools
import ipaddress
import os
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from chalicelib import log
from chalicelib.deadline import Workers
from chalicelib.problems import RETRY_LATER, RETRY_SOON, Problem
from vocab import messages

ENDPOINT_NAME = "verdict"
# A deploy writes the endpoint's name into the zip: AWS changes a function's code before its variables.
ENDPOINT_FILE = Path(__file__).with_name("endpoint_name.txt")
LOCAL_PORT = "8090"
LOCAL_REGION = "us-east-1"
# Both, and the second try below, end before the timeouts of Lambda (25 s) and API Gateway (29 s).
CONNECT_SECONDS = 1
READ_SECONDS = 20
# A second try follows only a failure within this time, so that it ends in time too.
RETRY_WITHIN_SECONDS = 2.0
CONNECTIONS = 50
READ_BYTES = 1 << 16
_workers = Workers()
# Stops botocore from reading profiles and files. Each value is botocore's: name in the config file,
# variables, default, conversion.
_NO_FILES: dict[str, tuple[str | None, list[str], str | None, None]] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}


class Settings(NamedTuple):
    """The endpoint's name, its URL (None for AWS's own), its region, and whether it runs on this machine.

    ``seconds`` limits the time of its answer.
    """

    name: str
    url: str | None = None
    region: str | None = None
    local: bool = False
    seconds: float = READ_SECONDS


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables. Raises ValueError for a wrong ENDPOINT_SECONDS.

    A deployed function's endpoint is the one that its zip names.

    >>> read_settings({"VERDICT_LOCAL": "1"})
    Settings(name='verdict', url='http://127.0.0.1:8090', region='us-east-1', local=True, seconds=20)
    """
    chalice_local = bool(env.get("AWS_CHALICE_CLI_MODE"))
    url = env.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or None
    if url is None and (chalice_local or env.get("VERDICT_LOCAL") == "1"):
        url = f"http://127.0.0.1:{env.get('ENDPOINT_PORT') or LOCAL_PORT}"
    local = url is not None and _is_loopback(url)
    region = LOCAL_REGION if local else env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None
    name = _deployed_name() or env.get("ENDPOINT_NAME") or ENDPOINT_NAME
    if local and chalice_local:
        name = ENDPOINT_NAME  # `chalice local` sets the deployed endpoint's name, from config.json
    return Settings(name, url, region, local, _seconds(env.get("ENDPOINT_SECONDS")))


def invoke(body: bytes, request_id: str) -> bytes:
    """Send a message to the endpoint and return its answer, both in the form of vocab.messages.

    Raises Problem 500 (not set up), 502 (failed), 503 (missing, starting or busy) or 504 (too slow).
    """
    try:
        settings = read_settings(os.environ)
        return Endpoint(_client(settings), settings).invoke(body, request_id)
    except (BotoCoreError, ValueError) as error:  # ValueError: a malformed URL, region or time
        raise _log_error(_misconfigured(_WRONG_SETTING, error), error) from error


class Endpoint:
    """An endpoint behind a boto3 sagemaker-runtime client."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def invoke(self, body: bytes, request_id: str) -> bytes:
        """Send a message; try once more after a quick, temporary failure. Raises Problem."""
        start = time.monotonic()
        try:
            return self._send_in_time(body, request_id)
        except (BotoCoreError, ClientError, TimeoutError) as error:
            if not _is_temporary(error) or time.monotonic() - start > RETRY_WITHIN_SECONDS:
                raise _log_error(_problem_of(error, self._settings), error) from error
        time.sleep(random.uniform(0.05, 0.25))
        try:
            return self._send_in_time(body, request_id)
        except (BotoCoreError, ClientError, TimeoutError) as error:
            raise _log_error(_problem_of(error, self._settings), error) from error

    def _send_in_time(self, body: bytes, request_id: str) -> bytes:
        return _workers.run(self._settings.seconds + CONNECT_SECONDS, lambda: self._send(body, request_id))

    def _send(self, body: bytes, request_id: str) -> bytes:
        answer = self._client.invoke_endpoint(
            EndpointName=self._settings.name,
            ContentType=messages.JSON,
            Accept=messages.JSON,
            CustomAttributes=request_id,
            Body=body,
        )
        return _read(answer["Body"])


def _read(stream: Any) -> bytes:
    """Read an answer to its end, or just beyond MAX_ENDPOINT_BYTES; vocab.messages refuses longer ones."""
    answer = bytearray()
    while len(answer) <= messages.MAX_ENDPOINT_BYTES and (part := stream.read(READ_BYTES)):
        answer += part
    stream.close()
    return bytes(answer)


@functools.lru_cache(maxsize=4)
def _client(settings: Settings) -> Any:
    config: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": settings.seconds,
        "retries": {"total_max_attempts": 1},  # botocore would also repeat a call of 20 s
        "max_pool_connections": CONNECTIONS,
    }
    botocore_session = None
    if settings.local:
        botocore_session = botocore.session.Session(session_vars=_NO_FILES)
        config["proxies"] = {}  # the environment's proxy can't reach this machine
        config["signature_version"] = UNSIGNED  # nothing there checks it, and signing takes 0.1 ms
    session = boto3.session.Session(region_name=settings.region, botocore_session=botocore_session)
    return session.client("sagemaker-runtime", endpoint_url=settings.url, config=Config(**config))


def _deployed_name() -> str | None:
    try:
        return ENDPOINT_FILE.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _seconds(value: str | None) -> float:
    seconds = float(value) if value else READ_SECONDS
    if not 0 < seconds <= READ_SECONDS:
        raise ValueError(f"ENDPOINT_SECONDS must be over 0 and at most {READ_SECONDS}")
    return seconds


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# --- errors -------------------------------------------------------------------------------------

_BUSY = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "ServiceUnavailable"})
_TEMPORARY = _BUSY | {"InternalFailure", "InternalDependencyException"}
_WAKING = "ModelNotReadyException"
_WRONG_SETTING = "its AWS credentials, region, endpoint name or ENDPOINT_SECONDS are missing or wrong"
_REFUSED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


def _is_temporary(error: Exception) -> bool:
    """Return whether the same call may succeed a moment later."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code")
        return code in _TEMPORARY or (code != _WAKING and _status_of(error) in (429, 503))
    return isinstance(error, ConnectionClosedError)


def _log_error(problem: Problem, error: Exception) -> Problem:
    """Log the error's type and AWS's code; its text may quote the request."""
    words: list[object] = [type(error).__name__]
    if isinstance(error, ClientError):
        words += [error.response.get("Error", {}).get("Code"), error.response.get("OriginalStatusCode")]
    log.note(error=" ".join(str(word) for word in words if word)[:80])
    return problem


def _problem_of(error: Exception, settings: Settings) -> Problem:
    if isinstance(error, ClientError):
        return _refusal(error, settings)
    if isinstance(error, (ReadTimeoutError, TimeoutError)):
        return _timeout()
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, BotoConnectionError)):
        return _unavailable(settings)
    if isinstance(error, (HTTPClientError, IncompleteReadError)):
        return Problem(502, "endpoint_error", "the connection to the endpoint broke; try again", RETRY_SOON)
    if isinstance(error, CredentialRetrievalError):
        return _misconfigured("its AWS credentials can't be fetched", error)
    return _misconfigured(_WRONG_SETTING, error)


def _refusal(error: ClientError, settings: Settings) -> Problem:
    code, status = error.response.get("Error", {}).get("Code", ""), _status_of(error)
    text = str(error.response.get("Error", {}).get("Message", "")).lower()
    if code == "ModelError":
        return _model_error(error.response.get("OriginalStatusCode"), text)
    if code == _WAKING or "no capacity" in text:
        return _waking()
    if code == "ValidationError" and "not found" in text:
        return _unavailable(settings, exists=False)
    if code in _BUSY or status in (429, 503):
        return _busy()
    if code in _REFUSED or status in (401, 403):
        return _misconfigured("AWS refused its credentials or its role", error)
    return Problem(502, "endpoint_error", "the endpoint could not answer; its log says why")


def _model_error(original: Any, text: str) -> Problem:
    if original == 409:
        return Problem(
            502,
            "vocabulary_mismatch",
            "app and endpoint were built with different vocabularies; deploy both from one version",
        )
    if original == 400:  # the app checks its messages, so only another version of the endpoint refuses one
        return Problem(
            502,
            "version_mismatch",
            "the endpoint can't read the app's messages; deploy both from one version",
        )
    if original in (429, 503):
        return _busy()
    if original == 504 or "timed out" in text:
        return _timeout()
    return Problem(502, "endpoint_error", "the model could not answer; the endpoint's log says why")


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _unavailable(settings: Settings, exists: bool = True) -> Problem:
    if settings.local and exists:
        detail = (
            f"nothing answers at {settings.url}; start the endpoint with `make run`,"
            " or with `python -m training.endpoint.local_endpoint`"
        )
    elif settings.local:
        detail = (
            f"what answers at {settings.url} has no endpoint {settings.name!r}; start it with `make run`,"
            f" or with `python -m training.endpoint.local_endpoint --name {settings.name}`"
        )
    elif exists:
        detail = "the endpoint can't be reached; try again in a while"
    else:
        detail = f"endpoint {settings.name!r} is not deployed in this account and region"
    return Problem(503, "endpoint_unavailable", detail, RETRY_LATER)


def _waking() -> Problem:
    return Problem(503, "endpoint_waking", "the endpoint is starting; try again in some seconds", RETRY_LATER)


def _busy() -> Problem:
    return Problem(503, "endpoint_busy", "the endpoint has too much to do; try again in a second", RETRY_SOON)


def _timeout() -> Problem:
    return Problem(504, "endpoint_timeout", "the endpoint took too long to answer; try again", RETRY_SOON)


def _misconfigured(reason: str, error: Exception) -> Problem:
    return Problem(
        500, "misconfigured", f"the app can't call its endpoint: {reason} ({type(error).__name__})"
    )
