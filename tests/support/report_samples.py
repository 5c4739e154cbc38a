"""Reports for the view's tests: a whole one with invented reviews, and the odd ones made from it."""

import copy
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

Report = dict[str, Any]

SAMPLE = Path(__file__).parents[1] / "golden" / "report" / "view_sample.json"
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
HOSTILE = (
    '</script><script>document.title = "broken"</script>',
    '<img src="https://example.org/x.png" onerror="document.title = 1">',
    "<!--<script>",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f600 \u2028 \u2029 \x00 \x07",
    LONG_WORD,
    "half a pair \ud83d and __proto__ {{x}} ${1}",
    "&lt;b&gt; &amp; \" ' ` \\",
)
NO_CELL: Report = {
    "rows": 0, "net": None, "interval": None, "positive": 0, "negative": 0, "uncertain": 0, "mixed": 0,
    "no_opinion": 0, "mean_logit": None, "examples": [],
}  # fmt: skip


def whole() -> Report:
    """Return a report with every part: gaps over time, small groups, a mix that hides a rise, notices."""
    report: Report = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return report


def without_dates() -> Report:
    """Return a report of a file without dates."""
    report = whole() | {"over_time": None, "comparison": None, "moved": []}
    report["file"]["columns"]["date"] = None
    report["notices"] = [{"code": "no_date_column", "detail": "No column of dates was found."}]
    for group in report["groups"]:
        group.pop("periods", None)
    return report


def without_groups() -> Report:
    """Return a report of a file with dates and no groups: the mix moves nothing."""
    report = whole() | {"groups": None}
    report["file"]["columns"]["group"] = None
    report["comparison"]["simpson"] = False
    report["moved"] = [part | {"groups": []} for part in report["moved"] if part["kind"] != "mix"]
    for row in report["rows"].values():
        row["group"] = None
    return report


def unclear() -> Report:
    """Return a report whose sides differ by chance at most."""
    report = without_groups()
    report["comparison"]["net"] = {"difference": -2.1, "interval": [-6.0, 1.9]}
    return report


def between_groups() -> Report:
    """Return a report that compares two groups."""
    report = without_groups()
    report["comparison"]["kind"] = "groups"
    report["comparison"]["before"]["label"] = "Berlin"
    report["comparison"]["after"]["label"] = "Rome"
    return report


def one_verdict() -> Report:
    """Return a report of three reviews, all positive."""
    report = nothing() | {"rows": {}}
    report["file"] |= {"rows": 3, "judged": 3, "failed": 0}
    report["overall"] = NO_CELL | {
        "rows": 3, "net": 100.0, "interval": [-26.2, 100.0], "positive": 3, "mean_logit": 2.5,
        "examples": [1, 2, 3],
    }  # fmt: skip
    report["notices"] = [{"code": "one_verdict", "detail": "All rows are positive."}]
    for number in (1, 2, 3):
        report["rows"][str(number)] = {
            "text": "Lovely. I would buy it again.", "date": None, "group": None, "sentiment": "positive",
            "probability": 0.92, "sentence": "Lovely.",
        }  # fmt: skip
    return report


def nothing() -> Report:
    """Return a report of a file none of whose rows could be judged."""
    report = whole()
    return report | {
        "file": report["file"] | {"rows": 2, "judged": 0, "failed": 2},
        "aspects_from": "none",
        "notices": [{"code": "failed", "detail": "2 rows could not be judged."}],
        "overall": copy.deepcopy(NO_CELL),
        "over_time": None,
        "groups": None,
        "aspects": [],
        "sentences": {"best": [], "worst": []},
        "words": {"rows": 0, "up": [], "down": []},
        "comparison": None,
        "moved": [],
        "rows": {},
    }


def many_groups() -> Report:
    """Return a report with 200 groups."""
    report = whole()
    groups = report["groups"]
    report["groups"] = [
        groups[number % len(groups)] | {"name": f"Store {number}", "net": 90 - 0.8 * number, "interval": None}
        for number in range(200)
    ]
    return report


def many_periods() -> Report:
    """Return a report with 120 weeks."""
    report = whole()
    periods = [period for period in report["over_time"]["periods"] if period["rows"]]
    monday = date(2024, 9, 2)
    report["over_time"] = report["over_time"] | {
        "unit": "week",
        "periods": [
            (periods[number % len(periods)] if number % 17 else NO_CELL)
            | {"start": (monday + timedelta(weeks=number)).isoformat()}
            for number in range(120)
        ],
    }
    return report


def hostile() -> Report:
    """Return a report each of whose texts tries to break the page."""
    report = whole()
    texts = iter(HOSTILE * 1000)
    report["file"]["name"] = HOSTILE[0]
    report["file"]["columns"]["group"] = HOSTILE[1]
    names = {group["name"]: next(texts) + str(place) for place, group in enumerate(report["groups"])}
    for group in report["groups"]:
        group["name"] = names[group["name"]]
    for part in report["moved"]:
        part["name"] = next(texts) if part["kind"] == "aspect" else part["name"]
        for group in part["groups"]:
            group["name"] = names[group["name"]]
    for one in (*report["aspects"], *report["words"]["up"], *report["words"]["down"]):
        one["word" if "word" in one else "name"] = next(texts)
    for one in (*report["sentences"]["best"], *report["sentences"]["worst"]):
        one["text"] = next(texts)
    for notice in report["notices"]:
        notice["detail"] = next(texts)
    for row in report["rows"].values():
        row["text"] = row["sentence"] = next(texts)
        row["group"] = next(texts)
    report["comparison"]["before"]["label"] = HOSTILE[0]
    return report


SAMPLES = {
    make.__name__: make
    for make in (
        whole, without_dates, without_groups, unclear, between_groups, one_verdict, nothing, many_groups,
        many_periods, hostile,
    )
}  # fmt: skip
