"""Start the Procfile's processes, print their output, and end or restart them together."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from launcher.checks import ROOT, beside_environment

# The API's server, and the one that --serve starts instead.
API, SERVED_API = "chalice_app.local.development_server", "chalice_app.local.rsgi_server"
# How long a process may take to end by itself: longer than the API's processes have for running requests.
END_SECONDS = 9
# How long a process's last lines may take to be printed.
PRINT_SECONDS = 1
# A process that ends sooner than this is restarted after twice the last pause, until the pause is too long.
STEADY_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.1, 3.0
# The capacity of a pipe on Linux.
PIPE_BYTES = 65_536


class Program(NamedTuple):
    """A process to start: its shell command and its environment."""

    command: str
    env: dict[str, str]


def programs(env: Mapping[str, str], serve: bool) -> dict[str, Program]:
    """Return the Procfile's programs by name, and with BESIDE also ``endpoint2`` and ``api2``.

    With ``serve`` no endpoint runs, because the API's processes hold its hooks.
    """
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    commands = {name.strip(): command.strip() for name, command in (line.split(":", 1) for line in lines)}
    if serve:
        commands["api"] = commands["api"].replace(API, SERVED_API)
        del commands["endpoint"]
    result = {name: Program(command, dict(env)) for name, command in commands.items()}
    if env.get("BESIDE"):
        second = beside_environment(env)
        result |= {
            f"{name}2": Program(command, second) for name, command in commands.items() if name != "page"
        }
    return result


class Supervisor:
    """Processes that start and end together. With ``restart``, one that ends is started again.

    ``ready`` becomes true when the first review has its verdict; before that nothing is restarted.
    """

    def __init__(self, programs: Mapping[str, Program], restart: bool = False) -> None:
        self.status: int | None = None
        self.ready = False
        self._programs = programs
        self._restart = restart
        self._ended = threading.Event()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._followers: list[threading.Thread] = []

    def start(self) -> None:
        """Start every process, and a thread for each that prints its output and notices its end."""
        for name in self._programs:
            if self._ended.is_set():  # stopped during the start
                break
            self._start(name)
        for name in self._processes:
            follower = threading.Thread(target=self._follow, args=(name,), daemon=True)
            follower.start()
            self._followers.append(follower)

    def print(self, line: str) -> None:
        """Print a line; stop when standard output is closed."""
        try:
            # In one write, so that lines of processes don't mix. The file is named, since CPython's print
            # holds no reference to sys.stdout.
            print(line + "\n", end="", flush=True, file=sys.stdout)
        except OSError:
            self.stop(1)

    def stop(self, status: int) -> None:
        """Make ``wait`` end everything. The status of the first call counts."""
        if self.status is None:
            self.status = status
        self._ended.set()

    def wait(self) -> int:
        """Wait for ``stop``, end every process, and return the exit status."""
        while not self._ended.wait(timeout=0.5):  # the timeout lets Python handle signals at once
            pass
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for follower in self._followers:
            follower.join(PRINT_SECONDS)
        return self.status or 0

    def _start(self, name: str) -> None:
        program = self._programs[name]
        process = subprocess.Popen(
            ["sh", "-c", f"exec {program.command}"],
            cwd=ROOT,
            env=program.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C reaches only this process, which ends the others
            preexec_fn=_die_with_parent(),
        )
        self._processes[name] = process
        self.print(f"{name:9} | started (pid={process.pid})")

    def _follow(self, name: str) -> None:
        """Print a process's output; at its end, stop everything or restart the process.

        A process that ends before the first verdict is not restarted, because it would fail again.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            start = time.monotonic()
            status = self._wait_for(name)
            if self._ended.is_set():
                return
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - start > STEADY_SECONDS else 2 * pause
            if not (self._restart and self.ready) or pause > LAST_PAUSE_SECONDS:
                self.print(f"run: {name} ended by itself (status {status}), so the others are stopped too")
                self.stop(status if status > 0 else 1)
                return
            self.print(f"run: {name} ended by itself (status {status}), so it is started again")
            if self._ended.wait(pause):
                return
            self._start(name)

    def _wait_for(self, name: str) -> int:
        """Wait for a process's end, kill its children, and return its status."""
        process = self._processes[name]
        reader = threading.Thread(target=self._print_output, args=(name, process), daemon=True)
        reader.start()
        status = process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # a child would keep its port, and the pipe
        reader.join(END_SECONDS)
        return status

    def _print_output(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        unfinished = b""  # a line without its end
        with process.stdout as pipe:
            # Everything that is there at once: under load, a write for each line is slow.
            while data := os.read(pipe.fileno(), PIPE_BYTES):
                *lines, unfinished = (unfinished + data).split(b"\n")
                self._print_lines(name, lines)
        self._print_lines(name, [unfinished] if unfinished else [])

    def _print_lines(self, name: str, lines: list[bytes]) -> None:
        if lines:
            texts = (line.decode(errors="replace").rstrip() for line in lines)
            self.print("\n".join(f"{name:9} | {text}" for text in texts))


def _die_with_parent() -> Callable[[], None] | None:
    """Return a function that ends a child with its parent, by Linux's PR_SET_PDEATHSIG; elsewhere None."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(1, signal.SIGTERM)
