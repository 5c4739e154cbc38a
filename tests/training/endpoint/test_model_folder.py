"""A model's folder: complete or as it was, and never in the place of something else."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from training.endpoint import inference, model_folder
from training.endpoint.model_folder import FolderError, check_free, install


def parts(folder: Path, **more: Any) -> tuple[bytes, dict[str, Any]]:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return (folder / "model.onnx").read_bytes(), card | more


def accept(model: inference.LoadedModel) -> None:
    """Accept every model."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_model_is_installed_where_nothing_was(made_package: Path, tmp_path: Path) -> None:
    install(tmp_path / "mine", *parts(made_package), accept)
    assert inference.model_fn(tmp_path / "mine").card["id"].startswith("verdict-")
    assert names(tmp_path) == ["mine"]


def test_a_model_takes_the_place_of_an_older_one(own_package: Path, tmp_path: Path) -> None:
    install(own_package, *parts(own_package, adaptation={"outcome": "better"}), accept)
    assert inference.model_fn(own_package).card["adaptation"] == {"outcome": "better"}
    assert [name for name in names(tmp_path) if name.startswith(".")] == []


def test_a_model_that_does_not_pass_leaves_the_old_one_and_nothing_else(
    own_package: Path, tmp_path: Path
) -> None:
    before = parts(own_package)

    def refuse(model: inference.LoadedModel) -> None:
        raise ValueError("it answers otherwise")

    with pytest.raises(ValueError, match="otherwise"):
        install(own_package, *parts(own_package, temperature=9.0), refuse)
    with pytest.raises(ValueError, match="otherwise"):
        install(tmp_path / "mine", *before, refuse)
    assert parts(own_package) == before
    assert names(tmp_path) == ["model"]


def test_a_network_that_its_card_does_not_name_is_not_installed(made_package: Path, tmp_path: Path) -> None:
    data, card = parts(made_package)
    with pytest.raises(inference.ModelFilesError):
        install(tmp_path / "mine", data[:-4] + b"\0\0\0\0", card, accept)
    assert names(tmp_path) == []


def test_a_full_disk_leaves_nothing(
    made_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vocab.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        install(tmp_path / "mine", *parts(made_package), accept)
    assert names(tmp_path) == []


def test_a_free_name_and_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_free(tmp_path / "empty", "adaptation")
    check_free(tmp_path / "new", "adaptation")


def test_an_older_model_of_the_same_kind_is_replaced_only_by_force(own_package: Path) -> None:
    data, card = parts(own_package, adaptation={})
    model_folder.write_package(own_package, data, card)
    with pytest.raises(FolderError, match="holds the model .*; add --force to replace it, or choose another"):
        check_free(own_package, "adaptation")
    check_free(own_package, "adaptation", force=True)


def test_the_shipped_model_has_a_name_wherever_it_lies(
    own_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert model_folder.path_of("published") == inference.MODEL_FOLDER
    assert model_folder.label_of(inference.MODEL_FOLDER).startswith("published (verdict-")
    assert model_folder.label_of(own_package).startswith(f"{own_package.name} (")
    (tmp_path / "published").mkdir()
    assert model_folder.path_of("published") == Path("published")


@pytest.mark.parametrize("name", ["notes", "model", "file"])
def test_what_holds_other_things_is_refused(own_package: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("buy milk", encoding="utf-8")
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    with pytest.raises(FolderError, match="--out"):
        check_free(tmp_path / name, "adaptation")


def test_the_models_to_start_from_are_refused(own_package: Path) -> None:
    with pytest.raises(FolderError, match="start from"):
        check_free(own_package, "id", own_package)
    with pytest.raises(FolderError, match="start from"):
        check_free(inference.MODEL_FOLDER, "id")
