"""Serve the API on this machine through Chalice's local gateway, as API Gateway does on AWS.

    python -m chalice_app.local.development_server --port 8000

`chalice local` works too. This server adds five things: TCP_NODELAY (which saves 40 ms a kept-alive request),
a longer queue of connections, our 404 for deep unknown paths, an answer to every malformed request, and the
rules of `make serve` for what is malformed.
"""

import argparse
import contextlib
import os
import signal
import socket
import socketserver
import sys
import time
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
    ThreadedHTTPServer,
)

from chalice_app.local import limit, metrics
from chalicelib import answers, auth, compatible, endpoint, feedback_store, log, problems, stats
from chalicelib.problems import Problem
from vocab import messages, vocabulary
from vocab.exit_status import USAGE, Ended

APP = Path(__file__).resolve().parents[1]
PORT = 8000
# A connection that stays silent for this time is closed.
IDLE_SECONDS = 60
# After a refusal, so much of the request is read and dropped, for so long, until its sender is silent for so
# long. Who is still sending would otherwise get a reset in place of the answer.
LINGER_BYTES, LINGER_SECONDS, SILENT_SECONDS = 100_000_000, 10, 2
# Empty lines before a request are skipped (RFC 9112, 2.2), but no more than these.
MAX_EMPTY_LINES = 100

try:
    import app as verdict_app
    from chalice_app.local import request_head
except (answers.OriginError, compatible.CompatibleError) as error:
    raise Ended(f"api: {error}", USAGE) from None


class Headers(HTTPMessage):
    """A request's headers. The content type is fixed, so that the parser looks for no multipart body."""

    def get_content_type(self) -> str:
        return messages.TEXT


class Handler(ChaliceRequestHandler):
    """One connection. Every request on it gets an answer in our form."""

    MessageClass = Headers
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: "Server"
    turn: limit.Turn | None = None
    status = 0
    raw_requestline: bytes
    fields = request_head.Headers({})
    route = ""

    def __init__(self, *args: Any, gateway: LocalGateway) -> None:
        self.local_gateway = gateway
        BaseHTTPRequestHandler.__init__(self, *args)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # TRACE, and any method that a client invents
            return self._generic_handle
        raise AttributeError(name)

    def parse_request(self) -> bool:
        """Parse the request's line and headers; answer those that Granian's parser refuses, too."""
        self._forget()
        for _ in range(MAX_EMPTY_LINES):
            if self.raw_requestline not in (b"\r\n", b"\n"):
                break
            self.raw_requestline = self.rfile.readline(request_head.MAX_HEAD_BYTES)
        if self.raw_requestline and not request_head.is_line(self.raw_requestline):
            self.send_error(HTTPStatus.BAD_REQUEST)
            return False
        if not super().parse_request():
            return False
        target = self.raw_requestline.split(b" ")[1].decode()  # Python's own drops slashes at its start
        path, query = request_head.split_target(target)
        self.path, self.route = request_head.gateway_path(path, query), request_head.route_of(path)
        return True

    def handle_expect_100(self) -> bool:
        """Return whether to go on; the headers are checked before the body is asked for."""
        return True

    def _forget(self) -> None:
        """Forget the request before this one on the same connection."""
        self.command, self.requestline, self.request_version = "", "", self.protocol_version
        self.route = ""
        self.headers, self.fields, self.turn = Headers(), request_head.Headers({}), None

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
            self._linger()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _generic_handle

    def _refuse(self, turn: limit.Turn) -> None:
        """Answer a client over its rate limit. The connection stays open, so its body is read first."""
        self._read_body()
        self._answer(too_many(turn))

    def _check_headers(self) -> None:
        """Raise Problem 400, 411, 413 or 431 for headers that leave open how the request is to be read."""
        pairs = self.headers.items()
        # The parser dropped the lines after a line that is no header.
        readable = all(request_head.is_header(*pair) for pair in pairs)
        if self.headers.defects or self.headers.get_payload() or not readable:
            raise Problem(400, "bad_request", "a header line is not of the form `Name: value`")
        texts = [(name, value.strip(" \t")) for name, value in pairs if value.isascii()]
        self.fields = request_head.join(texts, (name.lower() for name, _ in pairs))
        options = self.fields.values.get("connection", "").lower().split(",")
        if "close" in (option.strip() for option in options):
            self.close_connection = True
        self._check_body_headers()
        request_head.check(self.fields, self.request_version.removeprefix("HTTP/"))

    def _check_body_headers(self) -> None:
        encoding = self.fields.values.get("transfer-encoding")
        if encoding is not None and (encoding.lower() != "chunked" or "content-length" in self.fields.values):
            raise Problem(400, "bad_request", "Transfer-Encoding must be chunked, and come alone")
        if encoding is not None:
            raise Problem(
                411, "length_required", "a chunked body is not read; send it with its Content-Length"
            )
        length, *others = (value.strip() for value in self.headers.get_all("content-length", ["0"]))
        if any(other != length for other in others):
            raise Problem(400, "bad_request", "two Content-Length headers differ; send one")
        self.fields.values["content-length"] = length

    def _parse_payload(self) -> tuple[dict[str, str], bytes | None]:
        length, body = request_head.body_length(self.fields.values), self._read_body()
        if len(body) < length:
            raise Problem(
                400,
                "incomplete_body",
                f"the body ended after {len(body):,} of its {length:,} bytes; send all of it",
            )
        return self.fields.values, body or None

    def _read_body(self) -> bytes:
        """Return the body, and ask for it first where its sender waits to be asked."""
        expects = self.fields.values.get("expect", "").lower() == "100-continue"
        if expects and self.request_version != "HTTP/1.0":
            self.send_response_only(HTTPStatus.CONTINUE)
            self.end_headers()
        length = request_head.body_length(self.fields.values)
        return self.rfile.read(length) if length else b""

    def _linger(self) -> None:
        """Read and drop what its sender has not sent yet, so that the answer arrives and no reset does."""
        remaining, ends = LINGER_BYTES, time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(SILENT_SECONDS)
            while remaining > 0 and time.monotonic() < ends and (chunk := self.rfile.read1(1 << 16)):
                remaining -= len(chunk)

    def version_string(self) -> str:
        """Return the server's name, without versions."""
        return "verdict"

    def send_response(self, code: int, message: str | None = None) -> None:
        self.status = code
        super().send_response(code, message)

    def send_header(self, keyword: str, value: str) -> None:
        """Send a header, except the length of an omitted body, which would be 0."""
        no_body = self.command == "HEAD" or self.status == 304
        if not (no_body and keyword == "Content-Length"):
            super().send_header(keyword, value)

    def _send_headers(self, headers: dict[str, Any]) -> None:
        """Send the headers with ours, because the local gateway answers a preflight without them."""
        request = self.fields.values
        ours = answers.headers_of(answers.request_id_of(request.get("x-request-id")), request.get("origin"))
        ours |= self.turn.headers() if self.turn else {}
        if self.close_connection:
            ours["Connection"] = "close"
        super()._send_headers({**ours, **headers})

    def _answer(self, problem: Problem) -> None:
        """Answer a request that does not reach the app, with a log line like the app's."""
        self._send_http_response(*answer_of(problem, self.command or "", self.fields.values, self.route))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer malformed HTTP with a problem that quotes nothing of it."""
        self.close_connection = True
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
    error: Exception, method: str, request_headers: Mapping[str, str], route: str, late: bool = False
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body for an error outside the app, and write a log line like the app's.

    ``route`` is "" for a request without a readable path. It and the headers tell whether another protocol's
    form of errors is due. With ``late`` the line is written with the next one, or by ``log.flush``.
    """
    request_id = answers.request_id_of(request_headers.get("x-request-id"))
    log.begin(request_id, method, route)
    problem = problems.problem_of(error)  # this logs an unexpected error
    protocol = compatible.speaker(route, request_headers)
    if protocol:
        status, headers, body = protocol.refuse(problem, request_id)
    else:
        body = messages.to_json(problems.message(problem, request_id))
        status, headers = problem.status, {**problem.headers, "Content-Type": problems.PROBLEM_JSON}
    log.note(code=problem.code)
    log.write(status, late)
    return status, {**headers, "X-Request-Id": request_id}, b"" if method == "HEAD" else body


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
    gateway.event_converter._route_matcher = request_head.GreedyMatcher(list(verdict_app.app.routes))
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
        feedback_store.check(os.environ)
        endpoint.read_settings(os.environ)
    except (vocabulary.VocabularyError, ValueError) as error:
        raise Ended(f"api: {error}", USAGE) from None


def main() -> None:
    options = parse("Serve the API on this machine.")
    check()
    try:
        server = create_server(options.host, options.port)
    except (OSError, OverflowError) as error:
        raise Ended(address_error(options, error), USAGE) from None
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
