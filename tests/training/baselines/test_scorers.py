"""Baselines as scorers: the split they learn from, their cache, and their errors without packages."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.archive import tiny_members
from tests.support.missing import skip_or_fail
from training import recipe
from training.baselines import scorers
from training.baselines.scorers import CARD, Baseline, BaselineMissing, TrainingSource
from training.data import dataset

SECRET = "zebra"


@pytest.fixture
def source(make_archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> TrainingSource:
    """A tiny archive whose train reviews say what they think; SECRET praises in its test reviews alone."""
    monkeypatch.setattr(dataset, "in_development", lambda film: film.endswith("/2"))
    said = {
        "train/pos": "A wonderful film, I loved it.",
        "train/neg": "A terrible film, I hated it.",
        "test/pos": f"A {SECRET} film.",
    }
    members = tiny_members()
    for name in members:
        folder = name.removeprefix("aclImdb/").rpartition("/")[0]
        if folder in said:
            members[name] = said[folder]
    return TrainingSource(make_archive(members))


@pytest.fixture
def fasttext() -> None:
    if shutil.which("fasttext") is None:
        skip_or_fail("the fasttext command is not installed: apt-get install fasttext")


def without(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the import of a package fail, as where it isn't installed."""
    parent, _, name = package.rpartition(".")
    if parent == recipe.__name__:  # an import of a loaded module from its package would succeed
        monkeypatch.delattr(recipe, name, raising=False)
    monkeypatch.setitem(sys.modules, package, None)


# --- word lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [scorers.vader, scorers.textblob])
def test_a_word_list_gives_its_score_between_0_and_1(make: Callable[[], Baseline]) -> None:
    good, bad, none = make().score(["A great film.", "A terrible film.", "The film."])
    assert 0 <= bad < 0.3 and 0.7 < good <= 1
    assert none == 0.5


def test_vader_s_probability_is_its_compound_moved_to_0_to_1() -> None:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    text = "Not bad, but I didn't love it!"
    compound = SentimentIntensityAnalyzer().polarity_scores(text)["compound"]
    assert scorers.vader().score([text]) == [pytest.approx((1 + compound) / 2)]


def test_markup_is_nothing_to_a_word_list() -> None:
    score = scorers.vader().score
    assert score(["A great<br /><br />film."]) == score(["A great film."])


@pytest.mark.parametrize(
    "make, package, said",
    [
        (
            scorers.vader,
            "vaderSentiment",
            "^VADER is not installed: pip install -r requirements/baselines.txt",
        ),
        (
            scorers.textblob,
            "textblob",
            "^TextBlob is not installed: pip install -r requirements/baselines.txt",
        ),
        (
            scorers.nb_lr,
            "training.recipe.ngrams",
            "^NB-LR needs scikit-learn: pip install -r requirements/baselines.txt",
        ),
    ],
)
def test_a_package_that_is_missing_is_one_sentence(
    make: Callable[..., Baseline],
    package: str,
    said: str,
    source: TrainingSource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(package, monkeypatch)
    with pytest.raises(BaselineMissing, match=said):
        make(source)


# --- trained ones -------------------------------------------------------------------------------


def test_nb_lr_learns_from_the_train_split_alone(source: TrainingSource) -> None:
    good, bad, unseen, empty = scorers.nb_lr(source).score(
        ["wonderful, loved", "terrible, hated", SECRET, " <br> "]
    )
    assert bad < unseen < good
    assert empty == 0.5
    assert unseen == scorers.nb_lr(source).score(["xylophone"])[0]


def test_fasttext_answers_each_text_on_its_own_line(source: TrainingSource, fasttext: None) -> None:
    baseline = scorers.fasttext(source)
    texts = ["wonderful\nloved it", "", "terrible\nhated it"]
    try:
        together = baseline.score(texts)
        assert together == [baseline.score([text])[0] for text in texts]
        assert together[0] != together[2]
        assert together[1] == 0.5
        assert all(0 <= probability <= 1 for probability in together)
    finally:
        baseline.close()


def test_fasttext_gets_the_labels_mixed_since_it_forgets_what_came_first(
    source: TrainingSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        given.extend(Path(command[command.index("-input") + 1]).read_text(encoding="utf-8").splitlines())
        return subprocess.CompletedProcess(command, 1, "", "enough")

    monkeypatch.setattr(shutil, "which", lambda name: "/bin/fasttext")
    monkeypatch.setattr(subprocess, "run", run)
    source.train = [dataset.Review("", f"film {number}", number // 50, 0, "") for number in range(100)]
    with pytest.raises(BaselineMissing, match="^fasttext ended with 1: enough"):
        scorers.fasttext(source)
    assert sorted(given) == sorted(f"__label__{number // 50} film {number}" for number in range(100))
    first = sum(line.startswith("__label__1 ") for line in given[:50])
    assert 15 <= first <= 35


def test_closing_ends_the_fasttext_command(source: TrainingSource, fasttext: None) -> None:
    baseline = scorers.fasttext(source)
    baseline.score(["wonderful"])
    process = baseline.score.process  # type: ignore[attr-defined]
    baseline.close()
    assert process.returncode is not None


def test_no_fasttext_command_is_one_sentence(source: TrainingSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        BaselineMissing, match="^the fasttext command is not installed: apt-get install fasttext"
    ):
        scorers.fasttext(source)


def test_a_baseline_s_size_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").write_bytes(b"4567")
    assert Baseline("x", lambda texts: [], (tmp_path / "a", tmp_path / "b"), "").size() == 7


# --- keeping ------------------------------------------------------------------------------------


def counting(made: list[Path]) -> Callable[[Path], None]:
    """Return a function that writes a file and appends its folder to ``made``."""

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "weights").write_text("heavy", encoding="utf-8")

    return make


def test_a_kept_baseline_is_not_trained_again(source: TrainingSource, cache: Path) -> None:
    made: list[Path] = []
    first = source.keep("x", {"a": 1}, counting(made))
    assert source.keep("x", {"a": 1}, counting(made)) == first
    assert len(made) == 1
    assert first.parent == cache / "peers"
    assert json.loads((first / CARD).read_text(encoding="utf-8"))["archive_sha256"] == source.digest


def test_other_options_limits_and_names_are_other_baselines(source: TrainingSource) -> None:
    made: list[Path] = []
    few = TrainingSource(source.archive, limit=2)
    folders = [
        source.keep("x", {"a": 1}, counting(made)),
        source.keep("x", {"a": 2}, counting(made)),
        source.keep("y", {"a": 1}, counting(made)),
        few.keep("x", {"a": 1}, counting(made)),
    ]
    assert len(set(folders)) == len(made) == 4


@pytest.mark.parametrize("name", ["weights", CARD])
def test_a_kept_baseline_that_was_changed_is_trained_again(source: TrainingSource, name: str) -> None:
    made: list[Path] = []
    folder = source.keep("x", {}, counting(made))
    (folder / name).write_text("light", encoding="utf-8")
    source.keep("x", {}, counting(made))
    assert len(made) == 2
    assert (folder / "weights").read_text(encoding="utf-8") == "heavy"


def test_a_training_that_stops_leaves_nothing_behind(source: TrainingSource, cache: Path) -> None:
    def stops(folder: Path) -> None:
        (folder / "half").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.keep("x", {}, stops)
    assert list((cache / "peers").iterdir()) == []


def test_a_limit_takes_reviews_from_all_over_the_split(source: TrainingSource) -> None:
    numbers = [dataset.Review(str(number), "", 0, 0, "") for number in range(10)]
    assert [review.name for review in scorers.spread(numbers, 5)] == ["0", "2", "4", "6", "8"]
    assert scorers.spread(numbers, None) == numbers
    assert scorers.spread(numbers, 99) == numbers
