"""A batch of parts in any order: the output in the file's order, written meanwhile, whatever was kept."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from training.files import resumable, rows
from training.files.parts import folder_of
from training.files.resumable import Work
from training.files.rows import Part
from vocab.files import sha256_of

ROWS = 12
Predict = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A batch of 12 long rows, in parts of two."""
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{number} {'x' * 20_000}\n" for number in range(ROWS)), encoding="utf-8")
    source = rows.open_source(path, "lines")
    return Work(source, sha256_of(path), ROWS, tmp_path / "out.csv", "f" * 16, rows=2)


def answer(part: Part) -> tuple[Part, bytes]:
    """Answer each row with an error that names it."""
    lines = [{"id": id, "error": {"code": "no_token", "detail": f"row {id}"}} for id in part.ids]
    return part, "\n".join(map(json.dumps, lines)).encode()


def answer_in_order(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
    return map(answer, parts)


def answer_backwards(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
    return map(answer, reversed(list(parts)))


def answer_in_pairs(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
    """Answer the second of two parts before the first."""
    remaining = iter(parts)
    while pair := list(islice(remaining, 2)):
        yield from answer_backwards(pair)


@pytest.mark.parametrize("predict", [answer_in_order, answer_backwards, answer_in_pairs])
def test_rows_are_written_in_the_file_s_order_however_parts_come(predict: Predict, work: Work) -> None:
    assert resumable.run(work, predict) == (ROWS, ROWS)
    lines = work.out.read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(" ")[0] for line in lines] == [str(number) for number in range(ROWS)]
    assert [line.rpartition(",")[2] for line in lines] == [
        f"line {number + 1}: row {number}" for number in range(ROWS)
    ]
    assert not folder_of(work.out).exists()


@pytest.mark.parametrize("first", [{0, 3}, {1, 2, 5}, {5}, set(range(6))])
def test_only_what_is_not_kept_is_predicted_again(first: set[int], work: Work) -> None:
    def stop(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
        yield from (answer(part) for part in parts if part.number in first)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        resumable.run(work, stop)
    assert not work.out.exists()
    assert not (folder_of(work.out) / "output").exists()
    predicted = []

    def go_on(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
        for part in parts:
            predicted.append(part.number)
            yield answer(part)

    resumable.run(work, go_on)
    assert predicted == [number for number in range(6) if number not in first]
    resumed = work.out.read_bytes()
    resumable.run(work, answer_in_order)
    assert work.out.read_bytes() == resumed


def test_the_output_grows_while_parts_are_predicted(work: Work) -> None:
    sizes = []

    def measured(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
        for part in parts:
            sizes.append((folder_of(work.out) / "output").stat().st_size)
            yield answer(part)

    resumable.run(work, measured)
    assert sizes == sorted(sizes)
    assert sizes[-1] > work.out.stat().st_size / 2


def test_the_predictor_has_ended_when_an_error_of_the_output_is_raised(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    def noted(parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
        try:
            yield from map(answer, parts)
        finally:
            ended.append(True)

    def full(joined: Iterator[object], *_: object) -> None:
        next(joined)
        assert not ended
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resumable, "write", full)
    with pytest.raises(OSError, match="No space left"):
        try:
            resumable.run(work, noted)
        finally:
            assert ended
