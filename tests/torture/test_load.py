"""Each request has one outcome under overload and while processes are killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.stack import Stack, alive
from tests.torture import load
from tests.torture.load import BROKEN, WRONG, Callers, Outcome
from tests.torture.stress import served
from tests.torture.watch import Sample, Watch, grows, open_files, slope

RATE, SECONDS = 150.0, 4.0
SENT = int(RATE * SECONDS)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with served() as running:
        yield running


async def under_load(stack: Stack, killed: int) -> list[Outcome]:
    """Load the app while a process is killed; then send requests until one gets a verdict."""
    async with Callers(stack.api) as callers:
        load_task = asyncio.create_task(load.open_loop(callers, RATE, SECONDS))
        await asyncio.sleep(SECONDS / 8)
        os.kill(killed, signal.SIGKILL)
        outcomes = await load_task
        while (await callers.send(0.0)).kind != "200":
            await asyncio.sleep(0.1)
        return outcomes


def test_a_flood_is_answered_or_told_to_come_back(stack: Stack) -> None:
    async def flood() -> list[Outcome]:
        async with Callers(stack.api) as callers:
            return await load.open_loop(callers, 4_000, 0.5)

    outcomes = asyncio.run(flood())
    assert load.count_kinds(outcomes).keys() <= {"200", "503"}
    assert len(outcomes) == 2_000
    refused = [outcome for outcome in outcomes if outcome.kind == "503"]
    assert refused and all(outcome.retry_after for outcome in refused)


def test_a_killed_api_is_started_again_and_every_request_has_one_outcome(stack: Stack) -> None:
    pid = stack.pid_of("api")
    outcomes = asyncio.run(under_load(stack, killed=pid))
    assert len({outcome.id for outcome in outcomes}) == len(outcomes) == SENT
    assert load.count_kinds(outcomes).keys() <= {"200", "503", BROKEN}
    assert stack.pid_of("api") != pid


def test_a_killed_process_of_the_api_is_replaced_and_every_request_has_one_outcome(stack: Stack) -> None:
    pid = stack.pid_of("api")
    worker = psutil.Process(pid).children()[0]
    outcomes = asyncio.run(under_load(stack, killed=worker.pid))
    assert len({outcome.id for outcome in outcomes}) == len(outcomes) == SENT
    assert load.count_kinds(outcomes).keys() <= {"200", "503", BROKEN}
    assert load.count_kinds(outcomes)["200"] > SENT / 2
    assert stack.pid_of("api") == pid and not alive(worker.pid)


def test_a_wrong_verdict_is_reported(stack: Stack) -> None:
    async def send() -> Outcome:
        async with Callers(stack.api) as callers:
            callers.expected = callers.expected.replace(b"tive", b"tion")
            return await callers.send(0.0)

    assert asyncio.run(send()).kind == WRONG


def test_memory_that_a_fork_shares_counts_once() -> None:
    code = "import os; held = bytearray(80 << 20); os.fork(); print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert process.stdin and process.stdout
        assert [process.stdout.readline() for _ in range(2)] == [b"\n"] * 2
        with Watch({"one": process.pid}) as watch:
            pass
        process.stdin.write(b"\n\n")
    assert 80 < watch.samples["one"][0].memory < 140


def samples(*memory: float) -> list[Sample]:
    return [Sample(float(at), size, 0.0) for at, size in enumerate(memory)]


def test_growth_during_the_warm_up_is_no_leak() -> None:
    warming = samples(*range(40), *[100.0] * 120)
    assert slope(warming) == 0.0
    assert not grows(warming)


def test_steady_growth_is_a_leak() -> None:
    growing = samples(*(100 + at / 2 for at in range(160)))
    assert slope(growing) == pytest.approx(30.0)
    assert grows(growing)


def test_an_open_file_is_counted(tmp_path: Path) -> None:
    before = open_files(os.getpid())
    with (tmp_path / "file").open("w"):
        assert open_files(os.getpid()) == before + 1
