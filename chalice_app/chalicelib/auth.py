"""Check API keys when AUTH=key. By default no route needs a key.

API_KEYS holds only the SHA-256 of each key. That is safe, because chalice_app/local/new_key.py makes random
keys; slow hashes are for passwords that people choose.
"""

import functools
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping

from chalice.app import Chalice, Response

from chalicelib import compatible
from chalicelib.problems import Problem
from vocab import typed

MODES = ("none", "key")
_HASH = re.compile(r"[0-9a-f]{64}")


class AuthError(ValueError):
    """AUTH or API_KEYS has a value that can't be used."""


def read_hashes(env: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the SHA-256 of each key in hex, or None when no key is needed. Raises AuthError.

    >>> read_hashes({"AUTH": "none"}) is None
    True
    """
    mode = env.get("AUTH") or "none"
    if mode not in MODES:
        raise AuthError(f"AUTH must be {' or '.join(MODES)}, got {mode[:20]!r}")
    if mode == "none":
        return None
    hashes = tuple(part.strip().lower() for part in (env.get("API_KEYS") or "").split(",") if part.strip())
    if not hashes or not all(_HASH.fullmatch(digest) for digest in hashes):
        make = "`make key` makes a key and prints its own"
        how = "`printf %s KEY | sha256sum` prints it" if typed.INSTALLED else make
        raise AuthError(
            f"API_KEYS must hold the SHA-256 of each key as 64 hex digits, with commas between; {how}"
        )
    return hashes


def hash_of(key: str) -> str:
    """Return the hash of a key, as API_KEYS holds it."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def check(key: str | None) -> None:
    """Check a request's key when one is needed. Raises Problem 401, or 500 (not set up)."""
    try:
        hashes = read_hashes(os.environ)
    except AuthError as error:
        raise Problem(
            500, "misconfigured", "the app's API keys are not set up; AUTH and API_KEYS say which"
        ) from error
    if hashes is None:
        return
    if key is None:
        raise _unauthorized("this API wants a key; send yours in the header X-Api-Key")
    # Every hash is compared to its end, so that the time reveals nothing about the keys.
    if not any([hmac.compare_digest(hash_of(key), digest) for digest in hashes]):
        raise _unauthorized("the key in X-Api-Key is not one of this API's; ask its owner for another")


def required(view: Callable[[], Response], app: Chalice) -> Callable[[], Response]:
    """Wrap a view so that it checks the key first."""

    @functools.wraps(view)
    def checked() -> Response:
        request = app.current_request
        check(compatible.key_of(request.path, request.headers) if request else None)
        return view()

    return checked


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, {"WWW-Authenticate": 'ApiKey realm="verdict"'})
