"""Store feedback in the place that FEEDBACK names, and delete it by its id."""

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
from vocab.files import is_file, write_atomic
from vocab.messages import Feedback
from vocab.messages.feedback import ID, SUFFIX, Place, PlaceError, Record, read_place, to_bytes

# Strangers can fill the folder, so it has a limit.
MAX_RECORDS = 10_000
CONNECT_SECONDS, READ_SECONDS = 2, 5
# Only the owner may read the files.
FOLDER_MODE, FILE_MODE = 0o700, 0o600
# What S3 calls an object that is not there, where a deletion asks for one.
MISSING = ("PreconditionFailed", "NoSuchKey")


class Store(Protocol):
    """A place of records. Both methods raise OSError or botocore's errors."""

    def put(self, id: str, data: bytes) -> None:
        """Write a record."""

    def remove(self, id: str) -> bool:
        """Delete a record, and return whether there was one."""


class Folder:
    """Records as files of a folder."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = Path(place.path)

    def put(self, id: str, data: bytes) -> None:
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if sum(entry.name.endswith(SUFFIX) for entry in os.scandir(self._folder)) >= MAX_RECORDS:
            raise Problem(
                503,
                "feedback_full",
                f"{MAX_RECORDS:,} are kept already; the API's owner must take some away",
                RETRY_LATER,
            )
        write_atomic(self._folder / self._place.name_of(id), data, FILE_MODE)

    def remove(self, id: str) -> bool:
        path = self._folder / self._place.name_of(id)
        if not is_file(path):  # a folder, a pipe or a link is nothing that this API has kept
            return False
        path.unlink(missing_ok=True)
        return True


class Bucket:
    """Records as objects in an S3 bucket."""

    def __init__(self, place: Place, client: Any) -> None:
        self._place, self._client = place, client

    def put(self, id: str, data: bytes) -> None:
        self._client.put_object(
            Bucket=self._place.bucket,
            Key=self._place.name_of(id),
            Body=data,
            ContentType="application/json",
        )

    def remove(self, id: str) -> bool:
        where = {"Bucket": self._place.bucket, "Key": self._place.name_of(id)}
        try:
            # Without a condition, S3 does not tell whether there was an object. It needs no other right.
            self._client.delete_object(**where, IfMatch="*")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in MISSING:
                raise
            self._client.delete_object(**where)  # for stores that take * for a hash
            return False
        return True


def is_enabled(env: Mapping[str, str]) -> bool:
    """Return whether feedback is stored. Raises Problem 500 when FEEDBACK can't be used."""
    return _place(env) is not None


def save(feedback: Feedback) -> str:
    """Store feedback and return its id; anyone who knows the id may delete it.

    Raises Problem 404 (not switched on), 500 (not set up) or 503 (can't be stored).
    """
    store, id = _store(), secrets.token_hex(16)
    record = Record(id, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), feedback)
    try:
        store.put(id, to_bytes(record))
    except (OSError, BotoCoreError, ClientError) as error:
        raise _failed(error, "kept; nothing of it is stored") from error
    return id


def delete(id: str) -> None:
    """Delete feedback by its id. Raises Problem 404 (nothing is kept under it), 500 or 503."""
    store = _store()
    if not ID.fullmatch(id):
        detail = "an id of feedback is 32 hex digits; send the one that was answered when it was kept"
        raise Problem(404, "feedback_unknown", detail)
    try:
        found = store.remove(id)
    except (OSError, BotoCoreError, ClientError) as error:
        raise _failed(error, "deleted; try again") from error
    if not found:
        raise Problem(404, "feedback_unknown", "nothing is kept under this id, or it is deleted already")


def check(env: Mapping[str, str]) -> None:
    """Raise PlaceError when FEEDBACK names no folder that can be written to, and no bucket.

    Asks no bucket. Creates the folder, so that a wrong one is noticed before the first correction.
    """
    place = read_place(env.get("FEEDBACK"))
    if place is None or place.bucket:
        return
    folder = Path(place.path)
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise PlaceError(f"FEEDBACK is {place.path[:200]!r}, which can't be used ({reason})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PlaceError(f"FEEDBACK is {place.path[:200]!r}, which can't be used (it can't be written to)")


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


def _failed(error: Exception, outcome: str) -> Problem:
    log.note(error=type(error).__name__)
    return Problem(503, "feedback_unavailable", f"the feedback could not be {outcome}", RETRY_LATER)


@functools.cache
def _client() -> Any:
    config = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 2}
    )
    return boto3.client("s3", config=config)
