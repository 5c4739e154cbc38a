"""Attacks on Verdict: short ones among the tests, long ones by `make torture`."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# What pytest's setting `pythonpath` gives the tests, for `python -m tests.torture`.
sys.path += [str(_ROOT / name) for name in ("chalice_app", "training") if str(_ROOT / name) not in sys.path]
