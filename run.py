"""Start endpoint, API and page together, and say where they are once a review has gone through.

    make run            # or, inside its environment: python run.py
    make serve          # or: python run.py --serve
    make run MODEL=my-model BESIDE=training/endpoint/model

Ports come from ENDPOINT_PORT, API_PORT and PAGE_PORT. The processes are the Procfile's; whatever ends
this one ends them: Ctrl-C, a closed terminal or pipe, a signal, on Linux even kill -9. With --serve the API
is the one for many callers, and once all is ready a process that ends by itself is started again. BESIDE
names a second model, which gets an endpoint and an API of its own and which the page sets beside the first.
"""

import argparse
import contextlib
import ctypes
import hashlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent
HOST = "127.0.0.1"
PORTS = {"ENDPOINT_PORT": 8090, "API_PORT": 8000, "PAGE_PORT": 8080}
# Those of a second model, when BESIDE names one.
BESIDE_PORTS = {"BESIDE_ENDPOINT_PORT": 8091, "BESIDE_API_PORT": 8001}
MODEL = "training/endpoint/model"
# The API's script, and the one that --serve starts in its place.
API, SERVED_API = "chalice_app.local.development_server", "chalice_app.local.rsgi_server"
# The link to vocab/, which a checkout without symlinks turns into a small text file.
LINK = "chalice_app/vendor/vocab"
READY_SECONDS = 60
TRY_SECONDS = 5
# How long a process may take to end by itself.
END_SECONDS = 5
# One that ended before it had run for so long waits for twice as long as before, until it is given up.
STEADY_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.1, 3.0
# As much as a pipe holds on Linux.
PIPE_BYTES = 65_536
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
REVIEW = "A warm, funny film that never once felt too long. I would happily watch it again."


def main() -> None:
    parser = argparse.ArgumentParser(description="Start endpoint, API and page together.")
    parser.add_argument("--serve", action="store_true", help="serve many callers, and start again what ends")
    serve = parser.parse_args().serve
    began = time.monotonic()
    check_link()
    env = environment()
    check_ports(env)
    app = App(env, serve)
    # Signals only wake the main thread: nothing is interrupted half-way, however early they come.
    for number in SIGNALS:
        signal.signal(number, lambda *_: app.stop(0))
    app.start()
    threading.Thread(target=announce, args=(app, env, began), daemon=True).start()
    sys.exit(app.wait())


# --- before the start ---------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """Give the processes' environment: this one, the ports, and boto3 pointed to the local endpoint.

    Raises SystemExit when a port or the endpoint's name can't be used.
    """
    env = dict(os.environ)
    ports = ports_of(env)
    for name, default in ports.items():
        value = env.get(name) or str(default)
        if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
            sys.exit(f"run: {name} must be a port from 1 to 65535, got {value[:20]!r}")
        env[name] = str(int(value))
    if len({env[name] for name in ports}) < len(ports):
        sys.exit(f"run: {', '.join(ports)} must differ")
    endpoint = env.get("ENDPOINT_NAME") or "verdict"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", endpoint):
        sys.exit(f"run: ENDPOINT_NAME must be letters, digits and hyphens, got {endpoint[:20]!r}")
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    env["PYTHONUNBUFFERED"] = "1"
    # Chalice imports its app from the app's own folder.
    paths = (str(ROOT), str(ROOT / "chalice_app"), env.get("PYTHONPATH"))
    env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    env["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = f"http://{HOST}:{env['ENDPOINT_PORT']}"
    env["API_URL"] = f"http://{HOST}:{env['API_PORT']}"
    if env.get("BESIDE"):
        check_beside(env)
        env["BESIDE_API_URL"] = f"http://{HOST}:{env['BESIDE_API_PORT']}"
    if env.get("AUTH") == "key" and not env.get("API_KEY"):
        add_key(env)
    return env


def ports_of(env: Mapping[str, str]) -> dict[str, int]:
    """Give the ports that are needed, each with its default."""
    return PORTS | (BESIDE_PORTS if env.get("BESIDE") else {})


def check_beside(env: Mapping[str, str]) -> None:
    """Raise SystemExit when the second model is the first one."""
    first, second = (ROOT / (env.get("MODEL") or MODEL), ROOT / env["BESIDE"])
    if first.resolve() == second.resolve():
        sys.exit(
            "run: MODEL and BESIDE are the same folder;"
            f" name two models: make run MODEL=my-model BESIDE={MODEL}"
        )


def beside(env: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of the second model's endpoint and API."""
    return dict(env) | {
        "MODEL": env["BESIDE"],
        "ENDPOINT_PORT": env["BESIDE_ENDPOINT_PORT"],
        "API_PORT": env["BESIDE_API_PORT"],
        "API_URL": env["BESIDE_API_URL"],
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://{HOST}:{env['BESIDE_ENDPOINT_PORT']}",
    }


def add_key(env: dict[str, str]) -> None:
    """Let the first review through, where the API wants a key, by one of this run alone."""
    env["API_KEY"] = secrets.token_urlsafe(32)
    own = hashlib.sha256(env["API_KEY"].encode()).hexdigest()
    env["API_KEYS"] = ",".join(filter(None, [env.get("API_KEYS"), own]))


def check_link() -> None:
    """Raise SystemExit when the checkout lost the link by which the Lambda's app sees vocab/.

    An installed package has none and needs none.
    """
    if (ROOT / LINK).exists() and not (ROOT / LINK / "text.py").is_file():
        sys.exit(
            f"run: {LINK} must be a link to the folder vocab/, and git made none here;"
            " run `git config core.symlinks true && git checkout -- .`"
        )


def check_ports(env: dict[str, str]) -> None:
    """Raise SystemExit, with what to do, when a port is taken."""
    for name, default in ports_of(env).items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, int(env[name])))
            except OSError as error:
                port = int(env[name])
                other = port + 1 if 1024 <= port < 65535 else default + 1
                sys.exit(
                    f"run: port {port} can't be used ({error.strerror});"
                    f" choose another: make run {name}={other}, or {name}={other} verdict serve"
                )


# --- the processes ------------------------------------------------------------------------------


class Part(NamedTuple):
    """One of the processes: what starts it, and its variables."""

    command: str
    env: dict[str, str]


class App:
    """The Procfile's processes, which start and end together; ``serve`` as --serve says.

    With BESIDE, the second model's endpoint and API are ``endpoint2`` and ``api2``.
    """

    def __init__(self, env: dict[str, str], serve: bool = False) -> None:
        self.env, self.serve = env, serve
        self.status: int | None = None
        self.ready = False
        self._ended = threading.Event()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._parts = self._all_parts()

    def start(self) -> None:
        """Start every process, and threads that pass on what each prints and notice its end."""
        for name in self._parts:
            if self._ended.is_set():  # stopped before all have started
                break
            self._start(name)
        for name in self._processes:
            threading.Thread(target=self._follow, args=(name,), daemon=True).start()

    def say(self, line: str) -> None:
        """Print a line; when nobody can read it any more, stop."""
        try:
            print(line + "\n", end="", flush=True)  # in one write, or lines of processes would mix
        except OSError:
            self.stop(1)

    def stop(self, status: int) -> None:
        """Let ``wait`` end everything; the first status given counts."""
        if self.status is None:
            self.status = status
        self._ended.set()

    def wait(self) -> int:
        """Wait for ``stop``, end every process, and give the status."""
        while not self._ended.wait(timeout=0.5):  # with a timeout, so that signals are seen at once
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
        return self.status or 0

    def _all_parts(self) -> dict[str, Part]:
        commands = dict(_read_procfile())
        if self.serve:
            commands["api"] = commands["api"].replace(API, SERVED_API)
        parts = {name: Part(command, self.env) for name, command in commands.items()}
        if self.env.get("BESIDE"):
            parts |= {f"{name}2": Part(commands[name], beside(self.env)) for name in ("endpoint", "api")}
        return parts

    def _start(self, name: str) -> None:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {self._parts[name].command}"],
            cwd=ROOT,
            env=self._parts[name].env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is for us alone, we tell them in order
            preexec_fn=_die_with_parent(),
        )
        self._processes[name] = process
        self.say(f"{name:9} | started (pid={process.pid})")

    def _follow(self, name: str) -> None:
        """Pass on what a process prints; when it ends, stop, or start it again.

        One that ends before the first review went through would end again, by the same mistake.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            status = self._wait_for(name)
            if self._ended.is_set():
                return
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - began > STEADY_SECONDS else 2 * pause
            if not (self.serve and self.ready) or pause > LAST_PAUSE_SECONDS:
                self.say(f"run: {name} ended by itself (status {status}), so the others are stopped too")
                self.stop(status if status > 0 else 1)
                return
            self.say(f"run: {name} ended by itself (status {status}), so it is started again")
            if self._ended.wait(pause):
                return
            self._start(name)

    def _wait_for(self, name: str) -> int:
        """Wait until a process ends, take away what it left of its own, and give its status."""
        process = self._processes[name]
        reader = threading.Thread(target=self._pass_on, args=(name, process), daemon=True)
        reader.start()
        status = process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # a child would keep its port, and the pipe
        reader.join(END_SECONDS)
        return status

    def _pass_on(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        begun = b""  # a line whose end has not come yet
        with process.stdout as pipe:
            # All that is there at once: under load, a write for each line costs.
            while came := os.read(pipe.fileno(), PIPE_BYTES):
                *lines, begun = (begun + came).split(b"\n")
                self._say_of(name, lines)
        self._say_of(name, [begun] if begun else [])

    def _say_of(self, name: str, lines: list[bytes]) -> None:
        if lines:
            shown = (line.decode(errors="replace").rstrip() for line in lines)
            self.say("\n".join(f"{name:9} | {line}" for line in shown))


def _read_procfile() -> list[tuple[str, str]]:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return [(name.strip(), command.strip()) for name, command in (line.split(":", 1) for line in lines)]


def _die_with_parent() -> Callable[[], None] | None:
    """Give what lets a child end when this process is killed: Linux's PR_SET_PDEATHSIG, elsewhere None."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(1, signal.SIGTERM)


# --- ready? -------------------------------------------------------------------------------------


def announce(app: App, env: dict[str, str], began: float) -> None:
    """Wait until a review went from the page's API URL, or both, to a verdict; then print where to look."""
    page, api = f"http://{HOST}:{env['PAGE_PORT']}/", env["API_URL"]
    reason = "no answer"
    pause = 0.05
    while time.monotonic() - began < READY_SECONDS and app.status is None:
        try:
            if api in _fetch(page + "config.js"):
                key = env.get("API_KEY", "")
                second = _verdict(env["BESIDE_API_URL"], key) if env.get("BESIDE") else None
                first = _verdict(api, key)
                app.ready = True
                app.say(_where(page, api, first, second, began, env.get("AUTH") == "key"))
                return
            reason = f"{page} is not ours or names another API"
        except urllib.error.HTTPError as error:
            reason = _detail(error)
            if error.code != 503:  # a 503 passes when the endpoint has started
                break
        except (OSError, ValueError, KeyError) as error:
            reason = str(error)
        time.sleep(pause)
        pause = min(1.0, pause * 1.5)
    if app.status is None:
        app.say(f"run: no verdict after {time.monotonic() - began:.0f} s: {reason}")
        app.stop(1)


def _verdict(api: str, key: str) -> dict[str, Any]:
    """Give an API's answer to the first review. Raises OSError, ValueError or KeyError."""
    answer = json.loads(_fetch(api + "/v1/sentiment", REVIEW, key))
    return {name: answer[name] for name in ("sentiment", "probability", "model")}


def _where(
    page: str, api: str, first: dict[str, Any], second: dict[str, Any] | None, began: float, locked: bool
) -> str:
    key = ' -H "X-Api-Key: $API_KEY"' if locked else ""
    compare = ""
    if second:
        compare = f"\n  both   {page}compare.html  {first['model']['id']} beside {second['model']['id']}"
    return f"""
Verdict is ready after {time.monotonic() - began:.1f} s: "{REVIEW}"
is {first["sentiment"]}, P(positive) = {first["probability"]:.3f}.

  page   {page}{compare}
  curl   curl -s {api}/v1/sentiment -H 'Content-Type: application/json'{key} -d '{{"review": "Not good."}}'

Ctrl-C stops everything.
"""


def _fetch(url: str, review: str | None = None, key: str = "") -> str:
    data = None if review is None else json.dumps({"review": review}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", "X-Api-Key": key})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TRY_SECONDS) as answer:
        return str(answer.read().decode())


def _detail(error: urllib.error.HTTPError) -> str:
    """Give the detail of a problem, which says what to do; else the status alone."""
    try:
        return f"{json.loads(error.read())['detail']} (HTTP {error.code})"
    except (OSError, ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # before anything has started
        sys.exit(130)
