"""The page's modules that need no DOM, tested by Node: each *.test.mjs beside this file."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
SECONDS = 300


def test_modules_pass_their_node_tests(node: str) -> None:
    files = sorted(map(str, HERE.glob("*.test.mjs")))
    assert files
    done = subprocess.run(
        [node, "--experimental-detect-module", "--test", "--test-reporter=spec", *files],
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    )
    output = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, output
    assert "fail 0" in output and "skipped 0" in output, output
