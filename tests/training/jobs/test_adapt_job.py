"""The script inside an adaptation job: it leaves a model or a sentence, and its log holds no review."""

import json
from pathlib import Path

import pytest

from tests.support.own_reviews import SECRET, rows, save
from training.adapt import adapt
from training.endpoint import inference
from training.jobs import adapt_job
from training.jobs.adapt_job import Order


@pytest.fixture(autouse=True)
def stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Restore the working folder, which the job changes."""
    monkeypatch.chdir(tmp_path)


def lay_out(folder: Path, base: Path, *flags: str) -> tuple[Path, Path, Path]:
    """Make a job's folders: code with its order, reviews, results."""
    here, reviews, out = (folder / name for name in ("code", "reviews", "model"))
    for one in (here, reviews, out):
        one.mkdir()
    (here / "base").symlink_to(base)
    order = Order(["--format=csv", *flags], adapt_job.hashes_of(base))
    (here / "order.json").write_bytes(order.to_bytes())
    return here, reviews, out


def refusal(out: Path) -> str:
    assert [path.name for path in out.iterdir()] == ["refused.json"]
    return str(json.loads((out / "refused.json").read_text(encoding="utf-8"))["sentence"])


def test_it_leaves_a_whole_model_and_prints_no_text(
    made_package: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here, reviews, out = lay_out(tmp_path, made_package)
    save(reviews / "my.csv", rows(80))
    adapt_job.work(here, reviews, out)
    card = inference.model_fn(out).card
    assert card["adaptation"]["data"]["learned_from"]["reviews"] == 80
    assert "fine-tuned" in card["adaptation"]["how"]
    output = capfd.readouterr()
    assert f"model.onnx {card['onnx_sha256']}" in output.out
    assert SECRET.split()[-1] not in output.out + output.err


def test_reviews_that_are_refused_leave_the_sentence_that_names_the_file_as_its_owner_does(
    made_package: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here, reviews, out = lay_out(tmp_path, made_package)
    save(reviews / "my.csv", [(text, "positive") for text, _ in rows(80)])
    adapt_job.work(here, reviews, out)
    assert refusal(out).startswith("my.csv has 80 positive and 0 negative reviews to learn from")
    assert "negative" not in capfd.readouterr().out


def test_flags_reach_the_reading_of_the_file(made_package: Path, tmp_path: Path) -> None:
    flags = ("--column=what was said", "--label=side", "--positive=A,-1", "--negative=B", "--most=60")
    here, reviews, out = lay_out(tmp_path, made_package, *flags)
    labelled = [(text, {"positive": "-1", "negative": "B"}[label]) for text, label in rows(80)]
    save(reviews / "odd name, called.txt", labelled, ("what was said", "side"))
    adapt_job.work(here, reviews, out)
    data = inference.model_fn(out).card["adaptation"]["data"]
    assert data["columns"] == {"text": "what was said", "label": "side", "group": None}
    assert data["rows"]["not_drawn"] == 20


@pytest.mark.parametrize("name", ["model.onnx", "model.json"])
def test_a_base_that_is_not_the_one_that_was_sent_is_refused(
    own_package: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "job").mkdir()
    here, reviews, out = lay_out(tmp_path / "job", own_package)
    with (own_package / name).open("ab") as file:
        file.write(b"\n")
    save(reviews / "my.csv", rows(80))
    adapt_job.work(here, reviews, out)
    assert refusal(out).startswith("the base in the job is not the one that was sent")


def test_several_files_are_refused(made_package: Path, tmp_path: Path) -> None:
    here, reviews, out = lay_out(tmp_path, made_package)
    for name in ("a.csv", "b.csv"):
        save(reviews / name, rows(60))
    adapt_job.work(here, reviews, out)
    assert refusal(out).startswith("the job got 2 files of reviews and takes one")


def test_a_fault_is_told_by_its_kind_and_place_and_never_by_its_words(
    made_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    here, reviews, out = lay_out(tmp_path, made_package)
    save(reviews / "my.csv", rows(60))

    def fail(*given: object, **keywords: object) -> None:
        raise ValueError(f"could not convert {SECRET}")

    monkeypatch.setattr(adapt, "adapt", fail)
    monkeypatch.setattr(adapt_job, "HERE", here)
    with pytest.raises(SystemExit) as ended:
        adapt_job.main(
            {
                "SM_CHANNEL_REVIEWS": str(reviews),
                "SM_MODEL_DIR": str(out),
                "SM_OUTPUT_DIR": str(tmp_path / "output"),
            }
        )
    failure = (tmp_path / "output/failure").read_text(encoding="utf-8")
    assert failure.startswith("ValueError at test_adapt_job.py:")
    assert str(ended.value) == f"adapt-job: {failure}"
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err + str(ended.value)
