"""Ask the API at a rate, whether or not it keeps up, and give each request its one outcome.

Locust's users wait for an answer before they ask again, so under overload they ask less; these do not. And
a client like aiohttp takes a third of a millisecond a request, which counts on the cores that it shares with
what it measures. So this one speaks just the HTTP that is needed.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music! " * 16
ANSWER_SECONDS = 30
# Servers close connections that say nothing for long; an older one is not used again.
IDLE_SECONDS = 3
BROKEN, LATE, WRONG = "connection broken", "no answer in time", "wrong verdict"


class Outcome(NamedTuple):
    """What came of a request: when it was due and how long after that it ended, in seconds; in a word, how.

    ``kind`` is a status, or BROKEN, LATE or WRONG; ``advised``: it had a Retry-After.
    """

    id: str
    due: float
    seconds: float
    kind: str
    advised: bool = False


class Reply(NamedTuple):
    """An answer off the wire; ``head`` in lower case."""

    status: int
    head: bytes
    body: bytes


class Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time."""

    def __init__(self) -> None:
        self.used = 0.0
        self._came = b""
        self._answered: asyncio.Future[Reply] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes) -> "asyncio.Future[Reply]":
        """Send a request and give the future of its answer."""
        assert self._transport
        self.used = time.perf_counter()
        self._answered = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            self._answered.set_exception(ConnectionResetError())
        else:
            self._transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        if not end or self._answered is None or self._answered.done():
            return
        low = head.lower()
        length = int(low.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length:
            self._came = b""
            self._answered.set_result(Reply(int(head[9:12]), low, body))

    def give_up(self) -> None:
        """Wait no longer for an answer."""
        if self._answered and not self._answered.done():
            self._answered.set_exception(TimeoutError())

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(ConnectionResetError())

    def close(self) -> None:
        if self._transport:
            self._transport.abort()


class Callers:
    """As many callers of one route as are needed. ``expected`` is the answer that each must get."""

    def __init__(self, url: str, review: str | None = REVIEW, path: str = "/v1/sentiment") -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, path
        self._body = b"" if review is None else json.dumps({"review": review}).encode()
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._numbers = itertools.count()
        # A time limit of its own would take each request a tenth of what it costs here.
        self._looking: asyncio.Task[None] | None = None
        self._before, self._after = self._request()
        self.expected = b""
        self.asked_last = 0.0  # when, by time.perf_counter()

    async def __aenter__(self) -> "Callers":
        """Ask once, for the answer by which the others are judged."""
        self._looking = asyncio.create_task(self._look())
        connection = await self._connect()
        reply = await connection.ask(self._named("torture-first"))
        assert reply.status == 200, reply
        self.expected = reply.body.replace(b"torture-first", b"")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._looking:
            self._looking.cancel()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close every connection; the next request makes a new one."""
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._idle.clear()
        await asyncio.sleep(0.01)  # the loop closes them

    async def ask(self, due: float) -> Outcome:
        """Ask once; whatever happens, it has one outcome."""
        name = f"torture-{next(self._numbers)}"
        self.asked_last = time.perf_counter()
        kind, advised = await self._try(name)
        return Outcome(name, due, time.perf_counter() - due, kind, advised)

    async def _try(self, name: str) -> tuple[str, bool]:
        connection = None
        try:
            connection = self._kept() or await self._connect()
            reply = await connection.ask(self._named(name))
        except OSError as error:
            if connection:
                self._drop(connection)
            return LATE if isinstance(error, TimeoutError) else BROKEN, False
        self._keep(connection, reply)
        if reply.status == 200 and reply.body.replace(name.encode(), b"") != self.expected:
            return WRONG, False
        return str(reply.status), b"\r\nretry-after:" in reply.head

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(ANSWER_SECONDS):
            _, connection = await loop.create_connection(Connection, self._host, self._port)
        self._open.add(connection)
        return connection

    def _kept(self) -> Connection | None:
        now = time.perf_counter()
        while self._idle:
            connection = self._idle.pop()
            if now - connection.used < IDLE_SECONDS:
                return connection
            self._drop(connection)
        return None

    async def _look(self) -> None:
        """Return up, from time to time, on those whose answer doesn't come."""
        while True:
            await asyncio.sleep(1)
            overdue = time.perf_counter() - ANSWER_SECONDS
            for connection in self._open:
                if connection.used < overdue:
                    connection.give_up()

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)

    def _keep(self, connection: Connection, reply: Reply) -> None:
        if b"connection: close" in reply.head:
            self._drop(connection)
        else:
            connection.used = time.perf_counter()
            self._idle.append(connection)

    def _request(self) -> tuple[bytes, bytes]:
        """Return a request's bytes before its name and after it."""
        method = "POST" if self._body else "GET"
        lines = ["Content-Type: application/json", f"Content-Length: {len(self._body)}"] if self._body else []
        after = "\r\n".join(["", *lines, "", ""]).encode() + self._body
        return f"{method} {self._path} HTTP/1.1\r\nHost: loopback\r\nX-Request-Id: ".encode(), after

    def _named(self, name: str) -> bytes:
        return self._before + name.encode() + self._after


async def waiting(callers: Callers, count: int, seconds: float) -> list[Outcome]:
    """Have so many callers ask, each again as soon as it is answered."""
    end = time.perf_counter() + seconds
    outcomes: list[Outcome] = []

    async def one() -> None:
        while time.perf_counter() < end:
            outcomes.append(await callers.ask(time.perf_counter()))

    await asyncio.gather(*(one() for _ in range(count)))
    return outcomes


async def steadily(callers: Callers, rate: float, seconds: float) -> list[Outcome]:
    """Ask at a rate, each request when it is due, however many are open; give all outcomes."""
    began = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (early := due - time.perf_counter()) > 0.001:
            await asyncio.sleep(early)
        elif number % 50 == 0:
            await asyncio.sleep(0)  # late: the answers must be taken in all the same
        tasks.append(asyncio.create_task(callers.ask(due)))
    return await asyncio.gather(*tasks)


def rates(outcomes: Sequence[Outcome], seconds: float) -> list[float]:
    """Return how many requests a second ended in each whole part of so many seconds, one part after the other.

    >>> rates([Outcome("", at / 4, 0, "200") for at in range(9)], 1)
    [4.0, 4.0]
    """
    ends = sorted(one.due + one.seconds for one in outcomes)
    parts = max(1, int((ends[-1] - ends[0]) / seconds)) if ends else 0
    counts = [0] * parts
    for end in ends:
        if (part := int((end - ends[0]) / seconds)) < parts:
            counts[part] += 1
    return [count / seconds for count in counts] or [0.0]


def percentile(outcomes: Sequence[Outcome], share: float) -> float:
    """Return the time within which a share of the requests ended, in seconds; 0 without any."""
    times = sorted(one.seconds for one in outcomes)
    return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


def kinds(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Count the outcomes by kind, the most frequent first."""
    counts: dict[str, int] = {}
    for one in outcomes:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
