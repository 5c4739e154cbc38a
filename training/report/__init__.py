"""The report over a file of reviews: figures with intervals, and what moved them."""

import os

# Before numpy is imported: threads of its own would keep processes from being forked.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
