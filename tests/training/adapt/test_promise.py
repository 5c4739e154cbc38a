"""A promise: what holds on labelled rows, its receipt, the rest, and one sentence for each refusal."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.own_reviews import SECRET, rows, save, sentence
from tests.support.varied import varied
from training.adapt import adapt, promise
from training.endpoint import inference
from training.files import labelled
from vocab.files import sha256_of

Rows = list[tuple[str, ...]]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the published model, a folder of one's own."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("model.onnx", "model.json"):
        shutil.copy(inference.MODEL_FOLDER / name, folder)
    return folder


def agreeing(model: Path, count: int, wrong: int = 0) -> Rows:
    """Return sentences labelled as the model calls them; the first ``wrong`` outright ones otherwise."""
    loaded = inference.model_fn(model)
    low, high = loaded.identity.uncertain
    lines: Rows = []
    for number in range(count):
        text = sentence(number, number % 2 == 0)
        probability = loaded.predict(text)[1].probability
        positive = probability >= 0.5
        if wrong and not low < probability < high:
            wrong, positive = wrong - 1, not positive
        lines.append((text, "positive" if positive else "negative"))
    return lines


def run(*flags: str | Path) -> int:
    """Run the command; it may replace an earlier receipt."""
    return promise.main([*map(str, flags), "--workers", "1", "--force"])


def receipt_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "promise.json").read_text(encoding="utf-8"))


def test_what_holds_is_printed_and_kept_beside_the_model(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "my.csv", agreeing(model, 300, wrong=2))
    assert run(path, "--wrong", "0.1", "--model", model) == 0
    output = capsys.readouterr().out
    receipt = receipt_of(model)
    assert receipt["file"]["sha256"] == sha256_of(path)
    assert (receipt["rows"], receipt["errors"], receipt["wrong"], receipt["sure"]) == (300, 2, 0.1, 0.95)
    assert 2 / receipt["answered"] < receipt["bound"] <= 0.1
    assert receipt["answered_share"] == pytest.approx(receipt["answered"] / 300, abs=1e-6)
    assert sum(side["answered"] for side in receipt["sides"].values()) == receipt["answered"]
    assert sum(receipt["sureness"]) == 300
    assert f"At most 10 % of the answers at {100 * receipt['threshold']:g} % sureness" in output
    assert f"2 of {receipt['answered']} answers were wrong" in output
    assert inference.model_fn(model).card["promise"] == receipt
    assert SECRET not in output + (model / "promise.json").read_text(encoding="utf-8")


def test_answers_are_those_that_anyone_counts_from_the_verdicts(model: Path, tmp_path: Path) -> None:
    lines = agreeing(model, 300, wrong=5)
    run(save(tmp_path / "my.csv", lines), "--wrong", "0.1", "--model", model)
    receipt = receipt_of(model)
    loaded = inference.model_fn(model)
    answered = errors = 0
    for text, label in lines:
        probability = loaded.predict(text)[1].probability
        low, high = loaded.identity.uncertain
        outright = not low < probability < high
        if outright and max(probability, 1 - probability) >= receipt["threshold"]:
            answered += 1
            errors += (probability >= 0.5) != (label == "positive")
    assert (receipt["answered"], receipt["errors"]) == (answered, errors)


def test_the_rest_has_every_column_and_each_row_without_an_answer(model: Path, tmp_path: Path) -> None:
    lines = [(text, label, f"=n{number}") for number, (text, label) in enumerate(agreeing(model, 300))]
    lines += [(sentence(number, True), "", f"=n{number}") for number in range(300, 330)]
    path = save(tmp_path / "my.csv", [*lines, ("", "", "empty")], ("text", "label", "id"))
    assert run(path, "--wrong", "0.1", "--model", model, "-o", tmp_path / "rest.csv") == 0
    receipt, loaded = receipt_of(model), inference.model_fn(model)
    expected = []
    for line in lines:
        probability = loaded.predict(line[0])[1].probability
        if max(probability, 1 - probability) < max(receipt["threshold"], loaded.identity.uncertain[1]):
            expected.append(list(line))
    with (tmp_path / "rest.csv").open(encoding="utf-8", newline="") as file:
        header, *rest = csv.reader(file)
    assert header == ["text", "label", "id"]
    assert rest == [[text, label, f"'{name}"] for text, label, name in expected]


def test_a_json_lines_file_leaves_a_rest_as_csv(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    objects = [{"text": text, "label": label, "n": [1]} for text, label in agreeing(model, 300)]
    path.write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    assert run(path, "--wrong", "0.1", "--model", model, "-o", tmp_path / "rest.csv") == 0
    header, *rest = (tmp_path / "rest.csv").read_text(encoding="utf-8").splitlines()
    assert header == "text,label,n"
    assert all(line.endswith(",[1]") for line in rest)


def test_one_row_of_each_group_or_near_duplicate_counts(tmp_path: Path) -> None:
    lines: Rows = [("It broke in 3 days.", "negative", ""), ("It broke in 5 days.", "negative", "")]
    lines += [(f"{varied(number)} lamp", "positive", "shop") for number in range(5)]
    counted = promise.count_rows(labelled.read(save(tmp_path / "my.csv", lines, ("text", "label", "group"))))
    assert len(counted.rows.labels) == 2
    assert sorted(counted.rows.labels) == [0, 1]


def test_rows_and_near_duplicates_that_the_model_learned_from_do_not_count(tmp_path: Path) -> None:
    learned = labelled.read(save(tmp_path / "old.csv", rows(20)))
    fresh = [
        (f"The {varied(number + 500)} pot.", ("positive", "negative")[number % 2]) for number in range(8)
    ]
    nearly = [(text.replace("and it is", "and so it is"), label) for text, label in rows(4)]
    counted = promise.count_rows(labelled.read(save(tmp_path / "new.csv", [*fresh, *nearly])), learned)
    assert counted.learned == 4
    assert counted.rows.numbers.tolist() == list(range(8))


def test_rows_without_a_group_in_two_files_are_not_one_group(tmp_path: Path) -> None:
    header = ("text", "label", "group")
    old = [(text, label, "") for text, label in rows(6)]
    new = [(f"{varied(n + 700)} pot", ("positive", "negative")[n % 2], "") for n in range(6)]
    counted = promise.count_rows(
        labelled.read(save(tmp_path / "new.csv", new, header)),
        labelled.read(save(tmp_path / "old.csv", old, header)),
    )
    assert len(counted.rows.labels) == 6


@pytest.fixture(scope="module")
def adapted(made_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with my.csv, the model adapted to it, and the rows held back."""
    folder = tmp_path_factory.mktemp("held")
    save(folder / "my.csv", rows(400))
    flags = ["--out", folder / "model", "--hold-back", folder / "kept.csv", "--model", made_package]
    assert adapt.main([*map(str, [folder / "my.csv", *flags]), "--force", "--workers", "1"]) == 0
    return folder


def test_rows_held_back_are_no_part_of_the_fit_and_make_a_promise(adapted: Path) -> None:
    kept, all_rows = (labelled.read(adapted / name) for name in ("kept.csv", "my.csv"))
    learned = inference.model_fn(adapted / "model").card["adaptation"]["data"]["learned_from"]["reviews"]
    assert learned + len(kept.labels) == len(all_rows.labels)
    assert 0.2 < len(kept.labels) / len(all_rows.labels) < 0.5
    assert run(adapted / "kept.csv", "--wrong", "0.2", "--model", adapted / "model") == 0
    assert "promise" in inference.model_fn(adapted / "model").card


def test_the_file_that_a_model_learned_from_promises_nothing(
    adapted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(adapted / "my.csv", "--wrong", "0.1", "--model", adapted / "model") == 2
    assert "has learned from" in capsys.readouterr().err


def test_another_file_needs_the_one_that_the_model_learned_from(
    adapted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = save(tmp_path / "b.csv", [(text, label) for text, label in rows(700)[400:]])
    flags = [other, "--wrong", "0.3", "--model", adapted / "model"]
    assert run(*flags) == 2
    assert "name it with --learned" in capsys.readouterr().err
    assert run(*flags, "--learned", other) == 2
    assert "is another file" in capsys.readouterr().err
    assert run(*flags, "--learned", adapted / "my.csv") == 0


def test_the_published_model_stays_as_it_is_and_a_copy_gets_the_receipt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "my.csv", rows(160))
    before = sorted(inference.MODEL_FOLDER.iterdir())
    assert run(path, "--wrong", "0.2") == 0
    assert "--out my-model writes a copy" in capsys.readouterr().out
    assert run(path, "--wrong", "0.2", "--out", tmp_path / "own") == 0
    assert run(path, "--wrong", "0.25", "--out", tmp_path / "own") == 0
    card = inference.model_fn(tmp_path / "own").card
    assert card["promise"]["wrong"] == 0.25
    assert sorted(inference.MODEL_FOLDER.iterdir()) == before


@pytest.mark.parametrize(
    ("lines", "more", "says"),
    [
        ([("Good pot.", ""), ("Bad pot.", "")], [], "no row has a label"),
        ([("Good pot.", "positive"), ("A fine lamp.", "positive")], [], "has no negative row that counts"),
        ([("Good pot.", "3"), ("Bad lamp.", "3"), ("A cup", "4")], [], "has no negative row that counts"),
        ([("Good pot.", "positive"), ("Bad pot.", "negative")], ["--label", "stars"], "no column 'stars'"),
        ([("Good pot.", "positive"), ("Bad pot.", "negative")], ["--model", "nowhere"], "can't be read"),
        ([("Good pot.", "positive"), ("Bad pot.", "negative")], ["--out", "my.csv"], "is no folder"),
        ([("Good pot.", "positive"), ("Bad pot.", "negative")], ["--out", "."], "holds other things"),
        ([("Good pot.", "positive"), ("Bad pot.", "negative")], ["-o", "my.csv"], "is the input"),
    ],
)
def test_what_can_t_be_used_is_refused_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lines: Rows,
    more: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "my.csv", lines)
    assert run("my.csv", "--wrong", "0.05", *more) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert says in error
    assert [path.name for path in tmp_path.iterdir()] == ["my.csv"]


@pytest.mark.parametrize(
    "flags", [["--wrong", "0"], ["--wrong", "5"], ["--wrong", "0.1", "--sure", "95"], []]
)
def test_a_share_that_is_none_ends_with_the_usage(flags: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        promise.main(["my.csv", *flags])
    assert end.value.code == 2


def test_too_few_rows_say_how_many_it_would_take(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "my.csv", agreeing(model, 60))
    rest = tmp_path / "rest.csv"
    assert run(path, "--wrong", "0.01", "--model", model, "-o", rest) == 1
    error = capsys.readouterr().err
    assert "wrong takes 299 answers, even if none is wrong; label about" in error
    assert error.count("\n") == 1
    assert not rest.exists() and not (model / "promise.json").exists()


def test_too_many_errors_say_which_share_could_be_promised(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "my.csv", agreeing(model, 300, wrong=50))
    assert run(path, "--wrong", "0.01", "--model", model) == 1
    error = capsys.readouterr().err
    share = error.rpartition("--wrong ")[2].split(";")[0]
    assert run(path, "--wrong", share, "--model", model) == 0
    assert run(path, "--wrong", f"{float(share) - 0.01:g}", "--model", model) == 1


def test_answers_to_rows_that_are_gone_are_missed() -> None:
    answers = promise.Answers(np.array([0, 2]), np.array([0.9, 0.8]), np.array([True, False]))
    assert answers.of(np.array([2])).sureness.tolist() == [0.8]
    with pytest.raises(promise.CommandError, match="was changed while it was read"):
        answers.of(np.array([1]))


def test_an_earlier_receipt_is_replaced_only_by_force(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model / "promise.json").write_text("{}", encoding="utf-8")
    path = save(tmp_path / "my.csv", agreeing(model, 60))
    assert promise.main([str(path), "--wrong", "0.1", "--model", str(model), "--workers", "1"]) == 2
    assert "promise.json exists; add --force to replace it" in capsys.readouterr().err
    assert receipt_of(model) == {}
