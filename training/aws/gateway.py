"""API Gateway's own errors, as problems in the API's own form, and its throttle.

Chalice can't set these. A deploy sets them after Chalice, and template.py writes them for
`chalice package`.
"""

from pathlib import Path
from typing import Any, NamedTuple

from chalicelib import answers, problems
from vocab.messages import to_json

APP = Path(__file__).resolve().parents[2] / "chalice_app"

# Requests a second over all callers, and the number that may arrive at once.
THROTTLE = {"rate": 20.0, "burst": 40}
# The limit of function executions at once; it bounds the cost of a flood.
RESERVED_CONCURRENCY = 10
LOG_DAYS = 30
RETRY_SECONDS = 1
REQUEST_ID = "$context.requestId"
# API Gateway wraps a value in single quotes, so it can't hold any. An empty source list means 'none'.
UNQUOTED = {"Content-Security-Policy": "default-src; frame-ancestors"}


class Refusal(NamedTuple):
    """One of API Gateway's own errors: its type there, and status, code and detail as a problem."""

    kind: str
    status: int
    code: str
    detail: str
    retry: bool = False


_WRONG = "this API is set up wrongly; deploy it again"
_REFUSED = "API Gateway refused this request; it takes neither keys nor signatures of its own"
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
REFUSALS = (
    Refusal("ACCESS_DENIED", 403, "forbidden", "a rule of this API refused the request"),
    Refusal("API_CONFIGURATION_ERROR", 500, "internal", _WRONG),
    Refusal("AUTHORIZER_CONFIGURATION_ERROR", 500, "internal", _WRONG),
    Refusal("AUTHORIZER_FAILURE", 500, "internal", _WRONG),
    Refusal("BAD_REQUEST_BODY", 400, "bad_request", "the body can't be read; send it as JSON or as text"),
    Refusal("BAD_REQUEST_PARAMETERS", 400, "bad_request", "a parameter of the request can't be read"),
    Refusal("EXPIRED_TOKEN", 403, "forbidden", _REFUSED),
    Refusal("INTEGRATION_FAILURE", 502, "app_failed", "the app gave no answer; try again", True),
    Refusal("INTEGRATION_TIMEOUT", 504, "app_timeout", "the app took too long to answer; try again", True),
    Refusal("INVALID_API_KEY", 403, "forbidden", _REFUSED),
    Refusal("INVALID_SIGNATURE", 403, "forbidden", _REFUSED),
    Refusal("MISSING_AUTHENTICATION_TOKEN", 404, "not_found", problems.not_found().detail),
    Refusal("QUOTA_EXCEEDED", 429, "too_many_requests", "this caller's quota is used up; ask for more"),
    Refusal("REQUEST_TOO_LARGE", 413, "too_large", "the request has more bytes than API Gateway takes"),
    Refusal("RESOURCE_NOT_FOUND", 404, "not_found", problems.not_found().detail),
    Refusal("THROTTLED", 429, "too_many_requests", "too many requests come at once; try again soon", True),
    Refusal("UNAUTHORIZED", 401, "forbidden", _REFUSED),
    Refusal("UNSUPPORTED_MEDIA_TYPE", 415, "unsupported_media_type", "send JSON or plain text"),
    Refusal("WAF_FILTERED", 403, "forbidden", "the firewall before this API refused the request"),
    # All other errors. A function that crashed, or reached its limit, is a 5XX. These two keep the status
    # of the error: to set one "changes the status codes of all other 4XX responses", says the page above.
    Refusal("DEFAULT_4XX", 400, "bad_request", "API Gateway can't read this request"),
    Refusal("DEFAULT_5XX", 502, "app_failed", "the app gave no answer; try again", True),
)


def responses(origin: str = "*") -> list[dict[str, Any]]:
    """Return API Gateway's own errors as arguments of put_gateway_response, for pages of an origin.

    They can name only one origin. With several, separated by commas, pages of any origin may read them.
    """
    origin = "*" if "," in origin else origin
    return [
        {
            "responseType": refusal.kind,
            **({} if refusal.kind.startswith("DEFAULT_") else {"statusCode": str(refusal.status)}),
            "responseParameters": _parameters(refusal, origin),
            # The key is the caller's Accept header, not our content type; */* or no header picks this one.
            "responseTemplates": {"application/json": _body(refusal)},
        }
        for refusal in REFUSALS
    ]


def _body(refusal: Refusal) -> str:
    problem = problems.Problem(refusal.status, refusal.code, refusal.detail)
    return to_json(problems.message(problem, REQUEST_ID)).decode()


def _parameters(refusal: Refusal, origin: str) -> dict[str, str]:
    headers = {
        "Content-Type": problems.PROBLEM_JSON,
        **answers.SECURITY,
        **UNQUOTED,
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": ", ".join(answers.EXPOSED_HEADERS),
        **({"Retry-After": str(RETRY_SECONDS)} if refusal.retry else {}),
    }
    quoted = {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()}
    return quoted | {"gatewayresponse.header.X-Request-Id": "context.requestId"}
