"""Files of reviews with a known cause, to see whether the report names it first.

A review is made of plain sentences on a film's aspects. Each case changes one thing from a date on: how an
aspect is spoken of, how often it is complained of, which films are reviewed, how one film's acting fares, or
how one film is liked as a whole.
"""

import csv
import io
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

FIRST_DAY, DAYS, CUT = date(2026, 1, 1), 120, 80
# The report compares the last third of the days with what came before.
FILMS = ("The Long Winter", "Harbour Lights", "Paper Moons", "North of Here")
SUBJECTS = {
    "music": ("The music", "The soundtrack", "The score", "Every song"),
    "story": ("The plot", "The story", "The storyline"),
    "acting": ("The acting", "The cast", "The lead performance", "The acting of the two leads"),
    "cinematography": ("The camera work", "The photography", "The cinematography"),
    "dialogue": ("The dialogue", "Much of the dialogue"),
    "ending": ("The ending", "The finale", "The last scene"),
    # No aspect of a list.
    "whole": ("All of it", "The whole evening", "Nearly everything here"),
}
PRAISE = (
    "is wonderful", "was a real pleasure", "is beautifully done", "was better than I hoped", "is superb",
    "is excellent throughout", "was a delight", "is the best I have known in years",
)  # fmt: skip
COMPLAINT = (
    "is terrible", "was a great disappointment", "is badly done", "was much worse than I feared", "is awful",
    "is poor throughout", "was a waste of my time", "is the worst I have known in years",
)  # fmt: skip
NEUTRAL = (
    "I saw it on Sunday with my sister.", "It runs for two hours.", "We had seats in the third row.",
    "It came out last month.", "My brother had told me of it.", "It was shown in the old hall.",
)  # fmt: skip


class Setting(NamedTuple):
    """How a review is drawn: the chances that an aspect is mentioned, and that it is praised then."""

    mention: dict[str, float]
    praise: dict[str, float]


class Cause(NamedTuple):
    """A planted cause: the name that the report should give first, and its part among groups, if one."""

    name: str
    group: str | None = None


class Case(NamedTuple):
    """A kind of file: its cause, and the film and setting of a review from before or after the cut."""

    cause: Cause
    draw: Callable[[random.Random, bool], tuple[str, Setting]]


def usual(**praise: float) -> Setting:
    """Return the usual setting, but for some chances of praise."""
    return Setting(dict.fromkeys(SUBJECTS, 0.35), {name: praise.get(name, 0.65) for name in SUBJECTS})


def cases() -> dict[str, Case]:
    """Return every case by its name."""
    return {
        "an aspect's tone": Case(Cause("music"), _tone),
        "an aspect's mentions": Case(Cause("ending"), _mentions),
        "the mix of films": Case(Cause("mix of groups"), _mix),
        "one film's acting": Case(Cause("acting", FILMS[1]), _acting),
        "one film as a whole": Case(Cause(FILMS[1]), _decline),
    }


def write(case: Case, rows: int, seed: int) -> bytes:
    """Return a file of a case as CSV, with the columns review, date and film."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["review", "date", "film"])
    writer.writerows(_rows(case, rows, seed))
    return text.getvalue().encode()


def is_found(cause: Cause, report: dict[str, Any]) -> bool:
    """Return whether a report names a cause first."""
    first = report["moved"][0]
    named = first["name"] == cause.name
    return named and (cause.group is None or first["groups"][0]["name"] == cause.group)


def _rows(case: Case, rows: int, seed: int) -> Iterator[tuple[str, str, str]]:
    draw = random.Random(seed)
    for _ in range(rows):
        day = draw.randrange(DAYS)
        film, setting = case.draw(draw, day >= CUT)
        yield _review(draw, setting), (FIRST_DAY + timedelta(days=day)).isoformat(), film


def _review(draw: random.Random, setting: Setting) -> str:
    sentences = [draw.choice(NEUTRAL)]
    for name, subjects in SUBJECTS.items():
        if draw.random() < setting.mention[name]:
            said = PRAISE if draw.random() < setting.praise[name] else COMPLAINT
            sentences.append(f"{draw.choice(subjects)} {draw.choice(said)}.")
    draw.shuffle(sentences)
    return " ".join(sentences)


def _tone(draw: random.Random, after: bool) -> tuple[str, Setting]:
    return draw.choice(FILMS), usual(music=0.15 if after else 0.75)


def _mentions(draw: random.Random, after: bool) -> tuple[str, Setting]:
    setting = usual(ending=0.1)
    mention = setting.mention | {"ending": 0.7 if after else 0.15}
    return draw.choice(FILMS), setting._replace(mention=mention)


def _mix(draw: random.Random, after: bool) -> tuple[str, Setting]:
    """Each film is liked a little better, but most reviews are of the bad film later."""
    bad = draw.random() < (0.8 if after else 0.2)
    praise = (0.2 if bad else 0.8) + (0.12 if after else 0.0)
    return FILMS[0] if bad else FILMS[1], usual(**dict.fromkeys(SUBJECTS, praise))


def _acting(draw: random.Random, after: bool) -> tuple[str, Setting]:
    film = draw.choice(FILMS)
    setting = usual(acting=0.05 if after and film == FILMS[1] else 0.85)
    return film, setting._replace(mention=setting.mention | {"acting": 0.8})


def _decline(draw: random.Random, after: bool) -> tuple[str, Setting]:
    film = draw.choice(FILMS)
    setting = usual(whole=0.05 if after and film == FILMS[1] else 0.85)
    return film, setting._replace(mention=setting.mention | {"whole": 0.8})
