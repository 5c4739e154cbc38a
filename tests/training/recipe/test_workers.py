"""The processes that share a training: how one shares a batch and how one leaves."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.recipe.workers import Workers

ROOT = Path(__file__).resolve().parents[3]
CODE = (
    "import atexit; from training.recipe import workers;"
    "atexit.register(print, ', and the interpreter is taken down', end='');"
    "print('the work is done', end='');"
    "workers.leave()"
)


@pytest.mark.parametrize(
    "processes, printed",
    [("1", "the work is done, and the interpreter is taken down"), ("2", "the work is done")],
)
def test_a_process_that_shared_a_training_leaves_at_once(processes: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env=os.environ | {"WORLD_SIZE": processes},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, printed)


def test_shares_of_a_batch_weigh_as_the_whole_batch() -> None:
    rows = np.arange(10, 15)
    shares = [Workers(rank, 3).share(rows) for rank in range(3)]
    assert [own.tolist() for own, _ in shares] == [[10, 13], [11, 14], [12]]
    assert sum(weight * len(own) for own, weight in shares) / 3 == pytest.approx(1)


def test_a_process_without_a_row_gets_one_that_weighs_nothing() -> None:
    own, weight = Workers(2, 3).share(np.array([7, 8]))
    assert (own.tolist(), weight) == ([7], 0.0)
