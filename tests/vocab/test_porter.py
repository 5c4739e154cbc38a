"""porter.py: NLTK's own stemmer, without the rest of NLTK."""

import subprocess
import sys
from pathlib import Path

import pytest

from vocab import porter

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


def python(code: str) -> str:
    """Run code in a new interpreter that can import vocab; return its output."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_stems_as_nltk_s_own_package_does() -> None:
    from nltk.stem.porter import PorterStemmer

    ours, whole = porter.load(), PorterStemmer()
    words = "running dies happily relational sky generously conditional ponies caress agreed".split()
    assert [ours.stem(word) for word in words] == [whole.stem(word) for word in words]


def test_the_rest_of_nltk_is_not_imported_with_it() -> None:
    code = "import sys; from vocab import porter; print(porter.load().stem('running'));"
    assert python(code + "print(*[m for m in sys.modules if m.startswith('nltk')])").split("\n") == ["run"]


@pytest.mark.slow
def test_who_imports_nltk_afterwards_gets_all_of_it() -> None:
    code = "from vocab import porter; stemmer = porter.load(); import nltk; import nltk.tokenize;"
    assert python(code + "print(nltk.__version__ != '', stemmer.stem('films'))") == "True film"


@pytest.mark.slow
def test_with_nltk_imported_before_its_own_module_is_taken() -> None:
    code = "import nltk.stem.porter as own; from vocab import porter;"
    assert python(code + "print(type(porter.load()) is own.PorterStemmer)") == "True"


def test_several_threads_may_ask_for_it_at_once() -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor; from vocab import porter;"
        "print(*ThreadPoolExecutor(8).map(lambda _: porter.load().stem('films'), range(8)))"
    )
    assert python(code).split() == ["film"] * 8


def test_without_nltk_the_missing_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "nltk"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(porter, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="No module named 'nltk'"):
        porter.load()
    assert "nltk" not in sys.modules
