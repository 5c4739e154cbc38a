"""Download a job's model: it is checked against the base and the reviews that were sent."""

import io
import json
import math
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_reviews import rows, save
from training.adapt import adapt
from training.adapt.exit_status import CommandError
from training.aws.cloud import CloudError
from training.endpoint import inference
from training.files import labelled
from training.jobs import adapt_result
from vocab.files import sha256, sha256_of

Files = dict[str, bytes]
Card = dict[str, Any]


@pytest.fixture(scope="module")
def made(made_package: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, str]:
    """The files of a job, and the hash of its reviews; any fit will do here."""
    file = save(tmp_path_factory.mktemp("reviews") / "my.csv", rows(60))
    adapted = adapt.adapt(labelled.read(file), made_package, 1)
    return {"model.onnx": adapted.network, "model.json": json.dumps(adapted.card).encode()}, sha256_of(file)


@pytest.fixture
def base(made_package: Path) -> Card:
    return inference.model_fn(made_package).card


@pytest.fixture
def bring(
    base: Card, made: tuple[Files, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., adapt_result.JobResult]:
    """Return a function that downloads files packed as by SageMaker, or an archive's bytes."""

    def bring(files: Files | bytes, **given: Any) -> adapt_result.JobResult:
        packed = tmp_path / "model.tar.gz"
        packed.write_bytes(files if isinstance(files, bytes) else archive(files))

        @contextmanager
        def downloaded_archive(*_: object) -> Iterator[Path]:
            yield packed

        monkeypatch.setattr(adapt_result, "downloaded_archive", downloaded_archive)
        return adapt_result.download_model(None, {}, given.get("base", base), given.get("digest", made[1]))  # type: ignore[arg-type]

    return bring


def archive(files: Files) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def changed(files: Files, change: Callable[[Card], object]) -> Files:
    card = json.loads(files["model.json"])
    change(card)
    return files | {"model.json": json.dumps(card).encode()}


def test_a_whole_model_comes_with_its_hash_and_what_lies_beside_it_does_not(
    bring: Callable[..., adapt_result.JobResult], made: tuple[Files, str]
) -> None:
    data = archive(made[0] | {"../escape": b"x", "other.bin": b"x"})
    came = bring(data)
    assert came.network == made[0]["model.onnx"]
    assert came.card == json.loads(made[0]["model.json"])
    assert came.archive_sha256 == sha256(data)


def test_the_job_s_own_sentence_is_what_the_user_gets(bring: Callable[..., adapt_result.JobResult]) -> None:
    sentence = "my.csv has 3 positive and 0 negative reviews to learn from"
    with pytest.raises(CommandError, match=sentence):
        bring({"refused.json": json.dumps({"sentence": sentence}).encode()})


@pytest.mark.parametrize(
    "refusal",
    [b"{", b"[]", b'{"sentence": 3}', b'{"sentence": "a\\u001b[2Jb"}', b'{"sentence": "%s"}' % (b"x" * 999)],
)
def test_a_refusal_that_is_no_sentence_is_not_printed(
    bring: Callable[..., adapt_result.JobResult], refusal: bytes
) -> None:
    with pytest.raises(CloudError, match="refused the reviews and gave no reason"):
        bring({"refused.json": refusal})


def test_half_an_archive_is_refused(
    bring: Callable[..., adapt_result.JobResult], made: tuple[Files, str]
) -> None:
    data = archive(made[0])
    with pytest.raises(CloudError, match="model.tar.gz is no usable archive"):
        bring(data[: len(data) // 2])


@pytest.mark.parametrize("lacking", ["model.onnx", "model.json"])
def test_half_a_model_is_refused(
    bring: Callable[..., adapt_result.JobResult], made: tuple[Files, str], lacking: str
) -> None:
    with pytest.raises(CloudError, match="the job left no model.onnx and model.json"):
        bring({name: data for name, data in made[0].items() if name != lacking})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda card: card.pop("adaptation"),
        lambda card: card["adaptation"].update(outcome="perfect"),
        lambda card: card["adaptation"].update(sentence="Better\x1b[2J"),
        lambda card: card["adaptation"].update(sentence=None),
        lambda card: card["adaptation"].update(seconds="9"),
        lambda card: card["adaptation"]["data"].update(rows=[]),
        lambda card: card["adaptation"]["data"]["rows"].update(rows="many"),
        lambda card: card["adaptation"]["data"]["learned_from"].update(reviews="all"),
        lambda card: card.update(temperature=math.nan),
    ],
)
def test_a_card_of_another_form_is_refused(
    bring: Callable[..., adapt_result.JobResult], made: tuple[Files, str], spoil: Callable[[Card], object]
) -> None:
    with pytest.raises(CloudError, match="the downloaded card is not that of an adaptation"):
        bring(changed(made[0], spoil))


def test_a_model_of_another_base_is_refused(
    bring: Callable[..., adapt_result.JobResult], made: tuple[Files, str], base: Card
) -> None:
    with pytest.raises(CloudError, match="was not made from verdict-other; name its base with --model"):
        bring(made[0], base=base | {"id": "verdict-other"})


def test_a_model_of_other_reviews_is_refused_where_theirs_are_known(
    bring: Callable[..., adapt_result.JobResult], made: tuple[Files, str]
) -> None:
    with pytest.raises(CloudError, match="was made from other reviews than were sent"):
        bring(made[0], digest="0" * 64)
    assert bring(made[0], digest=None).network == made[0]["model.onnx"]


def test_a_network_that_its_card_does_not_name_is_refused(
    bring: Callable[..., adapt_result.JobResult], made: tuple[Files, str]
) -> None:
    with pytest.raises(CloudError, match="is not the one that its card names"):
        bring(made[0] | {"model.onnx": made[0]["model.onnx"] + b"\0"})
