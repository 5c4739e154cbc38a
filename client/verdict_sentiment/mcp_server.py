"""Run `verdict mcp`: both calls as tools for assistants, over standard input and output, by the MCP SDK."""

import argparse
import io
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, BinaryIO

from verdict_sentiment import __version__
from verdict_sentiment.backends import UsageError, add_flags, open_verdict
from verdict_sentiment.client import Verdict
from verdict_sentiment.errors import VerdictError
from verdict_sentiment.literals import Explain
from verdict_sentiment.results import Answer, Judged, Message

INSTRUCTIONS = """\
Judges English film reviews: positive, negative, or uncertain where the model can't tell. reason then says
why: mixed (it praises and complains about equally), no_opinion, no_known_words, not_english, or unclear.
probability is that of positive, calibrated; warnings say what to doubt. Of a sentence, alone is the
probability that it would have by itself, and without is that of the review without it. A sentence's or word's
contribution says how far it pulled the verdict: bias plus all sentences' contributions is the logit. A word's
effect says how far the logit falls without it, where that was measured. A text without a known word, or in
another language, has no sentences and no words.
aspects also judges what a review says of each aspect: "film" or "product" names a list, and an object such as
{"music": ["music", "score"]} your own terms. An aspect's probability is that of the clauses that mention it;
contribution says how far they pulled the review's verdict.
A batch's answer says once what all reviews share: model, and warnings as a text by code."""
INSTALL = "pip install 'verdict-sentiment[mcp]'"

# Half of a surrogate pair: JSON can hold it, UTF-8 and the SDK can't.
SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Aspects = str | dict[str, list[str]]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `verdict mcp`."""
    parser = argparse.ArgumentParser(
        prog="verdict mcp", description="Offer the tools sentiment and sentiment_batch over standard input."
    )
    add_flags(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Serve the tools until standard input ends. Raises UsageError or VerdictError."""
    with open_verdict(make_parser().parse_args(arguments)) as verdict:
        server = make_server(verdict)
        if sys.stdin is None:
            raise UsageError("standard input is closed; an assistant starts verdict mcp with its calls there")
        sys.stdin = SimpleNamespace(buffer=io.BufferedReader(WholeCharacters(sys.stdin.buffer)))
        server.run("stdio")
    return 0


def make_server(verdict: Verdict) -> Any:
    """Return an MCP server with both tools. Raises UsageError when the SDK is not installed."""
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.server.mcpserver.tools import Tool
        from mcp.types import ToolAnnotations
    except ImportError as error:
        raise UsageError(f"the MCP SDK, from version 2.3 on, is not installed; run: {INSTALL}") from error

    class StrictTool(Tool):
        """A tool that refuses arguments that it does not know."""

        async def run(self, arguments: dict[str, Any], *others: Any, **settings: Any) -> Any:
            unknown = sorted(set(arguments) - set(self.parameters["properties"]))
            if unknown:
                known = ", ".join(self.parameters["properties"])
                raise ToolError(f"{self.name} has no argument {_shown(unknown)}; it takes {known}")
            return await super().run(arguments, *others, **settings)

    def checked(call: Callable[[], Message]) -> Message:
        try:
            message: Message = replace_surrogates(call())
            return message
        except VerdictError as error:
            raise ToolError(SURROGATE.sub(REPLACEMENT, str(error))) from error

    def sentiment(
        review: str, explain: Explain = "sentences", aspects: Aspects | None = None
    ) -> dict[str, Any]:
        """Judge one film review; explain says how far to explain the verdict, aspects what else to judge."""
        return checked(lambda: verdict.sentiment(review, explain, aspects).to_message())

    def sentiment_batch(
        reviews: list[str], explain: Explain = "none", aspects: Aspects | None = None
    ) -> dict[str, Any]:
        """Judge film reviews, any number, and answer each in its place: a verdict, or an error of its own."""
        return checked(lambda: build_batch_message([*verdict.batch(reviews, explain, aspects)]))

    read_only = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    tools = [StrictTool.from_function(call, annotations=read_only) for call in (sentiment, sentiment_batch)]
    for tool in tools:
        tool.parameters["additionalProperties"] = False
    # At other levels the SDK logs the reason of a failure, which may quote a review.
    return MCPServer(
        "verdict", instructions=INSTRUCTIONS, version=__version__, log_level="CRITICAL", tools=[*tools]
    )


def build_batch_message(batch: Sequence[Judged]) -> Message:
    """Return the answer to a batch. What its answers share is said once: model, and warnings' texts by code.

    A warning whose text differs between reviews stays whole in its answer, and so do models that differ.
    """
    answers = [judged.answer for judged in batch if judged.answer]
    models = {answer.model for answer in answers}
    texts: dict[str, set[str]] = defaultdict(set)
    for answer in answers:
        for caveat in answer.warnings:
            texts[caveat.code].add(caveat.detail)
    shared = {code: min(details) for code, details in texts.items() if len(details) == 1}
    return {
        "answers": [_item(judged, shared, len(models) > 1) for judged in batch],
        "warnings": shared,
        "model": answers[0].model.to_message() if len(models) == 1 else None,
        "request_ids": _unique(answer.request_id for answer in answers),
    }


def _item(judged: Judged, shared: dict[str, str], with_model: bool) -> Message:
    if judged.answer is None:
        assert judged.error is not None
        return {"error": {"code": judged.error.code, "detail": judged.error.detail}}
    message = judged.answer.to_message()
    del message["request_id"]
    if not with_model:
        del message["model"]
    return message | {"warnings": _codes(judged.answer, shared)}


def _codes(answer: Answer, shared: dict[str, str]) -> list[Any]:
    """Return an answer's warnings: the code where the text is shared, else both."""
    return [
        caveat.code if caveat.code in shared else {"code": caveat.code, "detail": caveat.detail}
        for caveat in answer.warnings
    ]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _shown(names: Sequence[str]) -> str:
    """Return unknown names, as few and as short as a sentence holds."""
    return ", ".join(repr(name[:40]) for name in names[:3])


class WholeCharacters(io.RawIOBase):
    """Standard input with U+FFFD for each lone surrogate: the SDK drops such a line without an answer."""

    def __init__(self, lines: BinaryIO) -> None:
        """Read lines of JSON."""
        self._lines = lines
        self._rest = b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next line, or a part of it."""
        self._rest = self._rest or whole(self._lines.readline())
        piece, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def whole(line: bytes) -> bytes:
    r"""Return a line of JSON without lone surrogates, and one that is no JSON as it is.

    >>> whole(b'{"review": "half \\ud83d"}\n').decode()
    '{"review": "half \ufffd"}\n'
    """
    if b"\\ud" not in line.lower():
        return line
    try:
        return json.dumps(replace_surrogates(json.loads(line)), ensure_ascii=False).encode() + b"\n"
    except (ValueError, RecursionError):
        return line


def replace_surrogates(message: Any) -> Any:
    """Return a message of JSON with U+FFFD for each lone surrogate."""
    return json.loads(SURROGATE.sub(REPLACEMENT, json.dumps(message, ensure_ascii=False)))
