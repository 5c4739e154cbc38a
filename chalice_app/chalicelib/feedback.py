"""Keep what a person says of a verdict, where FEEDBACK names a place for that, and forget it when asked."""

import functools
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import log
from chalicelib.problems import RETRY_LATER, Problem
from vocab.files import write_atomic
from vocab.messages import Feedback
from vocab.messages.feedback import ID, SUFFIX, Place, PlaceError, Record, read_place, to_bytes

# A folder that strangers may fill must have an end.
MAX_KEPT = 10_000
CONNECT_SECONDS, READ_SECONDS = 2, 5
# For the owner of the files alone.
FOLDER_MODE, FILE_MODE = 0o700, 0o600


class Store(Protocol):
    """Where records are put. Both raise OSError, or what botocore raises."""

    def put(self, id: str, data: bytes) -> None:
        """Keep a record."""

    def remove(self, id: str) -> None:
        """Forget a record; one that is not there is forgotten already."""


class Folder:
    """Records as files."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = Path(place.path)

    def put(self, id: str, data: bytes) -> None:
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if sum(entry.name.endswith(SUFFIX) for entry in os.scandir(self._folder)) >= MAX_KEPT:
            raise Problem(
                503,
                "feedback_full",
                f"{MAX_KEPT:,} are kept already; the API's owner must take some away",
                RETRY_LATER,
            )
        write_atomic(self._folder / self._place.name_of(id), data, FILE_MODE)

    def remove(self, id: str) -> None:
        (self._folder / self._place.name_of(id)).unlink(missing_ok=True)


class Bucket:
    """Records as objects of S3, behind a boto3 client."""

    def __init__(self, place: Place, client: Any) -> None:
        self._place, self._client = place, client

    def put(self, id: str, data: bytes) -> None:
        self._client.put_object(
            Bucket=self._place.bucket,
            Key=self._place.name_of(id),
            Body=data,
            ContentType="application/json",
        )

    def remove(self, id: str) -> None:
        self._client.delete_object(Bucket=self._place.bucket, Key=self._place.name_of(id))


def is_on(env: Mapping[str, str]) -> bool:
    """Say whether feedback is kept. Raises Problem 500 when FEEDBACK names no place."""
    return _place(env) is not None


def keep(feedback: Feedback) -> str:
    """Keep feedback, and give the id by which it can be deleted: whoever knows it may.

    Raises Problem 404 (not switched on), 500 (not set up) or 503 (can't be kept).
    """
    store, id = _store(), secrets.token_hex(16)
    record = Record(id, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), feedback)
    try:
        store.put(id, to_bytes(record))
    except (OSError, BotoCoreError, ClientError) as error:
        raise _failed(error, "kept; nothing of it is stored") from error
    return id


def forget(id: str) -> None:
    """Delete feedback by its id. Raises Problem 404, 500 or 503."""
    store = _store()
    if not ID.fullmatch(id):
        raise Problem(404, "not_found", "an id of feedback is 32 hex digits, as it was answered when kept")
    try:
        store.remove(id)
    except (OSError, BotoCoreError, ClientError) as error:
        raise _failed(error, "deleted; try again") from error


def _store() -> Store:
    place = _place(os.environ)
    if place is None:
        raise Problem(404, "feedback_off", "this API keeps no feedback; its owner has not set FEEDBACK")
    return Bucket(place, _client()) if place.bucket else Folder(place)


def _place(env: Mapping[str, str]) -> Place | None:
    try:
        return read_place(env.get("FEEDBACK"))
    except PlaceError as error:
        raise Problem(500, "misconfigured", "the app's place for feedback is not set up") from error


def _failed(error: Exception, what: str) -> Problem:
    log.note(error=type(error).__name__)
    return Problem(503, "feedback_unavailable", f"the feedback could not be {what}", RETRY_LATER)


@functools.cache
def _client() -> Any:
    config = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 2}
    )
    return boto3.client("s3", config=config)
