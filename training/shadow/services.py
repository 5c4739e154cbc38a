"""What the other services have in common: answers, failures of a review, and errors that end a comparison."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

POSITIVE, NEGATIVE, UNCERTAIN = SIDES = ("positive", "negative", "uncertain")
CONNECT_SECONDS = 5.0


class Answer(NamedTuple):
    """A service's answer: its own word, the word's side (one of SIDES), and the score of each of its words.

    ``lean`` is P(positive), with half of what is neither positive nor negative.
    """

    word: str
    side: str
    lean: float
    scores: dict[str, float]


class Failure(NamedTuple):
    """A review that a service could not answer, by the service's code."""

    code: str


class ServiceError(Exception):
    """The service refused, failed, or answered nonsense. ``code`` is a stable word for programs."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class SettingError(Exception):
    """A service can't be asked with these settings; the sentence says what to change."""


class Service(Protocol):
    """A service to compare with."""

    @property
    def name(self) -> str:
        """Its name for people."""

    @property
    def words(self) -> Sequence[str]:
        """The words that it answers with, if they are known."""

    @property
    def key(self) -> tuple[str, ...]:
        """Everything that an answer depends on."""

    @property
    def most(self) -> int:
        """The texts of a call."""

    @property
    def most_bytes(self) -> int | None:
        """The bytes of a text in UTF-8; None without a limit."""

    @property
    def free(self) -> bool:
        """Whether nobody charges for a call."""

    def ask(self, texts: Sequence[str]) -> list[Answer | Failure]:
        """Return the answers to texts, in their order. Raises ServiceError or SettingError."""

    def close(self) -> None:
        """Close the connections."""


def answer_of(scores: Mapping[str, float], sides: Mapping[str, str], word: str | None = None) -> Answer:
    """Return the answer with these scores by word, each 0 or more; ``sides`` holds each word's side.

    >>> answer_of({"NEG": 0.2, "POS": 0.8}, {"NEG": "negative", "POS": "positive"}).lean
    0.8
    """
    word = max(scores, key=lambda name: scores[name]) if word is None else word
    total = sum(scores.values())
    by_side = dict.fromkeys(SIDES, 0.0)
    for name, score in scores.items():
        by_side[sides[name]] += score
    lean = (by_side[POSITIVE] + by_side[UNCERTAIN] / 2) / total if total else 0.5
    return Answer(word, sides[word], lean, dict(scores))


def is_score(value: object) -> bool:
    """Return whether an answer's value is a number from 0 to 1, but for rounding."""
    return type(value) in (int, float) and -1e-6 <= value <= 1 + 1e-6  # type: ignore[operator]


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine, which no proxy reaches and nobody charges for."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str) -> str:
    """Return an http(s) URL without its last slash. Raises SettingError."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingError("the other service's URL must look like https://api.example.com")
    return url.rstrip("/")


def host_of(url: str) -> str:
    """Return a URL's scheme, host and port: a whole one may hold a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
