"""Format an answer for people."""

import math
from collections.abc import Sequence

from verdict_sentiment._packages import messages
from verdict_sentiment.results import Answer, Aspect, Contribution, Sentence, Word

# Why a verdict is uncertain.
REASONS = {
    "mixed": "it praises and complains about equally",
    "no_opinion": "it gives no opinion of the film",
    "no_known_words": "the model knows none of these words",
    "not_english": "it does not look like English",
    "unclear": "it could go either way",
}


def format_answer(answer: Answer) -> str:
    """Return an answer as lines: the verdict, its warnings, and each sentence or word with its part in it.

    A sentence shows P(positive) of it alone and of the review without it. A word shows its contribution,
    and P(positive) of the review without it where that was measured.
    """
    reason = "" if answer.reason is None else f": {REASONS[answer.reason]}"
    lines = [f"{answer.sentiment}{reason}  P(positive) = {answer.probability:.3f}"]
    lines += [printable(f"  {caveat.code}: {caveat.detail}") for caveat in answer.warnings]
    text = answer.text or ""
    if answer.words is not None:
        logit = math.fsum([answer.bias, *(word.contribution for word in answer.words)])
        lines += [f"{_word(word, logit)}  {_cut(text, word)}" for word in answer.words]
    else:
        lines += [f"{_sentence(part)}  {_cut(text, part)}" for part in answer.sentences or ()]
    return "\n".join([*lines, *_aspects(answer.aspects or (), text)])


def _aspects(aspects: Sequence[Aspect], text: str) -> list[str]:
    """Return lines for the aspects that are mentioned, each with its clauses, and one for the others."""
    lines = []
    for aspect in aspects:
        if aspect.probability is None:
            continue
        reason = "" if aspect.reason is None else f": {REASONS[aspect.reason]}"
        pull = f"pull {aspect.contribution:+.2f}"
        lines.append(
            f"{printable(aspect.name)}: {aspect.sentiment}{reason}  P(positive) = {aspect.probability:.3f}"
            f"  {pull}"
        )
        lines += [
            f"  {part.contribution:+.3f}  {_cut(text, part)}{'  (there is none)' if part.negated else ''}"
            for part in aspect.mentions
        ]
    others = [printable(aspect.name) for aspect in aspects if aspect.probability is None]
    return [*lines, f"not mentioned: {', '.join(others)}"] if others else lines


def printable(text: str) -> str:
    """Return a text without control characters, since an unknown service may have written it.

    >>> printable("wait\\x1b[2J a\\nminute")
    'wait [2J a minute'
    """
    return "".join(character if character.isprintable() else " " for character in text)


def _cut(text: str, part: Contribution) -> str:
    return printable(text[part.start : part.end])


def _sentence(sentence: Sentence) -> str:
    alone = f"  alone {_percent(sentence.alone)}"
    return alone if sentence.without is None else f"{alone}, without it {_percent(sentence.without)}"


def _word(word: Word, logit: float) -> str:
    measured = "" if word.effect is None else f"without it {_percent(messages.sigmoid(logit - word.effect))}"
    return f"  {word.contribution:+.3f}  {measured:16}"


def _percent(probability: float) -> str:
    return f"{100 * probability:3.0f} %"
