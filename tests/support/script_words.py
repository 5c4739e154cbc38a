"""The texts in a script's source: its strings and templates, joined where the source joins them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Stands for a value that a template is filled with: one word.
FILLED = "X"
# After these a slash begins a regular expression, not a division.
BEFORE_REGEX = "(,=:[!&|?{};>\n"


class Text(NamedTuple):
    """A text, and the line on which it begins."""

    line: int
    text: str


def texts(source: str) -> list[Text]:
    """Return a script's texts. The parts of a sum are one text.

    >>> [text for _, text in texts('say("one " + "two"); // "no"\\nlet a = `is ${b ? "three" : 4}`;')]
    ['one two', 'is X', 'three']
    """
    joined: list[Text] = []
    before = ""
    inner: list[Text] = []
    for token in _tokens(source, inner):
        if isinstance(token, str):
            before = before + token if token == "+" and before == "text" else token
            continue
        if before == "text+":
            joined[-1] = Text(joined[-1].line, joined[-1].text + token.text)
        else:
            joined.append(token)
        before = "text"
    return joined + inner


def _tokens(source: str, inner: list[Text]) -> Iterator[Text | str]:
    """Yield each text, and each other character that is no space."""
    at, last = 0, "\n"
    while at < len(source):
        character, two = source[at], source[at : at + 2]
        line = source.count("\n", 0, at) + 1
        if two == "//":
            at = _end(source, "\n", at)
        elif two == "/*":
            at = _end(source, "*/", at + 2)
        elif character in "\"'":
            match = re.compile(rf"{character}((?:\\.|[^\\{character}])*){character}", re.DOTALL).match(
                source, at
            )
            assert match, f"line {line}: a string has no end"
            yield Text(line, _plain(match[1]))
            at, last = match.end(), character
        elif character == "`":
            text, at = _template(source, at + 1, line, inner)
            yield Text(line, text)
            last = character
        elif character == "/" and (last in BEFORE_REGEX or source[:at].rstrip().endswith("return")):
            match = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+/[a-z]*").match(source, at)
            assert match, f"line {line}: a regular expression has no end"
            at, last = match.end(), "/"
        else:
            if not character.isspace():
                yield character
                last = character
            at += 1


def _template(source: str, at: int, line: int, inner: list[Text]) -> tuple[str, int]:
    """Return the text of a template that begins at ``at``, and its end; ``inner`` gets the texts within."""
    parts = []
    while source[at] != "`":
        if source.startswith("${", at):
            end = _brace(source, at + 2)
            inner += [Text(line, one.text) for one in texts(source[at + 2 : end])]
            parts.append(FILLED)
            at = end + 1
        elif source[at] == "\\":
            match = re.compile(r"\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL).match(
                source, at
            )
            assert match
            parts.append(_plain(match[0]))
            at = match.end()
        else:
            parts.append(source[at])
            at += 1
    return "".join(parts), at + 1


def _brace(source: str, at: int) -> int:
    """Return where the brace ends that was opened just before."""
    depth = 0
    while depth or source[at] != "}":
        if source[at] in "\"'":
            match = re.compile(rf"{source[at]}(?:\\.|[^\\{source[at]}])*{source[at]}").match(source, at)
            assert match
            at = match.end()
        elif source[at] == "`":
            _, at = _template(source, at + 1, 0, [])
        else:
            depth += {"{": 1, "}": -1}.get(source[at], 0)
            at += 1
    return at


def _end(source: str, mark: str, at: int) -> int:
    found = source.find(mark, at)
    return len(source) if found < 0 else found + len(mark) - (mark == "\n")


def _plain(escaped: str) -> str:
    names = {"n": "\n", "t": "\t", "\n": ""}

    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else names.get(match[4], match[4])

    return re.sub(
        r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", one, escaped, flags=re.DOTALL
    )
