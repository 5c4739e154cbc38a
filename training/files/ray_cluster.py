"""Share a file's parts with a running Ray cluster: actors of Ray Data run the endpoint's own hooks.

The job brings code and model to the cluster. The cluster's machines need onnxruntime, numpy, nltk and
beautifulsoup4.
"""

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from training.endpoint import inference
from training.files.ray_actor import Answerer
from training.files.rows import BatchError, Part

ROOT = Path(__file__).resolve().parents[2]
# Our packages' prefix: in the wheel they are parts of another package.
PREFIX = __name__.removesuffix("training.files.ray_cluster")
# What an actor imports, and what that reads.
CODE = (
    "training/__init__.py",
    "training/endpoint/*.py",
    "training/files/*.py",
    "vocab/**/*.py",
    "vocab/vocabulary.*",
)
CONNECT_SECONDS = 10
LIBRARIES = ("ray[data]", "onnxruntime", "numpy", "nltk", "beautifulsoup4")


def predict_parts(
    parts: Iterable[Part],
    model: Path,
    address: str,
    actor: type = Answerer,
    arguments: tuple[Any, ...] = (),
    code: Sequence[str] = CODE,
) -> Iterator[tuple[Part, bytes]]:
    """Yield each part with its answers as soon as they arrive. Raises BatchError.

    The texts wait in Ray's object store, which spills to disk when it is full. The ``actor`` is made from
    ``arguments``, and imports no more than ``code``.
    """
    check_address(address)
    # Ray sends usage statistics unless they are switched off before its import.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import pyarrow
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise BatchError(f"{error.name} is not installed; run: pip install 'ray[data]'") from error
    with tempfile.TemporaryDirectory(prefix="verdict-batch-") as staged:
        stage(Path(staged), model, code)
        try:
            ray.init(
                address, runtime_env={"working_dir": staged}, logging_level=logging.ERROR, log_to_driver=False
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise BatchError(
                f"no Ray cluster of this version answers at {address} ({_first_line(error)}); start one with"
                " `ray start --head`, and give --ray HOST:6379"
            ) from error
        try:
            yield from _answers(ray, pyarrow, parts, actor, arguments)
        except ray.exceptions.RayError as error:
            raise BatchError(
                f"the Ray cluster failed ({_first_line(error)}); its machines need"
                f" {', '.join(LIBRARIES)}; run it again to resume"
            ) from error
        finally:
            ray.shutdown()


def check_address(address: str) -> None:
    """Refuse a malformed address, or one where nothing listens; Ray itself would wait for minutes.

    Raises BatchError.
    """
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise BatchError(f"{address!r} is no address of a Ray cluster; give HOST:6379, or auto")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise BatchError(
            f"nothing answers at {address}; start a Ray cluster with `ray start --head`, and give its address"
        ) from error


def stage(folder: Path, model: Path, code: Sequence[str] = CODE) -> None:
    """Copy what the actors need into a folder: code, vocabulary, model."""
    packages = folder.joinpath(*PREFIX.split(".")[:-1])
    for pattern in code:
        for path in ROOT.glob(pattern):
            copy = packages / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    if packages != folder:  # else the client's own package would be imported, with all that it needs
        (folder / PREFIX.split(".")[0] / "__init__.py").touch()
    target = packages / inference.MODEL_FOLDER.relative_to(ROOT)
    target.mkdir()
    for name in ("model.json", "model.onnx"):
        shutil.copy(model / name, target)


def _answers(
    ray: Any, pyarrow: Any, parts: Iterable[Part], actor: type, arguments: tuple[Any, ...]
) -> Iterator[tuple[Part, bytes]]:
    waiting: dict[int, Part] = {}
    tables = []
    for part in parts:
        waiting[part.number] = part._replace(reviews=[])
        tables.append(
            ray.put(
                pyarrow.table(
                    {"number": [part.number], "lines": pyarrow.array([part.lines()], pyarrow.binary())}
                )
            )
        )
    if not tables:
        return
    # The batch has a progress bar of its own.
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    actors = max(1, min(int(ray.cluster_resources().get("CPU", 1)), len(tables)))
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=actors)
    answers = ray.data.from_arrow_refs(tables).map_batches(
        actor, fn_constructor_args=arguments, batch_size=1, batch_format="pyarrow", compute=pool
    )
    for row in answers.iter_rows():
        yield waiting.pop(row["number"]), row["answers"]
    if waiting:
        raise BatchError(f"the Ray cluster lost {len(waiting):,} parts; run it again to resume")


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else type(error).__name__
