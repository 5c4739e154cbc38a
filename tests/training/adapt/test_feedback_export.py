"""Feedback is exported into a new file, and deleted as a whole only after a yes."""

import io
from pathlib import Path

import pytest

from training.adapt import feedback_export

IDS = ("0" * 32, "1" * 32)


class Terminal(io.StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two records of feedback."""
    for id in IDS:
        (tmp_path / f"{id}.json").write_text("{}", encoding="utf-8")
    return tmp_path


def delete(folder: Path, *flags: str) -> int:
    return feedback_export.main(["delete", "--all", "--from", str(folder), *flags])


def left(folder: Path) -> int:
    return len(list(folder.glob("*.json")))


@pytest.mark.parametrize(("answer", "status", "count"), [("y", 0, 0), ("Yes", 0, 0), ("", 1, 2), ("n", 1, 2)])
def test_a_terminal_is_asked(
    answer: str,
    status: int,
    count: int,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
    assert delete(folder) == status
    assert left(folder) == count
    shown = capsys.readouterr()
    assert shown.out.startswith("Delete 2 reviews for good? [y/N] ")
    assert shown.err == ("" if status == 0 else "feedback: nothing was deleted\n")


def test_without_a_terminal_it_takes_a_flag(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert delete(folder) == 2
    assert "--all deletes 2 reviews for good; --yes does that without a question" in capsys.readouterr().err
    assert left(folder) == 2
    assert delete(folder, "--yes") == 0
    assert left(folder) == 0


def test_an_end_of_input_deletes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert delete(folder) == 1
    assert left(folder) == 2


def test_some_are_deleted_without_a_question(folder: Path) -> None:
    assert feedback_export.main(["delete", IDS[0], "--from", str(folder)]) == 0
    assert left(folder) == 1


def test_an_export_replaces_a_file_only_by_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "corrections.csv"
    out.write_text("mine", encoding="utf-8")
    arguments = ["export", "--from", str(folder), "-o", str(out)]
    assert feedback_export.main(arguments) == 2
    assert "corrections.csv exists; add --force to replace it" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "mine"
    assert feedback_export.main([*arguments, "--force"]) == 0
    assert out.read_text(encoding="utf-8").startswith("text,label,")
