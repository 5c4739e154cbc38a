"""Serve the API to many callers at once: the same app behind Granian, for more than trying it out.

    python -m chalice_app.local.rsgi_server --port 8000     # `make serve` starts it with the endpoint and the page

A request goes through Chalice's local gateway as in development_server.py. Added is what that one can't do: no more
requests are taken on than are answered in time, whoever sends slowly holds up nobody else, and each core has
a process, for Python computes on one core at a time. The processes count together and share the limit of an
address. What ``create`` makes speaks RSGI, Granian's own interface: by ASGI a refusal takes half as long
again, and under overload most requests are refused.
"""

import asyncio
import gc
import multiprocessing
import os
import secrets
import socket
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # named otherwise inside

from chalice_app.local import development_server, limit, metrics
from chalicelib import answers, log, problems
from chalicelib.problems import Problem
from vocab import messages

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

# Threads of the app in a process. It computes more than it waits: more would keep the one that takes requests
# on waiting.
THREADS = 2
# Requests that run or wait at once in a process: two seconds' or less, so that a virtual machine that stands
# still for a moment costs time and no answers. More are told to come back.
MOST_AT_ONCE = 250
# How long headers and a body may take to arrive, each.
HEADER_SECONDS, BODY_SECONDS = 10, 20
# A body of so many bytes comes right behind its headers: who is refused isn't asked for it first, which
# spares a third of what that costs. Should it be late all the same, the connection ends after the answer.
SHORT_BODY_BYTES = 4_000
# Connections that are open at once, each with a body of 1 MB at most, and how many a process takes at least;
# they are dealt out among the processes, and the next one of a process waits until one of its own ends.
MOST_CONNECTIONS, LEAST_CONNECTIONS = 1_000, 100
# The log lines of requests that don't reach the app are written together, after so long at most: who writes
# lets the app's threads go first, and under overload that is most of what a refusal costs.
LOG_SECONDS = 0.05
# How long requests that are under way hold up the end.
END_SECONDS = 3
SERVER = {"Server": "verdict"}
# The variable that says how many processes serve. Unsaid, no more than keep one local endpoint busy; and a
# container may see more cores than it gets.
PROCESSES, MOST_PROCESSES, MOST_UNSAID = "API_PROCESSES", 64, 4
# In the folder that the processes share: the buckets of the limit. The secret is in a variable alone.
LIMITS, SECRET = "limits", "VERDICT_LIMIT_SECRET"

Given = tuple[int, dict[str, Any], bytes]


class Asked(NamedTuple):
    """A request: the path decoded, header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    client: str


class Application:
    """The app as RSGI; ``limiter`` is None where nobody is held back."""

    def __init__(self, limiter: limit.Limiter | None) -> None:
        self.limiter = limiter
        self._gateway = development_server.create_gateway()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="app")
        self._under_way: set[Future[Given]] = set()
        self._flushing = False

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        """Answer one request."""
        asked, turn = _asked(scope), None
        try:
            turn = self.limiter.take(asked.client) if self.limiter else None
            given = await self._answer(asked, protocol, turn)
        except Exception as error:  # whatever it is, it leaves as a problem
            given = development_server.answer_of(error, asked.method, asked.headers, late=True)
            self._flush_soon()
        _send(protocol, asked, given, turn.headers() if turn else {})

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write what waits; the server ends."""
        log.flush()

    async def _answer(self, asked: Asked, protocol: "HTTPProtocol", turn: limit.Turn | None) -> Given:
        if _is_short(asked):
            self._check(turn)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(asked, protocol)
        except TimeoutError as error:
            raise Problem(
                408, "request_timeout", f"the body took over {BODY_SECONDS} s to arrive; send it faster"
            ) from error
        self._check(turn)
        return await asyncio.wrap_future(self._start(asked, body))

    def _check(self, turn: limit.Turn | None) -> None:
        """Raise the problem of a caller who asks too often, or for whom there is no place now."""
        if turn and not turn.passes:
            raise development_server.too_many(turn)
        if len(self._under_way) >= MOST_AT_ONCE:
            raise Problem(
                503, "app_busy", "the app has too much to do; try again in a second", problems.RETRY_SOON
            )

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(LOG_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        log.flush()

    def _start(self, asked: Asked, body: bytes) -> "Future[Given]":
        """Have a thread answer; its place is free again only when it has, whether or not anybody waits."""
        future = self._threads.submit(self._ask, asked, body)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def _ask(self, asked: Asked, body: bytes) -> Given:
        # The server has put the pieces together.
        sent = {name: value for name, value in asked.headers.items() if name != "transfer-encoding"}
        path = quote(asked.path)  # it came decoded, so %2F is a slash here
        path = f"{path}?{asked.query}" if asked.query else path
        given = self._gateway.handle_request(asked.method, path, sent, body)
        headers = {**given["headers"], **(given.get("multiValueHeaders") or {})}
        text = given["body"] or ""
        return given["statusCode"], headers, text if isinstance(text, bytes) else text.encode()


def create() -> Application:
    """Make the app as the variables say. Raises RateError."""
    policy = limit.read_policy(os.environ.get("RATE_LIMIT"))
    shared = os.environ.get(metrics.TOGETHER)
    development_server.count()
    gc.freeze()  # what is here stays, and to look through it for garbage would hold all callers up
    secret = bytes.fromhex(os.environ.get(SECRET, ""))
    buckets = limit.Buckets(Path(shared, LIMITS), secret) if shared else None
    return Application(limit.Limiter(policy, buckets=buckets) if policy else None)


def _asked(scope: "Scope") -> Asked:
    client = scope.client.rpartition(":")[0]
    return Asked(scope.method, scope.path, scope.query_string, dict(scope.headers.items()), client)


async def _body(asked: Asked, protocol: "HTTPProtocol") -> bytes:
    """Give the body; one that is too long is taken in and forgotten. Raises Problem."""
    length = int(asked.headers.get("content-length", "0"))
    try:
        if "transfer-encoding" in asked.headers or length > messages.MAX_BODY_BYTES:
            return await _pieces(protocol)
        return await protocol() if length else b""
    except ProtocolClosed as error:
        raise _broken_off() from error


async def _pieces(protocol: "HTTPProtocol") -> bytes:
    pieces, size, empty = [], 0, 0
    async for piece in protocol:
        size += len(piece)
        empty += not piece
        if size <= messages.MAX_BODY_BYTES:
            pieces.append(piece)
        else:
            pieces.clear()
    if empty > 1:  # the end is an empty piece, and an error before it is another (and so are trailers)
        raise _broken_off()
    if size > messages.MAX_BODY_BYTES:
        detail = f"the body has {size:,} bytes, at most {messages.MAX_BODY_BYTES:,} are read"
        raise Problem(413, "too_large", detail)
    return b"".join(pieces)


def _is_short(asked: Asked) -> bool:
    length = int(asked.headers.get("content-length", "0"))
    return length <= SHORT_BODY_BYTES and "transfer-encoding" not in asked.headers


def _broken_off() -> Problem:
    return Problem(400, "incomplete_body", "the body broke off before its end; send all of it")


def _send(protocol: "HTTPProtocol", asked: Asked, given: Given, limits: dict[str, str]) -> None:
    status, headers, body = given
    ours = answers.headers_of(
        answers.request_id_of(asked.headers.get("x-request-id")), asked.headers.get("origin")
    )
    every = {name.lower(): value for name, value in {**SERVER, **ours, **limits, **headers}.items()}
    pairs = [
        (name, str(value))
        for name, values in every.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    protocol.response_bytes(status, pairs, body)


def main() -> None:
    options = development_server.parse("Serve the API to many callers at once.")
    development_server.check()
    try:
        count = processes(os.environ.get(PROCESSES))
    except ValueError as error:
        sys.exit(f"api: {error}")
    try:
        socket.create_server((options.host, options.port)).close()
    except (OSError, OverflowError) as error:
        sys.exit(development_server.no_port(options, error))
    serve(options.host, options.port, count)


def processes(named: str | None) -> int:
    """Read how many processes serve, one for each core up to four unless it is said. Raises ValueError."""
    if not named:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(cores, MOST_UNSAID)
    if not (named.isascii() and named.isdigit() and 1 <= int(named) <= MOST_PROCESSES):
        raise ValueError(f"{PROCESSES} must be a number from 1 to {MOST_PROCESSES}, got {named[:30]!r}")
    return int(named)


def serve(host: str, port: int, count: int) -> None:
    """Run the app in Granian's processes, started again should they end, until this one is told to stop."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    multiprocessing.set_start_method("spawn")  # so that each imports anew, and finds the folder
    with tempfile.TemporaryDirectory(prefix="verdict-serve-") as shared:
        if count > 1:
            limit.Buckets.create(Path(shared, LIMITS))
            os.environ[metrics.TOGETHER] = shared
            os.environ[SECRET] = secrets.token_hex(limit.SECRET_BYTES)
        server = Granian(
            "chalice_app.local.rsgi_server:create",
            factory=True,
            working_dir=development_server.APP.parent,  # where the new process finds this module
            address=host,
            port=port,
            workers=count,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1_000),
            websockets=False,
            backlog=1_024,
            backpressure=max(LEAST_CONNECTIONS, MOST_CONNECTIONS // count),
            respawn_failed_workers=True,
            workers_kill_timeout=END_SECONDS,
            log_level=LogLevels.warning,
        )
        print(f"api on http://{host}:{port}", flush=True)
        server.serve()


if __name__ == "__main__":
    main()
