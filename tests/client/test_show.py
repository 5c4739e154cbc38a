"""show.py: an answer as lines for people."""

import doctest

from tests.client.conftest import make_answer
from verdict_sentiment import results, show
from vocab import messages

TWO = [
    {"start": 0, "end": 4, "contribution": 1.5, "alone": 0.974, "without": 0.04},
    {"start": 5, "end": 9, "contribution": -0.5, "alone": 0.04, "without": 1.0},
]


def lines(explain: str, **other: object) -> list[str]:
    return show.format_answer(results.read_answer(make_answer(**other), explain)).splitlines()


def test_the_example_of_the_docstring_holds() -> None:
    found = doctest.testmod(show)
    assert found.attempted and not found.failed


def test_without_an_explanation_there_is_the_verdict_and_its_warnings() -> None:
    assert lines("none") == ["positive  P(positive) = 0.750", "  too_short: few words"]


def test_an_uncertain_verdict_shows_its_reason_in_words() -> None:
    assert set(show.REASONS) == set(messages.REASONS)
    for reason, words in show.REASONS.items():
        line = lines("none", sentiment="uncertain", reason=reason)[0]
        assert line == f"uncertain: {words}  P(positive) = 0.750"


def test_a_text_that_was_not_understood_shows_no_parts() -> None:
    other = {"sentiment": "uncertain", "reason": "not_english", "sentences": [], "words": []}
    for explain in ("sentences", "words"):
        assert lines(explain, **other, probability=0.524979)[2:] == []


def test_a_sentence_shows_how_it_reads_alone_and_how_the_review_reads_without_it() -> None:
    assert lines("sentences", sentences=TWO)[2:] == [
        "  alone  97 %, without it   4 %  good",
        "  alone   4 %, without it 100 %  film",
    ]


def test_the_only_sentence_shows_only_how_it_reads_alone() -> None:
    assert lines("sentences")[2:] == ["  alone  75 %  good film"]


def test_a_word_shows_its_contribution_and_how_the_review_reads_without_it() -> None:
    # The logit is 1.1, and 1.25 less without the first word.
    assert lines("words")[2:] == ["  +1.500  without it  46 %  good", "  -0.500                    film"]


def test_no_control_character_of_a_service_reaches_the_terminal() -> None:
    text = "go\x1b[ film"
    assert "\x1b" not in "".join(lines("words", text=text) + lines("sentences", text=text))
