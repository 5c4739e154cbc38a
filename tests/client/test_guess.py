"""A word that looks like a command or a path is no review; what is a review stays one."""

from pathlib import Path

import pytest

from verdict_sentiment import cli, guess
from verdict_sentiment.backends import UsageError

REVIEWS = (
    *(
        "Great.",
        "great",
        "good",
        "bad",
        "awful",
        "Terrible!",
        "superb",
        "amazing",
        "boring",
        "meh",
        "perfect",
    ),
    *(
        "8/10",
        "8.5/10",
        "10/10!",
        "good/bad",
        "1/2/2020",
        "\\o/",
        "...",
        "3.5",
        "Mr.Bean",
        "wow",
        "best",
        "worst",
        "fine",
    ),
    "I adapted to it.",
    "A film to watch, and to watch again.",
)


@pytest.mark.parametrize("word", ["adpat", "Adapt", "adpt", "repot", "serv", "feedbak", "hlep"])
def test_a_word_that_is_nearly_a_command_is_refused_with_the_command(word: str) -> None:
    with pytest.raises(UsageError, match=f"no command {word!r}; did you mean verdict [a-z]+[?] .* --text"):
        guess.refuse_command(word, cli.COMMANDS)


def test_a_command_that_stands_behind_a_flag_is_refused() -> None:
    with pytest.raises(UsageError, match="^a command stands first; did you mean verdict serve[?]"):
        guess.refuse_command("serve", cli.COMMANDS)


@pytest.mark.parametrize(
    "text",
    [
        "missing.csv",
        "my missing reviews.csv",
        "a.XLSX",
        "notes.md",
        "./data",
        "data/may/reviews",
        "../data",
        "/tmp/x",
        "~/x",
        "C:\\x",
    ],
)
def test_a_text_that_looks_like_a_path_is_refused(text: str) -> None:
    with pytest.raises(
        UsageError, match="^there is no file .*; did you mean .*[?] For a review, give --text"
    ):
        guess.refuse_path(text)


@pytest.mark.parametrize("text", REVIEWS)
def test_a_review_is_neither(text: str) -> None:
    guess.refuse_command(text, cli.COMMANDS)
    guess.refuse_path(text)


def test_the_file_that_was_probably_meant_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my reviews.csv").touch()
    assert "did you mean 'my reviews.csv'?" in guess.no_file("my review.csv")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/reviews.csv").touch()
    assert "did you mean 'data/reviews.csv'?" in guess.no_file("data/review.csv")
    assert "did you mean a file in another folder?" in guess.no_file("nowhere/review.csv")


def test_a_long_name_is_cut() -> None:
    assert len(guess.no_file("x" * 5000 + ".csv")) < 400
