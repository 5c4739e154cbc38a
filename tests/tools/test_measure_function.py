"""function.json: its medians, and a measurement of a function that does not answer."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import containers, lambda_zip
from tools import measure_function
from tools.measure_function import Run, summarise
from tools.measure_server import MEGABYTE
from training.aws import lambda_host


def test_times_are_medians_and_memory_is_the_highest() -> None:
    runs = [Run(1.0, 0.004, 90 * MEGABYTE), Run(3.0, 0.002, 150 * MEGABYTE), Run(2.0, 0.003, 100 * MEGABYTE)]
    assert summarise(runs, 33_848_228) == {
        "cold_seconds": 2.0,
        "warm_ms": 3.0,
        "peak_pss_mb": 150,
        "memory_mb": lambda_host.MEMORY_MB,
        "zip_mb": 33.8,
    }


def test_a_function_that_fails_ends_the_measurement_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.stopped = False

        def invoke(self, event: dict[str, Any]) -> dict[str, str]:
            return {"errorType": "Runtime.ImportModuleError"}

        def stop(self) -> None:
            stopped.append(True)

    stopped: list[bool] = []
    monkeypatch.setattr(measure_function, "LambdaEmulator", Failing)
    (tmp_path / "log").write_text("No module named numpy", encoding="utf-8")
    tools = lambda_zip.Toolchain("3.13", "python", tmp_path)
    with pytest.raises(containers.ServerError, match="No module named numpy"):
        measure_function.measure(tmp_path, tools, tmp_path / "log")
    assert stopped == [True]
