"""Describe the machine on which a time was measured."""

import os
import platform
import re
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def describe(cores: int | None = None) -> str:
    """Return the cores' number and kind (default: all): ``describe(1)`` -> ``"1 core of AMD EPYC 7B13"``."""
    count = cores or os.cpu_count() or 1
    return f"{count} core{'s' if count > 1 else ''} of {_processor()}"


def _processor() -> str:
    if CPUINFO.is_file():
        model = re.search(r"^model name\s*:\s*(.+)$", CPUINFO.read_text(encoding="utf-8"), re.MULTILINE)
        if model:
            return " ".join(model[1].split())
    return platform.processor() or platform.machine() or "an unnamed processor"
