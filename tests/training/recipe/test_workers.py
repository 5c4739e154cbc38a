"""The processes that share a training: how one leaves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAINING = Path(__file__).resolve().parents[3] / "training"
CODE = (
    "import atexit, workers;"
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
        cwd=TRAINING,
        env=os.environ | {"WORLD_SIZE": processes},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, printed)
