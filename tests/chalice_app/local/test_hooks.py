"""hooks.py: the hooks in the API's process answer what the endpoint answers, with its limits and errors."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chalice_app.local import hooks
from chalicelib import endpoint, log
from chalicelib.endpoint import Settings
from chalicelib.problems import Problem
from tests.support.api import ApiResponse, InProcess
from tests.support.varied import varied
from training.endpoint import inference
from training.endpoint.inference import LoadedModel, ModelFilesError
from vocab import messages, vocabulary

SETTINGS = Settings("verdict-dev", local=True)
JSON = {"Content-Type": messages.JSON, "X-Request-Id": "same"}
DESCRIBE = messages.build_describe_request()
EXPLAIN = ("none", "sentences", "words")
OPINIONS = (
    "I loved it.",
    "Not good at all!",
    "A joy, from its first minute to the last; I laughed, and I cried. 10/10",
    "The music was lovely, but the end <br />was a disgrace &amp; dull...",
    "\U0001f600 caf\u00e9, zzyzx kwyjibo.",
    "Ce film est une merveille.",
)
REVIEWS = [f"{OPINIONS[at % 6]} {varied(at)}. {OPINIONS[at // 6 % 6]} {varied(7 * at)}" for at in range(300)]
REVIEWS += ["", "   ", "Dull. " * 300, "...", "a" * 2_000]


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return inference.model_fn(inference.MODEL_FOLDER)


@pytest.fixture
def inside(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app of this process calls the hooks."""
    monkeypatch.setattr(endpoint, "in_process", hooks.Hooks(model, SETTINGS, networks=1))


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model is loaded, and what a test loads or installs is gone after it."""
    monkeypatch.setattr(hooks, "_model", None)
    monkeypatch.setattr(endpoint, "in_process", None)


@pytest.fixture(autouse=True)
def no_late_lines() -> Iterator[None]:
    yield
    log.flush()  # what is written late would come out in another test


def message_of(model: LoadedModel, review: str, **more: Any) -> bytes:
    encoded = model.vocabulary.encode(review)
    message = messages.build_endpoint_request([encoded], model.vocabulary, "words")
    return messages.to_json(json.loads(message) | more)


def refusal(invoke: Any, body: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        invoke(body, "r1")
    return caught.value


def ask(api: InProcess) -> list[ApiResponse]:
    """Return the answers to all reviews alone, and to batches of them."""
    answers = []
    for at, review in enumerate(REVIEWS):
        body = json.dumps({"review": review, "explain": EXPLAIN[at % 3]}).encode()
        answers.append(api.send("POST", "/v1/sentiment", body, JSON))
    for at, review in enumerate(REVIEWS[:40]):
        body = json.dumps({"review": review, "explain": EXPLAIN[at % 3], "aspects": "film"}).encode()
        answers.append(api.send("POST", "/v1/sentiment", body, JSON))
    for explain in EXPLAIN:
        items = [{"id": str(at), "review": review} for at, review in enumerate(REVIEWS[-40:])]
        body = json.dumps({"reviews": items, "explain": explain}).encode()
        answers.append(api.send("POST", "/v1/sentiment/batch", body, JSON))
    answers += [api.send("GET", route, headers=JSON) for route in ("/v1/model", "/v1/health")]
    return answers


@pytest.mark.slow
def test_every_answer_has_the_bytes_of_an_endpoint_apart(
    api: InProcess, local_endpoint: str, model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    import app

    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", local_endpoint)
    monkeypatch.setenv("ENDPOINT_NAME", "verdict-dev")
    apart = ask(api)
    app.cached_card.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:1")  # nobody answers there
    monkeypatch.setattr(endpoint, "in_process", hooks.Hooks(model, SETTINGS, networks=1))
    assert ask(api) == apart
    assert {answer.status for answer in apart} == {200, 422}


def test_a_message_gets_the_bytes_of_the_hooks(model: LoadedModel) -> None:
    body = message_of(model, "A lovely film. But dull.")
    expected = inference.respond(body, messages.JSON, messages.JSON, model).body
    assert hooks.Hooks(model, SETTINGS, networks=1).invoke(body, "r1") == expected


@pytest.mark.parametrize(
    ("more", "code"),
    [({"vocabulary": "0" * 16}, "vocabulary_mismatch"), ({"aspects": True}, "version_mismatch")],
)
def test_what_the_hooks_refuse_is_the_problem_of_an_endpoint_apart(
    more: dict[str, Any], code: str, model: LoadedModel
) -> None:
    problem = refusal(hooks.Hooks(model, SETTINGS, networks=1).invoke, message_of(model, "Good.", **more))
    assert (problem.status, problem.code) == (502, code)


def test_a_model_that_fails_is_an_error_without_a_word_of_the_review(
    api: InProcess, model: LoadedModel, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def run(self, *_: object) -> None:
            raise RuntimeError("a secret review")

    broken = model._replace(network=model.network._replace(session=Broken()))
    monkeypatch.setattr(endpoint, "in_process", hooks.Hooks(broken, SETTINGS, networks=1))
    first, answer = (
        api.send("POST", "/v1/sentiment", b'{"review": "a secret review"}', JSON) for _ in range(2)
    )
    assert first == answer  # the first gave its turn back
    assert (answer.status, answer.json()["code"]) == (502, "endpoint_error")
    *_, theirs, ours = map(json.loads, capfd.readouterr().out.splitlines())
    assert (theirs["status"], ours["status"], ours["error"]) == (500, 502, "ModelRefusal 500")
    assert "secret" not in json.dumps([theirs, ours]) + answer.body.decode()


def test_a_request_leaves_the_endpoint_s_line_and_its_own(
    api: InProcess, inside: None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert api.send("POST", "/v1/sentiment", b'{"review": "A lovely film."}', JSON).status == 200
    theirs, ours = map(json.loads, capfd.readouterr().out.splitlines())
    assert theirs.keys() == {"endpoint", "request_id", "status", "bytes", "ms"}
    assert (theirs["endpoint"], theirs["request_id"], theirs["status"]) == ("verdict-dev", "same", 200)
    assert (ours["request_id"], ours["route"], ours["status"]) == ("same", "/v1/sentiment", 200)


class Network:
    """A session that counts the networks at once, and waits in each for ``go``."""

    def __init__(self, session: Any, go: threading.Event) -> None:
        self.most = self.now = 0
        self._session, self._go, self._lock = session, go, threading.Lock()

    def run(self, *arguments: Any) -> Any:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self._go.wait(30)
        time.sleep(0.005)
        answer = self._session.run(*arguments)
        with self._lock:
            self.now -= 1
        return answer


@pytest.mark.parametrize("networks", [1, 2])
def test_no_more_networks_run_at_once_than_are_allowed(networks: int, model: LoadedModel) -> None:
    go = threading.Event()
    go.set()
    session = Network(model.network.session, go)
    counted = model._replace(network=model.network._replace(session=session))
    invoke = hooks.Hooks(counted, SETTINGS, networks).invoke
    body = message_of(model, "A lovely film. But dull. I would not see it again.")
    with ThreadPoolExecutor(6) as threads:
        answers = set(threads.map(lambda _: invoke(body, "r1"), range(12)))
    assert (session.most, len(answers)) == (networks, 1)


def test_who_waits_too_long_for_a_turn_gets_a_timeout_and_the_next_an_answer(model: LoadedModel) -> None:
    go = threading.Event()
    session = Network(model.network.session, go)
    held = model._replace(network=model.network._replace(session=session))
    invoke = hooks.Hooks(held, SETTINGS._replace(seconds=0.05), networks=1).invoke
    body = message_of(model, "A lovely film.")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(invoke, body, "r1")
        while not session.now:
            time.sleep(0.001)
        problem = refusal(invoke, body)
        go.set()
        assert first.result(30) == invoke(body, "r1")
    assert (problem.status, problem.code) == (504, "endpoint_timeout")
    assert problem.headers["Retry-After"]


def test_a_refused_message_gives_its_turn_back(model: LoadedModel) -> None:
    invoke = hooks.Hooks(model, SETTINGS._replace(seconds=0.05), networks=1).invoke
    assert [refusal(invoke, b"{").code for _ in range(3)] == ["version_mismatch"] * 3
    assert b'"card"' in invoke(DESCRIBE, "r1")


def test_a_process_calls_the_model_that_its_parent_loaded(
    forgotten: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = hooks.load()
    monkeypatch.setenv("MODEL", str(tmp_path))  # gone from the disk
    hooks.install(networks=1)
    card = messages.parse_card(endpoint.invoke(DESCRIBE, "r1"))
    assert card["id"] == loaded.identity.id


def test_a_process_without_such_a_parent_loads_the_model(forgotten: None) -> None:
    hooks.install(networks=1)
    assert b'"card"' in endpoint.invoke(DESCRIBE, "r1")


def test_app_and_model_hold_one_vocabulary(forgotten: None) -> None:
    import app

    assert hooks.load().vocabulary is app.app_vocabulary()


def test_a_model_that_can_t_be_loaded_leaves_the_one_before(
    forgotten: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = hooks.load()
    monkeypatch.setenv("MODEL", str(tmp_path))
    with pytest.raises(ModelFilesError, match="model.json can't be read"):
        hooks.load()
    hooks.install(networks=1)
    assert messages.parse_card(endpoint.invoke(DESCRIBE, "r1"))["id"] == loaded.identity.id


def test_a_vocabulary_that_changed_since_the_app_s_start_needs_a_restart(
    forgotten: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import app

    older = vocabulary.load()
    older.fingerprint = "0" * 16
    monkeypatch.setattr(app, "app_vocabulary", lambda: older)
    with pytest.raises(ModelFilesError, match="another vocabulary than the app read; restart it$"):
        hooks.load()
