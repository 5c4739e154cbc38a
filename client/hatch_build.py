"""Copy the service's packages into the distribution, as verdict_sentiment/_app.

There `vocab`, `training` and `chalice_app` are packages of verdict_sentiment._app, so that they never clash
with a user's own modules. The copies import each other by these longer names.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "verdict_sentiment/_app"
PACKAGE = TARGET.replace("/", ".")
# The parts of training/ that local judging, adapting and watching import.
TRAINING = ("adapt", "data", "endpoint", "evaluation", "files", "report", "shadow")
CARRIED = (
    "run.py",
    "launcher/*.py",
    "Procfile",
    "vocab/**/*",
    "training/__init__.py",
    *(f"training/{name}/*.py" for name in TRAINING),
    "training/adapt/*.tsv",
    "training/endpoint/model/*",
    "training/aws/*prices.json",
    "chalice_app/*.py",
    "chalice_app/chalicelib/*.py",
    "chalice_app/chalicelib/compatible/*.py",
    "chalice_app/local/*.py",
    "static_site/**/*",
)
# The packages with a longer name. `chalicelib`, `app` and `launcher` keep theirs, because run.py finds them.
RENAMED = re.compile(r"^(\s*)(from|import) (?=(?:vocab|training|chalice_app)\b)", re.MULTILINE)


class CarryingHook(BuildHookInterface[Any]):
    """Hatchling's hook. A build from an sdist has the copies already."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the copies and add them to the build."""
        self._folder = Path(tempfile.mkdtemp(prefix="verdict-"))
        if version == "editable" or (Path(self.root) / TARGET).is_dir():
            return
        repository = Path(self.root).parent
        paths = [path.relative_to(repository) for path in carried(repository)]
        for path in paths:
            copy(repository / path, self._folder / path)
        build_data["force_include"][str(self._folder)] = TARGET

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the copies."""
        shutil.rmtree(self._folder)


def carried(repository: Path) -> Iterator[Path]:
    """Yield the files to carry. Raises FileNotFoundError when a pattern matches none."""
    for pattern in CARRIED:
        matches = [path for path in sorted(repository.glob(pattern)) if path.is_file()]
        if not matches:
            raise FileNotFoundError(f"{repository} has no {pattern}; build in a whole checkout, or an sdist")
        yield from (path for path in matches if path.suffix != ".pyc" and not path.name.startswith("."))


def copy(path: Path, target: Path) -> None:
    """Copy a file, and rename a Python file's imports."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".py":
        target.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        shutil.copyfile(path, target)


def renamed(source: str) -> str:
    """Return a module's source with its imports of our packages by their longer names.

    >>> renamed("from vocab.text import clean")
    'from verdict_sentiment._app.vocab.text import clean'
    """
    return RENAMED.sub(rf"\1\2 {PACKAGE}.", source)
