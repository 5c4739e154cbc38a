"""Start endpoint, API and page together, and say where they are once a review has gone through.

    make run            # or, inside its environment: python run.py

Ports come from ENDPOINT_PORT, API_PORT and PAGE_PORT. The processes are the Procfile's.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

ROOT = Path(__file__).resolve().parent
HOST = "127.0.0.1"
PORTS = {"ENDPOINT_PORT": 8090, "API_PORT": 8000, "PAGE_PORT": 8080}
LINKS = ("training/vocab", "chalice_app/vendor/vocab")
READY_SECONDS = 60
TRY_SECONDS = 5
REVIEW = "A warm, funny film that never once felt too long. I would happily watch it again."


def environment() -> dict[str, str]:
    """Give the processes' environment: this one, the ports, and boto3 pointed to the local endpoint.

    Raises SystemExit when a port is no port.
    """
    env = dict(os.environ)
    for name, default in PORTS.items():
        value = env.get(name) or str(default)
        if not value.isdigit() or not 0 < int(value) < 65536:
            sys.exit(f"run: {name} must be a port from 1 to 65535, got {value[:20]!r}")
        env[name] = value
    if len({env[name] for name in PORTS}) < len(PORTS):
        sys.exit(f"run: {', '.join(PORTS)} must differ")
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    env["PYTHONUNBUFFERED"] = "1"
    env["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = f"http://{HOST}:{env['ENDPOINT_PORT']}"
    env["API_URL"] = f"http://{HOST}:{env['API_PORT']}"
    return env


def check_links() -> None:
    """Raise SystemExit when the checkout lost the links that let every part see vocab/."""
    for link in LINKS:
        if not (ROOT / link / "text.py").is_file():
            sys.exit(
                f"run: {link} must be a link to the folder vocab/, and git made none here;"
                " run `git config core.symlinks true && git checkout -- .`"
            )


def check_ports(env: dict[str, str]) -> None:
    """Raise SystemExit, with what to do, when a port is taken."""
    for name in PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, int(env[name])))
            except OSError as error:
                free = int(env[name]) + 1
                sys.exit(
                    f"run: port {env[name]} can't be used ({error.strerror});"
                    f" choose another: make run {name}={free}"
                )


def announce(env: dict[str, str], began: float) -> int:
    """Wait until a review went from the page's API URL to a verdict, then print where to look."""
    page, api = f"http://{HOST}:{env['PAGE_PORT']}/", env["API_URL"]
    deadline = time.monotonic() + READY_SECONDS
    reason = "no answer"
    while time.monotonic() < deadline:
        try:
            if api not in _fetch(page + "config.js"):
                reason = f"{page} is not ours or names another API"
            else:
                verdict = json.loads(_fetch(api + "/v1/sentiment", REVIEW))
                print(_where(page, api, verdict, time.monotonic() - began), flush=True)
                return 0
        except (OSError, ValueError, KeyError) as error:
            reason = str(error)
        time.sleep(0.1)
    print(f"run: no verdict within {READY_SECONDS} s ({reason}); look at the lines above", flush=True)
    return 1


def _where(page: str, api: str, verdict: dict[str, Any], seconds: float) -> str:
    return f"""
Verdict is ready after {seconds:.1f} s: "{REVIEW}"
is {verdict["sentiment"]}, P(positive) = {verdict["probability"]:.3f}.

  page   {page}
  curl   curl -s {api}/v1/sentiment -H 'Content-Type: application/json' -d '{{"review": "Not good."}}'

Ctrl-C stops everything.
"""


def _fetch(url: str, review: str | None = None) -> str:
    data = None if review is None else json.dumps({"review": review}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TRY_SECONDS) as answer:
        return str(answer.read().decode())


def main() -> None:
    began = time.monotonic()
    check_links()
    env = environment()
    if sys.argv[1:2] == ["--announce"]:
        sys.exit(announce(env, began=float(sys.argv[2])))
    check_ports(env)
    manager = Manager(Printer(sys.stdout))
    procfile = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8"))
    for name, command in procfile.processes.items():
        # exec: the process that gets the signal is Python, not a shell around it.
        manager.add_process(name, f"exec {command}", env=env, cwd=str(ROOT))
    # A closed terminal ends everything, as Ctrl-C does.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    herald = subprocess.Popen([sys.executable, __file__, "--announce", str(began)], env=env)
    try:
        manager.loop()
    finally:
        herald.terminate()
        herald.wait()
    # Stopped by hand is a good end; a process that died by itself is not.
    sys.exit(0 if manager.returncode in (130, 143) else manager.returncode or 1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
