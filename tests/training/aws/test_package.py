"""The model package: equal bytes from equal input, one copy of the code, libraries that the pins name."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import containers
from training.aws import images, package
from training.aws.package import PackageError, Pin
from training.endpoint import inference
from vocab.files import sha256, sha256_of

ROOT = Path(__file__).resolve().parents[3]
WHEELS = [f"{name}-1.0-py3-none-any.whl" for name in package.LIBRARIES]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "ids.json").read_text(encoding="utf-8"))["cases"]
# Whole packages, without the endpoint's model and the images' entry files.
COPIED = {
    "training/__init__.py",
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "training/endpoint").glob("*.py")),
    *(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "vocab").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ),
}
CODE = {f"code/{name}" for name in {"gunicorn_image.py", "pytorch_image.py"} | COPIED}
# What small wheels hold, and what of it a package carries.
IN_WHEELS = {
    "onnxruntime": ("onnxruntime/__init__.py", "onnxruntime/capi/state.so", "onnxruntime/tools/big.py"),
    "nltk": ("nltk/__init__.py", "nltk/stem/porter.py", "nltk-1.0.dist-info/licenses/LICENSE.txt"),
    "beautifulsoup4": ("bs4/__init__.py", "beautifulsoup4-1.0.dist-info/RECORD"),
}
CARRIED = {
    "onnxruntime/__init__.py",
    "onnxruntime/capi/state.so",
    "nltk/stem/porter.py",
    "nltk-1.0.dist-info/licenses/LICENSE.txt",
    "bs4/__init__.py",
}


@pytest.fixture
def wheels(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of Python 3.12, with small wheels that pins of their own name; no index at all."""
    folder = cache / "wheels" / "3.12"
    folder.mkdir(parents=True)
    pins = []
    for name, file in zip(package.LIBRARIES, WHEELS, strict=True):
        data = wheel(*IN_WHEELS[name])
        (folder / file).write_bytes(data)
        pins.append(Pin(name, "1.0", frozenset({sha256(data)})))
    monkeypatch.setattr(package, "PINS", tmp_path / "pins.txt")
    package.write_pins(pins, package.PINS)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    return folder


def wheel(*names: str) -> bytes:
    """Return a wheel with some files, each of which says its name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for name in names:
            zipped.writestr(name, f"# {name}")
    return packed.getvalue()


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


# --- what is in it ------------------------------------------------------------------------------


def test_the_package_holds_what_the_images_ask_for_and_no_more(
    wheels: Path, own_package: Path, tmp_path: Path
) -> None:
    built = package.build(own_package, tmp_path / "model.tar.gz")
    found = members(built.path)
    root = {"model.onnx", "model.json", "config.yaml", "deployment.py"}
    assert set(found) == root | CODE | {f"code/lib/3.12/{name}" for name in CARRIED}
    for name in CARRIED:
        assert found[f"code/lib/3.12/{name}"] == f"# {name}".encode()
    assert found["model.onnx"] == (own_package / "model.onnx").read_bytes()
    for name in COPIED:
        assert found[f"code/{name}"] == (ROOT / name).read_bytes()
    entry = ROOT / "training/endpoint/entry"
    for name in ("gunicorn_image.py", "pytorch_image.py"):
        assert found[f"code/{name}"] == (entry / name).read_bytes()
    for name in ("config.yaml", "deployment.py"):
        assert found[name] == (entry / name).read_bytes()
    assert len(set(found.values())) == len(found)


def test_what_is_built_is_named(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    built = package.build(own_package, tmp_path / "out" / "model.tar.gz")
    card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
    assert built == (
        tmp_path / "out" / "model.tar.gz",
        sha256_of(built.path),
        built.path.stat().st_size,
        card["id"],
        card["vocabulary"],
    )


def test_members_are_plain_sorted_files_without_times_or_owners(
    wheels: Path, own_package: Path, tmp_path: Path
) -> None:
    built = package.build(own_package, tmp_path / "model.tar.gz")
    with tarfile.open(built.path) as tar:
        found = tar.getmembers()
    assert [member.name for member in found] == sorted(member.name for member in found)
    for member in found:
        assert member.isreg()
        assert (member.mtime, member.mode, member.uid, member.gid) == (0, 0o644, 0, 0)
        assert (member.uname, member.gname) == ("", "")


def test_equal_input_gives_equal_bytes(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    first = package.build(own_package, tmp_path / "first.tar.gz")
    for path in [*own_package.iterdir(), *wheels.iterdir()]:
        os.utime(path, (1, 1))
    second = package.build(own_package, tmp_path / "second" / "other.tar.gz")
    assert first.path.read_bytes() == second.path.read_bytes()


def test_another_model_gives_other_bytes(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    first = package.build(own_package, tmp_path / "model.tar.gz")
    card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
    (own_package / "model.json").write_text(json.dumps(card | {"temperature": 1.25}), encoding="utf-8")
    assert package.build(own_package, tmp_path / "model.tar.gz").sha256 != first.sha256


def test_nothing_is_left_to_install_or_compile_at_a_start(
    wheels: Path, own_package: Path, tmp_path: Path
) -> None:
    names = members(package.build(own_package, tmp_path / "model.tar.gz").path)
    assert not [name for name in names if name.endswith((".whl", ".pyc", "requirements.txt", "setup.py"))]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.onnx", "model.json"])
def test_a_changed_byte_of_the_model_is_refused_and_the_old_package_stays(
    name: str, wheels: Path, own_package: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.tar.gz"
    out.write_bytes(b"the old one")
    content = bytearray((own_package / name).read_bytes())
    content[content.index(b"onnx_sha256") + 16 if name == "model.json" else len(content) // 2] ^= 1
    (own_package / name).write_bytes(content)
    with pytest.raises(inference.ModelFilesError, match="is not the file that model.json names"):
        package.build(own_package, out)
    assert out.read_bytes() == b"the old one"
    assert {path.name for path in tmp_path.iterdir()} == {"model.tar.gz", "model", "cache", "pins.txt"}


def test_a_changed_wheel_is_not_packed(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    (wheels / WHEELS[0]).write_bytes(b"changed")
    with pytest.raises(
        PackageError, match=r"can't get the wheels for Python 3.12 \(.*\); is there a network"
    ):
        package.build(own_package, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()


def test_a_wheel_that_no_pin_names_is_left_out(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    (wheels / "other-1.0-py3-none-any.whl").write_bytes(wheel("other.py"))
    built = package.build(own_package, tmp_path / "model.tar.gz")
    assert "code/lib/3.12/other.py" not in members(built.path)


def test_a_wheel_that_is_no_archive_is_named(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    (wheels / WHEELS[0]).write_bytes(b"no archive")
    pins = [
        Pin(pin.name, pin.version, pin.hashes | {sha256(b"no archive")})
        for pin in package.read_pins(package.PINS)
    ]
    package.write_pins(pins, package.PINS)
    with pytest.raises(PackageError, match=rf"{WHEELS[0]} can't be unpacked"):
        package.build(own_package, tmp_path / "model.tar.gz")


def test_wheels_of_another_python_are_asked_of_pip(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="can't get the wheels for Python 3.13"):
        package.build(own_package, tmp_path / "model.tar.gz", ("ray",))


@pytest.mark.parametrize(
    ("names", "sentence"), [(("tensorflow",), "no image tensorflow"), ((), "no image is named")]
)
def test_an_unknown_image_is_named(
    names: tuple[str, ...], sentence: str, wheels: Path, own_package: Path, tmp_path: Path
) -> None:
    with pytest.raises(PackageError, match=f"{sentence}; use sklearn or ray or pytorch"):
        package.build(own_package, tmp_path / "model.tar.gz", names)


def test_a_place_that_can_t_be_written_to_is_named(wheels: Path, own_package: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"can't be written \(.*\); choose another --out"):
        package.build(own_package, wheels)


# --- the pins -----------------------------------------------------------------------------------


def test_pins_are_read_as_they_were_written(tmp_path: Path) -> None:
    pins = [Pin(name, "1.2.3", frozenset({"a" * 64, "b" * 64})) for name in package.LIBRARIES]
    package.write_pins(pins, tmp_path / "pins.txt")
    assert package.read_pins(tmp_path / "pins.txt") == pins


def test_the_committed_pins_are_as_their_command_writes_them(tmp_path: Path) -> None:
    package.write_pins(package.read_pins(package.PINS), tmp_path / "pins.txt")
    assert (tmp_path / "pins.txt").read_bytes() == package.PINS.read_bytes()


def test_a_file_that_pins_too_little_is_named(tmp_path: Path) -> None:
    package.write_pins([Pin("nltk", "1.0", frozenset({"a" * 64}))], tmp_path / "pins.txt")
    with pytest.raises(PackageError, match="pins no onnxruntime, beautifulsoup4; restore it from git"):
        package.read_pins(tmp_path / "pins.txt")


def test_compiled_libraries_have_a_wheel_for_every_python_and_others_one() -> None:
    counts = {pin.name: len(pin.hashes) for pin in package.read_pins(package.PINS)}
    assert set(counts.values()) == {1, len(package.PINNED_PYTHONS)}
    assert counts["onnxruntime"] == len(package.PINNED_PYTHONS)
    assert not set(counts) & set(package.LEFT_OUT)


def test_the_pins_lie_within_what_runs_the_app() -> None:
    """Training and the Lambda read reviews by versions in these ranges; so must the endpoint."""
    ranges = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
    versions = {pin.name: pin.version for pin in package.read_pins(package.PINS)}
    for name in package.LIBRARIES:
        low, high = re.search(rf"^{name}>=([\d.]+),<(\d+)", ranges, re.MULTILINE).groups()  # type: ignore[union-attr]
        parts = [int(part) for part in versions[name].split(".")]
        assert [int(part) for part in low.split(".")] <= parts < [int(high)]


# --- the command --------------------------------------------------------------------------------


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "training.aws.package", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | env,
    )


def test_the_command_says_in_one_sentence_why_it_packs_nothing(tmp_path: Path) -> None:
    done = run("--model", str(tmp_path), "--out", str(tmp_path / "model.tar.gz"))
    assert done.returncode == 1
    assert done.stderr.startswith("package: ")
    assert "model.json can't be read" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


# --- the libraries in use -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> package.Package:
    """The published model with the real libraries for all images; pytest's cache folder keeps the wheels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERDICT_CACHE", str(pytestconfig.cache.mkdir("verdict")))  # type: ignore[union-attr]
        try:
            out = tmp_path_factory.mktemp("built") / "model.tar.gz"
            return package.build(inference.MODEL_FOLDER, out, images.SERVING)
        except PackageError as error:
            containers.skip_or_fail(str(error))


@pytest.mark.parametrize("minor", sorted(set(images.PYTHONS.values())))
def test_the_package_reads_reviews_as_training_does_beside_numpy_alone(
    minor: str, built: package.Package, tmp_path: Path
) -> None:
    python = containers.make_environment(tmp_path / "image", minor, "numpy")
    model = containers.unpack(built.path, tmp_path / "model")
    assert answers(python, model) == {
        "ids": [case["ids"] for case in GOLDEN],
        "body": own_answer().decode(),
    }
    assert not list(model.rglob("*.pyc"))


BODY = json.dumps({"reviews": [{"review": case["review"]} for case in GOLDEN[:50]]})


def own_answer() -> bytes:
    return inference.respond(BODY, "application/json", None, inference.model_fn(inference.MODEL_FOLDER)).body


def answers(python: Path, model: Path) -> Any:
    """Return the answers of the package's code in its own environment: golden ids, and a body."""
    code = (
        "import json, sys; import gunicorn_image; from training.endpoint import inference;"
        "model = inference.model_fn(sys.argv[1]);"
        "reviews, body = json.load(sys.stdin);"
        "ids = [model.vocabulary.encode_ids(review) for review in reviews];"
        "answer = inference.respond(body, 'application/json', None, model);"
        "print(json.dumps({'ids': ids, 'body': answer.body.decode()}))"
    )
    done = subprocess.run(
        [str(python), "-W", "error", "-c", code, str(model)],
        input=json.dumps([[case["review"] for case in GOLDEN], BODY]),
        env={"PYTHONPATH": str(model / "code"), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=model,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_command_packs_and_prints_the_hash(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    cache = str(pytestconfig.cache.mkdir("verdict"))  # type: ignore[union-attr]
    done = run("--out", str(tmp_path / "model.tar.gz"), VERDICT_CACHE=cache)
    assert done.returncode == 0, done.stderr
    assert sha256_of(tmp_path / "model.tar.gz") in done.stdout
