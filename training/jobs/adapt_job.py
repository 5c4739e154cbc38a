"""Fine-tune the model inside a SageMaker training job; jobs/adapt.py sends this script with an order.json.

It writes model.onnx and model.json, better or not, or refused.json with one sentence on the reason. Many
people can read the job's log for a long time, so it holds no text, no label and no traceback.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, NamedTuple

from training.adapt import adapt
from training.adapt.exit_status import REFUSALS, CommandError
from training.endpoint.model_folder import write_package
from training.files import labelled
from vocab.files import sha256_of, write_atomic

HERE = Path(__file__).resolve().parent
ORDER, BASE, REFUSED = "order.json", "base", "refused.json"
FAILURE = "failure"


class Order(NamedTuple):
    """The job's order: adapt.py's flags, and the SHA-256 of each file of the base."""

    flags: list[str]
    base: dict[str, str]

    def to_bytes(self) -> bytes:
        return json.dumps(self._asdict()).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Order":
        return cls(**json.loads(data))


def hashes_of(model: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a model folder."""
    return {name: sha256_of(model / name) for name in ("model.onnx", "model.json")}


def work(here: Path, reviews: Path, out: Path) -> None:
    """Adapt the base to the one file in ``reviews``, by ``here``/order.json; write the result to ``out``."""
    order = Order.from_bytes((here / ORDER).read_bytes())
    try:
        _check_base(here / BASE, order.base)
        adapted = _adapted(order, here / BASE, reviews)
    except REFUSALS as error:
        write_atomic(out / REFUSED, json.dumps({"sentence": str(error)}).encode())
        print("adapt-job: refused; the reason is in the result", flush=True)
        return
    write_package(out, adapted.network, adapted.card)
    print(f"adapt-job: model.onnx {adapted.card['onnx_sha256']}", flush=True)


def place_of(error: BaseException) -> str:
    """Return an error's type and place, without its message, which may quote a review.

    >>> place_of(ValueError("I loved it"))
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _adapted(order: Order, base: Path, reviews: Path) -> adapt.AdaptedModel:
    # Error sentences then name the file as its owner does, without this machine's folder.
    os.chdir(_only_file(reviews).parent)
    workers = f"--workers={os.cpu_count() or 1}"
    name = _only_file(reviews).name
    options = adapt.parse([*order.flags, "--deep", f"--model={base}", workers, "--", name])
    rows = labelled.read_options(options, options.most)
    print(f"adapt-job: {len(rows.labels):,} of {rows.counts['rows']:,} rows to learn from", flush=True)
    return adapt.adapt(rows, base, options.workers, deep=True)


def _only_file(folder: Path) -> Path:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if len(files) != 1:
        raise CommandError(f"the job got {len(files):,} files of reviews and takes one; start another job")
    return files[0]


def _check_base(base: Path, hashes: dict[str, str]) -> None:
    if hashes_of(base) != hashes:
        raise CommandError("the base in the job is not the one that was sent; start another job")


def main(environ: Any = os.environ) -> None:
    try:
        work(HERE, Path(environ["SM_CHANNEL_REVIEWS"]), Path(environ["SM_MODEL_DIR"]))
    except Exception as error:  # its message stays out of the log
        place = place_of(error)
        write_atomic(Path(environ.get("SM_OUTPUT_DIR", ".")) / FAILURE, place.encode())
        sys.exit(f"adapt-job: {place}")


if __name__ == "__main__":
    main()
