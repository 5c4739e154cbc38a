"""Turn a review into cleaned text, tokens and sentences, for training and serving alike.

The result is the same on every Python version. Markup is made canonical before BeautifulSoup parses it,
because html.parser changed between releases. The letters of a word are listed as ranges, because ``\\w``
follows the Unicode tables of the interpreter.
"""

import html
import re
import unicodedata
from bisect import bisect
from itertools import accumulate, compress
from typing import NamedTuple

# Raise it when a change here gives any review other ids or sentences. The vocabulary's fingerprint
# contains it.
TEXT_VERSION = 4

# Of a long review the head and the tail are read; the tail usually holds the verdict.
HEAD_TOKENS = 128
TAIL_TOKENS = 272
MAX_TOKENS = HEAD_TOKENS + TAIL_TOKENS

# Negations are not stemmed: they reverse a sentence.
NEGATIONS = frozenset({"not", "no", "nor", "never", "n't"})

# The tokens that faces and emoji become.
HAPPY, SAD = ":)", ":("


class Tokens(NamedTuple):
    """A text's tokens in columns: normalised names, and offsets ``text[start:end]`` in code points."""

    names: list[str]
    starts: list[int]
    ends: list[int]

    def without(self, first: int, last: int) -> "Tokens":
        """Return the tokens before ``first`` and from ``last`` on."""
        names, starts, ends = self
        return Tokens(
            names[:first] + names[last:], starts[:first] + starts[last:], ends[:first] + ends[last:]
        )


class Sentence(NamedTuple):
    """A sentence ``text[start:end]`` and its tokens ``names[first:last]``."""

    start: int
    end: int
    first: int
    last: int


def clean(review: str) -> str:
    """Return the readable text of a review: no markup, entities resolved, words in NFC, single spaces.

    Line-breaking tags become newlines, because a paragraph ends a sentence. Lines that were wrapped within
    a sentence become one, and the numbers and bullets of a list go. Never raises. Clean only once:
    ``&lt;b&gt;`` becomes the text ``<b>``, which a second pass would remove as markup.

    >>> clean("great<br />movie &amp; cast</3 <b>wow</b>")
    'great\\nmovie & cast</3 wow'
    >>> clean("It was not\\ngood.\\n1. The plot.\\n2. The end.")
    'It was not good.\\nThe plot.\\nThe end.'
    """
    text = review if review.isascii() else _SURROGATE.sub("\ufffd", review)
    if "\n" in text:
        text = _join_lines(text)
    if "<" in text:
        text = _strip_markup(text)
    elif "&" in text:
        text = _unescape(text)
    if not text.isascii():
        # After the markup, because an entity can stand for an invisible character too.
        text = _WORD.sub(_compose, _INVISIBLE.sub("", text))
        text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    return "\n".join(filter(None, map(_single_spaces, text.split("\n"))))


def tokenize(text: str) -> Tokens:
    """Split cleaned text into normalised tokens with their offsets.

    >>> tokenize("It isn't bad... 8/10!").names
    ['it', 'is', "n't", 'bad', '...', '8/10', '!']
    """
    # Lower case keeps the length of ASCII text, and only the pattern of a grin depends on case.
    lower_first = text.isascii() and not _GRIN.search(text)
    pieces = _TOKEN.split(text.lower() if lower_first else text)
    surfaces = pieces[1::2]  # of "", "it", " ", "is", "", "n't", ...
    ends = list(accumulate(map(len, pieces)))
    names = surfaces if lower_first else list(map(str.lower, surfaces))
    for index in [index for index, name in enumerate(names) if not name.isalpha()]:
        names[index] = _SIGNS.get(names[index]) or normalize(names[index])
    return Tokens(names, ends[:-1:2], ends[1::2])


def normalize(surface: str) -> str:
    """Return the token for a piece of text: lower case, plain quotes, short runs of signs.

    >>> normalize("?!?!"), normalize("8 / 10")
    ('?!', '8/10')
    """
    token = surface.lower().translate(_PLAIN)
    kind = token[0]
    if kind in "!?":
        return "?!" if "!" in token and "?" in token else token[:3]
    if kind == "." and len(token) > 1:
        return "..."
    if kind == "*":
        return token[:5]
    if kind == "-":
        return "-"
    if kind in ":;=" and len(token) > 1:
        return (":" if kind == "=" else kind) + token[-1]
    if kind.isdigit():
        return token.replace(" ", "")
    if kind == "\u2b50" or (kind in "\u2605\u2606" and len(token) > 2):
        return _rating_of(token)
    return token


def _rating_of(stars: str) -> str:
    """Return stars as a rating in figures; without empty ones they are of five, or of ten."""
    full, empty = (sum(map(stars.count, signs)) for signs in (_FULL_STARS, _EMPTY_STARS))
    return f"{full}/{full + empty if empty else 5 if full <= 5 else 10}"


def is_word(token: str) -> bool:
    """Return whether a token holds letters or digits, and so counts as a word."""
    return token.isalnum() or (token not in _SIGNS and any(character.isalnum() for character in token))


def split_sentences(text: str, tokens: Tokens, gap_at: int | None = None) -> list[Sentence]:
    """Group the tokens of cleaned text into sentences; every token belongs to exactly one.

    A sentence ends at a newline. It also ends after ``.``, ``!`` or ``?`` (and closing quotes or brackets)
    before white space, unless the dot belongs to an abbreviation or an initial. ``gap_at`` is the index of
    the first token after an unread span; no sentence crosses it.

    >>> text = "Mr. Lee is good. Is it?"
    >>> [text[s.start:s.end] for s in split_sentences(text, tokenize(text))]
    ['Mr. Lee is good.', 'Is it?']
    """
    last = len(tokens.names) - 1
    certain = _line_ends(text, tokens) | {last, (gap_at or 0) - 1}
    possible = compress(range(last), map(_ENDS.__contains__, tokens.names))
    ends = sorted(certain.union([index for index in possible if _ends_sentence(text, tokens, index)]))
    sentences, first = [], 0
    for end in ends:
        if first <= end <= last:
            sentences.append(Sentence(tokens.starts[first], tokens.ends[end], first, end + 1))
            first = end + 1
    return sentences


def unread_span(count: int) -> tuple[int, int]:
    """Return the span of unread tokens among ``count``: ``tokens[start:end]``, empty when all are read.

    >>> unread_span(500)
    (128, 228)
    """
    if count <= MAX_TOKENS:
        return count, count
    return HEAD_TOKENS, count - TAIL_TOKENS


# --- lines --------------------------------------------------------------------------------------

# Programs wrap lines at some 72 characters. Shorter lines in small letters are rather a list.
WRAPPED_CHARACTERS = 40
_SMALL = re.compile("[a-z\u00df-\u00f6\u00f8-\u00ff]")
# A line that ends in a letter, a digit or one of these signs may go on in the next.
_GOES_ON = re.compile("[a-zA-Z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff,;)\\]\"'\u2019\u201d-]")
_MARKER = re.compile("\\A(?:[0-9]{1,2}[.)]|[*\u2022\u2023\u25aa\u25cf\u25e6\u00b7])[ \\t]+")


def _join_lines(text: str) -> str:
    """Join the lines of each wrapped sentence with spaces, and remove the markers of a list.

    A line goes on from the one before if it begins with a small letter, and that one ends no sentence. The
    one before must also be long, or belong to a text that began otherwise than with a small letter.
    """
    lines = [line.strip(" \t\r") for line in text.split("\n")]
    is_list = sum(map(bool, map(_MARKER.match, lines))) > 1
    joined: list[str] = []
    parts: list[str] = []  # the lines that are joined next
    for line in lines:
        if parts and _SMALL.match(line) and _may_go_on(parts):
            parts.append(line)
        else:
            if parts:
                joined.append(" ".join(parts))
            parts = [_MARKER.sub("", line) if is_list else line]
    return "\n".join([*joined, " ".join(parts)])


def _may_go_on(parts: list[str]) -> bool:
    """Return whether a line in small letters may belong to the lines before it, rather than to a list."""
    is_prose = len(parts[-1]) >= WRAPPED_CHARACTERS or not _SMALL.match(parts[0])
    return is_prose and _GOES_ON.match(parts[-1][-1:]) is not None


# --- markup -------------------------------------------------------------------------------------

_SURROGATE = re.compile("[\ud800-\udfff]")

# A tag holds no "<", so each attempt stops at the next "<" and the scan stays linear.
_TAG = r"""</?([a-zA-Z][a-zA-Z0-9:-]*+)(?:(?:[^<>"']|"[^"<]*"|'[^'<]*')*+|[^<>]*)>"""
_MARKUP = re.compile(
    rf"""<!--(?:-?>|.*?(?:--!?>|\Z))       # a comment; an unclosed one runs to the end, as in a browser
    |<(?P<raw>script|style)(?=[\s/>])[^<>]*>.*?(?:</(?P=raw)(?=[\s/>])[^<>]*>|\Z)
    |<[!?][^<>]*>                           # doctype, CDATA, processing instruction
    |{_TAG}""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_BREAKING = frozenset(
    "address article blockquote br center dd div dl dt footer form h1 h2 h3 h4 h5 h6 header hr li"
    " main ol p pre section table td th tr ul".split()
)
_MARK = re.compile("\x00[\x00\n ]*")
_ENDLESS_REFERENCE = re.compile("&#[0-9]{100,};?")


def _strip_markup(text: str) -> str:
    """Rewrite each tag as ``<br/>``, then remove them with BeautifulSoup."""
    from bs4 import BeautifulSoup  # imported late, because most typed reviews hold no markup

    marked = _MARKUP.sub(_mark, text.replace("\x00", " "))
    if "\x00" not in marked:
        return _unescape(marked)
    escaped = html.escape(_unescape(marked), quote=False)
    flat = _MARK.sub(lambda m: "\n<br/>" if "\n" in m.group() else " <br/>", escaped)
    return BeautifulSoup(flat, "html.parser").get_text(" ")


def _mark(match: re.Match[str]) -> str:
    name = match.group(2)
    return "\x00\n" if name and name.lower() in _BREAKING else "\x00"


def _unescape(text: str) -> str:
    # html.unescape calls int(), which refuses more than 4,300 digits.
    return html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", text))


# --- characters ---------------------------------------------------------------------------------

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\ufffe\uffff]")


def _single_spaces(line: str) -> str:
    if not line.isprintable():
        line = _CONTROL.sub(" ", line)
    elif "  " not in line:  # most lines; the only white space in a printable line is U+0020
        return line.strip()
    return " ".join(line.split())


def _compose(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match.group())


# --- tokens -------------------------------------------------------------------------------------

# Letters by Unicode block, so that words do not change with the Unicode version.
_LETTERS = (
    "a-zA-Z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u036f\u0370-\u03ff"
    "\u0400-\u052f\u0531-\u0587\u0591-\u05f4\u0610-\u06d3\u0900-\u0dff\u0e01-\u0e4e\u10a0-\u10ff"
    "\u1e00-\u1fff"
)
# Scripts without spaces: each character is a token.
_CJK = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
# NFC of these letters is the same in Python 3.11 to 3.13; of other letters it is not.
# The limit stops thousands of accents on one letter: sorting them takes quadratic time.
_WORD = re.compile(f"[{_LETTERS}{_CJK}\u1100-\u11ff]{{1,256}}")
# Joiners, text directions, variation selectors and the replacement character are no tokens.
_IGNORED = "\u200c-\u200f\u202a-\u202e\u2061-\u206f\ufe00-\ufe0f\ufff9-\ufffd\U0001f3fb-\U0001f3ff"
_APOSTROPHE = "['\u2018\u2019`]"

# No token starts with a space. The check comes first, because trying every pattern at a space is slow.
_TOKEN = re.compile(
    rf"""((?![ ])(?:
    [a-zA-Z]++(?![{_LETTERS}'\u2018\u2019`])                      # a plain word, as most tokens are
    |[0-9]{{1,3}}(?:\.[0-9])?[ ]?/[ ]?(?:100|10|5|4)(?![0-9/])  # a rating
    |</?3(?![0-9])|[:;=]['-]?[)(\]\[DPp](?![a-zA-Z0-9])             # a heart or a face
    |[a-zA-Z]+(?=[nN]{_APOSTROPHE}[tT](?![a-zA-Z]))                 # is|n't
    |[nN]{_APOSTROPHE}[tT](?![a-zA-Z])
    |{_APOSTROPHE}(?:[sS]|[rR][eE]|[vV][eE]|[lL][lL]|[dD]|[mM])(?![a-zA-Z])
    |[{_LETTERS}]+
    |[0-9]+
    |[{_CJK}]
    |\.{{2,}}|\u2026
    |[!?]+|\*+
    |(?:\u2b50\ufe0f?)+|[\u2605\u2606]{{3,10}}                       # stars, as a rating
    |-+|[\u2010-\u2015]
    |[^ \n{_IGNORED}]))""",
    re.VERBOSE,
)
_GRIN = re.compile("D(?:(?<=[:;=]D)|(?<=[:;=]['-]D))")  # the mouth first, because it is the rarest sign
_FULL_STARS, _EMPTY_STARS = "\u2605\u2b50", "\u2606"
# Emoji are read as the faces that people type. First hearts, hands that praise and happy faces.
_HAPPY = (
    "\u2665\u2764\U0001f44c\U0001f44d\U0001f44f\U0001f4af\U0001f493\U0001f495\U0001f496\U0001f497\U0001f499"
    "\U0001f49a\U0001f49b\U0001f49c\U0001f600\U0001f601\U0001f603\U0001f604\U0001f60a\U0001f60d\U0001f618"
    "\U0001f642\U0001f929\U0001f970"
)
_SAD = (
    "\U0001f44e\U0001f494\U0001f4a9\U0001f612\U0001f615\U0001f61e\U0001f61f\U0001f620\U0001f621\U0001f634"
    "\U0001f641\U0001f644\U0001f92e\U0001f971"
)
_PLAIN = str.maketrans(
    {
        **dict.fromkeys(_HAPPY, HAPPY),
        **dict.fromkeys(_SAD, SAD),
        "\u2018": "'",
        "\u2019": "'",
        "`": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2026": "...",
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015", "-"),
    }
)

# The tokens of single ASCII signs, which are most tokens that are no words.
_SIGNS = {sign: normalize(sign) for sign in map(chr, range(0x21, 0x7F))}

# --- sentences ----------------------------------------------------------------------------------

_STOPS = frozenset({".", "...", "!", "!!", "!!!", "?", "??", "???", "?!"})
_NEWLINE = re.compile("\n")
_CLOSERS = frozenset({'"', "'", ")", "]", "}"})
_ENDS = _STOPS | _CLOSERS
# A dot after a title never ends a sentence. After an abbreviation it does before a capital. After the words
# in _NUMBERED it does unless a number follows.
_TITLES = frozenset("mr mrs ms dr prof st vs capt gen lt sgt col rev hon".split())
_ABBREVIATIONS = frozenset("jr sr etc inc ltd co al eg ie approx dept est hr hrs min mins sec".split())
_NUMBERED = frozenset("no vol fig ed".split())


def _line_ends(text: str, tokens: Tokens) -> set[int]:
    """Return the indices of the tokens before a newline."""
    return {bisect(tokens.starts, match.start()) - 1 for match in _NEWLINE.finditer(text)}


def _ends_sentence(text: str, tokens: Tokens, index: int) -> bool:
    names, starts, ends = tokens
    if ends[index] == starts[index + 1]:
        return False
    stop = index
    while stop > 0 and names[stop] in _CLOSERS:
        stop -= 1
    name = names[stop]
    if name not in _STOPS:
        return False
    following = text[starts[index + 1]]
    if name == "." and stop > 0 and ends[stop - 1] == starts[stop]:
        return not _abbreviates(text, tokens, stop, following)
    return name != "..." or following.isupper()


def _abbreviates(text: str, tokens: Tokens, stop: int, following: str) -> bool:
    """Return whether the dot ``names[stop]`` belongs to the token before it: ``Mr.``, ``J.``, ``e.g.``"""
    names, starts, ends = tokens
    before, at = names[stop - 1], starts[stop - 1]
    if len(before) == 1:
        initial = text[at].isupper() and before != "i"
        dotted = stop > 2 and names[stop - 2] == "." and ends[stop - 2] == at
        latin = dotted and names[stop - 3] + before in ("eg", "ie")
        return initial or latin or (dotted and not following.isupper())
    if before in _ABBREVIATIONS:
        return not following.isupper()
    return before in _TITLES or (before in _NUMBERED and following.isdigit())
