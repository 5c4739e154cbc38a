"""Aspects in messages: what a request names, and what is answered of each."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from vocab.aspect_lists import SHIPPED
from vocab.aspects import Aspect, Mention, Mentions, stems_of
from vocab.messages.body import describe_type
from vocab.messages.errors import MessageError
from vocab.messages.scores import AspectScore, rounded

MAX_ASPECTS = 20
MAX_NAME_CHARACTERS = 40
MAX_TERMS = 50
MAX_TERM_WORDS = 5
MAX_TERM_CHARACTERS = 100
# The clauses of all aspects in the reviews of one request. Their answers have some 100 bytes each.
MAX_MENTIONS = 50_000
NOT_MENTIONED = "not_mentioned"

# What a request names: a shipped list, or terms by aspect.
AspectsValue = str | Mapping[str, Sequence[str]]

_FORM = 'send {"music": ["music", "score"]}, or ' + " or ".join(f'"{name}"' for name in SHIPPED)


def parse_aspects(value: object) -> tuple[Aspect, ...]:
    """Parse a request's ``aspects``: the name of a shipped list, or an object of names with their terms.

    Raises MessageError 400.
    """
    if isinstance(value, str):
        if value not in SHIPPED:
            shown = repr(value) if value.isascii() and len(value) <= 20 else describe_type(value)
            raise _wrong(f"aspects must be an object, or a list's name ({', '.join(SHIPPED)}), got {shown}")
        value = SHIPPED[value]
    if not isinstance(value, Mapping):
        raise MessageError(
            400,
            "wrong_type",
            f"aspects must be an object or a list's name, got {describe_type(value)}; {_FORM}",
        )
    if not 1 <= len(value) <= MAX_ASPECTS:
        raise _wrong(f"aspects holds {len(value):,} names; send 1 to {MAX_ASPECTS}")
    names: set[str] = set()
    for name in value:
        _check_name(name)
        if name.casefold() in names:
            raise _wrong(f"the aspect {name!r} is named twice, in capitals or not; send it once")
        names.add(name.casefold())
    return _aspects(tuple((name, _terms(name, terms)) for name, terms in value.items()))


def aspects_field(message: Mapping[str, object]) -> tuple[Aspect, ...] | None:
    """Return the message's ``aspects``, parsed; None where it has none. Raises MessageError 400."""
    return parse_aspects(message["aspects"]) if "aspects" in message else None


def check_mentions(mentions: Sequence[Mentions]) -> None:
    """Raise MessageError 413 where a request's reviews have too many mentions to be answered together."""
    count = sum(len(found) for review in mentions for found in review.values())
    if count > MAX_MENTIONS:
        raise MessageError(
            413,
            "too_large",
            f"the reviews mention aspects {count:,} times, at most {MAX_MENTIONS:,} are answered in a"
            " request; send fewer reviews or aspects",
        )


def named_scores(
    mentions: Mentions, scores: Sequence[AspectScore]
) -> dict[str, tuple[AspectScore, list[Mention]]]:
    """Return the score of each aspect that is mentioned, with its mentions."""
    named = [(name, found) for name, found in mentions.items() if found]
    return {name: (score, found) for (name, found), score in zip(named, scores, strict=True)}


def contributions_of(named: Mapping[str, tuple[AspectScore, list[Mention]]]) -> dict[str, float]:
    """Return each aspect's part of the logit: a clause of several aspects is divided among them evenly."""
    owners = Counter((mention.first, mention.last) for _, found in named.values() for mention in found)
    return {
        name: rounded(
            math.fsum(
                contribution / owners[mention.first, mention.last]
                for contribution, mention in zip(score.contributions, found, strict=True)
            )
        )
        for name, (score, found) in named.items()
    }


def _wrong(detail: str) -> MessageError:
    return MessageError(400, "bad_value", detail)


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise MessageError(400, "wrong_type", f"an aspect's name must be a string, got {describe_type(name)}")
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        raise _wrong(f"an aspect's name has 1 to {MAX_NAME_CHARACTERS} characters, got {len(name):,}")
    if not name.isprintable() or name != name.strip():
        raise _wrong("an aspect's name holds no line breaks or invisible signs, and no spaces around it")


def _terms(name: str, terms: object) -> tuple[str, ...]:
    """Return the terms of an aspect, checked in all but their words. Raises MessageError 400."""
    if not isinstance(terms, (list, tuple)):
        raise MessageError(
            400, "wrong_type", f"the terms of {name!r} must be a list, got {describe_type(terms)}; {_FORM}"
        )
    if not 1 <= len(terms) <= MAX_TERMS:
        raise _wrong(f"the terms of {name!r} are {len(terms):,}; send 1 to {MAX_TERMS}")
    for term in terms:
        if not isinstance(term, str):
            raise MessageError(
                400, "wrong_type", f"each term of {name!r} must be a string, got {describe_type(term)}"
            )
        if len(term) > MAX_TERM_CHARACTERS:
            raise _wrong(
                f"a term of {name!r} has {len(term):,} characters, at most {MAX_TERM_CHARACTERS} are read"
            )
    return tuple(terms)


@lru_cache(maxsize=64)
def _aspects(named: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Aspect, ...]:
    return tuple(Aspect(name, tuple(_stems(name, term) for term in terms)) for name, terms in named)


def _stems(name: str, term: str) -> tuple[str, ...]:
    stems = stems_of(term)
    if not 1 <= len(stems) <= MAX_TERM_WORDS:
        raise _wrong(f"a term of {name!r} has {len(stems)} words; send 1 to {MAX_TERM_WORDS}")
    return stems
