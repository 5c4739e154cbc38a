"""The Lambda's NLTK is its stemmer's modules alone, unchanged, with the licence; the stems are the same."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from training.aws import function, slim

NLTK = Path(str(distribution("nltk").locate_file("")))
SECONDS = 120


def copied(folder: Path, version: str) -> Path:
    """A copy of the app's folder, links followed, that pins a version of NLTK."""
    leave_out = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    app = Path(shutil.copytree(function.APP, folder / "app", ignore=leave_out))
    lines = (app / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.sub("^nltk==.*$", f"nltk=={version}", lines, flags=re.MULTILINE)
    (app / "requirements.txt").write_text(pinned, encoding="utf-8")
    return app


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy that pins what is installed, made slim."""
    app = copied(tmp_path, version("nltk"))
    slim.slim(app)
    return app


def test_the_stemmer_s_modules_come_unchanged_and_nothing_else_of_nltk(app: Path) -> None:
    files = [path for path in (app / "vendor/nltk").rglob("*") if path.is_file()]
    assert app / "vendor/nltk/stem/porter.py" in files
    assert len(files) < 10
    for path in files:
        if path.name != "LICENSE.txt":
            assert path.read_bytes() == (NLTK / path.relative_to(app / "vendor")).read_bytes()


def test_the_licence_comes_with_them(app: Path) -> None:
    assert "Apache License" in (app / "vendor/nltk/LICENSE.txt").read_text(encoding="utf-8")


def test_the_copy_requires_what_is_left_and_the_app_all_of_it(app: Path) -> None:
    left, own = (names(folder) for folder in (app, function.APP))
    assert own - left == set(slim.DROPPED)
    assert {"beautifulsoup4", "regex"} <= left


def names(folder: Path) -> set[str]:
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0] for line in lines if "==" in line}


def test_another_nltk_than_the_pinned_one_is_not_packed(tmp_path: Path) -> None:
    app = copied(tmp_path, "1.2.3")
    slim.slim(app)
    assert not (app / "vendor/nltk").exists()
    assert "nltk" in names(app)


def test_the_copy_stems_without_the_rest_of_nltk(app: Path, tmp_path: Path) -> None:
    (tmp_path / "needs").mkdir()
    (tmp_path / "needs/regex").symlink_to(Path(str(distribution("regex").locate_file("regex"))))
    code = "import sys; sys.path[:0] = sys.argv[1:]; from vocab import vocabulary;"
    code += "print(vocabulary.stem_of('conditionally')); import nltk.stem; print(*nltk.stem.__path__)"
    # -S: no other package is seen but what stands on the path.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(app / "vendor"), str(tmp_path / "needs")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.stdout.split() == ["condit", str(app / "vendor/nltk/stem")], done.stderr


def test_a_module_that_nltk_has_no_more_is_named() -> None:
    with pytest.raises(slim.SlimError, match="^nltk has no module nltk.stem.gone$"):
        slim.modules(NLTK, "nltk.stem.gone")


def test_what_functions_import_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("import re\nfrom nltk.stem import api\ndef later():\n    import nltk.corpus\n", "utf-8")
    assert list(slim.imports(path)) == ["re", "nltk.stem", "nltk.stem.api"]
