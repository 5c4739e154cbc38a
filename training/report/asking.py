"""Judge rows by the model, and return its answers as a table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.endpoint.inference import LoadedModel
from training.report import table
from training.report.quotes import sample_limits
from training.report.resampling import sample_keys
from training.report.table import Builder
from vocab import messages
from vocab.aspects import Aspect
from vocab.messages import MessageError


class Question(NamedTuple):
    """What is asked of each row: the aspects, and the largest sample keys of rows that may be quoted.

    ``words`` is the largest sample key of the rows whose words are measured.
    """

    aspects: tuple[Aspect, ...]
    sentences: int
    words: int


def question_of(aspects: Sequence[Aspect], rows: int) -> Question:
    """Return what to ask of a file with so many rows."""
    return Question(tuple(aspects), *sample_limits(rows))


def judge_rows(question: Question, model: LoadedModel, task: tuple[Sequence[int], Sequence[str]]) -> bytes:
    """Judge rows, by their numbers from 0 and their reviews, and return a table's bytes.

    Sentences and words take longer than the verdict, so only rows that may be quoted are asked for them.
    """
    numbers, reviews = task
    keys = sample_keys(np.array(numbers, dtype=np.int64) + 1).tolist()
    explained = [explain_of(question, key) for key in keys]
    predictions = {
        explain: model.predict_all(
            [review for review, one in zip(reviews, explained, strict=True) if one == explain],
            explain,
            question.aspects or None,
        )
        for explain in messages.EXPLAIN
    }
    builder = Builder([aspect.name for aspect in question.aspects])
    for number, explain in zip(numbers, explained, strict=True):
        predicted = next(predictions[explain])
        if isinstance(predicted, MessageError):
            builder.fail(predicted.code)
            continue
        encoded, score, mentions = predicted
        answer = messages.build_verdict(encoded, score, model.identity, mentions)
        understood = answer["reason"] not in table.NOT_UNDERSTOOD
        logit = score.logit if understood else answer["bias"]
        builder.add(number + 1, answer, explain != "none", logit)
    return table.to_bytes(builder.table())


def explain_of(question: Question, key: int) -> str:
    """Return how far a row is explained, by its sample key."""
    return "words" if key <= question.words else "sentences" if key <= question.sentences else "none"
