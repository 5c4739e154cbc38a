"""Aspects at the endpoint: the score of their clauses alone, and their part in the whole review."""

import itertools
import json
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.endpoint.test_inference import ask, of_ids, parts
from tests.training.endpoint.test_scoring import CALIBRATION, ROWS, ids_of, network
from training.data.dataset import Dataset
from training.endpoint import opinion, scoring
from training.endpoint.inference import LoadedModel, Predicted
from training.endpoint.scoring import SentenceNetwork
from vocab import messages
from vocab.aspects import name_mentions, spans_of
from vocab.messages import JSON_LINES, MessageError, rounded, sigmoid
from vocab.messages.aspects import named_scores

__all__ = ["network"]

FILM = messages.parse_aspects("film")
MIXED = "The music is lovely, but the plot is dull; there is no acting. I liked the music. The music, again."
Spans = list[list[tuple[int, int]]]


@st.composite
def reviews(draw: st.DrawFn) -> tuple[list[int], Spans]:
    """Draw the lengths of a review's sentences, and clauses of a few aspects in them."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    clauses: list[tuple[int, int]] = []
    for start, length in zip(itertools.accumulate([0, *lengths]), lengths, strict=False):
        cut = start + draw(st.integers(0, length))
        clauses += [(start, cut), (cut, start + length)]
    clauses = [(first, last) for first, last in clauses if first < last]
    chosen = st.lists(st.sampled_from(clauses), min_size=1, unique=True).map(sorted)
    return lengths, draw(st.lists(chosen, max_size=4))


def with_clause_starts(network: SentenceNetwork) -> SentenceNetwork:
    return network._replace(clause_starts=frozenset(range(1, ROWS, 5)))


@given(reviews(), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_an_aspect_is_scored_as_a_review_of_its_clauses_which_the_whole_may_weaken(
    network: SentenceNetwork, review: tuple[list[int], Spans], seed: int
) -> None:
    network = with_clause_starts(network)
    lengths, spans = review
    ids = ids_of(lengths, seed)
    whole = scoring.score(network, CALIBRATION, ids, lengths, "none", spans)
    assert whole.aspects is not None and len(whole.aspects) == len(spans)
    for aspect, clauses in zip(whole.aspects, spans, strict=True):
        own = [number for first, last in clauses for number in ids[first:last]]
        alone = scoring.score(network, CALIBRATION, own, [last - first for first, last in clauses], "none")
        logit = rounded(scoring.logit_in_review(alone.logit, whole.logit, len(ids) - len(own)))
        assert aspect[:2] == (logit, rounded(sigmoid(logit)))
        assert (aspect.bias, aspect.opinion) == (alone.bias, alone.opinion)


@given(reviews(), st.integers(0, 1000), st.sampled_from(messages.EXPLAIN))
@settings(max_examples=60, deadline=None)
def test_a_clause_adds_what_its_words_add(
    network: SentenceNetwork, review: tuple[list[int], Spans], seed: int, explain: str
) -> None:
    lengths, spans = review
    ids = ids_of(lengths, seed)
    plain = scoring.score(network, CALIBRATION, ids, lengths, explain)
    found = scoring.score(network, CALIBRATION, ids, lengths, explain, spans)
    assert found._replace(aspects=None) == plain
    words = scoring.score(network, CALIBRATION, ids, lengths, "words").words
    assert words is not None and found.aspects is not None
    for aspect, clauses in zip(found.aspects, spans, strict=True):
        sums = [math.fsum(words.contributions[first:last]) for first, last in clauses]
        assert aspect.contributions == pytest.approx(sums, abs=1e-9)


def test_several_aspects_are_read_in_the_review_s_own_run(
    network: SentenceNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    whole = SentenceNetwork.read_all
    monkeypatch.setattr(
        SentenceNetwork, "read_all", lambda self, texts: (runs.append(len(texts)), whole(self, texts))[1]
    )
    lengths = [8] * (opinion.SHORT_SENTENCES + 1)
    spans = [[(0, 4), (8, 16)], [(4, 8)], [(0, 4)]]
    scoring.score(network, CALIBRATION, ids_of(lengths), lengths, "none", spans)
    assert runs == [2]
    scoring.score(network, CALIBRATION, ids_of(lengths), lengths, "none", [[(0, 8)]])
    assert runs == [2, 1]  # a whole sentence is read already


# --- the endpoint's messages --------------------------------------------------------------------


def of_aspects(model: LoadedModel, *texts: str, explain: str = "none") -> dict[str, Any]:
    """Return the message that the Lambda sends for reviews and the films' aspects."""
    message = of_ids(model, *texts, explain=explain)
    for item, text in zip(message["reviews"], texts, strict=True):
        item["aspects"] = spans_of(name_mentions(model.vocabulary.encode(text), FILM))
    return message


@pytest.fixture(scope="module")
def drawn(imdb: Dataset) -> list[str]:
    """Reviews of the development split, drawn by a seed."""
    return [one.text for one in random.Random(7).sample(imdb.development, 40)]


def test_aspects_get_the_same_bytes_alone_and_at_each_place_of_a_batch(
    model: LoadedModel, drawn: list[str]
) -> None:
    texts = [MIXED, "Fine.", *drawn]
    alone = [parts(ask(model, of_aspects(model, text)))[0] for text in texts]
    assert parts(ask(model, of_aspects(model, *texts))) == alone
    assert parts(ask(model, of_aspects(model, *texts[::-1]))) == alone[::-1]


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_beside_its_aspects_an_answer_has_the_bytes_that_it_has_without(
    explain: str, model: LoadedModel, drawn: list[str]
) -> None:
    with_them = json.loads(ask(model, of_aspects(model, *drawn, explain=explain)))
    for answer in with_them["answers"]:
        del answer["aspects"]
    assert messages.to_json(with_them) == ask(model, of_ids(model, *drawn, explain=explain))


def test_a_review_that_mentions_nothing_is_read_without_more(model: LoadedModel) -> None:
    answer = json.loads(ask(model, of_aspects(model, "I loved it.")))["answers"][0]
    assert answer["aspects"] == []


@pytest.mark.parametrize(
    "text", [MIXED, "Zzqx plot.", "I loved it.", "Ce film est nul et la musique du plot aussi."]
)
def test_a_line_of_text_is_answered_as_the_app_answers(text: str, model: LoadedModel) -> None:
    line = {"id": 3, "review": text, "aspects": "film"}
    answer = json.loads(ask(model, json.dumps(line).encode(), JSON_LINES))
    whole = model.answer(text, "none", FILM)
    assert answer["aspects"] == whole["aspects"] and list(answer["aspects"]) == list(messages.SHIPPED["film"])
    assert (answer["id"], answer["probability"]) == (3, whole["probability"])
    message = json.loads(ask(model, {"reviews": [line]}))
    assert message["answers"][0]["aspects"] == whole["aspects"]


def test_a_line_with_wrong_aspects_gets_its_own_error(model: LoadedModel) -> None:
    lines = b'{"id": 1, "review": "a film", "aspects": {}}\n{"id": 2, "review": "a film"}'
    bad, good = map(json.loads, ask(model, lines, JSON_LINES).splitlines())
    assert bad["error"]["code"] == "bad_value" and bad["id"] == 1
    assert "aspects" not in good


@pytest.mark.parametrize("spans", [[[[0, 999]]], [[[-1, 1]]], [[[1, 1]]]])
def test_spans_that_no_review_has_are_refused(spans: Any, model: LoadedModel) -> None:
    message = of_ids(model, "A fine film.")
    message["reviews"][0]["aspects"] = spans
    with pytest.raises(MessageError, match="must lie in one sentence"):
        ask(model, message)


# --- in this process ----------------------------------------------------------------------------


def test_reviews_are_predicted_in_order_with_their_errors(model: LoadedModel, drawn: list[str]) -> None:
    texts = [*drawn[:5], "<br>", "x" * 50_001, *drawn[5:10]]
    found = list(model.predict_all(texts, "sentences", FILM))
    assert [isinstance(one, Predicted) for one in found] == [True] * 5 + [False] * 2 + [True] * 5
    assert [one.code for one in found if isinstance(one, MessageError)] == ["no_token", "too_long"]
    for text, one in zip(texts, found, strict=True):
        if isinstance(one, Predicted):
            assert (one.encoded, one.score._replace(aspects=None)) == model.predict(text, "sentences")
            assert one.aspects(model.identity) == model.answer(text, "none", FILM)["aspects"]
            assert one.mentions is not None and one.score.aspects is not None
            assert len(named_scores(one.mentions, one.score.aspects)) == len(one.score.aspects)


def test_without_aspects_there_are_none(model: LoadedModel) -> None:
    (one,) = model.predict_all(["A fine film."])
    assert isinstance(one, Predicted)
    assert (one.mentions, one.score.aspects, one.aspects(model.identity)) == (None, None, {})


def test_the_aspects_and_the_rest_add_up_to_the_logit(model: LoadedModel, drawn: list[str]) -> None:
    everything = messages.parse_aspects(
        {"all": ["the", "a", "i", "it", "and", "of", "is"], "music": ["music"]}
    )
    whole = 0
    for text in (MIXED, *drawn):
        answer = model.answer(text, "sentences", everything)
        clauses = {
            (part["start"], part["end"]): part["contribution"]
            for aspect in answer["aspects"].values()
            for part in aspect.get("mentions", ())
        }
        pulls = math.fsum(aspect.get("contribution", 0.0) for aspect in answer["aspects"].values())
        assert pulls == pytest.approx(math.fsum(clauses.values()), abs=1e-5)
        named = "".join(answer["text"][start:end] for start, end in sorted(clauses))
        if "".join(named.split()) == "".join(answer["text"].split()):
            whole += 1
            logit = math.fsum([answer["bias"], *(one["contribution"] for one in answer["sentences"])])
            assert answer["bias"] + pulls == pytest.approx(logit, abs=1e-5)
    assert whole  # every clause of MIXED names an aspect
