"""supervisor.py: the output of a process, line by line."""

import os

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
