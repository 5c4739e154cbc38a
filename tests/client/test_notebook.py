"""An answer in a notebook: the page's marks, escaped text, and nothing that a notebook would remove."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

from tests.client.conftest import make_answer
from tests.client.test_results import FIRST, SECOND
from tests.support.command import ROOT
from verdict_sentiment import Answer, Explain, Judged, RefusedError, notebook, results

STYLE = re.compile(r"[a-z-]+:[^;{}<>]+")


class Parsed(HTMLParser):
    """The parts of some HTML: its tags, styles and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles: list[str] = []
        self.pieces: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += [value or "" for name, value in attrs if name == "style"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def parse(answer: Answer | Judged) -> Parsed:
    parsed = Parsed(answer._repr_html_())
    assert parsed.open == []
    return parsed


def answer_of(explain: Explain = "words", **other: Any) -> Answer:
    return results.read_answer(make_answer(**other), explain)


def test_an_answer_shows_its_verdict_its_marks_and_what_they_mean() -> None:
    words = [
        {"start": 0, "end": 4, "contribution": 1.5, "effect": 1.25},
        {"start": 5, "end": 9, "contribution": -0.5, "effect": -0.5},
    ]
    html = answer_of(words=words, sentences=[FIRST, SECOND], warnings=[])._repr_html_()
    assert "<strong" in html and "Positive" in html and "75.0 % sure." in html
    assert re.search(r"2px solid #3b7dc9[^>]*><span[^>]*rgba\(59,125,201,0.26\)[^>]*>good<sup", html)
    assert re.search(r"2px dashed #c2661a[^>]*><span[^>]*rgba\(194,102,26,0.26\)[^>]*>film<sup", html)
    assert "on its own 85.0 % positive, the review without it 40.0 %; pull +1.50" in html
    assert "A sentence" in html and "decide." in html


def test_without_words_the_sentences_have_tints_by_their_weight() -> None:
    html = answer_of("sentences", sentences=[FIRST, SECOND])._repr_html_()
    assert "rgba(59,125,201,0.26)" in html and "rgba(194,102,26,0.09)" in html
    assert "decide." not in html


@pytest.mark.parametrize(
    ("other", "headline", "sureness"),
    [
        ({"sentiment": "negative", "probability": 0.0001}, "Negative", "More than 99.9 % sure."),
        (
            {"sentiment": "uncertain", "reason": "mixed"},
            "Can't tell",
            "It praises and complains about equally.",
        ),
        (
            {"warnings": [{"code": "too_short", "detail": "few words"}]},
            "Leans positive",
            "Too short to be sure.",
        ),
    ],
)
def test_the_headline_is_the_page_s(other: dict[str, Any], headline: str, sureness: str) -> None:
    text = parse(answer_of("none", **{"warnings": [], **other})).text
    assert text.startswith(headline) and sureness in text


def test_the_words_are_the_page_s() -> None:
    strings = (ROOT / "static_site/shared/verdict_strings.js").read_text(encoding="utf-8")
    for sentence in (*notebook._REASONS.values(), *notebook._LEANINGS.values(), "Too short to be sure."):
        assert f'"{sentence}"' in strings
    effects = (ROOT / "static_site/review/effects.js").read_text(encoding="utf-8")
    small = effects.split("new Set(")[1].split(")")[0]
    assert set(re.findall(r"[a-z]+", small)) == notebook.SMALL_WORDS
    assert f"LEAST_GLOW = {notebook.LEAST_GLOW};" in effects
    assert f"MOST_GLOWING = {notebook.MOST_GLOWING};" in effects


@given(st.text(alphabet=st.characters(), min_size=9, max_size=9))
def test_any_text_is_shown_and_never_run(text: str) -> None:
    warnings = [{"code": "x", "detail": text}]
    parsed = parse(answer_of(text=text, sentences=[FIRST, SECOND], warnings=warnings))
    assert parsed.tags <= {"div", "span", "strong", "sup"}
    assert parsed.attributes <= {"style", "title"}
    shown = notebook._escaped(text)
    assert Parsed(shown).text in parsed.text.replace("+", "") or "+" in text or "\N{MINUS SIGN}" in text
    assert all(STYLE.fullmatch(rule) for style in parsed.styles for rule in style.split(";"))


def test_half_a_character_can_be_saved() -> None:
    html = answer_of("none", text="", warnings=[{"code": "x", "detail": "half \ud83d"}])._repr_html_()
    assert "half ?" in html.encode("utf-8").decode()


@pytest.mark.parametrize("paper", ["#ffffff", "#111111"])
@pytest.mark.parametrize("colour", [notebook.PLUS, notebook.MINUS, notebook.SOFT])
def test_the_lines_can_be_seen_on_light_and_on_dark(colour: str, paper: str) -> None:
    def light(code: str) -> float:
        shares = [int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = [
            one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares
        ]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lower, upper = sorted((light(colour), light(paper)))
    assert (upper + 0.05) / (lower + 0.05) >= 3


def test_aspects_are_listed_where_they_are_mentioned() -> None:
    mention = {"start": 0, "end": 4, "term": [0, 4], "negated": False, "contribution": -0.5}
    music = {
        "sentiment": "negative",
        "reason": None,
        "probability": 0.2,
        "contribution": -0.5,
        "mentions": [mention],
    }
    message = make_answer(aspects={"<music>": music, "plot": {"sentiment": "not_mentioned"}})
    text = parse(results.read_answer(message, "words", ["<music>", "plot"])).text
    assert "<music>: negative, pull \N{MINUS SIGN}0.50" in text
    assert "plot" not in text


def test_one_of_a_batch_shows_its_id_and_its_answer_or_error() -> None:
    error = RefusedError("no <word>", code="no_token", status=422)
    assert parse(Judged(3, "<a>", answer_of(), None)).text.startswith("<a>Leans positive")
    assert parse(Judged(3, None, None, error)).text == "3No verdict\u2002no <word> (no_token)"


def test_a_notebook_takes_both_forms() -> None:
    data, _ = DisplayFormatter().format(answer_of())
    assert data["text/html"].startswith("<div") and data["text/plain"].startswith("<Answer positive")
