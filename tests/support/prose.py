"""The sentences of a Markdown page that a person wrote: no code, tables, headings or generated blocks."""

import re
from collections.abc import Iterator

# In this order: the metadata, generated blocks, other comments, code, tables, headings, pictures.
_DROPPED = re.compile(
    r"\A---\n.*?^---$"
    r"|<!-- ([a-z-]+) -->.*?<!-- /\1 -->"
    r"|<!--.*?-->"
    r"|^```.*?^```"
    r"|^\|.*?$"
    r"|^#+ .*?$"
    r"|!\[[^\]]*\]\([^)]*\)",
    re.DOTALL | re.MULTILINE,
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"`[^`]+`")
# A paragraph ends at an empty line, a list's item at the next one.
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')*]*\s+|:\n")
_WORD = re.compile(r"[^\W_]")


def sentences(page: str) -> Iterator[str]:
    """Yield each sentence of a page.

    >>> list(sentences("# Title\\n\\nOne `a. b` here. Two\\nlines:\\n\\n- an item\\n- another"))
    ['One CODE here.', 'Two lines:', 'an item', 'another']
    """
    text = _CODE.sub("CODE", _LINK.sub(r"\1", _DROPPED.sub("\n\n", page)))
    for paragraph in _PARAGRAPH.split(text):
        plain = re.sub(r"^\s*(?:[-*]|\d+\.) ", "", paragraph)
        for sentence in _SENTENCE.split(" ".join(plain.split())):
            if sentence:
                yield sentence


def words(sentence: str) -> int:
    """Return the number of words.

    >>> words("Two words -- only.")
    3
    """
    return sum(bool(_WORD.search(word)) for word in sentence.split())
