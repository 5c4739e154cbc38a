"""Run a function under AWS's own Runtime Interface Emulator, which enforces its timeout.

AWS ships the emulator as a binary inside the aws-sam-cli wheel:
https://docs.aws.amazon.com/lambda/latest/dg/images-test.html
"""

import http.client
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from tests.support.lambda_runtime import TIMEOUT_SECONDS, variables
from tests.support.stack import free_ports
from training.data import cache
from vocab.files import sha256, sha256_of, write_atomic

SAM_CLI = "1.170.0"
# The file in the wheel and its SHA-256, by `platform.machine()`.
BINARIES = {
    "x86_64": ("x86_64", "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5"),
    "aarch64": ("arm64", "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21"),
}
PATH = "/2015-03-31/functions/function/invocations"
START_SECONDS = 20
DOWNLOAD_SECONDS = 300


class EmulatorMissing(Exception):
    """The emulator is not available, with the reason."""


def emulator() -> Path:
    """Return the emulator's path in the cache; download it when needed. Raises EmulatorMissing."""
    if platform.machine() not in BINARIES or sys.platform != "linux":
        raise EmulatorMissing(f"AWS ships no emulator for {sys.platform} on {platform.machine()}")
    name, digest = BINARIES[platform.machine()]
    path = cache.folder() / f"aws-lambda-rie-{SAM_CLI}-{name}"
    if not path.is_file() or sha256_of(path) != digest:
        data = _binary_of_wheel(name)
        if sha256(data) != digest:
            raise EmulatorMissing(f"the emulator of aws-sam-cli {SAM_CLI} has an unexpected SHA-256")
        write_atomic(path, data)
    path.chmod(0o755)
    return path


def _binary_of_wheel(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--retries", "1", "--no-deps", "--dest", folder, f"aws-sam-cli=={SAM_CLI}"],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
        )
        if done.returncode:
            raise EmulatorMissing(f"aws-sam-cli can't be downloaded: {done.stderr[-500:]}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as file:
            return file.read(f"samcli/local/rapid/aws-lambda-rie-{name}")


class LambdaEmulator:
    """A running function: ``task`` is the unpacked zip, ``packages`` a folder with awslambdaric and boto3.

    ``url`` accepts events by POST, one at a time. ``seconds`` is the function's timeout.
    """

    def __init__(
        self,
        task: Path,
        packages: Path,
        handler: str,
        log: Path,
        *,
        python: str = sys.executable,
        seconds: int = TIMEOUT_SECONDS,
        **env: str,
    ) -> None:
        self._port, runtime_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self._port}{PATH}"
        self._lock = threading.Lock()
        self._seconds = seconds
        addresses = [
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{self._port}",
            "--runtime-api-address",
            f"127.0.0.1:{runtime_port}",
        ]
        timeout = {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds)}
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [str(emulator()), *addresses, python, "-S", "-m", "awslambdaric", handler],
                cwd=task,
                env=variables(task, packages, handler) | timeout | env,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()

    def invoke(self, event: dict[str, Any]) -> Any:
        """Invoke the function with an event; return the emulator's answer or error text."""
        with self._lock:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=self._seconds + START_SECONDS
            )
            try:
                connection.request("POST", PATH, json.dumps(event).encode())
                body = connection.getresponse().read().decode()
            finally:
                connection.close()
        try:
            return json.loads(body)
        except ValueError:
            return body

    def pids(self) -> list[int]:
        """Return the function's processes, without the emulator."""
        found = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
        return [pid for pid in found if pid != self._process.pid and _session(pid) == self._process.pid]

    def stop(self) -> None:
        """End the emulator and the function."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError(f"the emulator ended with {self._process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"the emulator does not listen after {START_SECONDS} s")


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
