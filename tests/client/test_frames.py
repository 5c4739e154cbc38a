"""Frames: the verdicts come as columns, everything else stays, and a bad cell harms no other row."""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.support.command import WAIT_SECONDS, environment, verdict
from tests.support.stack import Stack
from training.files.rows import ADDED
from verdict_sentiment import VerdictError
from verdict_sentiment.frames import judge

REVIEWS = (
    "I loved it, a lovely film.",
    "The plot is thin and the jokes fall flat. Still, I loved the music!",
    "",
    "Dull, awful and far too long.",
    "Der Film war leider sehr langweilig und viel zu lang.",
)
FRAMES: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
}
SCRIPT = """
import {library} as library
from verdict_sentiment.frames import judge

frame = library.DataFrame({{"review": [f"I loved the music of part {{n}}." for n in range(300)]}})
print(len(judge(frame, workers=2)))
"""


def columns_of(frame: Any) -> dict[str, list[Any]]:
    """Return a frame's columns, with None for what is missing."""
    if isinstance(frame, pd.DataFrame):
        return {
            name: [cell if isinstance(cell, list) or pd.notna(cell) else None for cell in frame[name]]
            for name in frame
        }
    return dict(frame.to_pydict() if isinstance(frame, pa.Table) else frame.to_dict(as_series=False))


@pytest.fixture(params=FRAMES)
def make(request: pytest.FixtureRequest) -> Callable[[dict[str, list[Any]]], Any]:
    return FRAMES[request.param]


def test_a_frame_gets_the_columns_of_a_file(make: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"n": range(5), "review": REVIEWS}).to_csv(path, index=False)
    out = tmp_path / "out.csv"
    verdict(str(path), "--local", "-o", str(out))
    expected = columns_of(pd.read_csv(out, keep_default_na=False, na_values={"probability": [""]}))
    # A frame's rows have no lines.
    expected["detail"] = [cell and cell.removeprefix("line 4: ") for cell in expected["detail"]]
    frame = make({"n": list(range(5)), "review": list(REVIEWS)})
    judged = judge(frame)
    assert type(judged) is type(frame)
    found = columns_of(judged)
    assert list(found) == ["n", "review", *ADDED]
    assert {name: [cell or None for cell in cells] for name, cells in expected.items() if name != "n"} == {
        name: [cell or None for cell in cells] for name, cells in found.items() if name != "n"
    }


def test_rows_order_and_index_stay_and_the_frame_is_not_changed() -> None:
    frame = pd.DataFrame({"review": REVIEWS, "stars": [5.0, 4.0, np.nan, 1.0, 2.0]}, index=[7, 7, 3, 9, 1])
    before = frame.copy()
    judged = judge(frame)
    assert judged.index.tolist() == [7, 7, 3, 9, 1]
    pd.testing.assert_frame_equal(judged[["review", "stars"]], before)
    pd.testing.assert_frame_equal(frame, before)


def test_a_missing_or_wrong_cell_has_its_error_and_harms_no_other() -> None:
    cells = [REVIEWS[0], None, np.nan, 7, pd.NaT, b"bytes", "x" * 50_001, REVIEWS[3]]
    judged = judge(pd.DataFrame({"review": pd.Series(cells, dtype=object)}))
    missing, wrong = "missing_field", "wrong_type"
    assert columns_of(judged)["error"] == [None, missing, missing, wrong, missing, wrong, "too_long", None]
    alone = judge(pd.DataFrame({"review": [REVIEWS[0], REVIEWS[3]]}))
    assert judged["probability"].dropna().tolist() == alone["probability"].tolist()
    assert judged["sentiment"].iloc[[0, 7]].tolist() == ["positive", "negative"]


def test_a_column_that_is_there_stays_and_the_new_one_gets_a_prefix(make: Callable[..., Any]) -> None:
    judged = columns_of(judge(make({"review": [REVIEWS[0]], "sentiment": ["mine"]})))
    assert judged["sentiment"] == ["mine"]
    assert judged["verdict_sentiment"] == ["positive"]


@pytest.mark.parametrize("explain", ["sentences", "words"])
def test_an_explanation_is_a_column_of_lists(make: Callable[..., Any], explain: str) -> None:
    found = columns_of(judge(make({"review": [REVIEWS[1], None]}), explain=explain))
    parts, nothing = found[explain]
    assert nothing is None
    assert [part["text"] for part in parts][-1] in ("Still, I loved the music!", "!")
    assert all(isinstance(part["contribution"], float) for part in parts)
    assert ("words" in found) == (explain == "words")


@pytest.mark.parametrize("by_service", [False, True])
def test_aspects_are_columns_as_in_a_file(
    make: Callable[..., Any], by_service: bool, tmp_path: Path, stack: Stack
) -> None:
    path, out, terms = tmp_path / "a.csv", tmp_path / "out.csv", tmp_path / "terms.json"
    pd.DataFrame({"review": REVIEWS}).to_csv(path, index=False)
    aspects = {"music": ["music"], "the plot": ["plot"]}
    terms.write_text(json.dumps(aspects), encoding="utf-8")
    verdict(str(path), "--local", "--aspects", str(terms), "-o", str(out))
    expected = columns_of(pd.read_csv(out, keep_default_na=False))
    found = columns_of(
        judge(make({"review": list(REVIEWS)}), aspects=aspects, url=stack.api if by_service else None)
    )
    assert list(found) == list(expected)
    for name in [name for name in expected if name.startswith("aspect ")]:
        assert ["" if cell is None else str(cell) for cell in found[name]] == [
            "" if cell == "" else str(cell) for cell in expected[name]
        ]


def test_aspects_that_can_t_be_used_are_refused() -> None:
    with pytest.raises(ValueError, match="^aspects must be an object"):
        judge(pd.DataFrame({"review": ["good"]}), aspects="films")


@pytest.mark.parametrize("explain", ["none", "words"])
def test_an_empty_frame_gets_the_columns_with_their_types(make: Callable[..., Any], explain: str) -> None:
    empty = make({"review": ["a"]})[:0]
    judged = judge(empty, explain=explain)
    assert len(judged) == 0
    assert list(columns_of(judged)) == [
        "review",
        *ADDED,
        *(["sentences", "words"] if explain == "words" else []),
    ]


def test_polars_columns_have_their_types() -> None:
    for rows in (1, 0):
        judged = judge(pl.DataFrame({"review": ["A fine film."]}).head(rows), explain="sentences")
        assert (judged.schema["sentiment"], judged.schema["probability"]) == (pl.String, pl.Float64)
        assert isinstance(judged.schema["sentences"], pl.List)


def test_texts_may_be_categories() -> None:
    reviews = pd.Series([REVIEWS[0], None, REVIEWS[0]], dtype="category")
    assert columns_of(judge(pd.DataFrame({"review": reviews})))["sentiment"] == ["positive", None, "positive"]


# --- what can't be used -------------------------------------------------------------------------


ONE = pd.DataFrame({"review": ["A fine film."]})


@pytest.mark.parametrize(
    "frame, arguments, sentence",
    [
        (["A fine film."], {}, "takes a frame of pandas, Polars or PyArrow, got list"),
        (ONE["review"], {}, r"got Series; call collect\(\) on a lazy frame, to_frame\(\) on a series"),
        (pl.DataFrame({"review": ["a"]}).lazy(), {}, "got LazyFrame"),
        (ONE, {"column": "text"}, "no column 'text'; it has 'review'; name one with column="),
        (ONE.rename(columns={"review": "words"}), {}, "no column of reviews; it has 'words'"),
        (pd.DataFrame(), {}, "no column of reviews; it has none"),
        (pl.DataFrame(), {"column": "a"}, "no column 'a'; it has none"),
        (ONE.assign(text="b"), {}, "more than one column that may hold reviews: 'review', 'text'"),
        (pd.DataFrame([["a", "b"]], columns=["review", "review"]), {}, "two columns of the frame have"),
        (pd.DataFrame({"review": [1, 2]}), {}, "the column 'review' holds no text but int; name another"),
        (pl.DataFrame({"review": [1.5, None]}), {}, "the column 'review' holds no text but float"),
        (ONE, {"explain": "all"}, "explain must be one of none, sentences, words, got 'all'"),
        (ONE, {"workers": 0}, "workers must be a whole number from 1 on, got 0"),
        (ONE, {"url": ""}, "the service.s URL must look like"),
        (ONE, {"url": "http://127.0.0.1:1", "model": "here"}, "url asks a service; leave model and workers"),
    ],
)
def test_what_can_t_be_used_is_one_sentence(frame: Any, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence) as caught:
        judge(frame, **arguments)
    assert "\n" not in str(caught.value)


def test_a_long_column_name_is_not_shown() -> None:
    frame = pd.DataFrame({"I did not like this film at all, so there": [1]})
    with pytest.raises(ValueError, match=r"it has \(41 characters\)"):
        judge(frame)


def test_a_column_of_nothing_is_all_missing() -> None:
    assert columns_of(judge(pd.DataFrame({"review": [np.nan, np.nan]})))["error"] == ["missing_field"] * 2


def test_a_model_that_can_t_be_used_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(VerdictError, match="model.json can't be read"):
        judge(ONE, model=tmp_path)


@pytest.mark.parametrize(
    "module, missing, extra",
    [("frames", "narwhals", "frames"), ("sklearn", "sklearn", "sklearn"), ("duckdb", "pyarrow", "duckdb")],
)
def test_a_missing_library_is_named_with_its_install_command(module: str, missing: str, extra: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nimport verdict_sentiment.{module}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {missing}") and "is not installed, which" in last
    assert f"pip install 'verdict-sentiment[{extra}]'" in last


# --- where it is judged -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_service_gives_the_same_columns(stack: Stack) -> None:
    frame = pl.DataFrame({"review": [*REVIEWS, None]})
    for explain in ("none", "words"):
        assert judge(frame, explain=explain, url=stack.api).equals(judge(frame, explain=explain))


@pytest.mark.slow
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_script_without_a_guard_shares_its_texts_among_processes(library: str, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(library=library), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=WAIT_SECONDS,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "300\n", "")


def test_a_process_of_a_pool_judges_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # multiprocessing refuses to start a process from one of a pool's.
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    frame = pl.DataFrame({"review": [f"I loved part {n}." for n in range(300)]})
    assert len(judge(frame, workers=2)) == 300


@pytest.mark.slow
def test_several_processes_judge_as_one() -> None:
    frame = pl.DataFrame({"review": [f"{review} Part {n}." for n in range(60) for review in REVIEWS]})
    assert judge(frame, workers=2).equals(judge(frame, workers=1))
