"""The rehearsal: everything from deploy to destroy in one command, with the page in a real browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[1]
SECONDS = 900
STEPS = [
    "deploy",
    "deploy again",
    "page in a browser",
    "batch transform",
    "status",
    "another model",
    "model in a function",
    "destroy",
]


def test_all_of_it_is_made_used_and_removed(chromium: str, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    command = [sys.executable, "-m", "tests.support.rehearse", "--picture", str(picture)]
    env = os.environ | {"CHROMIUM": chromium}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    table = done.stdout.split("result\n")[-1].splitlines()
    assert [line[:20].strip() for line in table] == STEPS
    assert table[-1].endswith("resources removed, nothing is left")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_rehearsal_that_can_not_begin_ends() -> None:
    code = (
        "from tests.support import lambda_zip, rehearse\n"
        "def fail(*_): raise RuntimeError('no package today')\n"
        "lambda_zip.install_image = fail\n"
        "rehearse.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.endswith("RuntimeError: no package today\n")
