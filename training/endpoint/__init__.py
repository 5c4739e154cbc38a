"""Serve the model: the endpoint's hooks, the images' entry files, and a local SageMaker endpoint."""

import os

# Numpy reads this once, when it is imported. On a review's small matrices the threads of its linear algebra
# mostly wait for each other, and a waiting thread keeps its core busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
