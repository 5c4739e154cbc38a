"""A batch that can be stopped: each part is kept once it is judged, and the output written when all are.

Who judges the parts is the caller's: processes here, a Ray cluster, a service by its URL.
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

# Takes parts and gives each with its answers as JSON lines, in any order.
Predictor = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]


class Done(NamedTuple):
    """What a batch wrote: rows, and how many of them have an error."""

    rows: int
    failed: int


class Work(NamedTuple):
    """What is to be done: the file, its SHA-256, how many rows can be sent, the output, and the key.

    ``key`` names all that an answer hangs on; parts that were kept under another are not taken. A part has at
    most ``rows`` rows and ``bytes`` bytes.
    """

    source: Source
    digest: str
    sent: int
    out: Path
    key: str
    rows: int = PART_ROWS
    bytes: int = PART_BYTES


def run(work: Work, predict: Predictor) -> Done:
    """Judge what an earlier run left, and write the output.

    Raises BatchError, OSError, or what ``answering`` raises; what was judged until then stays.
    """
    with open_folder(work.out, work.key) as kept:
        if kept.read_job():
            raise BatchError(
                f"{kept.folder} belongs to a transform job; run that batch to its end, delete the folder, or"
                " choose another --out"
            )
        found = kept.paths()
        with tqdm(total=work.sent, desc="judging", unit="review", disable=None) as bar:
            every = parts(work.source.rows(), work.rows, work.bytes)
            for part, data in predict(_missing(every, found, bar)):
                kept.save(part, data)
                bar.update(len(part.ids))
        return finish(work, load_predictions(kept.paths()), kept)


def finish(work: Work, answered: Iterable[dict[int, Prediction]], kept: PartsFolder) -> Done:
    """Write the output from the file, read once more, and the answers. Raises BatchError."""
    with open_output(kept, work.out) as file:
        joined = join(work.source.rows(), answered)
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


def _missing(every: Iterable[Part], found: dict[int, Path], bar: "tqdm[None]") -> Iterator[Part]:
    """Yield the parts without answers; delete a damaged file and yield its part again."""
    for part in every:
        path = found.get(part.number)
        if path and is_whole(path, part):
            bar.update(len(part.ids))
            continue
        if path:
            path.unlink()
        yield part
