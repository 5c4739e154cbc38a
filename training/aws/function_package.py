"""Pack the model as a Lambda function's zip: the model, the hooks, the text code and all libraries unpacked.

    python -m training.aws.function_package --out build/function.zip

The same input gives the same bytes. AWS takes at most 250 MB unpacked.
"""

import argparse
import io
import sys
import zipfile
from pathlib import Path

from training.aws import package, sources, unused
from training.aws.package import Package, PackageError
from training.endpoint import inference, model_folder
from vocab.files import sha256, write_atomic

OUT = Path("build") / "function.zip"
ENTRY = package.ENTRY / "model_function.py"
HANDLER = "model_function.handler"
# The same processor as the endpoint's images have: another rounds differently, and answers would too.
PYTHON, ARCHITECTURE = "3.13", "x86_64"
MAX_UNPACKED_BYTES = 250 * 2**20
# NumPy is the images' own, so its pin stands apart from those of the endpoint's package.
NUMPY_PINS = sources.ROOT / "requirements/function.txt"
# A fixed time in every zip, the oldest that the format knows.
TIME = (1980, 1, 1, 0, 0, 0)


def build(model: Path, out: Path) -> Package:
    """Pack a model folder and write the zip to ``out``.

    Raises PackageError, inference.ModelFilesError or VocabularyError before anything is written.
    """
    loaded = inference.model_fn(model).identity
    files = {
        **libraries(),
        **{path.as_posix(): (sources.ROOT / path).read_bytes() for path in _sources()},
        **{name: (model / name).read_bytes() for name in model_folder.files_of(model)},
        ENTRY.name: ENTRY.read_bytes(),
    }
    unpacked = sum(map(len, files.values()))
    if unpacked > MAX_UNPACKED_BYTES:
        raise PackageError(f"the function has {unpacked:,} bytes, and Lambda takes {MAX_UNPACKED_BYTES:,}")
    data = pack(files)
    try:
        write_atomic(out, data)
    except OSError as error:
        raise PackageError(f"{out} can't be written ({error.strerror}); choose another --out") from error
    return Package(out, sha256(data), len(data), loaded.id, loaded.vocabulary)


def libraries() -> dict[str, bytes]:
    """Return the files of the libraries for the function's Python, NumPy among them. Raises PackageError."""
    numpy = package.wheels(PYTHON, NUMPY_PINS, ("numpy",))
    return {
        **package.libraries(PYTHON),
        **{name: file for data in numpy.values() for name, file in _numpy(data).items()},
    }


def pack(files: dict[str, bytes]) -> bytes:
    """Return a zip of files by name: sorted, readable by all, of one time; equal input gives equal bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name, data in sorted(files.items()):
            member = zipfile.ZipInfo(name, TIME)
            member.external_attr, member.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            file.writestr(member, data)
    return packed.getvalue()


def unpack_model(data: bytes, folder: Path) -> Path:
    """Write the model of a function's zip into a folder, and return the folder. Raises PackageError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            for name in ("model.onnx", "model.json"):
                (folder / name).write_bytes(file.read(name))
    except (zipfile.BadZipFile, KeyError) as error:
        raise PackageError(f"the function's zip holds no model ({error}); run `make deploy`") from error
    return folder


def _sources() -> list[Path]:
    return list(sources.files_of("training/endpoint", "vocab"))


def _numpy(wheel: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel)) as file:
        return {name: file.read(name) for name in file.namelist() if _is_used(name)}


def _is_used(name: str) -> bool:
    if ".dist-info/" in name:
        return bool(unused.LICENCE.search(Path(name).name)) and not name.endswith("/")
    return not name.endswith("/") and not unused.NUMPY.match(name)


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack the model as a Lambda function's zip.")
    parser.add_argument(
        "--model", type=Path, default=inference.MODEL_FOLDER, help="folder of model.onnx and model.json"
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"file to write (default {OUT})")
    options = parser.parse_args()
    try:
        built = build(options.model, options.out)
    except (PackageError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"function_package: {error}")
    print(f"{built.path}: {built.bytes:,} bytes, SHA-256 {built.sha256}")


if __name__ == "__main__":
    main()
