"""Comprehend by botocore's own client: answers, errors of a text, and errors of the whole call."""

import sys

import pytest

from tests.support.other_services import OtherServices
from tests.support.stack import free_ports
from training.shadow import comprehend
from training.shadow.comprehend import Comprehend
from training.shadow.services import Answer, Failure, ServiceError, SettingError

pytestmark = pytest.mark.usefixtures("aws")

TEXTS = ["A lovely film.", "A dull film.", "It is both.", "A film."]


@pytest.fixture
def service(other: OtherServices) -> Comprehend:
    return Comprehend(other.url, "en", 10.0)


def test_each_text_gets_its_word_its_side_and_all_scores(service: Comprehend) -> None:
    answers = service.ask(TEXTS)
    assert [(one.word, one.side) for one in answers if isinstance(one, Answer)] == [
        ("POSITIVE", "positive"),
        ("NEGATIVE", "negative"),
        ("MIXED", "uncertain"),
        ("NEUTRAL", "uncertain"),
    ]
    assert isinstance(answers[0], Answer)
    assert answers[0].lean == pytest.approx(0.9 + 0.2 / 3 / 2)
    assert list(answers[0].scores) == ["POSITIVE", "NEGATIVE", "NEUTRAL", "MIXED"]
    assert isinstance(answers[3], Answer) and answers[3].lean == pytest.approx(0.5)


def test_requests_are_signed_with_the_user_s_own_key_and_region(
    service: Comprehend, other: OtherServices
) -> None:
    service.ask(TEXTS)
    assert "AKIDEXAMPLE" in other.headers[0]["authorization"]
    assert "/eu-west-1/comprehend/" in other.headers[0]["authorization"]


def test_a_text_that_comprehend_fails_on_has_its_own_error(service: Comprehend, other: OtherServices) -> None:
    other.failed_items = lambda text: "INTERNAL_SERVER_ERROR" if "dull" in text else None
    answers = service.ask(TEXTS)
    assert answers[1] == Failure("INTERNAL_SERVER_ERROR")
    assert [isinstance(one, Answer) for one in answers] == [True, False, True, True]


def test_a_throttled_call_is_tried_again(service: Comprehend, other: OtherServices) -> None:
    throttled = 400, {"__type": "ThrottlingException", "Message": "slow down"}, {}
    other.fault = lambda number, texts: throttled if number == 1 else None
    assert len(service.ask(TEXTS)) == 4
    assert other.asked == 2


@pytest.mark.parametrize(
    ("code", "status", "kind", "hint"),
    [
        ("AccessDeniedException", 400, "refused", "comprehend:BatchDetectSentiment"),
        ("UnrecognizedClientException", 400, "refused", "use a key"),
        ("Whatever", 403, "refused", "use a key"),
        ("ThrottlingException", 400, "throttled", "try again later"),
        ("InternalServerException", 500, "failed", "try again later"),
    ],
)
def test_a_failed_call_is_one_sentence_without_a_text(
    other: OtherServices, monkeypatch: pytest.MonkeyPatch, code: str, status: int, kind: str, hint: str
) -> None:
    monkeypatch.setattr(comprehend, "TRIES", 1)
    other.fault = lambda number, texts: (status, {"__type": code, "Message": TEXTS[0]}, {})
    with pytest.raises(ServiceError) as caught:
        Comprehend(other.url, "en", 10.0).ask(TEXTS)
    assert caught.value.code == kind
    assert code in str(caught.value) and hint in str(caught.value)
    assert "lovely" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_language_that_comprehend_does_not_know_is_a_wrong_setting(other: OtherServices) -> None:
    with pytest.raises(SettingError, match="--language"):
        Comprehend(other.url, "de", 10.0).ask(TEXTS)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>no json</html>",
        b"[]",
        b"{}",
        b'{"ResultList": [], "ErrorList": []}',
        b'{"ResultList": [{"Index": 0, "Sentiment": "GOOD"}], "ErrorList": []}',
        b'{"ResultList": [{"Index": 9, "Sentiment": "MIXED"}], "ErrorList": []}',
        b'{"ResultList": [{"Index": 0, "Sentiment": "MIXED", "SentimentScore": {}}], "ErrorList": []}',
        b'{"ResultList": 3, "ErrorList": []}',
    ],
)
def test_an_answer_that_is_not_comprehend_s_is_named(
    other: OtherServices, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(comprehend, "TRIES", 1)
    other.fault = lambda number, texts: body
    with pytest.raises(ServiceError, match="does the URL lead to Comprehend") as caught:
        Comprehend(other.url, "en", 10.0).ask(["A film."])
    assert caught.value.code == "bad_answer"


@pytest.mark.parametrize("gone", ["nobody", "hangs up"])
def test_a_service_that_does_not_answer_is_named_by_its_host(
    other: OtherServices, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.setattr(comprehend, "TRIES", 1)
    other.fault = lambda number, texts: b""
    url = other.url if gone == "hangs up" else f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(ServiceError, match=f"did not answer at {url}") as caught:
        Comprehend(url, "en", 10.0).ask(TEXTS)
    assert caught.value.code == "unreachable"


def test_without_credentials_nothing_is_asked_but_a_service_on_this_machine(
    other: OtherServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(
        SettingError, match="no AWS credentials were found for Comprehend; run `aws configure`"
    ):
        Comprehend(None, "en", 10.0)
    assert len(Comprehend(other.url, "en", 10.0).ask(TEXTS)) == 4


def test_without_a_region_the_sentence_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SettingError, match="AWS_DEFAULT_REGION"):
        Comprehend(None, "en", 10.0)


def test_without_boto3_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(SettingError, match=r"boto3 is not installed.*verdict-sentiment\[aws\]"):
        Comprehend(None, "en", 10.0)


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SettingError, match="nobody"):
        Comprehend(None, "en", 10.0)


def test_only_a_service_on_this_machine_is_free(other: OtherServices) -> None:
    assert Comprehend(other.url, "en", 10.0).free
    assert not Comprehend(None, "en", 10.0).free
    assert not Comprehend("https://comprehend.example.com", "en", 10.0).free
