"""Serve the API to many callers at once: the same app behind Granian, for more than trying it out.

    python chalice_app/asgi_api.py --port 8000     # `make serve` starts it with the endpoint and the page

What ``create`` makes is ASGI, so any server of that kind can run it. A request goes through Chalice's local
gateway as in local_api.py. Added is what that one can't do: no more requests are taken on than are answered
in time, and whoever sends slowly holds up nobody else.
"""

import asyncio
import gc
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import local_api
import local_limit

from chalicelib import answers, problems
from chalicelib.problems import Problem
from vocab import contract

# Threads of the app. It computes more than it waits: more would keep the one that takes requests on waiting.
THREADS = 2 * (os.cpu_count() or 2)
# Requests that run or wait at once: less than a second's on any machine. More are told to come back.
MOST_AT_ONCE = 100
# How long headers and a body may take to arrive, each.
HEADER_SECONDS, BODY_SECONDS = 10, 20
# Connections that are open at once, each with a body of 1 MB at most; the next wait until one ends.
MOST_CONNECTIONS = 1_000

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Given = tuple[int, dict[str, Any], bytes]


class Asked(NamedTuple):
    """A request as ASGI gives it: header names in lower case, the path as it came, with its query."""

    method: str
    path: str
    headers: dict[str, str]
    client: str


class Application:
    """The app as ASGI; ``limiter`` is None where nobody is held back."""

    def __init__(self, limiter: local_limit.Limiter | None) -> None:
        self.limiter = limiter
        self._gateway = local_api.create_gateway()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="app")
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"{scope['type']} is not answered here")
        asked = _asked(scope)
        turn = self.limiter.take(asked.client) if self.limiter else None
        try:
            given = await self._answer(asked, receive, turn)
        except Exception as error:  # whatever it is, it leaves as a problem
            given = local_api.answer_of(problems.problem_of(error), asked.method, asked.headers)
        await _send(send, asked, given, turn.headers() if turn else {})

    async def _answer(self, asked: Asked, receive: Receive, turn: local_limit.Turn | None) -> Given:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive)
        except TimeoutError as error:
            raise Problem(
                408, "request_timeout", f"the body took over {BODY_SECONDS} s to arrive; send it faster"
            ) from error
        if turn and not turn.passes:
            raise local_api.too_many(turn)
        return await asyncio.wrap_future(self._start(asked, body))

    def _start(self, asked: Asked, body: bytes) -> Any:
        """Have a thread answer; its place is free again only when it has, whether or not anybody waits."""
        if not self._places.acquire(blocking=False):
            raise Problem(
                503, "app_busy", "the app has too much to do; try again in a second", problems.RETRY_SOON
            )
        future = self._threads.submit(self._ask, asked, body)
        future.add_done_callback(lambda _: self._places.release())
        return future

    def _ask(self, asked: Asked, body: bytes) -> Given:
        given = self._gateway.handle_request(asked.method, asked.path, asked.headers, body)
        headers = {**given["headers"], **(given.get("multiValueHeaders") or {})}
        text = given["body"] or ""
        return given["statusCode"], headers, text if isinstance(text, bytes) else text.encode()


def create() -> Application:
    """Make the app as the variables say. Raises RateError."""
    policy = local_limit.read_policy(os.environ.get("RATE_LIMIT"))
    local_api.count()
    gc.freeze()  # what is here stays, and to look through it for garbage would hold all callers up
    return Application(local_limit.Limiter(policy) if policy else None)


def _asked(scope: Message) -> Asked:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    headers.pop("transfer-encoding", None)  # the server has put the pieces together
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    query = scope["query_string"].decode("latin-1")
    client = (scope.get("client") or ("",))[0]
    return Asked(scope["method"], f"{path}?{query}" if query else path, headers, client)


async def _body(receive: Receive) -> bytes:
    """Give the body; one that is too long is taken in and forgotten. Raises Problem."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            # The caller hung up, or waits after pieces that are none.
            raise Problem(400, "incomplete_body", "the body broke off before its end; send all of it")
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size <= contract.MAX_BODY_BYTES:
            pieces.append(piece)
        else:
            pieces.clear()
    if size > contract.MAX_BODY_BYTES:
        detail = f"the body has {size:,} bytes, at most {contract.MAX_BODY_BYTES:,} are read"
        raise Problem(413, "too_large", detail)
    return b"".join(pieces)


async def _send(send: Send, asked: Asked, given: Given, limits: dict[str, str]) -> None:
    status, headers, body = given
    ours = answers.headers_of(
        answers.request_id_of(asked.headers.get("x-request-id")), asked.headers.get("origin")
    )
    every = {"server": "verdict", **_lower(ours), **_lower(limits), **_lower(headers)}
    pairs = [
        (name.encode("latin-1"), str(value).encode("latin-1"))
        for name, values in every.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _lower(headers: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items()}


def main() -> None:
    options = local_api.parse("Serve the API to many callers at once.")
    local_api.check()
    try:
        socket.create_server((options.host, options.port)).close()
    except (OSError, OverflowError) as error:
        sys.exit(local_api.no_port(options, error))
    serve(options.host, options.port)


def serve(host: str, port: int) -> None:
    """Run the app in a process of Granian's, started again should it end, until this one is told to stop."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    server = Granian(
        "asgi_api:create",
        factory=True,
        working_dir=local_api.FOLDER,  # where the new process finds this module
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1_000),
        websockets=False,
        backlog=1_024,
        backpressure=MOST_CONNECTIONS,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    )
    print(f"api on http://{host}:{port}", flush=True)
    server.serve()


if __name__ == "__main__":
    main()
