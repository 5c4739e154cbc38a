"""A model's folder: model.onnx and model.json, whole or not at all, and tried before they are in place."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.endpoint import inference
from vocab.files import sha256, write_together


class FolderError(Exception):
    """Why a model can't be put into a folder, in one sentence with the way out."""


def named_by(data: bytes) -> dict[str, Any]:
    """Give the part of a card that names a network: id, hash and size."""
    digest = sha256(data)
    return {"id": f"verdict-{digest[:12]}", "onnx_sha256": digest, "onnx_bytes": len(data)}


def write_package(folder: Path, data: bytes, card: dict[str, Any]) -> None:
    """Write network and card; the card names the network's hash, so that halves never pass for one."""
    text_of_card = (json.dumps(card, indent=2, allow_nan=False) + "\n").encode()
    write_together({folder / "model.onnx": data, folder / "model.json": text_of_card})


def check_free(folder: Path, kind: str, *taken: Path) -> None:
    """Refuse a folder that holds something else than a model of this kind (a card with that name).

    ``taken`` are folders that must stay. Raises FolderError.
    """
    if folder.resolve() in [one.resolve() for one in (*taken, inference.MODEL_FOLDER)]:
        raise FolderError(f"{folder} holds the model to start from, which stays; choose another --out")
    if folder.is_symlink() and not folder.exists():
        raise FolderError(f"{folder} is a link to nothing; remove it, or choose another --out")
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is no folder; choose another --out")
    if folder.is_dir() and any(folder.iterdir()) and kind not in _card(folder):
        raise FolderError(f"{folder} holds other things than such a model; choose another --out")


def check_writable(folder: Path) -> None:
    """Refuse a place where nothing can be written, before the work. Raises FolderError."""
    parent = next(place for place in folder.absolute().parents if place.exists())
    for place in (folder, parent):
        if place.exists() and not os.access(place, os.W_OK | os.X_OK):
            raise FolderError(f"{place} can't be written to; choose another --out")


def install(
    folder: Path, data: bytes, card: dict[str, Any], check: Callable[[inference.LoadedModel], None]
) -> None:
    """Put a model in its place once it loads and ``check`` let it pass; else what was there stays.

    Raises what ``check`` does, ModelFilesError, or OSError (a full disk, no rights).
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
        found = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
