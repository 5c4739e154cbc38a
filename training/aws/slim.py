"""Make the Lambda's zip small: carry only NLTK's stemmer modules, unchanged, with NLTK's licence.

NLTK stays a requirement of the app (chalice_app/requirements.txt). A plain `chalice deploy` packs all of it:
2 MB of the zip, with its own dependencies. This module works on a copy of chalice_app/.
"""

import ast
import importlib.metadata
import shutil
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "nltk"
STEMMER = "nltk.stem.porter"
# Only the rest of NLTK needs these requirements. The stemmer's own modules need regex.
DROPPED = (PACKAGE, "click", "cloudpickle", "defusedxml", "joblib", "tqdm")


class SlimError(Exception):
    """NLTK is not installed here, or has no stemmer module where this file expects it."""


def slim(app: Path) -> None:
    """Change a copy of chalice_app/: copy the stemmer's modules into vendor/, remove DROPPED requirements.

    The copy stays unchanged where the installed NLTK differs from the pinned one: app and endpoint must
    stem alike. Raises SlimError.
    """
    try:
        installed = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise SlimError(f"{PACKAGE} is not installed: pip install -r requirements/run.txt") from error
    requirements = app / "requirements.txt"
    lines = requirements.read_text(encoding="utf-8").splitlines()
    if f"{PACKAGE}=={installed.version}" not in lines:
        return
    root = Path(str(installed.locate_file("")))
    for path in sorted(modules(root)):
        _copy(path, root, app / "vendor")
    for file in installed.files or ():
        if file.name.upper().startswith("LICENSE"):
            (app / "vendor" / PACKAGE / "LICENSE.txt").write_bytes(file.read_binary())
    needed = [line for line in lines if line.split("==")[0] not in DROPPED]
    requirements.write_text("\n".join(needed) + "\n", encoding="utf-8")


def modules(root: Path, name: str = STEMMER) -> set[Path]:
    """Return the files of an NLTK module and of its imports from NLTK, without packages' __init__ files.

    Raises SlimError when there is no such module.
    """
    files: dict[str, Path] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        path = root / f"{module.replace('.', '/')}.py"
        if module in files or not path.is_file():
            continue
        files[module] = path
        waiting += [imported for imported in imports(path) if imported.split(".")[0] == PACKAGE]
    if name not in files:
        raise SlimError(f"{PACKAGE} has no module {name}")
    return set(files.values())


def imports(path: Path) -> Iterator[str]:
    """Yield the names that a module imports at its top level; functions import later, or never."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _copy(path: Path, root: Path, vendor: Path) -> None:
    target = vendor / path.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)
