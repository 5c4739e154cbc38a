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

from tests.client.conftest import make_answer
from tests.support.command import COMMAND, environment, verdict
from tests.support.service import Service, problem
from tests.support.stack import Stack, free_ports
from verdict_sentiment import Judged, mcp_server
from verdict_sentiment.results import read_answer

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
    assert all(tool.input_schema["additionalProperties"] is False for tool in listed)


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
    assert batch["warnings"]["mixed"] and batch["answers"][0]["warnings"] == ["mixed"]
    assert batch["answers"][0]["aspects"] == answer["aspects"]
    assert tools("sentiment", {"review": REVIEW, "aspects": {"music": []}}, "--local").is_error


def test_a_batch_is_answered_in_its_order_by_a_service(stack: Stack, tools: Any) -> None:
    reviews = [REVIEW, "<br>", *["A dull film without a plot, I hated all of it."] * 120]
    batch = tools("sentiment_batch", {"reviews": reviews}, "--url", stack.api).structured_content
    answers = batch["answers"]
    assert len(answers) == 122
    assert len(batch["request_ids"]) == 2 and batch["model"]["id"].startswith("verdict-")
    assert answers[0]["sentiment"] == "positive"
    assert answers[1] == {"error": {"code": "no_token", "detail": answers[1]["error"]["detail"]}}
    assert {answer["sentiment"] for answer in answers[2:]} == {"negative"}


def test_a_review_without_a_word_is_an_error_that_says_so(tools: Any) -> None:
    result = tools("sentiment", {"review": "<br>"}, "--local")
    assert result.is_error
    assert "holds no word or sign that could be read" in result.content[0].text


def test_half_a_character_gets_an_answer(tmp_path: Path) -> None:
    """The SDK's own client can't send one, so the lines are written by hand."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    review = {"name": "sentiment", "arguments": {"review": "I \ud83d loved this film and its music."}}
    calls = [("initialize", hello), ("tools/call", review)]
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})
        for number, (method, parameters) in enumerate(calls)
    ]
    lines.insert(1, '{"jsonrpc": "2.0", "method": "notifications/initialized"}')
    with subprocess.Popen(
        [*COMMAND, "mcp", "--local"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write("\n".join([*lines, ""]))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in calls]
        process.stdin.close()
    answer = answers[1]["result"]["structuredContent"]
    assert (answers[1]["id"], answer["sentiment"]) == (1, "positive")
    assert answer["text"] == "I \N{REPLACEMENT CHARACTER} loved this film and its music."


@pytest.mark.parametrize("line", [b"", b"{\n", b'{"a": "\\ud83c\\udfac"}\n', b'{"a": "b"}\n', b'"\\ud83d\n'])
def test_a_line_with_whole_characters_stays_what_it_is(line: bytes) -> None:
    same = mcp_server.whole(line)
    assert same == line or json.loads(same) == json.loads(line)


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        (
            "sentiment",
            {"review": "good", "explane": "words"},
            "sentiment has no argument 'explane'; it takes review, explain, aspects",
        ),
        (
            "sentiment_batch",
            {"reviews": ["good"], "b": 1, "a": 2},
            "sentiment_batch has no argument 'a', 'b'; it takes reviews, explain, aspects",
        ),
    ],
)
def test_an_unknown_argument_is_refused_by_its_name(
    name: str, arguments: dict[str, Any], sentence: str, tools: Any
) -> None:
    result = tools(name, arguments, "--local")
    assert result.is_error
    assert result.content[0].text == sentence


def judged(index: int, *warnings: tuple[str, str], model: str = "verdict-1") -> Judged:
    caveats = [{"code": code, "detail": detail} for code, detail in warnings]
    identity = make_answer()["model"] | {"id": model}
    message = make_answer(warnings=caveats, model=identity, request_id=f"r{index // 2}")
    return Judged(index, None, read_answer(message, "none"), None)


def test_a_batch_says_once_what_its_answers_share() -> None:
    short, cut = ("too_short", "few words"), ("truncated", "characters 10 to 20 were not read")
    other = ("truncated", "characters 30 to 40 were not read")
    message = mcp_server.build_batch_message([judged(0, short, cut), judged(1, short), judged(2, other)])
    first, second, third = message["answers"]
    assert message["warnings"] == {"too_short": "few words"}
    assert (message["model"]["id"], message["request_ids"]) == ("verdict-1", ["r0", "r1"])
    assert first["warnings"] == ["too_short", {"code": "truncated", "detail": cut[1]}]
    assert second["warnings"] == ["too_short"]
    assert third["warnings"] == [{"code": "truncated", "detail": other[1]}]
    assert not {"model", "request_id"} & {*first, *second, *third}


def test_a_batch_of_two_models_says_which_judged_what() -> None:
    message = mcp_server.build_batch_message([judged(0), judged(1, model="verdict-2")])
    assert message["model"] is None
    assert [answer["model"]["id"] for answer in message["answers"]] == ["verdict-1", "verdict-2"]


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
