"""The exit statuses: one table, and an end with a sentence."""

import subprocess
import sys

from vocab import exit_status


def test_every_status_has_its_meaning() -> None:
    named = {value for name, value in vars(exit_status).items() if name.isupper() and isinstance(value, int)}
    assert set(exit_status.MEANINGS) == named
    assert len(set(exit_status.MEANINGS.values())) == len(named)


def test_an_end_has_one_sentence_and_its_status() -> None:
    code = "from vocab.exit_status import Ended\nraise Ended('watch: no answer', 3)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", "watch: no answer\n")
