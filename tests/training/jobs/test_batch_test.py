"""The test reviews by a batch: accuracy over all rows; an error counts as wrong and gives status 1."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from training.data import dataset
from training.files import processes
from training.files.rows import Part
from training.jobs import batch_test


@pytest.fixture
def measure(
    make_archive: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """A function that runs the script on the tiny archive's four test reviews and returns its JSON."""

    def run(*flags: str) -> dict[str, Any]:
        try:
            batch_test.main(["--archive", str(make_archive()), "--local", "--workers", "1", *flags])
        finally:
            output = capsys.readouterr().out
        return json.loads(output.splitlines()[-1])

    return run


def answer_with(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], dict[str, Any]]) -> None:
    """Replace the network by ``answer``."""

    def answered(parts: Iterable[Part], *_: object) -> Iterator[tuple[Part, bytes]]:
        for part in parts:
            rows = zip(part.ids, part.reviews, strict=True)
            lines = [{**answer(review), "id": number} for number, review in rows]
            yield part, "\n".join(map(json.dumps, lines)).encode()

    monkeypatch.setattr(processes, "predict_parts", answered)


def verdict(probability: float, sentiment: str) -> dict[str, Any]:
    reason = "unclear" if sentiment == "uncertain" else None
    return {
        "sentiment": sentiment,
        "reason": reason,
        "probability": probability,
        "warnings": [],
        "model": {"id": "m"},
    }


def test_all_test_reviews_are_judged_and_the_files_taken_away(
    measure: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    answer_with(
        monkeypatch, lambda text: verdict(0.9, "positive") if " pos " in text else verdict(0.1, "negative")
    )
    found = measure()
    seconds, rate = found.pop("seconds"), found.pop("reviews_a_second")
    assert 0 <= seconds and rate > 0
    assert found.pop("way").startswith("1 processes, ")
    assert found == {"reviews": 4, "accuracy": 1.0, "uncertain": 0.0, "errors": 0}
    assert list((cache / "batch-test").iterdir()) == []


def test_an_uncertain_answer_is_right_or_wrong_by_its_probability(
    measure: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, lambda text: verdict(0.52, "uncertain"))
    found = measure()
    assert (found["accuracy"], found["uncertain"]) == (0.5, 1.0)


def test_a_row_with_an_error_counts_as_wrong_and_ends_with_1(
    measure: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(text: str) -> dict[str, Any]:
        if text == "The test pos film 1.":
            return {"error": {"code": "no_token", "detail": "nothing"}}
        return verdict(0.9, "positive")

    answer_with(monkeypatch, answer)
    with pytest.raises(SystemExit, match="^batch-test: 1 of 4 rows have an error"):
        measure()


def test_the_published_model_answers_every_row(measure: Callable[..., dict[str, Any]]) -> None:
    found = measure()
    assert (found["reviews"], found["errors"]) == (4, 0)


def test_reviews_come_back_from_their_csv(tmp_path: Path) -> None:
    texts = ['said "so", and\nleft', "=1+1", "é\r\n"]
    reviews = [dataset.Review(str(n), text, n % 2, 1, "film") for n, text in enumerate(texts)]
    (tmp_path / "a.csv").write_bytes(batch_test.to_csv(reviews))
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["review"] for row in rows] == texts
    assert [row["label"] for row in rows] == ["negative", "positive", "negative"]


def test_a_missing_archive_is_one_sentence() -> None:
    with pytest.raises(SystemExit, match="^batch-test: no IMDb archive at /nowhere.tar.gz; "):
        batch_test.main(["--archive", "/nowhere.tar.gz", "--local"])


def test_a_dry_run_asks_nothing_and_prints_no_figure(
    make_archive: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    batch_test.main(["--archive", str(make_archive()), "--dry-run"])
    assert re.fullmatch(r"batch-test: 4 rows, .*1 x ml\.c5\.xlarge.*\n", capsys.readouterr().out)
