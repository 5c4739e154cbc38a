"""The endpoint's four hooks: the same review gives the same bytes anywhere, and broken files are named."""

import json
import math
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.endpoint import inference
from training.endpoint.inference import (
    LoadedModel,
    ModelFilesError,
    input_fn,
    model_fn,
    output_fn,
    predict_fn,
    respond,
)
from vocab import messages
from vocab.files import sha256
from vocab.messages import JSON, JSON_LINES, MAX_ENDPOINT_BYTES, MAX_ENDPOINT_REVIEWS, MessageError

ROOT = Path(__file__).resolve().parents[3]

UNKNOWN = "Zyx qwv!"
REVIEWS = [
    "A lovely, warm film; I laughed and cried.",
    "Dull, far too long, and the ending makes no sense at all.",
    "not good",
    "The cast is fine.<br /><br />The plot isn't. 4/10",
    UNKNOWN,
    "This film is long, and " + "it goes on and on, never quite badly, " * 60 + "and I loved it.",
]


def ask(model: LoadedModel, message: Any, content_type: str = JSON) -> bytes:
    """Send a message through three hooks and return the answer's bytes."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return output_fn(predict_fn(input_fn(body, content_type), model), content_type)[0]


def of_ids(model: LoadedModel, *reviews: str, explain: str = "words") -> dict[str, Any]:
    """Return the message that the Lambda sends for reviews."""
    encoded = [model.vocabulary.encode(review) for review in reviews]
    items = [{"ids": one.ids, "sentences": one.lengths} for one in encoded]
    return {"vocabulary": model.identity.vocabulary, "reviews": items, "explain": explain}


def parts(body: bytes) -> list[bytes]:
    """Return the bytes of each answer in a body."""
    found = [json.dumps(answer, separators=(",", ":")).encode() for answer in json.loads(body)["answers"]]
    assert b'"answers":[' + b",".join(found) + b"]" in body
    return found


# --- the same bytes anywhere --------------------------------------------------------------------


def test_a_review_gets_the_same_bytes_alone_and_at_each_place_of_a_batch(model: LoadedModel) -> None:
    alone = [parts(ask(model, of_ids(model, review)))[0] for review in REVIEWS]
    assert len(set(alone)) == len(REVIEWS)
    for turn in range(len(REVIEWS)):
        turned = REVIEWS[turn:] + REVIEWS[:turn]
        assert parts(ask(model, of_ids(model, *turned))) == alone[turn:] + alone[:turn]


def test_a_review_gets_the_same_bytes_among_a_hundred_copies(model: LoadedModel) -> None:
    alone = parts(ask(model, of_ids(model, REVIEWS[3])))
    copies = [REVIEWS[3]] * MAX_ENDPOINT_REVIEWS
    assert parts(ask(model, of_ids(model, *copies))) == alone * MAX_ENDPOINT_REVIEWS


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_ids_get_the_same_bytes_alone_and_beside_others(model: LoadedModel, data: st.DataObject) -> None:
    ids = st.lists(st.integers(1, model.vocabulary.size - 1), min_size=1, max_size=12)
    reviews = data.draw(st.lists(st.lists(ids, min_size=1, max_size=4), min_size=1, max_size=4))
    items = [{"ids": sum(review, []), "sentences": [*map(len, review)]} for review in reviews]
    message = {"vocabulary": model.identity.vocabulary, "explain": "words"}
    together = parts(ask(model, message | {"reviews": items}))
    assert together == [parts(ask(model, message | {"reviews": [item]}))[0] for item in items]


@pytest.mark.parametrize("review", [review for review in REVIEWS if review != UNKNOWN])
def test_a_review_as_text_scores_as_its_ids_do(review: str, model: LoadedModel) -> None:
    as_text = json.loads(ask(model, {"reviews": [{"review": review}], "explain": "words"}))["answers"][0]
    as_ids = parts(ask(model, of_ids(model, review)))[0]
    assert as_text.pop("sentiment") in ("positive", "negative", "uncertain")
    as_text.pop("reason")
    as_text.pop("warnings")
    assert json.dumps(as_text, separators=(",", ":")).encode() == as_ids


def test_a_line_scores_as_the_same_review_in_json_does(model: LoadedModel) -> None:
    lines = b"\n".join(json.dumps({"review": review}).encode() for review in REVIEWS)
    answers = [json.loads(line) for line in ask(model, lines, JSON_LINES).split(b"\n")]
    message = {"reviews": [{"review": review} for review in REVIEWS]}
    expected = json.loads(ask(model, message))
    assert answers == [answer | {"model": expected["model"]} for answer in expected["answers"]]


def test_eight_threads_get_the_bytes_that_one_gets(model: LoadedModel) -> None:
    expected = [ask(model, of_ids(model, review)) for review in REVIEWS]
    chosen = random.Random(0).choices(range(len(REVIEWS)), k=120)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: ask(model, of_ids(model, REVIEWS[at])), chosen))
    assert found == [expected[at] for at in chosen]


def test_a_second_load_answers_with_the_same_bytes(model: LoadedModel, package: Path) -> None:
    message = of_ids(model, *REVIEWS)
    assert ask(model_fn(package), message) == ask(model, message)


# --- model_fn -----------------------------------------------------------------------------------


def test_a_package_loads_with_its_card_and_the_code_s_vocabulary(package: Path) -> None:
    model = model_fn(str(package))
    assert model.card == json.loads((package / "model.json").read_text())
    assert model.identity.vocabulary == model.vocabulary.fingerprint
    assert model.identity.uncertain == tuple(model.card["uncertain"])


def test_the_hooks_need_no_torch(package: Path) -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from training.endpoint import inference; model = inference.model_fn(sys.argv[1])\n"
        "print(model.predict('A fine film.')[1].probability)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(package)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout) < 1


@pytest.mark.parametrize("name", ["model.onnx", "model.json"])
def test_a_missing_file_is_named(name: str, own_package: Path) -> None:
    (own_package / name).unlink()
    with pytest.raises(ModelFilesError) as caught:
        model_fn(own_package)
    assert str(caught.value) == (
        f"{own_package / name} can't be read (No such file or directory);"
        " name a folder that `make train` or `make adapt` wrote"
    )


def test_the_published_model_is_restored_from_git(own_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "MODEL_FOLDER", own_package.resolve())
    (own_package / "model.json").unlink()
    with pytest.raises(ModelFilesError, match="; restore it from git, or run `make train`$"):
        model_fn(own_package)


def test_a_half_network_is_named_with_both_hashes(own_package: Path) -> None:
    path = own_package / "model.onnx"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    was, is_now = sha256(data)[:12], sha256(path.read_bytes())[:12]
    with pytest.raises(ModelFilesError) as caught:
        model_fn(own_package)
    assert str(caught.value) == (
        f"{path} is not the file that model.json names (SHA-256 {is_now}…, expected {was}…);"
        " name a folder that `make train` or `make adapt` wrote"
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999999])
def test_one_flipped_bit_of_the_network_is_noticed(share: float, own_package: Path) -> None:
    path = own_package / "model.onnx"
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelFilesError, match="model.onnx is not the file that model.json names"):
        model_fn(own_package)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"model", b'{"id": "x"'])
def test_a_card_that_is_no_json_is_named(content: bytes, own_package: Path) -> None:
    (own_package / "model.json").write_bytes(content)
    with pytest.raises(ModelFilesError, match="model.json is no JSON; name a folder that"):
        model_fn(own_package)


@pytest.mark.parametrize("content", ["[]", "null", "7", "{}"])
def test_a_card_that_is_something_else_lacks_all(content: str, own_package: Path) -> None:
    (own_package / "model.json").write_text(content)
    with pytest.raises(ModelFilesError, match="model.json lacks id, onnx_sha256, vocabulary, uncertain"):
        model_fn(own_package)


def test_a_card_of_an_older_version_is_named(own_package: Path) -> None:
    card = json.loads((own_package / "model.json").read_text(encoding="utf-8"))
    del card["short_temperature"], card["opinion"]
    (own_package / "model.json").write_text(json.dumps(card), encoding="utf-8")
    expected = "model.json lacks short_temperature, opinion; it is of an older version; run `make train`, or"
    with pytest.raises(ModelFilesError, match=expected):
        model_fn(own_package)


def change(folder: Path, **values: Any) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0},
        {"temperature": 1e-320},
        {"temperature": -1.0},
        {"temperature": "1.2"},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"short_temperature": 0},
        {"short_temperature": None},
        {"shift": "0.1"},
        {"shift": math.nan},
        {"opinion": None},
        {"opinion": {"mixed": [0.0]}},
        {"uncertain": [0.6, 0.4]},
        {"uncertain": [0.4, 8.6]},
        {"uncertain": [0.4]},
        {"uncertain": None},
        {"uncertain": [0.4, math.nan]},
        {"max_tokens": 0},
        {"max_tokens": 400.5},
        {"id": 7},
        {"vocabulary": None},
        {"onnx_sha256": []},
    ],
    ids=str,
)
def test_a_card_with_a_value_that_can_t_be_used_is_named(values: dict[str, Any], own_package: Path) -> None:
    change(own_package, **values)
    with pytest.raises(ModelFilesError, match="model.json holds a value that can't be used; name a folder"):
        model_fn(own_package)


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_flipped_bit_of_the_card_is_named_or_leaves_answers_whole(
    data: st.DataObject, own_package: Path, made_package: Path
) -> None:
    content = bytearray((made_package / "model.json").read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    (own_package / "model.json").write_bytes(content)
    try:
        model = model_fn(own_package)
    except ModelFilesError:
        return
    scored = model.score([300, 301], [2])
    assert 0 <= scored.probability <= 1


def test_a_network_of_another_vocabulary_is_named_with_both_fingerprints(own_package: Path) -> None:
    change(own_package, vocabulary="0123456789abcdef")
    own = inference.vocabulary.load().fingerprint
    with pytest.raises(
        ModelFilesError, match=f"vocabulary 0123456789abcdef, this code has {own}; train again"
    ):
        model_fn(own_package)


def test_a_network_that_is_too_large_is_not_read(own_package: Path) -> None:
    with (own_package / "model.onnx").open("ab") as file:
        file.truncate(inference.MAX_MODEL_BYTES + 1)
    with pytest.raises(ModelFilesError, match="model.onnx is larger than 10,000,000 bytes"):
        model_fn(own_package)


@pytest.mark.parametrize("content", [b"", b"no network", bytes(100)])
def test_a_network_that_onnx_runtime_can_t_load_is_named(content: bytes, own_package: Path) -> None:
    (own_package / "model.onnx").write_bytes(content)
    change(own_package, onnx_sha256=sha256(content))
    with pytest.raises(ModelFilesError, match="model.onnx can't be loaded by ONNX Runtime"):
        model_fn(own_package)


@pytest.mark.parametrize("constant", ["see_weight", "power"])
def test_a_network_that_does_not_weigh_sentences_is_named(constant: str, own_package: Path) -> None:
    network = onnx.load(own_package / "model.onnx")
    kept = [output for output in network.graph.output if output.name != constant]
    del network.graph.output[:]
    network.graph.output.extend(kept)
    content = network.SerializeToString()
    (own_package / "model.onnx").write_bytes(content)
    change(own_package, onnx_sha256=sha256(content))
    with pytest.raises(ModelFilesError) as caught:
        model_fn(own_package)
    assert re.fullmatch(
        rf"{own_package}/model.onnx does not weigh sentences \(\w+\); it may be of an older version;"
        " run `make train`, or `make adapt` for a model of your own",
        str(caught.value),
    )


@pytest.mark.parametrize("place", ["/etc/hostname", "../secret", "secret"])
def test_a_network_that_points_to_another_file_is_refused(
    place: str, own_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own_package)
    for path in (own_package / "secret", own_package.parent / "secret"):
        path.write_bytes(bytes(20_000_000))
    network = onnx.load(own_package / "model.onnx")
    table = max(network.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    table.ClearField("raw_data")
    table.data_location = onnx.TensorProto.EXTERNAL
    table.external_data.add(key="location", value=place)
    content = network.SerializeToString()
    (own_package / "model.onnx").write_bytes(content)
    change(own_package, onnx_sha256=sha256(content))
    with pytest.raises(ModelFilesError, match="model.onnx has weights in another file"):
        model_fn(own_package)


# --- input_fn, output_fn ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bytes, bytearray, bytes.decode], ids=["bytes", "bytearray", "str"])
def test_a_body_is_read_in_each_form_that_containers_hand_over(kind: Any) -> None:
    request = input_fn(kind(b'{"reviews": [{"review": "Good."}]}'), JSON)
    assert [item.review for item in request.items] == ["Good."]


def test_a_body_without_content_type_is_json() -> None:
    assert input_fn(b'{"describe": true}', None).describe


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", JSON, 400, "malformed_json"),
        (b"\xff", JSON, 400, "not_utf8"),
        (b"[]", JSON, 400, "wrong_type"),
        (b"{}", JSON, 400, "bad_value"),
        (b'{"reviews": []}', JSON, 400, "bad_value"),
        (b'{"reviews": {"ids": [1]}}', JSON, 400, "bad_value"),
        (b'{"reviews": [{"ids": [1]}], "explain": "all"}', JSON, 400, "bad_value"),
        (b'{"reviews": [{"ids": [1]}], "explain": true}', JSON, 409, "version_mismatch"),
        (b'{"reviews": [{"ids": [1]}], "vocabulary": 7}', JSON, 400, "wrong_type"),
        (b'{"reviews": [{"ids": [1]}], "more": 1}', JSON, 400, "unknown_field"),
        (b'{"reviews": [{"ids": [NaN]}]}', JSON, 400, "malformed_json"),
        (b"a,b", "text/csv", 415, "unsupported_media_type"),
        (b" " * (MAX_ENDPOINT_BYTES + 1), JSON, 413, "too_large"),
    ],
)
def test_a_body_that_can_t_be_used_is_refused(body: bytes, content_type: str, status: int, code: str) -> None:
    with pytest.raises(MessageError) as caught:
        input_fn(body, content_type)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_more_reviews_than_a_message_holds_are_refused() -> None:
    with pytest.raises(MessageError, match="list of 1 to 100, got list of length 101"):
        input_fn(json.dumps({"reviews": [{"ids": [1]}] * 101}).encode(), JSON)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_never_leaves(bad: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        output_fn({"answers": [{"logit": bad}]}, JSON)
    with pytest.raises(ValueError, match="not JSON compliant"):
        output_fn([{"logit": 1.0}, {"logit": bad}], JSON_LINES)


def test_a_network_that_gives_nan_gives_no_answer(made_package: Path, own_package: Path) -> None:
    network = onnx.load(made_package / "model.onnx")
    for tensor in network.graph.initializer:
        if tensor.name == (name := "polarity_bias_constant"):
            tensor.CopyFrom(onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, [1], [math.nan]))
    data = network.SerializeToString()
    (own_package / "model.onnx").write_bytes(data)
    change(own_package, onnx_sha256=sha256(data))
    model = model_fn(own_package)
    with pytest.raises(ValueError):
        ask(model, of_ids(model, "A fine film."))


def test_the_answer_s_form_is_named() -> None:
    assert output_fn({"answers": []}) == (b'{"answers":[]}', JSON)
    assert output_fn([{"a": 1}, {"b": 2}]) == (b'{"a":1}\n{"b":2}', JSON_LINES)


# --- predict_fn: JSON ---------------------------------------------------------------------------


def test_an_answer_names_its_model_and_adds_up(model: LoadedModel) -> None:
    answer = json.loads(ask(model, of_ids(model, *REVIEWS)))
    assert answer["model"] == {
        "id": model.card["id"],
        "vocabulary": model.vocabulary.fingerprint,
        "uncertain": model.card["uncertain"],
    }
    for review, one in zip(REVIEWS, answer["answers"], strict=True):
        encoded = model.vocabulary.encode(review)
        words = one["words"]["contributions"]
        sentences = [sentence["contribution"] for sentence in one["sentences"]]
        assert (len(words), len(sentences)) == (len(encoded.ids), len(encoded.lengths))
        for parts_of_logit in (words, sentences):
            assert abs(one["bias"] + sum(parts_of_logit) - one["logit"]) <= 1e-5
        assert abs(1 / (1 + math.exp(-one["logit"])) - one["probability"]) <= 1e-5


def test_a_long_review_has_the_card_s_temperature_and_shift(own_package: Path) -> None:
    ids, lengths = [*range(300, 400)], [40, 60]
    change(own_package, temperature=1.0, shift=0.0)
    plain = model_fn(own_package).score(ids, lengths, "words")
    change(own_package, temperature=2.0, shift=0.5)
    calibrated = model_fn(own_package).score(ids, lengths, "words")
    assert (plain.bias, calibrated.bias) == (0.0, 0.5)
    assert calibrated.logit == pytest.approx(0.5 + plain.logit / 2, abs=1e-5)
    assert calibrated.words and plain.words
    halves = [value / 2 for value in plain.words.contributions]
    assert calibrated.words.contributions == pytest.approx(halves, abs=1e-5)


@pytest.mark.parametrize(("explain", "more"), [("none", set()), ("sentences", {"sentences"})])
def test_less_explained_is_the_same_without_the_rest(
    explain: str, more: set[str], model: LoadedModel
) -> None:
    short = json.loads(ask(model, of_ids(model, *REVIEWS, explain=explain)))["answers"]
    full = json.loads(ask(model, of_ids(model, *REVIEWS)))["answers"]
    assert set(short[0]) == {"logit", "probability", "bias", "opinion"} | more
    assert short == [{key: value for key, value in one.items() if key in short[0]} for one in full]


def test_describe_answers_the_card(model: LoadedModel) -> None:
    assert json.loads(ask(model, {"describe": True})) == {"card": model.card}


def refusal(model: LoadedModel, message: Any) -> MessageError:
    with pytest.raises(MessageError) as caught:
        ask(model, message)
    return caught.value


@pytest.mark.parametrize("named", [None, "0123456789abcdef", ""])
def test_ids_of_another_vocabulary_are_a_409(named: str | None, model: LoadedModel) -> None:
    error = refusal(model, of_ids(model, "Good.") | {"vocabulary": named})
    assert (error.status, error.code) == (409, "vocabulary_mismatch")
    assert model.vocabulary.fingerprint in error.detail


def test_a_text_needs_no_fingerprint(model: LoadedModel) -> None:
    assert json.loads(ask(model, {"reviews": [{"review": "Good."}]}))["answers"]


@pytest.mark.parametrize(
    ("ids", "status", "code"),
    [
        ([], 422, "no_token"),
        ([0], 400, "bad_value"),
        ([-1], 400, "bad_value"),
        ([5, 10**9], 400, "bad_value"),
        ([10**30], 400, "bad_value"),
        ([1] * 401, 400, "bad_value"),
        ([1.0], 400, "wrong_type"),
        ([True], 400, "wrong_type"),
        (["1"], 400, "wrong_type"),
        ([[1]], 400, "wrong_type"),
        ("1", 400, "wrong_type"),
        (None, 400, "wrong_type"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_bad_ids_refuse_the_message(ids: Any, status: int, code: str, model: LoadedModel) -> None:
    message = of_ids(model, "Good.")
    message["reviews"].append({"ids": ids, "sentences": [1]})
    error = refusal(model, message)
    assert (error.status, error.code) == (status, code)


@pytest.mark.parametrize(
    ("lengths", "code"),
    [
        ([], "bad_value"),
        ([2], "bad_value"),
        ([3, 1], "bad_value"),
        ([3, 0], "bad_value"),
        ([4, -1], "bad_value"),
        ([3.0], "wrong_type"),
        ([True, 2], "wrong_type"),
        (None, "wrong_type"),
    ],
    ids=str,
)
def test_lengths_that_do_not_fit_the_ids_refuse_the_message(
    lengths: Any, code: str, model: LoadedModel
) -> None:
    message = of_ids(model, "Good.") | {"reviews": [{"ids": [300, 301, 302], "sentences": lengths}]}
    error = refusal(model, message)
    assert (error.status, error.code) == (400, code)


def test_ids_without_lengths_refuse_the_message(model: LoadedModel) -> None:
    error = refusal(model, of_ids(model, "Good.") | {"reviews": [{"ids": [300]}]})
    assert (error.status, error.code) == (400, "missing_field")


def test_the_first_and_the_last_id_and_the_longest_review_are_scored(model: LoadedModel) -> None:
    most = model.card["max_tokens"]
    items = [
        {"ids": [1], "sentences": [1]},
        {"ids": [model.vocabulary.size - 1], "sentences": [1]},
        {"ids": [300] * most, "sentences": [most]},
    ]
    message = {"vocabulary": model.identity.vocabulary, "reviews": items}
    assert len(json.loads(ask(model, message))["answers"]) == 3


def test_an_id_one_past_the_last_is_refused(model: LoadedModel) -> None:
    message = {
        "vocabulary": model.identity.vocabulary,
        "reviews": [{"ids": [model.vocabulary.size], "sentences": [1]}],
    }
    assert refusal(model, message).detail == f"ids must lie from 1 to {model.vocabulary.size - 1}"


def test_a_text_without_a_token_refuses_the_message(model: LoadedModel) -> None:
    error = refusal(model, {"reviews": [{"review": "<br />"}]})
    assert (error.status, error.code) == (422, "no_token")


def test_a_name_is_carried_through(model: LoadedModel) -> None:
    message = of_ids(model, "Good.", "Bad.")
    message["reviews"][1]["id"] = "second"
    first, second = json.loads(ask(model, message))["answers"]
    assert "id" not in first
    assert second["id"] == "second"


def test_a_review_without_a_known_word_is_uncertain_whatever_its_probability(model: LoadedModel) -> None:
    answer = json.loads(ask(model, {"reviews": [{"review": "Zyxqw vbnmq!"}]}))["answers"][0]
    assert (answer["sentiment"], answer["reason"]) == ("uncertain", "no_known_words")
    assert "no_known_words" in {warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize("explain", messages.EXPLAIN)
@pytest.mark.parametrize(
    "review",
    ["A lovely film.", "Zyxqw vbnmq!", "Ce film est vraiment magnifique et les acteurs sont excellents."],
)
def test_a_text_gets_the_verdict_that_the_app_gives(review: str, explain: str, model: LoadedModel) -> None:
    answer = json.loads(ask(model, {"reviews": [{"review": review}], "explain": explain}))["answers"][0]
    expected = messages.build_verdict(*model.predict(review, explain), model.identity)
    for key in ("sentiment", "reason", "probability", "warnings", "bias"):
        assert answer[key] == expected[key]
    assert len(answer.get("sentences", [])) == len(expected.get("sentences", []))
    assert len(answer.get("words", {}).get("contributions", [])) == len(expected.get("words", []))
    assert messages.sigmoid(answer["logit"]) == pytest.approx(answer["probability"], abs=1e-6)


def test_a_line_gets_the_verdict_of_a_message(model: LoadedModel) -> None:
    review = "Ce film est vraiment magnifique et les acteurs sont excellents."
    line = json.loads(ask(model, json.dumps({"review": review}).encode(), JSON_LINES))
    message = json.loads(ask(model, {"reviews": [{"review": review}]}))["answers"][0]
    assert (line["sentiment"], line["reason"]) == ("uncertain", "not_english")
    assert {key: line[key] for key in message} == message


# --- predict_fn: JSON lines ---------------------------------------------------------------------


def test_bad_lines_get_their_own_errors_between_the_answers_of_good_ones(model: LoadedModel) -> None:
    lines = [
        b'{"id": 1, "review": "A lovely film."}',
        b"{",
        b"",
        b'{"id": "third", "review": 7}',
        b'{"id": 4, "ids": [300, 301], "sentences": [2]}',
        b'{"id": 5, "review": "<br />"}',
        b'{"id": 6, "review": "Dull."}\r',
        b"   ",
        b'{"id": 8, "review": "x", "stars": 9}',
        b'["A lovely film."]',
    ]
    answers = [json.loads(line) for line in ask(model, b"\n".join(lines), JSON_LINES).split(b"\n")]
    assert [(one.get("id"), one.get("error", {}).get("code")) for one in answers] == [
        (1, None),
        (None, "malformed_json"),
        ("third", "wrong_type"),
        (4, "bad_value"),
        (5, "no_token"),
        (6, None),
        (8, "unknown_field"),
        (None, "wrong_type"),
    ]
    assert all(one["model"]["id"] == model.card["id"] for one in answers)
    assert all("logit" in one for one in answers if "error" not in one)
    assert not any("logit" in one for one in answers if "error" in one)


def test_more_lines_than_a_json_message_holds_are_answered(model: LoadedModel) -> None:
    lines = b'{"review": "Good."}\n' * (MAX_ENDPOINT_REVIEWS + 20)
    assert ask(model, lines, JSON_LINES).count(b"\n") == MAX_ENDPOINT_REVIEWS + 19


def test_no_line_gives_no_answer(model: LoadedModel) -> None:
    assert ask(model, b"\n\n", JSON_LINES) == b""


# --- respond ------------------------------------------------------------------------------------


def test_respond_gives_what_the_hooks_give(model: LoadedModel) -> None:
    body = json.dumps(of_ids(model, *REVIEWS)).encode()
    assert respond(body, JSON, JSON, model) == (200, ask(model, body), JSON)
    lines = b'{"review": "Good."}\n{"review": 7}'
    assert respond(lines, JSON_LINES, JSON, model) == (200, ask(model, lines, JSON_LINES), JSON_LINES)


def test_respond_gives_a_refusal_its_own_status_and_code(model: LoadedModel) -> None:
    answer = respond(b"a,b", "text/csv", JSON, model)
    assert (answer.status, answer.content_type) == (415, JSON)
    assert json.loads(answer.body) == {
        "code": "unsupported_media_type",
        "detail": "content type 'text/csv' is not read; send application/json or application/jsonlines",
    }


def test_respond_names_a_failure_by_its_type_alone(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret review")

    monkeypatch.setattr(LoadedModel, "score_all", fail)
    answer = respond(b'{"reviews": [{"review": "a secret review"}]}', JSON, JSON, model)
    assert answer == (500, b'{"code":"model_failed","detail":"RuntimeError"}', JSON)


def test_the_runtime_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    """ONNX Runtime leaves an id and an outbox in the home folder when it collects what to send."""
    code = (
        "import time; from training.recipe import export; from training.endpoint import inference;"
        "inference.model_fn(inference.MODEL_FOLDER).predict('Good.'); time.sleep(2)"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=env | {"HOME": str(tmp_path)},
        check=True,
        timeout=60,
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
