"""Verdict's HTTP API: a review goes in, a verdict comes out.

chalice local       (from this folder; `make run` starts it together with its endpoint and the page)
"""

import contextlib
import functools
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from chalice.app import Chalice, Request, Response

from chalicelib import answers, auth, emf, endpoint, feedback, log, measures, openapi, problems
from chalicelib.reading import read_body, read_explain
from vocab import messages, vocabulary
from vocab.messages import BatchRequest, Item, MessageError, Model, ReviewRequest, Score
from vocab.vocabulary import EncodedReview

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Paths that nobody serves. Locally {proxy+} matches one segment, on API Gateway any number.
UNKNOWN = ("/{proxy+}", "/v1/{proxy+}")
CARD_SECONDS = 60

View = Callable[[], Response]

app = Chalice(app_name="verdict", configure_logs=False)


def route(path: str, *methods: str, cors: bool = True, key: bool = False) -> Callable[[View], View]:
    """Register a view for any content type, which vocab.messages judges better than Chalice does.

    ``key``: it is for callers with an API key alone, where those are asked for.
    """

    def register(view: View) -> View:
        rules = answers.cors() if cors else False
        checked = auth.required(view, app) if key else view
        app.route(path, methods=list(methods), content_types=["*/*"], cors=rules)(problems.caught(checked))
        return view

    return register


# --- routes -------------------------------------------------------------------------------------


@route("/v1/sentiment", "POST", key=True)
def sentiment() -> Response:
    """Answer a review, as JSON or as text/plain, with its verdict, how sure it is, and why."""
    asked = messages.parse_review_request(*read_body(current_request()))
    return answers.json_answer(judge(asked))


@route("/v1/sentiment/batch", "POST", key=True)
def batch() -> Response:
    """Answer up to 100 reviews in their order, each with its verdict or with its own problem."""
    request = current_request()
    asked = messages.parse_batch_request(*read_body(request), read_explain(request))
    return answers.batch_answer(judge_each(asked), request.headers.get("accept"))


@route("/v1/feedback", "GET", "HEAD")
def feedback_here() -> Response:
    """Say whether this API keeps feedback."""
    return answers.json_answer({"enabled": feedback.is_on(os.environ)})


@route("/v1/feedback", "POST", key=True)
def keep_feedback() -> Response:
    """Keep a review with its right label, and answer the id by which it can be deleted."""
    said = messages.parse_feedback(*read_body(current_request()))
    log.note(characters=len(said.review))
    kept = feedback.keep(said)
    return answers.json_answer({"id": kept, "request_id": log.request_id()}, status=201)


@route("/v1/feedback/{id}", "DELETE", key=True)
def forget_feedback() -> Response:
    """Delete feedback, by the id that was answered when it was kept; it may be gone already."""
    named = (current_request().uri_params or {}).get("id", "")
    feedback.forget(named)
    return answers.json_answer({"id": named, "deleted": True, "request_id": log.request_id()})


@route("/", "POST", key=True)
def compatible() -> Response:
    """Answer a text/plain review with 1.0 (positive) or 0.0, as the app before this one did."""
    data, content_type = read_body(current_request())
    asked = messages.parse_review_request(data, content_type or messages.TEXT)
    answer = judge(asked._replace(explain="none"))
    return answers.text_answer("1.0" if answer["probability"] >= 0.5 else "0.0")


@route("/v1/health", "GET", "HEAD")
def health() -> Response:
    """Tell app from endpoint: 200 when both are fine, else 503 with what is wrong."""
    try:
        card = ask_for_card()
        messages.check_vocabulary(vocabulary_of_app().fingerprint, card["vocabulary"])
    except Exception as error:
        return answers.json_answer(degraded(problems.problem_of(error)), status=503)
    model = {"id": card["id"], "vocabulary": card["vocabulary"]}
    return answers.json_answer({"status": "ok", "app": "ok", "endpoint": "ok", "model": model})


@route("/v1/model", "GET", "HEAD", key=True)
def model() -> Response:
    """Answer with the card of the model that serves, at most a minute old."""
    card = recent_card(int(time.monotonic() // CARD_SECONDS))
    return answers.kept_answer(card, current_request().headers.get("if-none-match"))


@route("/v1/openapi.json", "GET", "HEAD")
def describe() -> Response:
    """Answer with this API's description, OpenAPI 3.1."""
    request = current_request()
    document = openapi.document(request.context.get("path", ""))
    return answers.kept_answer(document, request.headers.get("if-none-match"))


@route("/v1/metrics", "GET", "HEAD", key=True)
def metrics() -> Response:
    """Answer with this process's counts as Prometheus reads them; behind the launcher alone."""
    if measures.export is None:
        raise problems.not_found()
    return answers.text_answer(measures.export(), answers.PROMETHEUS)


# --- the path of a review -----------------------------------------------------------------------


def judge(asked: ReviewRequest) -> dict[str, Any]:
    """Take a review to its answer: clean, tokens, stems, ids; the endpoint; probability and verdict."""
    log.note(characters=len(asked.review))
    encoded = messages.check_encoded(vocabulary_of_app().encode(asked.review))
    log.note(ids=len(encoded.ids))
    named, scores = score([encoded], asked.explain)
    answer = messages.build_answer(encoded, scores[0], asked.explain, named, log.request_id())
    log.note(verdict=answer["sentiment"])
    log.note_judged([measures.of(encoded, answer)])
    return answer


def judge_each(asked: BatchRequest) -> dict[str, Any]:
    """Take several reviews to their answers the same way: each is read by itself, the endpoint asked once."""
    log.note(reviews=len(asked.items), characters=sum(len(item.review or "") for item in asked.items))
    read = [encode_item(item) for item in asked.items]
    encoded = [one for one in read if isinstance(one, EncodedReview)]
    refused = Counter(one.code for one in read if isinstance(one, MessageError))
    log.note(ids=sum(len(one.ids) for one in encoded), refused=refused)
    named, verdicts = verdicts_on(encoded, asked.explain)
    log.note(verdicts=Counter(verdict["sentiment"] for verdict in verdicts))
    log.note_judged([measures.of(one, verdict) for one, verdict in zip(encoded, verdicts, strict=True)])
    left = iter(verdicts)
    told = [next(left) if isinstance(one, EncodedReview) else problems.of_item(one) for one in read]
    return messages.build_batch_answer(asked.items, told, named, log.request_id())


def encode_item(item: Item) -> EncodedReview | MessageError:
    """Give a batch's review as its tokens and ids, or why it can't be read, which harms no other."""
    if item.error:
        return item.error
    try:
        return messages.check_encoded(vocabulary_of_app().encode(item.review or ""))
    except MessageError as error:
        return error


def verdicts_on(encoded: Sequence[EncodedReview], explain: str) -> tuple[Model | None, list[dict[str, Any]]]:
    """Give the model and its verdict on each review; without a review nobody is asked."""
    if not encoded:
        return None, []
    named, scores = score(encoded, explain)
    pairs = zip(encoded, scores, strict=True)
    return named, [messages.build_verdict(one, scored, explain, named) for one, scored in pairs]


def score(encoded: Sequence[EncodedReview], explain: str) -> tuple[Model, list[Score]]:
    """Ask the endpoint about reviews, all in one call: logits, probabilities, contributions."""
    wanted, words = explain != "none", vocabulary_of_app()
    message = messages.build_endpoint_request(encoded, words, wanted)
    reply = endpoint.invoke(message, log.request_id())
    named, scores = messages.parse_endpoint_answer(reply, encoded, wanted)
    messages.check_model_vocabulary(named, words.fingerprint)
    return named, scores


def current_request() -> Request:
    """Give the request under way, which Chalice sets before it calls a view."""
    assert app.current_request is not None
    return app.current_request


@functools.cache
def vocabulary_of_app() -> vocabulary.Vocabulary:
    """Load the pickled vocabulary once. Raises VocabularyError."""
    return vocabulary.load()


def ask_for_card() -> dict[str, Any]:
    """Ask the endpoint for its model's card."""
    return messages.parse_card(endpoint.invoke(messages.build_describe_request(), log.request_id()))


@functools.lru_cache(maxsize=1)
def recent_card(minute: int) -> dict[str, Any]:
    """Give the card as it was asked for first in this minute."""
    return ask_for_card()


def degraded(problem: problems.Problem) -> dict[str, Any]:
    """Give the health of an app whose endpoint, or whose own vocabulary, is not fine."""
    log.note(code=problem.code)
    own = problem.code in ("internal", "vocabulary_unreadable")
    return {
        "status": "degraded",
        "app": "unavailable" if own else "ok",
        "endpoint": "unknown" if own else "unavailable",
        "model": None,
        "code": problem.code,
        "detail": problem.detail,
    }


# --- everything else ----------------------------------------------------------------------------


def allowed(path: str) -> list[str]:
    """Give the methods that a path answers; none for paths that nobody serves."""
    entries = app.routes.get(path, {}).items()
    ours = ("unknown", "wrong_method", "preflight")
    served = [method for method, entry in entries if entry.view_name not in ours]
    return [*served, "OPTIONS"] if served else []


def unknown() -> Response:
    """Answer paths that nobody serves."""
    raise problems.not_found()


def wrong_method() -> Response:
    """Answer known paths asked by a method they don't serve; API Gateway's own answer is a bare 403."""
    raise problems.wrong_method(allowed(current_request().path))


def preflight() -> Response:
    """Answer what a browser asks before a request of a page on another origin."""
    return answers.preflight(allowed(current_request().path))


def around(request: Request | None, get_response: answers.Next) -> Response:
    """Give every answer, Chalice's own errors included, its headers and its log line."""
    return answers.around(request, get_response, allowed)


for known in list(app.routes):
    route(known, *(method for method in METHODS if method not in app.routes[known]), cors=False)(wrong_method)
for path in UNKNOWN:
    route(path, *METHODS)(unknown)
if answers.cors() is False:  # what answers preflights for Chalice knows one origin alone
    for known in list(app.routes):
        route(known, "OPTIONS")(preflight)
app.register_middleware(around, "http")
emf.start(os.environ)
with contextlib.suppress(vocabulary.VocabularyError):  # each request will say so
    vocabulary_of_app()
