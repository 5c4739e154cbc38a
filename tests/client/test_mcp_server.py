"""The tools for assistants, called by the MCP SDK's client over standard input and output."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.support.command import COMMAND, environment, verdict
from tests.support.service import Service, problem
from tests.support.stack import Stack, free_ports

pytestmark = pytest.mark.slow

REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"
SECRET = "zanzibar-4711"


async def with_client(ask: Any, *flags: str, log: Path, **variables: str) -> Any:
    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "mcp", *flags], env=environment(**variables)
    )
    with log.open("w", encoding="utf-8") as errors:
        async with Client(stdio_client(server, errlog=errors)) as client:
            return await ask(client)


@pytest.fixture
def tools(tmp_path: Path) -> Any:
    """Return a function that calls one tool of a new server and returns its result."""

    def call(name: str, arguments: dict[str, Any], *flags: str, **variables: str) -> Any:
        async def ask(client: Client) -> Any:
            return await client.call_tool(name, arguments)

        return asyncio.run(with_client(ask, *flags, log=tmp_path / "log", **variables))

    return call


def test_two_tools_are_offered_that_only_read(tmp_path: Path) -> None:
    async def ask(client: Client) -> Any:
        return await client.list_tools()

    listed = asyncio.run(with_client(ask, "--local", log=tmp_path / "log")).tools
    assert sorted(tool.name for tool in listed) == ["sentiment", "sentiment_batch"]
    assert all(tool.annotations.read_only_hint and tool.description for tool in listed)


@pytest.mark.parametrize("explain", ["none", "sentences", "words"])
def test_a_review_gets_the_answer_of_the_command(explain: str, tools: Any) -> None:
    answer = tools("sentiment", {"review": REVIEW, "explain": explain}, "--local").structured_content
    expected = json.loads(verdict(REVIEW, "--local", "--json", "--explain", explain).out)
    assert answer | {"request_id": ""} == expected | {"request_id": ""}


@pytest.mark.parametrize("aspects", ["film", {"music": ["music"]}])
def test_aspects_are_judged_too(aspects: Any, tools: Any) -> None:
    answer = tools("sentiment", {"review": REVIEW, "aspects": aspects}, "--local").structured_content
    assert answer["aspects"]["music"]["sentiment"] == "positive"
    batch = tools("sentiment_batch", {"reviews": [REVIEW], "aspects": aspects}, "--local").structured_content
    assert batch["answers"][0]["aspects"] == answer["aspects"]
    assert tools("sentiment", {"review": REVIEW, "aspects": {"music": []}}, "--local").is_error


def test_a_batch_is_answered_in_its_order_by_a_service(stack: Stack, tools: Any) -> None:
    reviews = [REVIEW, "<br>", *["A dull film without a plot, I hated all of it."] * 120]
    answers = tools("sentiment_batch", {"reviews": reviews}, "--url", stack.api).structured_content["answers"]
    assert len(answers) == 122
    assert answers[0]["sentiment"] == "positive"
    assert answers[1] == {"error": {"code": "no_token", "detail": answers[1]["error"]["detail"]}}
    assert {answer["sentiment"] for answer in answers[2:]} == {"negative"}


def test_a_review_without_a_word_is_an_error_that_says_so(tools: Any) -> None:
    result = tools("sentiment", {"review": "<br>"}, "--local")
    assert result.is_error
    assert "holds no word or sign that could be read" in result.content[0].text


def test_a_service_that_is_not_there_is_an_error_that_says_so(tools: Any) -> None:
    (port,) = free_ports(1)
    result = tools("sentiment", {"review": "good"}, "--url", f"http://127.0.0.1:{port}", "--deadline", "0.1")
    assert result.is_error
    assert f"nothing answers at http://127.0.0.1:{port}" in result.content[0].text


def test_nothing_of_a_review_is_logged(service: Service, tools: Any, tmp_path: Path) -> None:
    service.say(problem(422, "no_token", f"{SECRET} is refused"))
    assert tools("sentiment", {"review": SECRET}, "--url", service.url).is_error
    assert tools("sentiment", {"review": SECRET, "explain": SECRET}, "--local").is_error
    assert tools("sentiment_batch", {"reviews": [SECRET, 5]}, "--local").is_error
    assert (tmp_path / "log").read_text(encoding="utf-8") == ""


def test_without_the_sdk_it_is_one_sentence() -> None:
    code = (
        "import sys; sys.modules['mcp'] = None\n"
        "from verdict_sentiment.cli import main\n"
        "main(['mcp', '--local'])"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == (
        "verdict: the MCP SDK, from version 2.3 on, is not installed; run: pip install"
        " 'verdict-sentiment[mcp]'\n"
    )
