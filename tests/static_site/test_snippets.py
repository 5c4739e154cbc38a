"""snippets.js: the programs that it writes run, and send the very text that went in, whatever it is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from static_site import serve
from tests.support.stack import Stack

SECONDS = 60
HOSTILE = {
    "plain": "A warm, funny film. I would happily watch it again.",
    "quotes": """It's "great", isn't it? 'Yes' and "no" and `maybe`. ''' \"\"\" '\\''""",
    "expansion": "I paid $HOME and $(id) and `id` and ${PATH} and $((1+1)) for !! and !$ and ~ and *.",
    "backslashes": "Good \\ and \\n and \\\\ and \\u0041 and \\' and \\x41 and a last one \\",
    "lines": "A good film.\nReally.\r\nYes.\tOr no.\x0b\x0c\x1b[31m\x07\x08",
    "heredoc": "Good film.\nJSON\nEOF\nid\n",
    "nul": "A good film\0with more behind it.",
    "emoji": "A great film \U0001f3ac\U0001f468\u200d\U0001f469\u200d\U0001f467 \u4e2d\u6587.",
    "unseen": "Good\u200b film\u202e sdrawkcab\u2066 \ufeff\u2028\u2029\u00a0\u00ad\x7f\x9f.",
    "markup": "<p>Good</p></script><!-- film --><script>alert(1)</script>]]>",
    "format": "100 % good {review} %s %(x)s {0} #{x} <%= x %> {{x}} ${x} and a #comment // or --",
    "keys": '{"review": "good film", "__proto__": {"x": 1}}',
    "long": "A good film, \U0001f3ac told well. " * 2_000,
    "surrogate": "Good film \ud83c and more.",
}
WRITE = """
import { snippetsFor, snippetsOf, moduleSnippet } from "SITE/shared/snippets.js";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const { url, review, call } = JSON.parse(text);
const snippets = call ? snippetsOf(call) : snippetsFor(url, review);
const own = moduleSnippet(url, "POST /v1/sentiment", { review: review ?? "", explain: "sentences" });
console.log(JSON.stringify({ ...snippets, module: own }));
""".replace("SITE", serve.FOLDER.as_uri())


def ran(command: list[str], program: str, **environment: str) -> str:
    """Run a program that an interpreter reads from its input, and return its output."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | environment
    done = subprocess.run(
        command, input=program.encode(), capture_output=True, timeout=SECONDS, check=False, env=clean
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def written(node: str, **asked: Any) -> dict[str, str]:
    """Return the snippets for a review or a call."""
    command = [node, "--input-type=module", "--eval", WRITE]
    return json.loads(ran(command, json.dumps(asked), NODE_NO_WARNINGS="1"))


def answers(node: str, snippets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Run each snippet and return its printed JSON without the status before it."""
    commands = {
        "curl": ["bash"],
        "python": [sys.executable, "-"],
        "javascript": [node, "--input-type=module", "-"],
    }
    printed = {
        name: ran(command, snippets[name], PYTHONUTF8="1", NODE_NO_WARNINGS="1")
        for name, command in commands.items()
    }
    return {name: json.loads(text[text.index("{") :]) for name, text in printed.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_each_program_runs_and_sends_the_text_that_went_in(node: str, stack: Stack, name: str) -> None:
    review = HOSTILE[name]
    body = json.dumps({"review": review})
    headers = {"Content-Type": "application/json"}
    expected = httpx.post(f"{stack.api}/v1/sentiment", content=body, headers=headers, timeout=SECONDS).json()
    found = answers(node, written(node, url=stack.api, review=review))
    for one in (expected, *found.values()):
        one.pop("request_id")
    assert found == dict.fromkeys(found, expected)


def test_our_own_module_s_program_runs(node: str, stack: Stack, tmp_path: Path) -> None:
    shutil.copy(serve.FOLDER / "api.js", tmp_path / "api.js")
    program = tmp_path / "program.mjs"
    program.write_text(written(node, url=stack.api, review=HOSTILE["plain"])["module"], encoding="utf-8")
    printed = ran([node, str(program)], "", NODE_NO_WARNINGS="1")
    assert "sentiment: 'positive'" in printed


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_call_without_a_body_runs(node: str, stack: Stack, method: str) -> None:
    snippets = written(node, url="", call={"method": method, "url": f"{stack.api}/v1/health"})
    assert "HTTP/1.1 200" in ran(["bash"], snippets["curl"]) or method == "GET"
    if method == "GET":
        assert {one["status"] for one in answers(node, snippets).values()} == {"ok"}


def test_a_text_body_and_headers_go_out_as_they_are(node: str, stack: Stack) -> None:
    text = 'It\'s "good": $HOME `id` \\ <br />\nJSON\n'
    headers = {"Content-Type": "text/plain", "X-Request-Id": "mine-1"}
    call = {"method": "POST", "url": f"{stack.api}/v1/sentiment", "headers": headers, "text": text}
    expected = httpx.post(call["url"], content=text, headers=headers, timeout=SECONDS).json()
    found = answers(node, written(node, url="", call=call))
    assert found == dict.fromkeys(found, expected)


def test_a_message_of_many_parts_is_laid_out_over_lines_and_stays_the_same(node: str) -> None:
    message = {"reviews": [{"id": one, "review": "x" * 30, "on": True, "off": None} for one in range(5)]}
    call = {"method": "POST", "url": "http://127.0.0.1:1/", "json": message}
    snippets = written(node, url="", call=call)
    body = snippets["curl"].split("<<'JSON'\n")[1].removesuffix("\nJSON")
    assert json.loads(body) == message
    assert max(map(len, snippets["curl"].splitlines())) < 100
    assert "True" in snippets["python"] and "true" not in snippets["python"]


def test_what_can_t_be_seen_is_written_so_that_it_can(node: str) -> None:
    snippets = written(node, url="http://127.0.0.1:1", review=HOSTILE["unseen"] + HOSTILE["lines"])
    for name in ("curl", "python", "javascript"):
        assert not set(snippets[name]) & set("\u200b\u202e\u2066\ufeff\u2028\u00ad\x7f\x1b\x07\r\0")
