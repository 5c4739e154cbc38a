"""The report's figures, computed a second way by pandas and plain Python from the same rows."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.report_cases import ASPECTS, Case, cases, report_on
from tests.training.report.test_resampling import plain_mix
from training.report.resampling import REPLICATES, THRESHOLDS

SIGNS = {"positive": 1, "negative": -1, "uncertain": 0}
BOTH = ["music_falls", "many_groups", "paradox", "between"]


def frame_of(case: Case) -> pd.DataFrame:
    """Return the judged rows, a column a number."""
    rows = []
    for row in case.rows:
        if "error" in row:
            continue
        answer = row["answer"]
        logit = answer["bias"] + sum(sentence["contribution"] for sentence in answer["sentences"])
        pulls = {name: answer["aspects"][name].get("contribution") for name in ASPECTS}
        verdicts = {f"{name} sign": SIGNS.get(answer["aspects"][name]["sentiment"]) for name in ASPECTS}
        rest = logit - sum(pull or 0 for pull in pulls.values())
        rows.append(
            {
                "number": row["row"],
                "date": row["date"],
                "group": row["group"],
                "sign": SIGNS[answer["sentiment"]],
                "mixed": answer["reason"] == "mixed" or bool(answer["warnings"]),
                "no_opinion": answer["reason"] == "no_opinion",
                "logit": logit,
                "rest": rest,
                **pulls,
                **verdicts,
            }
        )
    frame = pd.DataFrame(rows)
    frame["date"] = pd.to_datetime(frame["date"])
    return frame


@pytest.fixture(params=cases())
def pair(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A case's rows, and its report."""
    case = cases()[request.param]
    return frame_of(case), report_on(case)


def check_cell(cell: dict[str, Any], rows: pd.DataFrame, sign: str = "sign") -> None:
    assert cell["rows"] == len(rows)
    if rows.empty:
        assert cell["net"] is None and cell["interval"] is None and cell["examples"] == []
        return
    assert cell["net"] == pytest.approx(100 * rows[sign].mean(), abs=1e-4)
    counts = [int((rows[sign] == value).sum()) for value in (1, -1, 0)]
    assert [cell[name] for name in ("positive", "negative", "uncertain")] == counts
    assert cell["mean_logit"] == pytest.approx(rows["logit"].mean(), abs=1e-4)
    assert cell["interval"][0] <= cell["net"] <= cell["interval"][1]


def test_the_whole(pair: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    frame, report = pair
    check_cell(report["overall"], frame)
    assert report["overall"]["mixed"] == frame["mixed"].sum()
    assert report["overall"]["no_opinion"] == frame["no_opinion"].sum()
    by_logit = frame.sort_values(["logit", "number"])["number"].tolist()
    assert report["overall"]["examples"][:10] == by_logit[:10]
    assert set(report["overall"]["examples"][10:]) <= set(by_logit[-10:])


def test_periods(pair: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    frame, report = pair
    if report["over_time"] is None:
        assert frame["date"].isna().all()
        return
    dated = frame.dropna(subset="date")
    unit = {"day": "D", "week": "W-SUN", "month": "M"}[report["over_time"]["unit"]]
    periods = dated["date"].dt.to_period(unit)
    expected = pd.period_range(periods.min(), periods.max(), freq=unit)
    listed = report["over_time"]["periods"]
    assert [cell["start"] for cell in listed] == [str(one.start_time.date()) for one in expected]
    for cell, period in zip(listed, expected, strict=True):
        check_cell(cell, dated[periods == period])


def test_groups(pair: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    frame, report = pair
    if report["groups"] is None:
        assert frame["group"].nunique() < 2
        return
    assert sorted(group["name"] for group in report["groups"]) == sorted(frame["group"].dropna().unique())
    for group in report["groups"]:
        check_cell(group, frame[frame["group"] == group["name"]])
        assert group["small"] == (group["rows"] < 20)
    nets = [group["net"] for group in report["groups"]]
    assert nets == sorted(nets, reverse=True)


def test_aspects(pair: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    frame, report = pair
    assert {aspect["name"] for aspect in report["aspects"]} == set(ASPECTS)
    for aspect in report["aspects"]:
        name = aspect["name"]
        rows = frame[frame[name].notna()]
        check_cell(aspect, rows, f"{name} sign")
        assert aspect["share"] == pytest.approx(len(rows) / len(frame), abs=1e-4)
        if len(rows):
            assert aspect["pull"] == pytest.approx(rows[name].mean(), abs=1e-4)
    effects = [(aspect["pull"] or 0) * aspect["share"] for aspect in report["aspects"] if aspect["rows"]]
    assert effects == sorted(effects)


def weights_of(keys: list[int]) -> np.ndarray:
    """Return the weights of keys, int (keys, replicates), by Python's own numbers."""
    replicates = [plain_mix(number + 1) for number in range(REPLICATES)]
    hashed = [[plain_mix(key ^ replicate) for replicate in replicates] for key in keys]
    return np.searchsorted(THRESHOLDS.astype(np.int64), np.array(hashed), side="right")


@pytest.mark.parametrize("name", ["music_falls", "many_groups"])
def test_the_whole_s_interval(name: str) -> None:
    case = cases()[name]
    frame, report = frame_of(case), report_on(case)
    keys = [plain_mix((number + 0x9E3779B9) & 0xFFFFFFFF) for number in frame["number"]]
    if name == "many_groups":
        assert report["resampled"] == "groups"
        keys = [
            key if pd.isna(group) else key_of(group) for key, group in zip(keys, frame["group"], strict=True)
        ]
    weights = weights_of(keys)
    nets = 100 * (weights * frame["sign"].to_numpy()[:, None]).sum(axis=0) / weights.sum(axis=0)
    assert report["overall"]["interval"] == pytest.approx(
        np.quantile(nets, [0.025, 0.975]).tolist(), abs=1e-4
    )


def key_of(group: str) -> int:
    value = 0x811C9DC5
    for byte in group.encode():
        value = (value ^ byte) * 0x01000193 % 2**32
    return plain_mix(value)


# --- what moved ---------------------------------------------------------------------------------


def sides_of(case: Case, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    if between := case.options.get("between"):
        return tuple(frame[frame["group"] == name] for name in between)  # type: ignore[return-value]
    dated = frame.dropna(subset="date")
    span = (dated["date"].max() - dated["date"].min()).days + 1
    cut = dated["date"].min() + pd.Timedelta(days=2 * span // 3)
    if since := case.options.get("since"):
        cut = pd.Timestamp(since)
    return dated[dated["date"] < cut], dated[dated["date"] >= cut]


@pytest.mark.parametrize("name", BOTH)
def test_the_parts_of_a_difference_add_up_to_it(name: str) -> None:
    case = cases()[name]
    report = report_on(case)
    before, after = sides_of(case, frame_of(case))
    comparison = report["comparison"]
    assert [comparison[side]["rows"] for side in ("before", "after")] == [len(before), len(after)]
    logit = after["logit"].mean() - before["logit"].mean()
    net = 100 * (after["sign"].mean() - before["sign"].mean())
    assert comparison["logit"]["difference"] == pytest.approx(logit, abs=1e-4)
    assert comparison["net"]["difference"] == pytest.approx(net, abs=1e-3)
    assert sum(cause["effect"] for cause in report["moved"]) == pytest.approx(logit, abs=1e-3)
    assert sum(cause["net_effect"] for cause in report["moved"]) == pytest.approx(net, abs=1e-3)
    effects = [abs(cause["effect"]) for cause in report["moved"][:-1]]
    assert effects == sorted(effects, reverse=True)
    assert report["moved"][-1]["name"] == "everything else"


@pytest.mark.parametrize("name", BOTH)
def test_each_part_by_pandas(name: str) -> None:
    case = cases()[name]
    report = report_on(case)
    frame = frame_of(case)
    sizes = frame["group"].map(frame["group"].value_counts())
    if case.options.get("between") is None:  # small groups are one
        frame["group"] = frame["group"].where(sizes >= 20, "other groups")
    before, after = sides_of(case, frame)
    grouped = case.options.get("between") is None and (sizes >= 20).any()
    groups = sorted({*before["group"], *after["group"]}) if grouped else [None]
    mean = pd.concat([before["logit"], after["logit"]]).mean()
    expected: dict[str, float] = dict.fromkeys((*ASPECTS, "mix of groups", "everything else"), 0.0)
    columns = {**{aspect: aspect for aspect in ASPECTS}, "everything else": "rest"}
    for group in groups:
        one, other = ((side if group is None else side[side["group"] == group]) for side in (before, after))
        share_before, share_after = len(one) / len(before), len(other) / len(after)
        if len(one) and len(other):
            middle = (one["logit"].mean() + other["logit"].mean()) / 2 - mean
            expected["mix of groups"] += (share_after - share_before) * middle
            for part, column in columns.items():
                change = other[column].fillna(0).mean() - one[column].fillna(0).mean()
                expected[part] += (share_before + share_after) / 2 * change
        else:
            expected["mix of groups"] += share_after * (other["logit"].mean() - mean) if len(other) else 0
            expected["mix of groups"] -= share_before * (one["logit"].mean() - mean) if len(one) else 0
    if not grouped:
        del expected["mix of groups"]
    found: dict[str, float] = {}
    for cause in report["moved"]:  # a group's own change is part of the rest
        name = "everything else" if cause["kind"] == "group" else cause["name"]
        found[name] = found.get(name, 0.0) + cause["effect"]
    assert found == pytest.approx(expected, abs=3e-4)


def test_an_aspect_s_effect_is_how_often_and_in_what_tone_it_is_mentioned() -> None:
    for cause in itertools.chain.from_iterable(report_on(cases()[name])["moved"] for name in BOTH):
        if cause["kind"] == "aspect":
            assert cause["often"] + cause["tone"] == pytest.approx(cause["effect"], abs=2e-4)


def test_each_group_s_parts_add_up_to_a_cause() -> None:
    for cause in report_on(cases()["music_falls"])["moved"]:
        assert sum(group["effect"] for group in cause["groups"]) == pytest.approx(cause["effect"], abs=1e-3)


def test_a_cause_s_rows_are_of_the_side_that_it_came_with() -> None:
    case = cases()["music_falls"]
    frame = frame_of(case)
    _, after = sides_of(case, frame)
    cause = report_on(case)["moved"][0]
    assert cause["name"] == "music" and cause["effect"] < 0
    worst = after[after["music"] < 0].sort_values(["music", "number"])["number"].tolist()
    assert cause["rows"] == worst[:20]


def test_simpson_s_paradox_is_seen() -> None:
    assert report_on(cases()["paradox"])["comparison"]["simpson"]
    assert not report_on(cases()["music_falls"])["comparison"]["simpson"]


# --- notices and rows ---------------------------------------------------------------------------


def codes(name: str) -> set[str]:
    return {notice["code"] for notice in report_on(cases()[name])["notices"]}


def test_what_a_reader_should_know_is_said_first() -> None:
    assert codes("few_rows") == {"no_date_column", "one_verdict", "not_mentioned"}
    assert codes("odd_rows") == {"failed", "not_english", "one_group", "too_few"}
    assert codes("many_groups") == {"odd_dates", "small"}
    assert codes("paradox") == set()


def test_aspects_that_share_their_clauses_are_named() -> None:
    case = cases()["music_falls"]
    for row in case.rows:
        aspects = row["answer"]["aspects"]
        if "mentions" in aspects["music"]:
            aspects["actors"] = aspects["music"]
    (notice,) = (one for one in report_on(case)["notices"] if one["code"] == "overlap")
    assert "“music” and “actors” share 118 clauses" in notice["detail"]


def test_a_word_opens_the_rows_that_it_moves_most() -> None:
    case = cases()["music_falls"]
    effects: dict[str, list[tuple[int, float]]] = {}
    for row in case.rows:
        text = row["answer"]["text"]
        for word in row["answer"]["words"]:
            surface = text[word["start"] : word["end"]].lower()
            effects.setdefault(surface, []).append((row["row"], word["effect"]))
    words = report_on(case)["words"]
    assert words["up"] and words["down"]
    for side, word in [(1, word) for word in words["up"]] + [(-1, word) for word in words["down"]]:
        frame = pd.DataFrame(effects[word["word"]], columns=["row", "effect"])
        strongest = (
            (side * frame.set_index("row")["effect"]).groupby("row").max().sort_values(ascending=False)
        )
        assert word["rows"] == len(strongest)
        assert word["examples"] == strongest.index[:20].tolist()


def test_time_runs_from_the_first_date_to_the_last(pair: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    frame, report = pair
    if report["over_time"] is None:
        assert frame["date"].isna().all()
        return
    ends = [str(frame["date"].min().date()), str(frame["date"].max().date())]
    assert [report["over_time"]["first"], report["over_time"]["last"]] == ends


def test_every_row_that_is_named_is_shown() -> None:
    report = report_on(cases()["odd_rows"])
    named = set(report["overall"]["examples"])
    assert {str(number) for number in named} <= report["rows"].keys()
    long = next(row for row in report["rows"].values() if row["text"].startswith("…"))
    assert len(long["text"]) == 401
    assert long["sentence"] in long["text"]


def test_all_of_one_verdict_has_an_interval_by_its_number_of_rows() -> None:
    overall = report_on(cases()["few_rows"])["overall"]
    assert overall["net"] == 100
    assert overall["interval"] == [pytest.approx(100 * (1 - 2 * (1 - 0.05 ** (1 / 12))), abs=1e-4), 100]
