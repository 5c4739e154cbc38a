"""The types of words: they are the service's words, and a type checker catches others."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.support.command import ROOT, WAIT_SECONDS, environment
from verdict_sentiment import AspectSentiment, Explain, Label, Reason, Sentiment, WarningCode
from vocab import messages

GOOD = """
import asyncio
from collections.abc import AsyncIterator
from verdict_sentiment import AsyncVerdict, Explain, RateLimitedError, Verdict

level: Explain = "words"
verdict = Verdict("http://127.0.0.1")
answer = verdict.sentiment("good", level, "film", timeout=2)
if answer.sentiment == "uncertain" and answer.reason == "mixed":
    print(answer.confidence or 0.5, [part.text for part in answer.sentences or ()])
print([caveat for caveat in answer.warnings if caveat.code == "too_short"])
verdict.delete_feedback(verdict.send_feedback("good", "positive", answer.model.id))
results = verdict.batch(["good"], concurrency=4)
results.close()


async def reviews() -> AsyncIterator[str]:
    yield "good"


async def main() -> None:
    async with AsyncVerdict.local() as verdict:
        async for judged in verdict.batch(reviews(), concurrency=4, timeout=5):
            print(judged.verdict().probability)


try:
    asyncio.run(main())
except RateLimitedError as error:
    print(error.retry_after)
"""
# Each line is a mistake.
BAD = [
    'verdict.sentiment("good", explain="everything")',
    'verdict.batch(["good"], explain="word")',
    'verdict.send_feedback("good", "fine")',
    'print(answer.sentiment == "postive")',
    'print(answer.reason == "mixd")',
    'print(answer.warnings[0].code == "to_short")',
    "print(answer.confidence + 1)",
    'verdict.sentiment("good", timeout="2")',
]


def test_the_words_are_the_service_s() -> None:
    assert get_args(Explain) == messages.EXPLAIN
    assert get_args(Sentiment) == messages.SENTIMENTS
    assert get_args(AspectSentiment) == (*messages.SENTIMENTS, messages.NOT_MENTIONED)
    assert get_args(Label) == messages.SIDES
    assert set(get_args(Reason)) == set(messages.REASONS)


def test_the_warnings_are_the_documented_ones() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    table = page.split("| warning | meaning |")[1].split("\n\n")[0]
    assert set(get_args(WarningCode)) == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


@pytest.mark.slow
def test_a_type_checker_takes_good_code_and_catches_each_mistake(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    head = 'from verdict_sentiment import Verdict\nverdict = Verdict()\nanswer = verdict.sentiment("good")\n'
    (tmp_path / "bad.py").write_text("\n".join([head, *BAD]), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "good.py", "bad.py"],
        cwd=tmp_path,
        env=environment(MYPYPATH=f"{ROOT / 'client'}:{ROOT}"),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )
    lines = [line for line in checked.stdout.splitlines() if ": error: " in line]
    first = head.count("\n") + 2
    found = {int(line.split(":")[1]) for line in lines}
    assert {line.split(":")[0] for line in lines} == {"bad.py"}, checked.stdout
    assert found == set(range(first, first + len(BAD))), checked.stdout
