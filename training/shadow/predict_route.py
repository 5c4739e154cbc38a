"""Send reviews to a text-embeddings-inference server, by POST /predict."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from training.files import labelled
from training.shadow.services import (
    CONNECT_SECONDS,
    NEGATIVE,
    POSITIVE,
    SIDES,
    UNCERTAIN,
    Answer,
    Failure,
    ServiceError,
    SettingError,
    answer_of,
    check_url,
    host_of,
    is_loopback,
    is_score,
)

NAME = "text-embeddings-inference"
# The server takes 32 by default.
MOST_TEXTS = 25
TRIES, FIRST_SECONDS = 6, 0.25
PASSING = (429, 502, 503, 504)
# A text that is too long or malformed, or more texts than the server takes at once.
REFUSED_TEXTS = (413, 422)
MAX_ANSWER_BYTES = 5_000_000
MAX_WORDS, SHOWN_CHARACTERS = 50, 24
_STARS = re.compile(r"([1-5]) stars?")


class PredictRoute:
    """A server with the route /predict, as text-embeddings-inference has it."""

    name, words, most, most_bytes, free = NAME, (), MOST_TEXTS, None, True

    def __init__(self, url: str, key: str | None, timeout: float, sides: Mapping[str, str]) -> None:
        """Make the client; no request is sent yet. ``sides`` holds words that have no usual meaning.

        Raises SettingError.
        """
        self._url, self._timeout, self._sides = check_url(url).removesuffix("/predict"), timeout, dict(sides)
        self.key = (NAME, self._url, json.dumps(sorted(self._sides.items())))
        self._seen: set[str] = set()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._client = httpx.Client(
                headers=headers,
                timeout=httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)),
                trust_env=not is_loopback(self._url),
            )
        except (UnicodeError, ValueError) as error:
            raise SettingError("TEI_API_KEY must be printable ASCII") from error

    def ask(self, texts: Sequence[str]) -> list[Answer | Failure]:
        """Return the answers to texts. Raises ServiceError or SettingError."""
        status, body = self._post([[text] for text in texts])
        if status in REFUSED_TEXTS:
            if len(texts) == 1:
                return [Failure(f"http_{status}")]
            return [answer for text in texts for answer in self.ask([text])]
        if status != 200:
            raise self._error(status)
        return [self._answer(scores) for scores in _read(body, len(texts))]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, inputs: list[list[str]]) -> tuple[int, bytes]:
        """Send texts, again after a passing failure, and return the status and the answer."""
        lost: httpx.RequestError | None = None
        for number in range(TRIES):
            time.sleep(FIRST_SECONDS * 2 ** (number - 1) if number else 0)
            try:
                status, body = self._send({"inputs": inputs, "truncate": True})
            except httpx.RequestError as error:
                lost = error
                continue
            if status not in PASSING or number == TRIES - 1:
                return status, body
        raise ServiceError(
            f"{NAME} did not answer at {host_of(self._url)} ({type(lost).__name__}); look at the network, the"
            " URL and --timeout",
            "unreachable",
        ) from lost

    def _send(self, message: dict[str, Any]) -> tuple[int, bytes]:
        deadline, body = time.monotonic() + self._timeout, bytearray()
        with self._client.stream("POST", f"{self._url}/predict", json=message) as response:
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("too slow", request=response.request)
                if len(body) > MAX_ANSWER_BYTES:
                    raise _nonsense("it is too long")
            return response.status_code, bytes(body)

    def _error(self, status: int) -> Exception:
        at = host_of(self._url)
        if status in (401, 403):
            return ServiceError(
                f"{NAME} refused the caller at {at} (HTTP {status}); set TEI_API_KEY", "refused"
            )
        if status in (404, 405):
            return ServiceError(
                f"{at} has no route /predict at this URL (HTTP {status}); does it serve a classifier?",
                "no_route",
            )
        later = "try again later" if status >= 500 or status == 429 else "does it serve a classifier?"
        return ServiceError(f"{NAME} failed at {at} (HTTP {status}); {later}", "failed")

    def _answer(self, scores: dict[str, float]) -> Answer:
        sides = {word: self._side(word, scores) for word in scores}
        self._seen |= sides.keys()
        if len(self._seen) > MAX_WORDS:
            raise _nonsense(f"it has over {MAX_WORDS} labels")
        return answer_of(scores, sides)

    def _side(self, word: str, scores: Mapping[str, float]) -> str:
        side = self._sides.get(word) or usual_side(word)
        if side is None:
            names = ", ".join(name[:SHOWN_CHARACTERS] for name in list(scores)[:8])
            raise SettingError(
                f"the service's labels are {names}; say what they mean, such as"
                f" --sides '{word[:SHOWN_CHARACTERS]}=negative,...' (positive, negative or uncertain)"
            )
        return side


def usual_side(word: str) -> str | None:
    """Return what a label of a classifier usually means; None where it may mean either side.

    >>> usual_side("POSITIVE"), usual_side("4 stars"), usual_side("LABEL_0")
    ('positive', 'positive', None)
    """
    plain = labelled.plain(word)
    if stars := _STARS.fullmatch(plain):
        count = int(stars[1])
        return POSITIVE if count > 3 else NEGATIVE if count < 3 else UNCERTAIN
    if plain in labelled.MIDDLE or plain == "no_opinion":
        return UNCERTAIN
    if plain in labelled.WORDS:
        return POSITIVE if labelled.WORDS[plain] else NEGATIVE
    words = plain.replace("_", " ").split()  # such as "very positive"
    known = {POSITIVE, NEGATIVE} & set(words)
    return known.pop() if len(known) == 1 else None


def parse_sides(text: str) -> dict[str, str]:
    """Return the sides that the flag --sides names. Raises SettingError.

    >>> parse_sides("LABEL_0=negative, LABEL_1=positive")
    {'LABEL_0': 'negative', 'LABEL_1': 'positive'}
    """
    sides = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        word, _, side = (piece.strip() for piece in part.rpartition("="))
        if not word or side not in SIDES:
            raise SettingError(
                "--sides must look like LABEL_0=negative,LABEL_1=positive; a side is positive, negative or"
                " uncertain"
            )
        sides[word] = side
    return sides


def _read(body: bytes, count: int) -> list[dict[str, float]]:
    """Return each text's scores by label. Raises ServiceError for a malformed answer."""
    try:
        lists = json.loads(body)
        if not isinstance(lists, list) or len(lists) != count:
            raise ValueError("not one list a text")
        answers = [{item["label"]: item["score"] for item in scores} for scores in lists]
        for scores in answers:
            if not scores or not all(isinstance(word, str) for word in scores):
                raise ValueError("no label")
            if not all(map(is_score, scores.values())):
                raise ValueError("no score")
        return answers
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _nonsense("it holds no list of labels and scores a text") from error


def _nonsense(reason: str) -> ServiceError:
    return ServiceError(
        f"the answer is none of {NAME}'s ({reason}); does the URL lead to its /predict?", "bad_answer"
    )
