"""The built distribution in a clean environment: every command works beside a user's own modules."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.test_serve import reads_pieces
from tests.support.command import ROOT, WAIT_SECONDS, verdict
from tests.support.containers import make_environment
from tests.support.other_services import OtherServices
from tests.support.stack import Stack, free_ports
from tests.support.varied import varied

PROJECT = tomllib.loads((ROOT / "client/pyproject.toml").read_text(encoding="utf-8"))["project"]
REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"
# Judges a frame, a query and a list of texts in two processes each, without a guard.
FRAMES = """
from pathlib import Path
import duckdb, polars
import verdict_sentiment
from verdict_sentiment.duckdb import register_duckdb
from verdict_sentiment.frames import judge
from verdict_sentiment.sklearn import VerdictClassifier

print(Path(verdict_sentiment.__file__).parents[1])
frame = polars.DataFrame({"review": [f"Part {n} is a lovely film." for n in range(300)]})
classifier = VerdictClassifier(adapt=False, workers=2).fit(["Good.", "Bad."], [1, 0])
connection = duckdb.connect()
register_duckdb(connection, workers=2)
rows = connection.sql("SELECT verdict(review) FROM frame").fetchall()
print(len(judge(frame, workers=2)), len(rows), len(classifier.predict(frame["review"])))
"""
# A user's own modules, in the folder where the command runs.
IN_THE_WAY = (
    "vocab.py",
    "training.py",
    "chalice_app.py",
    "launcher.py",
    "inference.py",
    "app.py",
    "rows.py",
    "chalicelib.py",
)


def pinned(extras: dict[str, list[str]]) -> set[str]:
    requirements = (text for extra in extras.values() for text in extra)
    return {text for text in requirements if not text.startswith("verdict-sentiment")}


def required(name: str) -> set[str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return {line for line in lines if line and not line.startswith("-r ")}


def test_the_extra_for_serving_has_the_requirements_of_make_serve() -> None:
    serve = required("requirements/run.txt") | required("requirements/serve.txt")
    extras = {name: PROJECT["optional-dependencies"][name] for name in ("local", "serve", "excel")}
    assert pinned(extras) <= serve
    assert serve - pinned(extras) <= set(PROJECT["dependencies"])


def test_the_license_is_the_repository_s() -> None:
    assert (ROOT / "client/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


class Installed:
    """A clean environment with the wheel, and a folder of modules with our modules' names."""

    def __init__(self, wheel: Path, extra: str, folder: Path) -> None:
        self.folder = folder / "own"
        self.folder.mkdir(parents=True)
        for name in IN_THE_WAY:
            (self.folder / name).write_text("raise SystemExit('the wrong module')", encoding="utf-8")
        self.bin = folder / "venv/bin"
        minor = f"{sys.version_info.major}.{sys.version_info.minor}"
        make_environment(folder / "venv", minor, f"{wheel}{extra}")

    def run(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the environment in the folder."""
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8"} | variables,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
        )


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make client` would fill, from a copy so that two runs don't meet."""
    folder = tmp_path_factory.mktemp("dist")
    build = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), "client"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("plain")
    yield Installed(wheel, "", folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("full")
    yield Installed(wheel, "[serve]", folder)
    shutil.rmtree(folder)


@pytest.mark.slow
def test_the_copies_are_the_repository_s_but_for_their_imports(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = [name for name in file.namelist() if name.startswith("verdict_sentiment/_app/")]
        assert len(names) > 30
        for name in names:
            ours = (ROOT / name.removeprefix("verdict_sentiment/_app/")).read_bytes()
            if not name.endswith(".py"):
                assert file.read(name) == ours, name
                continue
            expected = [line for line in ours.decode().splitlines() if "import" not in line]
            lines = [line for line in file.read(name).decode().splitlines() if "import" not in line]
            assert lines == expected, name


@pytest.mark.slow
def test_the_sdist_holds_the_wheel_s_files(dist: Path, wheel: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        packed = {name.split("/", 1)[1] for name in file.getnames() if "/verdict_sentiment/" in name}
    with zipfile.ZipFile(wheel) as file:
        built = {name for name in file.namelist() if name.startswith("verdict_sentiment/")}
    assert packed == built


@pytest.mark.slow
def test_a_plain_copy_of_the_repository_builds_the_same_files(wheel: Path, tmp_path: Path) -> None:
    """It is what `pip install "./client[local]"` does, here without git."""
    for name in ("client", "vocab", "training", "chalice_app", "static_site", "launcher"):
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=ignored)
    for name in ("run.py", "Procfile", "pyproject.toml", ".gitignore"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", "dist", "client"]
    built = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert built.returncode == 0, built.stdout + built.stderr
    with zipfile.ZipFile(tmp_path / "dist" / wheel.name) as copied, zipfile.ZipFile(wheel) as original:
        assert copied.namelist() == original.namelist()


@pytest.mark.slow
def test_the_repository_s_address_installs_it(tmp_path: Path) -> None:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    address = f"verdict-sentiment @ git+file://localhost{ROOT}#subdirectory=client"
    python = make_environment(tmp_path / "venv", minor, address)
    code = "import verdict_sentiment._packages as own; print(own.ROOT.name, own.messages.EXPLAIN)"
    ran = subprocess.run([str(python), "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("_app ('none', 'sentences', 'words')\n", "")


@pytest.mark.parametrize("page", ["README.md", "client/README.md", "docs/cli.md"])
def test_the_documented_line_installs_from_a_clone(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    (extra,) = re.findall(r'pip install "\./client\[(\w+)\]"', text)
    assert extra in PROJECT["optional-dependencies"]


@pytest.mark.slow
def test_the_wheel_is_ready_for_publication(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        (metadata,) = [file.read(name).decode() for name in names if name.endswith("/METADATA")]
        assert any(name.endswith("/licenses/LICENSE") for name in names)
        assert "verdict_sentiment/py.typed" in names
        assert not [name for name in names if "__pycache__" in name or "/." in name]
    assert re.search(r"^Name: verdict-sentiment$", metadata, re.MULTILINE)
    assert re.search(r"^License-Expression: MIT$", metadata, re.MULTILINE)
    assert "# verdict-sentiment" in metadata
    assert wheel.stat().st_size < 10_000_000


@pytest.mark.slow
def test_without_extras_it_asks_a_service(plain: Installed, stack: Stack) -> None:
    ran = plain.run("verdict", REVIEW, "--url", stack.api)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("positive")
    (plain.folder / "a.txt").write_text(REVIEW, encoding="utf-8")
    assert plain.run("verdict", "a.txt", VERDICT_URL=stack.api).stdout.count("positive") == 1


@pytest.mark.slow
def test_without_extras_it_names_the_extra_to_install(plain: Installed) -> None:
    for arguments, extra in (
        ((REVIEW,), "local"),
        (("serve",), "serve"),
        (("mcp", "--url", "http://a"), "mcp"),
    ):
        ran = plain.run("verdict", *arguments)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert f"pip install 'verdict-sentiment[{extra}]'" in ran.stderr
        assert ran.stderr.count("\n") == 1


@pytest.mark.slow
def test_in_process_it_answers_as_the_checkout_does(full: Installed) -> None:
    ran = full.run("verdict", REVIEW, "--json", "--explain", "words")
    expected = json.loads(verdict(REVIEW, "--local", "--json", "--explain", "words").out)
    assert json.loads(ran.stdout) | {"request_id": ""} == expected | {"request_id": ""}


@pytest.mark.slow
def test_a_file_s_bytes_are_the_checkout_s(full: Installed) -> None:
    path = full.folder / "a.csv"
    path.write_text("\n".join(["n,review", *(f'{n},"{n} {REVIEW}"' for n in range(600))]), encoding="utf-8")
    for where in (("verdict",), ("python", "-m", "verdict_sentiment")):
        ran = full.run(*where, "a.csv", "-o", "out.csv", "--workers", "2", "--force")
        assert (ran.returncode, ran.stderr.splitlines()[-1]) == (
            0,
            "verdict: 600 rows, 0 of them with an error, in out.csv",
        )
        assert (full.folder / "out.csv").read_bytes() == verdict(str(path), "--local").bytes


@pytest.mark.slow
def test_a_model_is_adapted_as_in_the_checkout(full: Installed, tmp_path: Path) -> None:
    rows = [f"Lamp {n} {('shines', 'flickers')[n % 2]} all night; {varied(n)}.,{n % 2}" for n in range(240)]
    (full.folder / "lamps.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    ran = full.run("verdict", "adapt", "lamps.csv", "--force", "--workers", "2")
    assert ran.returncode == 0, ran.stderr
    ours = tmp_path / "ours"
    verdict("adapt", str(full.folder / "lamps.csv"), "--out", str(ours), "--force", "--workers", "1")
    network = (full.folder / "lamps-model" / "model.onnx").read_bytes()
    assert network == (ours / "model.onnx").read_bytes()


@pytest.mark.slow
def test_the_library_works_beside_modules_of_the_same_names(full: Installed) -> None:
    code = (
        "import sys\n"
        "from verdict_sentiment import Verdict\n"
        f"print(Verdict.local().sentiment({REVIEW!r}).sentiment)\n"
        "print([name for name in sys.modules if name in ('vocab', 'training', 'chalice_app')])\n"
    )
    ran = full.run("python", "-c", code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "positive\n[]\n", "")


@pytest.mark.slow
def test_frames_sql_and_the_classifier_work_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    for name in IN_THE_WAY:
        (tmp_path / name).write_text("raise SystemExit('the wrong module')", encoding="utf-8")
    script = tmp_path / "script.py"
    script.write_text(FRAMES, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(script)],
        env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{tmp_path / 'site'}\n300 300 300\n", "")


@pytest.mark.slow
def test_another_service_is_compared_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    for name in IN_THE_WAY:
        (tmp_path / name).write_text("raise SystemExit('the wrong module')", encoding="utf-8")
    (tmp_path / "a.txt").write_text("A lovely film.\nA dull and awful film.\n", encoding="utf-8")
    other = OtherServices()
    for against in ("comprehend", "tei"):
        ran = subprocess.run(
            [sys.executable, "-m", "verdict_sentiment", "shadow", "a.txt", "--against", against, other.url]
            + ["--json", "--force"],
            cwd=tmp_path,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": f"{tmp_path / 'site'}",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
        )
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["agreement"]["strict"]["hits"] == 2
    other.close()


@pytest.mark.slow
def test_it_serves_from_the_wheel(full: Installed, tmp_path: Path) -> None:
    names = ("ENDPOINT_PORT", "API_PORT", "PAGE_PORT")
    ports = {name: str(port) for name, port in zip(names, free_ports(3), strict=True)}
    running = subprocess.Popen(
        [str(full.bin / "verdict"), "serve"],
        cwd=full.folder,
        env={"PATH": os.defpath, "HOME": str(tmp_path)} | ports,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout
    try:
        printed = []
        for line in running.stdout:
            printed.append(line)
            if "Verdict is ready" in line:
                break
        assert printed and "Verdict is ready" in printed[-1], printed
        url = f"http://127.0.0.1:{ports['API_PORT']}"
        ran = full.run("verdict", REVIEW, "--url", url, "--json")
        local = json.loads(full.run("verdict", REVIEW, "--json").stdout)
        assert json.loads(ran.stdout) | {"request_id": ""} == local | {"request_id": ""}
        assert reads_pieces(url)
    finally:
        running.terminate()
        running.communicate(timeout=WAIT_SECONDS)
