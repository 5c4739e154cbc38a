"""The pool of processes: none that dies, even while it sends a result, lets the others wait."""

import os
import signal
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from training.files import processes

pytestmark = pytest.mark.slow


def _nothing(model: str) -> None:
    """Do nothing at a process's start."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_halfway() -> bytes:
    """Send half of the next result, and die."""

    def send_half(connection: Connection, data: bytes) -> None:
        os.write(connection.fileno(), len(data).to_bytes(4, "big") + bytes(data[: len(data) // 2]))
        _die()

    Connection._send_bytes = send_half  # type: ignore[attr-defined]
    return b"x" * 1000


@pytest.mark.parametrize("work", [_die, _die_halfway])
def test_a_process_that_dies_breaks_the_pool(work: object) -> None:
    with processes.start_pool(2, _nothing, Path("model")) as pool:
        future = processes.submit(pool, _call, work)
        with pytest.raises(BrokenProcessPool):
            processes.result_of(pool, future)


def test_a_pool_knows_its_processes() -> None:
    with processes.start_pool(2, _nothing, Path("model")) as pool:
        own = {processes.result_of(pool, processes.submit(pool, _pid, None)) for _ in range(20)}
        assert own <= {process.pid for process in pool.started}
        assert len(pool.started) == 2
    assert not any(process.is_alive() for process in pool.started)


def _call(work: object) -> object:
    return work()  # type: ignore[operator]


def _pid(_: object) -> int:
    return os.getpid()
