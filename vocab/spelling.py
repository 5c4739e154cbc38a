"""Find the known word that a misspelled one stands for: one edit away, with the same first letter."""

from collections.abc import Iterator, Mapping
from string import ascii_lowercase as LETTERS

# Shorter words have too many neighbours; longer ones are no words.
MIN_LETTERS, MAX_LETTERS = 4, 25


def nearest(word: str, known: Mapping[str, int]) -> int | None:
    """Return the id of the known word that ``word`` most likely stands for, or None.

    ``known`` holds the id of each word; a smaller id is a more frequent word. The likeliest kind of edit
    that leads to a known word counts, and in it the most frequent word.

    >>> nearest("sory", {"story": 1, "sorry": 2}), nearest("flim", {"film": 7}), nearest("dog", {"dot": 1})
    (2, 7, None)
    """
    if not MIN_LETTERS <= len(word) <= MAX_LETTERS:
        return None
    for candidates in _edits(word):
        found = candidates & known.keys()
        if found:
            return min(known[word] for word in found)
    return None


def _edits(word: str) -> Iterator[set[str]]:
    """Yield what a word could stand for, the likeliest kind of edit first. The first letter stays.

    Two letters changed places, or one was doubled or not; a letter was left out; one was added; one was
    another.
    """
    size = len(word)
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, size - 1)}
    doubled = {word[:at] + word[at] + word[at:] for at in range(size)}
    single = {word[:at] + word[at + 1 :] for at in range(1, size) if word[at] == word[at - 1]}
    yield swapped | doubled | single
    yield {word[:at] + letter + word[at:] for at in range(1, size + 1) for letter in LETTERS}
    yield {word[:at] + word[at + 1 :] for at in range(1, size)}
    yield {word[:at] + letter + word[at + 1 :] for at in range(1, size) for letter in LETTERS}
