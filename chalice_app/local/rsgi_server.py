"""Serve the API to many callers at once, with Granian in front of the same app.

    python -m chalice_app.local.rsgi_server --port 8000     # `make serve` also starts the page

A request goes through Chalice's local gateway, as in development_server.py. This server adds three things:
requests beyond capacity get 503, slow senders hold up nobody else, and each core has a process of its own.
The processes count together and share each address's rate limit.

Each process holds the endpoint's hooks, unless AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME names an endpoint to call.
SIGHUP loads the model again.

``create`` returns an app for RSGI, Granian's own interface. With ASGI a refusal takes half as long again, and
under overload most requests are refused.
"""

import asyncio
import contextlib
import gc
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # the stubs name it differently

from chalice_app.local import development_server, hooks, limit, metrics, request_head
from chalicelib import answers, log, problems
from chalicelib.problems import Problem
from training.endpoint.inference import ModelFilesError
from vocab import messages
from vocab.exit_status import BROKEN, USAGE, Ended
from vocab.messages.body import too_large
from vocab.vocabulary import VocabularyError

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

# Threads of the app in a process. The app mostly computes, so more threads would delay the thread that
# accepts requests.
THREADS = 2
# Requests that run or wait at once in a process: at most two seconds of work. So a short pause of a virtual
# machine costs time but no answers. Further requests get 503.
MAX_REQUESTS = 250
# How long the headers may take to arrive, and then the body.
HEADER_SECONDS, BODY_SECONDS = 10, 20
# A body of at most this size arrives with its headers. A refusal does not read it first, which saves a third
# of the refusal's time. If such a body is late, the connection ends after the answer.
SHORT_BODY_BYTES = 4_000
# Open connections of all processes together, each with a body of at most 1 MB, and the least number for each
# process. Beyond its share, a process accepts a connection only after another has ended, be it 10 s later.
# So the share must hold the requests that run or wait, and in a flood about as many that are being refused.
MAX_CONNECTIONS, MIN_PROCESS_CONNECTIONS = 2_000, 100
# A process's open files that are no connections, and the fewest connections that are worth a start.
OTHER_FILES, LEAST_CONNECTIONS = 100, 10
# A process that ends again so often, each time within Granian's 5.5 s, ends them all.
QUICK_ENDS, CRASH_SECONDS = 5, 5.5
# Log lines of requests that do not reach the app are written together, at most this much later. A write
# yields to the app's threads, and under overload that is most of a refusal's time.
LOG_SECONDS = 0.05
# How long the server's end waits for running requests. `docker stop` kills after 10 s.
END_SECONDS = 7
SERVER = {"Server": "verdict"}
# How long a process may take to answer at the start before it is asked again, and the pause between.
READY_SECONDS, READY_PAUSE_SECONDS = 5, 0.05
# The variable with the number of processes, its limit, and the limit of the default. A container may see more
# cores than it gets.
PROCESSES, MAX_PROCESSES, MAX_DEFAULT_PROCESSES = "API_PROCESSES", 64, 4
# The file of the rate limit's buckets in the processes' folder, and the variable with the secret of its
# hashes.
LIMITS, SECRET = "limits", "VERDICT_LIMIT_SECRET"
# Forks share the memory of the model and of all imports. Outside Linux, the system's own libraries may not
# survive a fork, so there each process loads the model itself.
START_METHOD = "fork" if sys.platform == "linux" else "spawn"

# Status, headers and body.
RawResponse = tuple[int, dict[str, Any], bytes]


class RawRequest(NamedTuple):
    """A request with its path decoded and its header names in lower case."""

    method: str
    path: str
    query: str
    fields: request_head.Headers
    version: str
    client: str

    @property
    def headers(self) -> dict[str, str]:
        return self.fields.values


class Application:
    """The app as an RSGI application; ``limiter`` is None when RATE_LIMIT is off."""

    def __init__(self, limiter: limit.Limiter | None) -> None:
        self.limiter = limiter
        self._gateway = development_server.create_gateway()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="app")
        self._running: set[Future[RawResponse]] = set()
        self._flushing = False

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        """Answer one request."""
        request, turn, readable = _raw_request(scope), None, False
        try:
            turn = self.limiter.take(request.client) if self.limiter else None
            request_head.check(request.fields, request.version)
            readable = True
            response = await self._answer(request, protocol, turn)
        except Exception as error:  # every error becomes a problem
            route = request_head.route_of(request.path)
            response = development_server.answer_of(error, request.method, request.headers, route, late=True)
            self._flush_soon()
        pairs = _headers(request, response, turn.headers() if turn else {})
        if readable or not _has_body(request):
            protocol.response_bytes(response[0], pairs, response[2])
        else:
            await _send_before_body(protocol, response, pairs)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the waiting log lines at the server's end."""
        log.flush()

    async def _answer(
        self, request: RawRequest, protocol: "HTTPProtocol", turn: limit.Turn | None
    ) -> RawResponse:
        if _is_short(request):
            self._check(turn)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request, protocol)
        except TimeoutError as error:
            raise Problem(
                408, "request_timeout", f"the body took over {BODY_SECONDS} s to arrive; send it faster"
            ) from error
        self._check(turn)
        return await asyncio.wrap_future(self._start(request, body))

    def _check(self, turn: limit.Turn | None) -> None:
        """Raise Problem 429 for a client over its rate limit, 503 when too many requests run."""
        if turn and not turn.passes:
            raise development_server.too_many(turn)
        if len(self._running) >= MAX_REQUESTS:
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

    def _start(self, request: RawRequest, body: bytes) -> "Future[RawResponse]":
        """Answer in a thread. The request counts as running until the thread ends, even without a caller."""
        future = self._threads.submit(self._call_app, request, body)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def _call_app(self, request: RawRequest, body: bytes) -> RawResponse:
        # Granian has joined the chunks already.
        headers = {name: value for name, value in request.headers.items() if name != "transfer-encoding"}
        path = request_head.gateway_path(request.path, request.query)
        response = self._gateway.handle_request(request.method, path, headers, body)
        headers = {**response["headers"], **(response.get("multiValueHeaders") or {})}
        text = response["body"] or ""
        return response["statusCode"], headers, text if isinstance(text, bytes) else text.encode()


def create() -> Application:
    """Create the application of a process from the environment variables. Raises RateError."""
    _drop_signals()
    if _holds_hooks():
        hooks.install(networks=max(1, _cores() // processes(os.environ.get(PROCESSES))))
    policy = limit.read_policy(os.environ.get("RATE_LIMIT"))
    shared = os.environ.get(metrics.SHARED_FOLDER)
    development_server.start_metrics()
    gc.freeze()  # these objects stay, and searching them for garbage would delay every caller
    secret = bytes.fromhex(os.environ.get(SECRET, ""))
    buckets = limit.Buckets(Path(shared, LIMITS), secret) if shared else None
    return Application(limit.Limiter(policy, buckets=buckets) if policy else None)


def _raw_request(scope: "Scope") -> RawRequest:
    client = scope.client.rpartition(":")[0]
    # Granian's pairs lack the values that are not ASCII.
    fields = request_head.join(scope.headers.items(), scope.headers.keys())
    return RawRequest(scope.method, scope.path, scope.query_string, fields, scope.http_version, client)


async def _body(request: RawRequest, protocol: "HTTPProtocol") -> bytes:
    """Return the body; a too long one in chunks is read and dropped. Raises Problem 400 or 413."""
    try:
        if "transfer-encoding" in request.headers:
            return await _chunks(protocol)
        return await protocol() if _has_body(request) else b""
    except ProtocolClosed as error:
        raise _incomplete_body() from error


async def _chunks(protocol: "HTTPProtocol") -> bytes:
    chunks, size, empty = [], 0, 0
    async for chunk in protocol:
        size += len(chunk)
        empty += not chunk
        if size <= messages.MAX_BODY_BYTES:
            chunks.append(chunk)
        else:
            chunks.clear()
    if empty > 1:  # the end is an empty chunk; an error or trailers before it add another
        raise _incomplete_body()
    if size > messages.MAX_BODY_BYTES:
        raise Problem(413, "too_large", too_large(size, messages.MAX_BODY_BYTES))
    return b"".join(chunks)


def _is_short(request: RawRequest) -> bool:
    length = request_head.body_length(request.headers)
    return length <= SHORT_BODY_BYTES and "transfer-encoding" not in request.headers


def _has_body(request: RawRequest) -> bool:
    return "transfer-encoding" in request.headers or request_head.body_length(request.headers) > 0


def _incomplete_body() -> Problem:
    return Problem(400, "incomplete_body", "the body broke off before its end; send all of it")


def _headers(request: RawRequest, response: RawResponse, limits: dict[str, str]) -> list[tuple[str, str]]:
    """Return all headers of a response, with names in lower case."""
    ours = answers.headers_of(
        answers.request_id_of(request.headers.get("x-request-id")), request.headers.get("origin")
    )
    every = {name.lower(): value for name, value in {**SERVER, **ours, **limits, **response[1]}.items()}
    return [
        (name, str(value))
        for name, values in every.items()
        for value in (values if isinstance(values, list) else [values])
    ]


async def _send_before_body(
    protocol: "HTTPProtocol", response: RawResponse, pairs: list[tuple[str, str]]
) -> None:
    """Send a refusal at once, then drop the body for a while, so that its sender gets no reset instead."""
    status, _, body = response
    length = [("content-length", str(len(body))), ("connection", "close")]
    stream = protocol.response_stream(status, [*pairs, *length])
    await stream.send_bytes(body)
    size, now = 0, asyncio.get_running_loop().time
    ends = now() + development_server.LINGER_SECONDS
    with contextlib.suppress(TimeoutError, ProtocolClosed):
        async with asyncio.timeout(development_server.SILENT_SECONDS) as silence:
            async for chunk in protocol:
                size += len(chunk)
                if size > development_server.LINGER_BYTES:
                    break
                silence.reschedule(min(ends, now() + development_server.SILENT_SECONDS))


def main() -> None:
    options = development_server.parse("Serve the API to many callers at once.")
    development_server.check()
    try:
        count = processes(os.environ.get(PROCESSES))
        if _holds_hooks():
            hooks.load()
    except (ValueError, ModelFilesError, VocabularyError) as error:
        raise Ended(f"api: {error}", USAGE) from None
    try:
        socket.create_server((options.host, options.port)).close()
    except (OSError, OverflowError) as error:
        raise Ended(development_server.address_error(options, error), USAGE) from None
    serve(options.host, options.port, count)


def processes(value: str | None) -> int:
    """Parse API_PROCESSES; by default one process a core, and at most four. Raises ValueError."""
    if not value:
        return min(_cores(), MAX_DEFAULT_PROCESSES)
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= MAX_PROCESSES):
        raise ValueError(f"{PROCESSES} must be a number from 1 to {MAX_PROCESSES}, got {value[:30]!r}")
    return int(value)


def serve(host: str, port: int, count: int) -> None:
    """Run the app in Granian's processes until a signal. Granian restarts a process that ends."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    connections = _connections(count)
    multiprocessing.set_start_method(START_METHOD)
    with contextlib.ExitStack() as stack:
        if count > 1:
            try:
                _share(stack.enter_context(tempfile.TemporaryDirectory(prefix="verdict-serve-")))
            except OSError as error:
                raise Ended(
                    f"api: the processes need a folder for their counts ({error.strerror}); name one that can"
                    f" be written by TMPDIR, or set {PROCESSES}=1",
                    BROKEN,
                ) from None
        server = Granian(
            "chalice_app.local.rsgi_server:create",
            factory=True,
            working_dir=development_server.APP.parent,  # the new process finds this module there
            address=host,
            port=port,
            workers=count,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADER_SECONDS * 1_000, max_buffer_size=request_head.MAX_HEAD_BYTES
            ),
            websockets=False,
            backlog=1_024,
            backpressure=connections,
            respawn_failed_workers=True,
            workers_kill_timeout=END_SECONDS,
            log_level=LogLevels.warning,
        )
        server.respawned_wrks = QuickEnds()
        if _holds_hooks():
            server.on_startup(lambda: _reload_at_hangup(server))  # after Granian has set its own signals
        gc.collect()
        gc.freeze()  # a collection in a fork would copy the memory that it shares
        threading.Thread(target=_announce, args=(server, count, host, port), daemon=True).start()
        server.serve()


class QuickEnds(dict[int, float]):
    """Hold when Granian started each process again, by its number.

    Granian ends them all when one ends twice within 5.5 s. Two kills for want of memory are enough for that,
    although the other processes are well. So it sees the time only after QUICK_ENDS such ends in a row.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[int, float] = {}
        self._ends: dict[int, int] = {}

    def __setitem__(self, number: int, started: float) -> None:
        self._started[number] = started
        super().__setitem__(number, started)

    def get(self, number: int, default: Any = None) -> Any:
        """Return when a process was started again, and ``default`` after few quick ends."""
        started = self._started.get(number, 0.0)
        quick = time.monotonic() - started <= CRASH_SECONDS
        self._ends[number] = self._ends.get(number, 0) + 1 if quick else 0
        return started if self._ends[number] >= QUICK_ENDS else default


def _connections(count: int) -> int:
    """Return how many connections each of ``count`` processes may hold. Raises Ended when too few."""
    wanted = max(MIN_PROCESS_CONNECTIONS, MAX_CONNECTIONS // count)
    files = _allow_files(wanted + OTHER_FILES)
    connections = files - OTHER_FILES
    if connections == wanted:
        return wanted
    if connections < LEAST_CONNECTIONS:
        raise Ended(
            f"api: a process may open only {files} files here; allow {wanted + OTHER_FILES} (`ulimit -n`)",
            BROKEN,
        )
    print(
        f"api: each process holds {connections} connections at most, since it may open only {files} files"
        " (`ulimit -n`)",
        file=sys.stderr,
        flush=True,
    )
    return connections


def _allow_files(count: int) -> int:
    """Raise the limit of open files to ``count``, as far as the system allows; return the lower of both.

    Some systems start with 256.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return count
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (count if limit == resource.RLIM_INFINITY else min(limit, count) for limit in limits)
    if soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, limits[1]))
        except (OSError, ValueError):
            return soft
    return hard


def _announce(server: Any, count: int, host: str, port: int) -> None:
    """Print the address once a process answers."""
    # A process that is forked while this thread imports or prints would wait for its lock for ever.
    while len(server.wrks) < count:
        time.sleep(READY_PAUSE_SECONDS)
    while not _answers(host, port):
        time.sleep(READY_PAUSE_SECONDS)
    print(f"api on http://{host}:{port}", flush=True)


def _answers(host: str, port: int) -> bool:
    """Return whether a process answers. Granian answers this line itself, so no count and no log has it."""
    try:
        with socket.create_connection((host, port), timeout=READY_SECONDS) as connection:
            connection.sendall(b"ready?\r\n\r\n")
            return bool(connection.recv(1))
    except OSError:
        return False


def _share(folder: str) -> None:
    """Prepare what several processes share, and name its folder to them. Raises OSError."""
    limit.Buckets.create(Path(folder, LIMITS))
    os.environ[metrics.SHARED_FOLDER] = folder
    os.environ[SECRET] = secrets.token_hex(limit.SECRET_BYTES)


def _holds_hooks() -> bool:
    return not os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME")


def _reload_at_hangup(server: Any) -> None:
    """Load the model again at SIGHUP and replace one process after another; a bad model changes nothing."""

    def reload(number: int, frame: FrameType | None) -> None:
        try:
            line = f"model {hooks.load().identity.id} is loaded, and one process after another takes it"
            server.signal_handler_reload()
        except (ModelFilesError, VocabularyError) as error:
            line = f"{error}; the model before it goes on"
        print(f"api: {line}", flush=True)

    signal.signal(signal.SIGHUP, reload)


def _drop_signals() -> None:
    """Drop the handlers that a fork has from its parent. Granian then sets its own for SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
