"""A batch that can be resumed: each predicted part is saved, and the output grows beside it.

The caller chooses the predictor: processes here, a Ray cluster, or a service by its URL.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from training.files.outputs import check_new
from training.files.parts import PartsFolder, is_whole, load_predictions, open_folder, open_output
from training.files.rows import (
    PART_ROWS,
    BatchError,
    Part,
    Prediction,
    Source,
    join,
    output_format,
    parts,
    write,
)
from vocab import typed
from vocab.files import sha256_of
from vocab.messages import AspectsValue

# Yields each part with its predictions as JSON lines, in any order.
Predictor = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]


class Done(NamedTuple):
    """The result of a batch: its number of rows, and of rows with an error."""

    rows: int
    failed: int


class Work(NamedTuple):
    """A batch: its file, the file's SHA-256, the number of rows to send, the output, and the key.

    ``key`` identifies everything that a prediction depends on; parts saved under another key are not used. A
    part has at most ``rows`` rows. ``aspects`` are those to judge, if any, and ``explain`` says how
    far. ``raw`` writes the cells of a CSV as they are.
    """

    source: Source
    digest: str
    sent: int
    out: Path
    key: str
    rows: int = PART_ROWS
    aspects: AspectsValue | None = None
    explain: str = "none"
    raw: bool = False


def run(work: Work, predict: Predictor) -> Done:
    """Predict the parts that an earlier run left, and write the output.

    Raises BatchError, OSError, or what ``predict`` raises. Finished parts stay saved.
    """
    with open_folder(work.out, work.key) as saved:
        if saved.read_job():
            raise BatchError(
                f"{saved.folder} belongs to a transform job; run that batch to its end, delete the folder, or"
                f" choose another {typed.out()}"
            )
        with (
            tqdm(total=work.sent, desc="judging", unit="review", disable=None) as bar,
            closing(_predictions(work, predict, saved, bar)) as predictions,
        ):
            return finish(work, predictions, saved)


def finish(work: Work, predictions: Iterable[dict[int, Prediction]], saved: PartsFolder) -> Done:
    """Write the output from the predictions and the file, which is read again. Raises BatchError."""
    with open_output(saved, work.out) as file:
        try:
            joined = join(work.source.rows(), predictions)
            written_as = output_format(work.out)
            done = Done(*write(joined, work.source, file, written_as, work.aspects, work.explain, work.raw))
        except BatchError:
            _check_unchanged(work)  # a better reason than rows and answers that differ
            raise
        _check_unchanged(work)
    return done


def check_out(out: Path, file: Path, force: bool = False, flag: str = "--out") -> Path:
    """Return the output's resolved path. Raises BatchError when it can't be written there.

    A file that exists is replaced only with ``force``. ``flag`` has named the output.
    """
    path = out.resolve()
    if path == file.resolve():
        raise BatchError(f"{out} is the input; choose another {flag}")
    check_new(out, force, flag)
    return path


def _predictions(
    work: Work, predict: Predictor, saved: PartsFolder, bar: "tqdm[None]"
) -> Generator[dict[int, Prediction]]:
    """Yield the predictions of every part, in order, and save the new ones as they come."""
    paths, waiting = saved.paths(), deque[int]()
    missing = _missing(parts(work.source.rows(), work.rows), paths, waiting, bar)
    for part, data in predict(missing):
        paths[part.number], predictions = saved.save(part, data)
        bar.update(len(part.ids))
        while waiting and waiting[0] in paths:
            number = waiting.popleft()
            yield predictions if number == part.number else load_predictions(paths[number])
    yield from (load_predictions(paths[number]) for number in waiting)


def _missing(
    all_parts: Iterable[Part], paths: dict[int, Path], waiting: deque[int], bar: "tqdm[None]"
) -> Iterator[Part]:
    """Yield the parts without answers, and note every part's number.

    A damaged file is deleted, and its part yielded again.
    """
    for part in all_parts:
        waiting.append(part.number)
        path = paths.get(part.number)
        if path and is_whole(path, part):
            bar.update(len(part.ids))
            continue
        if path:
            paths.pop(part.number).unlink()
        yield part


def _check_unchanged(work: Work) -> None:
    if sha256_of(work.source.path) != work.digest:
        raise BatchError(f"{work.source.path} was changed while it was read; run it again")
