"""The machine's name beside a time: how many cores, of which processor."""

import os
import platform
from pathlib import Path

import pytest

from training.evaluation import machine

CPUINFO = "processor\t: 0\nmodel name\t: Some  CPU @ 2GHz \nflags\t: x\nprocessor\t: 1\nmodel name\t: Other\n"


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(CPUINFO, encoding="utf-8")
    monkeypatch.setattr(machine, "CPUINFO", path)
    return path


@pytest.mark.parametrize(("cores", "said"), [(1, "1 core of"), (2, "2 cores of"), (16, "16 cores of")])
def test_the_cores_that_were_used_are_counted(cores: int, said: str, cpuinfo: Path) -> None:
    assert machine.describe(cores) == f"{said} Some CPU @ 2GHz"


def test_all_cores_are_meant_unless_said(cpuinfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert machine.describe() == "7 cores of Some CPU @ 2GHz"


@pytest.mark.parametrize("kept", ["no such line\n", None])
def test_without_a_model_name_the_processor_is_python_s(
    kept: str | None, cpuinfo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo.unlink() if kept is None else cpuinfo.write_text(kept, encoding="utf-8")
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert machine.describe(1) == "1 core of arm64"
    monkeypatch.setattr(platform, "machine", lambda: "")
    assert machine.describe(1) == "1 core of an unnamed processor"
