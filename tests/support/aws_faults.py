"""A layer in front of moto that answers chosen calls as AWS does on a bad day.

``POST /faults`` takes a list of rules, and an empty list ends all faults. A rule holds ``service`` and
``operation``, then either ``code``, ``message`` and ``status`` of an error, or ``patch``, which replaces
parts of a JSON answer. ``times`` ends it after so many calls, ``until`` at another operation. ``contains``
limits it to requests with these words.
"""

import functools
import io
import json
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session

Environ = dict[str, Any]
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
_VERSION = re.compile(r"\d{4}_\d{2}_\d{2}$")


class Faulty:
    """A WSGI application with rules in front of another one."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app, self.rules, self.lock = app, list[dict[str, Any]](), threading.Lock()

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] in ("/faults", "/moto-api/reset"):
            body = _body(environ) if environ["PATH_INFO"] == "/faults" else b"[]"
            with self.lock:
                self.rules = list(json.loads(body))
            if environ["PATH_INFO"] == "/faults":
                start("200 OK", [("Content-Length", "0")])
                return [b""]
        rule = self._due(environ) if self.rules else None
        if rule is None:
            return self.app(environ, start)
        if "patch" in rule:
            return self._patched(environ, start, rule["patch"])
        return _refuse(environ, start, rule)

    def _due(self, environ: Environ) -> dict[str, Any] | None:
        service, operation = name_of(environ)
        with self.lock:
            self.rules = [rule for rule in self.rules if rule.get("until") != operation]
            for rule in self.rules:
                if (rule["service"], rule["operation"]) != (service, operation):
                    continue
                if rule.get("contains", "") not in _body(environ).decode(errors="replace"):
                    continue
                if rule.get("times") is not None:
                    rule["times"] -= 1
                    if rule["times"] == 0:
                        self.rules.remove(rule)
                return rule
        return None

    def _patched(self, environ: Environ, start: Callable[..., Any], patch: dict[str, Any]) -> Iterable[bytes]:
        answered: list[Any] = []

        def keep(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            answered[:] = [status, headers]

        body = b"".join(self.app(environ, keep))
        status, headers = answered
        if status.startswith("200"):
            body = json.dumps(json.loads(body) | patch).encode()
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start(status, [*kept, ("Content-Length", str(len(body)))])
        return [body]


def name_of(environ: Environ) -> tuple[str, str]:
    """Return the service and the operation of a signed request; empty where they are unknown."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if not scope:
        return "", ""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return scope[1], target.split(".")[-1]
    if "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        return scope[1], parse_qs(_body(environ).decode()).get("Action", [""])[0]
    return scope[1], _by_path(scope[1], environ)


def _by_path(service: str, environ: Environ) -> str:
    if service not in ("s3", "lambda", "apigateway", "cloudfront"):
        return ""
    given = set(parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    fitting = [
        (len(keys), length, name)
        for name, method, path, keys, length in _operations(service)
        if method == environ["REQUEST_METHOD"] and keys <= given and path.fullmatch(environ["PATH_INFO"])
    ]
    return max(fitting)[2] if fitting else ""


@functools.cache
def _operations(service: str) -> list[tuple[str, str, re.Pattern[str], frozenset[str], int]]:
    """Return each operation of a service with its method, path, fixed query keys and fixed letters."""
    model = botocore.session.get_session().get_service_model(service)
    table = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        keys = frozenset(parse_qs(query, keep_blank_values=True))
        parts = re.split(r"\{[^}]+\}", path)
        holes = [".+" if hole.endswith("+}") else "[^/]+" for hole in re.findall(r"\{[^}]+\}", path)]
        pattern = "".join(re.escape(part) + hole for part, hole in zip(parts, [*holes, ""], strict=True))
        entry = (_VERSION.sub("", name), http["method"], re.compile(pattern), keys, sum(map(len, parts)))
        table.append(entry)
    return table


def _body(environ: Environ) -> bytes:
    """Return a request's body, which can then be read again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return bytes(body)


def _refuse(environ: Environ, start: Callable[..., Any], rule: dict[str, Any]) -> Iterable[bytes]:
    """Answer with an error in the form of the request's protocol."""
    _body(environ)
    code, message, service = rule["code"], rule["message"], rule["service"]
    headers = [("x-amzn-ErrorType", code), ("x-amzn-RequestId", "fault")]
    if environ.get("HTTP_X_AMZ_TARGET") or service in ("lambda", "apigateway"):
        body = json.dumps({"__type": code, "message": message}).encode()
        headers.append(("Content-Type", "application/x-amz-json-1.1"))
    else:
        inner = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        body = (inner if service == "s3" else f"<ErrorResponse>{inner}</ErrorResponse>").encode()
        headers.append(("Content-Type", "application/xml"))
    start(f"{rule.get('status', 400)} Fault", [*headers, ("Content-Length", str(len(body)))])
    return [body]
