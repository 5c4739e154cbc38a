"""Hold back who asks too often, on this machine: a token bucket for each client address, told in headers.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11. On AWS, API Gateway's throttle does this.
"""

import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

# More than one client that waits for its answers can ask on any machine, so none of those is hindered: about
# 350 verdicts a second, or over 1,000 refusals.
DEFAULT = "10000/1"
OFF = "off"
# Addresses that are remembered; the one that was silent for longest is forgotten first.
MOST_CLIENTS = 10_000
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


class Limiter:
    """A bucket for each client: a request takes a token, time fills it up again."""

    def __init__(self, policy: Policy, now: Callable[[], float] = time.monotonic) -> None:
        self.policy = policy
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> Turn:
        """Take a token of a client's, or say that there is none."""
        rate, now = self.policy.quota / self.policy.seconds, self._now()
        with self._lock:
            tokens, at = self._buckets.pop(client, (float(self.policy.quota), now))
            tokens = min(self.policy.quota, tokens + (now - at) * rate)
            passes = tokens >= 1
            tokens -= passes
            self._buckets[client] = tokens, now
            if len(self._buckets) > MOST_CLIENTS:
                self._buckets.popitem(last=False)
        left = math.floor(tokens)
        return Turn(self.policy, passes, left, math.ceil((left + 1 - tokens) / rate))
