"""A fit in memory: the head of the command's fit, and a sentence for texts that can't teach."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.varied import varied
from training.adapt import in_memory
from training.adapt.adapt import adapt
from training.adapt.exit_status import CommandError
from training.adapt.onnx_head import read_head
from training.endpoint import inference
from training.files import labelled

pytestmark = pytest.mark.slow
TEXTS = [f"Lamp {n} {('shines', 'flickers')[n % 2]} all night; {varied(n)}." for n in range(80)]
LABELS = np.array([1, 0] * 40)


def test_the_head_is_that_of_a_file_s_fit(package: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f'"{text}",{label}' for text, label in zip(TEXTS, LABELS, strict=True)]
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    written = adapt(labelled.read(path), package, 1)
    adapted = in_memory.fit_texts(TEXTS, LABELS, package, 1)
    head = read_head(written.network)
    assert adapted.weights.tolist() == head.weights.tolist()
    assert adapted.bias == head.bias
    ngrams = inference.load_network(written.network, path).ngrams
    assert adapted.ngrams is not None
    applied = adapted.apply(inference.model_fn(package)).network.ngrams
    assert applied.codes.tolist() == ngrams.codes.tolist()
    assert applied.step == ngrams.step
    assert adapted.calibration._asdict().items() <= written.card.items()
    assert list(adapted.band) == written.card["uncertain"]


def test_texts_that_can_t_be_read_are_left_out(package: Path) -> None:
    unread = ["", "<br>", "Der Film war leider sehr langweilig und viel zu lang."]
    adapted = in_memory.fit_texts([*TEXTS, *unread], np.array([*LABELS, 1, 1, 1]), package, 1)
    alone = in_memory.fit_texts(TEXTS, LABELS, package, 1)
    assert adapted.weights.tolist() == alone.weights.tolist()


@pytest.mark.parametrize(
    "texts, labels, sentence",
    [
        (TEXTS[:40], LABELS[:40], "fit takes 50 or more texts, and 10 of each label; got 20 positive and 20"),
        (TEXTS, np.ones(80, dtype=int), "got 80 positive and 0 negative$"),
        (TEXTS[:45] + ["<br>"] * 35, LABELS, "got 23 positive and 22 negative; 35 more can't be read$"),
        (["The same old text."] * 80, LABELS, "too much alike to hold out a fifth of them in turn"),
    ],
)
def test_texts_that_can_t_teach_are_refused(
    package: Path, texts: list[str], labels: np.ndarray, sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        in_memory.fit_texts(texts, labels, package, 1)
