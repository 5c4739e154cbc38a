"""Show an answer to people."""

from verdict_sentiment.results import Answer, Contribution


def answer(answer: Answer) -> str:
    """Give an answer as lines: the verdict, what to know about it, and what pulled which way."""
    lines = [f"{answer.sentiment}  P(positive) = {answer.probability:.3f}"]
    lines += [printable(f"  {caveat.code}: {caveat.detail}") for caveat in answer.warnings]
    for part in answer.words or answer.sentences or ():
        lines.append(_line(answer.text or "", part))
    return "\n".join(lines)


def printable(text: str) -> str:
    """Give a text without what would steer a terminal; a stranger's service may have written it.

    >>> printable("wait\\x1b[2J a\\nminute")
    'wait [2J a minute'
    """
    return "".join(character if character.isprintable() else " " for character in text)


def _line(text: str, part: Contribution) -> str:
    return f"  {part.contribution:+.3f}  {printable(text[part.start : part.end])}"
