"""A text-embeddings-inference server by POST /predict: labels to sides, refusals, retries."""

import pytest

from tests.support.other_services import OtherServices
from tests.support.stack import free_ports
from training.shadow import predict_route
from training.shadow.predict_route import PredictRoute, parse_sides, usual_side
from training.shadow.services import Answer, Failure, ServiceError, SettingError

TEXTS = ["A lovely film.", "A dull film.", "A lovely end."]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict_route, "FIRST_SECONDS", 0.001)


def ask(
    other: OtherServices, texts: list[str] = TEXTS, key: str | None = None, sides: str = ""
) -> list[object]:
    service = PredictRoute(other.url, key, 10.0, parse_sides(sides))
    try:
        return list(service.ask(texts))
    finally:
        service.close()


def test_texts_are_sent_as_a_batch_and_each_gets_its_likeliest_label(other: OtherServices) -> None:
    answers = ask(other)
    assert answers[0] == Answer("POSITIVE", "positive", 0.9, {"NEGATIVE": 1 - 0.9, "POSITIVE": 0.9})
    assert [answer.side for answer in answers if isinstance(answer, Answer)] == [
        "positive",
        "negative",
        "positive",
    ]
    assert other.texts == [TEXTS]


def test_the_url_may_name_the_route(other: OtherServices) -> None:
    service = PredictRoute(f"{other.url}/predict", None, 10.0, {})
    try:
        assert list(service.ask(TEXTS)) == ask(other)
    finally:
        service.close()


def test_the_key_goes_in_the_authorization_header(other: OtherServices) -> None:
    ask(other, key="secret")
    assert other.headers[0]["authorization"] == "Bearer secret"


def test_a_text_that_the_server_refuses_harms_no_other(other: OtherServices) -> None:
    other.failed_items = lambda text: "too long" if "dull" in text else None
    answers = ask(other)
    assert answers[1] == Failure("http_422")
    assert [isinstance(answer, Answer) for answer in answers] == [True, False, True]


def test_a_busy_server_is_asked_again(other: OtherServices) -> None:
    busy = 429, {"error": "Model is overloaded", "error_type": "Overloaded"}, {}
    other.fault = lambda number, texts: busy if number < 3 else None
    assert len(ask(other)) == 3
    assert other.asked == 3


@pytest.mark.parametrize(
    ("word", "side"),
    [
        ("POSITIVE", "positive"),
        ("neg", "negative"),
        ("Neutral", "uncertain"),
        ("uncertain", "uncertain"),
        ("1 star", "negative"),
        ("3 stars", "uncertain"),
        ("5 stars", "positive"),
        ("Very Negative", "negative"),
        ("LABEL_1", None),
        ("joy", None),
    ],
)
def test_a_label_has_its_usual_meaning_or_none(word: str, side: str | None) -> None:
    assert usual_side(word) == side


def test_labels_without_a_usual_meaning_need_theirs(other: OtherServices) -> None:
    other.labels = {"POSITIVE": "LABEL_1", "NEGATIVE": "LABEL_0"}
    with pytest.raises(
        SettingError, match=r"labels are LABEL_0, LABEL_1; say what they mean, such as --sides"
    ):
        ask(other)
    answers = ask(other, sides="LABEL_1=positive,LABEL_0=negative")
    assert [answer.side for answer in answers if isinstance(answer, Answer)] == [
        "positive",
        "negative",
        "positive",
    ]


@pytest.mark.parametrize("flag", ["LABEL_0", "LABEL_0=bad", "=positive"])
def test_malformed_sides_are_refused(flag: str) -> None:
    with pytest.raises(SettingError, match="--sides must look like"):
        parse_sides(flag)


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "refused"), (404, "no_route"), (415, "failed"), (500, "failed"), (503, "failed")],
)
def test_a_failed_call_is_one_sentence(other: OtherServices, status: int, code: str) -> None:
    other.fault = lambda number, texts: (status, {"error": TEXTS[0]}, {})
    with pytest.raises(ServiceError) as caught:
        ask(other)
    assert caught.value.code == code
    assert f"HTTP {status}" in str(caught.value) and "lovely" not in str(caught.value)
    assert ("try again later" in str(caught.value)) == (status >= 500)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"{}",
        b"[]",
        b"[[]]",
        b'[[{"label": 3, "score": 0.5}]]',
        b'[[{"label": "POSITIVE", "score": NaN}]]',
        b'[[{"label": "POSITIVE", "score": 7}]]',
        b'[{"label": "POSITIVE", "score": 0.5}]',
        b"\xff",
    ],
)
def test_an_answer_that_is_not_the_protocol_s_is_named(other: OtherServices, body: bytes) -> None:
    other.fault = lambda number, texts: body
    with pytest.raises(ServiceError, match="does the URL lead to its /predict") as caught:
        ask(other, ["A film."])
    assert caught.value.code == "bad_answer"


def test_a_server_that_is_not_there_is_named_by_its_host() -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(ServiceError, match=f"did not answer at {url}") as caught:
        PredictRoute(url, None, 10.0, {}).ask(TEXTS)
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://x", "http://", "http://x:y", "http://x?y"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="must look like"):
        PredictRoute(url, None, 10.0, {})
