"""Comprehend and text-embeddings-inference on loopback, with answers and faults of a test."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# A text with one of these words gets the word's answer; another gets NEUTRAL.
WORDS = {"lovely": "POSITIVE", "dull": "NEGATIVE", "both": "MIXED"}
COMPREHEND_BATCH = "Comprehend_20171127.BatchDetectSentiment"
MOST_TEXTS, MOST_BYTES, TEI_TEXTS = 25, 5_000, 32

Reply = tuple[int, Any, Mapping[str, str]]


class OtherServices:
    """A server of both protocols. ``fault`` may reply in place of an answer to a request's number, from 1.

    ``texts`` holds the texts of each answered call, ``headers`` those of each request.
    """

    def __init__(self, sure: float = 0.9) -> None:
        self.texts: list[list[str]] = []
        self.headers: list[dict[str, str]] = []
        self.fault: Callable[[int, list[str]], Reply | bytes | None] = lambda number, texts: None
        self.failed_items: Callable[[str], str | None] = lambda text: None
        self.labels: dict[str, str] = {"POSITIVE": "POSITIVE", "NEGATIVE": "NEGATIVE"}
        self.sure = sure
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def asked(self) -> int:
        """The number of requests."""
        return len(self.headers)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def comprehend(self, message: dict[str, Any]) -> Reply:
        texts = message["TextList"]
        if len(texts) > MOST_TEXTS:
            return 400, {"__type": "BatchSizeLimitExceededException", "Message": "too many"}, {}
        if message["LanguageCode"] != "en":
            return 400, {"__type": "UnsupportedLanguageException", "Message": "no"}, {}
        if any(len(text.encode()) > MOST_BYTES for text in texts):
            return 400, {"__type": "TextSizeLimitExceededException", "Message": "too long"}, {}
        self.texts.append(texts)
        errors = [(place, code) for place, text in enumerate(texts) if (code := self.failed_items(text))]
        bad = {place for place, _ in errors}
        results = [
            {"Index": place, "Sentiment": word_of(text), "SentimentScore": self._scores(word_of(text))}
            for place, text in enumerate(texts)
            if place not in bad
        ]
        listed = [{"Index": place, "ErrorCode": code, "ErrorMessage": "x"} for place, code in errors]
        return 200, {"ResultList": results, "ErrorList": listed}, {}

    def predict(self, message: dict[str, Any]) -> Reply:
        inputs = message["inputs"]
        texts = [pair[0] for pair in inputs]
        if len(texts) > TEI_TEXTS or any(self.failed_items(text) for text in texts):
            return 422, {"error": "refused", "error_type": "Validation"}, {}
        self.texts.append(texts)
        return 200, [self._labels(word_of(text)) for text in texts], {}

    def _scores(self, word: str) -> dict[str, float]:
        rest = (1 - self.sure) / 3
        names = ("POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED")
        return {name.capitalize(): self.sure if name == word else rest for name in names}

    def _labels(self, word: str) -> list[dict[str, Any]]:
        score = {"POSITIVE": self.sure, "NEGATIVE": 1 - self.sure}.get(word, 0.5)
        scores = {"POSITIVE": score, "NEGATIVE": 1 - score}
        return [
            {"label": self.labels[name], "score": scores[name]} for name in sorted(scores, key=scores.get)
        ]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        services = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                services.headers.append({name.lower(): value for name, value in self.headers.items()})
                message = json.loads(body)
                is_predict = self.path == "/predict"
                texts = [one[0] for one in message["inputs"]] if is_predict else message["TextList"]
                reply = services.fault(services.asked, texts)
                if reply is None:
                    if not is_predict:
                        assert self.headers["X-Amz-Target"] == COMPREHEND_BATCH
                    reply = (services.predict if is_predict else services.comprehend)(message)
                self._send(reply)

            def _send(self, reply: Reply | bytes) -> None:
                if reply == b"":
                    self.close_connection = True
                    return
                status, content, headers = (200, reply, {}) if isinstance(reply, bytes) else reply
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler


def word_of(text: str) -> str:
    return next((answer for word, answer in WORDS.items() if word in text), "NEUTRAL")
