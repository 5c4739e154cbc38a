"""Measure a whole answer in one process, beside VADER, TextBlob and a transformer."""

from collections.abc import Callable, Iterator
from functools import partial

from bench import transformer_like
from bench.measuring import Contestant, Figure, Missing, side_by_side, summarise_turns
from bench.setting import Setting
from training.baselines.scorers import BaselineMissing
from training.endpoint import inference
from vocab import messages

PART = "answer"
OURS, TRANSFORMER = "Verdict", "DistilBERT's size in torch"
WORDS = "Verdict, with words and their effects"
NAMES = (OURS, "VADER", "TextBlob", TRANSFORMER, WORDS)

Answer = Callable[[str], object]


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield milliseconds a review of about 230 words, one thread."""
    calls: dict[str, Answer] = {}
    words: Callable[[], Answer] = partial(verdict, "words")
    makers = (verdict, vader, textblob, transformer_like.pipeline, words)
    for name, make in zip(NAMES, makers, strict=True):
        try:
            calls[name] = make()
        except (Missing, BaselineMissing) as error:
            yield Figure(PART, name, missing=str(error))
    contestants = {name: Contestant(call, setting.samples.reviews) for name, call in calls.items()}
    times = side_by_side(contestants, setting.choose(6, 40))
    for name in calls:
        note = "pieces of words and network, random weights" if name == TRANSFORMER else ""
        yield summarise_turns(PART, name, times[name], note=note)


def verdict(explain: str = "sentences") -> Answer:
    """Return a function from a review to its answer; ``explain`` is the API's."""
    loaded = inference.model_fn(inference.MODEL_FOLDER)

    def answer(review: str) -> object:
        encoded, scored = loaded.predict(review, explain)
        return messages.build_answer(encoded, scored, loaded.identity, "bench")

    return answer


def vader() -> Answer:
    """Return VADER's function, for the raw text. Raises BaselineMissing."""
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as error:
        raise BaselineMissing("VADER is not installed: pip install -r requirements/baselines.txt") from error
    score: Answer = SentimentIntensityAnalyzer().polarity_scores
    return score


def textblob() -> Answer:
    """Return TextBlob's pattern analyzer, for the raw text. Raises BaselineMissing."""
    try:
        from textblob.sentiments import PatternAnalyzer
    except ImportError as error:
        raise BaselineMissing(
            "TextBlob is not installed: pip install -r requirements/baselines.txt"
        ) from error
    analyze: Answer = PatternAnalyzer().analyze
    return analyze
