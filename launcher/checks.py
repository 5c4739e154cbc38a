"""Check the settings, ports and files of `make run` before a process starts."""

import argparse
import hashlib
import ipaddress
import os
import re
import secrets
import socket
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from static_site import serve as page

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
# The address that is every address of this machine.
EVERY_HOST = "0.0.0.0"  # noqa: S104  (in containers alone)
PORTS = {"ENDPOINT_PORT": 8090, "API_PORT": 8000, "PAGE_PORT": 8080}
# The ports of a second model, when BESIDE names one.
BESIDE_PORTS = {"BESIDE_ENDPOINT_PORT": 8091, "BESIDE_API_PORT": 8001}
# Where boto3 finds the local endpoint. Without it, the server of --serve runs the endpoint's hooks itself.
ENDPOINT_URL = "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"
MODEL = "training/endpoint/model"
# The link to vocab/. A checkout without symlinks turns it into a small text file.
LINK = "chalice_app/vendor/vocab"
# What endpoint, API and page import, by the names of requirements/run.txt's modules.
LIBRARIES = ("boto3", "bs4", "chalice", "nltk", "numpy", "onnxruntime", "prometheus_client")


def environment(serve: bool = False) -> dict[str, str]:
    """Return the processes' environment: this one, the ports, and boto3's URL of the local endpoint.

    With ``serve`` there is no such endpoint. Raises SystemExit when a port, an address, the endpoint's name
    or BESIDE can't be used.
    """
    env = dict(os.environ)
    env["LISTEN_HOST"] = _listen_host(env)
    ports = default_ports(env, serve)
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
    env.pop(ENDPOINT_URL, None)
    if not serve:
        env[ENDPOINT_URL] = f"http://{HOST}:{env['ENDPOINT_PORT']}"
    env["API_URL"] = _public_api_url(env) or local_url(env, "API_PORT")
    if env.get("BESIDE"):
        _check_two_models(env)
        env["BESIDE_API_URL"] = local_url(env, "BESIDE_API_PORT")
    if env.get("FEEDBACK") and "://" not in env["FEEDBACK"]:
        env["FEEDBACK"] = os.path.abspath(env["FEEDBACK"])  # the processes work in another folder
    if env.get("AUTH") == "key" and env.get("API_KEYS") and not env.get("API_KEY"):
        _add_key(env)
    return env


def default_ports(env: Mapping[str, str], serve: bool = False) -> dict[str, int]:
    """Return the variables of the ports in use, each with its default."""
    ports = PORTS | (BESIDE_PORTS if env.get("BESIDE") else {})
    return {name: port for name, port in ports.items() if not (serve and "ENDPOINT" in name)}


def local_url(env: Mapping[str, str], port: str) -> str:
    """Return the URL at which this machine reaches the API or the page, by the variable of its port."""
    host = env["LISTEN_HOST"]
    return f"http://{HOST if host == EVERY_HOST else host}:{env[port]}"


def beside_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the second model's endpoint and API."""
    second = dict(env) | {
        "MODEL": env["BESIDE"],
        "API_PORT": env["BESIDE_API_PORT"],
        "API_URL": env["BESIDE_API_URL"],
    }
    if ENDPOINT_URL in env:
        second["ENDPOINT_PORT"] = port = env["BESIDE_ENDPOINT_PORT"]
        second[ENDPOINT_URL] = f"http://{HOST}:{port}"
    return second


def check_libraries() -> None:
    """Raise SystemExit when this Python lacks a library that the processes import."""
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        sys.exit(
            f"run: {', '.join(missing)} can't be imported here; use `make run`, or `make serve` for --serve"
        )


def check_link() -> None:
    """Raise SystemExit when the checkout lost the link to vocab/ in the Lambda's app.

    An installed package has no link and needs none.
    """
    if (ROOT / LINK).exists() and not (ROOT / LINK / "text.py").is_file():
        sys.exit(
            f"run: {LINK} must be a link to the folder vocab/, and git made none here;"
            " run `git config core.symlinks true && git checkout -- .`"
        )


def check_ports(env: Mapping[str, str], serve: bool = False) -> None:
    """Raise SystemExit when a port is taken, with the setting that changes it."""
    make = "serve" if serve else "run"
    for name, default in default_ports(env, serve).items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST if "ENDPOINT" in name else env["LISTEN_HOST"], int(env[name])))
            except OSError as error:
                port = int(env[name])
                other = port + 1 if 1024 <= port < 65535 else default + 1
                setting = f"{name}={other}"
                again = _typed(f"make {make} {setting}", f"{setting} verdict serve")
                sys.exit(f"run: port {port} can't be used ({error.strerror}); choose another: {again}")


def _typed(make: str, verdict: str) -> str:
    """Return the command to type next, by the one that started this process."""
    return verdict if os.environ.get("VERDICT_TYPED") == "verdict serve" else make


def _listen_host(env: Mapping[str, str]) -> str:
    """Return the address at which API and page listen. Raises SystemExit when it is no IPv4 address."""
    value = env.get("LISTEN_HOST") or HOST
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        sys.exit(f"run: LISTEN_HOST must be an IPv4 address such as {EVERY_HOST}, got {value[:40]!r}")


def _public_api_url(env: Mapping[str, str]) -> str:
    """Return the API's URL for browsers, "" for this machine's own. Raises SystemExit when it is no URL."""
    try:
        return page.optional_url(env.get("PUBLIC_API_URL") or "")
    except argparse.ArgumentTypeError as error:
        sys.exit(f"run: PUBLIC_API_URL: {error}")


def _check_two_models(env: Mapping[str, str]) -> None:
    """Raise SystemExit when the second model is the first one."""
    first, second = (ROOT / (env.get("MODEL") or MODEL), ROOT / env["BESIDE"])
    if first.resolve() == second.resolve():
        two = _typed(
            f"make run MODEL=my-model BESIDE={MODEL}", "verdict serve --model my-model --beside published"
        )
        sys.exit(f"run: MODEL and BESIDE are the same folder; name two models: {two}")


def _add_key(env: dict[str, str]) -> None:
    """Add a random key, valid for this run only, with which the first review passes the API's check."""
    env["API_KEY"] = secrets.token_urlsafe(32)
    digest = hashlib.sha256(env["API_KEY"].encode()).hexdigest()
    env["API_KEYS"] = ",".join(filter(None, [env.get("API_KEYS"), digest]))
