"""An ordinary unpickler runs harmful pickles; the vocabulary's reader refuses each with its reason."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import ROOT
from tests.torture.payloads import BREAKING

WAIT_SECONDS = 120
# These pickles have only plain opcodes, but wrong content.
PLAIN = {
    "nothing from the memo",
    "a huge frame",
    "a frame within a frame",
    "many marks",
    "lists in lists",
    "dicts in dicts",
    "a list in itself",
    "a key that has no hash",
    "no end",
    "an unknown protocol",
    "an empty file",
}


def results_of(action: str, folder: Path) -> dict[str, Any]:
    """Run the payloads in a separate process with limited memory."""
    command = [sys.executable, "-m", "tests.torture.payloads", action, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return results_of("refuse", tmp_path_factory.mktemp("refused"))


def test_over_250_payloads_are_live(tmp_path: Path) -> None:
    fired = results_of("fire", tmp_path)
    assert [name for name, has_mark in fired.items() if not has_mark] == []
    assert len(fired) > 250


def test_none_is_run_and_each_is_refused(refusals: dict[str, str]) -> None:
    assert len(refusals) > 280
    wrong = {name: refusal for name, refusal in refusals.items() if "vocabulary.pkl" not in refusal}
    assert wrong == {}


def test_each_is_refused_by_the_name_of_what_it_holds_before_anything_is_unpickled(
    refusals: dict[str, str],
) -> None:
    others = {name: refusal for name, refusal in refusals.items() if name not in PLAIN}
    unnamed = {name: refusal for name, refusal in others.items() if "of plain data (it holds " not in refusal}
    assert unnamed == {}
    assert PLAIN < BREAKING.keys()


def test_broken_plain_data_is_refused_with_the_reason(refusals: dict[str, str]) -> None:
    assert "no pickle of plain data (" in refusals["a huge frame"]
    assert "holds list, not a dict" in refusals["a list in itself"]
