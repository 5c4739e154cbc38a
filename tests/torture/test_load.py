"""Under more than it can take, and while its processes are killed, each request has its one outcome."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stack import Stack
from tests.torture import load
from tests.torture.load import BROKEN, WRONG, Callers, Outcome
from tests.torture.stress import served
from tests.torture.watch import Sample, grows, open_files, slope

RATE, SECONDS = 150.0, 4.0
SENT = int(RATE * SECONDS)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with served() as running:
        yield running


async def under_load(stack: Stack, killed: str) -> list[Outcome]:
    """Ask at a rate, while a process is killed; then ask until all is fine again."""
    async with Callers(stack.api) as callers:
        going = asyncio.create_task(load.steadily(callers, RATE, SECONDS))
        await asyncio.sleep(SECONDS / 8)
        os.kill(stack.pid_of(killed), signal.SIGKILL)
        outcomes = await going
        while (await callers.ask(0.0)).kind != "200":
            await asyncio.sleep(0.1)
        return outcomes


def test_a_flood_is_answered_or_told_to_come_back(stack: Stack) -> None:
    async def flood() -> list[Outcome]:
        async with Callers(stack.api) as callers:
            return await load.steadily(callers, 4_000, 0.5)

    outcomes = asyncio.run(flood())
    assert load.kinds(outcomes).keys() <= {"200", "503"}
    assert len(outcomes) == 2_000
    refused = [one for one in outcomes if one.kind == "503"]
    assert refused and all(one.advised for one in refused)


@pytest.mark.parametrize("name", ["endpoint", "api"])
def test_a_killed_process_is_started_again_and_every_request_has_one_outcome(name: str, stack: Stack) -> None:
    pid = stack.pid_of(name)
    outcomes = asyncio.run(under_load(stack, killed=name))
    assert len({one.id for one in outcomes}) == len(outcomes) == SENT
    assert load.kinds(outcomes).keys() <= {"200", "502", "503", "504", BROKEN}
    assert stack.pid_of(name) != pid


def test_a_wrong_verdict_is_no_right_one(stack: Stack) -> None:
    async def ask() -> Outcome:
        async with Callers(stack.api) as callers:
            callers.expected = callers.expected.replace(b"positive", b"negative")
            return await callers.ask(0.0)

    assert asyncio.run(ask()).kind == WRONG


def samples(*memory: float) -> list[Sample]:
    return [Sample(float(at), size, 0.0) for at, size in enumerate(memory)]


def test_memory_that_is_taken_at_first_is_no_leak() -> None:
    warming = samples(*range(40), *[100.0] * 120)
    assert slope(warming) == 0.0
    assert not grows(warming)


def test_memory_that_is_never_given_back_is_a_leak() -> None:
    growing = samples(*(100 + at / 2 for at in range(160)))
    assert slope(growing) == pytest.approx(30.0)
    assert grows(growing)


def test_an_open_file_is_counted(tmp_path: Path) -> None:
    before = open_files(os.getpid())
    with (tmp_path / "file").open("w"):
        assert open_files(os.getpid()) == before + 1
