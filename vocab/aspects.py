"""Find what a review says about aspects that are named by terms: the clauses that mention each.

A clause is a sentence, or a part of one where "but", "though" or ";" part it. Words are compared by stem, so
"actor" finds "actors". A term's word in -ing finds only that and its plural: "ending" finds "endings", but
not "in the end". A mention may be negated: "no music" speaks of the music that is not there.
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from vocab.text import Sentence, clean, is_word, tokenize
from vocab.vocabulary import MAX_STEMMED_LETTERS, EncodedReview, stem_of

# Each part of a sentence that is cut has at least so many words.
MIN_CLAUSE_WORDS = 2
# The words of a negation and its term are at most so many tokens apart.
NEGATION_TOKENS = 5


class Aspect(NamedTuple):
    """A subject that reviews speak of: its name, and its terms, each the stems of its words."""

    name: str
    terms: tuple[tuple[str, ...], ...]


class Mention(NamedTuple):
    """A clause that names an aspect, the tokens ``[first, last)`` of a review.

    The term is the tokens ``[term_first, term_last)``. ``negated`` is true where the clause says that there
    is no such thing: "no music", "without any plot", "there isn't a story".
    """

    first: int
    last: int
    term_first: int
    term_last: int
    negated: bool


# The mentions of each aspect that a request names, in its order; an empty list where there are none.
Mentions = dict[str, list[Mention]]


def stems_of(term: str) -> tuple[str, ...]:
    """Return the stems of a term's words; signs between them do not count, and a word in -ing stays.

    >>> stems_of("Special-effects"), stems_of("endings")
    (('special', 'effect'), ('ending',))
    """
    return tuple(_keys(name)[-1] for name in tokenize(clean(term)).names if is_word(name))


def find_mentions(encoded: EncodedReview, aspects: Sequence[Aspect]) -> list[list[Mention]]:
    """Return the mentions of each aspect, in the review's order; one a clause.

    Of a clause's several terms the first counts that is not negated, or the first. A longer phrase takes
    the place of a shorter one that starts with the same word.
    """
    index = _index_of(tuple(aspects))
    found: list[list[Mention]] = [[] for _ in aspects]
    names = encoded.tokens.names
    keys = list(map(_keys, names))
    for sentence in encoded.sentences:
        terms = list(_terms(keys, sentence, index))
        if not terms:
            continue
        parts = clauses(names, sentence.first, sentence.last)
        for aspect, start, end in terms:
            first, last = parts[bisect(parts, (start, sentence.last)) - 1]
            if end <= last:
                _add(found[aspect], names, first, last, start, end)
    return found


def name_mentions(encoded: EncodedReview, aspects: Sequence[Aspect]) -> Mentions:
    """Return the mentions of ``find_mentions`` by the aspects' names."""
    found = find_mentions(encoded, aspects)
    return {aspect.name: mentions for aspect, mentions in zip(aspects, found, strict=True)}


def spans_of(mentions: Mentions) -> list[list[tuple[int, int]]]:
    """Return the clauses of each aspect that is mentioned, as the endpoint takes them."""
    return [[(mention.first, mention.last) for mention in found] for found in mentions.values() if found]


# --- clauses ------------------------------------------------------------------------------------

_COMMA = frozenset({",", "-", ";", ":"})
# A sentence is cut before these words, and after a semicolon.
_PARTING = frozenset({"but", "though", "although", "however", "while", "whereas", "yet", "except"})
# A sentence that begins with one of these is cut at the comma before its main clause.
_CONCEDING = frozenset({"though", "although", "while", "whereas"})
# The words that begin a main clause after that comma.
_SUBJECTS = frozenset(
    "the it its it's this that these those i we you he she they there my our your his her their a an"
    " nothing everything".split()
)
# Before these, a word belongs to the next clause: "even though", "and yet".
_LEADING = {"though": ("even",), "yet": ("and",), "while": ("and",), "however": ("and",)}
# After these words the parting word parts nothing: "nothing but", "a while", "as though", "not yet".
_BOUND = {
    "but": frozenset("nothing anything all everything none nobody everyone anyone help choice".split()),
    "though": frozenset({"as"}),
    "while": frozenset("a worth once all little long".split()),
    "yet": frozenset("not n't have has had having as best is are was were best worst".split()),
    "however": frozenset(),
}
# Before these words neither does it: "yet another", "however good".
_BINDING = {"yet": frozenset("another again to".split())}
# "not only good but also short" says one thing.
_ONLY = frozenset("only just merely simply".split())
_NOT = frozenset({"not", "n't"})


def clauses(names: Sequence[str], first: int, last: int) -> list[tuple[int, int]]:
    """Return the clauses of a sentence, the tokens ``[first, last)``; they follow one another.

    >>> clauses("the score is great , but the plot is dull .".split(), 0, 11)
    [(0, 6), (6, 11)]
    """
    words = [is_word(name) for name in names[first:last]]
    cuts, left = [first], sum(words)
    taken = 0
    places = set(_cuts(names, first, last))
    for place in range(first, last):
        if place in places and taken >= MIN_CLAUSE_WORDS and left >= MIN_CLAUSE_WORDS:
            cuts.append(place)
            taken = 0
        taken += words[place - first]
        left -= words[place - first]
    return list(zip(cuts, [*cuts[1:], last], strict=True))


def _cuts(names: Sequence[str], first: int, last: int) -> Iterator[int]:
    """Yield the tokens before which a clause may begin."""
    opening = names[first + 1] if names[first] == "even" and first + 1 < last else names[first]
    if opening in _CONCEDING:
        comma = _main_clause(names, first, last)
        if comma is not None:
            yield comma
    for place in range(first, last):
        name = names[place]
        if name == ";":
            yield place + 1
        elif name in _PARTING and place > first and not _is_bound(names, first, place, last):
            yield place - (names[place - 1] in _LEADING.get(name, ()))


def _main_clause(names: Sequence[str], first: int, last: int) -> int | None:
    """Return where the main clause begins after a conceding one; None where no comma tells."""
    for place in range(first + 3, last - 2):
        if names[place] == "," and names[place + 1] in _SUBJECTS:
            return place + 1
    return None


def _is_bound(names: Sequence[str], first: int, place: int, last: int) -> bool:
    """Return whether a parting word belongs to a phrase that is not to be cut."""
    name, before = names[place], names[place - 1]
    after = names[place + 1] if place + 1 < last else ""
    if before in _BOUND.get(name, ()) or after in _BINDING.get(name, ()):
        return True
    if name == "yet":  # "slow yet gripping" is one description
        return before not in _COMMA and before != "and"
    return name == "but" and any(
        names[at] in _NOT and names[at + 1] in _ONLY for at in range(first, place - 1)
    )


# --- terms --------------------------------------------------------------------------------------

# A phrase's stems, and the places of the aspects that it names.
_Phrase = tuple[tuple[str, ...], tuple[int, ...]]


@lru_cache(maxsize=64)
def _index_of(aspects: tuple[Aspect, ...]) -> dict[str, list[_Phrase]]:
    """Return the phrases by their first stem, the longest first."""
    owners: dict[tuple[str, ...], list[int]] = {}
    for number, aspect in enumerate(aspects):
        for term in dict.fromkeys(aspect.terms):
            owners.setdefault(term, []).append(number)
    index: dict[str, list[_Phrase]] = {}
    for term in sorted(owners, key=len, reverse=True):
        index.setdefault(term[0], []).append((term, tuple(owners[term])))
    return index


def _terms(
    keys: Sequence[tuple[str, ...]], sentence: Sentence, index: dict[str, list[_Phrase]]
) -> Iterator[tuple[int, int, int]]:
    """Yield each term of a sentence: the aspect's place, and the term's tokens [start, end), in order."""
    ends: dict[int, int] = {}  # where each aspect's last term ends
    for start in range(sentence.first, sentence.last):
        for phrase, owners in _phrases(keys[start], index):
            end = _end_of(phrase, keys, start, sentence.last)
            if end is None:
                continue
            for aspect in owners:
                if ends.get(aspect, 0) <= start:
                    ends[aspect] = end
                    yield aspect, start, end


def _phrases(keys: tuple[str, ...], index: dict[str, list[_Phrase]]) -> list[_Phrase]:
    """Return the phrases that begin with a word, the longest first."""
    found = [phrase for key in keys for phrase in index.get(key, ())]
    return sorted(found, key=lambda one: len(one[0]), reverse=True) if len(keys) > 1 else found


def _end_of(phrase: tuple[str, ...], keys: Sequence[tuple[str, ...]], start: int, last: int) -> int | None:
    """Return where a phrase ends that starts at a token, or None; hyphens between its words don't count."""
    place = start + 1
    for stem in phrase[1:]:
        if place < last and keys[place] == ("-",):
            place += 1
        if place >= last or stem not in keys[place]:
            return None
        place += 1
    return place


def _add(mentions: list[Mention], names: Sequence[str], first: int, last: int, start: int, end: int) -> None:
    """Add the mention of a term, unless its clause has one; the first that is not negated stays."""
    repeated = bool(mentions) and mentions[-1].first == first
    if repeated and not mentions[-1].negated:
        return
    mention = Mention(first, last, start, end, is_negated(names, first, last, start, end))
    if not repeated:
        mentions.append(mention)
    elif not mention.negated:
        mentions[-1] = mention


def _keys(name: str) -> tuple[str, ...]:
    """Return a word's stem, and the word without its plural where it is one in -ing."""
    return _cached_keys(name) if len(name) <= MAX_STEMMED_LETTERS else (name,)


@lru_cache(maxsize=100_000)
def _cached_keys(name: str) -> tuple[str, ...]:
    stem, single = stem_of(name), name.removesuffix("s")
    return (stem, single) if single.endswith("ing") and single != stem else (stem,)


# --- negations ----------------------------------------------------------------------------------

# These deny what follows: "no music", "without any plot", "lacks chemistry".
_DENYING = frozenset(
    "no without zero nor neither lack lacks lacked lacking devoid minus absence absent missing".split()
)
# These deny it where a word of _HOW_MUCH follows, "not much plot", or where there is or one has nothing:
# "there isn't a story", "does not have a plot". But "not a good plot" speaks of a plot.
_REVERSING = frozenset("not n't never hardly barely scarcely cannot".split())
_HOW_MUCH = frozenset("any much many enough one".split())
_HAVING = frozenset("have has had having get gets got contain offer feature provide there".split())
# Words that may stand between a negation and its term.
_BETWEEN = _HOW_MUCH | frozenset(
    "a an the of in real really actual true single good decent proper interesting memorable kind sort such"
    " have get be been contain offer feature provide".split()
)
# "no doubt the cast is fine" and "without a doubt" deny nothing.
_IDIOMS = frozenset("doubt wonder question matter longer less more other way idea reason exception".split())
# These deny a term that stands before them: "the plot is missing", "music is non-existent".
_ABSENT = frozenset("missing absent nonexistent lacking".split())
_NON_EXISTENT = ("non", "-", "existent")
_BEFORE_ABSENT = frozenset(
    "is was are were 's seems seemed be been completely totally entirely utterly virtually almost simply just"
    " sadly sorely largely mostly".split()
)


def is_negated(names: Sequence[str], first: int, last: int, start: int, end: int) -> bool:
    """Return whether the clause ``[first, last)`` denies that its term ``[start, end)`` is there.

    >>> is_negated("it is without any real plot".split(), 0, 6, 5, 6)
    True
    """
    return _denied_before(names, first, start) or _denied_after(names, end, last)


def _denied_before(names: Sequence[str], first: int, start: int) -> bool:
    between: set[str] = set()
    for place in range(start - 1, max(first, start - NEGATION_TOKENS) - 1, -1):
        name = names[place]
        if name in _DENYING:
            return not between & _IDIOMS
        if name in _REVERSING:
            ahead = names[max(first, place - 2) : place]
            return bool(between & _HOW_MUCH or (between | {*ahead}) & _HAVING)
        between.add(name)
        # One word more may describe what is not there: "lacks the clever dialogue".
        if len(between - _BETWEEN) > 1 or not name.isalpha() or name in _PARTING:
            return False
    return False


def _denied_after(names: Sequence[str], end: int, last: int) -> bool:
    place = end
    while place < last and names[place] in _BEFORE_ABSENT:
        place += 1
    if place == end or place == last:
        return False
    return names[place] in _ABSENT or tuple(names[place : min(last, place + 3)]) == _NON_EXISTENT
