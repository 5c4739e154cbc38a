"""A fake SageMaker Runtime on loopback: it sends queued replies, else a verdict."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.support.scores import additive_score
from vocab import messages, vocabulary


class Call(NamedTuple):
    """A call of the endpoint."""

    endpoint: str
    headers: dict[str, str]
    message: dict[str, Any]


class Reply(NamedTuple):
    """A reply: status, body and headers, sent after some seconds."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    seconds: float = 0.0


class FakeRuntime:
    """A running fake. ``calls`` holds the calls; ``queue`` adds a reply; ``reset`` removes both.

    ``pull`` returns a token's contribution to the logit by its id, 0.5 by default.
    """

    def __init__(self) -> None:
        self.model = {"id": "fake-1", "vocabulary": vocabulary.load().fingerprint, "uncertain": [0.4, 0.6]}
        self.calls: list[Call] = []
        self.pull: Callable[[int], float] = lambda number: 0.5
        self._replies: list[Reply] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = json.loads(body)
                fake.calls.append(Call(self.path.split("/")[2], dict(self.headers), message))
                reply = fake._replies.pop(0) if fake._replies else fake._verdict(message)
                time.sleep(reply.seconds)
                if reply.status == 0:  # hang up without an answer
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: object, client_address: object) -> None:
                """Print nothing when a caller has hung up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def queue(self, status: int, body: bytes = b"{}", seconds: float = 0.0, **headers: str) -> None:
        """Queue a reply for the next call; in header names _ stands for -."""
        with_hyphens = {name.replace("_", "-"): value for name, value in headers.items()}
        self._replies.append(Reply(status, body, with_hyphens, seconds))

    def refuse(self, status: int, error: str, **members: Any) -> None:
        """Queue an error in the form of AWS."""
        self.queue(status, json.dumps(members).encode(), x_amzn_ErrorType=error)

    def reset(self) -> None:
        """Remove calls and queued replies."""
        self.calls.clear()
        self._replies.clear()
        self.pull = lambda number: 0.5

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _verdict(self, message: dict[str, Any]) -> Reply:
        if message.get("describe"):
            return Reply(200, messages.to_json({"card": {**self.model, "metrics": {"accuracy": 0.9}}}))
        answers = [
            messages.score_message(
                additive_score(
                    -0.25,
                    list(map(self.pull, one["ids"])),
                    one["sentences"],
                    message["explain"],
                    one.get("aspects"),
                )
            )
            for one in message["reviews"]
        ]
        return Reply(200, messages.to_json({"model": self.model, "answers": answers}))
