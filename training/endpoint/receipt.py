"""The receipt of a promise, promise.json beside model.json: how sure an answer must be to be rarely wrong.

`verdict promise` writes it. It holds for one model only; another's is left out.
"""

import json
from pathlib import Path
from typing import Any

from training.endpoint import calibration, opinion

NAME = "promise.json"
# The name of the receipt on a card.
FIELD = "promise"
MAX_BYTES = 100_000


def read_receipt(folder: Path, card: dict[str, Any]) -> dict[str, Any] | None:
    """Return the receipt in a model's folder; None without one, or if it is another model's or damaged."""
    try:
        with (folder / NAME).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        receipt = json.loads(data, parse_constant=_refuse) if len(data) <= MAX_BYTES else None
        if isinstance(receipt, dict) and receipt.get("model") == identity_of(card):
            return receipt
    except (OSError, ValueError):
        pass
    return None


def identity_of(card: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a card on which answers depend. A receipt holds for no other model."""
    names = ("id", "onnx_sha256", "vocabulary", *calibration.FIELDS, opinion.FIELD, "uncertain")
    return {name: card[name] for name in names}


def to_bytes(receipt: dict[str, Any]) -> bytes:
    """Return the file's bytes."""
    return (json.dumps(receipt, indent=2, allow_nan=False) + "\n").encode()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
