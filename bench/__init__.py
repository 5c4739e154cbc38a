"""Measure Verdict's speed, size and cost beside what one would pick instead."""

import os

# One thread each, set before a library looks: this compares the work, not the cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
