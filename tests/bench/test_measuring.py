"""Contestants take turns, and a figure has their median and spread."""

import pytest

from bench import measuring
from bench.measuring import Contestant, Figure


def test_contestants_take_turns_and_each_reads_its_own_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: next(clock) / 100)
    called: list[str] = []
    contestants = {
        "a": Contestant(lambda value: called.append(f"a{value}"), [1, 2, 3]),
        "b": Contestant(lambda value: called.append(f"b{value}"), [4]),
    }
    times = measuring.side_by_side(contestants, seconds=2)
    assert times.keys() == {"a", "b"}
    assert times["a"] and times["b"]
    assert set(called) == {"a1", "a2", "a3", "b4"}
    turns = "".join(name[0] for name in called)
    assert "ab" in turns and "ba" in turns


def test_the_first_call_of_a_turn_does_not_count() -> None:
    calls: list[int] = []
    times = measuring._turn(Contestant(calls.append, [7]), 0, 3, 60)
    assert (len(calls), len(times)) == (4, 3)


def test_a_call_that_outlasts_its_turn_is_still_timed_once() -> None:
    assert len(measuring._turn(Contestant(lambda value: None, [7]), 0, 100, -1)) == 1


def test_a_figure_has_the_median_and_both_ends_of_its_spread() -> None:
    figure = measuring.summarise("text", "Verdict", [float(value) for value in range(1, 12)])
    assert figure == Figure("text", "Verdict", "ms", 6.0, 2.0, 10.0, 11)


def test_a_figure_of_turns_has_each_turn_s_median() -> None:
    figure = measuring.summarise_turns("text", "Verdict", [[1.0, 2.0, 9.0], [4.0]], "a note")
    assert figure == Figure("text", "Verdict", "ms", 3.0, 1.3, 7.5, 4, "a note", turns=[2.0, 4.0])


def test_it_waits_until_earlier_work_leaves_the_load_average(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loads = iter([9.0, 8.0, 0.01])
    monkeypatch.setattr(measuring.os, "getloadavg", lambda: (next(loads), 0.0, 0.0))
    assert measuring.wait_until_quiet(pause=0.0) == 0.01
    assert capsys.readouterr().err == "waiting for a quiet machine (load average 9.00)\n"


def test_the_machine_and_the_versions_are_named() -> None:
    machine = measuring.describe_machine()
    assert 1 <= machine["physical_cores"] <= machine["cores"]
    assert "cores of" in machine["processor"] or "1 core of" in machine["processor"]
    assert measuring.versions()["numpy"] != "not installed"
