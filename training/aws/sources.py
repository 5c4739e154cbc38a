"""Choose the files of our packages that go along to another machine: an endpoint, a job, a Ray cluster."""

import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What a package reads beside its modules; models and cases stay here.
DATA = {"vocab": ("vocabulary.*",), "training/recipe": ("lessons/*.json*",)}
# Entry files stand at the top of what is sent, where the image looks for them.
ENTRY = "entry"


def files_of(*packages: str) -> Iterator[Path]:
    """Yield each file of whole packages, as a path below the repository's root, with its parent's __init__.py.

    >>> [path.as_posix() for path in files_of("training/data")][:2]
    ['training/__init__.py', 'training/data/__init__.py']
    """
    for parent in sorted({Path(name).parent for name in packages} - {Path(".")}):
        yield parent / "__init__.py"
    for name in packages:
        for pattern in ("**/*.py", *DATA.get(name, ())):
            for path in sorted((ROOT / name).glob(pattern)):
                if ENTRY not in path.parts:
                    yield path.relative_to(ROOT)


def copy(folder: Path, *packages: str) -> None:
    """Copy whole packages into a folder, which then is a root that they are imported from."""
    for path in files_of(*packages):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, folder / path)
