"""Run the servers of SageMaker's serving images without Docker, on loopback, with an unpacked package.

    from tests.support import containers
    containers.pack("sklearn", model, folder / "model.tar.gz")        # or "ray", "pytorch"
    server = containers.start("sklearn", folder / "model.tar.gz", folder)
    ...                                                               # POST server.url + "/invocations"
    server.stop()

Each server gets an environment with its image's libraries; nothing is installed for the package. TorchServe
runs on Python 3.11 with a newer torch, other than in its image. Nothing here needs root. As root,
tests/support/jail.py starts the servers as their images do.
"""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.support.missing import skip_or_fail
from tests.support.stack import free_ports
from training.aws import images, package

# The images' libraries for serving. scikit-learn and Ray: docker/sklearn/1.9-0 and docker/ray of
# aws/deep-learning-containers, of 2026-08. PyTorch: the toolkits of its last image.
LIBRARIES = {
    "sklearn": (
        "sagemaker-containers==2.8.6.post2",
        "scikit-learn==1.9.0",
        "setuptools==80.10.2",
    ),
    "ray": (
        "ray[serve]==2.57.0",
        "numpy==2.5.2",
        "protobuf==6.33.6",
        "typing-extensions==4.15.0",
        "regex==2026.4.4",
        "fastapi==0.133.1",
        "httpx==0.28.1",
        "uvicorn[standard]==0.41.0",
        "boto3==1.43.68",
        "jinja2",  # ray[serve] needs it without requiring it; the image has it with torch
    ),
    "pytorch": (
        "torchserve==0.12.0",
        "sagemaker-inference==1.10.1",
        "sagemaker-pytorch-inference==2.0.25",
        "torch>=2.6,<2.14",
        "pyyaml",  # torchserve needs it without requiring it
        "setuptools<82",  # the toolkits import pkg_resources
    ),
}
# The scikit-learn image has newer libraries than its toolkit asks for.
OVERRIDES = {
    "sklearn": (
        "boto3==1.43.46",
        "flask==3.1.3",
        "gevent==26.5.0",
        "gunicorn==26.0.0",
        "numpy==2.5.1",
        "protobuf==3.20.2",
        "psutil==7.2.2",
        "pyyaml==6.0.3",
        "six==1.17.0",
        "werkzeug==3.1.8",
    )
}
# The image's Dockerfile changes this module of the toolkit for new Pythons.
CHANGED = ("sagemaker_containers/_mapping.py", "collections.Mapping", "collections.abc.Mapping")
PYTHONS = {"sklearn": "3.12", "ray": "3.13", "pytorch": "3.11"}
INSTALL_SECONDS = 600
START_SECONDS = 180
STOP_SECONDS = 30
# A failed server has this time to log its reason.
LAST_LINES_SECONDS = 1
ANSWER_SECONDS = 60
# A request that comes before the package is loaded may never be answered; then it is sent again.
FIRST_ANSWER_SECONDS = 5
DESCRIBE = b'{"describe": true}'
# Ray replaces 127.0.0.1 by the machine's own address; it uses this one as it is.
RAY_HOST = "127.0.0.2"


class ServerError(Exception):
    """A server did not start; the message has the last lines of its log."""


class Memory(NamedTuple):
    """Bytes of all processes of a server: resident, and with shared pages counted once."""

    resident: int
    proportional: int


def memory_of(pids: Iterable[int]) -> Memory:
    """Return the memory of some processes, without those that have ended."""
    resident = proportional = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
        resident += kilobytes["Rss:"] * 1024
        proportional += kilobytes["Pss:"] * 1024
    return Memory(resident, proportional)


# --- environments -------------------------------------------------------------------------------


def find_python(minor: str) -> str:
    """Return an interpreter of a version (``3.13``); without one the test is skipped, and fails in CI."""
    done = _uv("python", "find", "--no-python-downloads", minor)
    if done.returncode == 0:
        return done.stdout.strip()
    # pyenv hides the versions that are not in its settings.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    hidden = sorted(pyenv.glob(f"{minor}.*/bin/python"))
    if not hidden:
        skip_or_fail(f"no Python {minor} on this machine")
    return str(hidden[-1])


def make_image(name: str, folder: Path) -> Path:
    """Create an environment with an image's libraries; return its Python."""
    python = make_environment(folder, PYTHONS[name], *LIBRARIES[name], overrides=OVERRIDES.get(name, ()))
    file, old, new = CHANGED
    for module in folder.glob(f"lib/*/site-packages/{file}"):
        module.write_text(module.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return python


def make_environment(folder: Path, minor: str, *packages: str, overrides: Sequence[str] = ()) -> Path:
    """Create an environment of a Python version with pip and packages; return its Python.

    ``overrides`` replace the versions that packages ask for.
    """
    _check(_uv("venv", "--seed", "--python", find_python(minor), str(folder)), "an environment")
    python = folder / "bin" / "python"
    flags = []
    if overrides:
        (folder / "overrides.txt").write_text("\n".join(overrides), encoding="utf-8")
        flags = ["--override", str(folder / "overrides.txt")]
    if packages:
        install(python, packages, *flags)
    return python


def install(python: Path | str, packages: Sequence[str], *flags: str) -> None:
    """Install packages for a Python; where they can't be had, the test is skipped, and fails in CI."""
    # uv reads none of pip's settings. A jail's Python can write no compiled modules.
    links = [f"--find-links={place}" for place in os.environ.get("PIP_FIND_LINKS", "").split()]
    done = _uv("pip", "install", "--compile-bytecode", "--python", str(python), *links, *flags, *packages)
    _check(done, ", ".join(packages))


def unpack(tar: Path, folder: Path) -> Path:
    """Unpack a package as SageMaker does; return the folder."""
    with tarfile.open(tar) as packed:
        packed.extractall(folder, filter="data")
    return folder


def pack(name: str, model: Path, out: Path) -> package.Package:
    """Pack a model for an image's server on this machine, which may have another Python than the image."""
    original = images.PYTHONS[name]
    images.PYTHONS[name] = PYTHONS[name]
    try:
        return package.build(model, out, (name,))
    finally:
        images.PYTHONS[name] = original


def start(name: str, tar: Path, folder: Path, **env: str) -> "Server":
    """Create the image's environment in ``folder``, unpack the package, start its server."""
    python = make_image(name, folder / "image")
    model = unpack(tar, folder / "model")
    return SERVERS[name](model, python, folder / "server.log", **env)


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "uv", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)


def _check(result: subprocess.CompletedProcess[str], subject: str) -> None:
    if result.returncode:
        skip_or_fail(f"{subject} can't be installed: {result.stderr[-500:]}")


# --- servers ------------------------------------------------------------------------------------


class Server:
    """Processes that started together, with their sessions and their log."""

    url: str
    # The log has this line when the package can't be served; the server itself goes on trying, or waiting.
    failed: str

    def __init__(self, python: Path, log: Path, env: dict[str, str]) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log = log
        self.folder = Path(tempfile.mkdtemp(prefix="verdict-"))  # short: Ray's sockets lie in it
        self._env = {
            "PATH": f"{python.parent}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "TEMP": str(self.folder),
            "LANG": "C.UTF-8",
            **env,
        }

    @property
    def log(self) -> str:
        """The output of the processes so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def ask(
        self,
        body: bytes,
        content_type: str = "application/json",
        path: str = "/invocations",
        seconds: float = ANSWER_SECONDS,
    ) -> tuple[int, bytes, str]:
        """Post a message; return status, body and content type, as inference.Response has them."""
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        return _fetch(urllib.request.Request(self.url + path, body, headers), seconds)

    def ping(self) -> int:
        """Return the status of the image's health check."""
        return _fetch(urllib.request.Request(f"{self.url}/ping"))[0]

    def memory(self) -> Memory:
        """Return the sum of the memory of all processes now."""
        return memory_of(self._pids())

    def stop(self) -> None:
        """End every process of this server, and no other."""
        deadline = time.monotonic() + STOP_SECONDS
        while (pids := self._pids()) and time.monotonic() < deadline:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.1)
        for process in self._processes:
            process.wait(STOP_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _pids(self) -> list[int]:
        sessions, pids = {process.pid for process in self._processes}, []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            except OSError:
                continue
            if int(session) in sessions and state != "Z":
                pids.append(int(folder.name))
        return pids

    def _run(self, *command: str) -> None:
        status = self._popen(*command).wait(START_SECONDS)
        if status:
            raise ServerError(f"{' '.join(command)} ended with {status}: {self.log[-2_000:]}")

    def _popen(self, *command: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the first answer: both servers call themselves healthy before they can give one."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None and self.failed not in self.log:
            try:
                if self.ask(DESCRIBE, seconds=FIRST_ANSWER_SECONDS)[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.1)
        time.sleep(LAST_LINES_SECONDS)
        raise ServerError(f"no answer at {self.url}; the log ends with: {self.log[-4_000:]}")


class RayServer(Server):
    """A package under Ray Serve, started as the image does, behind an adapter with the image's contract."""

    failed = "Deploying app 'verdict' failed"

    def __init__(self, model: Path, python: Path, log: Path, **env: str) -> None:
        gcs, client, agent, port, adapter = free_ports(5)
        own = {"PYTHONPATH": str(model), "RAY_ADDRESS": f"{RAY_HOST}:{gcs}"}
        super().__init__(python, log, own | package.ENVIRONMENT["ray"] | env)
        self._adapter = _Adapter(adapter, port)
        self.url = f"http://127.0.0.1:{adapter}"
        try:
            ray = str(python.with_name("ray"))
            ports = [f"--port={gcs}", f"--ray-client-server-port={client}"]
            ports += [f"--dashboard-agent-listen-port={agent}", "--min-worker-port=0", "--max-worker-port=0"]
            places = [f"--node-ip-address={RAY_HOST}", f"--temp-dir={self.folder}"]
            self._run(ray, "start", "--head", "--include-dashboard=False", "--num-gpus=0", *ports, *places)
            serve = str(python.with_name("serve"))
            self._run(serve, "start", "--http-host=127.0.0.1", f"--http-port={port}")
            self._wait(self._popen(serve, "run", str(model / "config.yaml")))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._adapter.stop()
        super().stop()


class TorchServer(Server):
    """A package under TorchServe with SageMaker's PyTorch toolkit, as the image configures it."""

    failed = "Load model failed"

    def __init__(self, model: Path, python: Path, log: Path, **env: str) -> None:
        if not shutil.which("java", path="/usr/bin:/bin"):
            skip_or_fail("no java on this machine; TorchServe needs version 17")
        port, *others = free_ports(4)
        own = {
            "PYTHONPATH": str(model / "code"),
            "SAGEMAKER_REGION": "us-east-1",
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        }
        super().__init__(python, log, own | package.ENVIRONMENT["pytorch"] | env)
        self._env |= {"SAGEMAKER_BASE_DIR": str(self.folder), "TEMP": str(self.folder)}
        self._env |= {name: str(self.folder / "logs") for name in ("LOG_LOCATION", "METRICS_LOCATION")}
        self.url = f"http://127.0.0.1:{port}"
        try:
            (self.folder / "model").symlink_to(model)
            (self.folder / "store").mkdir()
            properties, logging = self._configuration(python, others)
            store = ["--model-store", str(self.folder / "store"), "--models", f"model={self.folder}/model"]
            config = ["--ts-config", str(properties), "--log-config", logging]
            command = [str(python.with_name("torchserve")), "--start", "--foreground", *store, *config]
            self._wait(self._popen(*command))
        except BaseException:
            self.stop()
            raise

    def _configuration(self, python: Path, ports: Sequence[int]) -> tuple[Path, str]:
        """Write the toolkit's configuration, for loopback on free ports; return its path and the log's."""
        metrics, inference, management = ports
        code = (
            "from sagemaker_pytorch_serving_container import handler_service, torchserve as t;"
            "print(t.DEFAULT_TS_LOG_FILE);"
            "print(t._generate_ts_config_properties(handler_service.__file__))"
        )
        done = subprocess.run(
            [str(python), "-W", "ignore", "-c", code],
            env=self._env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=True,
        )
        logging, _, properties = done.stdout.partition("\n")
        # The toolkit's file lacks its last newline, and listens on every address.
        properties = properties.replace("0.0.0.0", "127.0.0.1").replace("=true", "=true\n")
        path = self.folder / "ts.properties"
        own = (
            f"metrics_address=http://127.0.0.1:{metrics}\n"
            f"grpc_inference_port={inference}\ngrpc_management_port={management}\n"
        )
        path.write_text(f"{properties}\n{own}", encoding="utf-8")
        return path, logging


class GunicornServer(Server):
    """A package under Gunicorn, as the scikit-learn image's toolkit starts it without nginx."""

    failed = "Worker failed to boot"

    def __init__(self, model: Path, python: Path, log: Path, **env: str) -> None:
        (port,) = free_ports(1)
        own = package.ENVIRONMENT["sklearn"] | {"PYTHONPATH": str(model / "code")}
        super().__init__(python, log, own | env)
        self.url = f"http://127.0.0.1:{port}"
        application = own["SAGEMAKER_SERVING_MODULE"]
        flags = ["-k", "gevent", "-b", f"127.0.0.1:{port}", "-w", "1", "--timeout", "60"]
        try:
            self._wait(self._popen(str(python.with_name("gunicorn")), *flags, application))
        except BaseException:
            self.stop()
            raise


SERVERS: dict[str, type[RayServer | TorchServer | GunicornServer]] = {
    "sklearn": GunicornServer,
    "ray": RayServer,
    "pytorch": TorchServer,
}


# --- the Ray Serve image's adapter --------------------------------------------------------------


class _Adapter:
    """Forward POST /invocations to Ray's route /, with body, Content-Type and Accept; /ping to its health."""

    def __init__(self, port: int, ray: int) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", port), _AdapterHandler)
        server.daemon_threads = True
        server.ray = f"http://127.0.0.1:{ray}"  # type: ignore[attr-defined]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _AdapterHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._forward("/-/healthz" if self.path == "/ping" else self.path, None, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        default = "application/json"
        headers = {name: self.headers.get(name, default) for name in ("Content-Type", "Accept")}
        self._forward("/" if self.path == "/invocations" else self.path, body, headers)

    def _forward(self, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        url = self.server.ray + path  # type: ignore[attr-defined]
        try:
            status, answer, kind = _fetch(urllib.request.Request(url, body, headers))
        except (OSError, http.client.HTTPException):
            status, answer, kind = 503, b'{"error": "Service unavailable"}', "application/json"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _fetch(request: urllib.request.Request, seconds: float = ANSWER_SECONDS) -> tuple[int, bytes, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=seconds) as response:
            return response.status, response.read(), response.headers.get("Content-Type", "")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers.get("Content-Type", "")
