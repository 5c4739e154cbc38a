"""Fit the model to someone's own labelled reviews, and compare models."""

import os

# Numpy reads this once, when it is imported. On matrices of a few hundred columns the threads of its linear
# algebra wait more than they compute: beside other work, a fit with them took a hundred times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
