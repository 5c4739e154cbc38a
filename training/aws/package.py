"""Pack model.tar.gz for a SageMaker endpoint: the model, the hooks, the text code, and their libraries.

    python -m training.aws.package --out build/model.tar.gz    # for the default image; or --image ray, or all
    python -m training.aws.package --refresh                   # write newer pins: requirements/endpoint.txt

The same input gives the same bytes. The libraries lie unpacked in code/lib/, and the entry files put them on
the path. So no image installs anything at its start: it needs no network, no writable folder and no pip.
"""

import argparse
import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.aws import images, slim, sources, unused
from training.data import cache
from training.endpoint import inference, model_folder
from vocab.files import sha256, sha256_of, write_atomic

ENTRY = Path(inference.__file__).with_name("entry")
OUT = Path("build") / "model.tar.gz"
PINS = sources.ROOT / "requirements/endpoint.txt"
# tools/measure_server.py measured the images' servers and wrote this.
SERVERS = Path(__file__).with_name("servers.json")
# inference.py imports these libraries.
LIBRARIES = ("onnxruntime", "nltk", "beautifulsoup4")
# Every image has NumPy. The others are requirements of parts that no review needs.
LEFT_OUT = (
    "numpy",
    "click",
    "cloudpickle",
    "defusedxml",
    "flatbuffers",
    "joblib",
    "packaging",
    "protobuf",
    "tqdm",
)
# No image has Python 3.11: the tests run the PyTorch image's server on it, since only it has a small torch.
PINNED_PYTHONS = tuple(sorted({*images.PYTHONS.values(), "3.11"}))
# glibc is 2.34 in the Ray Serve image and 2.35 in the PyTorch image; pip wants each tag by name.
PLATFORMS = (
    "manylinux_2_34_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_27_x86_64",
    "manylinux2014_x86_64",
)
PIP_SECONDS = 900
# A container of each image needs these variables to serve the package.
ENVIRONMENT = {
    # Gunicorn serves our own application, without the image's nginx, which needs a file in /etc.
    "sklearn": {
        "PYTHONPATH": "/opt/ml/model/code",
        "SAGEMAKER_BASE_DIR": "/tmp/sagemaker",  # noqa: S108  (the container's own)
        "SAGEMAKER_SERVING_MODULE": "gunicorn_image:app",
        "SAGEMAKER_USE_NGINX": "false",
    },
    # Send no usage report to Ray's makers, and print every log line at once.
    "ray": {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "PYTHONUNBUFFERED": "1"},
    # The image's own places for temporary files and logs belong to a user of the image.
    "pytorch": {
        "SAGEMAKER_PROGRAM": "pytorch_image.py",
        "TEMP": "/tmp",  # noqa: S108  (the container's own)
        "LOG_LOCATION": "/tmp/logs",  # noqa: S108
        "METRICS_LOCATION": "/tmp/logs",  # noqa: S108
    },
}
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


class PackageError(Exception):
    """A package can't be built; the message gives the reason and a remedy."""


class Package(NamedTuple):
    """A built package: its path, SHA-256 and size in bytes, and the ids of its model and vocabulary."""

    path: Path
    sha256: str
    bytes: int
    model_id: str
    vocabulary: str


class Pin(NamedTuple):
    """A library's version and the SHA-256 of each wheel that a package may carry."""

    name: str
    version: str
    hashes: frozenset[str]


def build(model: Path, out: Path, images: Sequence[str] = (images.SERVING[0],)) -> Package:
    """Pack a model folder for some images (keys of ``images.PYTHONS``) and write the package to ``out``.

    For your own image, by its address, the package has the model alone.
    Raises PackageError, inference.ModelFilesError or VocabularyError before anything is written.
    """
    loaded = inference.model_fn(model).identity
    contents = {
        **{name: _read(model / name) for name in model_folder.files_of(model)},
        **_software(images),
    }
    data = pack(contents)
    try:
        write_atomic(out, data)
        written = sha256_of(out)
    except OSError as error:
        raise PackageError(f"{out} can't be written ({error.strerror}); choose another --out") from error
    if written != sha256(data):
        raise PackageError(f"{out} differs from the bytes written to it; check the disk and build again")
    return Package(out, written, len(data), loaded.id, loaded.vocabulary)


def pack(contents: dict[str, bytes]) -> bytes:
    """Return a .tar.gz of files by name: sorted, without times or owners; equal input gives equal bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, data in sorted(contents.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def libraries(python: str) -> dict[str, bytes]:
    """Return the files of the hooks' libraries for a Python version, by name below a folder of the path.

    Only what inference imports, with its licences. NumPy and Python are the image's. Raises PackageError.
    """
    contents: dict[str, bytes] = {}
    for name, data in wheels(python, PINS).items():
        try:
            contents |= _unpack(name, data)
        except (zipfile.BadZipFile, slim.SlimError) as error:
            raise PackageError(f"{name} can't be unpacked ({error}); report it to Verdict") from error
    return contents


def wheels(python: str, path: Path, required: Sequence[str] = LIBRARIES) -> dict[str, bytes]:
    """Return the pinned wheels for a Python version by file name, from the cache or from the index.

    ``path`` is the file of pins, which must have ``required``. Raises PackageError when the index lacks one,
    or sends one whose hash is not pinned.
    """
    pins = read_pins(path, required)
    folder = cache.folder() / "wheels" / python
    if not _has_all(_pinned_wheels(folder, pins), pins):
        _download(folder, python, path)
    cached = _pinned_wheels(folder, pins)
    if not _has_all(cached, pins):
        raise PackageError(
            f"{folder} lacks a wheel that {path.name} names; remove the folder and build again"
        )
    return cached


def read_pins(path: Path, required: Sequence[str] = LIBRARIES) -> list[Pin]:
    """Read the pins of a requirements file. Raises PackageError."""
    pins = [
        Pin(name, version, frozenset(re.findall(r"[0-9a-f]{64}", hashes)))
        for name, version, hashes in _PIN.findall(_read(path).decode())
    ]
    missing = [name for name in required if name not in {pin.name for pin in pins}]
    if missing:
        raise PackageError(f"{path} pins no {', '.join(missing)}; restore it from git")
    return pins


def serverless_memory(image: str) -> int:
    """Return the memory in MB that a serverless endpoint needs to serve the package in an image.

    Your own image is not measured, and gets what the default image needs.
    """
    name = images.SERVING[0] if images.is_own(image) else image
    return int(json.loads(_read(SERVERS))["servers"][name]["serverless_memory_mb"])


def refresh() -> list[Pin]:
    """Return pins of the newest versions in the index that every image's Python can install."""
    newest: dict[str, Pin] = {}
    for python in PINNED_PYTHONS:
        for library in _resolve(python):
            name = library["metadata"]["name"].lower().replace("_", "-")
            if name in LEFT_OUT:
                continue
            pin = newest.get(name, Pin(name, library["metadata"]["version"], frozenset()))
            if pin.version != library["metadata"]["version"]:
                raise PackageError(f"{name} has no version that fits every Python; pin it by hand in {PINS}")
            digest = library["download_info"]["archive_info"]["hashes"]["sha256"]
            newest[name] = pin._replace(hashes=pin.hashes | {digest})
    return [newest[name] for name in sorted(newest)]


def write_pins(pins: Sequence[Pin], path: Path) -> None:
    """Write pins as a requirements file with hashes."""
    lines = [
        "# The model package's libraries; written by `python -m training.aws.package --refresh`.\n",
        *(
            " \\\n    --hash=sha256:".join([f"{pin.name}=={pin.version}", *sorted(pin.hashes)]) + "\n"
            for pin in pins
        ),
    ]
    write_atomic(path, "".join(lines).encode())


# --- contents -----------------------------------------------------------------------------------


def _software(names: Sequence[str]) -> dict[str, bytes]:
    """Return code and libraries for some images, by name; your own image has both already."""
    if len(names) == 1 and images.is_own(names[0]):
        return {}
    return {
        **{name: _read(ENTRY / name) for name in ("config.yaml", "deployment.py")},
        **{f"code/{name}": data for name, data in _code().items()},
        **{
            f"code/lib/{python}/{name}": data
            for python in sorted(set(_pythons(names)))
            for name, data in libraries(python).items()
        },
    }


def _code() -> dict[str, bytes]:
    """Return the entry files of images that look in code/, and the packages that they import, by name."""
    paths = sources.files_of("training/endpoint", "vocab")
    packages = {path.as_posix(): _read(sources.ROOT / path) for path in paths}
    return {**{name: _read(ENTRY / name) for name in ("gunicorn_image.py", "pytorch_image.py")}, **packages}


def _pythons(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in images.PYTHONS]
    if unknown or not names:
        raise PackageError(f"no image {', '.join(unknown) or 'is named'}; use {' or '.join(images.PYTHONS)}")
    return [images.PYTHONS[name] for name in names]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path} can't be read ({error.strerror}); restore it from git") from error


# --- wheels -------------------------------------------------------------------------------------


def _unpack(name: str, data: bytes) -> dict[str, bytes]:
    """Return the files of a wheel that inference imports, and its licences."""
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        files = {file: wheel.read(file) for file in wheel.namelist() if not file.endswith("/")}
    if name.startswith(f"{slim.PACKAGE}-"):
        needed = _stemmer(files)
    else:
        needed = {file for file in files if not unused.ONNX_RUNTIME.match(file) and ".dist-info/" not in file}
    licences = {file for file in files if ".dist-info/" in file and unused.LICENCE.search(Path(file).name)}
    return {file: files[file] for file in sorted(needed | licences)}


def _stemmer(files: dict[str, bytes]) -> set[str]:
    """Return the names of the stemmer's modules among NLTK's files. Raises slim.SlimError."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            if name.endswith(".py"):
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        return {path.relative_to(folder).as_posix() for path in slim.modules(Path(folder))}


def _pinned_wheels(folder: Path, pins: Sequence[Pin]) -> dict[str, bytes]:
    """Return the wheels of a folder whose hash is pinned, by file name."""
    hashes = {digest for pin in pins for digest in pin.hashes}
    contents = {path.name: path.read_bytes() for path in sorted(folder.glob("*.whl"))}
    return {name: data for name, data in contents.items() if sha256(data) in hashes}


def _has_all(contents: dict[str, bytes], pins: Sequence[Pin]) -> bool:
    hashes = {sha256(data) for data in contents.values()}
    return all(pin.hashes & hashes for pin in pins)


def _download(folder: Path, python: str, pins: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _pip("download", python, "--no-deps", "--require-hashes", "--dest", str(folder), "-r", str(pins))


def _resolve(python: str) -> list[dict[str, Any]]:
    report = _pip(
        "install", python, "--dry-run", "--ignore-installed", "--target", "none", "--report", "-", *LIBRARIES
    )
    return list(json.loads(report)["install"])


def _pip(command: str, python: str, *arguments: str) -> str:
    """Run pip for another Python on Linux and return its output. Raises PackageError."""
    platforms = [flag for tag in PLATFORMS for flag in ("--platform", tag)]
    # "3.12" alone would mean 3.12.0, which some libraries exclude.
    version = f"{python}.5"
    target = ["--only-binary=:all:", *platforms, "--implementation", "cp", "--python-version", version]
    line = [
        sys.executable,
        "-m",
        "pip",
        command,
        "--quiet",
        "--disable-pip-version-check",
        *target,
        *arguments,
    ]
    try:
        result = subprocess.run(line, capture_output=True, text=True, timeout=PIP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise PackageError(
            f"pip got no wheels for Python {python} in {PIP_SECONDS} s; is there a network?"
        ) from error
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise PackageError(f"pip can't get the wheels for Python {python} ({reason}); is there a network?")
    return result.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack model.tar.gz for a SageMaker endpoint.")
    parser.add_argument(
        "--model", type=Path, default=inference.MODEL_FOLDER, help="folder of model.onnx and model.json"
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"file to write (default {OUT})")
    parser.add_argument(
        "--image",
        choices=[*images.SERVING, "all"],
        default=images.SERVING[0],
        help="image whose libraries to carry",
    )
    parser.add_argument("--refresh", action="store_true", help=f"only write newer pins to {PINS.name}")
    options = parser.parse_args()
    try:
        if options.refresh:
            write_pins(refresh(), PINS)
            print(f"package: wrote {PINS}; run the tests before you commit it")
            return
        chosen = images.SERVING if options.image == "all" else (options.image,)
        built = build(options.model, options.out, chosen)
    except (PackageError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"package: {error}")
    print(f"{built.path}: {built.bytes:,} bytes, SHA-256 {built.sha256}")
    print(f"model {built.model_id}, vocabulary {built.vocabulary}, for image {', '.join(chosen)}")


if __name__ == "__main__":
    main()
