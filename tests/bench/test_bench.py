"""A run of the benchmark: every figure or its reason, and no publication of partial runs."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import bench, goals, measuring
from bench.measuring import Figure, Missing
from bench.setting import Setting


def one_then(error: Exception | None) -> Any:
    def measure(setting: Setting) -> Iterator[Figure]:
        yield Figure("text", "second", "ms", 1.0)
        if error:
            raise error

    return measure


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(None, tmp_path, quick=True)  # type: ignore[arg-type]


def test_a_figure_that_can_t_be_measured_has_its_reason(setting: Setting) -> None:
    figures = bench.complete("text", ("first", "second"), one_then(Missing("no such thing here")), setting)
    assert [(figure.name, figure.median, figure.missing) for figure in figures] == [
        ("first", None, "no such thing here"),
        ("second", 1.0, ""),
    ]


def test_a_part_that_fails_loses_only_its_own_figures(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = bench.complete("text", ("first", "second"), one_then(KeyError("x")), setting)
    assert (figures[0].missing, figures[1].median) == ("it failed: KeyError", 1.0)
    assert "KeyError" in capsys.readouterr().err


def test_a_figure_that_a_part_forgets_is_noticed(setting: Setting) -> None:
    (first, _) = bench.complete("text", ("first", "second"), one_then(None), setting)
    assert first.missing == "this part does not give it"


def test_the_results_have_every_figure_of_every_part(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(setting: Setting) -> Iterator[Figure]:
        raise Missing("not here")
        yield

    monkeypatch.setattr(bench, "PARTS", {name: (names, nothing) for name, (names, _) in bench.PARTS.items()})
    keys = [(figure.part, figure.name) for figure in bench.run(setting)]
    assert keys == [(part, name) for part, names in bench.every_name().items() for name in names]
    assert len(set(keys)) == len(keys)


def test_each_goal_and_each_ratio_is_about_figures_that_exist() -> None:
    every = {(part, name) for part, names in bench.every_name().items() for name in names}
    keys = {goal.figure for goal in goals.GOALS} | {goal.to for goal in goals.GOALS if goal.to}
    keys |= {key for pair in goals.RATIOS.values() for key in pair}
    assert keys <= every


@pytest.mark.parametrize("flags", [["--quick"], ["--busy"], ["--only", "text"]])
def test_only_a_full_run_of_a_quiet_machine_can_be_published(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bench.parse(["--publish", *flags])
    assert "a full run on a quiet machine" in capsys.readouterr().err


def test_a_busy_machine_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (64.0, 0.0, 0.0))
    wait = functools.partial(measuring.wait_until_quiet, seconds=0.0)
    monkeypatch.setattr(measuring, "wait_until_quiet", wait)
    with pytest.raises(SystemExit, match=r"^bench: the load average is 64.00, over .*wait until"):
        bench.main(["--only", "text"])


def test_with_busy_a_busy_machine_is_measured_and_the_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (64.0, 0.0, 0.0))
    monkeypatch.setattr(bench.samples, "find", lambda: None)
    monkeypatch.setattr(bench, "PARTS", {"text": (("second",), one_then(None))})
    bench.main(["--busy", "--only", "text", "--out", str(tmp_path / "out.json")])
    results = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (results["busy"], results["load_before"]) == (True, 64.0)
    assert results["figures"][0]["median"] == 1.0
    assert {"machine", "versions", "ratios", "date", "quick"} <= results.keys()


def test_a_quiet_machine_is_not_refused() -> None:
    measuring.check_load(0.4, 2)
    with pytest.raises(measuring.BusyError):
        measuring.check_load(0.6, 2)


@pytest.mark.parametrize(
    "command", ["bench.bench --help", "bench.check --help", "bench.scaling", "bench.vader_api --help"]
)
def test_each_command_finds_its_modules_from_anywhere(command: str, tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert process.returncode == 0, process.stderr
