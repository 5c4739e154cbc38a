"""Count what the API answers on this machine, for GET /v1/metrics: requests, times, verdicts, drift.

The launcher starts it. It is not in the Lambda's zip: each copy of a function would count for itself alone.
Several processes count together, in files of a folder, where the variable TOGETHER names one.
"""

import functools
import os
from collections.abc import Sequence
from typing import Any

from chalicelib.measures import Judged
from vocab import messages

# The variable that names the folder in which several processes count together.
TOGETHER = "VERDICT_COUNTS"
# Seconds: a verdict takes some milliseconds, and the endpoint has 20 s.
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
TOKENS = (4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256, 320, 400, 512, 768, 1024)
SHARES = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
# For requests that reached no route: what is no HTTP, and who is held back.
NO_ROUTE = "none"


class Metrics:
    """The counts of this process, or of those that count together; memory and such of a single one alone.

    Labels hold routes, statuses and codes, which are few and ours.
    """

    def __init__(self) -> None:
        _set_folder()
        from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector
        from prometheus_client.platform_collector import PlatformCollector
        from prometheus_client.process_collector import ProcessCollector

        self._write = generate_latest
        own = self._registry = CollectorRegistry()
        if os.environ.get(TOGETHER):
            self._registry = CollectorRegistry()
            MultiProcessCollector(self._registry)  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(registry=own)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "verdict_requests", "Requests answered", ["route", "method", "status", "code"], registry=own
        )
        self._seconds = Histogram(
            "verdict_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=own
        )
        self._reviews = Counter("verdict_reviews", "Reviews judged", ["sentiment"], registry=own)
        self._refused = Counter(
            "verdict_refused_reviews", "Reviews refused, in batches", ["code"], registry=own
        )
        self._warnings = Counter("verdict_warnings", "Warnings given", ["code"], registry=own)
        self._words = Counter("verdict_words", "Words read", registry=own)
        self._unknown = Counter("verdict_unknown_words", "Words read that are not known", registry=own)
        self._tokens = Histogram("verdict_review_tokens", "Tokens of a review", buckets=TOKENS, registry=own)
        self._shares = Histogram(
            "verdict_review_unknown_share", "Share of a review's words unknown", buckets=SHARES, registry=own
        )
        # A labelled count is looked up in half the time by a cache of our own.
        self._request = functools.cache(self._requests.labels)
        self._second = functools.cache(self._seconds.labels)
        for sentiment in messages.SENTIMENTS:
            self._reviews.labels(sentiment)

    def watch(self, line: dict[str, Any], judged: Sequence[Judged]) -> None:
        """Count a request, whose log line and measures are given."""
        route = line["route"] or NO_ROUTE
        self._request(route, line["method"], line["status"], line.get("code", "")).inc()
        self._second(route).observe(line["ms"] / 1000)
        for code, count in line.get("refused", {}).items():
            self._refused.labels(code).inc(count)
        for one in judged:
            self._count(one)

    def text(self) -> str:
        """Give all of it in Prometheus's text format."""
        return self._write(self._registry).decode()

    def _count(self, one: Judged) -> None:
        self._reviews.labels(one.sentiment).inc()
        for code in one.warnings:
            self._warnings.labels(code).inc()
        self._words.inc(one.words)
        self._unknown.inc(one.unknown)
        self._tokens.observe(one.tokens)
        if one.words:
            self._shares.observe(one.unknown / one.words)


def _set_folder() -> None:
    """Set prometheus_client's folder, which it looks up once, when it is imported.

    A folder that the user has set belongs to another app.
    """
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        os.environ.pop(name, None)
    if folder := os.environ.get(TOGETHER):
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
