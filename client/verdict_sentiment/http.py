"""Ask a service over HTTP, blocking or not: every try has a time limit, every answer a size limit.

A blocking try runs in a thread of its own: a socket's limit begins anew with each byte, so what trickles in
could hold up the caller for ever. A try that is given up ends by itself, at the latest with its connection.
"""

import asyncio
import contextvars
import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from verdict_sentiment._shared import messages
from verdict_sentiment.calls import Call
from verdict_sentiment.errors import BadAnswerError
from verdict_sentiment.exchange import Lost, Policy, Reply, Send, Wait, exchange
from verdict_sentiment.results import Message

# 100 reviews explained word by word are some 4 MB.
MAX_ANSWER_BYTES = 20_000_000
CONNECT_SECONDS = 5.0

Result = TypeVar("Result")


class Service(Protocol):
    """Whoever answers calls: a service over HTTP, or the hooks in this process."""

    def ask(self, call: Call) -> Message:
        """Give the answer to a call. Raises VerdictError."""

    def close(self) -> None:
        """Let go of connections."""


class HttpService:
    """A service behind a URL, asked by an httpx client."""

    def __init__(self, url: str, api_key: str | None, policy: Policy, client: httpx.Client | None) -> None:
        self._url, self._policy = check_url(url), policy
        self._headers = headers_of(api_key)
        self._own = client is None
        self._client = client or httpx.Client(trust_env=not is_loopback(self._url))

    def ask(self, call: Call) -> Message:
        """Give the answer to a call. Raises VerdictError."""
        steps = exchange(call, self._policy)
        outcome: Reply | Lost | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                message: Message = end.value
                return message
            outcome = self._send(call, step.seconds) if isinstance(step, Send) else None
            if isinstance(step, Wait):
                time.sleep(step.seconds)

    def _send(self, call: Call, seconds: float) -> Reply | Lost:
        try:
            return within(seconds, lambda: self._try(call, seconds))
        except TimeoutError:
            return Lost(_too_slow(seconds))

    def _try(self, call: Call, seconds: float) -> Reply | Lost:
        ends = time.monotonic() + seconds
        body = bytearray()
        try:
            with self._client.stream(**request_of(self._url, self._headers, call, seconds)) as response:
                for piece in response.iter_bytes():
                    body += piece
                    check_size(body)
                    if time.monotonic() > ends:
                        return Lost(_too_slow(seconds))
            return Reply(response.status_code, response.headers, bytes(body))
        except httpx.RequestError as error:
            return lost(error, self._url, seconds)

    def close(self) -> None:
        """Close the connections, unless the client is the caller's own."""
        if self._own:
            self._client.close()


class AsyncHttpService:
    """The same without blocking."""

    def __init__(
        self, url: str, api_key: str | None, policy: Policy, client: httpx.AsyncClient | None
    ) -> None:
        self._url, self._policy = check_url(url), policy
        self._headers = headers_of(api_key)
        self._own = client is None
        self._client = client or httpx.AsyncClient(trust_env=not is_loopback(self._url))

    async def ask(self, call: Call) -> Message:
        """Give the answer to a call. Raises VerdictError."""
        steps = exchange(call, self._policy)
        outcome: Reply | Lost | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                message: Message = end.value
                return message
            outcome = await self._send(call, step.seconds) if isinstance(step, Send) else None
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)

    async def _send(self, call: Call, seconds: float) -> Reply | Lost:
        body = bytearray()
        try:
            async with (
                asyncio.timeout(seconds),
                self._client.stream(**request_of(self._url, self._headers, call, seconds)) as response,
            ):
                async for piece in response.aiter_bytes():
                    body += piece
                    check_size(body)
            return Reply(response.status_code, response.headers, bytes(body))
        except TimeoutError:
            return Lost(_too_slow(seconds))
        except httpx.RequestError as error:
            return lost(error, self._url, seconds)

    async def close(self) -> None:
        """Close the connections, unless the client is the caller's own."""
        if self._own:
            await self._client.aclose()


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do some work and give what it gives. Raises what it raises, and TimeoutError when it takes longer."""
    done: Future[Result] = Future()
    run = contextvars.copy_context().run  # whoever traces calls finds the caller's context here too

    def finish() -> None:
        try:
            done.set_result(run(work))
        except BaseException as error:  # the caller's to handle, whatever it is
            done.set_exception(error)

    threading.Thread(target=finish, daemon=True, name="verdict-try").start()
    return done.result(seconds)


# --- what both share ----------------------------------------------------------------------------


def check_url(url: str) -> str:
    """Give an http(s) URL without its last slash. Raises ValueError."""
    wrong = ValueError("the service's URL must look like https://api.example.com/stage")
    try:
        parts = urlsplit(url)
        _ = parts.port
        httpx.URL(url)
    except (ValueError, TypeError, httpx.InvalidURL):
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise wrong
    return url.rstrip("/")


def headers_of(api_key: str | None) -> dict[str, str]:
    """Give the headers of every request. Raises ValueError when the key can't be one."""
    from verdict_sentiment import __version__

    headers = {"Accept": messages.JSON, "User-Agent": f"verdict-sentiment/{__version__}"}
    if api_key is None:
        return headers
    if not api_key or not api_key.isascii() or not api_key.isprintable() or api_key != api_key.strip():
        raise ValueError("an API key is printable ASCII without spaces around it")
    return headers | {"X-Api-Key": api_key}


def is_loopback(url: str) -> bool:
    """Say whether a URL leads to this machine, to which no proxy does."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def request_of(url: str, headers: Mapping[str, str], call: Call, seconds: float) -> dict[str, Any]:
    """Give httpx the request that a call is."""
    request: dict[str, Any] = {
        "method": "GET" if call.message is None else "POST",
        "url": url + call.path,
        "headers": dict(headers),
        "timeout": httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
        "follow_redirects": False,  # the key and the review are for this host alone
    }
    if call.message is not None:
        request["content"] = messages.to_json(call.message)
        request["headers"] |= {"Content-Type": messages.JSON}
    return request


def check_size(body: bytearray) -> None:
    """Refuse an answer that grows past all that a service sends. Raises BadAnswerError."""
    if len(body) > MAX_ANSWER_BYTES:
        raise BadAnswerError(
            f"the answer has over {MAX_ANSWER_BYTES:,} bytes; is this URL Verdict's API?", code="bad_answer"
        )


def lost(error: httpx.RequestError, url: str, seconds: float) -> Lost:
    """Say why no reply came, and what to look at."""
    if isinstance(error, httpx.TimeoutException):
        return Lost(_too_slow(seconds))
    if isinstance(error, httpx.ConnectError):
        return Lost(f"nothing answers at {_host(url)}; is the service running, and its URL right?")
    return Lost(f"the connection to {_host(url)} broke ({type(error).__name__}); try again")


def _too_slow(seconds: float) -> str:
    return f"no answer within {seconds:.3g} s; try again, or allow it more time"


def _host(url: str) -> str:
    """Give scheme, host and port: a URL may carry a password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
