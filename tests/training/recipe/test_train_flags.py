"""train.py's flags read alike from a command line and from SageMaker, and without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.recipe import train_flags

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("flag", ["--resume", "--dry-run"])
@pytest.mark.parametrize(
    ("arguments", "expected"), [([], False), (["F"], True), (["F", "true"], True), (["F", "False"], False)]
)
def test_a_switch_may_stand_alone_or_with_a_value_as_sagemaker_gives_it(
    flag: str, arguments: list[str], expected: bool
) -> None:
    arguments = [flag if part == "F" else part for part in arguments]
    assert vars(train_flags.parse(arguments))[flag[2:].replace("-", "_")] is expected


def test_a_switch_with_another_value_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train_flags.parse(["--resume", "perhaps"])
    assert "takes true or false, or nothing for true, got 'perhaps'" in capsys.readouterr().err


def test_reading_the_flags_needs_no_torch() -> None:
    code = (
        "import sys; from training.recipe import train_flags;"
        " train_flags.parse([]); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_lessons_are_left_out_by_a_regular_expression_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert train_flags.parse(["--without-lessons", "^neutral "]).without_lessons == "^neutral "
    with pytest.raises(SystemExit):
        train_flags.parse(["--without-lessons", "("])
    assert "is no regular expression" in capsys.readouterr().err
