"""servers.json: the memory for a peak, and the values that deploy reads."""

import json

import pytest

from tests.support import containers
from tools import measure_server
from tools.measure_server import MEGABYTE, Run, smallest, summarise
from training.aws import images, package


@pytest.mark.parametrize(
    ("peak_mb", "size"),
    [(1, 2048), (1365, 2048), (1366, 3072), (4096, 6144), (9000, 6144)],
)
def test_the_memory_holds_the_peak_and_half_as_much_again(peak_mb: int, size: int) -> None:
    assert smallest(peak_mb * MEGABYTE) == size


def test_times_are_medians_and_memory_is_the_highest_peak() -> None:
    runs = [Run(9.0, 0.02, 500 * MEGABYTE, 700 * MEGABYTE), Run(5.0, 0.01, 900 * MEGABYTE, 950 * MEGABYTE)]
    assert summarise("ray", [*runs, Run(6.0, 0.0115, MEGABYTE, MEGABYTE)]) == {
        "start_seconds": 6.0,
        "warm_ms": 11.5,
        "image_pauses_seconds": 15,
        "writes_to": ["/dev/shm/"],
        "peak_pss_mb": 900,
        "peak_rss_mb": 950,
        "serverless_memory_mb": 2048,
    }


def test_the_committed_measurement_covers_each_image_and_follows_its_own_rule() -> None:
    measured = json.loads(package.SERVERS.read_text(encoding="utf-8"))
    assert set(measured["servers"]) == set(images.SERVING)
    assert measured["command"] == measure_server.COMMAND
    for name, server in measured["servers"].items():
        assert server["serverless_memory_mb"] == smallest(server["peak_pss_mb"] * MEGABYTE)
        assert package.serverless_memory(name) == server["serverless_memory_mb"]


def test_the_load_holds_the_largest_message_that_is_taken() -> None:
    body = json.loads(measure_server.message(100, 400))
    assert len(body["reviews"]) == 100
    assert {len(review["ids"]) for review in body["reviews"]} == {400}
    assert {sum(review["sentences"]) for review in body["reviews"]} == {400}


def test_a_review_s_seconds_are_the_median_and_a_refusal_ends_the_measurement() -> None:
    sent: list[bytes] = []
    assert 0 <= measure_server.seconds_of_a_review(lambda body: not sent.append(body)) < 1
    assert len(sent) == measure_server.REQUESTS
    with pytest.raises(containers.ServerError, match="not answered"):
        measure_server.seconds_of_a_review(lambda body: False)
