"""Serve the page on this machine: the files of this folder, with the security headers of a strict page.

python -m static_site.serve --port 8080 --host 127.0.0.1 --api-url http://127.0.0.1:8000
python -m static_site.serve --beside-api-url http://127.0.0.1:8001    # with a second model's API
"""

import argparse
import errno
import json
import os
import signal
import socket
import socketserver
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

FOLDER = Path(__file__).resolve().parent

# The files of a page. Nothing else in the folder is served, such as this script.
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}

CONFIG = """// The URLs of the API and of a second model's API. serve.py writes this file from its flags.

export const API_URL = {url};
export const BESIDE_API_URL = {beside};
"""

IDLE_SECONDS = 60


class PageServer(ThreadingHTTPServer):
    """The page's server. Its queue is long, because a browser opens several connections at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, api_url: str, beside_url: str = "") -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.config = config_of(api_url, beside_url)
        self.headers = security_headers(api_url, beside_url)
        super().__init__((host, port), PageHandler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind would look up a name in DNS that nothing here uses.
        socketserver.TCPServer.server_bind(self)
        self.server_port = self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A browser that leaves during an answer is no error.
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            print(f"page: a request ended in {type(error).__name__}", file=sys.stderr, flush=True)


class PageHandler(BaseHTTPRequestHandler):
    """Answer GET and HEAD for the folder's files, and 404 or 405 for everything else."""

    server: PageServer
    server_version = "verdict-page"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.1"  # for requests that name none: HTTP/0.9 has no status line
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        content = self._content()
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._send(HTTPStatus.OK, *content)

    do_HEAD = do_GET

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send every refusal, http.server's own included, as plain text with our headers."""
        # http.server answers 501 to a method without do_METHOD; a page answers 405.
        status = HTTPStatus(405 if code == HTTPStatus.NOT_IMPLEMENTED else code)
        # An unread body would be parsed as the next request.
        if status != HTTPStatus.NOT_FOUND:
            self.close_connection = True
        text = f"{status.value} {status.phrase}\n".encode()
        self._send(status, text, "text/plain; charset=utf-8")

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: nobody needs a log of the page's files."""

    def _content(self) -> tuple[bytes, str] | None:
        """Return the body and content type of the request's path, or None."""
        try:
            path = unquote(urlsplit(self.path).path)
        except ValueError:  # "http://[" and the like
            return None
        if path == "/config.js":
            return self.server.config, CONTENT_TYPES[".js"]
        file = file_of("/index.html" if path == "/" else path)
        if file is None:
            return None
        try:
            return file.read_bytes(), CONTENT_TYPES[file.suffix]
        except OSError:
            return None

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def file_of(path: str) -> Path | None:
    """Return the page's file for a decoded URL path; None when it is missing or no part of the page.

    >>> file_of("/serve.py") is None and file_of("/../README.md") is None
    True
    """
    parts = path.split("/")[1:]
    if "\0" in path or "\\" in path or any(part.startswith(".") or not part for part in parts):
        return None
    try:
        file = FOLDER.joinpath(*parts).resolve()
        served = file.suffix in CONTENT_TYPES and file.is_relative_to(FOLDER) and file.is_file()
    except OSError:  # a name too long for the file system
        return None
    return file if served else None


def config_of(api_url: str, beside_url: str = "") -> bytes:
    """Return config.js with the API's URL and the second model's, "" when there is none."""
    return CONFIG.format(url=json.dumps(api_url), beside=json.dumps(beside_url)).encode()


def security_headers(api_url: str, beside_url: str = "") -> dict[str, str]:
    """Return the headers of every answer. The page may connect only to itself and the given APIs."""
    apis = " ".join(dict.fromkeys(origin_of(url) for url in (api_url, beside_url) if url))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        f"connect-src 'self' {apis}; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


def origin_of(url: str) -> str:
    """Return scheme, host and port of an http(s) URL.

    >>> origin_of("https://api.example.com/stage")
    'https://api.example.com'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    server = start(options.host, options.port, options.api_url, options.beside_api_url)
    host = f"[{options.host}]" if ":" in options.host else options.host
    apis = " and ".join(filter(None, [options.api_url, options.beside_api_url]))
    print(f"The page is at http://{host}:{server.server_port} and calls {apis}.", flush=True)
    with server:
        server.serve_forever()


def start(host: str, port: int, api_url: str, beside_url: str = "") -> PageServer:
    """Return a listening server. Raises SystemExit with one sentence when it can't listen."""
    try:
        return PageServer(host, port, api_url, beside_url)
    except OSError as error:
        print(f"serve.py: {address_error(error, host, port)}", file=sys.stderr)
        raise SystemExit(1) from None


def address_error(error: OSError, host: str, port: int) -> str:
    """Return a sentence that says why the server can't listen on its address."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; choose another with --port or PAGE_PORT."
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights; choose one above 1023 with --port or PAGE_PORT."
    return f"can't listen on {host}:{port} ({error.strerror or error})."


def leave(number: int, frame: Any) -> NoReturn:
    raise SystemExit(0)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("PAGE_PORT") or "8080",
        help="port to listen on, 0 for any free one (default: PAGE_PORT, or 8080)",
    )
    parser.add_argument(
        "--host",
        default=os.environ.get("LISTEN_HOST") or "127.0.0.1",
        help="address to listen on (default: LISTEN_HOST, or 127.0.0.1)",
    )
    parser.add_argument(
        "--api-url",
        type=http_url,
        default=os.environ.get("API_URL") or "http://127.0.0.1:8000",
        help="the API's URL (default: API_URL, or http://127.0.0.1:8000)",
    )
    parser.add_argument(
        "--beside-api-url",
        type=optional_url,
        default=os.environ.get("BESIDE_API_URL") or "",
        help="the URL of a second model's API, for comparison (default: BESIDE_API_URL, or none)",
    )
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, got {text!r}")
    return int(text)


def http_url(text: str) -> str:
    """Return the URL without its last slash. Refuses characters that could change the CSP."""
    refusal = argparse.ArgumentTypeError(f"the API's URL looks like http://127.0.0.1:8000, got {text!r}")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise refusal
    if not text.isascii() or any(character.isspace() or character in ";,'\"" for character in text):
        raise refusal
    if parts.query or parts.fragment:
        raise refusal
    return text.rstrip("/")


def optional_url(text: str) -> str:
    """Return the URL like ``http_url``, or "" for none."""
    return http_url(text) if text else ""


if __name__ == "__main__":
    main()
