"""Check a request's line and headers, by the same rules for both servers of this machine.

Granian has read the head already when these rules see it. The development server applies the rules of
Granian's parser too, because Python's own takes much that is no HTTP.
"""

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, unquote

from chalice.local import MatchResult, RouteMatcher

import app as verdict_app
from chalicelib.problems import Problem
from vocab.messages import MAX_BODY_BYTES
from vocab.messages.body import too_large

# A head of more bytes gets a 431. API Gateway's own limit for headers is 10,240 bytes.
MAX_HEAD_BYTES = 65_536
# The longest body that HTTP libraries count, in 64 bits.
MAX_LENGTH = 2**64 - 1
# Headers that decide how a request is read. Of two, one server takes the first and another the last.
SINGLE = {"host": "Host", "content-type": "Content-Type"}
# A value that is not ASCII is ignored, but these have to be read.
READ = SINGLE | {"content-encoding": "Content-Encoding"}
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PATH, _QUERY = r"[!-;=@-_a-~\x80-\xff]*", r"(?:\?[!#-;=?-~\x80-\xff]*)?"
_HOST = r"[A-Za-z0-9._~:@\[\]%-]+"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*://[^/?# ]+"
# RFC 9112, 3: one space between method, target and version. The target is a path, a URL, a host, or *.
_LINE = re.compile(
    rf"{_WORD} (\*|/{_PATH}{_QUERY}|{_SCHEME}(?:/{_PATH})?{_QUERY}|{_HOST}) HTTP/1\.[01]\r?\n".encode()
)
_ORIGIN, _NAME = re.compile(_SCHEME), re.compile(_WORD)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Headers(NamedTuple):
    """A request's headers: the values by name in lower case, and the names that have several values or none.

    Several values of one name are joined by commas (RFC 9110, 5.3). A value that is not ASCII is left out.
    """

    values: dict[str, str]
    repeated: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


def join(pairs: Iterable[tuple[str, str]], names: Iterable[str] = ()) -> Headers:
    """Return the headers of pairs. ``names`` are all names in lower case, also of values that are left out.

    >>> join([("Accept", "text/csv"), ("accept", "*/*")]).values
    {'accept': 'text/csv, */*'}
    """
    values: dict[str, str] = {}
    repeated = set()
    for name, value in pairs:
        name = name.lower()
        if name in values:
            repeated.add(name)
            value = f"{values[name]}, {value}"
        values[name] = value
    return Headers(values, frozenset(repeated), frozenset(names) - values.keys())


def check(headers: Headers, version: str) -> None:
    """Raise Problem 400, 413 or 431 when the headers are too large, or leave open how to read the request."""
    if sum(len(name) + len(value) for name, value in headers.values.items()) > MAX_HEAD_BYTES:
        raise Problem(431, "bad_request", f"the headers have over {MAX_HEAD_BYTES:,} bytes; send fewer")
    for name in SINGLE.keys() & headers.repeated:
        raise Problem(400, "bad_request", f"two {SINGLE[name]} headers came; send one")
    for name in READ.keys() & headers.unread:
        raise Problem(400, "bad_request", f"{READ[name]} is not ASCII; send it in ASCII")
    if version == "1.1" and "host" not in headers.values:
        raise Problem(400, "bad_request", "the header Host is missing; HTTP/1.1 needs it")
    if (length := body_length(headers.values)) > MAX_BODY_BYTES:
        raise Problem(413, "too_large", too_large(length, MAX_BODY_BYTES))


def body_length(headers: dict[str, str]) -> int:
    """Return the Content-Length, 0 without one. Raises Problem 400."""
    text = headers.get("content-length", "0").strip(" \t")
    if not (text.isascii() and text.isdigit()) or len(text) > 30 or int(text) > MAX_LENGTH:
        raise Problem(400, "bad_request", "Content-Length must be a whole number")
    return int(text)


def is_line(line: bytes) -> bool:
    """Return whether a line is a request's first one, of HTTP/1.0 or 1.1.

    >>> is_line(b"GET /v1/health HTTP/1.1\\r\\n"), is_line(b"GET  /v1/health HTTP/1.1\\r\\n")
    (True, False)
    """
    match = _LINE.fullmatch(line)
    try:
        return match is not None and bool(match[1].decode())
    except UnicodeDecodeError:
        return False


def is_header(name: str, value: str) -> bool:
    """Return whether a header has a name that is a token, and a value without control characters."""
    return bool(_NAME.fullmatch(name)) and not _CONTROL.search(value)


def split_target(target: str) -> tuple[str, str]:
    """Return a request target's decoded path and its query.

    >>> split_target("http://127.0.0.1/v1%2Fhealth?a=%20#b")
    ('/v1/health', 'a=%20')
    """
    path, _, query = target.partition("#")[0].partition("?")
    if origin := _ORIGIN.match(path):
        path = path[origin.end() :] or "/"
    return unquote(path), query


def gateway_path(path: str, query: str) -> str:
    """Return a decoded path and a query for Chalice's local gateway; an escaped slash is a slash."""
    return f"{quote(path)}?{query}" if query else quote(path)


class GreedyMatcher(RouteMatcher):
    """Chalice's matcher, in which {proxy+} matches every other path, as on API Gateway."""

    def match_route(self, url: str) -> MatchResult:
        try:
            return super().match_route(f"http://local{url}")  # or // would begin a host
        except ValueError:
            return MatchResult(verdict_app.UNKNOWN_PATHS[0], {"proxy": ""}, {})


def route_of(path: str) -> str:
    """Return the route of a decoded path as a pattern, which holds none of the caller's words."""
    if path in verdict_app.app.routes and "{" not in path:  # most paths need no match
        return path
    return str(_matcher().match_route(quote(path)).route)


@functools.cache
def _matcher() -> GreedyMatcher:
    return GreedyMatcher(list(verdict_app.app.routes))
