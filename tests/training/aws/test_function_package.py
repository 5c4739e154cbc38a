"""The zip of the model's function: what it holds, and its answers under AWS's own emulator."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import containers, lambda_zip
from tests.support.lambda_emulator import EmulatorMissing, LambdaEmulator, emulator
from tests.support.missing import skip_or_fail
from training.aws import function_package, hosting, lambda_host, package
from training.aws.function_package import PYTHON
from training.aws.package import PackageError
from training.endpoint import inference
from vocab import messages, text

# Lambda's limits: a zip unpacked, and the payload of a call that waits for its answer.
UNPACKED_BYTES, PAYLOAD_BYTES = 262_144_000, 6_291_556
# A busy machine may take longer than Lambda does.
SECONDS = 120
CANARY = "xylophonecanary"


# --- its content --------------------------------------------------------------------------------


@pytest.fixture
def without_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_package, "libraries", dict)


def test_the_same_input_gives_the_same_bytes(without_libraries: None, package: Path, tmp_path: Path) -> None:
    built = [function_package.build(package, tmp_path / name) for name in ("a.zip", "b.zip")]
    assert built[0].sha256 == built[1].sha256
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_it_holds_the_handler_the_hooks_the_vocabulary_and_the_model(
    without_libraries: None, package: Path, tmp_path: Path
) -> None:
    function_package.build(package, tmp_path / "function.zip")
    with zipfile.ZipFile(tmp_path / "function.zip") as file:
        names = set(file.namelist())
        assert all(member.external_attr >> 16 == 0o644 for member in file.infolist())
    assert {"model_function.py", "training/endpoint/inference.py", "vocab/vocabulary.pkl"} <= names
    assert {"model.onnx", "model.json"} <= names
    assert function_package.HANDLER.split(".")[0] + ".py" in names


def test_its_model_comes_out_as_it_went_in(without_libraries: None, package: Path, tmp_path: Path) -> None:
    function_package.build(package, tmp_path / "function.zip")
    (tmp_path / "model").mkdir()
    out = function_package.unpack_model((tmp_path / "function.zip").read_bytes(), tmp_path / "model")
    assert (out / "model.onnx").read_bytes() == (package / "model.onnx").read_bytes()
    assert inference.model_fn(out).identity == inference.model_fn(package).identity


def test_a_file_that_is_no_such_zip_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="holds no model"):
        function_package.unpack_model(b"no zip", tmp_path)


def test_a_zip_larger_than_lambda_takes_is_refused(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_package, "libraries", lambda: {"large.so": bytes(UNPACKED_BYTES)})
    with pytest.raises(PackageError, match="Lambda takes 262,144,000"):
        function_package.build(package, tmp_path / "function.zip")
    assert not (tmp_path / "function.zip").exists()


def test_a_place_that_can_t_be_written_is_named(
    without_libraries: None, package: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PackageError, match="can't be written.*choose another --out"):
        function_package.build(package, tmp_path / "file" / "function.zip")


def test_numpy_is_the_one_that_the_tests_have(monkeypatch: pytest.MonkeyPatch) -> None:
    (pin,) = package_pins()
    constraints = (function_package.sources.ROOT / "requirements/constraints.txt").read_text(encoding="utf-8")
    assert f"\nnumpy=={pin.version}\n" in constraints


def package_pins() -> list[package.Pin]:
    return package.read_pins(function_package.NUMPY_PINS, ("numpy",))


# --- its answers --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published model's zip with all its libraries, unpacked."""
    folder = tmp_path_factory.mktemp("function")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("VERDICT_CACHE", raising=False)  # the user's own, which may hold the wheels
        function_package.build(inference.MODEL_FOLDER, folder / "function.zip")
    with zipfile.ZipFile(folder / "function.zip") as file:
        file.extractall(folder / "task")
    return folder / "task"


@pytest.fixture(scope="module")
def running(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaEmulator]:
    """The zip under AWS's emulator, with Lambda's Python."""
    try:
        emulator()
    except EmulatorMissing as error:
        skip_or_fail(str(error))
    tools = lambda_zip.runtime(PYTHON, tmp_path_factory.mktemp("python"))
    log = task.parent / "function.log"
    handler = function_package.HANDLER
    function = LambdaEmulator(
        task, tools.image, handler, log, python=tools.python, seconds=SECONDS, **lambda_host.VARIABLES
    )
    yield function
    function.stop()


@pytest.fixture(scope="module")
def published() -> inference.LoadedModel:
    return inference.model_fn(inference.MODEL_FOLDER)


def ask(function: LambdaEmulator, body: bytes) -> Any:
    types = {"content_type": messages.JSON, "accept": messages.JSON}
    return function.invoke({"body": body.decode(), **types, "request_id": "r1"})


@pytest.mark.slow
def test_unpacked_it_fits_into_lambda(task: Path) -> None:
    size = sum(path.stat().st_size for path in task.rglob("*") if path.is_file())
    assert 50_000_000 < size < UNPACKED_BYTES / 2


@pytest.mark.slow
@pytest.mark.parametrize("explain", ["none", "sentences", "words"])
def test_under_the_emulator_its_answers_have_the_endpoint_s_bytes(
    explain: str, running: LambdaEmulator, published: inference.LoadedModel
) -> None:
    encoded = [published.vocabulary.encode(review) for review in hosting.REVIEWS]
    message = messages.build_endpoint_request(encoded, published.vocabulary, explain)
    expected = inference.respond(message, messages.JSON, messages.JSON, published)
    answer = ask(running, message)
    assert (answer["status"], answer["content_type"]) == (200, messages.JSON)
    assert answer["body"].encode() == expected.body


@pytest.mark.slow
def test_it_describes_its_model(running: LambdaEmulator, published: inference.LoadedModel) -> None:
    assert json.loads(ask(running, messages.build_describe_request())["body"])["card"] == published.card


@pytest.mark.slow
def test_a_refusal_carries_the_hooks_status(running: LambdaEmulator) -> None:
    other = b'{"vocabulary":"0000000000000000","reviews":[{"ids":[300],"sentences":[1]}]}'
    assert ask(running, other)["status"] == 409
    assert ask(running, b"{")["status"] == 400


@pytest.mark.slow
def test_the_largest_batch_fits_into_a_call(
    running: LambdaEmulator, published: inference.LoadedModel
) -> None:
    lengths = [20] * (text.MAX_TOKENS // 20)
    ids = [300 + at for at in range(text.MAX_TOKENS)]
    reviews = [{"ids": ids, "sentences": lengths}] * messages.MAX_ENDPOINT_REVIEWS
    fingerprint = published.identity.vocabulary
    message = messages.to_json({"vocabulary": fingerprint, "reviews": reviews, "explain": "words"})
    answer = ask(running, message)
    assert answer["status"] == 200
    assert len(answer["body"]) > 100_000
    assert len(json.dumps({"body": message.decode()})) < PAYLOAD_BYTES
    assert len(json.dumps(answer)) < PAYLOAD_BYTES


@pytest.mark.slow
def test_a_full_message_fits_into_a_call_even_with_its_quotes_escaped(
    published: inference.LoadedModel,
) -> None:
    """An answer's quotes are escaped inside the payload; the card has the most of them."""
    body = messages.to_json({"card": published.card}).decode()
    growth = len(json.dumps(body)) / len(body)
    assert messages.MAX_ENDPOINT_BYTES * growth < PAYLOAD_BYTES


@pytest.mark.slow
def test_its_log_has_a_line_for_a_request_and_no_word_of_it(running: LambdaEmulator, task: Path) -> None:
    body = messages.to_json({"reviews": [{"review": f"Lovely {CANARY}"}]})
    assert ask(running, body)["status"] == 200
    log = (task.parent / "function.log").read_text(encoding="utf-8")
    assert '"request_id": "r1"' in log
    assert CANARY not in log


@pytest.mark.slow
def test_the_memory_of_its_processes_can_be_measured(running: LambdaEmulator) -> None:
    assert ask(running, messages.build_describe_request())["status"] == 200
    assert 50 << 20 < containers.memory_of(running.pids()).proportional < 500 << 20
