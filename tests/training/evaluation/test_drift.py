"""drift.py: says when what is asked is unlike the test split, and when nothing can be said."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chalice_app.local import metrics as local_metrics
from chalicelib.stats import ReviewStats
from training.evaluation import drift, risk_control
from vocab.exit_status import Ended

LINE = {"route": "/v1/sentiment", "method": "POST", "status": 200, "ms": 4.0}
FIGURES: dict[str, Any] = {
    "reviews": 400,
    "coverage": 0.9,
    "accuracy_outright": 0.95,
    "accuracy_positive": 0.94,
    "accuracy_negative": 0.96,
    "by_length": [{"reviews": 100, "tokens_to": bound} for bound in (128, 192, 320, 400)],
}
CARD = {"metrics": {"test": FIGURES, "warnings": {"flagged": {"truncated": 0.1}}}}


def told(*judged: ReviewStats) -> str:
    metrics = local_metrics.Metrics()
    metrics.watch(LINE, judged)
    return metrics.text()


def like_the_card(times: int = 1) -> list[ReviewStats]:
    """Forty reviews as the card has them: lengths in quarters, one in ten uncertain, one in ten cut."""
    made = []
    for number in range(40):
        sentiment = "uncertain" if number % 10 == 0 else ("positive", "negative")[number % 2]
        warnings = ("truncated",) if number % 10 == 5 else ()
        made.append(ReviewStats((100, 170, 300, 500)[number % 4], 100, 2, sentiment, warnings))
    return made * times


def outcome(end: SystemExit) -> int | str | None:
    """Return the sentence of an error, or the exit status."""
    return str(end) if isinstance(end, Ended) else end.code


def run(monkeypatch: pytest.MonkeyPatch, metrics: str, card: object = CARD) -> int | str | None:
    """Run the script on an API's answers; return its exit status or its error."""
    monkeypatch.setattr(
        drift, "fetch", lambda url: (metrics if "metrics" in url else json.dumps(card)).encode()
    )
    monkeypatch.setattr(sys, "argv", ["drift.py", "http://127.0.0.1:1/"])
    with pytest.raises(SystemExit) as ended:
        drift.main()
    return outcome(ended.value)


def test_reviews_like_those_of_the_test_split_are_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, told(*like_the_card(10))) == 0
    said = capsys.readouterr().out
    assert said.startswith("400 reviews were judged since the API's start.\n")
    assert said.endswith("They are like the reviews that the model was evaluated on.\n")
    assert "alike     10.0 % uncertain; 10.0 % on the test split" in said
    assert "2.0 % of their words are unknown" in said
    assert "DIFFERS" not in said


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (ReviewStats(100, 100, 2, "uncertain", ()), "uncertain; 10.0 % on the test split"),
        (ReviewStats(100, 100, 2, "negative", ()), "positive, of those not uncertain; 50.0 %"),
        (ReviewStats(4, 3, 0, "positive", ()), "of at most 128 tokens; 25.0 %"),
        (ReviewStats(100, 100, 2, "positive", ("not_english",)), "with the warning not_english; 0.0 %"),
    ],
)
def test_what_comes_more_often_than_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], other: ReviewStats, says: str
) -> None:
    assert run(monkeypatch, told(*like_the_card(5), *[other] * 200)) == 1
    differing = [line for line in capsys.readouterr().out.splitlines() if line.startswith("DIFFERS")]
    assert any(says in line for line in differing), differing


def test_a_warning_without_a_figure_on_the_card_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = [review._replace(warnings=(*review.warnings, "mixed")) for review in like_the_card(10)]
    assert run(monkeypatch, told(*mixed)) == 0
    assert "mixed" not in capsys.readouterr().out


def test_a_difference_that_chance_makes_is_none() -> None:
    share = drift.Share("uncertain", 0.2, 0.1)
    assert not share.differs(40)
    assert share.differs(400)
    assert not drift.Share("uncertain", 0.14, 0.1).differs(1_000_000)


def test_a_length_inside_a_bucket_counts_by_its_part_of_it() -> None:
    traffic = drift.parse_metrics(told(*[ReviewStats(150, 10, 0, "positive", ())] * 10))
    assert drift._up_to(traffic, 128) == 0
    assert drift._up_to(traffic, 144) == pytest.approx(0.5)
    assert drift._up_to(traffic, 160) == 1
    endless = drift.parse_metrics(told(ReviewStats(9_000, 10, 0, "positive", ())))
    assert drift._up_to(endless, 5_000) == 0


def test_an_adapted_model_s_traffic_is_compared_with_what_it_was_adapted_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {**FIGURES, "accuracy_positive": 0.95, "accuracy_negative": 0.95, "positive_outright": 0.5}
    card = {"metrics": {"adaptation": {"after": figures, "flagged": {"truncated": 0.1}}}}
    assert run(monkeypatch, told(*like_the_card(10)), card) == 0
    assert "10.0 % uncertain; 10.0 % where it was adapted to" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reviews", "words"), [(0, "no review was"), (1, "1 review was"), (29, "29 reviews were")]
)
def test_few_reviews_say_nothing(monkeypatch: pytest.MonkeyPatch, reviews: int, words: str) -> None:
    message = str(run(monkeypatch, told(*like_the_card()[:reviews])))
    said = f"{words} judged since the API's start; a comparison takes 30 or more"
    assert message.startswith(f"python -m training.evaluation.drift: {said}")


# Prints the counts as a process of `make serve` does, which shares them by files.
SHARED = """
import json, sys
from chalice_app.local.metrics import Metrics
from chalicelib.stats import ReviewStats
line, *reviews = json.loads(sys.argv[1])
metrics = Metrics()
if reviews:
    metrics.watch(line, [ReviewStats(*review) for review in reviews])
print(metrics.text())
"""


@pytest.mark.parametrize("reviews", [0, 1, 400])
def test_behind_the_server_for_many_a_count_that_never_rose_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, reviews: int
) -> None:
    judged = [one._replace(warnings=()) for one in like_the_card(10)[:reviews]]
    shared = subprocess.run(
        [sys.executable, "-c", SHARED, json.dumps([LINE, *judged])],
        env=os.environ
        | {local_metrics.SHARED_FOLDER: str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "verdict_warnings" not in shared.stdout
    status = run(monkeypatch, shared.stdout)
    if reviews < 30:
        assert "judged since the API's start; a comparison takes 30 or more" in str(status)
        return
    assert status == 1
    assert "DIFFERS    0.0 % with the warning truncated" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "<html>", "verdict_reviews_total 1", "{}"])
def test_what_is_not_ours_is_one_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert "is this Verdict's API?" in str(run(monkeypatch, text))


@pytest.mark.parametrize("card", [{}, {"metrics": {}}, {"metrics": {"test": {}}}, []])
def test_a_card_without_figures_is_one_sentence(monkeypatch: pytest.MonkeyPatch, card: object) -> None:
    assert "make evaluate" in str(run(monkeypatch, told(*like_the_card()), card))


def test_an_api_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["drift.py", "http://127.0.0.1:1"])
    with pytest.raises(SystemExit, match="drift: nothing answers at http://127.0.0.1:1/v1/metrics; start it"):
        drift.main()


# --- promises -----------------------------------------------------------------------------------


def promised(answered: int = 300, **fields: Any) -> dict[str, Any]:
    """Return a card whose promise was made on 400 rows, ``answered`` of them with a sureness of 0.95."""
    sureness = np.repeat([0.95, 0.0], [answered, 400 - answered])
    promise = {
        "wrong": 0.05,
        "sure": 0.95,
        "threshold": 0.9,
        "rows": 400,
        "answered": answered,
        "sureness": risk_control.histogram(sureness),
        "date": "2026-11-30",
    }
    return {**CARD, "promise": {**promise, **fields}}


def with_sureness(*sureness: float) -> list[ReviewStats]:
    """Return reviews like the card's, with the sureness of each in turn."""
    return [
        review._replace(sureness=sureness[number % len(sureness)])
        for number, review in enumerate(like_the_card(10))
    ]


def test_traffic_like_the_receipt_s_rows_leaves_the_promise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, told(*with_sureness(0.95, 0.95, 0.95, 0.5)), promised()) == 0
    output = capsys.readouterr().out
    assert "at most 5 % of the answers at 90 % sureness or more are wrong" in output
    assert "75.0 % answered at 90 % sureness or more; 75.0 % on the promise's rows" in output
    assert output.endswith("Nothing speaks against the promise.\n")


@pytest.mark.parametrize(
    ("sureness", "line"),
    [((0.95, 0.5), "answered at 90 % sureness"), ((0.999, 0.999, 0.999, 0.5), "is the largest gap")],
)
def test_traffic_unlike_the_receipt_s_rows_speaks_against_the_promise(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sureness: tuple[float, ...],
    line: str,
) -> None:
    assert run(monkeypatch, told(*with_sureness(*sureness)), promised()) == 1
    output = capsys.readouterr().out
    assert any(line in one for one in output.splitlines() if one.startswith("AGAINST"))
    assert "It may no longer hold" in output


def test_a_card_without_a_promise_says_nothing_of_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, told(*like_the_card(10))) == 0
    assert "promise" not in capsys.readouterr().out


@pytest.mark.parametrize("fields", [{"rows": 0}, {"threshold": 0.901}, {"sureness": None}, {"wrong": "x"}])
def test_a_promise_that_can_t_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    assert "make a new one" in str(run(monkeypatch, told(*like_the_card(10)), promised(**fields)))


class Api:
    """An API whose model is as sure as each review says, and calls all reviews positive."""

    def __init__(self, card: dict[str, Any]) -> None:
        self.card = card
        self.batches: list[int] = []

    def fetch(self, url: str, body: bytes | None = None) -> bytes:
        if body is None:
            return json.dumps(self.card).encode()
        reviews = json.loads(body)["reviews"]
        self.batches.append(len(reviews))
        return json.dumps({"answers": [self.answer(one["review"]) for one in reviews]}).encode()

    def answer(self, review: str) -> dict[str, Any]:
        sureness = float(review.split()[0])
        return {"sentiment": "positive" if sureness > 0.5 else "uncertain", "probability": sureness}


def refuted(
    monkeypatch: pytest.MonkeyPatch, file: Path, card: dict[str, Any]
) -> tuple[int | str | None, list[int]]:
    """Run the command on new labelled rows; return its status or error, and the sizes of the batches."""
    api = Api(card)
    monkeypatch.setattr(drift, "fetch", api.fetch)
    with pytest.raises(SystemExit) as ended:
        drift.main(["http://127.0.0.1:1", "--labelled", str(file)])
    return outcome(ended.value), api.batches


def new_rows(path: Path, *parts: tuple[float, str, int], group: bool = False) -> Path:
    """Write rows, from (sureness, label, how many) each; with ``group`` all are of one shop."""
    lines = [(sure, label, part, n) for part, (sure, label, count) in enumerate(parts) for n in range(count)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("text", "label", "group"), *((f"{s} {p} {n}", c, "a" if group else "") for s, c, p, n in lines)]
        )
    return path


def test_new_labels_with_more_errors_than_promised_refute_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = new_rows(tmp_path / "new.csv", (0.95, "positive", 180), (0.95, "negative", 20))
    assert refuted(monkeypatch, file, promised()) == (1, [100, 100])
    output = capsys.readouterr().out
    assert "Of 200 new rows, 200 are answered at 90 % sureness or more, and 20 of those" in output
    assert "with 95 % confidence it is at least 6.7 %" in output
    assert output.endswith("It no longer holds: run `verdict promise` on new labelled reviews.\n")


def test_errors_below_the_promised_sureness_do_not_refute_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = [(0.95, "positive", 100), (0.95, "negative", 5), (0.8, "negative", 90), (0.4, "negative", 20)]
    assert refuted(monkeypatch, new_rows(tmp_path / "new.csv", *parts), promised())[0] == 0


def test_the_rows_of_one_group_refute_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = [(0.95, "positive", 1), (0.95, "negative", 200)]
    file = new_rows(tmp_path / "new.csv", *parts, group=True)
    assert refuted(monkeypatch, file, promised()) == (0, [1])


def test_without_a_promise_new_labels_test_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = new_rows(tmp_path / "new.csv", (0.95, "positive", 5), (0.9, "negative", 5))
    assert "has no promise to test" in str(refuted(monkeypatch, file, CARD)[0])


def test_a_file_of_new_labels_that_can_t_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "can't be read" in str(refuted(monkeypatch, tmp_path / "none.csv", promised())[0])
    blank = new_rows(tmp_path / "new.csv", (0.95, "", 5))
    assert "no row has a label" in str(refuted(monkeypatch, blank, promised())[0])
