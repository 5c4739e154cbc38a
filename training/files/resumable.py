"""A batch that can be resumed: each predicted part is saved, and the output is written at the end.

The caller chooses the predictor: processes here, a Ray cluster, or a service by its URL.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from training.files.parts import PartsFolder, is_whole, load_predictions, open_folder, open_output
from training.files.rows import (
    PART_BYTES,
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
from vocab.files import sha256_of

# Yields each part with its predictions as JSON lines, in any order.
Predictor = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]


class Done(NamedTuple):
    """The result of a batch: its number of rows, and of rows with an error."""

    rows: int
    failed: int


class Work(NamedTuple):
    """A batch: its file, the file's SHA-256, the number of rows to send, the output, and the key.

    ``key`` identifies everything that a prediction depends on; parts saved under another key are not used. A
    part has at most ``rows`` rows and ``bytes`` bytes.
    """

    source: Source
    digest: str
    sent: int
    out: Path
    key: str
    rows: int = PART_ROWS
    bytes: int = PART_BYTES


def run(work: Work, predict: Predictor) -> Done:
    """Predict the parts that an earlier run left, and write the output.

    Raises BatchError, OSError, or what ``predict`` raises. Finished parts stay saved.
    """
    with open_folder(work.out, work.key) as saved:
        if saved.read_job():
            raise BatchError(
                f"{saved.folder} belongs to a transform job; run that batch to its end, delete the folder, or"
                " choose another --out"
            )
        paths = saved.paths()
        with tqdm(total=work.sent, desc="judging", unit="review", disable=None) as bar:
            all_parts = parts(work.source.rows(), work.rows, work.bytes)
            for part, data in predict(_missing(all_parts, paths, bar)):
                saved.save(part, data)
                bar.update(len(part.ids))
        return finish(work, load_predictions(saved.paths()), saved)


def finish(work: Work, predictions: Iterable[dict[int, Prediction]], saved: PartsFolder) -> Done:
    """Write the output from the predictions and the file, which is read again. Raises BatchError."""
    with open_output(saved, work.out) as file:
        joined = join(work.source.rows(), predictions)
        done = Done(*write(joined, work.source, file, output_format(work.out)))
        if sha256_of(work.source.path) != work.digest:
            raise BatchError(f"{work.source.path} was changed while it was read; run it again")
    return done


def check_out(out: Path, file: Path) -> Path:
    """Return the output's resolved path. Raises BatchError when it can't be written there."""
    path = out.resolve()
    if path == file.resolve():
        raise BatchError(f"{out} is the input; choose another --out")
    if path.exists() and not path.is_file():
        raise BatchError(f"{out} is no file; choose another --out")
    if not path.parent.is_dir():
        raise BatchError(f"there is no folder {out.parent} for the output; make it, or choose another --out")
    return path


def _missing(all_parts: Iterable[Part], paths: dict[int, Path], bar: "tqdm[None]") -> Iterator[Part]:
    """Yield the parts without answers; delete a damaged file and yield its part again."""
    for part in all_parts:
        path = paths.get(part.number)
        if path and is_whole(path, part):
            bar.update(len(part.ids))
            continue
        if path:
            path.unlink()
        yield part
