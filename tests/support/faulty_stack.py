"""API and page on free ports, in front of an endpoint with switchable faults."""

import os
import subprocess
import sys
import threading
from typing import IO

from tests.support.faulty_endpoint import FINE, FaultyEndpoint
from tests.support.stack import ROOT, STOP_SECONDS, free_ports

# The app's limit for its endpoint: short, so that tests of slow endpoints are fast.
ENDPOINT_SECONDS = "1"


class FaultyStack:
    """A running app. ``endpoint.switch(fault)`` sets a fault; ``log`` holds the printed lines."""

    def __init__(self, **settings: str) -> None:
        self.endpoint = FaultyEndpoint()
        api, page = free_ports(2)
        self.api, self.page = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{page}/"
        self.log: list[str] = []
        clean = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        self._env = clean | {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.endpoint.url,
            "ENDPOINT_SECONDS": ENDPOINT_SECONDS,
            "API_PORT": str(api),
            "API_URL": self.api,
            "PAGE_PORT": str(page),
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        self._processes = [
            self._start("chalice_app.local.development_server"),
            self._start("static_site.serve"),
        ]

    def heal(self) -> None:
        """Switch the fault off."""
        self.endpoint.switch(FINE)

    def stop(self) -> None:
        """End API, page and endpoint."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(STOP_SECONDS)
        self.endpoint.stop()

    def _start(self, module: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        if " http://127.0.0.1:" not in first:
            process.kill()
            raise AssertionError(f"{module} did not start: {first}{process.stdout.read()}")
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()
        return process

    def _read(self, lines: IO[str]) -> None:
        with lines:
            self.log.extend(lines)
