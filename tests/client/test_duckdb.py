"""DuckDB: SQL asks for verdicts, NULL stays NULL, and a table is judged in large pieces."""

import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from training.files import texts
from verdict_sentiment import Verdict, VerdictError
from verdict_sentiment.duckdb import register_duckdb

REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        register_duckdb(opened, workers=1)
        yield opened


def test_a_file_s_texts_have_verdicts(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "reviews.parquet"
    parquet.write_table(pa.table({"review": [REVIEW, None, "", "Dull, awful and far too long."]}), path)
    rows = connection.sql(f"SELECT verdict(review), verdict_probability(review) FROM '{path}'").fetchall()
    with Verdict.local() as local:
        first, last = local.sentiment(REVIEW), local.sentiment("Dull, awful and far too long.")
    assert rows == [
        (first.sentiment, first.probability),
        (None, None),
        (None, None),
        (last.sentiment, last.probability),
    ]


def test_both_functions_of_a_query_judge_each_text_once(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    whole = texts.Judge.judge

    def judge(self: texts.Judge, reviews: Sequence[str], explain: str = "none") -> Iterator[texts.Judged]:
        asked.append(len(reviews))
        return whole(self, reviews, explain)

    monkeypatch.setattr(texts.Judge, "judge", judge)
    query = "SELECT verdict(r), verdict_probability(r) FROM (SELECT 'Part ' || i AS r FROM range(40) t(i))"
    assert len(connection.sql(query).fetchall()) == 40
    assert sum(asked) == 40


def test_it_can_be_registered_again(connection: duckdb.DuckDBPyConnection) -> None:
    register_duckdb(connection, workers=1)
    assert connection.sql("SELECT verdict('I loved it, a lovely film.')").fetchall() == [("positive",)]


def test_a_query_may_group_filter_and_join(connection: duckdb.DuckDBPyConnection) -> None:
    connection.sql(
        "CREATE TABLE t AS SELECT * FROM (VALUES (1, 'A lovely film.'), (2, 'A dull film.')) v(n, r)"
    )
    assert connection.sql("SELECT n FROM t WHERE verdict(r) = 'negative'").fetchall() == [(2,)]
    counted = connection.sql("SELECT verdict(r) v, count(*) FROM t GROUP BY v ORDER BY v").fetchall()
    assert counted == [("negative", 1), ("positive", 1)]
    assert connection.sql("SELECT verdict(r) FROM t WHERE false").fetchall() == []


@pytest.mark.slow
def test_a_large_table_is_judged_by_processes_as_by_one(connection: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT sum(verdict_probability('I loved part ' || i || ' of it.')) FROM range(5000) t(i)"
    alone = connection.sql(query).fetchall()
    with duckdb.connect() as other:
        other.sql("SET threads = 4")
        register_duckdb(other, workers=2)
        for _ in range(2):
            ((together,),) = other.sql(query).fetchall()
            assert together == pytest.approx(alone[0][0])
        assert len(multiprocessing.active_children()) == 2
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    "connection, arguments, kind, sentence",
    [
        ("reviews.db", {}, TypeError, "takes a DuckDB connection, got str"),
        (duckdb, {"workers": -1}, ValueError, "workers must be a whole number from 1 on, got -1"),
        (duckdb, {"model": "/nowhere"}, VerdictError, "model.json can't be read"),
    ],
)
def test_what_can_t_be_used_is_one_sentence(
    connection: Any, arguments: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        register_duckdb(connection, **arguments)


def test_a_column_of_numbers_is_refused_by_duckdb(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.BinderException, match="verdict"):
        connection.sql("SELECT verdict(42)")
