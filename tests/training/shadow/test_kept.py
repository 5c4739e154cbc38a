"""Kept answers: found again by their texts, never with the texts, and only by their own comparison."""

from pathlib import Path
from typing import NamedTuple

import pytest

from training.files.parts import folder_of
from training.files.rows import BatchError
from training.shadow import kept
from training.shadow.services import Answer, Failure

ANSWER = Answer("POSITIVE", "positive", 0.9, {"POSITIVE": 0.9, "NEGATIVE": 0.1})
TEXTS = ["A lovely film.", "A dull film."]


class Named(NamedTuple):
    """A service of which only the key counts."""

    key: tuple[str, ...]


COMPREHEND, TEI = Named(("Comprehend", "")), Named(("tei", "http://x"))


def stopped(out: Path) -> None:
    """Keep an answer and a failure, and stop."""
    with pytest.raises(KeyboardInterrupt), kept.open_kept(out, COMPREHEND) as answers:  # type: ignore[arg-type]
        answers.keep(map(kept.digest_of, TEXTS), [ANSWER, Failure("THROTTLED")], 0.5)
        raise KeyboardInterrupt


def test_answers_are_found_again_after_a_stop_and_failures_are_not(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    stopped(out)
    with kept.open_kept(out, COMPREHEND) as answers:  # type: ignore[arg-type]
        assert answers.answers == {kept.digest_of(TEXTS[0]): ANSWER}
        assert answers.calls == [(0.5, 2)]
    assert list(tmp_path.iterdir()) == []


def test_no_text_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    stopped(out)
    written = b"".join(path.read_bytes() for path in folder_of(out).iterdir())
    assert b"POSITIVE" in written and b"film" not in written


def test_answers_of_another_comparison_are_neither_used_nor_deleted(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    stopped(out)
    with (
        pytest.raises(BatchError, match="answers of another comparison"),
        kept.open_kept(out, TEI),  # type: ignore[arg-type]
    ):
        pytest.fail("opened")
    with kept.open_kept(out, COMPREHEND) as answers:  # type: ignore[arg-type]
        assert len(answers.answers) == 1


def test_a_damaged_part_is_asked_again(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    stopped(out)
    (part,) = folder_of(out).glob("*.jsonl")
    part.write_bytes(part.read_bytes()[:-9])
    with kept.open_kept(out, COMPREHEND) as answers:  # type: ignore[arg-type]
        assert answers.answers == {} and answers.calls == []
