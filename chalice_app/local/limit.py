"""Hold back who asks too often, on this machine: a token bucket for each client address, told in headers.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11. On AWS, API Gateway's throttle does this.
"""

import hashlib
import math
import mmap
import os
import re
import secrets
import struct
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

# More than one client that waits for its answers can ask on any machine, so none of those is hindered: about
# 350 verdicts a second, or over 1,000 refusals.
DEFAULT = "10000/1"
OFF = "off"
# Buckets that are kept. A client's lies in one of so many neighbours; of those, the one that was silent for
# longest makes room.
BUCKETS, NEIGHBOURS = 1 << 14, 8
# A client's hash; the tokens that it had left, and when.
_BUCKET = struct.Struct("<Qdd")
SECRET_BYTES = 16
_FORM = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,5})", re.ASCII)


class RateError(ValueError):
    """RATE_LIMIT is no rate."""


class Policy(NamedTuple):
    """So many requests in so many seconds; that many may come at once."""

    quota: int
    seconds: int


class Turn(NamedTuple):
    """What a request is told: whether it may pass, how many more may at once, seconds until one more may."""

    policy: Policy
    passes: bool
    left: int
    wait: int

    def headers(self) -> dict[str, str]:
        """Give the header fields that say so."""
        return {
            "RateLimit-Policy": f'"client";q={self.policy.quota};w={self.policy.seconds}',
            "RateLimit": f'"client";r={self.left};t={self.wait}',
        }


def read_policy(text: str | None) -> Policy | None:
    """Read RATE_LIMIT, None when it is off. Raises RateError.

    >>> read_policy("600/60")
    Policy(quota=600, seconds=60)
    """
    text = text or DEFAULT
    if text == OFF:
        return None
    found = _FORM.fullmatch(text)
    if not found:
        raise RateError(f"RATE_LIMIT must be like 600/60 (requests/seconds) or {OFF}, got {text[:30]!r}")
    return Policy(int(found[1]), int(found[2]))


class Buckets:
    """The buckets of all clients: of this process, or of several ones by a file that ``create`` made.

    Addresses are kept as hashes with a secret, which is not in the file: nobody can tell an address from it,
    or choose one whose bucket is another's.
    """

    def __init__(self, path: Path | None = None, secret: bytes = b"") -> None:
        self._secret = secret or secrets.token_bytes(SECRET_BYTES)
        self.lock: AbstractContextManager[object]
        self._table: bytearray | mmap.mmap
        if path:
            file = os.open(path, os.O_RDWR)  # as long as this process runs
            self._table, self.lock = mmap.mmap(file, 0), FileLock(file)
        else:
            self._table, self.lock = bytearray(BUCKETS * _BUCKET.size), threading.Lock()

    @staticmethod
    def create(path: Path) -> None:
        """Make the file of empty buckets."""
        path.write_bytes(bytes(BUCKETS * _BUCKET.size))

    def get(self, client: str) -> tuple[int, int, tuple[float, float] | None]:
        """Give a client's hash, where its bucket lies or may lie, and what it held when; None if new."""
        name, first = self._place(client)
        oldest, at = first, math.inf
        for number in range(NEIGHBOURS):
            place = first + number * _BUCKET.size
            found, tokens, since = _BUCKET.unpack_from(self._table, place)
            if found == name:
                return name, place, (tokens, since)
            if since < at:
                oldest, at = place, since
        return name, oldest, None

    def put(self, name: int, place: int, tokens: float, now: float) -> None:
        """Keep a bucket, by what ``get`` gave."""
        _BUCKET.pack_into(self._table, place, name, tokens, now)

    def _place(self, client: str) -> tuple[int, int]:
        hashed = hashlib.blake2b(client.encode(), key=self._secret, digest_size=8).digest()
        name = int.from_bytes(hashed, "little") | 1  # an empty bucket is 0
        return name, (name >> 1) % (BUCKETS // NEIGHBOURS) * NEIGHBOURS * _BUCKET.size


class FileLock:
    """A lock among processes, by an open file of each; a process that ends leaves it. Not among threads."""

    def __init__(self, file: int) -> None:
        import fcntl  # not where Windows is; the API of one process needs none

        self._flock, self._file = fcntl.flock, file
        self._take, self._leave = fcntl.LOCK_EX, fcntl.LOCK_UN

    def __enter__(self) -> None:
        self._flock(self._file, self._take)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._flock(self._file, self._leave)


class Limiter:
    """A bucket for each client: a request takes a token, time fills it up again."""

    def __init__(
        self, policy: Policy, now: Callable[[], float] = time.monotonic, buckets: Buckets | None = None
    ) -> None:
        self.policy = policy
        self._now = now
        self._buckets = buckets or Buckets()

    def take(self, client: str) -> Turn:
        """Take a token of a client's, or say that there is none."""
        rate = self.policy.quota / self.policy.seconds
        with self._buckets.lock:
            name, place, kept = self._buckets.get(client)
            now = self._now()
            tokens, at = kept or (float(self.policy.quota), now)
            tokens = min(self.policy.quota, tokens + (now - at) * rate)
            passes = tokens >= 1
            tokens -= passes
            self._buckets.put(name, place, tokens, now)
        left = math.floor(tokens)
        return Turn(self.policy, passes, left, math.ceil((left + 1 - tokens) / rate))
