"""Cells that a spreadsheet would run are guarded, numbers are not, and every text comes back."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.files.formulas import Writer, guard, unguard

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/formulas.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "guarded"), GOLDEN)
def test_a_cell_is_guarded_as_on_the_page(text: str, guarded: str) -> None:
    assert guard(text) == guarded
    assert unguard(guarded) == text


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\t =", "\u00a0@"])
def test_no_sign_that_a_spreadsheet_runs_comes_first(sign: str) -> None:
    assert guard(f"{sign}cmd|' /C calc'!A0").startswith("'")


@given(st.text(st.sampled_from("'=+-@\t\r\n 1.x\ufeff"), max_size=8) | st.text(max_size=20))
def test_every_text_comes_back(text: str) -> None:
    assert unguard(guard(text)) == text


def test_our_numbers_stay_numbers() -> None:
    out = io.StringIO(newline="")
    Writer(out).writerow(["-0.52", -0.52, "=1+1", 1e-07])
    assert out.getvalue() == "-0.52,-0.52,'=1+1,1e-07\r\n"


def test_raw_switches_the_guard_off() -> None:
    out = io.StringIO(newline="")
    Writer(out, raw=True).writerow(["=1+1", "-x"])
    assert out.getvalue() == "=1+1,-x\r\n"
