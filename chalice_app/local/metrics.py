"""Count the API's answers on this machine, for GET /v1/metrics: requests, times, verdicts, drift.

The servers of this folder start it. The Lambda's zip does not hold it, because each copy of a function would
count alone. Several processes count together in the files of a folder, when a variable names that folder.
"""

import functools
import os
from collections.abc import Sequence
from typing import Any

from chalicelib.stats import ReviewStats
from vocab import messages

# The variable that names the folder of several processes' counts.
SHARED_FOLDER = "VERDICT_COUNTS"
# Seconds. A verdict takes some milliseconds, and the endpoint's limit is 20 s.
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
TOKENS = (4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256, 320, 400, 512, 768, 1024)
SHARES = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
# The thresholds of promises, training.evaluation.risk_control.THRESHOLDS: from 0.5 by 0.02, from 0.9 by 0.01.
SURENESS = (
    *(round(0.5 + step / 50, 2) for step in range(20)),
    *(round(0.9 + step / 100, 2) for step in range(10)),
    0.995,
    0.998,
    0.999,
)
# The route of requests without a readable path.
NO_ROUTE = "none"


class Metrics:
    """The counts of this process, or of all processes with the same folder.

    Memory and processor time are counted only for a single process. Labels hold routes, statuses and codes,
    never a caller's words.
    """

    def __init__(self) -> None:
        _set_folder()
        from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector
        from prometheus_client.platform_collector import PlatformCollector
        from prometheus_client.process_collector import ProcessCollector

        self._write = generate_latest
        registry = self._registry = CollectorRegistry()
        if os.environ.get(SHARED_FOLDER):
            self._registry = CollectorRegistry()
            MultiProcessCollector(self._registry)  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(registry=registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "verdict_requests", "Requests answered", ["route", "method", "status", "code"], registry=registry
        )
        self._seconds = Histogram(
            "verdict_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=registry
        )
        self._reviews = Counter("verdict_reviews", "Reviews judged", ["sentiment"], registry=registry)
        self._refused = Counter(
            "verdict_refused_reviews", "Reviews refused, in batches", ["code"], registry=registry
        )
        self._warnings = Counter("verdict_warnings", "Warnings given", ["code"], registry=registry)
        self._words = Counter("verdict_words", "Words read", registry=registry)
        self._unknown = Counter("verdict_unknown_words", "Words read that are not known", registry=registry)
        self._tokens = Histogram(
            "verdict_review_tokens", "Tokens of a review", buckets=TOKENS, registry=registry
        )
        self._shares = Histogram(
            "verdict_review_unknown_share",
            "Share of a review's words unknown",
            buckets=SHARES,
            registry=registry,
        )
        self._sureness = Histogram(
            "verdict_sureness",
            "Probability of a verdict's side; 0.5 where the verdict is uncertain",
            buckets=SURENESS,
            registry=registry,
        )
        # This cache looks up a labelled count in half the time of the library's.
        self._request = functools.cache(self._requests.labels)
        self._second = functools.cache(self._seconds.labels)
        for sentiment in messages.SENTIMENTS:
            self._reviews.labels(sentiment)

    def watch(self, line: dict[str, Any], stats: Sequence[ReviewStats]) -> None:
        """Count a request from its log line and its reviews' statistics."""
        route = line["route"] or NO_ROUTE
        self._request(route, line["method"], line["status"], line.get("code", "")).inc()
        self._second(route).observe(line["ms"] / 1000)
        for code, count in line.get("refused", {}).items():
            self._refused.labels(code).inc(count)
        for review in stats:
            self._count_review(review)

    def text(self) -> str:
        """Return all counts in Prometheus's text format."""
        return self._write(self._registry).decode()

    def _count_review(self, review: ReviewStats) -> None:
        self._reviews.labels(review.sentiment).inc()
        for code in review.warnings:
            self._warnings.labels(code).inc()
        self._words.inc(review.words)
        self._unknown.inc(review.unknown)
        self._tokens.observe(review.tokens)
        self._sureness.observe(review.sureness)
        if review.words:
            self._shares.observe(review.unknown / review.words)


def _set_folder() -> None:
    """Set prometheus_client's folder, which the library reads only when it is imported.

    A folder in the user's environment belongs to another app and is ignored.
    """
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        os.environ.pop(name, None)
    if folder := os.environ.get(SHARED_FOLDER):
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
