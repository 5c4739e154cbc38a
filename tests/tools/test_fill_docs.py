"""The blocks of README and docs: each has the card's figures, or names the command that measures them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench import pages, profiles, report
from tools import fill_docs
from training.aws import images
from training.evaluation import behaviour

SPLIT = {
    "reviews": 2556,
    "accuracy": 0.93456,
    "coverage": 0.912,
    "accuracy_outright": 0.951,
    "accuracy_of_surest_90": 0.9654,
    "ece": 0.0123,
    "by_length": [{"ece": 0.01}, {"ece": 0.0345}, {"ece": 0.02}],
}


def card(**metrics: Any) -> dict[str, Any]:
    return {"id": "verdict-x", "onnx_bytes": 4_278_422, "metrics": metrics}


def cells(block: str) -> list[list[str]]:
    """Return a Markdown table's rows, without the line under its head."""
    rows = [line.strip("|").split("|") for line in block.splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1, rows
    return [[cell.strip() for cell in row] for row in rows if set("".join(row)) != {"-"}]


def test_the_figures_of_both_splits_stand_in_their_columns() -> None:
    block = fill_docs.figures(card(test=SPLIT, development=SPLIT | {"accuracy": 0.5}))
    head, test, development = cells(block)
    assert dict(zip(head, test, strict=True)) == {
        "split": "test",
        "reviews": "2,556",
        "accuracy": "93.46 %",
        "says positive or negative for": "91.2 %",
        "and is then right for": "95.10 %",
        "surest 90 % right for": "96.54 %",
        "ECE": "1.23 %",
        "ECE, worst quarter by length": "3.45 %",
        "ECE of P(positive)": "–",
    }
    assert development[2] == "50.00 %"
    assert "Model `verdict-x`, 4.3 MB." in block


def test_readme_s_table_names_the_command_of_each_row() -> None:
    """A row has our figure, the other program's, and the command that prints both."""
    rows = [
        {
            "name": "Verdict",
            "accuracy": 0.93,
            "ece": 0.01,
            "behaviour": 0.8,
            "sentences": 0.9,
            "ms_median": 1.5,
        },
        {
            "name": "VADER",
            "accuracy": 0.7,
            "ece": 0.02,
            "behaviour": 0.6,
            "sentences": 0.75,
            "ms_median": None,
        },
    ]
    head, *lines = cells(fill_docs.results(card(test=SPLIT, peers={"rows": rows}), None))
    assert head == ["", "Verdict", "compared with", "printed by"]
    assert lines[0] == ["accuracy on 25,000 test reviews", "93.00 %", "70.00 % (VADER)", "`make evaluate`"]
    assert lines[1] == ["answers positive or negative for", "91.2 %", "–", "`make evaluate`"]
    assert lines[-1][1:3] == ["1.50 ms", "– (VADER)"]
    missing = cells(fill_docs.results(card(), None))
    assert missing[1][1:3] == ["–", "– (VADER)"]


def test_readme_s_table_has_the_test_split_s_figures_where_no_other_program_was_measured() -> None:
    rows = {row[0]: row[1:3] for row in cells(fill_docs.results(card(test=SPLIT), None))}
    assert rows["accuracy on 25,000 test reviews"] == ["93.46 %", "– (VADER)"]
    assert rows["calibration error (ECE)"] == ["1.23 %", "– (VADER)"]
    assert rows["single sentences"] == ["–", "– (VADER)"]


def test_chance_and_both_sides_stand_beside_the_figures_where_they_are_known() -> None:
    more = {"ece_by_chance": 0.004, "ece_positive": 0.0234}
    sides = {"accuracy_positive": 0.94, "accuracy_negative": 0.96}
    block = fill_docs.figures(card(test=SPLIT | more | sides))
    _, test, _ = cells(block)
    assert (test[6], test[8]) == ("1.23 % (chance 0.40 %)", "2.34 %")
    assert 'On the test split, "positive" is right for 94.00 %, "negative" for 96.00 %.' in block


def test_figures_that_a_split_lacks_are_dashes_and_a_split_that_is_missing_names_its_command() -> None:
    old = {key: SPLIT[key] for key in SPLIT if key not in ("by_length", "accuracy_of_surest_90")}
    _, test, development = cells(fill_docs.figures(card(development=old)))
    assert test[1] == "not measured yet: `python -m training.evaluation.evaluate --split test`"
    assert (development[5], development[7]) == ("–", "–")


def test_a_block_without_figures_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_answer", "_aspects_answer"):
        monkeypatch.setattr(fill_docs, name, lambda model: "answer\n")

    class Model:
        def __init__(self) -> None:
            self.card = card() | {"training": {}}

    monkeypatch.setattr(fill_docs.inference, "model_fn", lambda folder: Model())
    blocks = fill_docs.blocks()
    assert blocks["stages"] == "Not measured yet: `make train-best`.\n"
    makefile = (fill_docs.ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("speed", "app", "seeds", "peers", "behaviour", "ablation", "faithfulness", "warnings"):
        assert blocks[name].startswith("Not measured yet: `"), name
        command = blocks[name].split("`")[1]
        if command.startswith("make "):
            assert f"\n{command.removeprefix('make ')}:" in makefile
        else:
            module = command.split()[2]
            assert (fill_docs.ROOT / (module.replace(".", "/") + ".py")).is_file()


def shown(name: str, metric: dict[str, Any]) -> str:
    return fill_docs.METRICS[name][0](metric)


def test_the_stages_stand_with_their_minutes_and_the_machine() -> None:
    cost = {"minutes": {"pretrained": 12.4, "student-1": 20.6}, "minutes_total": 33.0, "machine": "2 cores"}
    block = fill_docs.stages({"training": {"estimate": cost}})
    assert block == "Minutes by stage: pretrained 12, student-1 21; together 33 (2 cores).\n"


def test_the_servers_stand_with_their_start_and_their_memory() -> None:
    ray = {"start_seconds": 25.4, "image_pauses_seconds": 15, "writes_to": ["/dev/shm/"]}
    ray |= {"peak_pss_mb": 1882, "serverless_memory_mb": 3072}
    block = fill_docs.servers({"servers": {"ray": ray}, "runs": 3, "machine": "2 cores of X"})
    assert cells(block)[1] == ["`ray`", "`/dev/shm/`", "25.4 s", "15 s", "1,882 MB", "3,072 MB"]
    assert block.endswith("Median of 3 starts on 2 cores of X.\n")


def test_the_kinds_of_host_stand_beside_each_other_with_their_cost() -> None:
    server = {"start_seconds": 8.5, "warm_ms": 4.25, "peak_pss_mb": 300, "serverless_memory_mb": 2048}
    servers = {"servers": {images.SERVING[0]: server}}
    function = {"cold_seconds": 1.52, "warm_ms": 3.0, "peak_pss_mb": 160}
    block = fill_docs.kinds(servers, function)
    by_kind = {row[0]: row[1:] for row in cells(block)[1:]}
    assert by_kind["`serverless`"][:3] == ["8.5 s", "4.2 ms", "300 MB"]
    assert by_kind["`serverless`"][4:6] == ["$0", "$526"]
    assert by_kind["`lambda`"][:3] == ["1.5 s", "3.0 ms", "160 MB"]
    assert by_kind["`lambda`"][4:6] == ["$0", "$378"]
    assert by_kind["`realtime`"][0] == "never asleep"
    assert "Not measured" not in block
    assert "`python -m tools.measure_function`" in fill_docs.kinds(servers, None)


def test_the_ablation_has_a_row_for_each_omission() -> None:
    names = ("development_accuracy", "sentences_held", "behaviour_held", *behaviour.TAUGHT)
    row = {"network_accuracy": 0.91, **dict.fromkeys(names, 0.8)}
    rows = [
        {"without": None, **row},
        {"without": "lessons", **row, "behaviour_held": 0.701},
        {"without": "sentence reading", **row, **dict.fromkeys(names)},
    ]
    block = shown("ablation", {"rows": rows, "seed": 1, "epochs": 1})
    assert cells(block)[1:] == [
        ["(everything is there)", "91.0 %", *["80.0 %"] * 6],
        ["lessons", "91.0 %", "80.0 %", "80.0 %", "70.1 %", *["80.0 %"] * 3],
        ["sentence reading", "91.0 %", *["–"] * 6],
    ]
    assert "seed 1, epochs: 1" in block


def test_the_speed_names_the_tokens_and_the_machine() -> None:
    block = shown(
        "speed",
        {
            "tokens": 230,
            "reviews": 500,
            "ms_median": 1.234,
            "ms_p95": 2.5,
            "ms_median_network": 0.91,
            "machine": "1 core of Some CPU",
            "command": "python -m training.evaluation.evaluate --speed",
        },
    )
    for phrase in (
        "230 tokens",
        "1.23 ms at the median",
        "2.50 ms at the 95th",
        "0.91 ms (1 core of Some CPU)",
    ):
        assert phrase in block


def test_the_spread_over_seeds_is_in_percent() -> None:
    spread = {"mean": 0.93, "sd": 0.0012, "min": 0.929, "max": 0.9315}
    block = shown(
        "seeds", {"seeds": [1, 2, 3], "by_seed": [], "spread": {"test_accuracy": spread, "new_one": spread}}
    )
    assert cells(block) == [
        ["seeds 1, 2, 3", "mean", "standard deviation", "least", "most"],
        ["accuracy, test", "93.00 %", "0.12", "92.90 %", "93.15 %"],
        ["new one", "93.00 %", "0.12", "92.90 %", "93.15 %"],
    ]


def test_baselines_stand_side_by_side_and_a_missing_figure_is_a_dash() -> None:
    full = {
        "name": "Verdict",
        "accuracy": 0.93,
        "ece": 0.01,
        "contrast": 0.8,
        "behaviour": 0.7,
        "sentences": 0.9,
        "ms_median": 1.5,
        "mb": 4.3,
    }
    block = shown(
        "peers", {"rows": [full, {"name": "VADER", "accuracy": 0.7}], "split": "test", "machine": "1 core"}
    )
    _, first, second = cells(block)
    assert first == ["Verdict", "93.00 %", "1.00 %", "80.0 %", "70.0 %", "90.0 %", "1.50", "4.3"]
    assert second == ["VADER", "70.00 %", *["–"] * 6]
    assert "test split, 1 core" in block


def test_sarcasm_stands_last_and_notes_are_no_capabilities() -> None:
    rate = {"open": 0.1, "held": 0.5}
    metric = {"sarcasm": rate, "negated_negation": rate, "overall": rate, "single sentences": rate}
    rows = cells(
        shown(
            "behaviour",
            metric | {"command": "python -m training.evaluation.behaviour", "peers": {"VADER": {}}},
        )
    )
    assert [row[0] for row in rows[1:]] == [
        "single sentences",
        "short cases, all but sarcasm",
        "negated negation",
        "sarcasm",
    ]
    assert rows[1][1] == "50.0 %"


def test_faithfulness_is_in_points_with_its_standard_errors() -> None:
    row = {
        "comprehensiveness": 0.295,
        "comprehensiveness_standard_error": 0.0123,
        "sufficiency": -0.02,
        "sufficiency_standard_error": None,
    }
    split = {"reviews": 9, "without_the_strongest": 0.089, "without_any_one": 0.012}
    block = shown("faithfulness", {"reviews": 100, "words": {"contributions": row}, "sentences": split})
    assert cells(block)[1] == ["contributions", "29.5 ± 1.2", "-2.0 ± ?"]
    assert "over 100 development reviews" in block
    assert "Without the strongest sentence it falls by 8.9, without a random one by 1.2" in block


def test_warnings_name_the_worst_language_of_each_script_and_the_english_flagged() -> None:
    def language(noticed: float, script: str = "latin") -> dict[str, Any]:
        return {"script": script, "sentences": 42, "not_english": 0.5, "noticed": noticed}

    block = shown(
        "warnings",
        {
            "by_script": {
                "latin": {"languages": 2, "sentences": 1084, "not_english": 0.5, "noticed": 0.97},
                "other": {"languages": 1, "sentences": 12, "not_english": 0.0, "noticed": 1.0},
            },
            "by_language": {"German": language(0.96), "Dutch": language(0.98), "Greek": language(1, "other")},
            "reviews": 2556,
            "flagged": {"not_english": 0.0012, "no_known_words": 0.0, "truncated": 0.2},
        },
    )
    assert cells(block)[1:] == [
        ["2 in Latin letters", "1,084", "97.0 %", "German, 96.0 %", "50.0 %"],
        ["1 in other scripts", "12", "100.0 %", "Greek, 100.0 %", "0.0 %"],
    ]
    assert "Of 2,556 English development reviews get `not_english` 0.12 %, `no_known_words` 0.00 %." in block


# A figure of an answer, which has six decimals.
MEASURED = re.compile(r"-?\d+\.\d{4,6}\b")


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    return fill_docs.blocks()


@pytest.mark.parametrize("path", pages.paths(), ids=lambda path: path.name)
def test_every_block_of_a_page_is_known_and_filled(path: Path, blocks: dict[str, str]) -> None:
    page = path.read_text(encoding="utf-8")
    names = re.findall(r"<!-- /([\w-]+) -->", page)
    assert list(pages.read_blocks(page)) == names, "a block lacks its start, or stands twice"
    assert set(names) <= blocks.keys() | {*profiles.BLOCKS, *report.BLOCKS}
    filled = pages.fill(page, blocks)
    # Int8 products differ a little by processor, so the figures of the two answers do too.
    for block in ("answer", "aspects-answer"):
        answers = [pages.read_blocks(text).get(block, "") for text in (filled, page)]
        numbers = [list(map(float, MEASURED.findall(answer))) for answer in answers]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.05)
        assert MEASURED.sub("", answers[0]) == MEASURED.sub("", answers[1])
        filled = filled.replace(*answers)
    assert filled == page, "run `python -m tools.fill_docs`"


def test_every_block_stands_on_a_page(blocks: dict[str, str]) -> None:
    names = {name for path in pages.paths() for name in pages.read_blocks(path.read_text(encoding="utf-8"))}
    assert names == blocks.keys() | {*profiles.BLOCKS, *report.BLOCKS}


def test_a_block_is_filled_wherever_it_stands(tmp_path: Path) -> None:
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    first.write_text("<!-- a -->\nold\n<!-- /a -->\n<!-- c -->\nkept\n<!-- /c -->", encoding="utf-8")
    second.write_text("<!-- a -->\n<!-- /a --> and <!-- b -->\n<!-- /b -->", encoding="utf-8")
    pages.write({"a": "new\n", "b": "\\1\n"}, [first, second])
    assert first.read_text("utf-8") == "<!-- a -->\nnew\n<!-- /a -->\n<!-- c -->\nkept\n<!-- /c -->"
    assert second.read_text("utf-8") == "<!-- a -->\nnew\n<!-- /a --> and <!-- b -->\n\\1\n<!-- /b -->"


def test_a_block_that_no_page_has_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- a -->\n<!-- /a -->", encoding="utf-8")
    with pytest.raises(ValueError, match="no page has a block 'b'"):
        pages.write({"a": "new\n", "b": ""}, [page])
    assert page.read_text("utf-8") == "<!-- a -->\n<!-- /a -->"


def test_a_learning_curve_has_a_row_for_each_way_and_a_column_for_each_size(tmp_path: Path) -> None:
    rows = [
        {"labels": size, "accuracy": 0.8, "spread": 0.01, "films": films, "seconds": 1.25}
        for size, films in ((50, None), (1000, 0.9))
    ]
    measured = {"splits": 3, "sentences": 2000, "films": 600, "machine": "1 core"}
    path = tmp_path / "curve.json"
    path.write_text(
        json.dumps({**measured, "ways": [{"way": "adapt", "peak_mb": 123, "rows": rows}]}), "utf-8"
    )
    head, row = cells(fill_docs.curve(path))
    assert head == ["", "50 labels", "1,000 labels", "film reviews then", "fit", "memory"]
    assert row == ["adapt", "80.0 % ± 1.0", "80.0 % ± 1.0", "90.0 %", "1.2 s", "123 MB"]
    assert "training.adapt.curve" in fill_docs.curve(tmp_path / "none.json")
