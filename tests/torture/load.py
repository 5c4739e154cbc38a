"""Send requests to the API at a fixed rate, and record one outcome for each.

Locust's users wait for an answer before the next request, so overload makes them slower; this client keeps
its rate. aiohttp takes a third of a millisecond a request on the cores of the measured server. So this
client implements only the HTTP that it needs.
"""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music! " * 16
ANSWER_SECONDS = 30
# Servers close idle connections; a connection that idles longer is not used again.
IDLE_SECONDS = 3
BROKEN, LATE, WRONG = "connection broken", "no answer in time", "wrong verdict"


class Outcome(NamedTuple):
    """The outcome of a request; ``seconds`` counts from ``due``, the planned moment by time.perf_counter().

    ``kind`` is a status, or BROKEN, LATE or WRONG; ``retry_after``: the answer had a Retry-After header.
    """

    id: str
    due: float
    seconds: float
    kind: str
    retry_after: bool = False


class Reply(NamedTuple):
    """An answer's bytes; ``head`` is in lower case."""

    status: int
    head: bytes
    body: bytes


class Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time."""

    def __init__(self) -> None:
        self.used = 0.0
        self._received = b""
        self._reply: asyncio.Future[Reply] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes) -> "asyncio.Future[Reply]":
        """Send a request and return the future of its answer."""
        assert self._transport
        self.used = time.perf_counter()
        self._reply = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            self._reply.set_exception(ConnectionResetError())
        else:
            self._transport.write(request)
        return self._reply

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or self._reply is None or self._reply.done():
            return
        low = head.lower()
        length = int(low.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length:
            self._received = b""
            self._reply.set_result(Reply(int(head[9:12]), low, body))

    def give_up(self) -> None:
        """Stop waiting for an answer."""
        if self._reply and not self._reply.done():
            self._reply.set_exception(TimeoutError())

    def connection_lost(self, error: Exception | None) -> None:
        if self._reply and not self._reply.done():
            self._reply.set_exception(ConnectionResetError())

    def close(self) -> None:
        if self._transport:
            self._transport.abort()


class Callers:
    """Any number of callers of one route; ``expected`` is the body that every answer must have."""

    def __init__(self, url: str, review: str | None = REVIEW, path: str = "/v1/sentiment") -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, path
        self._body = b"" if review is None else json.dumps({"review": review}).encode()
        # In turns: the last one that answered would be asked again, and with it one process of several.
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._numbers = itertools.count()
        # One task expires late requests: a timeout for each would cost a tenth of a request.
        self._expiry: asyncio.Task[None] | None = None
        self._before, self._after = self._request_parts()
        self.expected = b""
        self.last_sent = 0.0  # by time.perf_counter()

    async def __aenter__(self) -> "Callers":
        """Send one request, whose answer all others must equal."""
        self._expiry = asyncio.create_task(self._expire())
        connection = await self._connect()
        reply = await connection.send(self._request("torture-first"))
        assert reply.status == 200, reply
        self.expected = reply.body.replace(b"torture-first", b"")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._expiry:
            self._expiry.cancel()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close every connection; the next request makes a new outcome."""
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._idle.clear()
        await asyncio.sleep(0.01)  # the loop closes them

    async def send(self, due: float) -> Outcome:
        """Send one request and return its outcome, whatever happens."""
        request_id = f"torture-{next(self._numbers)}"
        self.last_sent = time.perf_counter()
        kind, retry_after = await self._try(request_id)
        return Outcome(request_id, due, time.perf_counter() - due, kind, retry_after)

    async def _try(self, request_id: str) -> tuple[str, bool]:
        connection = None
        try:
            connection = self._reusable() or await self._connect()
            reply = await connection.send(self._request(request_id))
        except OSError as error:
            if connection:
                self._drop(connection)
            return LATE if isinstance(error, TimeoutError) else BROKEN, False
        self._release(connection, reply)
        if reply.status == 200 and reply.body.replace(request_id.encode(), b"") != self.expected:
            return WRONG, False
        return str(reply.status), b"\r\nretry-after:" in reply.head

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(ANSWER_SECONDS):
            _, connection = await loop.create_connection(Connection, self._host, self._port)
        self._open.add(connection)
        return connection

    def _reusable(self) -> Connection | None:
        now = time.perf_counter()
        while self._idle:
            connection = self._idle.popleft()
            if now - connection.used < IDLE_SECONDS:
                return connection
            self._drop(connection)
        return None

    async def _expire(self) -> None:
        """Fail requests without an answer in ANSWER_SECONDS, once a second."""
        while True:
            await asyncio.sleep(1)
            overdue = time.perf_counter() - ANSWER_SECONDS
            for connection in self._open:
                if connection.used < overdue:
                    connection.give_up()

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)

    def _release(self, connection: Connection, reply: Reply) -> None:
        if b"connection: close" in reply.head:
            self._drop(connection)
        else:
            connection.used = time.perf_counter()
            self._idle.append(connection)

    def _request_parts(self) -> tuple[bytes, bytes]:
        """Return a request's bytes before its id and after it."""
        method = "POST" if self._body else "GET"
        lines = ["Content-Type: application/json", f"Content-Length: {len(self._body)}"] if self._body else []
        after = "\r\n".join(["", *lines, "", ""]).encode() + self._body
        return f"{method} {self._path} HTTP/1.1\r\nHost: loopback\r\nX-Request-Id: ".encode(), after

    def _request(self, request_id: str) -> bytes:
        return self._before + request_id.encode() + self._after


async def closed_loop(callers: Callers, count: int, seconds: float) -> list[Outcome]:
    """Run ``count`` callers, each of which sends its next request after an answer; return all outcomes."""
    end = time.perf_counter() + seconds
    outcomes: list[Outcome] = []

    async def caller() -> None:
        while time.perf_counter() < end:
            outcomes.append(await callers.send(time.perf_counter()))

    await asyncio.gather(*(caller() for _ in range(count)))
    return outcomes


async def open_loop(callers: Callers, rate: float, seconds: float) -> list[Outcome]:
    """Send ``rate`` requests a second, however many are open; return all outcomes."""
    began = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (early := due - time.perf_counter()) > 0.001:
            await asyncio.sleep(early)
        elif number % 50 == 0:
            await asyncio.sleep(0)  # behind schedule, the loop must still read answers
        tasks.append(asyncio.create_task(callers.send(due)))
    return await asyncio.gather(*tasks)


def rates(outcomes: Sequence[Outcome], seconds: float) -> list[float]:
    """Return the requests a second that ended in each whole part of so many seconds.

    >>> rates([Outcome("", at / 4, 0, "200") for at in range(9)], 1)
    [4.0, 4.0]
    """
    ends = sorted(outcome.due + outcome.seconds for outcome in outcomes)
    parts = max(1, int((ends[-1] - ends[0]) / seconds)) if ends else 0
    counts = [0] * parts
    for end in ends:
        if (part := int((end - ends[0]) / seconds)) < parts:
            counts[part] += 1
    return [count / seconds for count in counts] or [0.0]


def percentile(outcomes: Sequence[Outcome], share: float) -> float:
    """Return the seconds within which a share of the requests ended; 0 without requests."""
    times = sorted(outcome.seconds for outcome in outcomes)
    return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


def count_kinds(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Count the outcomes by kind, the most frequent first."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.kind] = counts.get(outcome.kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
