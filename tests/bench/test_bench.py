"""The benchmark's run: every figure is there or says why not, and what can't be published isn't."""

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


def test_what_a_part_can_t_give_is_there_with_its_reason(setting: Setting) -> None:
    found = bench.complete("text", ("first", "second"), one_then(Missing("no such thing here")), setting)
    assert [(one.name, one.median, one.missing) for one in found] == [
        ("first", None, "no such thing here"),
        ("second", 1.0, ""),
    ]


def test_a_part_that_fails_loses_only_its_own_figures(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench.complete("text", ("first", "second"), one_then(KeyError("x")), setting)
    assert (found[0].missing, found[1].median) == ("it failed: KeyError", 1.0)
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
    found = [(one.part, one.name) for one in bench.run(setting)]
    assert found == [(part, name) for part, names in bench.every_name().items() for name in names]
    assert len(set(found)) == len(found)


def test_each_goal_and_each_ratio_is_about_figures_that_exist() -> None:
    every = {(part, name) for part, names in bench.every_name().items() for name in names}
    named = {goal.figure for goal in goals.GOALS} | {goal.to for goal in goals.GOALS if goal.to}
    named |= {key for pair in goals.RATIOS.values() for key in pair}
    assert named <= every


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


def test_told_so_a_busy_machine_is_measured_and_the_file_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (64.0, 0.0, 0.0))
    monkeypatch.setattr(bench.samples, "find", lambda: None)
    monkeypatch.setattr(bench, "PARTS", {"text": (("second",), one_then(None))})
    bench.main(["--busy", "--only", "text", "--out", str(tmp_path / "out.json")])
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (found["busy"], found["load_before"]) == (True, 64.0)
    assert found["figures"][0]["median"] == 1.0
    assert {"machine", "versions", "ratios", "date", "quick"} <= found.keys()


def test_a_quiet_machine_is_not_refused() -> None:
    measuring.check_load(0.4, 2)
    with pytest.raises(measuring.BusyError):
        measuring.check_load(0.6, 2)


@pytest.mark.parametrize(
    "command", ["bench.py --help", "check.py --help", "scaling.py", "vader_api.py --help"]
)
def test_each_script_finds_its_modules_from_anywhere(command: str, tmp_path: Path) -> None:
    script, *flags = command.split()
    path = Path(bench.__file__).with_name(script)
    done = subprocess.run(
        [sys.executable, str(path), *flags], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
