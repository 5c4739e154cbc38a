"""The endpoint's four hooks: load the model, parse a request, predict, write the answer. No torch.

SageMaker's PyTorch container calls model_fn, input_fn, predict_fn and output_fn. The local endpoint,
evaluation and batch jobs call the same four. The reviews of a request are read some at a time; packing.py
says why none changes another's answer.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

from training.endpoint import calibration, opinion, receipt, scoring
from training.endpoint.calibration import Calibration, read_calibration
from training.endpoint.onnx_runtime import ort
from training.endpoint.opinion import OpinionRule
from training.endpoint.scoring import SentenceNetwork, Spans, to_network
from vocab import messages, typed, vocabulary
from vocab.aspects import Aspect, Mentions, name_mentions, spans_of
from vocab.files import sha256
from vocab.messages import EndpointRequest, Item, MessageError, Score
from vocab.vocabulary import EncodedReview, Vocabulary, VocabularyError

MODEL_FOLDER = Path(__file__).resolve().with_name("model")
MAX_MODEL_BYTES = 10_000_000
# ONNX names the file of an external tensor by this key (TensorProto.external_data).
OUTSIDE = b"location"
# What mends the published model's folder, and another one. An installed package has neither git nor make.
RESTORE = "restore it from git, or run `make train`"
ANOTHER = "name a folder that `make train` or `make adapt` wrote"
FIT_ANEW = "run `make train`, or `make adapt` for a model of your own"
if typed.INSTALLED:
    RESTORE = "install verdict-sentiment again"
    ANOTHER = "name a folder that `verdict adapt` wrote"
    FIT_ANEW = "run `verdict adapt` again"


class ModelFilesError(Exception):
    """The model's files are missing, corrupt, or belong to another vocabulary."""


class Response(NamedTuple):
    """An HTTP response: status, body and content type."""

    status: int
    body: bytes
    content_type: str


class LoadedModel(NamedTuple):
    """A loaded model: network, calibration, vocabulary, card, and the model's public identity."""

    network: SentenceNetwork
    calibration: Calibration
    vocabulary: Vocabulary
    card: dict[str, Any]
    identity: messages.Model

    def score(
        self, ids: list[int], lengths: list[int], explain: str = "none", spans: Spans | None = None
    ) -> Score:
        """Score a review of 1 to max_tokens ids, in sentences of these lengths.

        ``explain`` is "none", "sentences" or "words". ``spans`` are the clauses of its aspects, None without
        aspects.
        """
        return scoring.score(self.network, self.calibration, ids, lengths, explain, spans)

    def score_all(
        self,
        reviews: Sequence[tuple[list[int], list[int]]],
        explain: str,
        spans: Sequence[Spans | None] | None = None,
    ) -> Iterator[Score]:
        """Yield the scores of reviews, each its ids and lengths, in order; see ``score``."""
        return scoring.score_all(self.network, self.calibration, reviews, explain, spans)

    def score_encoded(
        self, encoded: Sequence[EncodedReview], explain: str, mentions: Sequence[Mentions] | None
    ) -> list[Score]:
        """Return the scores of encoded reviews; ``mentions`` are of each one's aspects, None without."""
        spans = None if mentions is None else [*map(spans_of, mentions)]
        return [*self.score_all([(text.ids, text.lengths) for text in encoded], explain, spans)]

    def predict(self, review: str, explain: str = "none") -> tuple[EncodedReview, Score]:
        """Encode and score a review. Raises MessageError 422 when it holds no token."""
        encoded = messages.check_encoded(self.vocabulary.encode(review))
        return encoded, self.score(encoded.ids, encoded.lengths, explain)

    def answer(
        self, review: str, explain: str = "none", aspects: Sequence[Aspect] | None = None
    ) -> dict[str, Any]:
        """Return the public answer to a review without its model, as ``messages.build_verdict`` does.

        Raises MessageError 422 when it holds no token.
        """
        (predicted,) = self.predict_all([review], explain, aspects)
        if isinstance(predicted, MessageError):
            raise predicted
        return messages.build_verdict(predicted.encoded, predicted.score, self.identity, predicted.mentions)

    def predict_all(
        self, reviews: Iterable[str], explain: str = "sentences", aspects: Sequence[Aspect] | None = None
    ) -> Iterator["Predicted | MessageError"]:
        """Yield what is made of each review, in order: encoded and scored, with what is said of aspects.

        A review without a token, or too long a one, yields its error. ``aspects`` are those of
        ``messages.parse_aspects``. Reviews are read a few at a time.
        """
        remaining = iter(reviews)
        while group := list(islice(remaining, scoring.READ_TOGETHER)):
            texts = [self._encode(review) for review in group]
            good = [text for text in texts if isinstance(text, EncodedReview)]
            found = None if aspects is None else [name_mentions(text, aspects) for text in good]
            scores = self.score_encoded(good, explain, found)
            predicted = iter(map(Predicted, good, scores, found or repeat(None)))
            yield from (next(predicted) if isinstance(text, EncodedReview) else text for text in texts)

    def _encode(self, review: str) -> EncodedReview | MessageError:
        try:
            return messages.check_encoded(self.vocabulary.encode(messages.check_review(review)))
        except MessageError as error:
            return error


class Predicted(NamedTuple):
    """A review that was read: encoded, its score, and the mentions of aspects, None without aspects.

    ``score.aspects`` holds the scores of the aspects that are mentioned, in the order of ``mentions``.
    """

    encoded: EncodedReview
    score: Score
    mentions: Mentions | None

    def aspects(self, model: messages.Model) -> dict[str, Any]:
        """Return the answer's ``aspects``: each one's verdict, contribution and mentions, as the API's."""
        answer = messages.build_verdict(self.encoded, self.score, model, self.mentions)
        return dict(answer.get("aspects", {}))


def model_fn(model_dir: str | Path) -> LoadedModel:
    """Load model.onnx and model.json from a folder, and the receipt of a promise if there is one.

    Raises ModelFilesError or VocabularyError.
    """
    folder = Path(model_dir)
    card = _read_card(folder / "model.json")
    if promise := receipt.read_receipt(folder, card):
        card[receipt.FIELD] = promise
    data = _read_network(folder / "model.onnx", card["onnx_sha256"])
    words = vocabulary.load()
    identity = messages.Model(card["id"], card["vocabulary"], tuple(card["uncertain"]))
    if identity.vocabulary != words.fingerprint:
        raise ModelFilesError(
            f"the model in {folder} was trained with vocabulary {identity.vocabulary[:16]}, this code has"
            f" {words.fingerprint}; train again, or use the vocabulary that came with the model"
        )
    starts = frozenset(map(words.id_of, opinion.CLAUSE_TOKENS + opinion.CLAUSE_SIGNS))
    rule = OpinionRule(opinion.read_numbers(card), opinion.marks_of(words.id_of))
    network = load_network(data, folder)._replace(clause_starts=starts, rule=rule)
    return LoadedModel(network, read_calibration(card), words, card, identity)


def load_network(data: bytes, folder: Path) -> SentenceNetwork:
    """Load a network from its bytes. An error names ``folder``. Raises ModelFilesError."""
    session = _load_session(data, folder)
    try:
        return to_network(session)
    except Exception as error:  # ONNX Runtime's own types, or numbers that do not fit together
        raise ModelFilesError(
            f"{folder / 'model.onnx'} does not weigh sentences ({type(error).__name__}); it may be of an"
            f" older version; {FIT_ANEW}"
        ) from error


def _load_session(data: bytes, folder: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    # One thread a review, and as many reviews at once as there are cores. Several threads would slow down
    # an LSTM's small steps.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelFilesError(f"{folder / 'model.onnx'} can't be loaded by ONNX Runtime: {error}") from error


def input_fn(body: bytes | bytearray | str, content_type: str | None) -> EndpointRequest:
    """Parse a request. Raises MessageError."""
    data = body.encode() if isinstance(body, str) else bytes(body)
    return messages.parse_endpoint_request(data, content_type)


def predict_fn(request: EndpointRequest, model: LoadedModel) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the answers to a request. Raises MessageError for ids of another vocabulary.

    In JSON lines each bad item gets its own error. In JSON the first bad item refuses the whole message.
    """
    if request.describe:
        return {"card": model.card}
    if request.lines:
        return _predict_lines(request.items, model)
    if any(item.ids is not None for item in request.items):
        messages.check_vocabulary(request.vocabulary, model.identity.vocabulary)
    texts = [_text_of(item, model) for item in request.items]
    scores = _score_texts(texts, model, request.explain)
    return {
        "model": messages.model_message(model.identity),
        "answers": [_answer(*row, model) for row in zip(request.items, texts, scores, strict=True)],
    }


def output_fn(
    prediction: dict[str, Any] | list[dict[str, Any]], accept: str | None = None
) -> tuple[bytes, str]:
    """Return an answer's body and content type: JSON, or one JSON line an item."""
    if isinstance(prediction, list):
        return b"\n".join(map(messages.to_json, prediction)), messages.JSON_LINES
    return messages.to_json(prediction), messages.JSON


def respond(
    body: bytes | bytearray | str, content_type: str | None, accept: str | None, model: LoadedModel
) -> Response:
    """Return the hooks' response to any request. Never raises.

    A bad message gets MessageError's status, a failure of the model 500, both with {code, detail}.
    """
    try:
        return Response(200, *output_fn(predict_fn(input_fn(body, content_type), model), accept))
    except MessageError as error:
        return _refusal(error)
    except Exception as error:
        # Only the type: the error's message could quote the request.
        return _refusal(MessageError(500, "model_failed", type(error).__name__))


def _refusal(error: MessageError) -> Response:
    message = {"code": error.code, "detail": error.detail}
    return Response(error.status, messages.to_json(message), messages.JSON)


class _Text(NamedTuple):
    """What the network reads of an item; ``encoded`` where the item is a review.

    ``spans`` and ``mentions`` are those of its aspects, None without aspects.
    """

    ids: list[int]
    lengths: list[int]
    encoded: EncodedReview | None
    spans: list[list[tuple[int, int]]] | None
    mentions: Mentions | None = None


def _score_texts(texts: Sequence[_Text], model: LoadedModel, explain: str) -> Iterator[Score]:
    reviews = [(text.ids, text.lengths) for text in texts]
    return model.score_all(reviews, explain, [text.spans for text in texts])


def _text_of(item: Item, model: LoadedModel) -> _Text:
    """Return the text of an item. Raises MessageError."""
    if item.error:
        raise item.error
    if item.review is not None:
        encoded = messages.check_encoded(model.vocabulary.encode(item.review))
        mentions = None if item.aspects is None else name_mentions(encoded, item.aspects)
        spans = None if mentions is None else spans_of(mentions)
        return _Text(encoded.ids, encoded.lengths, encoded, spans, mentions)
    ids, lengths = item.ids or [], item.lengths or []
    messages.check_ids(ids, lengths, model.vocabulary.size, model.card["max_tokens"])
    if item.spans is not None:
        messages.check_spans(item.spans, lengths)
    return _Text(ids, lengths, None, item.spans)


def _answer(item: Item, text: _Text, scored: Score, model: LoadedModel) -> dict[str, Any]:
    if text.encoded is None:
        answer = messages.score_message(scored)
    else:
        sentiment, reason, scored, warnings = messages.judge(text.encoded, scored, model.identity)
        verdict = {"sentiment": sentiment, "reason": reason}
        answer = {**verdict, **messages.score_message(scored), "warnings": warnings}
        if text.mentions is not None:
            answer["aspects"] = messages.build_aspects(
                text.encoded, text.mentions, scored.aspects, model.identity
            )
    if item.id is not None:
        answer["id"] = item.id
    return answer


def _predict_lines(items: Sequence[Item], model: LoadedModel) -> list[dict[str, Any]]:
    """Return the answers to JSON lines; a bad one gets its error as its answer."""
    texts = [_text_of_line(item, model) for item in items]
    scores = _score_texts([text for text in texts if isinstance(text, _Text)], model, "none")
    answers = []
    for item, text in zip(items, texts, strict=True):
        if isinstance(text, _Text):
            answer = _answer(item, text, next(scores), model)
        else:
            answer = {"error": {"code": text.code, "detail": text.detail}}
            if item.id is not None:
                answer["id"] = item.id
        answer["model"] = messages.model_message(model.identity)
        answers.append(answer)
    return answers


def _text_of_line(item: Item, model: LoadedModel) -> _Text | MessageError:
    """Return the text of a line, or why it has none."""
    if item.ids is not None:
        return MessageError(400, "bad_value", 'JSON lines take {"review": "..."}, not ids')
    try:
        return _text_of(item, model)
    except MessageError as error:
        return error


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelFilesError(f"{path} can't be read ({error.strerror}); {_remedy(path)}") from error
    except ValueError as error:
        raise ModelFilesError(f"{path} is no JSON; {_remedy(path)}") from error
    fitted = (*calibration.FIELDS, opinion.FIELD)
    keys = ("id", "onnx_sha256", "vocabulary", "uncertain", "max_tokens", *fitted)
    missing = [key for key in keys if not isinstance(card, dict) or key not in card]
    if missing:
        older = set(missing) <= {*fitted}
        remedy = f"it is of an older version; {FIT_ANEW}" if older else _remedy(path)
        raise ModelFilesError(f"{path} lacks {', '.join(missing)}; {remedy}")
    if not _is_usable(card):
        raise ModelFilesError(f"{path} holds a value that can't be used; {_remedy(path)}")
    return card


def _is_usable(card: dict[str, Any]) -> bool:
    """Return whether the card's values have the types and ranges that scoring needs."""
    try:
        low, high = card["uncertain"]
        read_calibration(card)
        opinion.read_numbers(card)
        return (
            all(isinstance(card[key], str) for key in ("id", "onnx_sha256", "vocabulary"))
            and 0 <= low <= high <= 1
            and isinstance(card["max_tokens"], int)
            and card["max_tokens"] > 0
        )
    except (KeyError, TypeError, ValueError):
        return False


def _remedy(path: Path) -> str:
    """Return what mends the folder of one of the model's files."""
    return RESTORE if path.parent.resolve() == MODEL_FOLDER else ANOTHER


def _read_network(path: Path, expected: str) -> bytes:
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelFilesError(f"{path} is larger than {MAX_MODEL_BYTES:,} bytes; {_remedy(path)}")
        data = path.read_bytes()
    except OSError as error:
        raise ModelFilesError(f"{path} can't be read ({error.strerror}); {_remedy(path)}") from error
    if sha256(data) != expected:
        raise ModelFilesError(
            f"{path} is not the file that model.json names (SHA-256 {sha256(data)[:12]}…, expected"
            f" {expected[:12]}…); {_remedy(path)}"
        )
    if OUTSIDE in data:
        raise ModelFilesError(f"{path} has weights in another file, which no hash covers; {FIT_ANEW}")
    return data


__all__ = [
    "LoadedModel",
    "ModelFilesError",
    "Response",
    "VocabularyError",
    "input_fn",
    "model_fn",
    "output_fn",
    "predict_fn",
    "respond",
]
