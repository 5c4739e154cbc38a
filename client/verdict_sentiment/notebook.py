"""Show an answer in a notebook as the page shows it: the verdict, and the text with its marks.

The HTML has no script and no style sheet, since notebooks remove both from what they don't trust. Its colours
are half-transparent or of medium lightness, so they can be told apart on light and on dark paper. Pattern and
sign say the same as the colour. All text is escaped.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import TypeVar

from verdict_sentiment.errors import VerdictError
from verdict_sentiment.results import Answer, Contribution, Judged, Sentence, Word
from verdict_sentiment.show import REASONS

Part = TypeVar("Part", bound=Contribution)

# static_site/shared/style.css has a blue and an orange for each paper. These have a contrast of 3 on both.
PLUS, MINUS, SOFT = "#3b7dc9", "#c2661a", "#7d7d7d"
_TINTS = {"plus": "rgba(59,125,201,{:.2f})", "minus": "rgba(194,102,26,{:.2f})"}
# The strongest part's tint; weaker parts get their share of it.
MOST_TINT = 0.26
# As in static_site/review/effects.js: the few words that decide.
LEAST_GLOW, MOST_GLOWING = 0.25, 5
SMALL_WORDS = frozenset(
    "a an the and or of to in on at by for from with as that this these those it its i me my we you your he"
    " him his she her they them their is are was were be been am do does did has have had will would there"
    "".split()
)
# A pull below this is shown as 0.00.
LEAST_PULL = 0.005

_BOX = "max-width:46em;padding:.25em 0;line-height:1.6;color:inherit;background:transparent"
_UNDERLINES = {"plus": f"2px solid {PLUS}", "minus": f"2px dashed {MINUS}", "zero": f"1px dotted {SOFT}"}
_SMALL = "font-size:.85em;opacity:.8"

_HEADLINES = {"positive": "Positive", "negative": "Negative", "uncertain": "Can't tell"}
_LEANINGS = {"positive": "Leans positive", "negative": "Leans negative"}
_REASONS = {reason: f"{words[0].upper()}{words[1:]}." for reason, words in REASONS.items()}


def answer_html(answer: Answer) -> str:
    """Return an answer as HTML: the verdict, the marked text, the aspects, the warnings and a legend."""
    parts = [_headline(answer), *_text(answer), *_aspects(answer), *_warnings(answer)]
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def judged_html(judged: Judged) -> str:
    """Return one review of a batch as HTML: its id, and its answer or its error."""
    name = judged.index if judged.id is None else judged.id
    body = answer_html(judged.answer) if judged.answer else _error(judged.error)
    return f'<div><div style="{_SMALL}">{_escaped(str(name))}</div>{body}</div>'


def _headline(answer: Answer) -> str:
    headline, sureness = _HEADLINES[answer.sentiment], _sureness(answer)
    if _is_too_short(answer):
        headline = _LEANINGS.get(answer.sentiment, headline)
    side = {"positive": "plus", "negative": "minus"}.get(answer.sentiment, "zero")
    style = f"font-size:1.5em;{_underline(side)}"
    return f'<div><strong style="{style}">{headline}</strong>&ensp;{sureness}</div>'


def _sureness(answer: Answer) -> str:
    if answer.confidence is None:
        return _REASONS[answer.reason or "unclear"]
    if _is_too_short(answer):
        return "Too short to be sure."
    share = _percent(answer.confidence)
    return f"{share[0].upper()}{share[1:]} sure."


def _is_too_short(answer: Answer) -> bool:
    """Return whether the probability holds for no text of this kind."""
    return any(caveat.code == "too_short" for caveat in answer.warnings)


def _text(answer: Answer) -> Iterator[str]:
    """Yield the text with its sentences underlined and what decides tinted, and a legend."""
    if not answer.text:
        return
    sentences, words = answer.sentences or (), _glowing(answer.words or ())
    largest = max((abs(sentence.contribution) for sentence in sentences), default=0.0)
    marked = _pieces(answer.text, 0, sentences, lambda sentence: _sentence(sentence, words, largest))
    yield f'<div style="margin:.5em 0;white-space:pre-wrap">{marked}</div>'
    if sentences:
        yield _legend(bool(words))


def _sentence(sentence: Sentence, words: Sequence[Word], largest: float) -> str:
    """Draw a sentence, with a tint of its own unless words of the text have one."""
    side = _side(sentence.contribution)
    style = _underline(side)
    if not words and side != "zero":
        style += f";background-color:{_tint(side, abs(sentence.contribution) / largest)}"
    inside = [word for word in words if sentence.start <= word.start and word.end <= sentence.end]
    inner = _pieces(sentence.text, sentence.start, inside, _word)
    return f'<span style="{style}" title="{_escaped(_meaning(sentence))}">{inner}</span>'


def _word(word: Word) -> str:
    return _tinted(_escaped(word.text), _side(word.effect or 0.0))


def _tinted(inner: str, side: str) -> str:
    sign = "+" if side == "plus" else "\N{MINUS SIGN}"
    mark = f'<sup style="line-height:0">{sign}</sup>'
    return f'<span style="background-color:{_tint(side, 1)}">{inner}{mark}</span>'


def _pieces(text: str, offset: int, parts: Iterable[Part], draw: Callable[[Part], str]) -> str:
    """Return a text that begins at ``offset`` of the answer's, as HTML with its parts drawn."""
    pieces, at = [], 0
    for part in sorted(parts, key=lambda part: part.start):
        start, end = part.start - offset, part.end - offset
        if start >= at:
            pieces += [_escaped(text[at:start]), draw(part)]
            at = end
    return "".join([*pieces, _escaped(text[at:])])


def _glowing(words: Sequence[Word]) -> list[Word]:
    """Return the few words that matter most, as the page picks them."""

    def says(word: Word) -> bool:
        return any(map(str.isalnum, word.text)) and word.text.lower() not in SMALL_WORDS

    strong = [word for word in words if abs(word.effect or 0) >= LEAST_GLOW and says(word)]
    return sorted(strong, key=lambda word: -abs(word.effect or 0))[:MOST_GLOWING]


def _meaning(sentence: Sentence) -> str:
    without = "" if sentence.without is None else f", the review without it {_percent(sentence.without)}"
    return f"on its own {_percent(sentence.alone)} positive{without}; {_pull(sentence.contribution)}"


def _legend(has_words: bool) -> str:
    plus, minus = (
        f'<span style="{_underline(side)}">{name}</span>'
        for side, name in (("plus", "speaks for the film"), ("minus", "speaks against it"))
    )
    words = f" {_tinted('Words', 'plus')} {_tinted('like these', 'minus')} decide." if has_words else ""
    return f'<div style="{_SMALL}">A sentence {plus} or {minus}.{words}</div>'


def _aspects(answer: Answer) -> Iterator[str]:
    mentioned = [aspect for aspect in answer.aspects or () if aspect.probability is not None]
    if not mentioned:
        return
    items = []
    for aspect in mentioned:
        side = {"positive": "plus", "negative": "minus"}.get(aspect.sentiment, "zero")
        verdict = f'<span style="{_underline(side)}">{_HEADLINES[aspect.sentiment].lower()}</span>'
        items.append(f"<li>{_escaped(aspect.name)}: {verdict}, {_pull(aspect.contribution)}</li>")
    yield f'<ul style="margin:.5em 0;padding-left:1.5em">{"".join(items)}</ul>'


def _warnings(answer: Answer) -> Iterator[str]:
    for caveat in answer.warnings:
        yield f'<div style="{_SMALL}">{_escaped(caveat.detail)}</div>'


def _error(error: VerdictError | None) -> str:
    return f'<div style="{_BOX}"><strong>No verdict</strong>&ensp;{_escaped(str(error))}</div>'


def _side(pull: float) -> str:
    if abs(pull) < LEAST_PULL:
        return "zero"
    return "plus" if pull > 0 else "minus"


def _underline(side: str) -> str:
    return f"text-decoration:underline {_UNDERLINES[side]};text-underline-offset:.25em"


def _tint(side: str, share: float) -> str:
    return _TINTS[side].format(MOST_TINT * share) if side in _TINTS else "transparent"


def _pull(contribution: float) -> str:
    return f"pull {contribution:+.2f}".replace("-", "\N{MINUS SIGN}")


def _percent(probability: float) -> str:
    if probability > 0.999:
        return "more than 99.9 %"
    return "less than 0.1 %" if probability < 0.001 else f"{100 * probability:.1f} %"


def _escaped(text: str) -> str:
    """Return a text for HTML. Half a character has no UTF-8, so a notebook could not be saved with it."""
    return escape(text.encode("utf-8", "replace").decode("utf-8"))
