"""Pack model.tar.gz, what a SageMaker endpoint serves: model, hooks, text code, and wheels for its image.

    python -m training.aws.package --out build/model.tar.gz    # for the Ray Serve image; --image pytorch, or both
    python -m training.aws.package --refresh                   # write requirements/endpoint.txt with newer wheels

The same input gives the same bytes. The image installs from the package and asks no index: a start must not
depend on one, and gets the libraries that were tested.
"""

import argparse
import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.aws import images, sources
from training.data import dataset
from training.endpoint import inference
from vocab.files import sha256, sha256_of, write_atomic

ENTRY = Path(inference.__file__).with_name("entry")
OUT = Path("build") / "model.tar.gz"
PINS = sources.ROOT / "requirements/endpoint.txt"
# What measure_server.py found out about the images' servers.
SERVERS = Path(__file__).with_name("servers.json")
# What inference.py imports. What these need in turn is carried too, but not named to the installer: an
# image's own protobuf, say, stays when it fits, since its server was tested with it.
NAMED = ("onnxruntime", "nltk", "beautifulsoup4")
# Both images have NumPy, which is 16 MB.
NOT_CARRIED = ("numpy",)
# 3.11 is no image's: the tests run the PyTorch image's server on it, for want of a small torch elsewhere.
PINNED_PYTHONS = tuple(sorted({*images.PYTHONS.values(), "3.11"}))
# glibc is 2.34 in the Ray Serve image and 2.35 in the PyTorch image; pip wants each tag by name.
PLATFORMS = (
    "manylinux_2_34_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_27_x86_64",
    "manylinux2014_x86_64",
)
PIP_SECONDS = 900
# The variables that a container of each image needs to serve this package.
ENVIRONMENT = {
    # No report to Ray's makers; every line of the log, at once.
    "ray": {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "PYTHONUNBUFFERED": "1"},
    "pytorch": {"SAGEMAKER_PROGRAM": "pytorch_image.py"},
}
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


class PackageError(Exception):
    """A package can't be built, in one sentence with the way out."""


class Package(NamedTuple):
    """A built package: where it lies, its SHA-256 and size, and which model and vocabulary it holds."""

    path: Path
    sha256: str
    bytes: int
    model_id: str
    vocabulary: str


class Pin(NamedTuple):
    """A library's version and the SHA-256 of each wheel that may be carried."""

    name: str
    version: str
    hashes: frozenset[str]


def build(model: Path, out: Path, images: Sequence[str] = ("ray",)) -> Package:
    """Pack the model in a folder for images (keys of ``images.PYTHONS``) and write it to ``out``.

    Raises PackageError, inference.ModelFilesError or VocabularyError before anything is written.
    """
    loaded = inference.model_fn(model).model
    contents = {
        **{name: _read(model / name) for name in ("model.onnx", "model.json")},
        **{name: _read(ENTRY / name) for name in ("config.yaml", "deployment.py")},
        **{f"code/{name}": data for name, data in _code().items()},
        "code/requirements.txt": _requirements(),
        **{f"code/wheels/{name}": data for name, data in wheels(_pythons(images)).items()},
    }
    data = pack(contents)
    try:
        write_atomic(out, data)
        written = sha256_of(out)
    except OSError as error:
        raise PackageError(f"{out} can't be written ({error.strerror}); choose another --out") from error
    if written != sha256(data):
        raise PackageError(f"{out} is not what was written to it; look at the disk and build it again")
    return Package(out, written, len(data), loaded.id, loaded.vocabulary)


def pack(contents: dict[str, bytes]) -> bytes:
    """Give a .tar.gz of files by name: sorted, without times or owners, so equal input gives equal bytes."""
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


def wheels(pythons: Iterable[str]) -> dict[str, bytes]:
    """Give the pinned wheels for Python versions by file name, from the cache or from the index.

    Raises PackageError when the index gives none, or one whose hash is not pinned.
    """
    pins, found = read_pins(PINS), {}
    for python in sorted(set(pythons)):
        folder = dataset.cache_folder() / "wheels" / python
        if not _has_all(_kept(folder, pins), pins):
            _download(folder, python)
        kept = _kept(folder, pins)
        if not _has_all(kept, pins):
            raise PackageError(
                f"{folder} lacks a wheel that {PINS.name} names; remove the folder and build again"
            )
        found |= kept
    return found


def read_pins(path: Path) -> list[Pin]:
    """Read which wheels may be carried. Raises PackageError."""
    pins = [
        Pin(name, version, frozenset(re.findall(r"[0-9a-f]{64}", hashes)))
        for name, version, hashes in _PIN.findall(_read(path).decode())
    ]
    missing = [name for name in NAMED if name not in {pin.name for pin in pins}]
    if missing:
        raise PackageError(f"{path} pins no {', '.join(missing)}; restore it from git")
    return pins


def serverless_memory(image: str) -> int:
    """Give the memory in MB that a serverless endpoint needs to serve the package in an image."""
    return int(json.loads(_read(SERVERS))["servers"][image]["serverless_memory_mb"])


def refresh() -> list[Pin]:
    """Ask the index for the newest version that every image's Python can have; give the pins."""
    newest: dict[str, dict[str, Any]] = {}
    for python in PINNED_PYTHONS:
        for one in _resolve(python):
            name = one["metadata"]["name"].lower().replace("_", "-")
            if name in NOT_CARRIED:
                continue
            kept = newest.setdefault(name, {"version": one["metadata"]["version"], "hashes": set()})
            if kept["version"] != one["metadata"]["version"]:
                raise PackageError(f"{name} has no version that fits every Python; pin it by hand in {PINS}")
            kept["hashes"].add(one["download_info"]["archive_info"]["hashes"]["sha256"])
    return [Pin(name, one["version"], frozenset(one["hashes"])) for name, one in sorted(newest.items())]


def write_pins(pins: Sequence[Pin], path: Path) -> None:
    """Write pins as pip reads them."""
    lines = [
        "# The wheels that the model package carries; written by `python -m training.aws.package --refresh`.\n",
        *(
            " \\\n    --hash=sha256:".join([f"{pin.name}=={pin.version}", *sorted(pin.hashes)]) + "\n"
            for pin in pins
        ),
    ]
    write_atomic(path, "".join(lines).encode())


# --- what goes in -------------------------------------------------------------------------------


def _code() -> dict[str, bytes]:
    """Return the PyTorch image's entry file and the packages that it imports, by name."""
    paths = sources.files_of("training/endpoint", "vocab")
    packages = {path.as_posix(): _read(sources.ROOT / path) for path in paths}
    return {"pytorch_image.py": _read(ENTRY / "pytorch_image.py"), **packages}


def _requirements() -> bytes:
    versions = {pin.name: pin.version for pin in read_pins(PINS)}
    lines = [
        "# Installed when the container starts, from the wheels beside this file.",
        "--no-index",
        "--find-links wheels",
        *(f"{name}=={versions[name]}" for name in NAMED),
    ]
    return "\n".join([*lines, ""]).encode()


def _pythons(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in images.PYTHONS]
    if unknown or not names:
        raise PackageError(f"no image {', '.join(unknown) or 'is named'}; take {' or '.join(images.PYTHONS)}")
    return [images.PYTHONS[name] for name in names]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path} can't be read ({error.strerror}); restore it from git") from error


# --- wheels -------------------------------------------------------------------------------------


def _kept(folder: Path, pins: Sequence[Pin]) -> dict[str, bytes]:
    """Give the wheels of a folder whose hash is pinned; others are passed over."""
    pinned = {digest for pin in pins for digest in pin.hashes}
    contents = {path.name: path.read_bytes() for path in sorted(folder.glob("*.whl"))}
    return {name: data for name, data in contents.items() if sha256(data) in pinned}


def _has_all(kept: dict[str, bytes], pins: Sequence[Pin]) -> bool:
    hashes = {sha256(data) for data in kept.values()}
    return all(pin.hashes & hashes for pin in pins)


def _download(folder: Path, python: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _pip("download", python, "--no-deps", "--require-hashes", "--dest", str(folder), "-r", str(PINS))


def _resolve(python: str) -> list[dict[str, Any]]:
    report = _pip(
        "install", python, "--dry-run", "--ignore-installed", "--target", "none", "--report", "-", *NAMED
    )
    return list(json.loads(report)["install"])


def _pip(command: str, python: str, *arguments: str) -> str:
    """Run pip for another Python on Linux and give what it printed. Raises PackageError."""
    platforms = [flag for tag in PLATFORMS for flag in ("--platform", tag)]
    # "3.12" alone would mean 3.12.0, which some libraries leave out.
    version = f"{python}.5"
    target = ["--only-binary=:all:", *platforms, "--implementation", "cp", "--python-version", version]
    called = [
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
        done = subprocess.run(called, capture_output=True, text=True, timeout=PIP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise PackageError(
            f"pip got no wheels for Python {python} in {PIP_SECONDS} s; is there a network?"
        ) from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PackageError(f"pip can't get the wheels for Python {python} ({reason}); is there a network?")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack model.tar.gz for a SageMaker endpoint.")
    parser.add_argument(
        "--model", type=Path, default=inference.MODEL_FOLDER, help="folder with model.onnx and model.json"
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"the file to write (default {OUT})")
    parser.add_argument(
        "--image", choices=[*images.PYTHONS, "both"], default="ray", help="image to carry wheels for"
    )
    parser.add_argument("--refresh", action="store_true", help=f"write {PINS.name} anew and pack nothing")
    options = parser.parse_args()
    try:
        if options.refresh:
            write_pins(refresh(), PINS)
            print(f"package: {PINS} is written; run the tests before you commit it")
            return
        chosen = tuple(images.PYTHONS) if options.image == "both" else (options.image,)
        built = build(options.model, options.out, chosen)
    except (PackageError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"package: {error}")
    print(f"{built.path}: {built.bytes:,} bytes, SHA-256 {built.sha256}")
    print(f"model {built.model_id}, vocabulary {built.vocabulary}, for the {options.image} image")


if __name__ == "__main__":
    main()
