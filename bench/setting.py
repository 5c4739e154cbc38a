"""Define the arguments of every part: reviews, a folder for files, and the length of the run."""

import dataclasses
from pathlib import Path

from bench.samples import Samples

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Setting:
    """A run: ``quick`` takes seconds instead of minutes, ``long`` also trains to an accuracy."""

    samples: Samples
    folder: Path
    quick: bool = False
    long: bool = False

    def choose(self, quick: float, full: float) -> float:
        """Return the value for this run, in seconds or runs."""
        return quick if self.quick else full

    def empty(self, name: str) -> Path:
        """Create a folder of this name, and return it."""
        path = self.folder / name
        path.mkdir()
        return path
