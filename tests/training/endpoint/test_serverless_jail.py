"""Each serving image's own start in a serverless jail: what it needs, and the very bytes of the hooks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import containers, jail
from tests.support.containers import ServerError
from training.aws import images, package
from training.endpoint import inference
from vocab.messages import JSON

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
GOLDEN = [
    case["review"]
    for case in json.loads((ROOT / "tests" / "golden" / "ids.json").read_text(encoding="utf-8"))["cases"]
    if case["ids"]
]
# What the image's log says when it may write to /tmp alone.
REFUSALS = {
    "ray": "No such file or directory: '/dev/shm'",
    "pytorch": "Read-only file system: '/.sagemaker'",
}


class Packed:
    """An image's environment, and the published model's package beside it, unpacked."""

    def __init__(self, name: str, python: Path, model: Path, folder: Path) -> None:
        self.name, self.python, self.model, self.folder = name, python, model, folder

    def start(self, *doors: str, model: Path | None = None) -> jail.Jail:
        log = self.folder / f"server-{len(list(self.folder.glob('*.log')))}.log"
        return jail.Jail(self.name, model or self.model, self.python, log, doors)


@pytest.fixture(scope="module", params=images.SERVING)
def packed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Packed:
    if reason := jail.unavailable():
        containers.skip_or_fail(reason)
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERDICT_CACHE", str(pytestconfig.cache.mkdir("verdict")))  # type: ignore[union-attr]
        try:
            containers.pack(request.param, inference.MODEL_FOLDER, folder / "model.tar.gz")
        except package.PackageError as error:
            containers.skip_or_fail(str(error))
    python = containers.make_image(request.param, folder / "image")
    return Packed(request.param, python, containers.unpack(folder / "model.tar.gz", folder / "model"), folder)


@pytest.fixture(scope="module")
def server(packed: Packed) -> Iterator[jail.Jail]:
    running = packed.start(*jail.DOORS[packed.name])
    yield running
    running.stop()


def test_it_answers_with_the_bytes_of_the_hooks(server: jail.Jail) -> None:
    body = json.dumps({"reviews": [{"review": one} for one in GOLDEN[:50]], "explain": "words"}).encode()
    model = inference.model_fn(inference.MODEL_FOLDER)
    assert server.ask(body) == inference.respond(body, JSON, JSON, model)
    assert server.ping() == 200


def test_it_runs_without_rights_name_or_home(server: jail.Jail) -> None:
    inside = server.inside()
    assert inside
    for pid in inside:
        status = Path(f"/proc/{pid}/status").read_text()
        fields = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
        assert set(fields["Uid"]) == set(fields["Gid"]) == {str(jail.USER)}
        assert int(fields["CapEff"][0], 16) == int(fields["CapBnd"][0], 16) == 0
        assert not [
            one for one in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if one.startswith(b"HOME=")
        ]


def test_it_has_one_network_device_and_nothing_to_write_but_tmp(server: jail.Jail, packed: Packed) -> None:
    pid = server.inside()[0]
    devices = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    mounts = [line.split() for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]
    writable = {place for _, place, _, options, *_ in mounts if options.split(",")[0] == "rw"}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}
    doors = {door.rstrip("/") for door in jail.DOORS[packed.name]}
    assert writable - devices == {"/tmp", "/proc", "/proc/meminfo"} | doors


def test_its_memory_is_bounded_by_the_deployed_size(server: jail.Jail, packed: Packed) -> None:
    deployed = package.serverless_memory(packed.name) << 20
    assert 0 < server.memory().proportional < deployed
    assert server.limit() == deployed


def test_only_the_default_image_starts_with_tmp_alone(packed: Packed) -> None:
    if packed.name == images.SERVING[0]:
        assert jail.DOORS[packed.name] == ()
        return
    with pytest.raises(ServerError) as failure:
        packed.start()
    assert REFUSALS[packed.name] in str(failure.value)


def test_a_changed_network_is_never_served(packed: Packed, tmp_path: Path) -> None:
    model = containers.unpack(packed.folder / "model.tar.gz", tmp_path / "model")
    content = bytearray((model / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (model / "model.onnx").write_bytes(content)
    with pytest.raises(ServerError, match="is not the file that model.json names"):
        packed.start(*jail.DOORS[packed.name], model=model)
