"""Guess whether a review is English, from its function words, its alphabet and its unknown words."""

from collections import Counter
from typing import NamedTuple

from vocab.vocabulary import FIRST_KNOWN_ID, EncodedReview

# With fewer words in Latin letters the guess is mostly wrong.
MIN_WORDS = 4
# A single foreign word is a name, a slip or a quotation.
MIN_FOREIGN = 2
# A slip of a known word weighs less than an unknown word; a known word less than an English function word.
# Chosen on the open half of the foreign sentences, beside English ones with slips in their longer words.
SLIP_WEIGHT, KNOWN_WEIGHT = 0.25, 0.2
# Above this share of words in another alphabet, the review is in another language.
MAX_OTHER_ALPHABET = 0.5

# Function words of other languages that are rare in English reviews, by ISO 639-1 code.
_FOREIGN = {
    "fr": "le la les des une est et dans que qui pas pour sur avec ce cette très mais vraiment du au il elle"
    " je un",
    "es": "el la los las una es y en que no por con para muy pero esta este película del lo me más como su",
    "de": "der die das und ist nicht ein eine mit den dem zu auf sehr aber ich es auch war film von sich wie"
    " so nie",
    "it": "il la gli una è e di che non per con molto ma questo questa film del della mi sono ho più nel",
    "pt": "o a os as uma é e de que não por com para muito mas este esta filme do da em eu mais foi",
    "nl": "de het een is en van niet met voor maar deze dit ik zeer film op dat te er was heel ook",
    "sv": "den det en är och att inte med för men mycket som på jag filmen av ett har var till så",
    "da": "den det en er og at ikke med for men meget som på jeg filmen af et har var til så",
    "pl": "ten ta to jest i nie w na z bardzo ale film się że do jak był o za po są mnie",
    "cs": "ten ta to je a se na z velmi ale film že do jak byl o za po jsou mi opravdu",
    "tr": "bir bu ve çok ama için film değil ile da de en gibi daha ne kadar olarak var iyi kötü",
    "id": "yang dan ini itu tidak dengan untuk sangat film dari di ke saya ada tapi juga akan bisa",
}
_SHARED_WITH_ENGLISH = frozenset("a e o y w z me film do de la le die war en un men har av".split())
_ENGLISH_WORDS = frozenset(
    "the a an and of to is it in this that was i for with but not as on are you his be have he they from at"
    " by one an who what there if so or about just her she has my we all your its were been had their when"
    " would will no very too don do n't 's still him them than more even only which into how much could"
    " because out up".split()
)
_LANGUAGES_OF: dict[str, list[str]] = {}
for _code, _words in _FOREIGN.items():
    for _word in frozenset(_words.split()) - _SHARED_WITH_ENGLISH - _ENGLISH_WORDS:
        _LANGUAGES_OF.setdefault(_word, []).append(_code)


def looks_english(encoded: EncodedReview) -> bool:
    """Return whether a review looks like English. A very short one does unless in another alphabet.

    English function words count for English, and other known words a little. Unknown words and the function
    words of the likeliest other language count against it, slips of known words a little. Capitalised words
    count on neither side: they are names.
    """
    names = encoded.tokens.names
    if not encoded.text.isascii():
        words = [name for name in names if name[0].isalpha()]
        if sum(not _latin(word) for word in words if not word.isascii()) > MAX_OTHER_ALPHABET * len(words):
            return False
    if min(encoded.ids, default=FIRST_KNOWN_ID) >= FIRST_KNOWN_ID and not encoded.slips:
        if _LANGUAGES_OF.keys().isdisjoint(names):  # most reviews end here, at once
            return True
    found = _counts(encoded)
    strange = found.unknown + found.slips + found.foreign
    if strange < MIN_FOREIGN or sum(name[0].isalpha() for name in names) < MIN_WORDS:
        return True
    against = found.unknown + SLIP_WEIGHT * found.slips + found.foreign
    return against <= found.english + KNOWN_WEIGHT * found.known


class _Counts(NamedTuple):
    """Hold the number of words of each kind; ``foreign`` is of the likeliest other language."""

    english: int
    known: int
    unknown: int
    slips: int
    foreign: int


def _counts(encoded: EncodedReview) -> _Counts:
    """Count the words of each kind: English function words, and of the others those that are no names."""
    names, starts, ends = encoded.tokens
    kinds, languages = Counter[str](), Counter[str]()
    slips = frozenset(encoded.slips)  # a foreign word may be a slip of an English one by chance
    for index, name in enumerate(names):
        if name in _ENGLISH_WORDS:
            kinds["english"] += 1
        elif not name[0].isalpha() or _is_name(encoded.text[starts[index] : ends[index]]):
            continue
        elif encoded.ids[index] < FIRST_KNOWN_ID:
            kinds["unknown"] += 1
        elif index in slips:
            kinds["slips"] += 1
        elif name in _LANGUAGES_OF:
            languages.update(_LANGUAGES_OF[name])
        else:
            kinds["known"] += 1
    return _Counts(
        kinds["english"], kinds["known"], kinds["unknown"], kinds["slips"], max(languages.values(), default=0)
    )


def _is_name(surface: str) -> bool:
    return surface[0].isupper() and not surface[1:].isupper()


def _latin(word: str) -> bool:
    return word.isascii() or all(
        character < "\u0250" or "\u1e00" <= character <= "\u1eff" for character in word
    )
