"""Call a service over HTTP, blocking or async. Every try has a time limit, every answer a size limit.

A blocking try runs in a thread of its own: a socket's timeout restarts with each byte, so a slow reply could
block the caller for ever. An abandoned try ends by itself, at the latest with its connection.
"""

import asyncio
import ipaddress
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from verdict_sentiment._packages import messages
from verdict_sentiment.calls import Call
from verdict_sentiment.errors import BadAnswerError
from verdict_sentiment.exchange import Lost, Policy, Reply, Send, Wait, check_policy, exchange, too_slow
from verdict_sentiment.parallel import Stop, pause, within
from verdict_sentiment.results import Message

# 100 reviews explained word by word are some 4 MB.
MAX_ANSWER_BYTES = 20_000_000
CONNECT_SECONDS = 5.0


class Service(Protocol):
    """An object that answers calls: a service over HTTP, or a model in this process."""

    def ask(self, call: Call, timeout: float | None = None, stop: Stop | None = None) -> Message:
        """Return the answer to a call, within so many seconds. Raises VerdictError.

        Raises ValueError for another timeout, and CancelledError once ``stop`` is done.
        """

    def close(self) -> None:
        """Close connections."""


class AsyncService(Protocol):
    """A Service for asyncio."""

    async def ask(self, call: Call, timeout: float | None = None) -> Message:
        """Return the answer to a call, within so many seconds. Raises VerdictError and ValueError."""

    async def close(self) -> None:
        """Close connections."""


class HttpService:
    """A service behind a URL, called by a blocking httpx client."""

    def __init__(self, url: str, api_key: str | None, policy: Policy, client: httpx.Client | None) -> None:
        self._url, self._policy = check_url(url), check_policy(policy)
        self._headers = headers_of(api_key)
        self._owns_client = client is None
        self._client, self._process = client or self._new_client(), os.getpid()

    def ask(self, call: Call, timeout: float | None = None, stop: Stop | None = None) -> Message:
        """Return the answer to a call. Raises VerdictError, ValueError or CancelledError."""
        steps = exchange(call, self._policy.for_call(timeout))
        outcome: Reply | Lost | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                message: Message = end.value
                return message
            outcome = self._send(call, step.seconds, stop) if isinstance(step, Send) else None
            if isinstance(step, Wait):
                pause(step.seconds, stop)

    def _send(self, call: Call, seconds: float, stop: Stop | None) -> Reply | Lost:
        self._leave_parent()
        try:
            return within(seconds, lambda: self._try(call, seconds), stop)
        except TimeoutError:
            return Lost(too_slow(seconds))

    def _leave_parent(self) -> None:
        """Open connections of this process's own after a fork: two processes can't share one."""
        if self._owns_client and self._process != os.getpid():
            self._client, self._process = self._new_client(), os.getpid()

    def _new_client(self) -> httpx.Client:
        return httpx.Client(trust_env=not is_loopback(self._url))

    def _try(self, call: Call, seconds: float) -> Reply | Lost:
        deadline = time.monotonic() + seconds
        body = bytearray()
        try:
            with self._client.stream(**request_of(self._url, self._headers, call, seconds)) as response:
                for piece in response.iter_bytes():
                    body += piece
                    check_size(body)
                    if time.monotonic() > deadline:
                        return Lost(too_slow(seconds))
            return Reply(response.status_code, response.headers, bytes(body))
        except httpx.RequestError as error:
            return lost(error, self._url, seconds)

    def close(self) -> None:
        """Close the connections, except those of the caller's own client."""
        if self._owns_client:
            self._client.close()


class AsyncHttpService:
    """A service behind a URL, called by an async httpx client."""

    def __init__(
        self, url: str, api_key: str | None, policy: Policy, client: httpx.AsyncClient | None
    ) -> None:
        self._url, self._policy = check_url(url), check_policy(policy)
        self._headers = headers_of(api_key)
        self._owns_client = client is None
        self._client = client or httpx.AsyncClient(trust_env=not is_loopback(self._url))

    async def ask(self, call: Call, timeout: float | None = None) -> Message:
        """Return the answer to a call. Raises VerdictError and ValueError."""
        steps = exchange(call, self._policy.for_call(timeout))
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
            return Lost(too_slow(seconds))
        except httpx.RequestError as error:
            return lost(error, self._url, seconds)

    async def close(self) -> None:
        """Close the connections, except those of the caller's own client."""
        if self._owns_client:
            await self._client.aclose()


# --- shared by both -----------------------------------------------------------------------------


def find_service(url: str | None, api_key: str | None) -> tuple[str, str | None]:
    """Return URL and key as given, else from VERDICT_URL and VERDICT_API_KEY. Raises ValueError."""
    url = _from_environment("VERDICT_URL", check_url) if url is None else url
    if url is None:
        raise ValueError(
            "no service is named; give its URL, set VERDICT_URL, or judge in this process by Verdict.local()"
        )
    return url, _from_environment("VERDICT_API_KEY", headers_of) if api_key is None else api_key


def check_url(url: str) -> str:
    """Return an http(s) URL without its last slash. Raises ValueError."""
    wrong = ValueError("the service's URL must look like https://api.example.com/stage")
    try:
        parts = urlsplit(url)
        _ = parts.port
        httpx.URL(url)
    except (ValueError, TypeError, AttributeError, httpx.InvalidURL):
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise wrong
    return url.rstrip("/")


def headers_of(api_key: str | None) -> dict[str, str]:
    """Return the headers of every request. Raises ValueError for a malformed key."""
    from verdict_sentiment import __version__

    headers = {"Accept": messages.JSON, "User-Agent": f"verdict-sentiment/{__version__}"}
    if api_key is None:
        return headers
    if not api_key or not api_key.isascii() or not api_key.isprintable() or api_key != api_key.strip():
        raise ValueError("an API key is printable ASCII without spaces around it")
    return headers | {"X-Api-Key": api_key}


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine, which no proxy reaches."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def request_of(url: str, headers: Mapping[str, str], call: Call, seconds: float) -> dict[str, Any]:
    """Return the arguments of httpx for a call."""
    request: dict[str, Any] = {
        "method": call.method or ("GET" if call.message is None else "POST"),
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
    """Raise BadAnswerError for an answer larger than any that a service sends."""
    if len(body) > MAX_ANSWER_BYTES:
        raise BadAnswerError(
            f"the answer has over {MAX_ANSWER_BYTES:,} bytes; is this URL Verdict's API?", code="bad_answer"
        )


def lost(error: httpx.RequestError, url: str, seconds: float) -> Lost:
    """Return the reason why no reply came, with a hint."""
    if isinstance(error, httpx.TimeoutException):
        return Lost(too_slow(seconds))
    if isinstance(error, httpx.ConnectError):
        return Lost(f"nothing answers at {_host(url)}; is the service running, and its URL right?")
    return Lost(f"the connection to {_host(url)} broke ({type(error).__name__}); try again")


def _from_environment(name: str, check: Callable[[str], object]) -> str | None:
    """Return a variable's value, None when it is not set or empty. Raises ValueError for a malformed one."""
    value = os.environ.get(name) or None
    try:
        if value is not None:
            check(value)
    except ValueError as error:
        raise ValueError(f"{error}; look at {name}") from None
    return value


def _host(url: str) -> str:
    """Return scheme, host and port alone: a URL may contain a password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
