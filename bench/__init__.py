"""Measure Verdict's speed, size and cost beside alternatives."""

import os

import training

# One thread each, to compare work instead of cores. Libraries read these at import.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
training.explain_missing()
