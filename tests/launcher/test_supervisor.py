"""supervisor.py: the output of a process, line by line."""

import os
import sys
import time
from pathlib import Path

import pytest

from launcher.supervisor import Program, Supervisor


def test_what_a_process_prints_is_passed_on_by_lines_and_to_its_last_byte(
    capsys: pytest.CaptureFixture[str],
) -> None:
    prints = r"printf 'begun, '; sleep 0.2; printf 'ended\nwhole\n\n\303'; sleep 0.2; printf '\251 last'"
    supervisor = Supervisor({"one": Program(f'sh -c "{prints}"', dict(os.environ))})
    supervisor.start()
    assert supervisor.wait() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "one       | begun, ended",
        "one       | whole",
        "one       | ",
        "one       | é last",
        "run: one ended by itself (status 0), so the others are stopped too",
    ]


class Slow(Supervisor):
    """A supervisor whose printing takes a while."""

    def print(self, line: str) -> None:
        time.sleep(0.2)
        super().print(line)


def test_what_a_process_prints_at_its_end_is_passed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = tmp_path / "ready"
    code = (
        "import pathlib, signal, sys; "
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('answered'))); "
        f"pathlib.Path('{ready}').touch(); signal.pause()"
    )
    supervisor = Slow({"one": Program(f'{sys.executable} -c "{code}"', dict(os.environ))})
    supervisor.start()
    while not ready.exists():
        time.sleep(0.01)
    supervisor.stop(0)
    assert supervisor.wait() == 0
    assert capsys.readouterr().out.endswith("| answered\n")
