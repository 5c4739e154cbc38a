"""The calibration by length: its ends, what lies between, and cards that have none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.endpoint import inference
from training.endpoint.calibration import (
    FIELDS,
    LONG,
    SHORT,
    Calibration,
    length_share,
    read_calibration,
)
from training.endpoint.inference import ModelFilesError

CALIBRATION = Calibration(1.5, 1.25, 0.25)
temperatures = st.floats(0.2, 5)
calibrations = st.builds(Calibration, temperatures, temperatures, st.floats(-1, 1))


@pytest.mark.parametrize("tokens", [1, 2, SHORT])
def test_a_short_text_has_the_short_temperature_and_no_bias(tokens: int) -> None:
    assert CALIBRATION.at(tokens, 2) == (1.25, 0.0)


@pytest.mark.parametrize("tokens", [LONG, LONG + 1, 400])
def test_a_long_review_has_the_temperature_and_the_whole_shift(tokens: int) -> None:
    assert CALIBRATION.at(tokens, 2) == (1.5, 0.25)
    assert CALIBRATION.at(tokens, 1) == (1.5, 0.0)  # one sentence keeps the sign of its contribution


@given(calibrations, st.integers(1, 399))
def test_each_token_moves_it_from_the_short_end_to_the_long_one(found: Calibration, tokens: int) -> None:
    (first, bias), (second, more) = found.at(tokens, 2), found.at(tokens + 1, 2)
    assert (second - first) * np.sign(found.temperature - found.short_temperature) >= -1e-12
    assert (more - bias) * np.sign(found.shift) >= -1e-12


def test_half_of_the_way_lies_at_the_geometric_middle() -> None:
    assert length_share(round((SHORT * LONG) ** 0.5)) == pytest.approx(0.5, abs=0.01)


def test_the_way_is_inside_0_and_1_and_grows() -> None:
    shares = [length_share(tokens) for tokens in range(1, 401)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len(set(shares)) == LONG - SHORT + 1


def test_sums_are_calibrated_each_at_its_own_length() -> None:
    logits = CALIBRATION.apply(
        np.array([3.0, 3.0, -3.0, 3.0]), np.array([4, 200, 200, 200]), np.array([2, 2, 9, 1])
    )
    assert logits.tolist() == pytest.approx([3 / 1.25, 0.25 + 2.0, 0.25 - 2.0, 2.0])


def test_a_card_s_calibration_is_the_one_that_was_written() -> None:
    assert read_calibration(CALIBRATION._asdict()) == CALIBRATION


BAD: list[Any] = [None, "1.5", True, [], 0, -1.0, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("field", FIELDS[:2])
@pytest.mark.parametrize("value", BAD, ids=lambda value: str(value)[:8])
def test_a_temperature_that_is_none_is_refused(field: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        read_calibration(CALIBRATION._asdict() | {field: value})


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value", ["1.5", float("nan"), float("-inf"), -(10**400)], ids=lambda one: str(one)[:8]
)
def test_a_card_with_a_bad_number_is_one_sentence(own_package: Path, field: str, value: Any) -> None:
    path = own_package / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(ModelFilesError) as caught:
        inference.model_fn(own_package)
    assert str(caught.value) == (
        f"{path} holds a value that can't be used; name a folder that `make train` or `make adapt` wrote"
    )


@pytest.mark.parametrize("field", FIELDS)
def test_a_card_without_a_field_names_it_in_one_sentence(own_package: Path, field: str) -> None:
    path = own_package / "model.json"
    card = json.loads(path.read_text())
    del card[field]
    path.write_text(json.dumps(card))
    with pytest.raises(ModelFilesError) as caught:
        inference.model_fn(own_package)
    remedy = "it is of an older version; run `make train`, or `make adapt` for a model of your own"
    assert str(caught.value) == f"{path} lacks {field}; {remedy}"
