"""The folder OUT.parts/ of an unfinished batch: finished parts, and a transform job's name.

After a stop, even by ``kill -9``, the same command resumes from here. The folder is removed once OUT is
written.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from training.files.rows import BatchError, Part, Prediction, parse_predictions
from vocab import typed
from vocab.files import sha256, write_atomic
from vocab.messages import AspectsValue, to_json

# The endings of a kept part: predictions of a batch, and a report's tables.
LINES, TABLE = "jsonl", "npz"
_PART = re.compile(rf"([0-9a-f]{{16}})-(\d{{6,}})-([0-9a-f]{{16}})\.(?:{LINES}|{TABLE})")
# write_atomic's temporary files start with a dot.
_OURS = re.compile(rf"output|job\.json|{_PART.pattern}|\..*\.(?:jsonl?|npz)\..*")


class PartsFolder(NamedTuple):
    """The folder of one batch. ``key`` identifies its input and model, so other parts are not used."""

    folder: Path
    key: str

    @property
    def job(self) -> Path:
        """The file that names the transform job."""
        return self.folder / "job.json"

    def save(self, part: Part, data: bytes) -> tuple[Path, dict[int, Prediction]]:
        """Save the predictions of a part, and return its path with them.

        Raises BatchError when they are of other rows.
        """
        predictions = parse_predictions(data, part.ids)
        return self.keep(part.number, data), predictions

    def keep(self, number: int, data: bytes, ending: str = LINES) -> Path:
        """Write a part's bytes, and return their path."""
        path = self.folder / f"{self.key}-{number:06d}-{sha256(data)[:16]}.{ending}"
        write_atomic(path, data)
        return path

    def paths(self) -> dict[int, Path]:
        """Return the paths of this batch's parts by number, and delete other batches' parts."""
        paths = {}
        for path in self.folder.iterdir():
            match = _PART.fullmatch(path.name)
            if match and match[1] == self.key:
                paths[int(match[2])] = path
            elif match:
                path.unlink()
        return paths

    def read_job(self) -> dict[str, Any] | None:
        """Load the record of a transform job; None without one. Raises BatchError."""
        try:
            return dict(json.loads(self.job.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise BatchError(f"{self.job} is not whole; delete it to start anew") from error

    def write_job(self, job: dict[str, Any]) -> None:
        """Write the transform job's description."""
        write_atomic(self.job, json.dumps(job).encode())


def key_of(*values: str, aspects: AspectsValue | None = None) -> str:
    """Return the key of a batch, 16 hex digits, from everything that its answers depend on."""
    named = () if aspects is None else (to_json(aspects).decode(),)
    return sha256("\n".join((*values, *named)).encode())[:16]


def is_whole(path: Path, part: Part) -> bool:
    """Return whether a kept file is intact and holds all answers to the part."""
    try:
        parse_predictions(load_part(path), part.ids)
        return True
    except BatchError:
        return False


def load_part(path: Path) -> bytes:
    """Load a kept part. Raises BatchError when its content doesn't match the hash in its name."""
    data = path.read_bytes()
    match = _PART.fullmatch(path.name)
    if not match or sha256(data)[:16] != match[3]:
        raise BatchError(f"{path} is damaged; run it again")
    return data


def load_predictions(path: Path) -> dict[int, Prediction]:
    """Load the predictions of a kept part. Raises BatchError."""
    return parse_predictions(load_part(path))


def folder_of(out: Path) -> Path:
    """Return the folder in which a batch with this output keeps its parts."""
    return out.with_name(out.name + ".parts")


def resume_hint(out: Path) -> str:
    """Return how to go on after a stop, as the end of a sentence; empty when no part is kept."""
    folder = folder_of(out)
    return f"; run the same command again to go on ({folder} holds what is done)" if folder.is_dir() else ""


@contextmanager
def open_folder(out: Path, key: str) -> Iterator[PartsFolder]:
    """Lock the folder for one run. Remove it when the block ends without an error.

    Raises BatchError when another run has it, OSError when the disk fails.
    """
    folder = folder_of(out)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BatchError(
                f"another run is writing {out}; wait for it, or choose another {typed.out()}"
            ) from error
        try:
            yield PartsFolder(folder, key)
            _remove_files(folder)
        finally:
            _remove_if_unused(folder)


@contextmanager
def open_output(parts: PartsFolder, out: Path) -> Iterator[TextIO]:
    """Open a text file for writing. It gets its name only once it is whole."""
    temporary = parts.folder / "output"
    try:
        # JSON can name half a character, which UTF-8 can't encode.
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_files(folder: Path) -> None:
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name):
            path.unlink()


def _remove_if_unused(folder: Path) -> None:
    if [path.name for path in folder.iterdir()] == ["lock"]:
        (folder / "lock").unlink()
        folder.rmdir()
