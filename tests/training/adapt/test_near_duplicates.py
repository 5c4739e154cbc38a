"""Near duplicates come into one group, and other reviews do not."""

import numpy as np

from tests.support.varied import varied
from training.adapt import near_duplicates


def groups_of(texts: list[str], groups: list[int] | None = None) -> list[int]:
    own = np.arange(len(texts)) if groups is None else np.array(groups)
    return near_duplicates.merge_groups(texts, own).groups.tolist()


def test_other_numbers_and_another_name_make_no_other_review() -> None:
    texts = [
        "The kettle stopped working after 3 weeks.",
        "the LAMP stopped working after 12 weeks!",
        "Our waiter brought cold soup to the next table.",
    ]
    one, other, apart = groups_of(texts)
    assert one == other != apart


def test_reviews_that_share_common_words_alone_stay_apart() -> None:
    texts = [f"I bought this for the {varied(number)} and it is good" for number in range(60)]
    assert len(set(groups_of(texts))) == 60


def test_groups_that_share_a_review_become_one() -> None:
    texts = ["Seams came apart at once", varied(1), "Seams came apart at once!", varied(2), varied(3)]
    assert groups_of(texts, [7, 7, 9, 9, 5]) == [1, 1, 1, 1, 0]


def test_it_says_how_many_have_a_neighbour() -> None:
    texts = [f"{varied(text)} {number}" for text in range(3) for number in range(2)] + [varied(9)]
    assert near_duplicates.merge_groups(texts, np.arange(7)).duplicates == 6


def test_reviews_without_a_word_are_nobodys_neighbour() -> None:
    assert groups_of(["!!!", "…", "?"]) == [0, 1, 2]


def test_of_thousands_of_the_same_all_come_into_one_group() -> None:
    assert set(groups_of([f"Arrived broken, order {number}" for number in range(3000)])) == {0}
