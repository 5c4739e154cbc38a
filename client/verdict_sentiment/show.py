"""Show an answer to people."""

from verdict_sentiment.results import Answer, Contribution


def answer(answer: Answer) -> str:
    """Give an answer as lines: the verdict, what to know about it, and what pulled which way."""
    lines = [f"{answer.sentiment}  P(positive) = {answer.probability:.3f}"]
    lines += [f"  {caveat.code}: {caveat.detail}" for caveat in answer.warnings]
    for part in answer.words or answer.sentences or ():
        lines.append(_line(answer.text or "", part))
    return "\n".join(lines)


def _line(text: str, part: Contribution) -> str:
    return f"  {part.contribution:+.3f}  {' '.join(text[part.start : part.end].split())}"
