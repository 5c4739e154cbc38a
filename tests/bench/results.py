"""Build a results file as `make bench` writes it, with made-up figures."""

from typing import Any

from bench import bench, goals
from bench.measuring import Figure


def results(**medians: float) -> dict[str, Any]:
    """Return results with 2.0 ms in every figure but ``medians`` (by ``part / name``) and a missing one."""
    figures = [
        made_up(part, name, medians.get(f"{part} / {name}", 2.0))
        for part, names in bench.every_name().items()
        for name in names
    ]
    missing = Figure("training", "Verdict, minutes to 91%", missing="measured with --long alone")
    figures = [missing if (figure.part, figure.name) == missing[:2] else figure for figure in figures]
    return {
        "date": "2026-11-25",
        "command": "make bench",
        "seconds": 600,
        "load_before": 0.1,
        "machine": {
            "processor": "2 cores of Some CPU",
            "cores": 2,
            "physical_cores": 2,
            "memory_gb": 8.0,
            "system": "Linux 6",
            "python": "3.11.7",
        },
        "versions": {"numpy": "2.0"},
        "figures": [figure._asdict() for figure in figures],
        "ratios": goals.ratios(figures),
    }


def made_up(part: str, name: str, median: float) -> Figure:
    """Return a figure of nine runs in one turn."""
    return Figure(part, name, unit_of(part, name), median, 1.0, 3.0, 9, turns=(median,))


def unit_of(part: str, name: str) -> str:
    """Return a plausible unit for a part."""
    return {"bulk": "reviews/s", "cost": "$"}.get(part, "ms")
