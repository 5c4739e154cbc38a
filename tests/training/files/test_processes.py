"""The hooks for a file's parts: whole and in order, in as many processes as are worth their start."""

import os
import signal
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from training.endpoint.inference import LoadedModel
from training.files import pool, processes
from training.files.rows import BatchError, Part

pytestmark = pytest.mark.slow
TEXTS = ("A lovely film.", "A dull film.", "", "<br>", "I did not like it at all, but she did.")


def parts(*sizes: int) -> Iterator[Part]:
    """Yield parts of so many rows."""
    first = 0
    for number, size in enumerate(sizes):
        ids = range(first, first + size)
        yield Part(number, array("Q", ids), [f"{TEXTS[id % len(TEXTS)]} {id}" for id in ids])
        first += size


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many processes each pool has."""
    noted: list[int] = []
    whole = pool.open_pool

    def opened(work: pool.Work, folder: Path, model: LoadedModel, workers: int) -> object:
        noted.append(workers)
        return whole(work, folder, model, workers)

    monkeypatch.setattr(processes, "open_pool", opened)
    return noted


def test_several_processes_answer_as_one_part_by_part(package: Path, workers: list[int]) -> None:
    sizes = (processes.TASK_ROWS, 1, 3 * processes.TASK_ROWS + 1, 2, 2 * processes.TASK_ROWS)
    with processes.open_hooks(package, 1, 1000) as alone:
        expected = list(alone.predict(parts(*sizes)))
    with processes.open_hooks(package, 2, 1000) as together:
        found = list(together.predict(parts(*sizes)))
    assert workers == [2]
    assert together.key == alone.key
    assert [data for _, data in found] == [data for _, data in expected]
    assert [(part.number, part.ids) for part, _ in found] == [(part.number, part.ids) for part, _ in expected]


def test_rows_are_answered_as_their_json_lines_are(model: LoadedModel) -> None:
    ids, reviews = (
        array("Q", [3, 5, 2**40, 8]),
        ["A fine\nfilm, \ud800 \U0001f600.", "", "<br>", "Bad" * 9_000],
    )
    part = Part(0, ids, reviews)
    expected = processes.predict_lines(model, part.lines())
    assert processes.predict_reviews(model, (ids, reviews)) == expected
    assert expected.count(b"\n") == 3


@pytest.mark.parametrize(("rows", "expected"), [(0, []), (1, []), (199, []), (200, [2]), (10**9, [3])])
def test_only_a_long_file_has_processes(
    rows: int, expected: list[int], package: Path, workers: list[int]
) -> None:
    with processes.open_hooks(package, 3, rows) as hooks:
        assert list(hooks.predict([])) == []
    assert workers == expected


def _die(model: object, data: bytes, aspects: object, explain: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_is_one_sentence(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "predict_reviews", _die)
    with processes.open_hooks(package, 2, 1000) as hooks:
        with pytest.raises(BatchError, match="^a process died, perhaps for want of memory; run it again to"):
            list(hooks.predict(parts(50, 50)))


def test_parts_wait_without_their_texts(package: Path) -> None:
    with processes.open_hooks(package, 2, 1000) as hooks:
        assert [part.reviews for part, _ in hooks.predict(parts(40, 40))] == [[], []]
