"""Write a model's folder, model.onnx and model.json: whole or not at all, and loaded once before."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.endpoint import inference, receipt
from vocab import typed
from vocab.files import sha256, write_together

# Names the model that is shipped, wherever a folder is asked for.
PUBLISHED = "published"


class FolderError(Exception):
    """A model can't be written into a folder; the message says why and names a remedy."""


def path_of(name: str) -> Path:
    """Return the folder that a flag names. "published" is the shipped model, unless a folder is called so."""
    path = Path(name)
    return inference.MODEL_FOLDER if name == PUBLISHED and not path.exists() else path


def label_of(folder: Path) -> str:
    """Return a model's name for people, with its id: "my-model (verdict-0a1b2c3d4e5f)"."""
    return f"{name_of(folder)} ({_card(folder).get('id', 'no id')})"


def name_of(folder: Path) -> str:
    """Return the name of a model's folder, or "published"."""
    path = folder.resolve()
    return PUBLISHED if path == inference.MODEL_FOLDER.resolve() else path.name


def identity_of(data: bytes) -> dict[str, Any]:
    """Return the fields of a card that identify a network: id, hash and size."""
    digest = sha256(data)
    return {"id": f"verdict-{digest[:12]}", "onnx_sha256": digest, "onnx_bytes": len(data)}


def write_package(folder: Path, data: bytes, card: dict[str, Any]) -> None:
    """Write network and card. The card names the network's hash, so two halves never pass for a model."""
    card_text = (json.dumps(card, indent=2, allow_nan=False) + "\n").encode()
    write_together({folder / "model.onnx": data, folder / "model.json": card_text})


def files_of(folder: Path) -> list[str]:
    """Return the names of a model's files: two, and the receipt of a promise if there is one."""
    return ["model.onnx", "model.json", *([receipt.NAME] if (folder / receipt.NAME).is_file() else [])]


def check_free(folder: Path, kind: str, *taken: Path, force: bool = False) -> None:
    """Check that a folder is free, or with ``force`` holds a model of this kind (its card has that name).

    ``taken`` are folders that must stay. Raises FolderError.
    """
    if folder.resolve() in [path.resolve() for path in (*taken, inference.MODEL_FOLDER)]:
        raise FolderError(f"{folder} holds the model to start from, which stays; choose another --out")
    if folder.is_symlink() and not folder.exists():
        raise FolderError(f"{folder} is a link to nothing; remove it, or choose another --out")
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is no folder; choose another --out")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    card = _card(folder)
    if kind not in card:
        raise FolderError(f"{folder} holds other things than such a model; choose another --out")
    if not force:
        raise FolderError(
            f"{folder} holds the model {card.get('id')}; add {typed.flag('--force')} to replace it, or choose"
            " another --out"
        )


def check_writable(folder: Path) -> None:
    """Check that a folder can be written, before the work. Raises FolderError."""
    parent = next(path for path in folder.absolute().parents if path.exists())
    for path in (folder, parent):
        if path.exists() and not os.access(path, os.W_OK | os.X_OK):
            raise FolderError(f"{path} can't be written to; choose another --out")


def install(
    folder: Path, data: bytes, card: dict[str, Any], check: Callable[[inference.LoadedModel], None]
) -> None:
    """Install a model once it loads and ``check`` accepts it. Otherwise the folder stays as it was.

    Raises what ``check`` raises, ModelFilesError, or OSError (a full disk, no rights).
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    trial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        write_package(trial, data, card)
        check(inference.model_fn(trial))
        if folder.exists():
            write_package(folder, data, card)
        else:
            trial.chmod(0o755)
            trial.rename(folder)
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def _card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}
