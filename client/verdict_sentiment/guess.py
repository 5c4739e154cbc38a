"""Refuse a word that looks like a command or a file, and say what was probably meant."""

import os
import re
from collections.abc import Collection
from difflib import get_close_matches

from verdict_sentiment.backends import UsageError

# How alike a word and a command's name are, 0 to 1: "adpat" and "adapt" 0.8, "best" and "suggest" 0.73.
ALIKE = 0.75
# Endings of files with rows, readable here or not. Any review may end with another word after a dot.
ROWS = re.compile(r"\.(csv|tsv|jsonl?|ndjson|txt|xlsx?|ods|parquet|pdf|html?|gz|zip)$", re.IGNORECASE)
# One word with such an ending is a file's name; "8.5/10" and "Mr.Bean" are none.
ENDING = re.compile(r"[^\s.]\.([a-z][a-z0-9]{0,4}|[A-Z][A-Z0-9]{0,4})$")
# It begins like a path, or has folders within folders; "8/10" and "1/2/2020" are none.
PLACES = re.compile(r"((\.{0,2}/|~\w*/|[A-Za-z]:[/\\])\S*|[^\s/]*[A-Za-z][^\s/]*/[^\s/]+/\S*)$")
SHOWN = 200


def near_command(word: str, commands: Collection[str]) -> str | None:
    """Return the command that a word is or nearly is, or None.

    >>> near_command("adpat", ["adapt", "serve"])
    'adapt'
    """
    return next(iter(get_close_matches(word.lower(), commands, 1, ALIKE)), None)


def refuse_command(word: str, commands: Collection[str]) -> None:
    """Raise UsageError for a word that is nearly a command, or one that does not stand first."""
    near = near_command(word, commands)
    if near == word:
        raise UsageError(
            f"a command stands first; did you mean verdict {word}? For a review, give --text {word}"
        )
    if near:
        raise UsageError(
            f"there is no command {word!r}; did you mean verdict {near}? For a review, give --text {word}"
        )


def refuse_words(words: Collection[str], near: str | None) -> None:
    """Raise UsageError for several words without quotes; ``near`` is the command that was probably meant."""
    first, *_ = words
    if near:
        raise UsageError(
            f"there is no command {first!r}; did you mean verdict {near}? For a review, put it in quotes"
        )
    raise UsageError(f"{len(words)} texts came, send one: put a review in quotes")


def refuse_path(text: str) -> None:
    """Raise UsageError for a text that looks like the path of a file or folder; none is there."""
    if looks_like_path(text):
        raise UsageError(no_file(text))


def no_file(name: str) -> str:
    """Return the sentence for a file that is not there."""
    folder, wanted = os.path.split(os.path.expanduser(name))
    near = get_close_matches(wanted, _names(folder or "."), 1)
    meant = repr(os.path.join(folder, near[0])) if near else "a file in another folder"
    return f"there is no file {name[:SHOWN]!r}; did you mean {meant}? For a review, give --text"


def looks_like_path(text: str) -> bool:
    """Return whether a text is a path rather than a review.

    >>> [looks_like_path(text) for text in ("my missing reviews.csv", "no/such/file", "8/10", "Great.")]
    [True, True, False, False]
    """
    if "\n" in text:
        return False
    one_word = len(text.split()) == 1
    return bool(ROWS.search(text)) or (one_word and bool(ENDING.search(text) or PLACES.match(text)))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
