"""Archives like IMDb's, with a few reviews."""

import io
import tarfile
from pathlib import Path

TINY_COUNTS = {"train": 6, "unsup": 3, "test": 4}


def tiny_members() -> dict[str, str]:
    """Return a whole archive\'s members: 6 train, 3 unsup and 4 test reviews, each of its own film."""
    members = {}
    for part, kind, stars in (
        ("train", "pos", (9, 10, 7)),
        ("train", "neg", (1, 4, 2)),
        ("train", "unsup", (0, 0, 0)),
        ("test", "pos", (8, 10)),
        ("test", "neg", (3, 1)),
    ):
        films = [f"http://film/{part}/{kind}/{number}" for number in range(len(stars))]
        members[f"aclImdb/{part}/urls_{kind}.txt"] = "\n".join(films) + "\n"
        for number, star in enumerate(stars):
            members[f"aclImdb/{part}/{kind}/{number}_{star}.txt"] = f"The {part} {kind} film {number}."
    return members


def line_members(share: int = 1) -> dict[str, str]:
    """Return an archive's members: one-line reviews, as many as the real one has divided by ``share``."""
    members = {}
    for part, kind, whole, stars in (
        ("train", "pos", 12_500, 9),
        ("train", "neg", 12_500, 2),
        ("train", "unsup", 50_000, 0),
        ("test", "pos", 12_500, 10),
        ("test", "neg", 12_500, 1),
    ):
        count = whole // share
        films = (f"http://film/{part}/{kind}/{number}\n" for number in range(count))
        members[f"aclImdb/{part}/urls_{kind}.txt"] = "".join(films)
        words = {"pos": "a great film", "neg": "an awful film"}.get(kind, "a film")
        for number in range(count):
            members[f"aclImdb/{part}/{kind}/{number}_{stars}.txt"] = f"{part} {number}: {words}"
    return members


def write_archive(path: Path, members: dict[str, str], *others: tarfile.TarInfo) -> Path:
    """Write a tar.gz of text members, and of ``others`` without content."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, text in members.items():
            data = text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in others:
            tar.addfile(info)
    return path
