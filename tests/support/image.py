"""Build our container image without Docker, and run it as Docker would: read-only, as its user, apart.

    from tests.support import image
    with image.built(folder) as made:                 # by buildah, on a base of Debian's packages
        container = image.Container(made, folder / "log")
        container.ask("GET", 8000, "/v1/health")
        container.stop()

No registry is needed: mmdebstrap makes the base, once a month. apt and pip reach their packages as on this
machine, by its own configuration, which is mounted into the build and stays out of the image. All of it
needs root and Linux; `unavailable` says what is missing.
"""

import ast
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.jail import Door, child_of
from tests.support.missing import skip_or_fail
from tests.support.stack import ROOT
from training.data import cache

TOOLS = ("buildah", "netavark", "mmdebstrap", "unshare", "nsenter", "chroot", "mount", "ip")
# buildah looks for netavark outside PATH.
HELPERS = "/usr/lib/podman:/usr/libexec/podman:/usr/local/libexec/podman"
# Debian's release with Python 3.13, and what the build needs of it. Docker's slim images lack the rest too.
RELEASE, PACKAGES = "trixie", "python3,python3-pip"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
BASE_DAYS = 30
BASE, NAME = "localhost/base", "localhost/verdict"
BUILD_SECONDS, START_SECONDS, STOP_SECONDS, ANSWER_SECONDS = 600, 30, 10, 30
# With buildah's own limits, its isolation by chroot fails on RLIMIT.
LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=90000:90000")
# A container's own loopback has many addresses. This one is reached only where a server listens to everybody.
HOST = "127.0.0.2"
MODEL = "opt/ml/model"
# Arguments: the root, a model's folder or nothing, and after -- the command.
ENTER = r"""
set -eu
root=$1 model=$2; shift 3
mount --bind "$root" "$root"
if [ -n "$model" ]; then mount --bind "$model" "$root/opt/ml/model"; fi
mount -o remount,ro,bind "$root"
mount -t tmpfs -o mode=1777 none "$root/tmp"
mount -t proc none "$root/proc"
ip link set lo up
cd /
exec "$@"
"""


class Image(NamedTuple):
    """A built image: its mounted root, and its configuration as `docker inspect` shows it."""

    root: Path
    config: dict[str, Any]

    @property
    def env(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(pair.split("=", 1) for pair in self.config["Env"])

    def bytes(self) -> int:
        """Return the sum of the sizes of all files in the root, the base's included; a link counts once."""
        sizes = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                status = os.lstat(os.path.join(folder, name))
                sizes[status.st_dev, status.st_ino] = status.st_size
        return sum(sizes.values())


def unavailable() -> str | None:
    """Return a sentence that says why no image can be built here, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "building the image needs root on Linux"
    path = f"{os.environ['PATH']}:{HELPERS}"
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=path)]
    return f"building the image needs {', '.join(missing)}" if missing else None


# --- the build ----------------------------------------------------------------------------------


@contextmanager
def built(folder: Path) -> Iterator[Image]:
    """Build the image in an empty folder of ours; without the tools the test is skipped, and fails in CI."""
    if reason := unavailable():
        skip_or_fail(reason)
    with _in_memory(folder):
        store = _Store(folder)
        try:
            store.add_base(_base(store.env))
            store.build(pip_configuration(folder))
            yield store.mount()
        finally:
            store.clear()


def pip_configuration(folder: Path) -> list[tuple[Path, str]]:
    """Return this machine's configuration of pip as files, each with its place in the build.

    Files and folders that a setting names are among them.
    """
    listed = _run(sys.executable, "-m", "pip", "config", "list")
    pairs = [line.partition("=") for line in listed.splitlines()]
    # Variables come last in the list, and pip prefers them too.
    settings = {
        key.rpartition(".")[2]: str(ast.literal_eval(value))
        for key, _, value in sorted(pairs, key=lambda pair: pair[0].startswith(":env:"))
    }
    lines = [f"{key} = {value}" for key, value in settings.items()]
    configuration = folder / "pip.conf"
    configuration.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    words = [word for value in settings.values() for word in value.split()]
    named = [Path(word) for word in words if word.startswith("/") and Path(word).exists()]
    return [(configuration, "/etc/pip.conf"), *((path, str(path)) for path in dict.fromkeys(named))]


def _base(env: Mapping[str, str]) -> Path:
    """Return a tar of a Debian with Python and pip, at most BASE_DAYS old; TMPDIR is where it is made."""
    path = cache.folder() / "image" / f"{RELEASE}.tar"
    if path.exists() and time.time() - path.stat().st_mtime < BASE_DAYS * 86_400:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.tar")
    flags = ["--variant=minbase", f"--include={PACKAGES}", "--dpkgopt=force-unsafe-io"]
    flags += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    flags += [f"--aptopt={line}" for line in _run("apt-config", "dump", "Acquire::http").splitlines()]
    _run("mmdebstrap", "--quiet", *flags, RELEASE, str(part), *_mirrors(), env=env)
    part.rename(path)
    return path


def _mirrors() -> list[str]:
    """Return this machine's sources of the release; an empty list stands for Debian's own."""
    fields = "deb $(SITE) $(RELEASE) main"
    found = _run("apt-get", "indextargets", "--format", fields, "Created-By: Packages").splitlines()
    return sorted({line for line in found if line.split()[1].startswith("http") and f" {RELEASE} " in line})


@contextmanager
def _in_memory(folder: Path) -> Iterator[None]:
    """Keep a folder's files in memory: an image is written and read several times."""
    _run("mount", "-t", "tmpfs", "none", str(folder))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


class _Store:
    """buildah with images and containers of its own, in a folder."""

    def __init__(self, folder: Path) -> None:
        own = ("--root", str(folder / "store"), "--runroot", str(folder / "run"))
        self._buildah = ("buildah", *own, "--storage-driver", "overlay")
        (folder / "tmp").mkdir()
        self.env = os.environ | {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(folder / "tmp")}

    def add_base(self, tar: Path) -> None:
        container = self._call("from", "scratch")
        self._call("add", "--quiet", container, str(tar), "/")
        self._call("commit", "--quiet", container, BASE)
        self._call("rm", container)

    def build(self, mounts: Sequence[tuple[Path, str]]) -> None:
        volumes = [f"--volume={path}:{place}:ro" for path, place in mounts]
        # Only Docker's own format has a health check.
        flags = ["--format", "docker", "--network", "host", *LIMITS, *volumes]
        self._call("build", *flags, "--build-arg", f"BASE={BASE}", "--tag", NAME, str(ROOT))

    def mount(self) -> Image:
        config = json.loads(self._call("inspect", "--type", "image", NAME))["Docker"]["config"]
        root = Path(self._call("mount", self._call("from", "--pull-never", NAME)))
        (root / MODEL).mkdir(parents=True)
        return Image(root, config)

    def clear(self) -> None:
        with suppress(AssertionError):
            self._call("umount", "--all")

    def _call(self, *arguments: str) -> str:
        return _run(*self._buildah, *arguments, env=self.env).strip()


def _run(*command: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=BUILD_SECONDS)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr[-4_000:]}"
    return done.stdout


# --- the run ------------------------------------------------------------------------------------


class Container:
    """The image, running. ``arguments`` are those after the image's name in `docker run`.

    Its root is read-only but for /tmp, it has a network and processes of its own, and no /dev/shm.
    ``user`` replaces the image's, and ``model`` is mounted where SageMaker unpacks one.
    """

    def __init__(
        self,
        image: Image,
        log: Path,
        *arguments: str,
        user: str | None = None,
        model: Path | None = None,
        **env: str,
    ) -> None:
        self._image, self._log, self._env = image, log, image.env | env
        self._user = user or image.config["User"]
        self._doors: dict[int, Door] = {}
        words = [*image.config["Entrypoint"], *(arguments or image.config.get("Cmd") or ())]
        apart = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")
        enter = ("bash", "-c", ENTER, "bash", str(image.root), str(model or ""), "--")
        self.first = float("inf")
        self._began = time.monotonic()
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                ["unshare", *apart, *enter, *self._inside(*words)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.pid = child_of(self._process)

    @property
    def log(self) -> str:
        """The output so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def ask(
        self, method: str, port: int, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of an answer. Raises OSError or HTTPException without one."""
        if port not in self._doors:
            self._doors[port] = Door(self.pid, (HOST, port))
        connection = http.client.HTTPConnection("127.0.0.1", self._doors[port].port, timeout=ANSWER_SECONDS)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Content-Type": "application/json", **named})
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def wait(self, port: int, path: str, body: bytes) -> None:
        """Wait for the first answer to a body; ``first`` is then the seconds since the start."""
        while time.monotonic() - self._began < START_SECONDS and self._process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                if self.ask("POST", port, path, body)[0] == 200:
                    self.first = time.monotonic() - self._began
                    return
            time.sleep(0.02)
        raise AssertionError(f"no answer in {START_SECONDS} s; the container printed:\n{self.log[-4_000:]}")

    def wait_for_line(self, words: str) -> None:
        """Wait until the log has some words."""
        while words not in self.log:
            assert time.monotonic() - self._began < START_SECONDS and self._process.poll() is None, self.log
            time.sleep(0.02)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as `docker exec` does."""
        enter = ("nsenter", "--target", str(self.pid), "--mount", "--pid", "--net")
        return subprocess.run(
            [*enter, *self._inside(*command)], capture_output=True, text=True, timeout=ANSWER_SECONDS
        )

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Send the first process a signal and return the exit status; after STOP_SECONDS it is killed."""
        for door in self._doors.values():
            door.stop()
        if self._process.poll() is None:
            os.kill(self.pid, how)
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()

    def _inside(self, *command: str) -> list[str]:
        """Return a command as the user, in the image's folder, with the image's variables."""
        pairs = [f"{name}={value}" for name, value in self._env.items()]
        place = f"--chdir={self._image.config['WorkingDir']}"
        chroot = [str(shutil.which("chroot")), f"--userspec={self._user}", str(self._image.root)]
        return [*chroot, "/usr/bin/env", "-i", place, *pairs, *command]
