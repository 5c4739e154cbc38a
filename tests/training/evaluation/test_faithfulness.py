"""The question whether explanations are honest, asked of networks whose answer is known by hand."""

import json
import math
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from training.data import dataset
from training.endpoint import inference
from training.evaluation import faithfulness
from training.evaluation.faithfulness import ScoreFunction
from vocab import messages, vocabulary
from vocab.messages import Score, SentenceScore, WordScores, sigmoid

WORDS = vocabulary.load()
REVIEW = "Good good plot. Awful music, quiet end."


def linear(pulls: dict[str, float], bias: float = 0.0, measured: int = 99) -> ScoreFunction:
    """Return a network with honest contributions: its logit is the bias plus its words' pulls.

    The first ``measured`` words have an effect, which is honest too.
    """
    weights = {WORDS.encode(word).ids[0]: pull for word, pull in pulls.items()}

    def score(ids: list[int], lengths: list[int], explain: str) -> Score:
        assert ids and min(lengths) >= 1 and sum(lengths) == len(ids)
        words = [weights.get(number, 0.0) for number in ids]
        spans = [slice(end - length, end) for end, length in zip(accumulate(lengths), lengths, strict=True)]
        parts = [sum(words[span]) for span in spans]
        found = messages.build_score(bias, parts)
        if explain == "none":
            return found
        effects = [pull if index < measured else None for index, pull in enumerate(words)]
        without = [sigmoid(found.logit - part) if len(parts) > 1 else None for part in parts]
        sentences = [SentenceScore(part, 0.5, rest) for part, rest in zip(parts, without, strict=True)]
        return found._replace(sentences=sentences, words=WordScores(words, effects))

    return score


def liar(pulls: dict[str, float], measured: int = 99) -> ScoreFunction:
    """Return a linear network with the opposite contribution of each part; its sum still equals the logit."""
    honest = linear(pulls, measured=measured)

    def score(ids: list[int], lengths: list[int], explain: str) -> Score:
        true = honest(ids, lengths, explain)
        if true.sentences is None or true.words is None:
            return true
        words = WordScores([-pull for pull in true.words.contributions], true.words.effects)
        sentences = [one._replace(contribution=-one.contribution) for one in true.sentences]
        return true._replace(sentences=sentences, words=words, bias=2 * true.logit)

    return score


def outcome(review: str, score: ScoreFunction, seed: int = 0) -> faithfulness.Outcome:
    found = faithfulness.measure(WORDS.encode(review), score, seed)
    assert found
    return found


PULLS = {"good": 1.0, "plot": 0.25, "awful": -1.5, "music": 0.5}


# --- one review ---------------------------------------------------------------------------------


def test_the_falls_without_and_with_the_words_of_largest_contribution_are_those_by_hand() -> None:
    # Logit 1 + 1 + .25 - 1.5 + .5 = 1.25; of 7 words, 1, 1, 1, 2 and 4 are erased: good, good, music, plot.
    found = outcome(REVIEW, linear(PULLS)).erasures["contributions"]
    whole = sigmoid(1.25)
    assert found.removed == pytest.approx(
        [whole - sigmoid(after) for after in (0.25, 0.25, 0.25, -0.75, -1.5)]
    )
    assert found.kept == pytest.approx([whole - sigmoid(after) for after in (1.0, 1.0, 1.0, 2.0, 2.75)])


def test_of_a_negative_verdict_the_probability_of_negative_is_followed() -> None:
    found = outcome(REVIEW, linear({word: -pull for word, pull in PULLS.items()})).erasures["contributions"]
    assert found == outcome(REVIEW, linear(PULLS)).erasures["contributions"]


def test_occlusion_ranks_like_the_contributions_of_a_linear_network() -> None:
    found = outcome(REVIEW, linear(PULLS)).erasures
    assert found["occlusion"] == found["contributions"]


def test_occlusion_is_not_deceived_by_contributions_that_lie() -> None:
    found = outcome(REVIEW, liar(PULLS)).erasures
    assert found["occlusion"] == outcome(REVIEW, linear(PULLS)).erasures["occlusion"]
    assert sum(found["contributions"].removed) < 0 < sum(found["occlusion"].removed)


def test_words_are_ranked_by_effect_or_by_contribution_where_none_was_measured() -> None:
    found = outcome(REVIEW, liar(PULLS)).erasures
    assert found["effects"] == found["occlusion"]
    # Only "good" and "good" have an effect, 1 each; the lie about "awful" is 1.5, of "quiet" 0. So they go
    # in the order awful, good, good, quiet.
    part = outcome(REVIEW, liar(PULLS, measured=2)).erasures["effects"]
    whole = sigmoid(1.25)
    assert part.removed == pytest.approx([whole - sigmoid(after) for after in (2.75, 2.75, 2.75, 1.75, 0.75)])
    none = outcome(REVIEW, liar(PULLS, measured=0)).erasures
    assert none["effects"] == none["contributions"]


def test_the_random_order_is_the_review_s_own() -> None:
    first, again, other = (outcome(REVIEW, linear(PULLS), seed).erasures["random"] for seed in (1, 1, 2))
    assert first == again != other


def watched(asked: list[tuple[list[int], list[int], str]]) -> ScoreFunction:
    """Return a linear network that notes what it is asked for."""
    score = linear(PULLS)

    def watch(ids: list[int], lengths: list[int], explain: str) -> Score:
        asked.append((ids, lengths, explain))
        return score(ids, lengths, explain)

    return watch


def test_punctuation_is_neither_ranked_nor_removed_as_a_word() -> None:
    asked: list[tuple[list[int], list[int], str]] = []
    encoded = WORDS.encode("Good!")
    faithfulness.measure(encoded, watched(asked), 0)
    good, mark = encoded.ids
    # Whole, without its one word, and with that word alone; never with the mark as what is ranked.
    assert {tuple(ids) for ids, _, _ in asked} == {(good, mark), (mark,), (good,)}


def test_a_sentence_that_loses_all_its_tokens_is_gone() -> None:
    asked: list[tuple[list[int], list[int], str]] = []
    encoded = WORDS.encode("Good\nAwful music\nPlot")
    faithfulness.measure(encoded, watched(asked), 0)
    good, awful, music, plot = encoded.ids
    assert asked[0] == (encoded.ids, [1, 2, 1], "words")
    assert {explain for _, _, explain in asked[1:]} == {"none"}
    found = [(ids, lengths) for ids, lengths, _ in asked]
    assert ([awful, music, plot], [2, 1]) in found
    assert ([good, music, plot], [1, 1, 1]) in found
    assert ([good, plot], [1, 1]) in found


def test_a_review_of_one_word_leaves_nothing() -> None:
    found = outcome("Good", linear({"good": 2.0}, bias=0.5)).erasures["contributions"]
    assert found.removed == pytest.approx([sigmoid(2.5) - 0.5] * 5)
    assert found.kept == pytest.approx([0.0] * 5)


def test_a_review_without_a_word_is_left_out() -> None:
    assert faithfulness.measure(WORDS.encode("!!! ..."), linear({}), 0) is None


def test_each_sentence_is_removed_and_the_strongest_named() -> None:
    found = outcome(REVIEW, linear(PULLS))
    assert found.falls == pytest.approx([sigmoid(1.25) - sigmoid(-1.0), sigmoid(1.25) - sigmoid(2.25)])
    assert (found.strongest, found.most_effective) == (0, 0)
    told = outcome(REVIEW, liar(PULLS))
    assert (told.strongest, told.most_effective) == (1, 0)


def test_a_sentence_against_the_verdict_may_change_the_most() -> None:
    found = outcome("Good plot. Awful.", linear({"good": 2.0, "plot": 1.0, "awful": -2.5}))
    assert found.falls == pytest.approx([sigmoid(0.5) - sigmoid(-2.5), sigmoid(0.5) - sigmoid(3.0)])
    assert (found.strongest, found.most_effective) == (0, 0)
    found = outcome("Good. Plot. Awful.", linear({"good": 2.0, "plot": 1.0, "awful": -2.5}))
    assert (found.strongest, found.most_effective) == (0, 0)
    found = outcome("Good. Plot. Awful.", linear({"good": 1.2, "plot": 1.3, "awful": -1.5}))
    assert (found.strongest, found.most_effective) == (1, 1)


@pytest.mark.parametrize("part", ["words", "sentences"])
def test_parts_that_miss_the_logit_are_seen(part: str) -> None:
    def score(ids: list[int], lengths: list[int], explain: str) -> Score:
        true = linear(PULLS)(ids, lengths, explain)
        if true.words is None or true.sentences is None:
            return true
        first, *rest = true.sentences
        off = first._replace(contribution=first.contribution + 0.125)
        more = [true.words.contributions[0] + 0.125, *true.words.contributions[1:]]
        if part == "sentences":
            return true._replace(sentences=[off, *rest])
        return true._replace(words=true.words._replace(contributions=more))

    assert outcome(REVIEW, score).sum_gap == pytest.approx(0.125)
    assert outcome(REVIEW, linear(PULLS)).sum_gap <= 1e-9


def test_the_served_network_s_parts_add_up(model: inference.LoadedModel) -> None:
    assert outcome(REVIEW, model.score).sum_gap <= 1e-5


# --- many reviews -------------------------------------------------------------------------------


def test_figures_are_means_over_reviews_with_their_standard_errors() -> None:
    outcomes = [outcome(review, linear(PULLS)) for review in (REVIEW, "Good plot.", "Awful, awful music!")]
    found = faithfulness.summarize(outcomes)
    means = [sum(one.erasures["contributions"].removed) / 5 for one in outcomes]
    mean = sum(means) / 3
    error = math.sqrt(sum((each - mean) ** 2 for each in means) / 2 / 3)
    row = found["words"]["contributions"]
    assert row["comprehensiveness"] == pytest.approx(mean)
    assert row["comprehensiveness_standard_error"] == pytest.approx(error)
    assert row["sufficiency_at"][4] == pytest.approx(
        sum(one.erasures["contributions"].kept[4] for one in outcomes) / 3
    )
    assert found["reviews"] == 3
    assert found["sentences"]["reviews"] == 1
    assert found["sentences"]["without_the_strongest"] == pytest.approx(outcomes[0].falls[0])
    assert found["sentences"]["without_the_strongest_by_effect"] == pytest.approx(outcomes[0].falls[0])
    assert found["sentences"]["without_any_one"] == pytest.approx(sum(outcomes[0].falls) / 2)
    assert found["sentences"]["the_strongest_matters_most"] == 1.0
    json.dumps(found, allow_nan=False)


def test_one_review_has_no_standard_error() -> None:
    found = faithfulness.summarize([outcome("Good", linear(PULLS))])
    assert found["words"]["random"]["sufficiency_standard_error"] is None
    assert "sentences" not in found


def test_no_review_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="^no review that could be read holds a word$"):
        faithfulness.summarize([])


def test_the_table_shows_each_method_in_points() -> None:
    found = faithfulness.summarize([outcome(REVIEW, linear(PULLS))])
    lines = faithfulness.table(found).splitlines()
    for name in faithfulness.METHODS:
        assert sum(line.startswith(f"  {name}") for line in lines) == 2
    row = found["words"]["contributions"]
    shown = [100 * value for value in (row["comprehensiveness"], *row["comprehensiveness_at"])]
    first = next(line for line in lines if line.startswith("  contributions"))
    assert first.split()[1:] == [f"{value:.1f}" for value in shown]


def test_reviews_are_taken_at_even_steps_from_first_to_last() -> None:
    reviews = [dataset.Review(str(n), "", n % 2, 9, "film") for n in range(11)]
    assert [one.name for one in faithfulness.sample(reviews, 3)] == ["0", "5", "10"]
    assert faithfulness.sample(reviews, 99) == reviews


def test_the_same_figures_come_from_one_process_as_from_two(package: Path) -> None:
    texts = [f"{'Good' if n % 3 else 'Awful'} film, take {n}. Lovely end." for n in range(23)] + ["<br />"]
    one, two = (faithfulness.measure_all(texts, package, workers) for workers in (1, 2))
    assert len(one) == 23
    assert one == two


# --- the script ---------------------------------------------------------------------------------


def run_main(monkeypatch: pytest.MonkeyPatch, model: Path, *flags: str) -> None:
    reviews = [dataset.Review(str(n), f"A good film, take {n}. The end.", 1, 9, "film") for n in range(3)]
    data = dataset.Dataset([], reviews, [], [], {})
    monkeypatch.setattr(dataset, "find_archive", lambda given: Path("archive"))
    monkeypatch.setattr(dataset, "load", lambda archive: data)
    monkeypatch.setattr(sys, "argv", ["faithfulness.py", "--workers", "1", "--model", str(model), *flags])
    faithfulness.main()


def metrics_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))["metrics"]


@pytest.mark.parametrize(
    ("flags", "command"),
    [
        ((), "python -m training.evaluation.faithfulness"),
        (("--reviews", "2"), "python -m training.evaluation.faithfulness --reviews 2"),
    ],
)
def test_figures_are_published_with_the_command_that_gives_them_again(
    flags: tuple[str, ...],
    command: str,
    own_package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_main(monkeypatch, own_package, *flags)
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics_of(own_package) == {}
    run_main(monkeypatch, own_package, *flags, "--publish")
    assert metrics_of(own_package) == {"faithfulness": {**printed, "command": command}}


def test_no_reviews_can_t_be_asked_for(monkeypatch: pytest.MonkeyPatch, own_package: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run_main(monkeypatch, own_package, "--reviews", "0")
    assert caught.value.code == 2


def test_a_missing_model_ends_the_script_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=r"^faithfulness: .*none/model.json can't be read"):
        run_main(monkeypatch, tmp_path / "none")
