"""API Gateway on loopback: HTTP in front of a function, by the definition that Chalice hands to AWS.

What it does as AWS: the stage before the path, `{proxy+}`, proxy events and answers with text and binary
bodies, preflights from the mock integration, its own errors from gateway responses, a throttle, size limits.
Not: chunked bodies, authorizers, keys, caching, access logs, renamed headers.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_BODY_BYTES = 10 * 1024 * 1024
INTEGRATION_SECONDS = 29
HEADER = "gatewayresponse.header."
PREFLIGHT_HEADER = "method.response.header."
ACCOUNT, API_ID = "000000000000", "loopback"

Event = dict[str, Any]
Invoke = Callable[[Event], Any]


class Answer(NamedTuple):
    """An HTTP answer: a header may come more than once."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Asked(NamedTuple):
    """An HTTP request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    source: str = "127.0.0.1"

    def header(self, name: str) -> str:
        """Give a header's last value, or nothing."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


class Gateway:
    """A REST API with one stage. ``url`` ends with the stage; ``calls`` counts what reached the function.

    ``definition`` is the OpenAPI document of the API (`sam.json`'s DefinitionBody), ``invoke`` takes an
    event to the function, one at a time, ``responses`` are put_gateway_response's arguments.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        invoke: Invoke,
        responses: Sequence[Mapping[str, Any]] = (),
        stage: str = "api",
        throttle: Mapping[str, float] | None = None,
        port: int = 0,
    ) -> None:
        self.definition, self.invoke, self.stage = definition, invoke, stage
        self.responses = {response["responseType"]: response for response in responses}
        self.calls = 0
        self._bucket = Bucket(throttle["rate"], throttle["burst"]) if throttle else None
        self._one_at_a_time = threading.Lock()
        self._server = _server(self, port)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{stage}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: Asked) -> Answer:
        """Take a request to the function, or answer it as API Gateway does by itself."""
        request_id = str(uuid.uuid4())
        path = urlsplit(asked.target).path
        if path.split("/")[1:2] != [self.stage]:
            return Answer(403, [("Content-Type", "application/json")], b'{"message":"Forbidden"}')
        path = path.removeprefix(f"/{self.stage}") or "/"
        if len(asked.body) > MAX_BODY_BYTES:
            return self.refusal("REQUEST_TOO_LARGE", 413, request_id)
        found = match(list(self.definition["paths"]), path)
        operation = self.definition["paths"][found[0]].get(asked.method.lower()) if found else None
        if found is None or operation is None:
            return self.refusal("MISSING_AUTHENTICATION_TOKEN", 403, request_id)
        if self._bucket and not self._bucket.take():
            return self.refusal("THROTTLED", 429, request_id)
        integration = operation["x-amazon-apigateway-integration"]
        if integration["type"] == "mock":
            return preflight(integration)
        event = proxy_event(asked, path, *found, self.stage, self._is_binary(asked), request_id)
        return self._ask(event, asked, request_id)

    def refusal(self, kind: str, status: int, request_id: str) -> Answer:
        """Give one of API Gateway's own errors, by its gateway response or that of its family."""
        response = self.responses.get(kind) or self.responses.get(f"DEFAULT_{status // 100}XX")
        if response is None:
            words = {403: "Missing Authentication Token", 429: "Too Many Requests"}.get(status, "Error")
            return Answer(
                status, [("Content-Type", "application/json")], json.dumps({"message": words}).encode()
            )
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
        for name, value in response["responseParameters"].items():
            headers[name.removeprefix(HEADER)] = request_id if value == "context.requestId" else value[1:-1]
        body = response["responseTemplates"]["application/json"].replace("$context.requestId", request_id)
        return Answer(int(response.get("statusCode", status)), list(headers.items()), body.encode())

    def _ask(self, event: Event, asked: Asked, request_id: str) -> Answer:
        with self._one_at_a_time:
            self.calls += 1
            began = time.monotonic()
            try:
                given = self.invoke(event)
            except Exception:
                given = None  # its log says why; API Gateway's caller learns nothing either
        if time.monotonic() - began > INTEGRATION_SECONDS:
            return self.refusal("INTEGRATION_TIMEOUT", 504, request_id)
        if not isinstance(given, dict) or "statusCode" not in given:
            return self.refusal("DEFAULT_5XX", 502, request_id)
        return http_answer(given, self._matches(asked.header("accept")))

    def _is_binary(self, asked: Asked) -> bool:
        return self._matches(asked.header("content-type"))

    def _matches(self, named: str) -> bool:
        binary = self.definition.get("x-amazon-apigateway-binary-media-types", [])
        return "*/*" in binary or named.split(",")[0].split(";")[0].strip().lower() in binary


class Bucket:
    """A token bucket: so many requests a second, so many at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self._left = rate, burst, burst
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a token, or say that none is left."""
        with self._lock:
            now = time.monotonic()
            self._left = min(self.burst, self._left + (now - self._at) * self.rate)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def match(resources: Sequence[str], path: str) -> tuple[str, dict[str, str]] | None:
    """Give the resource that takes a path, and its parameters; one without a parameter comes first.

    >>> match(["/", "/{proxy+}", "/v1/{proxy+}"], "/v1/a/b")
    ('/v1/{proxy+}', {'proxy': 'a/b'})
    """
    path = path.rstrip("/") or "/"
    for resource in sorted(resources, key=lambda one: ("{" in one, -len(one))):
        pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", _group, re.escape(resource))
        if found := re.fullmatch(pattern, path):
            return resource, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def proxy_event(
    asked: Asked,
    path: str,
    resource: str,
    parameters: dict[str, str],
    stage: str,
    binary: bool,
    request_id: str,
) -> Event:
    """Give the event that the function gets for a request; what is not there is None, as on AWS."""
    headers = [*asked.headers, ("X-Forwarded-For", asked.source), ("X-Forwarded-Proto", "https")]
    query = parse_qsl(urlsplit(asked.target).query, keep_blank_values=True)
    body = base64.b64encode(asked.body).decode() if binary else asked.body.decode("utf-8", "replace")
    return {
        "resource": resource,
        "path": path,
        "httpMethod": asked.method,
        "headers": dict(headers),
        "multiValueHeaders": _many(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _many(query) or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "body": body or None,
        "isBase64Encoded": binary and bool(body),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": f"{API_ID}.execute-api.us-east-1.amazonaws.com",
            "httpMethod": asked.method,
            "identity": {"sourceIp": asked.source, "userAgent": asked.header("user-agent") or None},
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTimeEpoch": int(time.time() * 1000),
            "resourcePath": resource,
            "stage": stage,
        },
    }


def http_answer(given: Mapping[str, Any], wants_binary: bool) -> Answer:
    """Turn the function's answer into HTTP; base64 is decoded only for who accepts binary."""
    headers = {name: [str(value)] for name, value in (given.get("headers") or {}).items()}
    headers |= given.get("multiValueHeaders") or {}
    body = (given.get("body") or "").encode()
    if given.get("isBase64Encoded") and wants_binary:
        body = base64.b64decode(body)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = ["application/json"]
    pairs = [(name, value) for name, values in headers.items() for value in values]
    return Answer(int(given["statusCode"]), pairs, body)


def preflight(integration: Mapping[str, Any]) -> Answer:
    """Answer OPTIONS as the mock integration does that Chalice sets up."""
    response = integration["responses"]["default"]
    headers = [("Content-Type", "application/json")] + [
        (name.removeprefix(PREFLIGHT_HEADER), value[1:-1])
        for name, value in response["responseParameters"].items()
    ]
    return Answer(int(response["statusCode"]), headers, b"")


def deployed(client: Any, api_id: str) -> dict[str, Any]:
    """Read an API back from AWS, or from its stand-in: Gateway's ``definition`` and ``responses``."""
    paths: dict[str, Any] = {}
    for resource in client.get_resources(restApiId=api_id, limit=500)["items"]:
        for method in resource.get("resourceMethods", {}):
            found = client.get_integration(restApiId=api_id, resourceId=resource["id"], httpMethod=method)
            operation = {"type": found["type"].lower(), "responses": {}}
            for status, response in found.get("integrationResponses", {}).items():
                parameters = response.get("responseParameters", {})
                operation["responses"]["default"] = {
                    "statusCode": status,
                    "responseParameters": parameters,
                }
            integration = {"x-amazon-apigateway-integration": operation}
            paths.setdefault(resource["path"], {})[method.lower()] = integration
    binary = client.get_rest_api(restApiId=api_id).get("binaryMediaTypes", [])
    responses = client.get_gateway_responses(restApiId=api_id, limit=500)["items"]
    return {
        "definition": {"paths": paths, "x-amazon-apigateway-binary-media-types": binary},
        "responses": [one for one in responses if one.get("responseTemplates")],
    }


def _group(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>.+)" if found[2] else f"(?P<{found[1]}>[^/]+)"


def _many(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return many


def _server(gateway: Gateway, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, self.headers.items(), body, self.client_address[0])
            answer = gateway.answer(asked)
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            silent = self.command == "HEAD" or answer.status == 204
            if not silent:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if not silent:
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing when a caller hung up."""

    return Server(("127.0.0.1", port), Handler)
