"""Aspects: their lists, the clauses that mention them, negations, and what is answered of each."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scores import additive_score
from tests.vocab.hostile import REVIEWS
from vocab import messages, vocabulary
from vocab.aspects import Aspect, Mentions, clauses, find_mentions, name_mentions, spans_of, stems_of
from vocab.messages import AspectScore, MessageError, Model
from vocab.text import is_word
from vocab.vocabulary import EncodedReview

WORDS = vocabulary.load()
MODEL = Model("bilstm-1", WORDS.fingerprint, (0.4, 0.6))
CASES = json.loads((Path(__file__).parents[1] / "golden" / "aspects.json").read_text())["cases"]
TERMS = {"music": ["music", "score"], "plot": ["plot", "story"]}
# Words that make clauses, negations and mentions.
PIECES = "the music plot story score but , ; - though even yet not no without any n't a is good . \n".split(
    " "
)
texts = st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join)


def text_of(encoded: EncodedReview, first: int, last: int) -> str:
    return encoded.text[encoded.tokens.starts[first] : encoded.tokens.ends[last - 1]]


# --- mentions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_the_golden_cases_hold(case: dict[str, Any]) -> None:
    encoded = WORDS.encode(case["review"])
    parts = [
        part
        for sentence in encoded.sentences
        for part in clauses(encoded.tokens.names, sentence.first, sentence.last)
    ]
    assert [text_of(encoded, *part) for part in parts] == case["clauses"]
    found = name_mentions(encoded, messages.parse_aspects(case["aspects"]))
    assert list(found) == list(case["aspects"])
    assert {
        name: [
            {
                "clause": text_of(encoded, mention.first, mention.last),
                "term": text_of(encoded, mention.term_first, mention.term_last),
                "tokens": list(mention[:4]),
                "negated": mention.negated,
            }
            for mention in mentions
        ]
        for name, mentions in found.items()
        if mentions
    } == case["mentions"]


@given(texts | REVIEWS)
def test_clauses_tile_their_sentences_and_mentions_lie_in_them(review: str) -> None:
    encoded = WORDS.encode(review)
    aspects = messages.parse_aspects(TERMS)
    parts: list[tuple[int, int]] = []
    for sentence in encoded.sentences:
        own = clauses(encoded.tokens.names, sentence.first, sentence.last)
        assert own[0][0] == sentence.first and own[-1][1] == sentence.last
        assert all(first[1] == second[0] for first, second in zip(own, own[1:], strict=False))
        if len(own) > 1:
            assert all(sum(map(is_word, encoded.tokens.names[first:last])) >= 2 for first, last in own)
        parts += own
    for aspect, mentions in zip(aspects, find_mentions(encoded, aspects), strict=True):
        assert [mention.first for mention in mentions] == sorted({mention.first for mention in mentions})
        for mention in mentions:
            assert mention[:2] in parts
            assert mention.first <= mention.term_first < mention.term_last <= mention.last
            assert stems_of(text_of(encoded, mention.term_first, mention.term_last)) in aspect.terms


def test_an_aspect_is_found_in_whatever_company_it_is_asked_for() -> None:
    encoded = WORDS.encode("The music and the plot are dull, but the score is not.")
    both = name_mentions(encoded, messages.parse_aspects(TERMS))
    for name, terms in TERMS.items():
        assert name_mentions(encoded, messages.parse_aspects({name: terms}))[name] == both[name]


def test_many_terms_in_a_long_sentence_take_no_square_of_time() -> None:
    aspects = messages.parse_aspects({f"a{number}": ["music"] for number in range(messages.MAX_ASPECTS)})
    encoded = WORDS.encode("the music is but " * 200)
    found = find_mentions(encoded, aspects)
    assert len(found) == messages.MAX_ASPECTS and all(found)


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("ending", ["endings", "ending"]),  # and neither "end" nor "ended"
        ("end", ["end", "ended", "endings", "ending"]),
        ("fight scene", ["fighting scenes"]),
        ("fighting scene", ["fighting scenes"]),
        ("king", ["kings"]),
    ],
)
def test_a_term_in_ing_finds_only_itself_and_its_plural(term: str, found: list[str]) -> None:
    encoded = WORDS.encode("In the end. It ended. Two endings. An ending! The fighting scenes. All kings.")
    (mentions,) = find_mentions(encoded, messages.parse_aspects({"a": [term]}))
    assert [text_of(encoded, one.term_first, one.term_last) for one in mentions] == found


def test_the_spans_leave_out_what_is_not_mentioned() -> None:
    encoded = WORDS.encode("The plot is dull.")
    assert spans_of(name_mentions(encoded, messages.parse_aspects(TERMS))) == [[(0, 5)]]


# --- requests -----------------------------------------------------------------------------------


def test_aspects_are_read_as_names_with_stems() -> None:
    assert messages.parse_aspects({"The cast": ["actors", "Special-Effects"]}) == (
        Aspect("The cast", (("actor",), ("special", "effect"))),
    )


@pytest.mark.parametrize("name", messages.SHIPPED)
def test_a_shipped_list_is_named_by_a_word(name: str) -> None:
    aspects = messages.parse_aspects(name)
    assert [aspect.name for aspect in aspects] == list(messages.SHIPPED[name])


def test_each_limit_is_allowed_itself() -> None:
    named = {"x" * 37 + f"{number:03}": ["a b c d e"] * 50 for number in range(20)}
    assert len(messages.parse_aspects(named)) == 20
    assert messages.parse_aspects({"long": ["x" * 100]})


WRONG: list[tuple[object, str, str]] = [
    (None, "wrong_type", "must be an object or a list's name, got null"),
    (7, "wrong_type", "got number"),
    (["music"], "wrong_type", "got list of length 1"),
    ("films", "bad_value", "film, product), got 'films'"),
    ("", "bad_value", "got ''"),
    ("Film", "bad_value", "got 'Film'"),
    ("x" * 21, "bad_value", "got string of length 21"),
    ({}, "bad_value", "aspects holds 0 names; send 1 to 20"),
    ({str(number): ["a"] for number in range(21)}, "bad_value", "aspects holds 21 names"),
    ({"": ["a"]}, "bad_value", "1 to 40 characters, got 0"),
    ({"x" * 41: ["a"]}, "bad_value", "1 to 40 characters, got 41"),
    ({" music": ["a"]}, "bad_value", "no spaces around it"),
    ({"mu\nsic": ["a"]}, "bad_value", "no line breaks"),
    ({"Music": ["a"], "mUSIC": ["b"]}, "bad_value", "named twice"),
    ({"stra\u00dfe": ["a"], "STRASSE": ["b"]}, "bad_value", "named twice"),
    ({"music": "music"}, "wrong_type", "the terms of 'music' must be a list, got string of length 5"),
    ({"music": None}, "wrong_type", "got null"),
    ({"music": []}, "bad_value", "the terms of 'music' are 0; send 1 to 50"),
    ({"music": ["a"] * 51}, "bad_value", "the terms of 'music' are 51"),
    ({"music": [1]}, "wrong_type", "each term of 'music' must be a string, got number"),
    ({"music": ["x" * 101]}, "bad_value", "has 101 characters, at most 100"),
    ({"music": [""]}, "bad_value", "has 0 words"),
    ({"music": ["!?"]}, "bad_value", "has 0 words"),
    ({"music": ["a b c d e f"]}, "bad_value", "has 6 words; send 1 to 5"),
]


@pytest.mark.parametrize(("value", "code", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_a_wrong_form_is_a_400_that_names_the_mistake(value: object, code: str, words: str) -> None:
    for body, read in (
        ({"review": "a", "aspects": value}, messages.parse_review_request),
        ({"reviews": [{"review": "a"}], "aspects": value}, messages.parse_batch_request),
    ):
        with pytest.raises(MessageError) as caught:
            read(json.dumps(body).encode(), None)
        assert (caught.value.status, caught.value.code) == (400, code)
        assert words in caught.value.detail and len(caught.value.detail) < 300


def test_a_line_for_the_endpoint_with_wrong_aspects_gets_its_own_error() -> None:
    body = b'{"review": "a", "aspects": "films"}\n{"review": "b", "aspects": "film"}'
    bad, good = messages.parse_endpoint_request(body, messages.JSON_LINES).items
    assert bad.error and bad.error.code == "bad_value"
    assert good.aspects == messages.parse_aspects("film")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["film", "music"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=45), inner, max_size=3),
    )
)
def test_any_value_is_read_or_refused_and_never_raises_anything_else(value: object) -> None:
    try:
        aspects = messages.parse_aspects(value)
    except MessageError as error:
        assert error.status == 400
        return
    assert aspects and all(aspect.name and all(aspect.terms) for aspect in aspects)


# --- to the endpoint and back -------------------------------------------------------------------


def scored(encoded: EncodedReview, found: Mentions, explain: str = "none") -> messages.Score:
    """Return a score in which each token adds 0.5, and each aspect has what its clauses' tokens add."""
    pulls = [0.5] * len(encoded.ids)
    return additive_score(0.0, pulls, encoded.lengths, explain, spans_of(found))


REVIEW = "The music and the plot are dull. The score is fine, but the story is long."


def test_a_request_without_aspects_has_the_bytes_that_it_had() -> None:
    encoded = WORDS.encode(REVIEW)
    message = json.loads(messages.build_endpoint_request([encoded], WORDS, "none"))
    assert message == {
        "vocabulary": WORDS.fingerprint,
        "reviews": [{"ids": encoded.ids, "sentences": encoded.lengths}],
        "explain": "none",
    }
    score = additive_score(0.0, [0.5] * len(encoded.ids), encoded.lengths, "none")
    assert "aspects" not in messages.score_message(score)
    assert "aspects" not in messages.build_verdict(encoded, score, MODEL)


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_aspects_reach_the_endpoint_and_come_back(explain: str) -> None:
    encoded = WORDS.encode(REVIEW)
    found = name_mentions(encoded, messages.parse_aspects({**TERMS, "cast": ["cast"]}))
    body = messages.build_endpoint_request([encoded], WORDS, explain, [found])
    (item,) = messages.parse_endpoint_request(body, None).items
    assert item.spans == spans_of(found) == [[(0, 8), (8, 13)], [(0, 8), (13, 19)]]
    score = scored(encoded, found, explain)
    answer = {"model": messages.model_message(MODEL), "answers": [messages.score_message(score)]}
    parsed = messages.parse_endpoint_answer(messages.to_json(answer), [encoded], explain, [found])
    assert parsed == (MODEL, [score])


def test_an_answer_names_every_aspect_in_order_with_clauses_of_its_text() -> None:
    encoded = WORDS.encode(REVIEW)
    found = name_mentions(encoded, messages.parse_aspects({"cast": ["cast"], **TERMS}))
    answer = messages.build_verdict(encoded, scored(encoded, found), MODEL, found)
    assert list(answer)[-2:] == ["aspects", "bias"] and answer["text"] == REVIEW
    assert "sentences" not in answer
    assert list(answer["aspects"]) == ["cast", "music", "plot"]
    assert answer["aspects"]["cast"] == {"sentiment": "not_mentioned"}
    music, plot = answer["aspects"]["music"], answer["aspects"]["plot"]
    assert [REVIEW[part["start"] : part["end"]] for part in music["mentions"]] == [
        "The music and the plot are dull.",
        "The score is fine,",
    ]
    assert [REVIEW[slice(*part["term"])] for part in plot["mentions"]] == ["plot", "story"]
    # The first clause names both, so each has half of it.
    assert music["contribution"] == 0.5 * (8 / 2 + 5) and plot["contribution"] == 0.5 * (8 / 2 + 6)
    logit = math.log(answer["probability"] / (1 - answer["probability"]))
    assert music["contribution"] + plot["contribution"] == pytest.approx(logit, abs=0.01)


def test_an_unsure_aspect_has_its_own_reason() -> None:
    encoded = WORDS.encode(REVIEW)
    found = name_mentions(encoded, messages.parse_aspects(TERMS))
    score = scored(encoded, found)
    unsure = AspectScore(0.0, 0.5, 0.0, "mixed", [0.5, 1.0])
    answer = messages.build_verdict(
        encoded, score._replace(aspects=[unsure, *(score.aspects or [])[1:]]), MODEL, found
    )
    music = answer["aspects"]["music"]
    assert (music["sentiment"], music["reason"]) == ("uncertain", "mixed")
    assert answer["aspects"]["plot"]["reason"] is None


@pytest.mark.parametrize(
    "review", ["Zzqx vvkk wwrr.", "Le film est très mauvais et la musique du plot aussi."]
)
def test_a_text_that_was_not_understood_mentions_nothing(review: str) -> None:
    encoded = WORDS.encode(review)
    found = name_mentions(encoded, messages.parse_aspects({"plot": ["plot", "zzqx"]}))
    assert found["plot"]
    answer = messages.build_verdict(encoded, scored(encoded, found), MODEL, found)
    assert answer["text"] == encoded.text
    assert answer["aspects"] == {"plot": {"sentiment": "not_mentioned"}}


SPANS_WRONG: list[tuple[object, str]] = [
    ("film", "wrong_type"),
    ([[]], "wrong_type"),
    ([[[0]]], "wrong_type"),
    ([[[0, 1.5]]], "wrong_type"),
    ([[[0, True]]], "wrong_type"),
    ([[[0, 1]]] * 21, "wrong_type"),
]


@pytest.mark.parametrize(("spans", "code"), SPANS_WRONG)
def test_an_item_with_malformed_spans_is_refused(spans: object, code: str) -> None:
    body = json.dumps({"reviews": [{"ids": [300, 301], "sentences": [2], "aspects": spans}]}).encode()
    (item,) = messages.parse_endpoint_request(body, None).items
    assert item.error and (item.error.status, item.error.code) == (400, code)


@pytest.mark.parametrize(
    "spans", [[[(0, 3)]], [[(-1, 1)]], [[(1, 1)]], [[(2, 1)]], [[(0, 1), (0, 1)]], [[(4, 5)]], [[(9, 12)]]]
)
def test_spans_outside_of_their_sentences_are_refused(spans: list[list[tuple[int, int]]]) -> None:
    with pytest.raises(MessageError) as caught:
        messages.check_spans(spans, [2, 2])
    assert (caught.value.status, caught.value.code) == (400, "bad_value")


def test_spans_in_their_sentences_are_taken() -> None:
    messages.check_spans([[(0, 2), (2, 3), (3, 4)], [(1, 2)], []], [2, 2])


def test_too_many_mentions_for_an_answer_are_refused_before_the_endpoint_is_called() -> None:
    encoded = WORDS.encode("the music is but " * 100)
    aspects = messages.parse_aspects({f"a{number}": ["music"] for number in range(20)})
    found = name_mentions(encoded, aspects)
    with pytest.raises(MessageError) as caught:
        messages.build_endpoint_request([encoded] * 100, WORDS, "none", [found] * 100)
    assert (caught.value.status, caught.value.code) == (413, "too_large")


BAD_ANSWERS = [
    lambda aspects: aspects.pop(),
    lambda aspects: aspects.append(aspects[0]),
    lambda aspects: aspects[0].pop("opinion"),
    lambda aspects: aspects[0].update(opinion="odd"),
    lambda aspects: aspects[0].update(probability=0.1),
    lambda aspects: aspects[0].update(logit=float("1e999")),
    lambda aspects: aspects[0]["contributions"].pop(),
    lambda aspects: aspects[0].update(contributions="12"),
    lambda aspects: aspects[0].update(contributions=[True, 1.0]),
]


@pytest.mark.parametrize("change", BAD_ANSWERS)
def test_an_endpoint_that_answers_other_aspects_is_not_believed(change: Any) -> None:
    encoded = WORDS.encode(REVIEW)
    found = name_mentions(encoded, messages.parse_aspects(TERMS))
    answer = messages.score_message(scored(encoded, found))
    change(answer["aspects"])
    body = json.dumps({"model": messages.model_message(MODEL), "answers": [answer]}).encode()
    with pytest.raises(MessageError) as caught:
        messages.parse_endpoint_answer(body, [encoded], "none", [found])
    assert (caught.value.status, caught.value.code) == (502, "bad_endpoint_answer")
