"""Run the command `verdict` from this checkout as its users do."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "verdict_sentiment")
# A generous limit for a busy machine; no passing test waits for it.
WAIT_SECONDS = 300


class Finished:
    """A finished command: its exit status and its output, as bytes and as text."""

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status, self.bytes = status, out
        self.out, self.err = out.decode(), err.decode()


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with an importable client and without variables of Verdict."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("VERDICT_")}
    return inherited | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'client'}"} | variables


def verdict(
    *arguments: str, stdin: bytes | None = b"", cwd: Path | None = None, **variables: str
) -> Finished:
    """Run the command to its end; ``stdin=None`` closes standard input."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(**variables),
        timeout=WAIT_SECONDS,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def start(
    *arguments: str, cwd: Path | None = None, stdout: IO[bytes] | int = subprocess.PIPE, **variables: str
) -> "subprocess.Popen[bytes]":
    """Start the command in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(**variables),
        start_new_session=True,
        # A test runner in the background passes on an ignored SIGINT; a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
