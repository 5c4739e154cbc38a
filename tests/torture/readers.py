"""List every reader of outside bytes, with whole examples and the errors by which it may refuse.

A reader has a fault when it raises another error, or accepts data that breaks its own promises.
"""

import gzip
import io
import json
import math
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.support.archive import tiny_members, write_archive
from tests.support.model import random_package
from tests.support.scores import additive_score
from training.aws.cloud import CloudError
from training.data import archives
from training.endpoint import inference
from training.endpoint.inference import ModelFilesError
from training.files import rows
from training.files.rows import BatchError
from training.jobs import training_job
from vocab import messages, text, vocabulary
from vocab.aspects import name_mentions, spans_of
from vocab.files import sha256
from vocab.messages import MessageError
from vocab.vocabulary import VocabularyError

# Longer than any refusal; a refusal that quotes its input would be longer.
MAX_DETAIL = 400
STATUSES = (400, 413, 415, 422, 502)
WORDS = vocabulary.load()
REVIEW = (
    "Not good at all. The <b>music</b> was lovely &amp; the plot, well... 7/10! \u2019Twas fine \U0001f600"
)
ENCODED = WORDS.encode(REVIEW)
MENTIONS = name_mentions(ENCODED, messages.parse_aspects({"music": ["music"], "plot": ["plot"]}))


class Reader(NamedTuple):
    """A reader with its name, whole examples of its input, and the errors by which it refuses."""

    name: str
    read: Callable[[bytes], object]
    examples: list[bytes]
    refuses: tuple[type[Exception], ...] = (MessageError,)

    def accepts(self, data: bytes) -> bool:
        """Return whether the reader accepts the data. Raises AssertionError and every error but a refusal."""
        try:
            self.read(data)
        except self.refuses as error:
            assert len(str(error)) <= MAX_DETAIL, f"{self.name} has too long a refusal"
            assert getattr(error, "status", 400) in STATUSES
            return False
        return True


def readers(folder: Path) -> list[Reader]:
    """Return every reader; readers of files write to ``folder``."""
    return [_text(), *_requests(), *_endpoint(), *_files_of_model(folder), *_archives(folder), *_rows(folder)]


# --- text and messages --------------------------------------------------------------------------


def _text() -> Reader:
    def read(data: bytes) -> None:
        review = data.decode("utf-8", "surrogateescape")
        encoded = messages.check_encoded(WORDS.encode(review))
        messages.warnings_of(encoded)
        assert all(0 < number < WORDS.size for number in encoded.ids)
        assert sum(encoded.lengths) == len(encoded.ids) and min(encoded.lengths) >= 1
        assert all(
            0 <= start < end <= len(encoded.text) for _, start, end in zip(*encoded.tokens, strict=True)
        )

    return Reader(
        "text to ids", read, [REVIEW.encode(), b"<br/>A </3 film&nbsp;&#x1F600;<!-- x -->n't", b"a " * 450]
    )


def _requests() -> list[Reader]:
    lines = b'{"id": 1, "review": "A joy."}\n{"review": "Dull"}\n'
    table = b'id,review\r\n7,"Dull, ""and"" long.\nVery."\r\n8,A joy.\r\n'
    batch = json.dumps(
        {"reviews": [{"id": 1, "review": REVIEW}, {"id": "b", "review": " "}], "explain": "words"}
    )
    single_request = json.dumps({"review": REVIEW, "explain": "none"})
    own_aspects = json.dumps(
        {"review": REVIEW, "aspects": {"music": ["music", "sound-track"], "plot": ["the plot"]}}
    )

    def single(kind: str) -> Callable[[bytes], object]:
        return lambda data: _check_single(messages.parse_review_request(data, kind))

    def many(kind: str) -> Callable[[bytes], object]:
        return lambda data: _check_batch(messages.parse_batch_request(data, kind))

    return [
        Reader("a review as JSON", single(messages.JSON), [single_request.encode(), own_aspects.encode()]),
        Reader("a review as text", single(messages.TEXT), [REVIEW.encode()]),
        Reader("a batch as JSON", many(messages.JSON), [batch.encode()]),
        Reader("a batch as JSON lines", many(messages.JSON_LINES), [lines]),
        Reader("a batch as CSV", many(messages.CSV), [table, b"review\nA joy\n\n"]),
    ]


def _check_single(request: messages.ReviewRequest) -> None:
    """Check that the review is one, and that its mentions lie in its clauses."""
    encoded = WORDS.encode(messages.check_review(request.review))
    for mentions in name_mentions(encoded, request.aspects or ()).values():
        for first, last, start, end, _ in mentions:
            assert 0 <= first <= start < end <= last <= len(encoded.ids)


def _check_batch(request: messages.BatchRequest) -> None:
    """Check that every item is a review or an error, and that an answer can be built."""
    assert 1 <= len(request.items) <= messages.MAX_BATCH_REVIEWS
    assert all((item.review is None) != (item.error is None) for item in request.items)
    answers = [{"error": {"code": item.error.code}} if item.error else {} for item in request.items]
    messages.build_batch_answer(request.items, answers, None, "r1")


def _endpoint() -> list[Reader]:
    request = messages.build_endpoint_request([ENCODED], WORDS, "words", [MENTIONS])
    pulls = [0.5] * len(ENCODED.ids)
    scored = additive_score(0.25, pulls, ENCODED.lengths, "words", spans_of(MENTIONS))
    model = messages.model_message(messages.Model("verdict-1", WORDS.fingerprint, (0.4, 0.6)))
    answer = messages.to_json({"model": model, "answers": [messages.score_message(scored)]})
    card = messages.to_json({"card": {**model, "temperature": 1.1}})
    lines = (
        b'{"id": 1, "review": "A joy.", "aspects": {"joy": ["joy"]}}\n'
        b'{"ids": [300, 301, 302], "sentences": [1, 2], "aspects": [[[0, 1], [1, 3]]]}\n'
    )
    return [
        Reader("what the endpoint is asked", lambda data: _check_ids(data, messages.JSON), [request]),
        Reader(
            "what the endpoint is asked, as lines",
            lambda data: _check_ids(data, messages.JSON_LINES),
            [lines],
        ),
        Reader(
            "what the endpoint answers",
            lambda data: _check_answer(messages.parse_endpoint_answer(data, [ENCODED], "words", [MENTIONS])),
            [answer],
        ),
        Reader("the endpoint's card", messages.parse_card, [card]),
    ]


def _check_ids(data: bytes, kind: str) -> None:
    """Check that the ids of each item that is read can be cut into its sentences."""
    for item in messages.parse_endpoint_request(data, kind).items:
        if item.error:
            continue
        assert (item.review is None) == (item.ids is not None) == (item.lengths is not None)
        if item.ids is not None:
            messages.check_ids(item.ids, item.lengths or [], WORDS.size, text.MAX_TOKENS)
            messages.check_spans(item.spans or [], item.lengths or [])


def _check_answer(answer: tuple[messages.Model, list[messages.Score]]) -> None:
    """Check that a verdict can be built, and that its parts add up."""
    model, (scored,) = answer
    verdict = messages.build_verdict(ENCODED, scored, model, MENTIONS)
    assert all(0 <= aspect.get("probability", 0) <= 1 for aspect in verdict["aspects"].values())
    for name in ("sentences", "words"):
        total = math.fsum([verdict["bias"], *(part["contribution"] for part in verdict[name])])
        assert abs(messages.sigmoid(total) - verdict["probability"]) <= 1e-4
    assert all(0 <= sentence[key] <= 1 for sentence in verdict["sentences"] for key in ("alone", "without"))


# --- files --------------------------------------------------------------------------------------


def _files_of_model(folder: Path) -> list[Reader]:
    pickled = folder / "vocabulary.pkl"
    vocabulary.save(pickled, {"good": 257, "film": 258}, {"good": "good", "films": "film"}, "two words")
    own = pickled.read_bytes()
    model = folder / "model"
    model.mkdir(exist_ok=True)
    random_package(model)
    card, network = (model / "model.json").read_bytes(), (model / "model.onnx").read_bytes()

    def read_vocabulary(data: bytes) -> None:
        pickled.write_bytes(data)
        pickled.with_suffix(".json").write_text(json.dumps({"sha256": sha256(data)}))
        words = vocabulary.load(pickled)
        assert words.size == vocabulary.FIRST_KNOWN_ID + len(words.stems)

    def read_changed_vocabulary(data: bytes) -> None:
        pickled.with_suffix(".json").write_text(json.dumps({"sha256": sha256(own)}))
        pickled.write_bytes(data)
        assert vocabulary.load(pickled) and data == own

    def read_card(data: bytes) -> None:
        (model / "model.json").write_bytes(data)
        (model / "model.onnx").write_bytes(network)
        scored = inference.model_fn(model).score([300, 301, 302], [1, 2], "words")
        assert 0 <= scored.probability <= 1 and scored.sentences and scored.words

    def read_changed_network(data: bytes) -> None:
        (model / "model.json").write_bytes(card)
        (model / "model.onnx").write_bytes(data)
        assert inference.model_fn(model) and data == network

    refuses = (ModelFilesError, VocabularyError)
    return [
        Reader("vocabulary.pkl, its card vouching", read_vocabulary, [own], refuses),
        Reader("vocabulary.pkl, changed", read_changed_vocabulary, [own], refuses),
        Reader("model.json", read_card, [card], refuses),
        Reader("model.onnx, changed", read_changed_network, [network], refuses),
    ]


def _archives(folder: Path) -> list[Reader]:
    path = write_archive(folder / "tiny.tar.gz", tiny_members())
    packed = path.read_bytes()
    network = write_archive(
        folder / "network.tar.gz", {"network.json": "{}", "./network.safetensors": "none"}
    )

    def read_stream(data: bytes) -> None:
        path.write_bytes(data)
        for _, content in archives.read_members(path, lambda name: 10_000, 10_000_000):
            assert len(content) <= 10_000

    def read_tar(data: bytes) -> None:
        read_stream(gzip.compress(data, 1))

    def read_network(data: bytes) -> None:
        path.write_bytes(data)
        training_job.unpack(path)

    return [
        Reader("a tar.gz", read_stream, [packed], (archives.ArchiveError,)),
        Reader("a tar", read_tar, [gzip.decompress(packed), *_with_headers()], (archives.ArchiveError,)),
        Reader("a network's tar.gz", read_network, [network.read_bytes()], (CloudError,)),
    ]


def _with_headers() -> list[bytes]:
    """Return tars with headers that tarfile itself reads: pax, GNU's long names, sparse files."""
    sparse = {"GNU.sparse.map": "0,3", "GNU.sparse.size": "9", "GNU.sparse.numblocks": "1"}
    tars = []
    for form, headers in ((tarfile.PAX_FORMAT, sparse), (tarfile.GNU_FORMAT, {})):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as tar:
            info = tarfile.TarInfo("\u00e9" * 60 + "/" + "n" * 120)
            info.size, info.pax_headers = 3, headers
            tar.addfile(info, io.BytesIO(b"abc"))
        tars.append(out.getvalue())
    return tars


def _rows(folder: Path) -> list[Reader]:
    tables = {
        "csv": b'id,text,stars\r\n1,"Dull, ""and"" long.\nVery.",2\r\n2,A joy.,9\r\n',
        "tsv": b"review\tstars\nDull\t2\nA joy\t9\n",
        "jsonl": b'{"review": "Dull", "stars": 2}\n{"review": "A joy", "more": [1, {"a": null}]}\n',
        "lines": "Dull\nA joy \u2028 it is\n".encode(),
    }
    answer: dict[str, object] = {"id": 0, "sentiment": "positive", "reason": None, "probability": 0.9}
    answer |= {"warnings": [{"code": "too_short"}], "model": {"id": "verdict-1"}}
    music = {
        "sentiment": "negative",
        "reason": None,
        "probability": 0.1,
        "contribution": -1.5,
        "mentions": [],
    }
    answer["aspects"] = {"music": music, "plot": {"sentiment": messages.NOT_MENTIONED}}
    answers = json.dumps(answer).encode() + b"\n"

    def reader(format: str) -> Callable[[bytes], object]:
        def read(data: bytes) -> None:
            path = folder / f"rows.{format}"
            path.write_bytes(data)
            source = rows.open_source(path, format)
            predictions = {
                row.number: rows.Prediction("positive", None, 0.9) for row in source.rows() if not row.error
            }
            joined = rows.join(source.rows(), [predictions] if predictions else [])
            rows.write(joined, source, io.StringIO(newline=""), "tsv")

        return read

    return [
        *(Reader(f"rows of {name}", reader(name), [data], (BatchError,)) for name, data in tables.items()),
        Reader("a batch's answers", lambda data: rows.parse_predictions(data), [answers], (BatchError,)),
    ]
