"""docs/api.md, "Other protocols": its snippets run, and its tables are the code's."""

import contextlib
import io
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from chalicelib.compatible import PROTOCOLS, comprehend, scores, text_embeddings
from tests.support.api import Served
from tests.support.stack import ROOT
from vocab import messages

PAGE = Path(ROOT, "docs/api.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Other protocols\n")[1].split("\n## ")[0]


def block(language: str, word: str) -> str:
    """Return the code block that holds a word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
    (found,) = [text for text in blocks if word in text]
    return str(found)


@pytest.mark.slow
def test_the_snippet_for_boto3_prints_a_sentiment_and_scores(server: Served) -> None:
    code = block("python", "boto3").replace("http://127.0.0.1:8000", server.url)
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "docs/api.md", "exec"), names)  # noqa: S102  (our own page)
    names["comprehend"].close()  # type: ignore[attr-defined]
    assert re.fullmatch(r"[A-Z]+ \{'Positive': [\d.e-]+, .*\}\n", out.getvalue())


@pytest.mark.slow
def test_the_curl_for_tei_is_answered(server: Served) -> None:
    command = shlex.split(block("sh", "curl").replace("http://127.0.0.1:8000", server.url))
    done = subprocess.run([*command, "--noproxy", "*"], capture_output=True, text=True, timeout=60)
    assert {one["label"] for one in json.loads(done.stdout)} == set(text_embeddings.LABELS)


def test_the_command_that_starts_it_names_every_protocol() -> None:
    assert block("sh", "make serve").strip() == f"make serve COMPATIBLE={','.join(PROTOCOLS)}"


def test_the_limits_are_the_code_s() -> None:
    for words in (
        f"| 1 to {comprehend.MAX_TEXT_BYTES:,} |",
        f"| 1 to {comprehend.MAX_TEXTS} |",
        f"up to {messages.MAX_BATCH_REVIEWS} texts",
        f"A text has {messages.MAX_REVIEW_CHARACTERS:,} characters at most",
    ):
        assert words in SECTION.replace("\n", " "), words


def test_each_error_of_aws_is_explained() -> None:
    named = set(re.findall(r"`(\w+Exception)`", SECTION))
    own = {"UnknownOperationException", "UnsupportedLanguageException", "ValidationException"}
    assert named == {*comprehend._ERRORS.values(), "InternalServerException", *own}


def test_each_error_type_of_tei_is_explained() -> None:
    rows = re.findall(r"^\| [\d, ]+ \| `(\w+)` \|", SECTION, re.MULTILINE)
    kinds = {kind for _, kind in text_embeddings._ERRORS.values()}
    assert set(rows) == kinds | {"Backend", "Unauthorized", "Unhealthy"}


def test_the_scores_of_a_text_that_is_not_understood_are_those_of_the_page() -> None:
    positive, negative, neutral, _ = scores.NOT_UNDERSTOOD
    assert positive == negative
    assert f"has {neutral} for Neutral, and {positive} each" in SECTION.replace("\n", " ")
