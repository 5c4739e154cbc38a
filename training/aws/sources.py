"""The files of our packages that travel to another machine: an endpoint, a training job, a Ray cluster."""

import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Files that a package reads at run time, beside its modules. Models and evaluation cases do not travel.
DATA = {"vocab": ("vocabulary.json", "vocabulary.pkl"), "training/recipe": ("lessons/*.json*",)}
# Each image looks for its entry files in a place of its own, so they do not travel with their package.
ENTRY = "entry"


def files_of(*packages: str) -> Iterator[Path]:
    """Yield each file of some packages, and their parents' __init__.py, relative to the repository's root.

    >>> [path.as_posix() for path in files_of("training/data")][:2]
    ['training/__init__.py', 'training/data/__init__.py']
    """
    for parent in sorted({Path(name).parent for name in packages} - {Path(".")}):
        yield parent / "__init__.py"
    for name in packages:
        for pattern in ("**/*.py", *DATA.get(name, ())):
            for path in sorted((ROOT / name).glob(pattern)):
                relative = path.relative_to(ROOT)
                if ENTRY not in relative.parts:
                    yield relative


def copy(folder: Path, *packages: str) -> None:
    """Copy some packages into a folder, so that code there imports them as from the repository's root."""
    for path in files_of(*packages):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, folder / path)
