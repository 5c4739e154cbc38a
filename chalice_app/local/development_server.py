"""Serve the API on this machine through Chalice's local gateway, as API Gateway does on AWS.

    python -m chalice_app.local.development_server --port 8000

`chalice local` works too. This server adds four things: TCP_NODELAY (which saves 40 ms a kept-alive request),
a longer queue of connections, our 404 for deep unknown paths, and an answer to every malformed request.
"""

import argparse
import os
import signal
import socketserver
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LocalChalice,
    LocalGateway,
    MatchResult,
    RouteMatcher,
    ThreadedHTTPServer,
)

from chalice_app.local import limit, metrics
from chalicelib import answers, auth, log, problems, stats
from chalicelib.problems import Problem
from vocab import messages, vocabulary

APP = Path(__file__).resolve().parents[1]
PORT = 8000
# API Gateway's own limit. Longer bodies are refused.
MAX_BODY_BYTES = 10_000_000
# A connection that stays silent for this time is closed.
IDLE_SECONDS = 60

try:
    import app as verdict_app
except answers.OriginError as error:
    sys.exit(f"api: {error}")


class GreedyMatcher(RouteMatcher):
    """Chalice's matcher, in which {proxy+} matches every other path, as on API Gateway."""

    def match_route(self, url: str) -> MatchResult:
        try:
            return super().match_route(url)
        except ValueError:
            return MatchResult(verdict_app.UNKNOWN_PATHS[0], {"proxy": ""}, {})


class Headers(HTTPMessage):
    """A request's headers. The content type is fixed, so that the parser looks for no multipart body."""

    def get_content_type(self) -> str:
        return messages.TEXT


class Handler(ChaliceRequestHandler):
    """One connection. Every request on it gets an answer in our form."""

    MessageClass = Headers
    default_request_version = "HTTP/1.1"  # for requests that name none: HTTP/0.9 has no status line
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: "Server"
    turn: limit.Turn | None = None
    status = 0

    def __init__(self, *args: Any, gateway: LocalGateway) -> None:
        self.local_gateway = gateway
        BaseHTTPRequestHandler.__init__(self, *args)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # TRACE, and any method that a client invents
            return self._generic_handle
        raise AttributeError(name)

    def _generic_handle(self) -> None:
        self.turn = self.server.limiter.take(self.client_address[0]) if self.server.limiter else None
        try:
            self._check_headers()
            if self.turn and not self.turn.passes:
                self._refuse(self.turn)
            else:
                super()._generic_handle()
        except Problem as problem:
            self.close_connection = True
            self._answer(problem)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _generic_handle

    def _refuse(self, turn: limit.Turn) -> None:
        """Answer a client over its rate limit. The connection stays open, so its body is read first."""
        self._drain(int(self.headers.get("content-length", "0")))
        self._answer(too_many(turn))

    def _check_headers(self) -> None:
        if self.headers.defects or self.headers.get_payload():  # the parser dropped the lines after it
            raise Problem(400, "bad_request", "a header line is not of the form `Name: value`")
        if "transfer-encoding" in self.headers:
            raise Problem(
                411, "length_required", "a chunked body is not read; send it with its Content-Length"
            )
        length, *others = self.headers.get_all("content-length", ["0"])
        if any(other != length for other in others):
            raise Problem(400, "bad_request", "two Content-Length headers differ; send one")
        if not (length.isascii() and length.isdigit()) or len(length) > 18:
            raise Problem(400, "bad_request", "Content-Length must be a whole number")
        if int(length) > MAX_BODY_BYTES:
            self._drain(int(length))
            raise Problem(413, "too_large", f"the body has {int(length):,} bytes, far more than are read")

    def _parse_payload(self) -> tuple[dict[str, str], bytes | None]:
        headers, body = super()._parse_payload()
        length, received = int(self.headers.get("content-length", "0")), len(body or b"")
        if received < length:
            raise Problem(
                400,
                "incomplete_body",
                f"the body ended after {received:,} of its {length:,} bytes; send all of it",
            )
        return headers, body

    def _drain(self, length: int) -> None:
        """Read and drop a body up to a limit, so that its sender gets the answer and no reset."""
        remaining = min(length, 10 * MAX_BODY_BYTES)
        while remaining > 0 and (chunk := self.rfile.read(min(remaining, 1 << 20))):
            remaining -= len(chunk)

    def version_string(self) -> str:
        """Return the server's name, without versions."""
        return "verdict"

    def send_response(self, code: int, message: str | None = None) -> None:
        self.status = code
        super().send_response(code, message)

    def send_header(self, keyword: str, value: str) -> None:
        """Send a header, except the length of an omitted body, which would be 0."""
        no_body = getattr(self, "command", "") == "HEAD" or self.status == 304
        if not (no_body and keyword == "Content-Length"):
            super().send_header(keyword, value)

    def _send_headers(self, headers: dict[str, Any]) -> None:
        """Send the headers with ours, because the local gateway answers a preflight without them."""
        request = getattr(self, "headers", None) or {}
        ours = answers.headers_of(answers.request_id_of(request.get("x-request-id")), request.get("origin"))
        ours |= self.turn.headers() if self.turn else {}
        if self.close_connection:
            ours["Connection"] = "close"
        super()._send_headers({**ours, **headers})

    def _answer(self, problem: Problem) -> None:
        """Answer a request that does not reach the app, with a log line like the app's."""
        headers = getattr(self, "headers", None) or {}
        method = getattr(self, "command", None) or ""
        self._send_http_response(*answer_of(problem, method, headers))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer malformed HTTP with a problem that quotes nothing of it."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or ""
        self._answer(
            Problem(code, "bad_request", f"{HTTPStatus(code).description or HTTPStatus(code).phrase}")
        )

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the app writes its own line, and this one would hold the caller's path."""


class Server(ThreadedHTTPServer):
    """Chalice's threaded server with a longer queue of connections and a rate limit."""

    request_queue_size = 128
    limiter: limit.Limiter | None = None

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would look up its name in DNS
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print an error's type; print nothing when a caller hangs up."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            print(f"api: a request ended in {type(error).__name__}", file=sys.stderr, flush=True)


def answer_of(
    error: Exception, method: str, request_headers: Mapping[str, str], late: bool = False
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body for an error outside the app, and write a log line like the app's.

    With ``late`` the line is written with the next one, or by ``log.flush``.
    """
    request_id = answers.request_id_of(request_headers.get("x-request-id"))
    log.begin(request_id, method, "")
    problem = problems.problem_of(error)  # this logs an unexpected error
    headers = {**problem.headers, "Content-Type": problems.PROBLEM_JSON, "X-Request-Id": request_id}
    body = b"" if method == "HEAD" else messages.to_json(problems.message(problem, request_id))
    log.note(code=problem.code)
    log.write(problem.status, late)
    return problem.status, headers, body


def too_many(turn: limit.Turn) -> Problem:
    """Return the problem of a client over its rate limit."""
    requests, seconds = turn.policy
    detail = (
        f"over {requests:,} requests in {seconds:,} s come from one address; try again in {turn.wait:,} s"
    )
    return Problem(429, "too_many_requests", detail, {"Retry-After": str(turn.wait)})


def create_gateway() -> LocalGateway:
    """Create Chalice's local gateway for the app, for use by many threads."""
    os.environ.setdefault("VERDICT_LOCAL", "1")
    verdict_app.app.__class__ = LocalChalice  # stores the current request for each thread
    config = Config.create(project_dir=str(APP), chalice_app=verdict_app.app, lambda_timeout=25)
    gateway = LocalGateway(verdict_app.app, config)
    gateway.event_converter._route_matcher = GreedyMatcher(list(verdict_app.app.routes))
    return gateway


def create_server(host: str, port: int) -> Server:
    """Bind a server for the app. Raises OSError for a taken port, RateError for a wrong RATE_LIMIT."""
    policy = limit.read_policy(os.environ.get("RATE_LIMIT"))
    gateway = create_gateway()

    def handler(*args: Any) -> Handler:
        return Handler(*args, gateway=gateway)

    server = Server((host, port), handler)
    server.limiter = limit.Limiter(policy) if policy else None
    return server


def start_metrics() -> None:
    """Start counting answers for GET /v1/metrics."""
    counts = metrics.Metrics()
    log.watch(counts.watch)
    stats.prometheus_text = counts.text


def parse(description: str) -> argparse.Namespace:
    """Parse host and port from the command line, with defaults from the variables."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--host",
        default=os.environ.get("LISTEN_HOST") or "127.0.0.1",
        help="address to listen on (default: LISTEN_HOST, or 127.0.0.1)",
    )
    port = int(os.environ.get("API_PORT") or PORT)
    parser.add_argument(
        "--port", type=int, default=port, help="port to listen on (default: API_PORT, or 8000)"
    )
    return parser.parse_args()


def check() -> None:
    """Raise SystemExit with one sentence when the vocabulary or a variable can't be used."""
    try:
        verdict_app.app_vocabulary()
        auth.read_hashes(os.environ)
        limit.read_policy(os.environ.get("RATE_LIMIT"))
    except (vocabulary.VocabularyError, auth.AuthError, limit.RateError) as error:
        sys.exit(f"api: {error}")


def main() -> None:
    options = parse("Serve the API on this machine.")
    check()
    try:
        server = create_server(options.host, options.port)
    except (OSError, OverflowError) as error:
        sys.exit(address_error(options, error))
    start_metrics()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    print(f"api on http://{options.host}:{server.server_port}", flush=True)
    server.serve_forever()


def address_error(options: argparse.Namespace, error: Exception) -> str:
    """Return a sentence that says why the server can't listen on its address."""
    reason = getattr(error, "strerror", None) or "it must lie from 0 to 65535"
    return f"api: {options.host}:{options.port} can't be used ({reason}); choose another with API_PORT"


if __name__ == "__main__":
    main()
