"""`verdict adapt`, `compare` and others: the service's programs under the command's name and statuses."""

import csv
import json
import re
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
    out = capsys.readouterr().out
    assert "adapt: starts from published (verdict-" in out
    assert "adapt: wrote my-model" in out
    # An installed command advises no make.
    assert "verdict --model" in out and "make " not in out
    assert status("--model", "my-model", "Kettle number 99 arrived with a dent in its lid.") == 0
    assert capsys.readouterr().out.startswith("negative")
    assert status("compare", "published", "my-model", "my.csv") == 0
    out = capsys.readouterr().out
    assert "McNemar's exact test" in out
    assert re.search(r"1: published \(verdict-[0-9a-f]{12}\) +2: my-model \(verdict-[0-9a-f]{12}\)", out)
    assert status("adapt", "my.csv", "--workers", "1") == 2
    assert re.fullmatch(
        r"verdict adapt: my-model holds the model verdict-[0-9a-f]{12}; add --force to replace it, or choose"
        r" another --out\n",
        capsys.readouterr().err,
    )


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
        "verdict report: name a file for the report: -o report.html, --json report.json, or both\n"
    )


def test_feedback_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEEDBACK", str(tmp_path))
    assert status("feedback", "export", "--out", str(tmp_path / "a.csv")) == 0
    assert "0 reviews" in capsys.readouterr().out


def test_an_api_that_is_not_there_can_t_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("watch", "http://127.0.0.1:1") == 3
    assert capsys.readouterr().err == (
        "verdict watch: nothing answers at http://127.0.0.1:1/v1/metrics; start it with `verdict serve`, or"
        " name another URL\n"
    )


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


# --- exit statuses ------------------------------------------------------------------------------

PROGRAMS = sorted(programs.MODULES)
# Arguments with which each program's parser is content.
ARGUMENTS = {
    "promise": ("my.csv", "--wrong", "0.1"),
    "compare": ("published", "published", "my.csv"),
    "feedback": ("export",),
    "watch": (),
}


def outcomes(name: str) -> dict[int, object]:
    """Return what a program's work may do, by the status with which the command then ends."""
    module = programs.load(programs.MODULES[name])
    full = OSError(28, "No space left on device", "out.csv")
    same = {0: 0, 1: 1, 4: full, 130: KeyboardInterrupt()}
    if name == "watch":
        return same | {2: module.DriftError("30 are needed"), 3: module.ApiError("no answer")}
    return same | {2: programs.load("training.files.rows").BatchError("my.csv is empty")}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_ends_with_the_table_s_statuses(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = programs.load(programs.MODULES[name])
    for expected, outcome in outcomes(name).items():

        def work(*_: object, outcome: object = outcome) -> object:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(module, "_run" if name == "watch" else "run", work)
        assert status(name, *ARGUMENTS.get(name, ("my.csv",))) == expected
        error = capsys.readouterr().err
        if isinstance(outcome, BaseException):
            assert error.startswith(f"verdict {name}: ") and error.count("\n") == 1
            assert expected != 4 or "out.csv: No space left on device" in error


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"feedback", "watch"}))
def test_a_file_that_is_not_there_ends_every_program_with_two(
    name: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [argument.replace("my.csv", "none.csv") for argument in ARGUMENTS.get(name, ("my.csv",))]
    flags = ["-o", "out.html"] if name == "report" else []
    assert status(name, *arguments, *flags) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"verdict {name}: ") and "none.csv" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "my.csv", "-o", "mine"),
        ("report", "my.csv", "--json", "mine"),
        ("report", "my.csv", "-o", "new.html", "--doubts", "mine"),
        ("adapt", "my.csv", "--doubts", "mine"),
        ("adapt", "my.csv", "--hold-back", "mine"),
        ("compare", "published", "published", "my.csv", "--out", "mine"),
        ("suggest", "my.csv", "-o", "mine"),
        ("promise", "my.csv", "--wrong", "0.3", "-o", "mine"),
        ("feedback", "export", "--from", ".", "-o", "mine"),
    ],
)
def test_no_program_replaces_a_file_unasked(
    arguments: tuple[str, ...], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine").write_text("mine", encoding="utf-8")
    assert status(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        f"verdict {arguments[0]}: mine exists; add --force to replace it, or choose another -"
    )
    assert Path("mine").read_text(encoding="utf-8") == "mine"
    assert status(*(argument.replace("mine", "-") for argument in arguments)) == 2
    assert "and - is none; nothing is written to standard output" in capsys.readouterr().err
    assert not Path("-").exists()
