"""Verdict's HTTP API: a review goes in, a verdict comes out.

chalice local       (from this folder; `make run` also starts the endpoint and the page)
"""

import contextlib
import functools
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

from chalice.app import Chalice, Request, Response

from chalicelib import answers, auth, compatible, emf, endpoint, feedback_store, log, openapi, problems, stats
from chalicelib.compatible import comprehend, text_embeddings
from chalicelib.http_request import check_query, read_body, read_explain
from vocab import messages, vocabulary
from vocab.aspects import Aspect, Mentions, name_mentions
from vocab.messages import BatchRequest, Item, MessageError, Model, ReviewRequest, Score
from vocab.vocabulary import EncodedReview

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Routes for all other paths. Locally {proxy+} matches one segment, on API Gateway any number.
UNKNOWN_PATHS = ("/{proxy+}", "/v1/{proxy+}")
CARD_SECONDS = 60

View = Callable[[], Response]

app = Chalice(app_name="verdict", configure_logs=False)


def route(
    path: str, *methods: str, cors: bool = True, key: bool = False, query: Sequence[str] | None = ()
) -> Callable[[View], View]:
    """Register a view for any content type, because vocab.messages checks it better than Chalice does.

    With ``key`` the route needs an API key when AUTH=key. ``query`` names the query's parameters, None any.
    """

    def register(view: View) -> View:
        rules = answers.cors() if cors else False
        checked = view if query is None else with_query(view, query)
        checked = auth.required(checked, app) if key else checked
        app.route(path, methods=list(methods), content_types=["*/*"], cors=rules)(
            problems.catch_errors(checked)
        )
        return view

    return register


def with_query(view: View, allowed: Sequence[str]) -> View:
    """Wrap a view so that it refuses other parameters of the query than those allowed."""

    @functools.wraps(view)
    def checked() -> Response:
        check_query(current_request(), allowed)
        return view()

    return checked


# --- routes -------------------------------------------------------------------------------------


@route("/v1/sentiment", "POST", key=True, query=("explain",))
def sentiment() -> Response:
    """Answer a review, as JSON or as text/plain, with its verdict, probability and explanation."""
    http_request = current_request()
    request = messages.parse_review_request(*read_body(http_request), read_explain(http_request))
    return answers.json_answer(classify(request))


@route("/v1/sentiment/batch", "POST", key=True, query=("explain",))
def batch() -> Response:
    """Answer up to 100 reviews in their order, each with its verdict or its own problem."""
    http_request = current_request()
    request = messages.parse_batch_request(*read_body(http_request), read_explain(http_request))
    return answers.batch_answer(classify_batch(request), http_request.headers.get("accept"))


@route("/v1/feedback", "GET", "HEAD")
def feedback_status() -> Response:
    """Answer whether this API stores feedback."""
    return answers.json_answer({"enabled": feedback_store.is_enabled(os.environ)})


@route("/v1/feedback", "POST", key=True)
def save_feedback() -> Response:
    """Store a review with its right label, and answer the id that deletes it."""
    feedback = messages.parse_feedback(*read_body(current_request()))
    log.note(characters=len(feedback.review))
    feedback_id = feedback_store.save(feedback)
    return answers.json_answer({"id": feedback_id, "request_id": log.request_id()}, status=201)


@route("/v1/feedback/{id}", "DELETE", key=True)
def delete_feedback() -> Response:
    """Delete feedback by its id; an id under which nothing is kept is a 404."""
    feedback_id = (current_request().uri_params or {}).get("id", "")
    feedback_store.delete(feedback_id)
    return answers.json_answer({"id": feedback_id, "deleted": True, "request_id": log.request_id()})


@route("/", "POST", key=True)
def legacy_sentiment() -> Response:
    """Answer a text/plain review with 1.0 (positive) or 0.0, like the app before this one.

    With COMPATIBLE=comprehend, an operation of AWS comes to this path too.
    """
    if compatible.speaker("/", current_request().headers):
        return detect_sentiment()
    data, content_type = read_body(current_request())
    request = messages.parse_review_request(data, content_type or messages.TEXT)
    answer = classify(request._replace(explain="none", aspects=None))
    return answers.text_answer("1.0" if answer["probability"] >= 0.5 else "0.0")


@route("/v1/health", "GET", "HEAD")
def health() -> Response:
    """Answer 200 when app and endpoint work, else 503 with the one that fails and the reason."""
    try:
        card = fetch_card()
        messages.check_vocabulary(app_vocabulary().fingerprint, card["vocabulary"])
    except Exception as error:
        return answers.json_answer(degraded_health(problems.problem_of(error)), status=503)
    model = {"id": card["id"], "vocabulary": card["vocabulary"]}
    return answers.json_answer({"status": "ok", "app": "ok", "endpoint": "ok", "model": model})


@route("/v1/model", "GET", "HEAD", key=True)
def model_card() -> Response:
    """Answer with the card of the model that serves, at most a minute old."""
    card = cached_card(int(time.monotonic() // CARD_SECONDS))
    return answers.cacheable_answer(card, current_request().headers.get("if-none-match"))


@route("/v1/openapi.json", "GET", "HEAD")
def openapi_document() -> Response:
    """Answer with this API's description, OpenAPI 3.1."""
    request = current_request()
    document = openapi.document(request.context.get("path", ""))
    return answers.cacheable_answer(document, request.headers.get("if-none-match"))


@route("/v1/metrics", "GET", "HEAD", key=True)
def metrics() -> Response:
    """Answer with this process's counts in Prometheus's format; 404 on AWS."""
    if stats.prometheus_text is None:
        raise problems.not_found()
    return answers.text_answer(stats.prometheus_text(), answers.PROMETHEUS)


# --- other protocols, where COMPATIBLE names them --------------------------------------------------


def detect_sentiment() -> Response:
    """Answer Amazon Comprehend's DetectSentiment or BatchDetectSentiment."""
    http_request = current_request()
    operation = comprehend.operation_of(http_request.headers.get(comprehend.TARGET))
    log.note(operation=operation)
    answer = classify_any(comprehend.parse_request(operation, *read_body(http_request)))
    body = messages.to_json(comprehend.build_answer(answer)).decode()
    return Response(body=body, headers=dict(comprehend.headers(log.request_id())))


def predict() -> Response:
    """Answer text-embeddings-inference's classification of a text, or of several."""
    asked = text_embeddings.parse_request(*read_body(current_request()))
    return answers.json_answer(text_embeddings.build_answer(asked, classify_any(asked.request)))


def served_model() -> Response:
    """Answer text-embeddings-inference's description of the model that serves."""
    return answers.json_answer(text_embeddings.build_info(cached_card(int(time.monotonic() // CARD_SECONDS))))


def plain_health() -> Response:
    """Answer 200 without a body when app and endpoint work, else 503 with the reason."""
    try:
        messages.check_vocabulary(app_vocabulary().fingerprint, fetch_card()["vocabulary"])
    except Exception as error:
        problem = problems.problem_of(error)
        raise problems.Problem(503, problem.code, problem.detail) from error
    return answers.text_answer("")


# --- the path of a review -----------------------------------------------------------------------


def classify_any(request: ReviewRequest | BatchRequest) -> dict[str, Any]:
    """Return the answer to one review, or to several."""
    return classify(request) if isinstance(request, ReviewRequest) else classify_batch(request)


def classify(request: ReviewRequest) -> dict[str, Any]:
    """Return the answer to one review: clean, tokenize, stem, look up ids, call the endpoint, decide."""
    log.note(characters=len(request.review))
    encoded = messages.check_encoded(app_vocabulary().encode(request.review))
    log.note(ids=len(encoded.ids))
    mentions = find_mentions([encoded], request.aspects)
    model, scores = score([encoded], request.explain, mentions)
    found = None if mentions is None else mentions[0]
    answer = messages.build_answer(encoded, scores[0], model, log.request_id(), found)
    log.note(verdict=answer["sentiment"])
    log.note_stats([stats.of_review(encoded, answer)])
    return answer


def classify_batch(request: BatchRequest) -> dict[str, Any]:
    """Return the answer to several reviews. Each is encoded alone; the endpoint is called once."""
    log.note(reviews=len(request.items), characters=sum(len(item.review or "") for item in request.items))
    results = [encode_item(item) for item in request.items]
    encoded = [result for result in results if isinstance(result, EncodedReview)]
    refused = Counter(result.code for result in results if isinstance(result, MessageError))
    log.note(ids=sum(len(review.ids) for review in encoded), refused=refused)
    model, verdicts = classify_encoded(encoded, request.explain, request.aspects)
    log.note(verdicts=Counter(verdict["sentiment"] for verdict in verdicts))
    log.note_stats([stats.of_review(*pair) for pair in zip(encoded, verdicts, strict=True)])
    remaining = iter(verdicts)
    items = [
        problems.of_item(result) if isinstance(result, MessageError) else next(remaining)
        for result in results
    ]
    return messages.build_batch_answer(request.items, items, model, log.request_id())


def encode_item(item: Item) -> EncodedReview | MessageError:
    """Return a batch's review encoded, or the error that makes it unusable."""
    if item.error:
        return item.error
    try:
        return messages.check_encoded(app_vocabulary().encode(item.review or ""))
    except MessageError as error:
        return error


def classify_encoded(
    encoded: Sequence[EncodedReview], explain: str, aspects: Sequence[Aspect] | None
) -> tuple[Model | None, list[dict[str, Any]]]:
    """Return the model and its verdict on each review; None without a call when there is no review."""
    if not encoded:
        return None, []
    mentions = find_mentions(encoded, aspects)
    model, scores = score(encoded, explain, mentions)
    triples = zip(encoded, scores, mentions or repeat(None, len(encoded)), strict=True)
    return model, [messages.build_verdict(review, scored, model, found) for review, scored, found in triples]


def find_mentions(
    encoded: Sequence[EncodedReview], aspects: Sequence[Aspect] | None
) -> list[Mentions] | None:
    """Return each review's mentions of a request's aspects; None where it names none."""
    return None if aspects is None else [name_mentions(review, aspects) for review in encoded]


def score(
    encoded: Sequence[EncodedReview], explain: str, mentions: Sequence[Mentions] | None
) -> tuple[Model, list[Score]]:
    """Return the model and each review's score, from one call of the endpoint."""
    words = app_vocabulary()
    message = messages.build_endpoint_request(encoded, words, explain, mentions)
    if endpoint.in_process is not None:  # the log takes the message's size; reading it would cost far more
        return endpoint.in_process.score(encoded, explain, mentions, len(message), log.request_id())
    reply = endpoint.invoke(message, log.request_id())
    model, scores = messages.parse_endpoint_answer(reply, encoded, explain, mentions)
    messages.check_model_vocabulary(model, words.fingerprint)
    return model, scores


def current_request() -> Request:
    """Return the current request, which Chalice sets before it calls a view."""
    assert app.current_request is not None
    return app.current_request


@functools.cache
def app_vocabulary() -> vocabulary.Vocabulary:
    """Load the pickled vocabulary once. Raises VocabularyError."""
    return vocabulary.load()


def fetch_card() -> dict[str, Any]:
    """Fetch the model's card from the endpoint."""
    return messages.parse_card(endpoint.invoke(messages.build_describe_request(), log.request_id()))


@functools.lru_cache(maxsize=1)
def cached_card(minute: int) -> dict[str, Any]:
    """Return the card that was fetched first in this minute."""
    return fetch_card()


def degraded_health(problem: problems.Problem) -> dict[str, Any]:
    """Return the health of an app whose endpoint, or whose own vocabulary, fails."""
    log.note(code=problem.code)
    app_fails = problem.code in ("internal", "vocabulary_unreadable")
    return {
        "status": "degraded",
        "app": "unavailable" if app_fails else "ok",
        "endpoint": "unknown" if app_fails else "unavailable",
        "model": None,
        "code": problem.code,
        "detail": problem.detail,
    }


# --- everything else ----------------------------------------------------------------------------


def allowed_methods(path: str) -> list[str]:
    """Return the methods that a path answers; none for unknown paths."""
    entries = app.routes.get(path, {}).items()
    fallbacks = ("unknown_path", "wrong_method", "preflight")
    served = [method for method, entry in entries if entry.view_name not in fallbacks]
    return [*served, "OPTIONS"] if served else []


def unknown_path() -> Response:
    """Answer unknown paths with 404."""
    raise problems.not_found()


def wrong_method() -> Response:
    """Answer known paths with 405 for other methods; API Gateway's own answer is a bare 403."""
    raise problems.wrong_method(allowed_methods(current_request().path))


def preflight() -> Response:
    """Answer the CORS preflight of a browser."""
    return answers.preflight(allowed_methods(current_request().path))


def middleware(request: Request | None, get_response: answers.Next) -> Response:
    """Add headers and a log line to every answer, Chalice's own errors included."""
    return answers.complete(request, get_response, allowed_methods)


if "tei" in compatible.read_protocols(os.environ):
    route("/predict", "POST", key=True, query=None)(predict)
    route("/info", "GET", "HEAD", key=True, query=None)(served_model)
    route("/health", "GET", "HEAD", query=None)(plain_health)
for known in list(app.routes):
    others = [method for method in METHODS if method not in app.routes[known]]
    route(known, *others, cors=False, query=None)(wrong_method)
for path in UNKNOWN_PATHS:
    route(path, *METHODS, query=None)(unknown_path)
if answers.cors() is False:  # Chalice's own preflight answer names only one origin
    for known in list(app.routes):
        route(known, "OPTIONS", query=None)(preflight)
app.register_middleware(middleware, "http")
emf.start(os.environ)
with contextlib.suppress(vocabulary.VocabularyError):  # each request will answer with this error
    app_vocabulary()
