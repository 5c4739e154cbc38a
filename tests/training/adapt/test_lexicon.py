"""The lexicon: its words' own columns, their valences, and its licence beside them."""

from pathlib import Path

import numpy as np

from training.adapt import lexicon, phrases
from training.endpoint import inference


def test_words_pull_the_logit_to_their_side(package: Path) -> None:
    model = inference.model_fn(package)
    change = lexicon.read_lexicon(model)
    rows = []
    for text in ("An excellent kettle.", "A horrible kettle.", "A kettle."):
        encoded = model.vocabulary.encode(text)
        ids, lengths = np.array(encoded.ids), np.array(encoded.lengths)
        reading = model.network.read(ids, lengths)
        rows.append(phrases.amounts_of(reading.ngrams, np.ones(len(lengths))))
    good, bad, neither = change.sums(phrases.as_column(rows))
    assert bad < neither < good


def test_a_model_without_a_table_of_n_grams_has_no_lexicon(package: Path) -> None:
    model = inference.model_fn(package)
    bare = model.network.ngrams._replace(codes=np.zeros(0, dtype=np.int8))
    without = model._replace(network=model.network._replace(ngrams=bare))
    assert not len(lexicon.read_lexicon(without).columns)


def test_its_licence_comes_with_it() -> None:
    text = lexicon.VALENCES.read_text(encoding="utf-8")
    assert "Copyright (c) 2016 C.J. Hutto" in text
    assert "The above copyright notice and this permission notice shall be included" in text
