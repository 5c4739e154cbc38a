"""Endpoint, API and page on free ports, started by run.py."""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
STOP_SECONDS = 20


def free_ports(count: int) -> list[int]:
    """Return free ports of loopback."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]
    finally:
        for free in sockets:
            free.close()


class Stack:
    """A running app. ``log`` holds every line that its processes have printed.

    ``flags`` go to run.py, ``settings`` to its environment. With BESIDE, ``beside`` is the second API's URL.
    """

    def __init__(self, *flags: str, **settings: str) -> None:
        endpoint, api, page = free_ports(3)
        self.ports = {"ENDPOINT_PORT": str(endpoint), "API_PORT": str(api), "PAGE_PORT": str(page)}
        if "BESIDE" in settings:
            names = ("BESIDE_ENDPOINT_PORT", "BESIDE_API_PORT")
            self.ports |= dict(zip(names, map(str, free_ports(2)), strict=True))
        self.ports |= {key: value for key, value in settings.items() if key in self.ports}
        self.endpoint_url = f"http://127.0.0.1:{self.ports['ENDPOINT_PORT']}"
        self.api = f"http://127.0.0.1:{self.ports['API_PORT']}"
        self.beside = f"http://127.0.0.1:{self.ports.get('BESIDE_API_PORT', '')}"
        self.page = f"http://127.0.0.1:{self.ports['PAGE_PORT']}/"
        self.models: tuple[Path, ...] = ()
        self.log: list[str] = []
        self._new: queue.Queue[str | None] = queue.Queue()
        env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        self.process = subprocess.Popen(
            [sys.executable, "run.py", *flags],
            cwd=ROOT,
            env=env | self.ports | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            # A test runner in the background ignores SIGINT, and children would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, words: str, seconds: float = START_SECONDS) -> None:
        """Wait until a line holds ``words``; fail with the log after the time or the app's end."""
        deadline = time.monotonic() + seconds
        if any(words in line for line in self.log):
            return
        while time.monotonic() < deadline:
            try:
                line = self._new.get(timeout=0.2)
            except queue.Empty:
                continue
            if line is None:
                break
            if words in line:
                return
        raise AssertionError(f"no line with {words!r}; the app printed:\n" + "".join(self.log))

    def pid_of(self, name: str) -> int:
        """Return the process id of ``endpoint``, ``api`` or ``page`` that was printed last."""
        for line in reversed(self.log):
            if re.match(rf"{name} +\| started \(pid=", line):
                return int(line.split("pid=")[1].split(")")[0])
        raise AssertionError(f"{name} has not started:\n" + "".join(self.log))

    def stop(self, how: int = signal.SIGINT) -> int:
        """End the app as Ctrl-C does and return its exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            if self.process.poll() is None:
                self.process.kill()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.log.append(line)
                self._new.put(line)
        self._new.put(None)


def alive(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
