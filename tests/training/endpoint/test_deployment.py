"""The package under each image's own start in a serverless jail: the very bytes of the hooks, and quiet logs.

Each image is started once for all that is asked of it. Without root there is no jail. The servers then start
outside, and the tests of the jail itself are skipped.
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import containers, jail
from tests.support.containers import Server, ServerError
from training.aws import images, package
from training.endpoint import inference
from vocab.messages import JSON, JSON_LINES, MAX_ENDPOINT_BYTES, MAX_ENDPOINT_REVIEWS

pytestmark = [pytest.mark.slow, pytest.mark.long]
ROOT = Path(__file__).resolve().parents[3]
CANARY = "xylophonecanary"
GOLDEN = [
    case["review"]
    for case in json.loads((ROOT / "tests" / "golden" / "ids.json").read_text(encoding="utf-8"))["cases"]
]
# What the image's log says when it may write to /tmp alone.
REFUSALS = {
    "ray": "No such file or directory: '/dev/shm'",
    "pytorch": "Read-only file system: '/.sagemaker'",
}


class Image:
    """An image's environment, and the published model's package beside it, unpacked."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.python = containers.make_image(name, folder / "image")
        self.model = containers.unpack(folder / "model.tar.gz", folder / "model")
        self.logs: list[Path] = []

    def start(self, *doors: str, model: Path | None = None) -> Server:
        """Start the image's server, in the jail where there can be one."""
        self.logs.append(self.folder / f"server-{len(self.logs)}.log")
        if jail.unavailable():
            return containers.SERVERS[self.name](model or self.model, self.python, self.logs[-1])
        return jail.Jail(self.name, model or self.model, self.python, self.logs[-1], doors)


class Running:
    """An image and its server."""

    def __init__(self, image: Image, server: Server) -> None:
        self.name, self.image, self.server = image.name, image, server


@pytest.fixture(scope="module")
def published() -> inference.LoadedModel:
    return inference.model_fn(inference.MODEL_FOLDER)


@pytest.fixture(scope="module", params=images.SERVING)
def image(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Image:
    """Each image in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERDICT_CACHE", str(pytestconfig.cache.mkdir("verdict")))  # type: ignore[union-attr]
        try:
            containers.pack(request.param, inference.MODEL_FOLDER, folder / "model.tar.gz")
        except package.PackageError as error:
            containers.skip_or_fail(str(error))
    return Image(request.param, folder)


@pytest.fixture(scope="module")
def running(image: Image) -> Iterator[Running]:
    """The image's server with the published model."""
    server = image.start(*jail.DOORS[image.name])
    yield Running(image, server)
    server.stop()


@pytest.fixture
def jailed(running: Running) -> jail.Jail:
    """The server in its jail."""
    if not isinstance(running.server, jail.Jail):
        containers.skip_or_fail(str(jail.unavailable()))
    return running.server


def message(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def of_ids(model: inference.LoadedModel, *reviews: str, **fields: Any) -> bytes:
    encoded = [model.vocabulary.encode(review) for review in reviews]
    items = [{"ids": one.ids, "sentences": one.lengths} for one in encoded]
    return message(**{"vocabulary": model.identity.vocabulary, "reviews": items, "explain": "words"} | fields)


def same(running: Running, model: inference.LoadedModel, body: bytes, content_type: str = JSON) -> Any:
    """Check that the server's bytes equal the hooks'; return the status and the message."""
    expected = inference.respond(body, content_type, JSON, model)
    assert running.server.ask(body, content_type) == expected
    lines = expected.body.split(b"\n") if expected.content_type == JSON_LINES else [expected.body]
    return expected.status, [json.loads(line) for line in lines]


# --- the same bytes -----------------------------------------------------------------------------


def test_ids_as_the_lambda_sends_them(running: Running, published: inference.LoadedModel) -> None:
    readable = [review for review in GOLDEN if published.vocabulary.encode_ids(review)][:MAX_ENDPOINT_REVIEWS]
    status, (answer,) = same(running, published, of_ids(published, *readable))
    assert status == 200
    assert len(answer["answers"]) == len(readable) > 10
    assert all(one["sentences"] and one["words"]["contributions"] for one in answer["answers"])


def test_reviews_as_text(running: Running, published: inference.LoadedModel) -> None:
    reviews = [
        "Superb!",
        "It isn't good.<br /><br />4/10",
        "Un film très émouvant \u2014 \U0001f600",
        "so " * 5_000,
    ]
    status, (answer,) = same(running, published, message(reviews=[{"review": one} for one in reviews]))
    assert status == 200
    assert [one["sentiment"] for one in answer["answers"]][:2] == ["positive", "negative"]


def test_lines_with_their_ids_and_errors_of_their_own(
    running: Running, published: inference.LoadedModel
) -> None:
    lines = [
        b'{"id": 1, "review": "A lovely film."}',
        b'{"id": "second", "review": 7}',
        b"{",
        b'{"id": "\xc3\xa9", "review": "Dull."}',
        b'{"id": 5, "review": "<br />"}',
    ]
    status, answers = same(running, published, b"\n".join(lines), JSON_LINES)
    assert status == 200
    assert [answer.get("id") for answer in answers] == [1, "second", None, "\xe9", 5]
    codes = [answer.get("error", {}).get("code") for answer in answers]
    assert codes == [None, "wrong_type", "malformed_json", None, "no_token"]


def test_the_model_s_card(running: Running, published: inference.LoadedModel) -> None:
    status, (answer,) = same(running, published, message(describe=True))
    assert (status, answer) == (200, {"card": published.card})


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (message(reviews=[{"review": 7}]), JSON, 400, "wrong_type"),
        (b"{", JSON, 400, "malformed_json"),
        (b"", JSON, 400, "malformed_json"),
        (message(reviews=[]), JSON, 400, "bad_value"),
        (
            message(reviews=[{"ids": [300], "sentences": [1]}], vocabulary="0123456789abcdef"),
            JSON,
            409,
            "vocabulary_mismatch",
        ),
        (message(reviews=[{"review": "x" * 50_001}]), JSON, 413, "too_long"),
        (b" " * (MAX_ENDPOINT_BYTES + 1), JSON, 413, "too_large"),
        (b"a,b", "text/csv", 415, "unsupported_media_type"),
        (message(reviews=[{"review": "<br />"}]), JSON, 422, "no_token"),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, (int, str)) else None,
)
def test_a_refusal_has_its_own_status(
    body: bytes, content_type: str, status: int, code: str, running: Running, published: inference.LoadedModel
) -> None:
    came, (answer,) = same(running, published, body, content_type)
    assert (came, answer["code"]) == (status, code)


def test_bytes_that_are_no_text_are_refused(running: Running, published: inference.LoadedModel) -> None:
    """The PyTorch image's toolkit decodes JSON itself, before any of our code; its failure is a 500."""
    body = b'{"reviews": [{"review": "\xff"}]}'
    if running.name != "pytorch":
        assert same(running, published, body)[0] == 400
    else:
        status, answer, _ = running.server.ask(body)
        assert status == 500
        assert b"codec can't decode byte 0xff" in answer


def test_many_callers_at_once_get_the_same_bytes(running: Running, published: inference.LoadedModel) -> None:
    bodies = [of_ids(published, review) for review in ("A fine film.", "Dull and long.", "not good")] * 8
    expected = [inference.respond(body, JSON, JSON, published) for body in bodies]
    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(running.server.ask, bodies)) == expected


def test_the_images_health_check_answers(running: Running) -> None:
    assert running.server.ping() == 200


# --- quiet --------------------------------------------------------------------------------------


def test_no_log_holds_a_review(running: Running, published: inference.LoadedModel) -> None:
    for body, content_type in [
        (message(reviews=[{"review": f"A {CANARY} film."}]), JSON),
        (message(reviews=[{"review": f"A {CANARY} film."}, {"ids": CANARY}]), JSON),
        (message(**{CANARY: 1}), JSON),
        (f'{{"review": "{CANARY}"'.encode(), JSON),
        (message(review=f"A {CANARY} film.") + b"\n" + CANARY.encode(), JSON_LINES),
        (f'{{"review": "{CANARY} '.encode() + b'\xff"}', JSON),
    ]:
        running.server.ask(body, content_type)
    marked = message(reviews=[{"review": "The last one."}])
    running.server.ask(marked)
    files = [path for path in running.server.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    logs = [path for path in [*files, *running.image.logs] if path.suffix != ".so"]
    # Gunicorn writes to its output alone.
    assert running.name == "sklearn" or any(path.suffix == ".log" for path in files)
    assert not [path.name for path in logs if CANARY.encode() in path.read_bytes()]


# --- the jail -----------------------------------------------------------------------------------


def test_it_runs_without_rights_name_or_home(jailed: jail.Jail) -> None:
    inside = jailed.inside()
    assert inside
    for pid in inside:
        status = Path(f"/proc/{pid}/status").read_text()
        fields = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
        assert set(fields["Uid"]) == set(fields["Gid"]) == {str(jail.USER)}
        assert int(fields["CapEff"][0], 16) == int(fields["CapBnd"][0], 16) == 0
        assert not [
            one for one in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if one.startswith(b"HOME=")
        ]


def test_it_has_one_network_device_and_nothing_to_write_but_tmp(jailed: jail.Jail, image: Image) -> None:
    pid = jailed.inside()[0]
    networks = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in networks] == ["lo"]
    mounts = [line.split() for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]
    writable = {place for _, place, _, options, *_ in mounts if options.split(",")[0] == "rw"}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}
    doors = {door.rstrip("/") for door in jail.DOORS[image.name]}
    assert writable - devices == {"/tmp", "/proc", "/proc/meminfo"} | doors


def test_its_memory_is_bounded_by_the_deployed_size(jailed: jail.Jail, image: Image) -> None:
    deployed = package.serverless_memory(image.name) << 20
    assert 0 < jailed.memory().proportional < deployed
    assert jailed.limit() == deployed


def test_only_the_default_image_starts_with_tmp_alone(jailed: jail.Jail, image: Image) -> None:
    if image.name == images.SERVING[0]:
        assert jail.DOORS[image.name] == ()
        return
    with pytest.raises(ServerError) as failure:
        image.start()
    assert REFUSALS[image.name] in str(failure.value)


# --- broken packages ----------------------------------------------------------------------------


@pytest.fixture
def broken(image: Image, tmp_path: Path) -> Path:
    """A copy of the unpacked package with a changed byte in the network."""
    model = Path(shutil.copytree(image.model, tmp_path / "model"))
    content = bytearray((model / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (model / "model.onnx").write_bytes(content)
    return model


def test_a_changed_network_is_never_served(running: Running, broken: Path) -> None:
    with pytest.raises(ServerError, match="is not the file that model.json names"):
        running.image.start(*jail.DOORS[running.name], model=broken)
