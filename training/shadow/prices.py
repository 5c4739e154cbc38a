"""Estimate a comparison's dollars by the list prices in training/aws, without taxes and free tiers."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "aws"
SERVICES, MACHINES = FOLDER / "list_prices.json", FOLDER / "prices.json"
# A machine for `make serve`.
MACHINE = "c7g.large"
COMPREHEND = "Amazon Comprehend"


def comprehend_units(text: str) -> int:
    """Return the units that Comprehend charges for a text.

    >>> comprehend_units("short"), comprehend_units("x" * 401)
    (3, 5)
    """
    service = _comprehend()
    return int(max(service["least_units"], math.ceil(len(text) / service["unit_characters"])))


def comprehend_dollars(units: int) -> float:
    """Return the price of so many units."""
    return float(units * _comprehend()["unit"])


def comprehend_source() -> str:
    """Return where Comprehend's price comes from, with its date."""
    return f"list price of {_table(SERVICES)['date']}, {_comprehend()['source']}"


def machine_hour() -> float:
    """Return the dollars an hour of MACHINE."""
    return float(_table(MACHINES)["machine_hour"][MACHINE])


def machine_dollars(seconds: float, hour: float) -> float:
    """Return the price of a machine for so many seconds."""
    return seconds / 3600 * hour


def _comprehend() -> dict[str, Any]:
    return dict(_table(SERVICES)["services"][COMPREHEND])


@cache
def _table(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))
