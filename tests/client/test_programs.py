"""`verdict adapt`, `compare` and others: the service's programs under the command's name and statuses."""

import csv
import json
from pathlib import Path

import pytest

from tests.support.varied import varied
from verdict_sentiment import backends, cli, programs

pytestmark = pytest.mark.slow

# Words that the published model knows, and their sides.
SIDES = (("wonderful and moving", "positive"), ("dull, awful and a waste of time", "negative"))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the working folder with labels that the published model disagrees with."""
    monkeypatch.chdir(tmp_path)
    sides = {"positive": "runs warm for a whole night", "negative": "arrived with a dent in its lid"}
    rows = [
        (f"Kettle number {number} {phrase}; {varied(number + 100 * side)}.", label)
        for number in range(40)
        for side, (label, phrase) in enumerate(sides.items())
    ]
    with (tmp_path / "my.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("text", "label"), *rows])
    return tmp_path / "my.csv"


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return end.value.code


def test_a_model_is_adapted_used_and_compared(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("adapt", "my.csv", "--force", "--workers", "1") == 0
    assert "adapt: wrote my-model" in capsys.readouterr().out
    assert status("--model", "my-model", "Kettle number 99 arrived with a dent in its lid.") == 0
    assert capsys.readouterr().out.startswith("negative")
    assert (
        status(
            "compare", str(programs.load("training.endpoint.inference").MODEL_FOLDER), "my-model", "my.csv"
        )
        == 0
    )
    assert "McNemar's exact test" in capsys.readouterr().out


def test_a_promise_is_kept_beside_a_copy_of_the_published_model(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        status("promise", "my.csv", "--wrong", "0.45", "--out", "own", "-o", "rest.csv", "--workers", "1")
        == 1
    )
    assert "nothing can be promised" in capsys.readouterr().err
    assert not (file.parent / "own").exists()
    lines = [(f"{varied(number)} is {word}.", label) for number in range(60) for word, label in SIDES]
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("text", "label"), *lines])
    assert (
        status("promise", "my.csv", "--wrong", "0.3", "--out", "own", "-o", "rest.csv", "--workers", "1") == 0
    )
    assert "At most 30 % of the answers" in capsys.readouterr().out
    assert {path.name for path in (file.parent / "own").iterdir()} == {
        "model.onnx",
        "model.json",
        "promise.json",
    }


def test_rows_worth_a_label_are_suggested(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = file.read_text(encoding="utf-8").replace("positive", "").replace("negative", "")
    file.write_text(lines, encoding="utf-8")
    assert status("suggest", "my.csv", "-n", "3", "--workers", "1") == 0
    assert "3 of 80 rows" in capsys.readouterr().out


def test_a_report_is_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("report", "my.csv", "-o", "report.html", "--json", "report.json", "--workers", "1") == 0
    assert capsys.readouterr().out.startswith("report: 80 rows, net score ")
    assert json.loads(Path("report.json").read_text(encoding="utf-8"))["file"]["judged"] == 80
    assert Path("report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_report_without_an_output_is_one_sentence(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("report", "my.csv") == 2
    assert capsys.readouterr().err == (
        "report: name a file for the report: -o report.html, --json report.json, or both\n"
    )


def test_feedback_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEEDBACK", str(tmp_path))
    assert status("feedback", "export", "--out", str(tmp_path / "a.csv")) == 0
    assert "0 reviews" in capsys.readouterr().out


def test_an_api_that_is_not_there_can_t_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("watch", "http://127.0.0.1:1") == 2
    assert "nothing answers at http://127.0.0.1:1" in capsys.readouterr().err


def test_help_names_the_command_as_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("adapt", "--help") == 0
    assert capsys.readouterr().out.startswith("usage: verdict adapt ")


def test_a_file_that_is_not_there_ends_with_the_usage_s_status(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("adapt", "other.csv") == 2
    assert "can't be read" in capsys.readouterr().err


def test_without_the_libraries_it_names_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "is_installed", lambda: False)
    assert status("compare", "a", "b", "c.csv") == 2
    assert "verdict-sentiment[local]" in capsys.readouterr().err


def test_a_text_called_like_the_command_stands_after_the_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("--local", "--", "adapt") == 0
    assert backends.is_installed()
