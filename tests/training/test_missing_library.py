"""A command that lacks a library says so in one sentence; other errors keep their traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import ROOT
from training import sentence_of


@pytest.mark.parametrize(
    ("module", "library"),
    [("training.aws.deploy", "boto3"), ("bench.bench", "numpy"), ("tools.sbom", "cyclonedx")],
)
def test_a_command_without_a_library_ends_with_one_sentence(
    module: str, library: str, tmp_path: Path
) -> None:
    # As in an environment without it: Python finds the name, and the import fails.
    blocked = f"raise ModuleNotFoundError(\"No module named '{library}'\", name='{library}')\n"
    (tmp_path / f"{library}.py").write_text(blocked, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "chalice_app")])}
    done = subprocess.run([sys.executable, "-m", module], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"this Python lacks {library}; ")


def test_a_program_that_imports_us_keeps_its_traceback(tmp_path: Path) -> None:
    code = "import training, sys; import nothing_of_this_name"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError(name="training.aws.x"), ImportError("x"), ValueError("x")]
)
def test_other_errors_and_faults_of_ours_have_no_sentence(error: BaseException) -> None:
    assert sentence_of(error) is None


def test_an_interrupt_while_a_command_starts_is_one_word() -> None:
    assert sentence_of(KeyboardInterrupt()) == "interrupted"
