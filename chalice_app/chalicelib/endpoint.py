"""Call the model: a SageMaker endpoint, a second Lambda function (ENDPOINT_KIND=lambda), or ``in_process``.

In local mode (`chalice local`, or VERDICT_LOCAL=1) without AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME, the endpoint
is the one on loopback and no call is signed. So no call reaches AWS by accident. Local mode ignores the AWS
region, profile and files of the user's shell.
"""

import functools
import ipaddress
import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import model_function
from chalicelib.deadline import Workers
from chalicelib.endpoint_errors import (
    WRONG_SETTING,
    ModelRefusal,
    is_temporary,
    is_timeout,
    log_error,
    misconfigured,
    problem_of,
    waking,
)
from chalicelib.problems import Problem
from vocab import messages
from vocab.aspects import Mentions
from vocab.vocabulary import EncodedReview

ENDPOINT_NAME = "verdict"
# The kind of a model in a Lambda function of its own, beside "serverless" and "realtime".
FUNCTION = "lambda"
# A deploy writes the endpoint's name and kind into the zip: AWS changes the code before the variables.
ENDPOINT_FILE = Path(__file__).with_name("endpoint.json")
LOCAL_PORT = "8090"
LOCAL_REGION = "us-east-1"
# Both, and the second try below, end before the timeouts of Lambda (25 s) and API Gateway (29 s).
CONNECT_SECONDS = 1
READ_SECONDS = 20
# A second try follows only a failure within this time, so that it ends in time too.
RETRY_WITHIN_SECONDS = 2.0
CONNECTIONS = 50
READ_BYTES = 1 << 16
# A serverless endpoint wakes within WAKING_SECONDS, and stays awake for some minutes after an answer.
WAKING_SECONDS, AWAKE_SECONDS = 120, 300
# The endpoint's place in this process. Only local/rsgi_server.py sets it.
in_process: "InProcess | None" = None
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

    ``seconds`` limits the time of its answer. ``kind`` is "serverless", "realtime" or "lambda".
    """

    name: str
    url: str | None = None
    region: str | None = None
    local: bool = False
    seconds: float = READ_SECONDS
    kind: str = "realtime"


class InProcess(Protocol):
    """A model in this process: it answers messages, and scores reviews without one. Raises Problem."""

    def invoke(self, body: bytes, request_id: str) -> bytes: ...

    def score(
        self,
        encoded: Sequence[EncodedReview],
        explain: str,
        mentions: Sequence[Mentions] | None,
        size: int,
        request_id: str,
    ) -> tuple[messages.Model, list[messages.Score]]: ...


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables. Raises ValueError for a wrong ENDPOINT_SECONDS.

    A deployed function's endpoint is the one that its zip names.

    >>> read_settings({"VERDICT_LOCAL": "1"}).url
    'http://127.0.0.1:8090'
    """
    chalice_local = bool(env.get("AWS_CHALICE_CLI_MODE"))
    url = env.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME") or None
    if url is None and (chalice_local or env.get("VERDICT_LOCAL") == "1"):
        url = f"http://127.0.0.1:{env.get('ENDPOINT_PORT') or LOCAL_PORT}"
    local = url is not None and _is_loopback(url)
    region = LOCAL_REGION if local else env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None
    deployed = _deployed()
    name = deployed.get("name") or env.get("ENDPOINT_NAME") or ENDPOINT_NAME
    if local and chalice_local:
        name = ENDPOINT_NAME  # `chalice local` sets the deployed endpoint's name, from config.json
    kind = deployed.get("kind") or env.get("ENDPOINT_KIND") or ("realtime" if local else "serverless")
    if kind == FUNCTION:  # on this machine the local endpoint takes the function's place
        kind, url = ("realtime", url) if local else (FUNCTION, None)
    return Settings(name, url, region, local, _seconds(env.get("ENDPOINT_SECONDS")), kind)


def invoke(body: bytes, request_id: str) -> bytes:
    """Send a message to the endpoint and return its answer, both in the form of vocab.messages.

    Raises Problem 500 (not set up), 502 (failed), 503 (missing, starting or busy) or 504 (too slow).
    """
    if in_process is not None:
        return in_process.invoke(body, request_id)
    try:
        settings = read_settings(os.environ)
        return Endpoint(_client(settings), settings).invoke(body, request_id)
    except (BotoCoreError, ValueError) as error:  # ValueError: a malformed URL, region or time
        raise log_error(misconfigured(WRONG_SETTING, error), error) from error


class Endpoint:
    """An endpoint behind a boto3 client: sagemaker-runtime, or lambda where the model is a function."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def invoke(self, body: bytes, request_id: str) -> bytes:
        """Send a message; try once more after a quick, temporary failure. Raises Problem."""
        start = time.monotonic()
        try:
            return self._send_in_time(body, request_id)
        except _FAILURES as error:
            if not is_temporary(error) or time.monotonic() - start > RETRY_WITHIN_SECONDS:
                raise self._problem(error) from error
        time.sleep(random.uniform(0.05, 0.25))
        try:
            return self._send_in_time(body, request_id)
        except _FAILURES as error:
            raise self._problem(error) from error

    def _send_in_time(self, body: bytes, request_id: str) -> bytes:
        send = self._call_function if self._settings.kind == FUNCTION else self._call_endpoint
        limit = self._settings.seconds + CONNECT_SECONDS
        answer = _workers.run(limit, lambda: send(body, request_id))
        _sleep.note_answer(self._settings.name)
        return answer

    def _call_endpoint(self, body: bytes, request_id: str) -> bytes:
        answer = self._client.invoke_endpoint(
            EndpointName=self._settings.name,
            ContentType=messages.JSON,
            Accept=messages.JSON,
            CustomAttributes=request_id,
            Body=body,
        )
        return _read(answer["Body"])

    def _call_function(self, body: bytes, request_id: str) -> bytes:
        return model_function.invoke(self._client, self._settings.name, body, request_id)

    def _problem(self, error: Exception) -> Problem:
        settings = self._settings
        asleep = settings.kind == "serverless" and is_timeout(error) and _sleep.may_explain(settings.name)
        return log_error(waking() if asleep else problem_of(error, settings), error)


class Sleep:
    """Whether a serverless endpoint's silence may be its sleep: it wakes, or it is too slow.

    AWS lets a call to a sleeping endpoint wait for longer than this app does. The clock is the wall's:
    Lambda stops a function between requests, and its other clocks with it.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._answers: dict[str, float] = {}
        self._waking_since: dict[str, float] = {}

    def note_answer(self, name: str) -> None:
        """Note that an endpoint answered, so it is awake."""
        self._answers[name] = self._now()
        self._waking_since.pop(name, None)

    def may_explain(self, name: str) -> bool:
        """Return whether an endpoint that gave no answer in time may still be waking."""
        now = self._now()
        if now - self._answers.get(name, float("-inf")) < AWAKE_SECONDS:
            return False
        since = self._waking_since.get(name)
        if since is None or now - since > AWAKE_SECONDS:  # an earlier wait is over
            since = self._waking_since[name] = now
        return now - since <= WAKING_SECONDS


_FAILURES = (BotoCoreError, ClientError, TimeoutError, ModelRefusal)
_sleep = Sleep()


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
    service = "lambda" if settings.kind == FUNCTION else "sagemaker-runtime"
    return session.client(service, endpoint_url=settings.url, config=Config(**config))


def _deployed() -> dict[str, str]:
    """Return the name and kind of the endpoint that a deploy wrote into the zip; empty without one."""
    try:
        return dict(json.loads(ENDPOINT_FILE.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def _seconds(value: str | None) -> float:
    try:
        seconds = float(value) if value else READ_SECONDS
    except ValueError:
        seconds = 0
    if not 0 < seconds <= READ_SECONDS:
        raise ValueError(
            f"ENDPOINT_SECONDS must be over 0 and at most {READ_SECONDS}, got {str(value)[:20]!r}"
        )
    return seconds


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
