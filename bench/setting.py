"""What every part of the benchmark is given: the reviews, a folder to write in, and how much time it has."""

import dataclasses
from pathlib import Path

from bench.samples import Samples

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Setting:
    """``quick`` measures for seconds what else is measured for minutes; ``long`` trains to an accuracy."""

    samples: Samples
    folder: Path
    quick: bool = False
    long: bool = False

    def choose(self, quick: float, full: float) -> float:
        """Give the one that counts here, of seconds or of runs."""
        return quick if self.quick else full

    def empty(self, name: str) -> Path:
        """Give a new folder of that name."""
        path = self.folder / name
        path.mkdir()
        return path
