"""Readers accept or refuse mutated examples; the long run is `make torture`."""

import random
from pathlib import Path

from tests.torture.fuzz import fuzz, fuzz_reader, mutate
from tests.torture.readers import Reader

CASES = 60


def test_no_reader_breaks_on_changed_examples(tmp_path: Path) -> None:
    results = fuzz(tmp_path, CASES, seed=1)
    assert [result for result in results if result.fault] == []
    assert len(results) > 15


def test_a_broken_reader_is_reported() -> None:
    def read(data: bytes) -> None:
        if data != b"whole":
            raise KeyError("review")

    result = fuzz_reader(Reader("broken", read, [b"whole"]), CASES, random.Random(1))
    assert result.fault.startswith("KeyError: 'review' on b")


def test_a_seed_repeats_the_same_mutations() -> None:
    once, again = (mutate(b"a review", [b"other"], random.Random(3)) for _ in range(2))
    assert once == again != b"a review"
