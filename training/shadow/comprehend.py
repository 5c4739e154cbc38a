"""Send reviews to Amazon Comprehend's BatchDetectSentiment by boto3, with the user's own credentials."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from training.shadow.services import (
    CONNECT_SECONDS,
    NEGATIVE,
    POSITIVE,
    UNCERTAIN,
    Answer,
    Failure,
    ServiceError,
    SettingError,
    answer_of,
    host_of,
    is_loopback,
    is_score,
)

NAME = "Comprehend"
SIDES = {"POSITIVE": POSITIVE, "NEGATIVE": NEGATIVE, "NEUTRAL": UNCERTAIN, "MIXED": UNCERTAIN}
# Limits of BatchDetectSentiment: texts of a call, and bytes of a text in UTF-8.
MOST_TEXTS, MOST_BYTES = 25, 5_000
# botocore waits longer before each try.
TRIES = 8
LOOPBACK_REGION = "us-east-1"
INSTALL = "pip install 'verdict-sentiment[aws]'"
# Codes of a caller that Comprehend does not let in.
REFUSALS = (
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "SubscriptionRequiredException",
    "UnrecognizedClientException",
)
# What botocore raises for JSON of another shape.
_MISREAD = (TypeError, ValueError, KeyError, AttributeError)
THROTTLED = ("ThrottlingException", "TooManyRequestsException", "Throttling", "RequestLimitExceeded")


class Comprehend:
    """Amazon Comprehend in the user's region, or what speaks its protocol at a URL."""

    name, words, most, most_bytes = NAME, tuple(SIDES), MOST_TEXTS, MOST_BYTES

    def __init__(self, url: str | None, language: str, timeout: float) -> None:
        """Make the client; no request is sent yet. Raises SettingError."""
        self.free = url is not None and is_loopback(url)
        self._client = _client(url, timeout)
        self._language, self._at = language, host_of(self._client.meta.endpoint_url)
        self.key = (NAME, url or "", language)

    def ask(self, texts: Sequence[str]) -> list[Answer | Failure]:
        """Return the answers to at most MOST_TEXTS texts. Raises ServiceError or SettingError."""
        call = functools.partial(
            self._client.batch_detect_sentiment, TextList=list(texts), LanguageCode=self._language
        )
        return _answers(self._called(call), len(texts))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _called(self, call: Callable[[], Any]) -> Any:
        from botocore import exceptions
        from botocore.parsers import ResponseParserError

        try:
            return call()
        except exceptions.ClientError as error:
            raise _refusal(error.response, self._at) from error
        except (exceptions.NoCredentialsError, exceptions.CredentialRetrievalError) as error:
            raise _no_credentials() from error
        except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
            raise ServiceError(
                f"{NAME} did not answer at {self._at} ({type(error).__name__}); look at the network, the URL"
                " and --timeout",
                "unreachable",
            ) from error
        except (ResponseParserError, exceptions.BotoCoreError, *_MISREAD) as error:
            raise _nonsense(type(error).__name__) from error


def _client(url: str | None, timeout: float) -> Any:
    try:
        import boto3
        from botocore import exceptions
        from botocore.config import Config
    except ModuleNotFoundError as error:
        raise SettingError(f"{error.name} is not installed, which {NAME} needs; run: {INSTALL}") from error
    loopback = url is not None and is_loopback(url)
    config = Config(
        connect_timeout=min(CONNECT_SECONDS, timeout),
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        proxies={} if loopback else None,
    )
    try:
        session = boto3.Session()
        if session.get_credentials() is None:
            if not loopback:
                raise _no_credentials()
            session = boto3.Session("shadow", "shadow", region_name=LOOPBACK_REGION)
        region = session.region_name or (LOOPBACK_REGION if url else None)
        return session.client("comprehend", endpoint_url=url, region_name=region, config=config)
    except exceptions.NoRegionError as error:
        raise SettingError(f"no AWS region is set for {NAME}; set AWS_DEFAULT_REGION") from error
    except (exceptions.BotoCoreError, ValueError) as error:
        sentence = str(error).rstrip(".")
        raise SettingError(f"boto3 can't make a client for {NAME}: {sentence}; look at ~/.aws") from error


def _no_credentials() -> SettingError:
    return SettingError(
        f"no AWS credentials were found for {NAME}; run `aws configure`, or set AWS_PROFILE, or"
        " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )


def _refusal(response: dict[str, Any], at: str) -> Exception:
    code = str(response.get("Error", {}).get("Code", "unknown"))[:80]
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in REFUSALS or status in (401, 403):
        return ServiceError(
            f"{NAME} refused the caller at {at} ({code}); use a key that may comprehend:BatchDetectSentiment",
            "refused",
        )
    if code in THROTTLED or status == 429:
        return ServiceError(f"{NAME} throttled {TRIES} tries at {at} ({code}); try again later", "throttled")
    if code == "UnsupportedLanguageException":
        return SettingError(f"{NAME} does not know this language; name another with --language")
    later = "try again later" if status >= 500 else "does it speak Comprehend's protocol?"
    return ServiceError(f"{NAME} failed at {at} ({code}, HTTP {status}); {later}", "failed")


def _answers(message: Any, count: int) -> list[Answer | Failure]:
    """Return the answers of a reply to so many texts. Raises ServiceError for a malformed one."""
    answers: list[Answer | Failure | None] = [None] * count
    try:
        for item in message["ResultList"]:
            answers[_place(item, answers)] = _answer(item)
        for item in message["ErrorList"]:
            answers[_place(item, answers)] = Failure(str(item["ErrorCode"])[:80])
    except _MISREAD as error:
        raise _nonsense("a field is missing or wrong") from error
    if any(answer is None for answer in answers):
        raise _nonsense("a text has neither answer nor error")
    return [answer for answer in answers if answer is not None]


def _place(item: dict[str, Any], answers: Sequence[object]) -> int:
    place = item["Index"]
    if type(place) is not int or not 0 <= place < len(answers) or answers[place] is not None:
        raise ValueError("no place of a text, or one twice")
    return place


def _answer(item: dict[str, Any]) -> Answer:
    scores = {word: item["SentimentScore"][word.capitalize()] for word in SIDES}
    if not all(map(is_score, scores.values())) or item["Sentiment"] not in SIDES:
        raise ValueError("no score or no sentiment")
    return answer_of(scores, SIDES, item["Sentiment"])


def _nonsense(reason: str) -> ServiceError:
    return ServiceError(
        f"the answer is none of {NAME}'s ({reason}); does the URL lead to {NAME}?", "bad_answer"
    )
