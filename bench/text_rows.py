"""Measure text to ids, beside the old app's preprocessing, NLTK's usual one, and BeautifulSoup alone."""

import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from bench.measuring import Contestant, Figure, side_by_side, summarise_turns
from bench.setting import Setting
from training.baselines import old_app
from vocab import vocabulary

PART = "text"
NAMES = (
    "Verdict",
    "Verdict, plain text",
    "BeautifulSoup alone",
    "NLTK tokens and Porter stems",
    "old app's preprocessing",
)
NOTES = {
    "Verdict, plain text": "no < and no & in the review",
    "NLTK tokens and Porter stems": "word_tokenize without its sentence splitter, which needs a download",
    "old app's preprocessing": "stop words read from their file, and a stemmer made, for each word",
}


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield milliseconds a review of about 230 words, warm, one thread."""
    times = side_by_side(contestants(setting), setting.choose(6, 40))
    yield from (summarise_turns(PART, name, times[name], note=NOTES.get(name, "")) for name in NAMES)


def contestants(setting: Setting) -> dict[str, Contestant]:
    """Return the contestants. All get the same reviews with markup, except for the plain case."""
    words = vocabulary.load()
    marked, plain = setting.samples.marked, setting.samples.plain
    calls = (words.encode, words.encode, strip_markup, nltk_stems, old_app_stems)
    return {
        name: Contestant(call, plain if "plain" in name else marked)
        for name, call in zip(NAMES, calls, strict=True)
    }


def strip_markup(review: str) -> str:
    """Remove markup and do nothing else, as the lower bound."""
    from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning

    warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
    return BeautifulSoup(review, "html.parser").get_text(" ")


def nltk_stems(review: str) -> list[str]:
    """Tokenize and stem as NLTK's own book does, with one stemmer for all words."""
    from nltk.tokenize import word_tokenize

    stem = _stemmer().stem
    return [stem(token) for token in word_tokenize(strip_markup(review), preserve_line=True)]


def old_app_stems(review: str) -> list[str]:
    """Preprocess as the old app did, its inefficiencies included."""
    from nltk.stem.porter import PorterStemmer

    text = re.sub("[^a-zA-Z0-9]", " ", strip_markup(review).lower())
    words = [word for word in text.split() if word not in _read_stop_words()]
    return [PorterStemmer().stem(word) for word in words]


def _read_stop_words() -> list[str]:
    return old_app.STOP_WORDS.read_text(encoding="utf-8").split()


@cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()
