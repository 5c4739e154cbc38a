"""Run `verdict mcp`: both calls as tools for assistants, over standard input and output, by the MCP SDK."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from verdict_sentiment import __version__
from verdict_sentiment.backends import UsageError, add_flags, open_verdict
from verdict_sentiment.client import Verdict
from verdict_sentiment.errors import VerdictError
from verdict_sentiment.results import Judged, Message

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
contribution says how far they pulled the review's verdict."""
INSTALL = "pip install 'verdict-sentiment[mcp]'"

Explain = Literal["none", "sentences", "words"]
Aspects = str | dict[str, list[str]]
T = TypeVar("T")


def main(arguments: Sequence[str]) -> int:
    """Serve the tools until standard input ends. Raises UsageError or VerdictError."""
    parser = argparse.ArgumentParser(
        prog="verdict mcp", description="Offer the tools sentiment and sentiment_batch over standard input."
    )
    add_flags(parser)
    with open_verdict(parser.parse_args(arguments)) as verdict:
        make_server(verdict).run("stdio")
    return 0


def make_server(verdict: Verdict) -> Any:
    """Return an MCP server with both tools. Raises UsageError when the SDK is not installed."""
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.types import ToolAnnotations
    except ImportError as error:
        raise UsageError(f"the MCP SDK, from version 2.3 on, is not installed; run: {INSTALL}") from error

    # At other levels the SDK logs the reason of a failure, which may quote a review.
    server = MCPServer("verdict", instructions=INSTRUCTIONS, version=__version__, log_level="CRITICAL")
    read_only = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

    def checked(call: Callable[[], T]) -> T:
        try:
            return call()
        except VerdictError as error:
            raise ToolError(str(error)) from error

    @server.tool(annotations=read_only)
    def sentiment(
        review: str, explain: Explain = "sentences", aspects: Aspects | None = None
    ) -> dict[str, Any]:
        """Judge one film review; explain says how far to explain the verdict, aspects what else to judge."""
        return checked(lambda: verdict.sentiment(review, explain, aspects).to_message())

    @server.tool(annotations=read_only)
    def sentiment_batch(
        reviews: list[str], explain: Explain = "none", aspects: Aspects | None = None
    ) -> dict[str, Any]:
        """Judge film reviews, any number, and answer each in its place: a verdict, or an error of its own."""

        def answers() -> dict[str, Any]:
            return {"answers": [*map(_message, verdict.batch(reviews, explain, aspects))]}

        return checked(answers)

    return server


def _message(judged: Judged) -> Message:
    if judged.answer is not None:
        return judged.answer.to_message()
    assert judged.error is not None
    return {"error": {"code": judged.error.code, "detail": judged.error.detail}}
