"""The report's figures: page and command agree on random tables; report.test.mjs reads the golden ones."""

import json
import os
import random
import subprocess
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.report_cases import Case, report_on

HERE = Path(__file__).parent
SECONDS = 120
WORDS = (
    "the a film films music score plot acting was is not very great good bad dull loved hated boring it's"
    " don't don\u2019t scenes bus story 3 masterpiece \u00fcber na\u00efve \U0001f600"
).split()
ASPECTS = ("music", "plot", "acting", "price", "\u00dfound", 'a "quoted" one')
UNCERTAIN = ("mixed", "no_opinion", "unclear", "not_english", "no_known_words")
# Rows, groups, and days from the first date to the last, on both sides of each limit.
ROWS = (1, 19, 90, 130, 320)
GROUPS = (0, 1, 3, 2, 30, 230)
SPANS = (1, 45, 46, 400, 401, 1500)


def random_case(seed: int) -> Case:
    """Return rows with any answers that an API could give."""
    draw = random.Random(seed)
    aspects = draw.sample(ASPECTS, draw.randint(0, 4))
    groups = [f"Film {place}" for place in range(GROUPS[seed % len(GROUPS)])]
    days = draw.choice(SPANS) if draw.random() < 0.85 else 0
    rows = [_row(draw, number, aspects, groups, days) for number in range(1, ROWS[seed % len(ROWS)] + 1)]
    rows[0] = {**rows[0], "answer": _answer(draw, aspects)}
    rows[0].pop("error", None)
    columns = {"review": "text", "date": "date" if days else None, "group": "film" if groups else None}
    options: dict[str, Any] = {
        "name": f"{seed}.csv",
        "model": "random",
        "columns": columns,
        "aspects": aspects,
        "aspects_from": "own" if aspects else "none",
    }
    return Case(options | _sides(draw, rows, days), rows)


def _sides(draw: random.Random, rows: list[dict[str, Any]], days: int) -> dict[str, Any]:
    present = Counter(row["group"] for row in rows if "answer" in row and row["group"])
    if len(present) > 1 and draw.random() < 0.4:
        return {"between": [name for name, _ in present.most_common(2)]}
    return {"since": _day(days // 2)} if days and draw.random() < 0.3 else {}


def _day(days: int) -> str:
    return (date(2023, 11, 20) + timedelta(days=days)).isoformat()


def _row(
    draw: random.Random, number: int, aspects: list[str], groups: list[str], days: int
) -> dict[str, Any]:
    group = draw.choice(groups) if groups and draw.random() < 0.9 else None
    row: dict[str, Any] = {
        "row": number,
        "date": _day(int(days * draw.random())) if days and draw.random() < 0.95 else None,
        "group": groups[0] if groups and draw.random() < 0.2 else group,
    }
    if draw.random() < 0.05:
        return row | {"error": "empty"}
    return row | {"answer": _answer(draw, aspects)}


def _answer(draw: random.Random, aspects: list[str]) -> dict[str, Any]:
    pieces = [" ".join(draw.choices(WORDS, k=draw.randint(1, 40))) + "." for _ in range(draw.randint(1, 6))]
    sentences, at = [], 0
    for piece in pieces:
        span = {"start": at, "end": at + len(piece)}
        sentences.append(span | {"contribution": _number(draw, 1.5), "alone": round(draw.random(), 6)})
        at += len(piece) + 1
    text = " ".join(pieces)
    sentiment = draw.choice(("positive", "positive", "negative", "uncertain"))
    return {
        "sentiment": sentiment,
        "reason": draw.choice(UNCERTAIN) if sentiment == "uncertain" else None,
        "probability": round(draw.random(), 6),
        "warnings": [{"code": "mixed", "detail": ""}] if draw.random() < 0.1 else [],
        "bias": _number(draw, 0.2),
        "text": text,
        "sentences": sentences,
        "words": _words(draw, text),
        "aspects": {name: _aspect(draw, sentences) for name in aspects},
    }


def _number(draw: random.Random, spread: float) -> float:
    return round(draw.gauss(0, spread), 6)


def _words(draw: random.Random, text: str) -> list[dict[str, Any]]:
    words, at = [], 0
    for word in text.split(" "):
        span = {"start": at, "end": at + len(word.rstrip(".")), "contribution": _number(draw, 0.1)}
        words.append(span | ({"effect": _number(draw, 0.5)} if draw.random() < 0.6 else {}))
        at += len(word) + 1
    return words


def _aspect(draw: random.Random, sentences: list[dict[str, Any]]) -> dict[str, Any]:
    if draw.random() < 0.5:
        return {"sentiment": "not_mentioned"}
    sentiment = draw.choice(("positive", "negative", "uncertain"))
    return {
        "sentiment": sentiment,
        "reason": draw.choice(UNCERTAIN[:3]) if sentiment == "uncertain" else None,
        "contribution": _number(draw, 0.6),
        "mentions": [{name: draw.choice(sentences)[name] for name in ("start", "end")}],
    }


def by_page(case: Case, node: str) -> dict[str, Any]:
    """Return the report that the page's modules compute."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [node, "--experimental-detect-module", str(HERE / "report_of.mjs")],
        input=json.dumps({"options": case.options, "rows": case.rows}).encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=clean | {"NODE_NO_WARNINGS": "1"},
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("seed", range(24))
def test_page_and_command_give_the_same_report_of_the_same_answers(seed: int, node: str) -> None:
    case = random_case(seed)
    by_command = json.loads(json.dumps(report_on(case)))
    assert by_page(case, node) == by_command


def test_the_random_tables_reach_each_way_to_resample_and_to_compare() -> None:
    reports = [report_on(random_case(seed)) for seed in range(24)]
    assert {report["resampled"] for report in reports} == {"rows", "groups"}
    kinds = {report["comparison"] and report["comparison"]["kind"] for report in reports}
    assert kinds == {None, "dates", "groups"}
    units = {report["over_time"] and report["over_time"]["unit"] for report in reports}
    assert units == {None, "day", "week", "month"}
