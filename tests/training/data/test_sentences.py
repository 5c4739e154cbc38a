"""Sentences cut from reviews: whole, within limits, the same ones each time."""

import numpy as np
import pytest

from training.data import sentences
from training.data.dataset import Dataset, Review
from vocab import vocabulary
from vocab.vocabulary import Vocabulary

THINGS = ("script", "music", "cast", "ending", "camera", "story")


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary.load()


def sentence(count: int) -> str:
    """Return a sentence of ``count`` tokens, its full stop among them."""
    return " ".join(["Film", *["story"] * (count - 2)]) + "."


def review(text: str, number: int = 0) -> Review:
    return Review(f"train/pos/{number}_9.txt", text, 1, 9, f"film/{number}")


def many(count: int) -> list[Review]:
    """Return reviews of six sentences; each sentence names its review and its own place."""
    return [
        review(" ".join(f"The {thing} of part {100 * n + k} is long." for k, thing in enumerate(THINGS)), n)
        for n in range(count)
    ]


def test_sentences_are_whole_and_within_the_limits(words: Vocabulary) -> None:
    kept = [sentence(count) for count in (4, 45)]
    dropped = [sentence(count) for count in (2, 3, 46, 80)]
    whole = review(" ".join([dropped[0], kept[0], *dropped[1:], kept[1]]))
    found = sentences.cut([whole], 9, words, 1)
    assert sorted(found.texts) == sorted(kept)
    assert [one.tolist() for one in found.ids] == [words.encode_ids(text) for text in found.texts]
    assert all(one.dtype == np.int32 for one in found.ids)
    assert found.reviews == [whole.name] * 2


def test_a_review_gives_so_many_sentences_at_most_and_none_twice(words: Vocabulary) -> None:
    reviews = [*many(5), review("Only this one sentence stands here.", 5), review("Short.", 6)]
    found = sentences.cut(reviews, 2, words, 1)
    assert found.reviews == [one.name for one in reviews[:5] for _ in range(2)] + [reviews[5].name]
    texts = {one.name: one.text for one in reviews}
    assert all(text in texts[name] for text, name in zip(found.texts, found.reviews, strict=True))
    assert len(set(found.texts)) == len(found.texts)


def test_a_sentence_with_an_operator_is_drawn_besides_and_comes_last(words: Vocabulary) -> None:
    rare = "It is better than the book was."
    plain = [f"The {thing} is very long today." for thing in THINGS]
    whole = [review(" ".join([*plain[:number], rare, *plain[number:]]), number) for number in range(6)]
    found = sentences.cut([*whole, review(" ".join(plain), 6)], 2, words, 1, operators=1)
    alone = sentences.cut([*whole, review(" ".join(plain), 6)], 2, words, 1)
    assert found.texts[: len(alone.texts)] == alone.texts
    drawn = {name for name, text in zip(alone.reviews, alone.texts, strict=True) if text == rare}
    assert 0 < len(drawn) < 6
    assert found.texts[len(alone.texts) :] == [rare] * (6 - len(drawn))
    assert found.reviews[len(alone.texts) :] == [one.name for one in whole if one.name not in drawn]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It makes other thrillers look slow.", True),
        ("It could have been good.", True),
        ("It couldn\u2019t have been worse.", True),
        ("I can't say that I was bored.", True),
        ("Nobody will not like it.", True),
        ("I hoped for more.", True),
        ("The critics are wrong.", True),
        ('They call it "art".', True),
        ("Who needs this?", True),
        ("I did not like it.", False),
        ("A film of great warmth.", False),
    ],
)
def test_operators_are_found(text: str, found: bool) -> None:
    assert bool(sentences.OPERATORS.search(text)) == found


def test_the_same_seed_draws_the_same_sentences(words: Vocabulary) -> None:
    one, again, other = (sentences.cut(many(20), 2, words, seed).texts for seed in (1, 1, 2))
    assert one == again != other


def test_train_reviews_come_first_and_then_unsup_reviews(words: Vocabulary) -> None:
    reviews = many(6)
    data = Dataset(reviews[:4], [], reviews[4:], [], {"train": 0, "unsup": 0})
    found = sentences.cut_all(data, words)
    per = (sentences.PER_LABELLED, sentences.PER_UNLABELLED)
    expected = [one.name for one in reviews[:4] for _ in range(per[0])]
    assert found.reviews == expected + [one.name for one in reviews[4:] for _ in range(per[1])]
    assert len(found.ids) == len(found.texts) == len(found.reviews)
