"""metrics.py and GET /v1/metrics: counts of answers for Prometheus."""

import json
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from chalice_app.local import metrics as local_metrics
from chalicelib.stats import ReviewStats
from tests.support.api import InProcess, Served
from tests.support.fake_runtime import FakeRuntime

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in families(text)
        for one in family.samples
    }


def value(counts: Samples, name: str, **labels: str) -> float | None:
    return counts.get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def counted(fake: FakeRuntime) -> Iterator[Served]:
    """The app behind its local server, with empty counts and a limit of five requests an hour."""
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake.url, RATE_LIMIT="5/3600")
    yield served
    served.stop()


def test_requests_reviews_and_errors_are_counted(counted: Served, fake: FakeRuntime) -> None:
    fake.pull = lambda number: 0.5
    counted.send("POST", "/v1/sentiment", b'{"review": "A lovely xylophonecanary of a film."}')
    body = json.dumps({"reviews": [{"review": "Good."}, {"review": " "}, {"review": "word " * 900}]}).encode()
    counted.send("POST", "/v1/sentiment/batch", body)
    counted.send("POST", "/v1/sentiment", b"{")
    counted.send("GET", "/xylophonecanary")
    answer = counted.send("GET", "/v1/metrics")
    assert (answer.status, answer.headers["content-type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    text = answer.body.decode()
    assert "xylophonecanary" not in text
    counts = samples(text)
    total = "verdict_requests_total"
    one = {"method": "POST", "route": "/v1/sentiment"}
    assert value(counts, total, **one, status="200", code="") == 1
    assert value(counts, total, **one, status="400", code="malformed_json") == 1
    assert value(counts, total, route="/v1/sentiment/batch", method="POST", status="200", code="") == 1
    assert value(counts, total, route="/{proxy+}", method="GET", status="404", code="not_found") == 1
    assert value(counts, "verdict_request_seconds_count", route="/v1/sentiment") == 2
    assert value(counts, "verdict_reviews_total", sentiment="positive") == 3
    assert value(counts, "verdict_reviews_total", sentiment="negative") == 0
    assert value(counts, "verdict_refused_reviews_total", code="no_token") == 1
    assert value(counts, "verdict_warnings_total", code="too_short") == 2
    assert value(counts, "verdict_warnings_total", code="truncated") == 1
    assert value(counts, "verdict_review_tokens_count") == 3
    assert value(counts, "verdict_review_tokens_bucket", le="16.0") == 2
    assert value(counts, "verdict_unknown_words_total") == 1
    assert (value(counts, "process_resident_memory_bytes") or 1) > 0


def test_what_does_not_reach_the_app_is_counted_too(counted: Served) -> None:
    counted.send("POST", "/v1/sentiment", b"", {"Content-Length": "x"})
    metrics = [counted.send("GET", "/v1/metrics") for _ in range(4)][-1]
    counts = samples(metrics.body.decode())
    refused = {"route": "/v1/sentiment", "method": "POST", "status": "400", "code": "bad_request"}
    assert value(counts, "verdict_requests_total", **refused) == 1
    assert counted.send("GET", "/v1/metrics").json()["code"] == "too_many_requests"
    _, log, _ = counted.stop()
    assert [json.loads(line).get("code") for line in log.splitlines()].count("too_many_requests") == 1


def test_where_nobody_counts_there_is_no_such_path(api: InProcess) -> None:
    answer = api.send("GET", "/v1/metrics")
    assert (answer.status, answer.json()["code"]) == (404, "not_found")


def test_the_shares_of_unknown_words_and_the_lengths_fall_into_their_buckets() -> None:
    metrics = local_metrics.Metrics()
    line = {"route": "/v1/sentiment", "method": "POST", "status": 200, "ms": 4.0}
    metrics.watch(line, [ReviewStats(10, 10, 3, "positive", ()), ReviewStats(300, 10, 0, "uncertain", ())])
    metrics.watch(line, [ReviewStats(1, 0, 0, "uncertain", ("no_known_words",))])
    metrics.watch(line, [ReviewStats(9, 0, 0, "negative", (), 0.93)])
    counts = samples(metrics.text())
    assert value(counts, "verdict_sureness_bucket", le="0.5") == 3
    assert value(counts, "verdict_sureness_bucket", le="0.92") == 3
    assert value(counts, "verdict_sureness_bucket", le="0.93") == 4
    assert value(counts, "verdict_review_unknown_share_count") == 2
    assert value(counts, "verdict_review_unknown_share_bucket", le="0.0") == 1
    assert value(counts, "verdict_review_unknown_share_bucket", le="0.5") == 2
    assert value(counts, "verdict_review_tokens_sum") == 320
    assert value(counts, "verdict_words_total") == 20
    assert value(counts, "verdict_request_seconds_bucket", route="/v1/sentiment", le="0.005") == 3


def test_what_a_caller_makes_up_makes_no_series(counted: Served) -> None:
    for method, path in (("BREW", "/a"), ("PROPFIND", "/b"), ("GET", "/c"), ("GET", "/d/e")):
        counted.send(method, path, headers={"X-Request-Id": path[1:]})
    counts = samples(counted.send("GET", "/v1/metrics").body.decode())
    labels = {labels for name, labels in counts if name == "verdict_requests_total"}
    assert {dict(one)["method"] for one in labels} == {"OTHER", "GET"}
    assert {dict(one)["route"] for one in labels} == {"/{proxy+}"}
