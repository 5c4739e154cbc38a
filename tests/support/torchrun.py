"""Run a script of this folder in two processes, as torchrun does, on loopback."""

import os
import subprocess
import sys
from pathlib import Path


def in_two_processes(script: str, *arguments: str) -> str:
    """Return what the processes printed; fail with their errors."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"),
            *(str(Path(__file__).with_name(script)), *arguments),
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
