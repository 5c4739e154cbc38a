"""`verdict completion`: what a real bash offers, and the scripts for the other shells."""

import argparse
import subprocess
from pathlib import Path

import pytest

from tests.support.command import verdict
from verdict_sentiment import cli, completion

pytestmark = pytest.mark.slow

# Asks bash for the completions of a command line, as the Tab key does.
ASK = """
source "$1"; shift
compopt() { :; }  # works only inside a completion that the Tab key has started
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_shtab_verdict
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ran = verdict("completion", "bash")
    assert (ran.status, ran.err) == (0, "")
    path = tmp_path_factory.mktemp("completion") / "verdict.bash"
    path.write_text(ran.out, encoding="utf-8")
    return path


def offered(script: Path, *words: str, cwd: Path) -> set[str]:
    """Return what bash offers for the last word of a command line."""
    command = ["bash", "--norc", "-c", ASK, "bash", str(script), "verdict", *words]
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    return set(ran.stdout.split())


def test_bash_offers_every_command(script: Path, tmp_path: Path) -> None:
    assert offered(script, "", cwd=tmp_path) == set(cli.COMMANDS)
    assert offered(script, "ad", cwd=tmp_path) == {"adapt"}


def test_bash_offers_the_flags_of_the_command_that_was_typed(script: Path, tmp_path: Path) -> None:
    assert offered(script, "--ex", cwd=tmp_path) == {"--explain"}
    assert offered(script, "adapt", "my.csv", "--deep", "--do", cwd=tmp_path) == {"--doubts"}
    assert offered(script, "feedback", "delete", "--", cwd=tmp_path) == {"--help", "--all", "--yes", "--from"}
    assert offered(script, "watch", "--lab", cwd=tmp_path) == {"--label", "--labelled"}


def test_bash_offers_the_values_of_a_flag(script: Path, tmp_path: Path) -> None:
    assert offered(script, "--explain", "", cwd=tmp_path) == {"none", "sentences", "words"}
    assert offered(script, "completion", "", cwd=tmp_path) == {"bash", "zsh", "fish"}


def test_bash_offers_files_where_a_path_is_wanted(script: Path, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").touch()
    (tmp_path / "my-model").mkdir()
    assert offered(script, "report", "rev", cwd=tmp_path) == {"reviews.csv"}
    assert offered(script, "report", "-o", "rev", cwd=tmp_path) == {"reviews.csv"}
    assert offered(script, "compare", "a", "my", cwd=tmp_path) == {"my-model"}
    assert offered(script, "serve", "--model", "my", cwd=tmp_path) == {"my-model"}
    # Without a command of that name, bash goes on to files.
    assert offered(script, "rev", cwd=tmp_path) == set()
    assert "complete -o bashdefault -o default -F _shtab_verdict verdict" in script.read_text("utf-8")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_get_every_command_and_files(shell: str) -> None:
    ran = verdict("completion", shell)
    assert (ran.status, ran.err) == (0, "")
    assert all(f"{name}" in ran.out for name in cli.COMMANDS)
    assert completion.FILES_TOO[shell][1] in ran.out


def test_a_program_whose_libraries_are_missing_is_completed_by_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = argparse.ArgumentParser(prog="verdict")
    assert completion.print_script(["bash"], root, {"adapt": ("fit", lambda: None)}) == 0
    assert "_shtab_verdict_subparsers=(adapt)" in capsys.readouterr().out


def test_an_unknown_shell_is_refused() -> None:
    ran = verdict("completion", "nosuch")
    assert ran.status == 2
    assert "invalid choice: 'nosuch'" in ran.err
