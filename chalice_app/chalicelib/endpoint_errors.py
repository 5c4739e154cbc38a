"""Turn each error of a call to the endpoint into a problem for the caller."""

from typing import TYPE_CHECKING

from botocore.exceptions import (
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
from chalicelib.problems import RETRY_LATER, RETRY_SOON, Problem

if TYPE_CHECKING:
    from chalicelib.endpoint import Settings

WRONG_SETTING = "its AWS credentials, region, endpoint name or ENDPOINT_SECONDS are missing or wrong"
_BUSY = frozenset(
    {
        "EC2ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "ServiceUnavailable",
    }
)
_TEMPORARY = _BUSY | {"InternalFailure", "InternalDependencyException", "ServiceException"}
# A serverless endpoint that sleeps; a Lambda function that AWS is still setting up.
_WAKING = frozenset({"ModelNotReadyException", "ResourceNotReadyException", "ResourceConflictException"})
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


class ModelRefusal(Exception):
    """The model did not answer: the hooks' status (None without one), and words that stay in this process."""

    def __init__(self, status: int | None, text: str = "") -> None:
        super().__init__(text)
        self.status = status


def is_temporary(error: Exception) -> bool:
    """Return whether the same call may succeed a moment later."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code")
        return code in _TEMPORARY or (code not in _WAKING and _status_of(error) in (429, 503))
    return isinstance(error, ConnectionClosedError)


def is_timeout(error: Exception) -> bool:
    """Return whether no answer came within the limit."""
    return isinstance(error, (ReadTimeoutError, TimeoutError))


def log_error(problem: Problem, error: Exception) -> Problem:
    """Log the error's type and AWS's code; its text may quote the request."""
    words: list[object] = [type(error).__name__]
    if isinstance(error, ClientError):
        words += [error.response.get("Error", {}).get("Code"), error.response.get("OriginalStatusCode")]
    if isinstance(error, ModelRefusal):
        words.append(error.status)
    log.note(error=" ".join(str(word) for word in words if word)[:80])
    return problem


def problem_of(error: Exception, settings: "Settings") -> Problem:
    """Return the problem for an error of botocore, a time limit or the model."""
    if isinstance(error, ClientError):
        return _refusal(error, settings)
    if isinstance(error, ModelRefusal):
        return _model_error(error.status, str(error).lower())
    if is_timeout(error):
        return _timeout()
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, BotoConnectionError)):
        return _unavailable(settings)
    if isinstance(error, (HTTPClientError, IncompleteReadError)):
        return Problem(502, "endpoint_error", "the connection to the endpoint broke; try again", RETRY_SOON)
    if isinstance(error, CredentialRetrievalError):
        return misconfigured("its AWS credentials can't be fetched", error)
    return misconfigured(WRONG_SETTING, error)


def _refusal(error: ClientError, settings: "Settings") -> Problem:
    code, status = error.response.get("Error", {}).get("Code", ""), _status_of(error)
    text = str(error.response.get("Error", {}).get("Message", "")).lower()
    if code == "ModelError":
        return _model_error(error.response.get("OriginalStatusCode"), text)
    if code in _WAKING or "no capacity" in text:
        return waking()
    if code == "ResourceNotFoundException" or (code == "ValidationError" and "not found" in text):
        return _unavailable(settings, exists=False)
    if code in _BUSY or status in (429, 503):
        return _busy()
    if code in _REFUSED or status in (401, 403):
        return misconfigured("AWS refused its credentials or its role", error)
    return Problem(502, "endpoint_error", "the endpoint could not answer; its log says why")


def _model_error(status: int | None, text: str) -> Problem:
    if status == 409:
        return Problem(
            502,
            "vocabulary_mismatch",
            "app and endpoint were built with different vocabularies; deploy both from one version",
        )
    if status == 400:  # the app checks its messages, so only another version of the endpoint refuses one
        return Problem(
            502,
            "version_mismatch",
            "the endpoint can't read the app's messages; deploy both from one version",
        )
    if status in (429, 503):
        return _busy()
    if status == 504 or "timed out" in text:
        return _timeout()
    return Problem(502, "endpoint_error", "the model could not answer; the endpoint's log says why")


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _unavailable(settings: "Settings", exists: bool = True) -> Problem:
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


def waking() -> Problem:
    """Return the problem of an endpoint that is starting."""
    return Problem(503, "endpoint_waking", "the endpoint is starting; try again in some seconds", RETRY_LATER)


def _busy() -> Problem:
    return Problem(503, "endpoint_busy", "the endpoint has too much to do; try again in a second", RETRY_SOON)


def _timeout() -> Problem:
    return Problem(504, "endpoint_timeout", "the endpoint took too long to answer; try again", RETRY_SOON)


def misconfigured(reason: str, error: Exception) -> Problem:
    """Return the problem of an app that can't call its endpoint."""
    return Problem(
        500, "misconfigured", f"the app can't call its endpoint: {reason} ({type(error).__name__})"
    )
