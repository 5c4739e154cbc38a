"""Made-up rows with the answers of an API, for the report: figures without a network.

tests/golden/report holds such cases with their reports, for Python and JavaScript alike.
"""

import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from training.report import dates, figures, shown
from training.report.figures import File, Wish
from training.report.table import Builder, Table, join

ASPECTS = ("music", "plot", "actors")
GOOD = ("lovely", "superb", "charming", "moving", "brilliant", "fresh")
BAD = ("dull", "awful", "noisy", "clumsy", "tired", "hollow")
FILLERS = ("The film opens on a quiet street", "It lasts two hours", "We saw it on Sunday evening")
Answered = dict[str, Any]


class Case(NamedTuple):
    """Rows as the golden files hold them, with what the caller chose."""

    options: dict[str, Any]
    rows: list[Answered]


def made_up(
    number: int,
    leans: Sequence[float],
    seed: int,
    texts: bool = True,
) -> Answered:
    """Return an answer to a made-up review, whose aspects lean to one side (over 0) or the other.

    ``leans`` has a number for each of ASPECTS, 0 where it is not mentioned.
    """
    draw = random.Random(f"{seed}/{number}")
    pieces: list[tuple[str, float, int | None]] = []
    for place, lean in enumerate(leans):
        if lean:
            words = draw.sample(GOOD if lean > 0 else BAD, 2)
            text = f"The {ASPECTS[place]} {'was' if place < 2 else 'were'} {words[0]} and {words[1]}"
            pieces.append((text, lean * draw.uniform(0.5, 1.5), place))
    pieces.append((draw.choice(FILLERS), draw.uniform(-0.2, 0.2), None))
    draw.shuffle(pieces)
    return _answer(pieces, draw)


def _answer(pieces: Sequence[tuple[str, float, int | None]], draw: random.Random) -> Answered:
    bias, start = 0.1, 0
    sentences, words, mentions = [], [], {}
    for piece, pull, place in pieces:
        text, contribution = f"{piece}.", round(pull, 6)
        end = start + len(text)
        alone = round(1 / (1 + math.exp(-2.5 * pull)), 6)
        sentences.append({"start": start, "end": end, "contribution": contribution, "alone": alone})
        at = start
        for word in text[:-1].split(" "):
            if len(word) > 4:
                effect = round(pull * draw.uniform(0, 0.6), 6)
                words.append({"start": at, "end": at + len(word), "effect": effect})
            at += len(word) + 1
        if place is not None:
            mentions[ASPECTS[place]] = (start, end, contribution)
        start = end + 1
    text = " ".join(f"{piece}." for piece, _, _ in pieces)
    logit = bias + sum(sentence["contribution"] for sentence in sentences)
    aspects = {name: _aspect(mentions.get(name)) for name in ASPECTS}
    parts = [sentence["contribution"] for sentence in sentences]
    weaker, stronger = sorted((sum(x for x in parts if x > 0), -sum(x for x in parts if x < 0)))
    mixed = weaker > 0.5 * stronger
    sentiment, reason = _verdict(logit, mixed, len(mentions))
    return {
        "sentiment": sentiment,
        "reason": reason,
        "probability": round(1 / (1 + math.exp(-logit)), 6),
        "warnings": [{"code": "mixed"}] if mixed and sentiment != "uncertain" else [],
        "text": text,
        "sentences": sentences,
        "words": words,
        "bias": bias,
        "aspects": aspects,
    }


def _aspect(mention: tuple[int, int, float] | None) -> Answered:
    if mention is None:
        return {"sentiment": "not_mentioned"}
    start, end, contribution = mention
    sentiment, reason = _verdict(contribution * 2, False, 1)
    return {
        "sentiment": sentiment,
        "reason": reason,
        "contribution": contribution,
        "mentions": [{"start": start, "end": end}],
    }


def _verdict(logit: float, mixed: bool, mentions: int) -> tuple[str, str | None]:
    if abs(logit) < 0.4:
        return "uncertain", "mixed" if mixed else "unclear" if mentions else "no_opinion"
    return "positive" if logit > 0 else "negative", None


def report_on(case: Case, rows: int = 1_000) -> dict[str, Any]:
    """Return the report on a case, with the texts of its rows, from tables of so many rows."""
    tables = [table_of(case, case.rows[first : first + rows]) for first in range(0, len(case.rows), rows)]
    file, wish = file_of(case), wish_of(case)
    report = figures.report_of(file, wish, lambda: tables, case.options["model"])
    report["rows"] = rows_of(report, file, join(tables), case)
    return report


def table_of(case: Case, rows: Sequence[Answered]) -> Table:
    """Return the answers to some rows of a case."""
    builder = Builder(case.options["aspects"])
    for row in rows:
        if "error" in row:
            builder.fail(row["error"])
        else:
            builder.add(row["row"], row["answer"], sampled=True)
    return builder.table()


def rows_of(report: dict[str, Any], file: File, table: Table, case: Case) -> dict[str, Any]:
    texts = {row["row"]: row["answer"]["text"] for row in case.rows if "answer" in row}
    answers = {int(answer["number"]): answer for answer in table.answers}
    named = figures.named_rows(report)
    return {str(number): shown.row_of(number, texts[number], answers[number], file) for number in named}


def file_of(case: Case) -> File:
    """Return the surveyed file of a case."""
    names = list(dict.fromkeys(row["group"] for row in case.rows if row["group"]))
    days = [dates.NO_DATE if row["date"] is None else days_of(row["date"]) for row in case.rows]
    groups = [names.index(row["group"]) if row["group"] else -1 for row in case.rows]
    return File(
        case.options["name"],
        len(case.rows),
        case.options["columns"],
        np.array(days, dtype=np.int32),
        np.array(groups, dtype=np.int32),
        names,
    )


def wish_of(case: Case) -> Wish:
    """Return what a case asks for."""
    options = case.options
    since = days_of(options["since"]) if options.get("since") else None
    between = tuple(options["between"]) if options.get("between") else None
    return Wish(tuple(options["aspects"]), options["aspects_from"], since, between)


def days_of(day: str) -> int:
    return dates.days_of(date.fromisoformat(day))


def options_of(date: str | None = "date", group: str | None = "film", **more: Any) -> dict[str, Any]:
    """Return a case's options."""
    return {
        "name": "reviews.csv",
        "model": "verdict-made-up",
        "columns": {"review": "review", "date": date, "group": group},
        "aspects": list(ASPECTS),
        "aspects_from": "own",
        **more,
    }


# --- the golden cases ---------------------------------------------------------------------------


def cases() -> dict[str, Case]:
    """Return the cases of tests/golden/report by name."""
    return {
        "music_falls": _music_falls(),
        "many_groups": _many_groups(),
        "paradox": _paradox(),
        "between": _between(),
        "few_rows": _few_rows(),
        "odd_rows": _odd_rows(),
    }


def _leans(draw: random.Random, chances: Sequence[float], tone: Sequence[float]) -> list[float]:
    """Draw how each aspect leans: mentioned by a chance, then positive by its tone, a chance too."""
    return [
        (1.2 if draw.random() < good else -1.2) if draw.random() < chance else 0.0
        for chance, good in zip(chances, tone, strict=True)
    ]


def _row(number: int, day: date | None, group: str | None, leans: Sequence[float], seed: int) -> Answered:
    return {
        "row": number,
        "date": None if day is None else day.isoformat(),
        "group": group,
        "answer": made_up(number, leans, seed),
    }


def _music_falls() -> Case:
    """From the 20th day on the music is bad; some groups are small; days with a gap."""
    draw, rows = random.Random(1), []
    films = ("Solaris", "Stalker", "Mirror", "Nostalghia")
    for number in range(1, 221):
        day = (number * 29) // 221
        day += 2 * (day > 12)
        music = 0.1 if day >= 20 else 0.8
        leans = _leans(draw, (0.6, 0.4, 0.4), (music, 0.6, 0.6))
        film = films[min(3, int(abs(draw.gauss(0, 1.3))))]
        rows.append(_row(number, date(2026, 3, 2) + timedelta(days=day), film, leans, 1))
    return Case(options_of(), rows)


def _many_groups() -> Case:
    """30 films, some in no row twice, weeks, rows without a date or group, and a week where all agree."""
    draw, rows = random.Random(2), []
    for number in range(1, 181):
        day = draw.randrange(140)
        good = 1.0 if day < 7 else 0.55
        leans = _leans(draw, (1.0, 0.4, 0.4), (good, good, good))
        film = f"Film {min(draw.randrange(40), draw.randrange(40)):02}" if draw.random() < 0.9 else None
        when = date(2026, 1, 5) + timedelta(days=day) if draw.random() < 0.95 else None
        rows.append(_row(number, when, film, leans, 2))
    return Case(options_of(), rows)


def _paradox() -> Case:
    """Each film gets better, but most rows are of the worse film later; months, from a date on."""
    draw, rows = random.Random(3), []
    for number in range(1, 201):
        late = number > 100
        worse = draw.random() < (0.75 if late else 0.25)
        good = (0.1 if worse else 0.8) + (0.15 if late else 0.0)
        leans = _leans(draw, (0.5, 0.9, 0.3), (good, good, good))
        day = date(2025, 1, 1) + timedelta(days=number * 3)
        rows.append(_row(number, day, "Worse" if worse else "Better", leans, 3))
    return Case(options_of(since="2025-10-29"), rows)


def _between() -> Case:
    """Two shops, compared; no date."""
    draw, rows = random.Random(4), []
    for number in range(1, 121):
        shop = ("North", "South", "East")[number % 3]
        leans = _leans(draw, (0.5, 0.7, 0.2), (0.6, 0.2 if shop == "South" else 0.8, 0.5))
        rows.append(_row(number, None, shop, leans, 4))
    return Case(options_of(date=None, group="store", between=["North", "South"]), rows)


def _few_rows() -> Case:
    """Twelve rows of one verdict, without date and group; nobody mentions the actors."""
    rows = [_row(number, None, None, (1.4, 0.9, 0.0), 5) for number in range(1, 13)]
    return Case(options_of(date=None, group=None), rows)


def _odd_rows() -> Case:
    """Failed rows, rows that are not English, one group, and a long text beyond ASCII."""
    draw, rows = random.Random(6), []
    for number in range(1, 61):
        day = date(2024, 2, 25) + timedelta(days=number % 20)
        row = _row(number, day, "Café Ω", _leans(draw, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), 6)
        if number % 9 == 0:
            row = {"row": number, "date": row["date"], "group": row["group"], "error": "no_token"}
        elif number % 7 == 0:
            row["answer"] |= {
                "sentiment": "uncertain",
                "reason": "not_english",
                "probability": 0.524979,
                "text": "Un film très lent. " * 30,
                "sentences": [],
                "words": [],
                "aspects": {name: {"sentiment": "not_mentioned"} for name in ASPECTS},
            }
        elif number % 5 == 0:
            _lengthen(row["answer"])
        rows.append(row)
    return Case(options_of(), rows)


def _lengthen(answer: Answered) -> None:
    """Put a long start before an answer's text, in signs that take two units in JavaScript."""
    added = "🎬 " * 250
    answer["text"] = added + answer["text"]
    for spans in (answer["sentences"], answer["words"], *_mentions(answer)):
        for span in spans:
            span["start"] += len(added)
            span["end"] += len(added)


def _mentions(answer: Answered) -> list[list[dict[str, Any]]]:
    return [aspect["mentions"] for aspect in answer["aspects"].values() if "mentions" in aspect]
