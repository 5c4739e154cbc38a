"""The check of CORS headers: a page must be able to read every error of the app and of API Gateway."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from training.aws import gateway
from training.aws.doctor.findings import FAIL, OK, Finding

HEADER = "access-control-allow-origin"
# Nobody listens on this port, so the app answers without an endpoint.
NOWHERE = "http://127.0.0.1:9"
VARIABLES = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": NOWHERE, "AUTH": "none"}


def check_cors() -> Finding:
    """Check that every error status of the app and of API Gateway carries its CORS header."""
    from chalicelib import answers

    try:
        bare = [str(status) for status, headers in error_answers() if HEADER not in headers]
    except answers.OriginError as error:
        return Finding("cors", FAIL, str(error))
    for response in gateway.responses():
        names = {name.rsplit(".", 1)[-1].lower() for name in response["responseParameters"]}
        if HEADER not in names:
            bare.append(response["responseType"])
    if bare:
        return Finding(
            "cors",
            FAIL,
            f"no CORS header on {', '.join(bare)}",
            "look at chalicelib/answers.py and training/aws/gateway.py",
        )
    return Finding("cors", OK, "every error status of the app and of API Gateway carries its CORS header")


def error_answers() -> list[tuple[int, set[str]]]:
    """Send the app, in this process, a request for each error status; return statuses and header names.

    The names are empty where the app answered with another status.
    """
    from chalice.test import Client

    import app
    from chalicelib import answers

    kind = {"Content-Type": "application/json"}
    review = b'{"review": "A lovely film."}'
    requests: list[tuple[int, str, str, bytes, dict[str, str]]] = [
        (400, "POST", "/v1/sentiment", b"{", kind),
        (404, "GET", "/nowhere", b"", {}),
        (405, "DELETE", "/v1/sentiment", b"", {}),
        (413, "POST", "/v1/sentiment", b'{"review": "' + b"x" * 50_001 + b'"}', kind),
        (415, "POST", "/v1/sentiment", b"x", {"Content-Type": "text/csv"}),
        (422, "POST", "/v1/sentiment", b'{"review": " "}', kind),
        (503, "POST", "/v1/sentiment", review, kind),
    ]
    origin = {"Origin": answers.allowed_origins()[0]}
    results = []
    # The app logs to the output, and a log line is no finding.
    with variables(VARIABLES), tempfile.TemporaryFile("w") as discarded, redirect_stdout(discarded):
        client = Client(app.app, project_dir=str(gateway.APP)).http
        for status, method, path, body, headers in requests:
            answer = client.request(method, path, headers=headers | origin, body=body)
            names = {name.lower() for name in answer.headers}
            results.append((answer.status_code, names if answer.status_code == status else set()))
    return results


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables, and restore their earlier values at the end."""
    earlier = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in earlier.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
