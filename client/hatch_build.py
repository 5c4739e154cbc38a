"""Carry the service's own files into the distribution, as verdict_sentiment/_app, from their one place.

There `vocab` and `inference` are modules of the package, so that nobody's own module of such a name is in
the way: the copies import each other by their new names.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "verdict_sentiment/_app"
PACKAGE = TARGET.replace("/", ".")
BATCH = ("batch_rows", "batch_parts", "batch_run", "batch_local")
# What makes a model one's own.
ADAPT = (
    *("adapt", "adapt_judge", "compare", "labelled", "pooled", "head_fit", "onnx_head", "paired", "measures"),
    *("likeness", "model_folder", "speaking", "blas", "suggest", "feedback", "drift"),
)
TRAINING = ("inference", "onnx_runtime", "local_endpoint", *BATCH, *ADAPT)
CARRIED = (
    "run.py",
    "Procfile",
    "vocab/*",
    *(f"training/{name}.py" for name in TRAINING),
    "training/endpoint/model/*",
    "chalice_app/*.py",
    "chalice_app/chalicelib/*.py",
    "static_site/**/*",
)


class CarryingHook(BuildHookInterface[Any]):
    """Hatchling's hook; a distribution that is built from an sdist has the copies already."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the copies and have them put in."""
        self._folder = Path(tempfile.mkdtemp(prefix="verdict-"))
        if version == "editable" or (Path(self.root) / TARGET).is_dir():
            return
        repository = Path(self.root).parent
        paths = [path.relative_to(repository) for path in carried(repository)]
        places = places_of(paths)
        for path in paths:
            copy(repository / path, self._folder / path, places)
        build_data["force_include"][str(self._folder)] = TARGET

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the copies away."""
        shutil.rmtree(self._folder)


def carried(repository: Path) -> Iterator[Path]:
    """Give the files to carry. Raises FileNotFoundError when some are missing."""
    for pattern in CARRIED:
        found = [path for path in sorted(repository.glob(pattern)) if path.is_file()]
        if not found:
            raise FileNotFoundError(f"{repository} has no {pattern}; build in a whole checkout, or an sdist")
        yield from (path for path in found if path.suffix != ".pyc" and not path.name.startswith("."))


def places_of(paths: Iterable[Path]) -> dict[str, str]:
    """Give the package in which each module is found that others import by its name alone.

    >>> places_of([Path("training/endpoint/inference.py"), Path("vocab/text.py")])
    {'inference': 'verdict_sentiment._app.training', 'vocab': 'verdict_sentiment._app'}
    """
    places = {}
    for path in paths:
        *folders, name = path.with_suffix("").parts
        if folders in (["training"], ["chalice_app"]) and path.suffix == ".py":
            places[name] = f"{PACKAGE}.{folders[0]}"
        elif folders == ["chalice_app", "chalicelib"]:
            places["chalicelib"] = f"{PACKAGE}.chalice_app"
        elif folders == ["vocab"]:
            places["vocab"] = PACKAGE
    return places


def copy(path: Path, target: Path, places: Mapping[str, str]) -> None:
    """Copy a file; a Python file with its imports renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".py":
        target.write_text(renamed(path.read_text(encoding="utf-8"), places), encoding="utf-8")
    else:
        shutil.copyfile(path, target)


def renamed(source: str, places: Mapping[str, str]) -> str:
    """Give a module whose imports name the package.

    >>> renamed("from vocab.text import clean", {"vocab": "verdict_sentiment._app"})
    'from verdict_sentiment._app.vocab.text import clean'
    >>> renamed("import inference", {"inference": "verdict_sentiment._app.training"})
    'from verdict_sentiment._app.training import inference'
    """
    names = "|".join(places)
    from_one = re.compile(rf"^(\s*)from ({names})(?=[. ])", re.MULTILINE)
    whole = re.compile(rf"^(\s*)import (?=({names})\b)", re.MULTILINE)
    source = from_one.sub(lambda match: f"{match[1]}from {places[match[2]]}.{match[2]}", source)
    return whole.sub(lambda match: f"{match[1]}from {places[match[2]]} import ", source)
