"""Measure what `make serve` does for many callers at once: verdicts a second, and its memory."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

from bench import processes
from bench.http_rows import running_stack
from bench.measuring import Figure, Missing, single, summarise
from bench.setting import Setting
from chalice_app.local import rsgi_server
from tests.torture.load import Callers, Outcome, closed_loop

PART = "serve"
CAPACITY, MEMORY = "Verdict, by make serve", "memory of a process of make serve"
NAMES = (CAPACITY, MEMORY)
# Each caller has a review of its own, and sends it again after each answer.
CALLERS = 32


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield verdicts a second in each turn, and the memory of a process after all turns."""
    turns, seconds = int(setting.choose(2, 6)), setting.choose(1, 5)
    with running_stack("--serve") as stack:
        measured = asyncio.run(rates(stack.api, setting.samples.reviews[:CALLERS], turns, seconds))
        yield summarise(PART, CAPACITY, measured, "reviews/s", f"{CALLERS} callers on the same cores")
        count = rsgi_server.processes(None)
        memory = processes.memory_mb(stack.pid_of("api")) / count
        yield single(PART, MEMORY, memory, "MB", f"of {count}, the first one's added; shared pages once")


async def rates(url: str, reviews: Sequence[str], turns: int, seconds: float) -> list[float]:
    """Return the verdicts a second of each turn, after one that does not count. Raises Missing."""
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(Callers(url, review)) for review in reviews]
        outcomes = [await _turn(callers, seconds) for _ in range(turns + 1)]
    kinds = {outcome.kind for turn in outcomes for outcome in turn} - {"200"}
    if kinds:
        raise Missing(f"a request ended with {', '.join(sorted(kinds))}")
    return [len(turn) / seconds for turn in outcomes[1:]]


async def _turn(callers: Sequence[Callers], seconds: float) -> list[Outcome]:
    each = await asyncio.gather(*(closed_loop(one, 1, seconds) for one in callers))
    return [outcome for outcomes in each for outcome in outcomes]
