"""Adapt: a better model from labelled rows, a plain outcome, and one sentence for each refusal."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.own_reviews import rows, save, sentence
from tests.support.varied import varied
from training.adapt import adapt
from training.endpoint import inference, model_folder
from training.evaluation import drift
from vocab.exit_status import NO


def run(*flags: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "training.adapt.adapt", *map(str, flags)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )


def refused(*flags: str | Path, cwd: Path, status: int = 2) -> str:
    """Run the command where it should refuse; return its one sentence."""
    before = sorted(cwd.rglob("*"))
    done = run(*flags, cwd=cwd)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    # An outcome, unlike an error, carries the command's short name, as all lines about the fit do.
    assert done.stderr.startswith("adapt: " if status == NO else "python -m training.adapt.adapt: ")
    assert sorted(cwd.rglob("*")) == before
    return done.stderr


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def adapted(made_package: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with my.csv and its adapted model, and the command's output."""
    folder = tmp_path_factory.mktemp("adapted")
    save(folder / "my.csv", rows(160))
    done = run("my.csv", "--model", made_package, "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


# --- results ------------------------------------------------------------------------------------


def test_an_adapted_model_has_learned_the_words_of_its_reviews(adapted: tuple[Path, str]) -> None:
    model = inference.model_fn(adapted[0] / "my-model")
    fresh = [(sentence(number, number % 2 == 0), number % 2 == 0) for number in range(1000, 1060)]
    right = [(model.predict(text)[1].probability >= 0.5) == good for text, good in fresh]
    assert np.mean(right) > 0.8


def test_it_says_in_plain_words_that_it_is_better(adapted: tuple[Path, str]) -> None:
    assert "adapt: Better in accuracy, calibration error and log loss: right for" in adapted[1]
    assert "160 rows" in adapted[1]


def test_contributions_of_an_adapted_model_add_up_to_its_logit(adapted: tuple[Path, str]) -> None:
    model = inference.model_fn(adapted[0] / "my-model")
    _, scored = model.predict(f"{sentence(3, True)} {sentence(4, False)}", "words")
    assert scored.sentences and scored.words
    parts = [part.contribution for part in scored.sentences]
    assert len(parts) == 2
    assert scored.bias + sum(parts) == pytest.approx(scored.logit, abs=1e-5)
    assert scored.bias + sum(scored.words.contributions) == pytest.approx(scored.logit, abs=1e-5)


def test_one_temperature_changes_the_calibration_of_all_lengths(
    adapted: tuple[Path, str], made_package: Path
) -> None:
    card, base = card_of(adapted[0] / "my-model"), card_of(made_package)
    factor = card["temperature"] / base["temperature"]
    assert factor != 1
    assert card["short_temperature"] == pytest.approx(base["short_temperature"] * factor, rel=1e-3)
    assert card["shift"] == pytest.approx(base["shift"] / factor, rel=1e-3)


def test_an_adapted_model_has_a_name_of_its_own_and_the_vocabulary_of_its_base(
    adapted: tuple[Path, str], made_package: Path
) -> None:
    card, base = card_of(adapted[0] / "my-model"), card_of(made_package)
    network = (adapted[0] / "my-model" / "model.onnx").read_bytes()
    assert card["id"] == f"verdict-{hashlib.sha256(network).hexdigest()[:12]}" != base["id"]
    assert card["vocabulary"] == base["vocabulary"]
    assert card["base_model"] == base["id"]


def test_the_card_says_from_what_it_was_learned_and_how_it_was_judged(adapted: tuple[Path, str]) -> None:
    card = card_of(adapted[0] / "my-model")
    about, figures = card["adaptation"], card["metrics"]["adaptation"]
    assert about["data"]["sha256"] == hashlib.sha256((adapted[0] / "my.csv").read_bytes()).hexdigest()
    assert about["data"]["columns"] == {"text": "text", "label": "label", "group": None}
    learned = about["data"]["learned_from"]
    assert learned == {"reviews": 160, "positive": 80, "negative": 80, "groups": None, "alike": 0}
    assert about["outcome"] == "better"
    assert figures["after"]["accuracy"] > figures["before"]["accuracy"]
    for name in ("accuracy", "ece"):
        gap = figures["differences"][name]
        assert gap["interval"][0] <= gap["difference"] <= gap["interval"][1]
        assert gap["after"] == pytest.approx(figures["after"][name])


def test_the_card_has_what_traffic_is_compared_with(adapted: tuple[Path, str]) -> None:
    figures = card_of(adapted[0] / "my-model")["metrics"]["adaptation"]
    traffic = drift.Traffic({"positive": 40, "negative": 40, "uncertain": 0}, {}, [(50.0, 80)], 800, 0)
    compared = {
        share.name: share.card for share in drift.compare(traffic, {"metrics": {"adaptation": figures}})
    }
    assert compared["uncertain"] == pytest.approx(1 - figures["after"]["coverage"])
    assert any("tokens" in what for what in compared)


def test_figures_of_the_base_are_not_passed_on(own_package: Path, tmp_path: Path) -> None:
    card = card_of(own_package) | {"metrics": {"test": {"accuracy": 0.99}}}
    model_folder.write_package(own_package, (own_package / "model.onnx").read_bytes(), card)
    save(tmp_path / "my.csv", rows(100))
    done = run("my.csv", "--model", own_package, "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(card_of(tmp_path / "my-model")["metrics"]) == ["adaptation"]


def test_how_the_base_was_packed_is_not_said_of_the_adapted_model(
    adapted: tuple[Path, str], own_package: Path
) -> None:
    assert "export" in adapt.BASE_ONLY_FIELDS
    assert "export" not in card_of(adapted[0] / "my-model")


def test_reviews_that_are_nearly_the_same_are_no_proof_of_each_other(
    made_package: Path, tmp_path: Path
) -> None:
    """Forty texts come five times, with other numbers; only a fit that has seen them knows their labels."""
    lines = [
        (f"The {varied(text)} of order {number}", str(text * 7 % 11 % 2))
        for number in range(5)
        for text in range(40)
    ]
    save(tmp_path / "my.csv", lines)
    done = run("my.csv", "--model", made_package, "--force", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "200 of them are near duplicates" in done.stdout
    card = card_of(tmp_path / "my-model")
    assert card["adaptation"]["outcome"] != "better"
    assert card["metrics"]["adaptation"]["after"]["accuracy"] < 0.75


def test_a_base_that_was_adapted_before_is_named_as_no_fair_one(
    adapted: tuple[Path, str], tmp_path: Path
) -> None:
    save(tmp_path / "more.csv", rows(170))
    base = adapted[0] / "my-model"
    done = run("more.csv", "--model", base, "--force", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{card_of(base)['id']} was adapted before" in done.stdout
    assert "was adapted before" in card_of(tmp_path / "more-model")["metrics"]["adaptation"]["judged"]


def test_no_text_is_in_the_model_or_in_what_is_said(adapted: tuple[Path, str]) -> None:
    folder, message = adapted
    written = b"".join(path.read_bytes() for path in (folder / "my-model").iterdir())
    assert b"Frobisher" not in written + message.encode()


def test_a_model_adapted_from_the_published_one_keeps_what_its_card_says(
    package: Path, tmp_path: Path
) -> None:
    save(tmp_path / "my.csv", rows(60))
    done = run("my.csv", "--model", package, "--force", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    card, base = card_of(tmp_path / "my-model"), card_of(package)
    for name in ("max_tokens", "vocabulary_size", "vocabulary"):
        assert card[name] == base[name]
    assert "films" not in " ".join(card["out_of_scope"])


# --- when it is not written ---------------------------------------------------------------------


@pytest.fixture
def chance(tmp_path: Path) -> Path:
    """A folder with random labels."""
    random = np.random.default_rng(0)
    lines = [(sentence(number, True), str(int(random.random() < 0.75))) for number in range(120)]
    save(tmp_path / "my.csv", lines)
    return tmp_path


def test_a_model_that_is_not_better_is_not_written(chance: Path, made_package: Path) -> None:
    message = refused("my.csv", "--model", made_package, "--workers", "1", cwd=chance, status=1)
    assert "--force" in message


def test_to_be_surer_is_not_better_where_always_saying_the_same_is_as_right(
    chance: Path, made_package: Path
) -> None:
    done = run("my.csv", "--model", made_package, "--dry-run", "--workers", "1", cwd=chance)
    assert "No different" in done.stdout
    assert "always saying the same would be right for" in done.stdout


def test_swapped_labels_are_not_learned(adapted: tuple[Path, str], tmp_path: Path) -> None:
    fresh = [sentence(number, number % 2 == 0) for number in range(2000, 2100)]
    save(tmp_path / "my.csv", [(text, str(number % 2)) for number, text in enumerate(fresh)])
    done = run("my.csv", "--model", adapted[0] / "my-model", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "less than by guessing" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["my.csv"]


def test_forced_it_is_written_and_its_card_does_not_call_it_better(own_package: Path, tmp_path: Path) -> None:
    # The base is right on all of them already, so nothing can be gained.
    save(tmp_path / "first.csv", rows(160))
    done = run("first.csv", "--out", "base", "--model", own_package, "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    fresh = [(f"{text} Indeed.", label) for text, label in rows(80)]
    save(tmp_path / "my.csv", fresh)
    done = run("my.csv", "--model", "base", "--force", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert card_of(tmp_path / "my-model")["adaptation"]["outcome"] != "worse"


def test_a_dry_run_judges_and_writes_nothing(made_package: Path, tmp_path: Path) -> None:
    save(tmp_path / "my.csv", rows(100))
    done = run("my.csv", "--model", made_package, "--dry-run", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "adapt: Better" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["my.csv"]


def test_a_full_disk_leaves_the_old_model(
    adapted: tuple[Path, str],
    made_package: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "my.csv", rows(100))
    model_folder.write_package(
        tmp_path / "my-model",
        (adapted[0] / "my-model" / "model.onnx").read_bytes(),
        card_of(adapted[0] / "my-model"),
    )
    before = card_of(tmp_path / "my-model")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vocab.files.os.fsync", full)
    assert adapt.main(["my.csv", "--model", str(made_package), "--workers", "1", "--force"]) == 4
    assert re.search(r"model\.(onnx|json): No space left", capsys.readouterr().err)
    assert card_of(tmp_path / "my-model") == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == ["my-model", "my.csv"]


def test_ctrl_c_ends_in_one_sentence_and_leaves_nothing(made_package: Path, tmp_path: Path) -> None:
    save(tmp_path / "my.csv", rows(20_000))
    process = subprocess.Popen(
        [sys.executable, "-m", "training.adapt.adapt", "my.csv", "--model", str(made_package)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that starts tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert "20,000 rows" in process.stdout.readline()  # it reads them through the network now, in processes
    os.killpg(process.pid, signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert message.strip().endswith("adapt: interrupted; nothing was written")
    assert "Traceback" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["my.csv"]


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (rows(20), ("10 positive and 10 negative", "50 or more")),
        ([(text, "positive") for text, _ in rows(80)], ("80 positive and 0 negative", "10 of each")),
        (rows(40) * 5, ("20 positive", "160 that repeat another")),
        ([(text, label) for text, _ in rows(60) for label in "01"], ("120 whose text has both labels",)),
        ([("", "1")] * 70 + rows(20), ("70 without a text",)),
        (
            [(text, "3") for text, _ in rows(60)] + [("a", "1"), ("b", "5")],
            ("60 between the two sides", "stars"),
        ),
        (
            [(f"Der Film ist nicht gut und auch sehr lang, Nummer {n}.", str(n % 2)) for n in range(90)],
            ("90 that do not look English",),
        ),
        ([("zzqx" + n * "q", str(n % 2)) for n in range(90)], ("without a known word",)),
    ],
)
def test_rows_that_are_not_enough_get_one_sentence_that_says_why(
    made_package: Path, tmp_path: Path, lines: list[tuple[str, str]], words: tuple[str, ...]
) -> None:
    save(tmp_path / "my.csv", lines)
    message = refused("my.csv", "--model", made_package, "--workers", "1", cwd=tmp_path)
    for word in words:
        assert word in message


def test_groups_that_cannot_be_held_back_in_turn_get_one_sentence(made_package: Path, tmp_path: Path) -> None:
    grouped = [(*row, str(number % 3)) for number, row in enumerate(rows(90))]
    save(tmp_path / "my.csv", grouped, ("text", "label", "group"))
    message = refused("my.csv", "--model", made_package, "--workers", "1", cwd=tmp_path)
    assert "'group' has 3 groups" in message


def test_one_text_over_and_over_gets_one_sentence(made_package: Path, tmp_path: Path) -> None:
    texts = [f"{varied(side)}, number {number}" for number in range(30) for side in range(2)]
    save(tmp_path / "my.csv", [(text, str(number % 2)) for number, text in enumerate(texts)])
    message = refused("my.csv", "--model", made_package, "--workers", "1", cwd=tmp_path)
    assert "has only 2 groups of reviews that are not nearly the same" in message


def test_a_link_to_nothing_is_refused_before_the_work(made_package: Path, tmp_path: Path) -> None:
    save(tmp_path / "my.csv", rows(60))
    (tmp_path / "my-model").symlink_to(tmp_path / "nowhere")
    assert "link to nothing" in refused("my.csv", "--model", made_package, cwd=tmp_path)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\xff\xfe", b"", b'text,label\n"open,1\n'])
def test_a_file_that_is_no_csv_gets_one_sentence(made_package: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "my.csv").write_bytes(content)
    assert "my.csv" in refused("my.csv", "--model", made_package, cwd=tmp_path)


def test_a_missing_file_gets_one_sentence(made_package: Path, tmp_path: Path) -> None:
    assert "can't be read" in refused("my.csv", "--model", made_package, cwd=tmp_path)


def test_a_model_of_another_vocabulary_gets_one_sentence(own_package: Path, tmp_path: Path) -> None:
    card = card_of(own_package) | {"vocabulary": "0123456789abcdef"}
    model_folder.write_package(own_package, (own_package / "model.onnx").read_bytes(), card)
    save(tmp_path / "my.csv", rows(60))
    assert "vocabulary 0123456789abcdef" in refused("my.csv", "--model", own_package, cwd=tmp_path)


def test_a_corrupt_network_gets_one_sentence(own_package: Path, tmp_path: Path) -> None:
    network = bytearray((own_package / "model.onnx").read_bytes())
    network[len(network) // 2] ^= 255
    (own_package / "model.onnx").write_bytes(network)
    save(tmp_path / "my.csv", rows(60))
    assert "is not the file that model.json names" in refused("my.csv", "--model", own_package, cwd=tmp_path)


def test_a_network_without_such_a_head_gets_one_sentence(own_package: Path, tmp_path: Path) -> None:
    network = (
        (own_package / "model.onnx")
        .read_bytes()
        .replace(b"polarity_bias_constant", b"polarity_bies_constant")
    )
    card = card_of(own_package) | model_folder.identity_of(network)
    model_folder.write_package(own_package, network, card)
    save(tmp_path / "my.csv", rows(60))
    assert "no tensor polarity_bias_constant" in refused("my.csv", "--model", own_package, cwd=tmp_path)


def test_adapting_to_the_same_file_again_gets_one_sentence(adapted: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_bytes((adapted[0] / "my.csv").read_bytes())
    message = refused("my.csv", "--model", adapted[0] / "my-model", cwd=tmp_path)
    assert "this very file" in message


def test_a_folder_of_other_things_is_not_written_into(made_package: Path, tmp_path: Path) -> None:
    save(tmp_path / "my.csv", rows(60))
    assert "other things" in refused("my.csv", "--model", made_package, "--out", ".", cwd=tmp_path)


def test_a_file_of_many_rows_is_drawn_from_and_says_so(made_package: Path, tmp_path: Path) -> None:
    save(tmp_path / "my.csv", rows(400))
    done = run("my.csv", "--model", made_package, "--most", "100", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "300 beyond those drawn" in done.stdout
