"""Changed bytes never get further than a refusal; the long run is `make torture`."""

import random
from pathlib import Path

from tests.torture.fuzz import changed, fuzz, tried_on
from tests.torture.readers import Reader

CASES = 60


def test_no_reader_breaks_on_changed_examples(tmp_path: Path) -> None:
    told = fuzz(tmp_path, CASES, seed=1)
    assert [one for one in told if one.fault] == []
    assert len(told) > 15


def test_a_reader_that_breaks_is_noticed() -> None:
    def read(data: bytes) -> None:
        if data != b"whole":
            raise KeyError("review")

    told = tried_on(Reader("broken", read, [b"whole"]), CASES, random.Random(1))
    assert told.fault.startswith("KeyError: 'review' on b")


def test_the_same_seed_changes_the_same_bytes() -> None:
    once, again = (changed(b"a review", [b"other"], random.Random(3)) for _ in range(2))
    assert once == again != b"a review"
