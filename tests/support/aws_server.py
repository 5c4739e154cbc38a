"""AWS on loopback: a moto server in a process of its own, and the environment that leads to it alone."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.stack import free_ports

REGION = "eu-west-1"
ACCOUNT = "123456789012"
START_SECONDS = 60


class AwsServer:
    """A started server. ``env`` holds the variables with which boto3 and the SDK reach nothing else."""

    def __init__(self, log: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.env = environment(self.url)
        shim = Path(__file__).with_name("moto_shim.py")
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, str(shim), "-H", "127.0.0.1", "-p", str(port)],
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
                self._ask("/moto-api/data.json", "GET")
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError(f"moto has not started:\n{log.read_text(errors='replace')[-2000:]}")

    def process_env(self) -> dict[str, str]:
        """Give the environment of a process that asks this server, with nothing of one's own AWS in it."""
        own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return own | self.env

    def reset(self) -> None:
        """Empty the account."""
        self._ask("/moto-api/reset", "POST")

    def _ask(self, path: str, method: str) -> None:
        request = urllib.request.Request(self.url + path, method=method)
        urllib.request.urlopen(request, timeout=10).read()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def environment(url: str) -> dict[str, str]:
    """Give variables that send every call to ``url``: made-up keys, no profile, no file, no metadata."""
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
    """Refuse to send a test's calls anywhere but to this machine, whatever the environment says."""
    host = urlsplit(url).hostname
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise AssertionError(f"tests of AWS run on loopback alone, not at {host}")
