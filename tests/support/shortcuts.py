"""What a deploy in a test need not do each time: read the vocabulary, compress a package, upload pages."""

import functools
import shutil
from pathlib import Path
from typing import Any

from training.aws import package as packages
from training.aws import page
from vocab import vocabulary

SITE = page.SITE
# A page, and two files of other types.
PAGES = ("index.html", "favicon.svg", "shared/style.css")

_pack = packages.pack
_load_once = functools.cache(vocabulary.load)


@functools.lru_cache(8)
def _pack_once(files: tuple[tuple[str, bytes], ...]) -> bytes:
    return _pack(dict(files))


def small_site(folder: Path) -> Path:
    """Copy a few of the page's files below a folder, once; return where they are."""
    site = folder / "site"
    for name in PAGES:
        target = site / name
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SITE / name, target)
    return site


def shortcuts(folder: Path) -> tuple[tuple[Any, str, Any], ...]:
    """Return modules, names and values that make a deploy short; ``folder`` gets the small site."""
    return (
        (vocabulary, "load", _load_once),
        (packages, "pack", lambda contents: _pack_once(tuple(sorted(contents.items())))),
        (page, "SITE", small_site(folder)),
    )
