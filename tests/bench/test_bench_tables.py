"""Tables, blocks and plots come from the results file, and none is stale."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import cost_rows, goals, pages, plots, publish, published, tables, training_rows
from bench.measuring import Figure
from tests.bench.results import results


def test_a_part_s_table_has_each_figure_by_the_first_with_its_spread() -> None:
    block = tables.part_table(results(**{"answer / VADER": 1.0}), "answer")
    assert "| Verdict | 2.00 ms |  | 1.00 ms to 3.00 ms, 9 runs |" in block
    assert "| VADER | 1.00 ms | 0.5 x | 1.00 ms to 3.00 ms, 9 runs |" in block


def test_a_missing_figure_is_a_dash_with_its_reason() -> None:
    block = tables.part_table(results(), "training")
    assert "| Verdict, minutes to 91% | – |  | measured with --long alone |" in block


def test_a_goal_is_met_by_its_goal_then_by_its_least() -> None:
    goal = goals.Goal(goals.ANSWER, 1.4, 2.5)
    above = goals.Goal(goals.ALL, 1200, 700, above=True)
    statuses = ["goal", "least", "missed"]
    assert [goals.status_of(goal, {goals.ANSWER: ms}) for ms in (1.4, 2.0, 2.6)] == statuses
    assert [goals.status_of(above, {goals.ALL: rate}) for rate in (1200, 700, 699)] == statuses
    assert goals.status_of(goal, {}) == "not measured"


def test_a_goal_may_be_a_ratio_of_two_figures() -> None:
    goal = goals.Goal(goals.TRANSFORMER, 30, to=goals.NETWORK, above=True)
    medians = {goals.TRANSFORMER: 60.0, goals.NETWORK: 1.5}
    assert goals.value_of(goal, medians) == 40
    assert goals.status_of(goal, medians) == "goal"


def test_goals_are_put_in_words() -> None:
    block = tables.goal_table(results())
    assert "| network / Verdict, ONNX int8: at most 1.2 ms | 2.00 ms | no, but the least |" in block
    assert "| bulk / Verdict, all cores: at least 1200 reviews/s | 2 reviews/s | no |" in block


def test_readme_s_table_sets_ours_beside_the_other() -> None:
    block = tables.summary(results(**{"cost / Amazon Comprehend": 1400.0}))
    assert "| a million reviews | $2.00 | $1,400.00 (Amazon Comprehend) |" in block


def test_another_machine_s_run_stands_beside_the_goals() -> None:
    other = results(**{"network / Verdict, ONNX int8": 1.0})
    other["machine"]["processor"] = "4 cores of Another CPU"
    block = tables.goal_table(results(), other)
    ons = [f"on {processor}, 2026-11-25" for processor in ("2 cores of Some CPU", "4 cores of Another CPU")]
    assert f"| aim | {ons[0]} | met | {ons[1]} | met |" in block
    row = "| network / Verdict, ONNX int8: at most 1.2 ms | 2.00 ms | no, but the least | 1.00 ms | yes |"
    assert row in block
    assert "VADER's answer took 2.00 ms and 2.00 ms." in block


def test_the_run_before_stays_beside_when_its_processor_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, beside = tmp_path / "results.json", tmp_path / "results-beside.json"
    monkeypatch.setattr(published, "read", lambda: json.loads(path.read_text("utf-8")))
    monkeypatch.setattr(published, "RESULTS", path)
    monkeypatch.setattr(published, "BESIDE", beside)
    path.write_text(json.dumps(results() | {"date": "first"}), encoding="utf-8")
    publish.replace(results() | {"date": "second"})
    assert not beside.exists()
    publish.replace(results() | {"date": "third", "machine": {"processor": "another"}})
    assert json.loads(path.read_text("utf-8"))["date"] == "third"
    assert json.loads(beside.read_text("utf-8"))["date"] == "second"


def test_the_machine_is_named_with_date_and_versions() -> None:
    line = tables.machine_line(results())
    for phrase in ("2026-11-25", "10 minutes", "2 cores of Some CPU, 2 of them physical", "numpy 2.0"):
        assert phrase in line


def test_the_terminal_s_text_has_every_figure() -> None:
    text = tables.text(results())
    for figure in goals.read(results()):
        assert figure.name in text


def long_run(**changed: Any) -> dict[str, Any]:
    """Return the results of a run with ``--long``, which has minutes too."""
    run = {**results(), "quick": False, "busy": False, "date": "2026-11-27", **changed}
    minutes = Figure("training", training_rows.NAMES[2], "min", 9.5)
    figures = [minutes if (figure.part, figure.name) == minutes[:2] else figure for figure in goals.read(run)]
    return {**run, "figures": [figure._asdict() for figure in figures]}


def test_training_is_taken_from_another_run_and_the_page_says_so() -> None:
    other = long_run(machine={"processor": "4 cores of Another CPU"})
    other["figures"] = [
        figure | {"median": 7.0} if figure["part"] == "text" else figure for figure in other["figures"]
    ]
    merged = publish.take(results(), other)
    medians = goals.medians(goals.read(merged))
    assert medians["training", training_rows.NAMES[2]] == 9.5
    assert medians[goals.TEXT] == 2.0
    line = tables.machine_line(merged)
    assert "The training part is of a run by itself, on 2026-11-27 by `make bench`" in line
    assert "with 4 cores of Another CPU" in line and "2 cores of Some CPU" in line
    row = next(row for row in tables.goal_table(merged, other).splitlines() if "minutes to 91%, by" in row)
    assert row.endswith("| – | not measured | 4.75 | no |")
    assert "by itself" not in tables.machine_line(results())


def test_costs_are_worked_out_anew_from_the_published_times() -> None:
    medians = goals.medians(goals.read(publish.take(results(), long_run())))
    own = cost_rows.own_seconds(0.002, 0.002, 0.002)
    assert medians["cost", cost_rows.SERVERLESS] == pytest.approx(cost_rows.serverless(own, 0.002, 1))
    assert medians[goals.COMPREHEND] == 2.0


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (long_run(busy=True), "a quick or a busy run"),
        (long_run(versions={"numpy": "3.0"}), "other versions"),
        ({**results(), "quick": False, "busy": False}, "not all of training"),
    ],
    ids=["busy", "other versions", "no minutes"],
)
def test_an_unlike_run_is_not_taken(other: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        publish.take(results(), other)


def test_a_file_that_is_no_run_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "RESULTS", tmp_path / "results.json")
    before = json.dumps(results())
    (tmp_path / "results.json").write_text(before, encoding="utf-8")
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit, match="other.json can't be taken"):
        publish.main(["--take", str(tmp_path / "other.json")])
    assert (tmp_path / "results.json").read_text(encoding="utf-8") == before


def test_the_page_has_the_published_results() -> None:
    page = (publish.DOCS / "performance.md").read_text(encoding="utf-8")
    blocks = publish.blocks(published.read(), published.read(published.BESIDE))
    assert pages.fill(page, blocks) == page
    assert {"bench-goals", "bench-machine", "bench-text"} <= pages.read_blocks(page).keys()


def test_the_drawings_are_those_of_the_published_results(tmp_path: Path) -> None:
    for path in plots.draw(published.read() or {"figures": []}, tmp_path):
        assert path.read_bytes() == (publish.DOCS / path.name).read_bytes(), path.name


def test_the_drawings_say_the_figures(tmp_path: Path) -> None:
    drawn = [path.read_text(encoding="utf-8") for path in plots.draw(results(), tmp_path)]
    assert "VADER" in drawn[0] and "2.00 ms" in drawn[0]
    assert "Verdict, Batch Transform" in drawn[2] and "$2.00" in drawn[2]


def test_the_docs_name_the_command_until_it_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    blocks = publish.blocks(published.read(path))
    assert set(blocks.values()) == {"Not measured yet: `make bench FLAGS=--publish`.\n"}
    path.write_text(json.dumps(results()), encoding="utf-8")
    measured = publish.blocks(published.read(path))
    assert "| whole answer, one process | 2.00 ms | 2.00 ms (VADER) |" in measured["bench"]
    assert measured.keys() == blocks.keys()


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [(0.0721, "ms", "0.072 ms"), (1234.5, "reviews/s", "1,234 reviews/s"), (4.456, "$", "$4.46")],
)
def test_a_number_has_as_many_digits_as_its_unit_deserves(number: float, unit: str, text: str) -> None:
    assert tables.value(number, unit) == text
