"""profiles.py: reports of py-spy, ONNX Runtime and Python become shares and milliseconds."""

from pathlib import Path

import pytest

from bench import profiles
from bench.profiles import Row

LOOP = "_repeat (profiles.py:1)"
ANSWER = f"{LOOP};verdict.<locals>.answer (answer_rows.py:4)"
ENCODE = f"{ANSWER};Vocabulary.encode (vocab/vocabulary.py:9)"
CLEAN = "clean (vocab/text.py:2)"
STACKS = [f"{ENCODE} 30", f"{ANSWER} 50", f"{ENCODE};{CLEAN};{CLEAN} 20", f"{LOOP};load (dataset.py:3) 900"]


def test_shares_are_of_the_answers_alone_and_recursion_counts_once() -> None:
    rows = profiles.by_function(profiles.stacks("\n".join(STACKS), profiles.ANSWER))
    assert {row.name: (row.own, row.all) for row in rows} == {
        "answer (answer_rows.py)": (0.5, 1.0),
        "Vocabulary.encode (vocabulary.py)": (0.3, 0.5),
        "clean (text.py)": (0.2, 0.2),
    }
    assert rows[0].name == "answer (answer_rows.py)"


def test_a_profile_in_which_no_answer_was_seen_is_refused() -> None:
    with pytest.raises(profiles.ProfileError, match="more --seconds"):
        profiles.by_function(profiles.stacks(STACKS[-1], profiles.ANSWER))


def test_operators_are_grouped_by_kind_with_their_number_a_run() -> None:
    node = {"cat": "Node", "args": {"op_name": "LSTM"}}
    events: list[dict[str, object]] = [
        {"cat": "Session", "name": "model_run", "dur": 999},
        {**node, "name": "one_kernel_time", "dur": 60},
        {**node, "name": "two_kernel_time", "dur": 15},
        {"cat": "Node", "args": {"op_name": "Gather"}, "name": "three_kernel_time", "dur": 25},
    ]
    assert profiles.by_operator(events) == [Row("LSTM", 0.75, 2), Row("Gather", 0.25, 1)]


def test_modules_count_for_their_package() -> None:
    lines = [
        "import time: self [us] | cumulative | imported package",
        "import time:       500 |        500 |     botocore.auth",
        "import time:      1000 |       1500 |   botocore",
        "import time:       200 |       1700 | json",
    ]
    assert profiles.by_package(lines) == [Row("botocore", 1.5, 2), Row("json", 0.2, 1)]


def test_the_network_is_profiled_by_its_own_operators(archive: Path) -> None:
    table = profiles.network_table()
    assert "LSTM" in table and "%" in table


def test_the_app_s_imports_are_timed() -> None:
    assert "`botocore`" in profiles.imports_table()
