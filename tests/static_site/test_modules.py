"""The page's pure modules, run in the browser: cutting by code points, what to try to flip a verdict."""

from typing import Any

import pytest
from playwright.sync_api import Page


def call(page: Page, module: str, function: str, *arguments: Any) -> Any:
    """Call a function that a module of the site exports."""
    return page.evaluate(
        "async ([module, name, args]) => (await import(module))[name](...args)",
        [f"/{module}", function, list(arguments)],
    )


def words(*pulls: float) -> list[dict[str, float]]:
    return [{"start": n, "end": n + 1, "contribution": pull} for n, pull in enumerate(pulls)]


@pytest.mark.parametrize(("sentiment", "side"), [("positive", 1), ("negative", -1)])
def test_only_words_that_pull_towards_the_verdict_are_tried(page: Page, sentiment: str, side: int) -> None:
    pulls = [0.5, -0.4, 0.3, -0.2, 0.1, -0.05, 0.0]
    tried = call(page, "review/flip.js", "removals", {"sentiment": sentiment}, words(*pulls))
    assert tried
    assert all(pulls[index] * side > 0 for removal in tried for index in removal)


@pytest.mark.parametrize("sentiment", ["positive", "negative", "uncertain"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 60, 400])
def test_removals_are_few_distinct_and_smallest_first(page: Page, sentiment: str, count: int) -> None:
    pulls = [(-1) ** n * (1 + n % 13) / 13 for n in range(count)]
    tried = call(page, "review/flip.js", "removals", {"sentiment": sentiment}, words(*pulls))
    assert len(tried) <= 64
    assert [len(removal) for removal in tried] == sorted(len(removal) for removal in tried)
    assert len({tuple(removal) for removal in tried}) == len(tried)
    assert all(removal == sorted(removal) or len(removal) == 2 for removal in tried)


def test_a_limit_of_variants_is_kept(page: Page) -> None:
    tried = call(
        page, "review/flip.js", "removals", {"sentiment": "positive"}, words(*[0.5] * 50), {"limit": 9}
    )
    assert 0 < len(tried) <= 9


def test_the_smallest_flip_is_taken_and_of_equal_ones_the_strongest(page: Page) -> None:
    def variant(removed: list[int], sentiment: str, probability: float) -> dict[str, Any]:
        return {"removed": removed, "answer": {"sentiment": sentiment, "probability": probability}}

    before = {"sentiment": "positive", "probability": 0.9}
    tried = [
        variant([0], "positive", 0.7),
        variant([1, 2], "uncertain", 0.5),
        variant([1, 3], "negative", 0.2),
        variant([1, 2, 3], "negative", 0.01),
    ]
    assert call(page, "review/flip.js", "smallestFlip", before, tried)["removed"] == [1, 3]
    assert call(page, "review/flip.js", "smallestFlip", before, tried[:1]) is None


def test_a_text_is_cut_by_code_points(page: Page) -> None:
    text = "\N{GRINNING FACE} a <b> & c"
    left_out = [{"start": 2, "end": 3, "contribution": 0.0}]
    assert call(page, "shared/spans.js", "without", text, left_out) == "\N{GRINNING FACE}   &lt;b> &amp; c"


def test_the_widest_gap_is_what_was_not_read(page: Page) -> None:
    spans = [{"start": a, "end": b} for a, b in ((0, 3), (4, 9), (200, 203), (204, 210))]
    assert call(page, "shared/spans.js", "widestGap", spans) == {"start": 9, "end": 200}
    assert call(page, "shared/spans.js", "widestGap", []) == {"start": 0, "end": 0}
