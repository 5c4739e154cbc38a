"""Clients of the API for tests: in this process through Chalice's test client, or over HTTP."""

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.output import Output

CHALICE = (sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())")
FOLDER = Path(__file__).resolve().parents[2] / "chalice_app"


class ApiResponse(NamedTuple):
    """A response of the API, with header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body as strict JSON."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} in an answer")

        return json.loads(self.body, parse_constant=refuse)


class InProcess:
    """The app without a server, through Chalice's own test client."""

    def __init__(self) -> None:
        from chalice.test import Client

        import app

        self.http = Client(app.app, project_dir=str(FOLDER)).http

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> ApiResponse:
        answer = self.http.request(method, path, headers=dict(headers or {}), body=body)
        body = answer.body if isinstance(answer.body, bytes) else (answer.body or "").encode()
        return ApiResponse(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body)


class Served:
    """The app behind its local server, in a process of its own."""

    def __init__(self, *command: str, **env: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen(
            command or (sys.executable, "-m", "chalice_app.local.development_server", "--port", "0"),
            cwd=FOLDER if command else FOLDER.parent,
            env=clean | {"AWS_EC2_METADATA_DISABLED": "true"} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout and self.process.stderr
        self._errors = Output(self.process.stderr)
        self.url = self.process.stdout.readline().strip().split(" on ")[-1]
        self._output = Output(self.process.stdout)
        self.port = int(self.url.rsplit(":", 1)[-1])

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> ApiResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return ApiResponse(answer.status, names, answer.read())
        finally:
            connection.close()

    def stop(self) -> tuple[int, str, str]:
        """End the process with SIGTERM; return its exit status, standard output and standard error."""
        self.process.terminate()
        try:
            status = self.process.wait(10)
        finally:
            self.process.kill()
        return status, self._output.text(), self._errors.text()
