"""Judge the rows of a file in parts, on this machine's cores or a Ray cluster, and keep each part's answers.

A part's answers are a table of table.py. Finished parts stay on disk, so a stopped report goes on.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from training.endpoint.inference import LoadedModel
from training.files import ray_cluster
from training.files.parts import TABLE, PartsFolder, load_part
from training.files.pool import Pool, open_pool
from training.files.processes import PROCESS_ROWS, map_parts
from training.files.rows import PART_ROWS, BatchError, Part, Row, parts
from training.report import table
from training.report.asking import Question, judge_rows
from training.report.ray_actor import CODE, Judging
from training.report.table import Table

# Takes parts, and yields each with its table's bytes.
Judge = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]


@contextmanager
def open_judge(
    question: Question, folder: Path, model: LoadedModel, workers: int, rows: int
) -> Iterator[Judge]:
    """Yield a judge of so many rows in at most so many processes."""
    work = partial(judge_rows, question)
    workers = min(workers, rows // PROCESS_ROWS)
    if workers < 2:
        yield lambda parts: _judge_here(work, model, parts)
        return
    with open_pool(work, folder, model, workers) as pool:
        yield lambda parts: _judge_by_pool(pool, parts)


def judge_by_ray(question: Question, folder: Path, address: str) -> Judge:
    """Return a judge that is a running Ray cluster."""
    return lambda parts: ray_cluster.predict_parts(parts, folder, address, Judging, (question,), CODE)


def judge_file(rows: Iterable[Row], count: int, judge: Judge, saved: PartsFolder) -> list[Path]:
    """Judge the parts that an earlier run left, and return the paths of all parts, in order.

    Raises BatchError or OSError; finished parts stay saved.
    """
    paths, order = saved.paths(), list[int]()
    with tqdm(total=count, desc="judging", unit="review", disable=None) as bar:
        missing = _missing(parts(rows, PART_ROWS), paths, order, bar)
        for part, data in judge(missing):
            paths[part.number] = saved.keep(part.number, data, TABLE)
            bar.update(len(part.ids))
    return [paths[number] for number in order]


def load(path: Path) -> Table:
    """Load a kept part. Raises BatchError."""
    try:
        return table.from_bytes(load_part(path))
    except (ValueError, KeyError) as error:
        raise BatchError(f"{path} is damaged; run it again") from error


def _missing(
    all_parts: Iterable[Part], paths: dict[int, Path], order: list[int], bar: "tqdm[None]"
) -> Iterator[Part]:
    """Yield the parts without answers, and note every part's number; a damaged file is deleted."""
    for part in all_parts:
        order.append(part.number)
        path = paths.get(part.number)
        if path and _is_whole(path):
            bar.update(len(part.ids))
            continue
        if path:
            paths.pop(part.number).unlink()
        yield part


def _is_whole(path: Path) -> bool:
    try:
        load(path)
        return True
    except BatchError:
        return False


def _judge_here(
    work: partial[bytes], model: LoadedModel, parts: Iterable[Part]
) -> Iterator[tuple[Part, bytes]]:
    for part in parts:
        yield part, work(model, (part.ids, part.reviews))


def _judge_by_pool(pool: Pool, parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
    """Yield each part with its table, in order. Raises BatchError when a process dies."""
    for part, tables in map_parts(pool, parts):
        yield part, table.to_bytes(table.join([table.from_bytes(data) for data in tables]))
