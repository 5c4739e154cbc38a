"""The files that travel to another machine: whole packages, and nothing that stays here."""

import subprocess
import sys
from pathlib import Path

import pytest

from training.aws import sources


def names(*packages: str) -> set[str]:
    return {path.as_posix() for path in sources.files_of(*packages)}


def test_an_endpoint_s_packages_travel_without_model_and_entry_files() -> None:
    found = names("training/endpoint", "vocab")
    assert {
        "training/__init__.py",
        "training/endpoint/__init__.py",
        "training/endpoint/inference.py",
    } <= found
    assert {"vocab/text.py", "vocab/messages/__init__.py", "vocab/vocabulary.pkl"} <= found
    assert not [name for name in found if "/entry/" in name or "/model/" in name or "__pycache__" in name]


def test_the_recipe_travels_with_its_lessons() -> None:
    lessons = {
        path.relative_to(sources.ROOT).as_posix()
        for path in (sources.ROOT / "training/recipe/lessons").glob("*.json*")
    }
    assert lessons
    assert lessons <= names("training/recipe")


def test_a_file_travels_once() -> None:
    paths = list(sources.files_of("training/data", "training/recipe", "vocab"))
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    ("packages", "imports"),
    [
        (("training/endpoint", "vocab"), "from training.endpoint import inference"),
        (("vocab",), "from vocab import messages, text, vocabulary; vocabulary.load()"),
    ],
)
def test_a_copy_imports_by_itself(packages: tuple[str, ...], imports: str, tmp_path: Path) -> None:
    sources.copy(tmp_path, *packages)
    code = f"{imports}; import sys; print(sys.modules['vocab'].__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == tmp_path / "vocab/__init__.py"
