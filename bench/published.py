"""Read the published benchmark."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")
# The last run published on another kind of processor.
BESIDE = RESULTS.with_name("results-beside.json")


def read(path: Path = RESULTS) -> dict[str, Any] | None:
    """Return the results of a published run, or None without one."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
