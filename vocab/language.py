"""Guess cheaply whether a review is English, from its function words and its letters."""

from vocab.vocabulary import Encoded

# Below this many words a guess would mostly be wrong.
MIN_WORDS = 4
# Words of other languages' glue, none of which English reviews use often; by code of ISO 639-1.
_FOREIGN = {
    "fr": "le la les des une est et dans que qui pas pour sur avec ce cette très mais vraiment du au il elle je",
    "es": "el la los las una es y en que no por con para muy pero esta este película del lo me más como su",
    "de": "der die das und ist nicht ein eine mit den dem zu auf sehr aber ich es auch war film von sich wie",
    "it": "il la gli una è e di che non per con molto ma questo questa film del della mi sono ho più nel",
    "pt": "o a os as uma é e de que não por com para muito mas este esta filme do da em eu mais foi",
    "nl": "de het een is en van niet met voor maar deze dit ik zeer film op dat te er was heel ook",
    "sv": "den det en är och att inte med för men mycket som på jag filmen av ett har var till så",
    "pl": "ten ta to jest i nie w na z bardzo ale film się że do jak był o za po są mnie",
    "tr": "bir bu ve çok ama için film değil ile da de en gibi daha ne kadar olarak var iyi kötü",
    "id": "yang dan ini itu tidak dengan untuk sangat film dari di ke saya ada tapi juga akan bisa",
}
_SHARED_WITH_ENGLISH = frozenset("a i e o y is me no film do as de in to on his la le die war en".split())
_FOREIGN_WORDS = {
    code: frozenset(words.split()) - _SHARED_WITH_ENGLISH for code, words in _FOREIGN.items()
}
_ENGLISH_WORDS = frozenset(
    "the a an and of to is it in this that was i for with but not as on are you his be have he they from at by"
    " one an who what there if so or about just her she has my we all your its were been had their when"
    " would will no very too don do n't 's".split()
)


def looks_english(encoded: Encoded) -> bool:
    """Say whether the read tokens look like English; short reviews get the benefit of the doubt."""
    tokens = [token.token for token in encoded.tokens]
    words = [token for token in tokens if token[:1].isalpha()]
    if len(words) < MIN_WORDS:
        return True
    if sum(not word.isascii() and not _latin(word) for word in words) > 0.3 * len(words):
        return False
    english = sum(token in _ENGLISH_WORDS for token in tokens)
    foreign = max(sum(word in glue for word in words) for glue in _FOREIGN_WORDS.values())
    if foreign > english:
        return False
    unknown = 1 - encoded.known / max(1, encoded.words)
    return english > 0 or unknown < 0.5


def _latin(word: str) -> bool:
    return all(character < "\u0250" or "\u1e00" <= character <= "\u1eff" for character in word)
