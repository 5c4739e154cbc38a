"""API Gateway on loopback: HTTP in front of a function, by the definition that Chalice sends to AWS.

It simulates the stage before the path, `{proxy+}`, proxy events and answers with text and binary bodies,
preflights from the mock integration, its own errors from gateway responses, a throttle and size limits.
It lacks chunked bodies, authorizers, keys, caching, access logs, renamed headers.
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


class GatewayResponse(NamedTuple):
    """An HTTP response. A header may stand in it more than once."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class GatewayRequest(NamedTuple):
    """A raw HTTP request."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    source: str = "127.0.0.1"

    def header(self, name: str) -> str:
        """Return a header's last value, or ""."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


class Gateway:
    """A REST API with one stage. ``url`` ends with the stage; ``calls`` counts the function's calls.

    ``definition`` is the API's OpenAPI document (`sam.json`'s DefinitionBody). ``invoke`` calls the function
    with an event, one at a time. ``responses`` are put_gateway_response's arguments.
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

    def answer(self, request: GatewayRequest) -> GatewayResponse:
        """Answer a request by the function, or by itself as API Gateway does."""
        request_id = str(uuid.uuid4())
        path = urlsplit(request.target).path
        if path.split("/")[1:2] != [self.stage]:
            return GatewayResponse(403, [("Content-Type", "application/json")], b'{"message":"Forbidden"}')
        path = path.removeprefix(f"/{self.stage}") or "/"
        if len(request.body) > MAX_BODY_BYTES:
            return self.refusal("REQUEST_TOO_LARGE", 413, request_id)
        resource = match(list(self.definition["paths"]), path)
        operation = self.definition["paths"][resource[0]].get(request.method.lower()) if resource else None
        if resource is None or operation is None:
            return self.refusal("MISSING_AUTHENTICATION_TOKEN", 403, request_id)
        if self._bucket and not self._bucket.take():
            return self.refusal("THROTTLED", 429, request_id)
        integration = operation["x-amazon-apigateway-integration"]
        if integration["type"] == "mock":
            return preflight(integration)
        event = proxy_event(request, path, *resource, self.stage, self._is_binary(request), request_id)
        return self._call(event, request, request_id)

    def refusal(self, kind: str, status: int, request_id: str) -> GatewayResponse:
        """Return one of API Gateway's own errors, by its gateway response or its family's."""
        response = self.responses.get(kind) or self.responses.get(f"DEFAULT_{status // 100}XX")
        if response is None:
            words = {403: "Missing Authentication Token", 429: "Too Many Requests"}.get(status, "Error")
            return GatewayResponse(
                status, [("Content-Type", "application/json")], json.dumps({"message": words}).encode()
            )
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
        for name, value in response["responseParameters"].items():
            headers[name.removeprefix(HEADER)] = request_id if value == "context.requestId" else value[1:-1]
        body = response["responseTemplates"]["application/json"].replace("$context.requestId", request_id)
        return GatewayResponse(int(response.get("statusCode", status)), list(headers.items()), body.encode())

    def _call(self, event: Event, request: GatewayRequest, request_id: str) -> GatewayResponse:
        with self._one_at_a_time:
            self.calls += 1
            start = time.monotonic()
            try:
                answer = self.invoke(event)
            except Exception:
                answer = None  # only the function's log holds the error, as on AWS
        if time.monotonic() - start > INTEGRATION_SECONDS:
            return self.refusal("INTEGRATION_TIMEOUT", 504, request_id)
        if not isinstance(answer, dict) or "statusCode" not in answer:
            return self.refusal("DEFAULT_5XX", 502, request_id)
        return http_answer(answer, self._matches(request.header("accept")))

    def _is_binary(self, request: GatewayRequest) -> bool:
        return self._matches(request.header("content-type"))

    def _matches(self, content_type: str) -> bool:
        binary = self.definition.get("x-amazon-apigateway-binary-media-types", [])
        return "*/*" in binary or content_type.split(",")[0].split(";")[0].strip().lower() in binary


class Bucket:
    """A token bucket: ``rate`` requests a second, ``burst`` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self._left = rate, burst, burst
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Return whether a token was left, and use it."""
        with self._lock:
            now = time.monotonic()
            self._left = min(self.burst, self._left + (now - self._at) * self.rate)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def match(resources: Sequence[str], path: str) -> tuple[str, dict[str, str]] | None:
    """Return the resource for a path, and its parameters; resources without one come first.

    >>> match(["/", "/{proxy+}", "/v1/{proxy+}"], "/v1/a/b")
    ('/v1/{proxy+}', {'proxy': 'a/b'})
    """
    path = path.rstrip("/") or "/"
    for resource in sorted(resources, key=lambda name: ("{" in name, -len(name))):
        pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", _group, re.escape(resource))
        if parts := re.fullmatch(pattern, path):
            return resource, {name: unquote(value) for name, value in parts.groupdict().items()}
    return None


def proxy_event(
    request: GatewayRequest,
    path: str,
    resource: str,
    parameters: dict[str, str],
    stage: str,
    binary: bool,
    request_id: str,
) -> Event:
    """Return the function's event for a request. Missing parts are None, as on AWS."""
    headers = [*request.headers, ("X-Forwarded-For", request.source), ("X-Forwarded-Proto", "https")]
    query = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    body = base64.b64encode(request.body).decode() if binary else request.body.decode("utf-8", "replace")
    return {
        "resource": resource,
        "path": path,
        "httpMethod": request.method,
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
            "httpMethod": request.method,
            "identity": {"sourceIp": request.source, "userAgent": request.header("user-agent") or None},
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTimeEpoch": int(time.time() * 1000),
            "resourcePath": resource,
            "stage": stage,
        },
    }


def http_answer(answer: Mapping[str, Any], wants_binary: bool) -> GatewayResponse:
    """Return the function's answer as HTTP. Base64 is decoded only for callers that accept binary."""
    headers = {name: [str(value)] for name, value in (answer.get("headers") or {}).items()}
    headers |= answer.get("multiValueHeaders") or {}
    body = (answer.get("body") or "").encode()
    if answer.get("isBase64Encoded") and wants_binary:
        body = base64.b64decode(body)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = ["application/json"]
    pairs = [(name, value) for name, values in headers.items() for value in values]
    return GatewayResponse(int(answer["statusCode"]), pairs, body)


def preflight(integration: Mapping[str, Any]) -> GatewayResponse:
    """Answer OPTIONS as Chalice's mock integration does."""
    response = integration["responses"]["default"]
    headers = [("Content-Type", "application/json")] + [
        (name.removeprefix(PREFLIGHT_HEADER), value[1:-1])
        for name, value in response["responseParameters"].items()
    ]
    return GatewayResponse(int(response["statusCode"]), headers, b"")


def deployed(client: Any, api_id: str) -> dict[str, Any]:
    """Return a deployed API's ``definition`` and ``responses``, read from AWS or its simulation."""
    paths: dict[str, Any] = {}
    for resource in client.get_resources(restApiId=api_id, limit=500)["items"]:
        for method in resource.get("resourceMethods", {}):
            backend = client.get_integration(restApiId=api_id, resourceId=resource["id"], httpMethod=method)
            operation = {"type": backend["type"].lower(), "responses": {}}
            for status, response in backend.get("integrationResponses", {}).items():
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
        "responses": [response for response in responses if response.get("responseTemplates")],
    }


def _group(name: re.Match[str]) -> str:
    return f"(?P<{name[1]}>.+)" if name[2] else f"(?P<{name[1]}>[^/]+)"


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
            request = GatewayRequest(
                self.command, self.path, self.headers.items(), body, self.client_address[0]
            )
            answer = gateway.answer(request)
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
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            """Print nothing when a caller has hung up."""

    return Server(("127.0.0.1", port), Handler)
