"""Show how far a file is read or a loop has come: a bar with an estimate, on a terminal only."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from training.files.reading import Noted

Item = TypeVar("Item")

# What ends sooner needs no bar.
DELAY_SECONDS = 1


@contextmanager
def reading_bar(path: Path, doing: str | None) -> Iterator[Noted | None]:
    """Yield what takes the bytes read so far; None without ``doing``, or where no terminal shows a bar.

    tqdm is imported late: the machines of a Ray cluster read no file, and may lack it.
    """
    if doing is None:
        yield None
        return
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # a bar's own thread would keep processes from being forked
    size = path.stat().st_size
    with tqdm(
        total=size,
        desc=doing,
        unit="B",
        unit_scale=True,
        disable=None,
        leave=False,
        delay=DELAY_SECONDS,
    ) as bar:
        yield None if bar.disable else lambda read: bar.update(min(read, size) - bar.n)


def with_bar(items: Iterable[Item], doing: str, unit: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items; a bar called ``doing`` shows how many, and goes at the end."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    yield from tqdm(items, desc=doing, unit=unit, total=total, disable=None, leave=False, delay=DELAY_SECONDS)
