"""Speak other people's protocols beside our own, where the variable COMPATIBLE names them.

Each module turns a foreign request into one of ours, our answer into a foreign one, and a problem into the
protocol's own error. docs/api.md, "Other protocols", says what a caller may expect.
"""

import functools
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from chalicelib.compatible import comprehend, text_embeddings
from chalicelib.compatible.parts import Headers, Refusal
from chalicelib.problems import Problem

# The value that speaks our own protocol alone, as an unset variable does.
NONE = "none"


class CompatibleError(ValueError):
    """COMPATIBLE names a protocol that is not spoken."""


class Protocol(NamedTuple):
    """A protocol: whether a request to a path speaks it, the key that it carries, and the form of errors."""

    speaks: Callable[[str, Headers], bool]
    key_of: Callable[[Headers], str | None]
    refuse: Callable[[Problem, str], Refusal]


PROTOCOLS = {
    "comprehend": Protocol(comprehend.speaks, comprehend.key_of, comprehend.refuse),
    "tei": Protocol(text_embeddings.speaks, text_embeddings.key_of, text_embeddings.refuse),
}


def read_protocols(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the protocols that COMPATIBLE asks for. Raises CompatibleError.

    >>> read_protocols({"COMPATIBLE": "tei, comprehend"})
    ('tei', 'comprehend')
    """
    return _names(env.get("COMPATIBLE") or NONE)


def speaker(path: str, headers: Headers) -> Protocol | None:
    """Return the protocol that a request speaks, or None for our own. Raises CompatibleError."""
    spoken = (PROTOCOLS[name] for name in read_protocols(os.environ))
    return next((protocol for protocol in spoken if protocol.speaks(path, headers)), None)


def key_of(path: str, headers: Headers) -> str | None:
    """Return the API key of a request, from where its protocol carries it."""
    protocol = speaker(path, headers)
    return protocol.key_of(headers) if protocol else headers.get("x-api-key")


@functools.lru_cache(maxsize=8)
def _names(value: str) -> tuple[str, ...]:
    if value.strip() == NONE:
        return ()
    names = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
    if unknown := [name for name in names if name not in PROTOCOLS]:
        raise CompatibleError(
            f"COMPATIBLE must be {NONE}, or one or several of {', '.join(PROTOCOLS)} with commas between,"
            f" got {unknown[0][:30]!r}"
        )
    return names
