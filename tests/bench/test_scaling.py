"""The simulation of growing load agrees with theory and its inputs, and the page has its tables."""

import pytest

from bench import pages, publish, published, scaling
from bench.measuring import Missing
from bench.scaling import Inputs
from tests.bench.results import results

INPUTS = Inputs(function=0.004, endpoint=0.002, cold=0.4, wake=25.0)


def test_a_queue_waits_as_long_as_theory_says() -> None:
    # One server, one time of service: the mean wait is load x time / (2 x (1 - load)) (Pollaczek, Khinchine).
    waits = scaling.queue(rate=400, seconds=0.002, servers=1)
    assert sum(waits) / len(waits) == pytest.approx(0.8 * 0.002 / (2 * 0.2), rel=0.1)


def test_many_servers_behind_one_queue_wait_less_than_few() -> None:
    few, many = (scaling.at(scaling.queue(350 * count, 0.002, count), 0.99) for count in (1, 16))
    assert many < few / 2


def test_a_steady_load_meets_cold_copies_only_at_its_start() -> None:
    early, late = (scaling.cold_starts(100, 0.004, 0.4, events) for events in (500, 20_000))
    assert 10 < early <= 100  # in 0.4 s come 40 of 100 a second, and none of them finds a copy
    assert late == early


def test_rare_requests_meet_a_cold_copy_each() -> None:
    assert scaling.cold_starts(1 / 3600, 0.004, 0.4, events=200) > 160


def test_a_fleet_grows_with_its_rate() -> None:
    small, large = scaling.fleet(10, INPUTS), scaling.fleet(100_000, INPUTS)
    assert (small.instances, small.accounts) == (1, 1)
    assert large.instances == 286  # 100,000 x 0.002 s / 0.7, one core each
    assert large.copies == pytest.approx(400)
    assert large.accounts == 10
    assert large.dollars_hour > 1000 * small.dollars_hour


def test_a_fleet_that_is_large_enough_never_grows() -> None:
    moments = scaling.scaled(scaling.step(100, 300, 10), INPUTS, 900, first=1)
    assert {moment.instances for moment in moments} == {1}
    assert max(moment.wait for moment in moments) == 0


def test_a_jump_waits_until_instances_have_come_and_then_is_caught_up_with() -> None:
    moments = scaling.scaled(scaling.step(100, 1000, 10), INPUTS, 3000, first=1)
    delay = scaling.ALARM_SECONDS + scaling.BOOT_SECONDS + INPUTS.wake
    grown = next(moment.second for moment in moments if moment.instances > 1)
    assert 10 + delay - 2 <= grown <= 10 + delay + 2
    assert max(moment.wait for moment in moments) > 60
    assert moments[-1].wait == 0
    assert moments[-1].instances == 3


def test_a_month_of_a_machine_leaves_room_for_bursts() -> None:
    assert scaling.month_reviews(100) == pytest.approx(100 * 0.7 * 730 * 3600)


def test_one_machine_is_priced_beside_the_serverless_kinds() -> None:
    measured = results(
        **{"serve / Verdict, by make serve": 500.0, "cost / serverless, one request each": 4.0}
    )
    block = scaling.blocks(measured)["scaling-machine"]
    assert "| 920 million reviews a month | dollars |" in block
    assert "| one c7g.large, `make serve` | 53 |" in block
    assert "| serverless, one request each | 3,679 |" in block


def test_ten_times_the_instances_take_a_tenth_of_the_hours() -> None:
    assert scaling.bulk_hours(500, 10) == pytest.approx(scaling.bulk_hours(500, 1) / 10)
    assert scaling.bulk_hours(500, 1, 3_600_000) == pytest.approx(1.0)


def test_the_tables_are_made_from_the_results() -> None:
    blocks = scaling.blocks(results(**{"bulk / Verdict, one process": 500.0}))
    assert "| 10 |" in blocks["scaling-rates"] and "| 100,000 |" in blocks["scaling-rates"]
    assert "| 20 x ml.c5.xlarge | 13.9 |" in blocks["scaling-billion"]
    assert "the function for 8.9 ms" in blocks["scaling-inputs"]


def test_without_a_time_that_it_hangs_on_it_says_which() -> None:
    run = results()
    run["figures"] = [figure for figure in run["figures"] if figure["part"] != "start"]
    with pytest.raises(Missing, match="^start / Lambda, cold to its first answer was not measured$"):
        scaling.blocks(run)


def test_the_page_has_the_tables_of_the_published_results() -> None:
    page = (publish.DOCS / "scaling.md").read_text(encoding="utf-8")
    blocks = scaling.blocks(published.read())
    assert pages.fill(page, blocks) == page
    assert pages.read_blocks(page).keys() == blocks.keys()


def test_cold_copies_are_counted_until_the_first_ones_are_warm() -> None:
    slow = INPUTS._replace(cold=2.0)
    assert scaling.fleet(100_000, slow).cold == pytest.approx(200_400, rel=0.02)
