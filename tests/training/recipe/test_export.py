"""The export: the served network answers like the trained one, or nothing is written."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.support.model import random_network
from training.data import corpus as corpora
from training.data import dataset
from training.data.dataset import Dataset, Review
from training.endpoint import inference, opinion, scoring
from training.endpoint.calibration import Calibration, read_calibration
from training.evaluation import evaluate, metrics
from training.recipe import export, grades, opinion_fit, reproduce
from training.recipe.export import ExportError
from training.recipe.grades import Graded
from training.recipe.network import Network
from training.recipe.train import to_texts
from vocab import vocabulary
from vocab.files import sha256

ROOT = Path(__file__).resolve().parents[3]


def random_reviews(count: int, rows: int, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return reviews of 1 to 6 sentences, each of 1 to 20 ids: their ids and their sentences' lengths."""
    chooser = np.random.default_rng(seed)
    lengths = [chooser.integers(1, 21, chooser.integers(1, 7)).astype(np.int32) for _ in range(count)]
    return [chooser.integers(1, rows, sizes.sum()).astype(np.int32) for sizes in lengths], lengths


def torch_logits(network: Network, ids: list[np.ndarray], lengths: list[np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return network(to_texts(ids, lengths, torch.device("cpu"))).numpy()


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network(vocabulary.load().size, seed=3, spread=0.5)


@pytest.fixture(scope="module")
def development(network: Network) -> corpora.Split:
    """Reviews whose labels the network finds likely, so that its temperature is about 1."""
    ids, lengths = random_reviews(60, network.size.vocabulary)
    probabilities = metrics.probabilities_of(torch_logits(network, ids, lengths))
    labels = (np.random.default_rng(1).random(60) < probabilities).astype(np.int8)
    return corpora.Split([str(n) for n in range(60)], ids, lengths, labels, labels * 8 + 1)


def graded_sentences(reviews: Sequence[Review]) -> list[Graded]:
    """Return short texts, one of which has no side."""
    texts = {"A wonderful film.": 2, "It is dull, and far too long.": -2, "We saw it.": 0, "Fine.": 1}
    return [Graded("train/pos/1_9.txt", text, grade) for text, grade in texts.items()]


def labelled_texts(reviews: Sequence[Review]) -> list[dict[str, Any]]:
    """Return short texts, one of each label."""
    texts = {
        "A wonderful film.": "clear",
        "It is wonderful, but far too long.": "mixed",
        "A man buys a boat.": "no_opinion",
        "So-so.": "unclear",
    }
    return [{"text": text, "label": label, "half": "open"} for text, label in texts.items()]


@pytest.fixture
def trained(network: Network, development: corpora.Split, tmp_path: Path, monkeypatch: Any) -> Path:
    """A folder as train.py leaves it; the corpus is ``development``, all of which is compared."""
    folder = tmp_path / "network"
    folder.mkdir()
    save_file(network.state_dict(), folder / "network.safetensors")
    card = {
        "size": network.size._asdict(),
        "vocabulary": vocabulary.load().fingerprint,
        "archive_sha256": "a" * 64,
        "reviews": {"train": 1},
        "left_out": {"train": 0},
        "options": {"seed": 1},
        "best": {"epoch": 1},
        "seconds": 1.0,
    }
    (folder / "network.json").write_text(json.dumps(card))
    corpus = corpora.Corpus(*[development] * 4, card["vocabulary"], "a" * 64, {})
    monkeypatch.setattr(corpora, "load", lambda archive: corpus)
    monkeypatch.setattr(dataset, "find_archive", lambda archive: Path("none"))
    monkeypatch.setattr(dataset, "load", lambda path: Dataset([], [], [], [], {}))
    monkeypatch.setattr(grades, "load", graded_sentences)
    monkeypatch.setattr(opinion_fit, "load_cases", labelled_texts)
    monkeypatch.setattr(export, "CHECK_REVIEWS", 20)
    # Random weights of 8 states lose more to int8 than trained ones.
    monkeypatch.setattr(export, "MAX_PROBABILITY_GAP", 0.1)
    monkeypatch.setattr(export, "MAX_ACCURACY_GAP", 0.1)
    return folder


def change(folder: Path, **values: Any) -> None:
    path = folder / "network.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


# --- the graph ----------------------------------------------------------------------------------


def rounded_rows() -> Network:
    """Return a network with rows that int8 holds exactly."""
    network = random_network(60, ngrams=256)
    with torch.no_grad():
        network.embedding.weight.copy_(torch.randint(-127, 128, network.embedding.weight.shape) / 64)
        network.embedding.weight[:, 0] = 127 / 64
    return network


def test_the_graph_before_int8_gives_torch_s_pooled_states() -> None:
    network = rounded_rows()
    served = inference.load_network(export.to_onnx(network).SerializeToString(), Path())
    for ids, lengths in zip(*random_reviews(20, 60), strict=True):
        with torch.inference_mode():
            expected = network.pool(to_texts([ids], [lengths], torch.device("cpu"))).numpy()
        reading = served.read(ids.astype(np.int64), lengths.astype(np.int64))
        assert np.allclose(reading.pooled, expected, atol=2e-6)
        assert reading.states.shape == (reading.counts.sum(), 2 * network.size.hidden)
        for pooled, states in zip(
            reading.pooled, np.split(reading.states, np.cumsum(reading.counts)[:-1]), strict=True
        ):
            both = np.concatenate([states.max(axis=0), states.mean(axis=0)])
            assert np.allclose(both, pooled, atol=1e-6)


def test_a_sentence_gives_the_same_bits_alone_and_among_others() -> None:
    data = export.quantize(export.to_onnx(random_network(60, ngrams=256)))
    served = inference.load_network(data, Path())
    for ids, lengths in zip(*random_reviews(20, 60), strict=True):
        together = served.read(ids.astype(np.int64), lengths.astype(np.int64)).pooled
        for row, sentence in zip(together, np.split(ids, np.cumsum(lengths)[:-1]), strict=True):
            alone = served.read(sentence.astype(np.int64), np.array([len(sentence)])).pooled
            assert row.tobytes() == alone.tobytes()


def test_the_served_network_before_int8_scores_as_torch_does() -> None:
    network = rounded_rows()
    served = inference.load_network(export.to_onnx(network).SerializeToString(), Path())
    reviews = random_reviews(30, 60)
    found = [
        scoring.score(served, Calibration(1.0, 1.0, 0.0), ids.tolist(), lengths.tolist(), "none").logit
        for ids, lengths in zip(*reviews, strict=True)
    ]
    assert np.allclose(found, torch_logits(network, *reviews), atol=1e-5)


def test_the_constants_stay_fp32_after_int8() -> None:
    network = random_network(60, ngrams=256)
    plain, small = export.to_onnx(network).SerializeToString(), export.quantize(export.to_onnx(network))
    for first, second in zip(
        *(inference.load_network(one, Path()).weighing for one in (plain, small)), strict=True
    ):
        assert np.array_equal(first, second)


def test_rows_come_back_from_int8_within_half_a_step() -> None:
    table = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    table[0] = 0
    table[7] *= 1000
    rows, scales = export.int8_rows(table)
    assert rows.dtype == np.int8
    assert np.all(np.abs(rows * scales - table) <= scales * 0.501)
    assert np.allclose(np.abs(rows[1:]).max(axis=1), 127)
    assert not rows[0].any()


def test_the_table_and_both_lstms_shrink_to_a_byte_a_number() -> None:
    network = random_network(2000, width=32, hidden=32)
    numbers = sum(parameter.numel() for parameter in network.parameters())
    drives = 2 * 2 * export._drive_count(network) * 4 * 32
    assert len(export.quantize(export.to_onnx(network))) < 1.25 * numbers + drives + 20_000


def served_logits(folder: Path, split: corpora.Split) -> np.ndarray:
    model = inference.model_fn(folder)
    columns = zip(split.ids, split.lengths, strict=True)
    return np.array([model.score(ids.tolist(), lengths.tolist()).logit for ids, lengths in columns])


def adds_int8_exactly() -> bool:
    """Return whether int8 products don't saturate here: x86 without VNNI adds two of them in 16 bits."""
    cpus = Path("/proc/cpuinfo")
    flags = cpus.read_text(encoding="utf-8") if cpus.is_file() else ""
    return "avx2" not in flags or "vnni" in flags


def test_the_served_answers_are_near_torch_s(
    made_package: Path, network: Network, development: corpora.Split, tmp_path: Path
) -> None:
    card = json.loads((made_package / "model.json").read_text())
    data = export.quantize(export.to_onnx(network))
    plain = Calibration(1.0, 1.0, 0.0)._asdict()
    export.write_package(tmp_path, data, card | {"onnx_sha256": sha256(data)} | plain)
    served = served_logits(tmp_path, development)
    expected = torch_logits(network, development.ids, development.lengths)
    gaps = np.abs(metrics.probabilities_of(served) - metrics.probabilities_of(expected))
    assert np.median(gaps) < 0.04
    assert gaps.max() < (0.1 if adds_int8_exactly() else 0.2)


def test_served_parts_add_up_to_the_served_logit(
    trained: Path, tmp_path: Path, development: corpora.Split
) -> None:
    export.export(trained, tmp_path / "out", None)
    model = inference.model_fn(tmp_path / "out")
    for ids, lengths in zip(development.ids, development.lengths, strict=True):
        scored = model.score(ids.tolist(), lengths.tolist(), "words")
        assert scored.words and scored.sentences
        contributions = [sentence.contribution for sentence in scored.sentences]
        assert (len(scored.words.contributions), len(contributions)) == (len(ids), len(lengths))
        for parts in (scored.words.contributions, contributions):
            assert abs(scored.bias + sum(parts) - scored.logit) <= 1e-5
        assert scored.probability == pytest.approx(1 / (1 + np.exp(-scored.logit)), abs=1e-5)


# --- the package --------------------------------------------------------------------------------


def test_a_package_is_a_network_and_a_card_that_names_its_hash(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    card = export.export(trained, out, None)
    assert {path.name for path in out.iterdir()} == {"model.onnx", "model.json"}
    assert json.loads((out / "model.json").read_text()) == card
    assert card["onnx_sha256"] == sha256((out / "model.onnx").read_bytes())
    assert card["id"] == f"verdict-{card['onnx_sha256'][:12]}"
    assert inference.model_fn(out).card == card


def test_the_same_network_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        export.export(trained, tmp_path / name, None)
    assert (tmp_path / "one/model.onnx").read_bytes() == (tmp_path / "other/model.onnx").read_bytes()


def test_the_calibration_is_fitted_to_reviews_and_to_graded_sentences_with_a_side(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[np.ndarray] = []
    real = metrics.fit_calibration

    def fit(*columns: np.ndarray) -> Calibration:
        handed.extend(columns)
        return real(*columns)

    monkeypatch.setattr(metrics, "fit_calibration", fit)
    card = export.export(trained, tmp_path / "out", None)
    _, tokens, _, targets, weights = handed
    encode = vocabulary.load().encode_ids
    assert tokens[-3:].tolist() == [len(encode(row.text)) for row in graded_sentences([]) if row.grade]
    assert targets[-3:].tolist() == [1.0, 0.0, 1.0]
    assert weights[-3:].tolist() == [1.0, 1.0, 1.0]
    assert read_calibration(card) == real(*handed)


def test_weighted_development_reviews_have_the_stars_of_all_labelled_ones() -> None:
    development, train = np.array([1, 1, 1, 4, 10]), np.array([1, 4, 4, 8, 10, 10, 10])
    weights = export.weights_by_stars(development, train)
    assert weights.tolist() == pytest.approx([4 / 12 / 0.6] * 3 + [3 / 12 / 0.2, 4 / 12 / 0.2])


def test_the_rule_of_opinions_is_fitted_to_calibrated_answers(trained: Path, tmp_path: Path) -> None:
    card = export.export(trained, tmp_path / "out", None)
    served = inference.model_fn(tmp_path / "out")
    assert np.array_equal(served.network.rule.numbers, opinion_fit.fit(served, []))
    assert card["opinion"] == opinion.to_field(served.network.rule.numbers)
    assert served.network.rule.numbers.any()


def test_figures_and_band_are_those_of_the_served_logits(
    trained: Path, tmp_path: Path, development: corpora.Split
) -> None:
    card = export.export(trained, tmp_path / "out", None)
    probabilities = metrics.probabilities_of(served_logits(tmp_path / "out", development))
    expected = metrics.summary(probabilities, development.labels, tuple(card["uncertain"]))
    for key in ("accuracy", "nll", "brier"):
        assert card["metrics"]["development"][key] == pytest.approx(expected[key], abs=1e-4)


def test_the_card_has_hugging_face_s_fields_and_says_what_the_model_is_not_for(
    trained: Path, tmp_path: Path
) -> None:
    card = export.export(trained, tmp_path / "out", None)
    assert card["language"] == ["en"]
    assert card["license"] == "mit"
    assert card["pipeline_tag"] == "text-classification"
    assert card["library_name"] in card["tags"]
    assert card["base_model"] is None
    for key in ("datasets", "tags", "limits", "out_of_scope"):
        assert card[key] and all(isinstance(one, str) and one for one in card[key]), key
    assert card["intended_use"]
    assert card["data"]["license"]
    assert len(json.dumps(card, indent=2)) < evaluate.MAX_CARD_BYTES


def test_a_training_without_notes_counts_its_own_minutes_alone(trained: Path, tmp_path: Path) -> None:
    change(trained, seconds=600.0)
    cost = export.export(trained, tmp_path / "out", None)["training"]["estimate"]
    assert cost["minutes"] == {"network": 10.0}
    assert cost["minutes_total"] == 10.0


def test_the_recipe_s_stages_are_counted_once_and_other_seeds_and_packages_not(tmp_path: Path) -> None:
    folder = tmp_path / "student-2"
    stages = [stage for stage in reproduce.recipe(2, tmp_path) if not stage.name.startswith("package")]
    for number, stage in enumerate(stages, start=1):
        (tmp_path / f"{stage.name}.json").write_text(json.dumps({"minutes": number}))
    for other in ("student-1", "package-2", "package-1"):
        (tmp_path / f"{other}.json").write_text(json.dumps({"minutes": 1000}))
    minutes = export.minutes_of({"seconds": 1.0, "options": {"seed": 2}}, folder)
    assert minutes == {stage.name: number for number, stage in enumerate(stages, start=1)}
    assert "student-2" in minutes
    assert "pretrained" in minutes


def test_a_training_that_went_on_after_a_stop_counts_all_its_minutes(tmp_path: Path) -> None:
    folder = tmp_path / "student-1"
    folder.mkdir()
    (tmp_path / "student-1.json").write_text(json.dumps({"minutes": 2}))
    (folder / "network.json").write_text(json.dumps({"seconds": 1500}))
    assert export.minutes_of({"seconds": 1500, "options": {"seed": 1}}, folder) == {"student-1": 25.0}


def test_energy_is_minutes_times_cores_times_watts_and_called_an_estimate() -> None:
    estimate = export.estimate({"first": 90.0, "second": 30.0}, 4)
    assert estimate["minutes_total"] == 120.0
    assert estimate["kwh"] == pytest.approx(2 * 4 * export.WATTS_A_CORE / 1000)
    assert estimate["machine"].startswith("4 cores of ")
    assert estimate["how"].startswith("an estimate: ")


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["MAX_PROBABILITY_GAP", "MAX_ACCURACY_GAP", "MAX_SUM_GAP"])
def test_a_network_that_strays_from_torch_is_not_written(
    limit: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, limit, -1.0)
    with pytest.raises(ExportError, match="strays too far from the trained one: .*; nothing written"):
        export.export(trained, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_a_trial_is_written_however_far_it_strays(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_PROBABILITY_GAP", -1.0)
    card = export.export(trained, tmp_path / "out", None, trial=True)
    assert card["export"]["probability_gap_p99"] >= 0
    assert (tmp_path / "out" / "model.onnx").is_file()


def test_a_network_that_gives_nan_is_not_written(trained: Path, tmp_path: Path, network: Network) -> None:
    weights = network.state_dict() | {"polarity.bias": torch.tensor([float("nan")])}
    save_file(weights, trained / "network.safetensors")
    with pytest.raises(ExportError, match="answers some review with no number; nothing written"):
        export.export(trained, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_a_network_of_another_vocabulary_is_not_written(trained: Path, tmp_path: Path) -> None:
    change(trained, vocabulary="0123456789abcdef")
    own = vocabulary.load().fingerprint
    with pytest.raises(
        ExportError, match=f"vocabulary 0123456789abcdef, this code has {own}; run `make train`"
    ):
        export.export(trained, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_network_says_to_train_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "training.recipe.export",
            "--network",
            str(tmp_path / "none"),
            "--out",
            str(tmp_path / "out"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"export: {tmp_path / 'none'} holds no trained network (No such file or directory);"
        " run `make train` first\n"
    )
    assert not (tmp_path / "out").exists()


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", ["network.safetensors", "network.json"])
def test_a_half_file_of_the_network_is_one_sentence(name: str, trained: Path, tmp_path: Path) -> None:
    half(trained / name)
    with pytest.raises(ExportError, match="the network in .* is corrupt .*; run `make train` again"):
        export.export(trained, tmp_path / "out", None)
    assert not (tmp_path / "out").exists()


def test_weights_of_another_size_are_one_sentence(trained: Path, tmp_path: Path, network: Network) -> None:
    change(trained, size=network.size._replace(hidden=9)._asdict())
    with pytest.raises(ExportError, match=r"is corrupt \(RuntimeError\)"):
        export.export(trained, tmp_path / "out", None)


# --- a failing disk -----------------------------------------------------------------------------


def answer_of(folder: Path) -> Any:
    return inference.model_fn(folder).score([300, 301, 302], [1, 2], "words")


@pytest.mark.parametrize("file", [1, 2])
def test_a_disk_that_fails_at_either_file_leaves_the_former_package_working(
    file: int, trained: Path, own_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in own_package.iterdir()}
    answer = answer_of(own_package)
    real, calls = os.fsync, []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2 + file:  # the first two files are those of the trial in a temporary folder
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        export.export(trained, own_package, None)
    assert {path.name: path.read_bytes() for path in own_package.iterdir()} == before
    assert answer_of(own_package) == answer


def test_a_disk_that_is_full_ends_the_script_with_one_sentence(
    trained: Path, own_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in own_package.iterdir()}
    real = export.write_package
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)

    def write_package(folder: Path, data: bytes, card: dict[str, Any]) -> None:
        if folder == own_package:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, allowed[1]))
        real(folder, data, card)

    monkeypatch.setattr(export, "write_package", write_package)
    monkeypatch.setattr(sys, "argv", ["export.py", "--network", str(trained), "--out", str(own_package)])
    try:
        with pytest.raises(SystemExit, match=f"^export: {own_package} can't be written .*is still there$"):
            export.main()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert {path.name: path.read_bytes() for path in own_package.iterdir()} == before


def test_a_better_network_takes_the_former_one_s_place(trained: Path, own_package: Path) -> None:
    former = inference.model_fn(own_package).card["id"]
    card = export.export(trained, own_package, None)
    assert inference.model_fn(own_package).card["id"] == card["id"] != former
