"""Format an answer for people."""

from verdict_sentiment.results import Answer, Contribution


def format_answer(answer: Answer) -> str:
    """Return an answer as lines: the verdict, its warnings and its contributions."""
    lines = [f"{answer.sentiment}  P(positive) = {answer.probability:.3f}"]
    lines += [printable(f"  {caveat.code}: {caveat.detail}") for caveat in answer.warnings]
    for part in answer.words or answer.sentences or ():
        lines.append(_line(answer.text or "", part))
    return "\n".join(lines)


def printable(text: str) -> str:
    """Return a text without control characters, since an unknown service may have written it.

    >>> printable("wait\\x1b[2J a\\nminute")
    'wait [2J a minute'
    """
    return "".join(character if character.isprintable() else " " for character in text)


def _line(text: str, part: Contribution) -> str:
    return f"  {part.contribution:+.3f}  {printable(text[part.start : part.end])}"
