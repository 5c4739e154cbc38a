"""The folder that keeps downloads and the outputs of training stages."""

import os
from pathlib import Path


def folder() -> Path:
    """Return the cache folder: ``VERDICT_CACHE``, or ``~/.cache/verdict``."""
    return Path(os.environ.get("VERDICT_CACHE") or Path.home() / ".cache" / "verdict")
