"""A simulated AWS on loopback: a moto server in its own process, and variables that lead to it alone."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support import iam, shared_models, strict
from tests.support.stack import ROOT, free_ports

REGION = "eu-west-1"
ACCOUNT = "123456789012"
START_SECONDS = 60


class AwsServer:
    """A started server. With the variables in ``env``, boto3 and the SDK reach nothing else."""

    def __init__(self, log: Path) -> None:
        strict.install()
        shared_models.install()
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.env = environment(self.url)
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.moto_shim", "-H", "127.0.0.1", "-p", str(port)],
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=self.process_env(),
            )
        self._wait(log)

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                self._request("/moto-api/data.json", "GET")
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError(f"moto did not start:\n{log.read_text(errors='replace')[-2000:]}")

    def process_env(self) -> dict[str, str]:
        """Return the environment of a process that calls this server, without the user's own AWS settings."""
        own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return own | self.env

    def reset(self) -> None:
        """Empty the account."""
        self._request("/moto-api/reset", "POST")

    def fail(self, *rules: dict[str, Any]) -> None:
        """Make chosen calls fail by rules of aws_faults.py, in place of all earlier ones."""
        self._request("/faults", "POST", json.dumps(rules).encode())

    def rights_asked_for(self) -> list[tuple[iam.Request, bool]]:
        """Return each request of a role or user since the account was emptied, and if it was allowed."""
        rows = json.loads(self._request("/moto-api/rights", "GET"))
        return [(iam.Request(*row[:4]), row[4]) for row in rows]

    def _request(self, path: str, method: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, body, method=method)
        return bytes(urllib.request.urlopen(request, timeout=10).read())

    def stop(self) -> None:
        """End the server's process."""
        self._process.kill()
        self._process.wait()


def environment(url: str) -> dict[str, str]:
    """Return variables that send every call to ``url``: made-up keys, no profile, no file, no metadata."""
    check_loopback(url)
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def check_loopback(url: str) -> None:
    """Check that a URL leads to this machine. Raises AssertionError."""
    host = urlsplit(url).hostname
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise AssertionError(f"tests of AWS run on loopback alone, not at {host}")
