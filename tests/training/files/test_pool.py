"""The pool of processes: results in order, few in memory, and no wait for what can't come any more."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from training.endpoint.inference import LoadedModel
from training.files import pool

pytestmark = [
    pytest.mark.slow,
    # A fork is tested here also while a runner of tests has threads.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
ROOT = Path(__file__).resolve().parents[3]
WAIT_SECONDS = 300


@pytest.fixture(
    params=[True, False] if sys.platform == "linux" else [False],
    ids=lambda forks: "fork" if forks else "spawn",
)
def forks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways to start a process, also while other tests' threads allow only the second."""
    monkeypatch.setattr(pool, "can_fork", lambda: request.param)
    return bool(request.param)


@pytest.fixture
def run(forks: bool, package: Path, model: LoadedModel) -> Iterator[pool.Pool]:
    """A pool of two that calls the task that it gets."""
    with pool.open_pool(call, package, model, 2) as opened:
        yield opened


def call(model: LoadedModel, task: Callable[[LoadedModel], object]) -> object:
    return task(model)


def identity(model: LoadedModel) -> str:
    return model.identity.id


def own_pid(_: object) -> int:
    time.sleep(0.02)  # so that one process can't do the tasks of both
    return os.getpid()


def hears_ctrl_c(_: object) -> bool:
    return signal.getsignal(signal.SIGINT) != signal.SIG_IGN


def fail(_: object) -> None:
    raise ZeroDivisionError("a task's own error")


def die(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_halfway(_: object) -> bytes:
    """Send half of the result, and die."""

    def send_half(connection: Connection, data: bytes) -> None:
        os.write(connection.fileno(), len(data).to_bytes(4, "big") + bytes(data[: len(data) // 2]))
        die(None)

    Connection._send_bytes = send_half  # type: ignore[attr-defined]
    return b"x" * 1000


class Nap:
    """Sleep, then return the seconds slept."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, _: object) -> float:
        time.sleep(self.seconds)
        return self.seconds


class Big:
    """Return a large result of a large task."""

    def __init__(self, size: int) -> None:
        self.data = bytes(size)

    def __call__(self, _: object) -> bytes:
        return self.data


def test_each_process_has_the_model_and_takes_part(run: pool.Pool, model: LoadedModel) -> None:
    found = list(run.map([identity, *[own_pid] * 40]))
    assert found[0] == model.identity.id
    assert set(found[1:]) == {worker.process.pid for worker in run.workers}
    assert len(run.workers) == 2


def test_results_come_in_the_order_of_their_tasks(run: pool.Pool) -> None:
    seconds = [0.2, 0.01, 0.0, 0.03, 0.0, 0.1, 0.0]
    assert list(run.map(map(Nap, seconds))) == seconds


def test_tasks_and_results_larger_than_a_pipe_block_nobody(run: pool.Pool) -> None:
    assert [len(data) for data in run.map(Big(3_000_000) for _ in range(12))] == [3_000_000] * 12  # type: ignore[arg-type]


def test_tasks_are_taken_only_as_they_are_needed(run: pool.Pool) -> None:
    taken = 0

    def tasks() -> Iterator[Nap]:
        nonlocal taken
        for taken in itertools.count(1):  # noqa: B007
            yield Nap(0.001 if taken > 1 else 0.5)

    results = run.map(tasks())
    for count in range(1, 200):
        next(results)
        assert taken <= count + pool.AHEAD * len(run.workers)
    assert taken > 100


def test_no_task_has_no_result(run: pool.Pool) -> None:
    assert list(run.map([])) == []


def test_a_pool_whose_results_were_all_taken_takes_other_tasks(run: pool.Pool, model: LoadedModel) -> None:
    for count in (3, 0, 40):
        assert list(run.map([identity] * count)) == [model.identity.id] * count


def test_no_process_hears_ctrl_c(run: pool.Pool) -> None:
    heard = signal.getsignal(signal.SIGINT)
    assert list(run.map([hears_ctrl_c] * 4)) == [False] * 4
    assert signal.getsignal(signal.SIGINT) is heard
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_the_error_of_a_task_is_raised_here(run: pool.Pool) -> None:
    with pytest.raises(ZeroDivisionError, match="a task's own error"):
        list(run.map([identity, fail]))


@pytest.mark.parametrize("task", [die, die_halfway])
def test_a_process_that_dies_is_noticed_at_once(run: pool.Pool, task: Callable[[object], None]) -> None:
    with pytest.raises(pool.DiedError):
        list(run.map([*[identity] * 5, task, *[identity] * 100]))


def test_a_process_that_died_before_its_task_is_noticed(run: pool.Pool) -> None:
    run.workers[0].process.kill()
    run.workers[0].process.join()
    with pytest.raises(pool.DiedError):
        list(run.map([identity] * 10))


def test_no_process_outlives_the_block(forks: bool, package: Path, model: LoadedModel) -> None:
    with pytest.raises(KeyboardInterrupt):
        with pool.open_pool(call, package, model, 2) as opened:
            processes = [worker.process for worker in opened.workers]
            next(opened.map([identity, *[Nap(600)] * 4]))
            raise KeyboardInterrupt
    assert not any(process.is_alive() for process in processes)
    assert not multiprocessing.active_children()


def test_processes_end_with_a_parent_that_is_killed(forks: bool) -> None:
    code = f"""
import os, signal
from tests.training.files.test_pool import Nap, call, own_pid
from training.endpoint.inference import MODEL_FOLDER, model_fn
from training.files import pool
pool.can_fork = lambda: {forks}
with pool.open_pool(call, MODEL_FOLDER, model_fn(MODEL_FOLDER), 3) as opened:
    pids = [worker.process.pid for worker in opened.workers]
    results = opened.map([own_pid] * 3 + [Nap(600)] * 3)
    next(results), next(results), next(results)
    print(*pids, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    # Its output ends only when the processes have ended, which inherit it.
    done = subprocess.run(
        [sys.executable, "-c", f"if __name__ == '__main__':{code.replace(chr(10), chr(10) + '    ')}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
    assert len(done.stdout.split()) == 3


def test_no_process_runs_the_program_again(forks: bool, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"""
from tests.training.files.test_pool import call, identity
from training.endpoint.inference import MODEL_FOLDER, model_fn
from training.files import pool
print("run")
pool.can_fork = lambda: {forks}
with pool.open_pool(call, MODEL_FOLDER, model_fn(MODEL_FOLDER), 2) as opened:
    print(len(set(opened.map([identity] * 10))))
import __main__
print(__main__.__file__ == __file__)
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "run\n1\nTrue\n", "")


def test_a_process_with_threads_does_not_fork() -> None:
    other = threading.Event()
    thread = threading.Thread(target=other.wait)
    thread.start()
    try:
        assert not pool.can_fork()
    finally:
        other.set()
        thread.join()


def test_a_process_with_a_model_and_no_thread_forks_on_linux() -> None:
    code = (
        "from training.endpoint.inference import MODEL_FOLDER, model_fn\n"
        "from training.files import pool\n"
        "model_fn(MODEL_FOLDER).predict('A fine <b>film</b>.')\n"
        "print(pool.can_fork())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{sys.platform == 'linux'}\n"
