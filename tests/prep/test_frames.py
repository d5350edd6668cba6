"""A table in memory as the log: the data set equals that of a CSV file with the same rows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from prep_data import ANY, HEADER, columns, files, lines

from dataset_prep import SOURCES, InputError, UsageError, convert

Rows = list[tuple[Any, ...]]
LOGS: dict[str, tuple[list[str], Rows, dict[str, Any]]] = {}
"""source -> (names in the file, rows, options)"""


def _logs() -> None:
    rng = random.Random(3)
    drawn = [(rng.randrange(1, 30), rng.randrange(1, 40), rng.randrange(4), rng.randrange(1, 31)) for _ in range(400)]
    LOGS["mobile"] = (
        HEADER.split(","),
        [(u, i, k + 1, "97lk14c" if u % 2 else None, i % 5, f"2014-12-{d:02} {u % 24:02}") for u, i, k, d in drawn],
        {},
    )
    kinds = ("pv", "fav", "cart", "buy")
    LOGS["userbehavior"] = (
        ["user_id", "item_id", "category_id", "behavior_type", "timestamp"],
        [(u, i, i % 5, kinds[k], 1511539200 + d * 20_000) for u, i, k, d in drawn],
        {},
    )
    LOGS["tmall"] = (
        ["user_id", "item_id", "cat_id", "seller_id", "brand_id", "time_stamp", "action_type"],
        [(u, i, i % 5, u % 3, i % 7 if k else None, f"09{d:02}", k) for u, i, k, d in drawn],
        {},
    )
    LOGS["csv"] = (
        ["when", "sku", "uid", "event", "shelf"],
        [(f"2020-01-{d:02} 10:00:{u:02}", f"A-{i}", u, kinds[k], "tea, green") for u, i, k, d in drawn],
        {"user_column": "uid", "item_column": "2", "time_column": "when", "time_format": "datetime"}
        | {"behavior_column": "event", "behavior_values": kinds, "category_column": "shelf"},
    )


_logs()


def pandas_table(names: list[str], rows: Rows) -> Any:
    """As pandas reads the file: whole numbers with gaps are floats, 0903 is 903."""
    frame = pd.DataFrame(rows, columns=names)
    return frame.astype({"time_stamp": int}) if "time_stamp" in names else frame


def polars_table(names: list[str], rows: Rows) -> Any:
    polars = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    return polars.DataFrame(rows, schema=names, orient="row")


def arrow_table(names: list[str], rows: Rows) -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])


def saved(path: Path, names: list[str], rows: Rows) -> Path:
    path.write_text("".join(",".join(_field(v) for v in row) + "\n" for row in [tuple(names), *rows]))
    return path


def _field(value: Any) -> str:
    text = "" if value is None else str(value)
    return f'"{text}"' if "," in text else text


@pytest.mark.parametrize("table", [pandas_table, polars_table, arrow_table])
@pytest.mark.parametrize("source", LOGS)
def test_the_same_bytes_as_the_file(source: str, table: Callable[..., Any], tmp_path: Path) -> None:
    names, rows, options = LOGS[source]
    by_file = convert(
        source, saved(tmp_path / "log.csv", names, rows), output=tmp_path / "1", name="x", **(ANY | options)
    )
    by_table = convert(source, table(names, rows), output=tmp_path / "2", name="x", **(ANY | options))
    assert files(by_file.path, "funnel.json") == files(by_table.path, "funnel.json")
    records = [json.loads((made.path / "funnel.json").read_text()) for made in (by_file, by_table)]
    for record in records:
        assert record.pop("files") and record.pop("fingerprint")
    # Columns of csv that have no role are named by their places in both.
    assert records[0] == records[1]
    assert not (by_table.path / "rejects.csv").exists()


def test_columns_of_csv_by_number(tmp_path: Path) -> None:
    """The names of the table are no row."""
    frame = pandas_table(*LOGS["csv"][:2])
    made = convert("csv", frame, output=tmp_path, name="x", user_column="3", item_column="2", **ANY)
    assert made.funnel.stages[0].rows == len(frame)


@pytest.mark.parametrize("source", ["mobile", "tmall"])
def test_columns_in_any_order_and_case_and_more_of_them(source: str, tmp_path: Path) -> None:
    names, rows, _ = LOGS[source]
    frame = pandas_table(names, rows)
    other = frame.iloc[:, ::-1].rename(columns=str.upper).assign(more="x")
    made = [convert(source, table, output=tmp_path / str(n), name="x", **ANY) for n, table in enumerate((frame, other))]
    assert files(made[0].path) == files(made[1].path)


def test_the_names_of_roles_are_understood_too(tmp_path: Path) -> None:
    frame = pandas_table(*LOGS["tmall"][:2])
    roles = frame.set_axis(SOURCES["tmall"].columns, axis=1)
    made = [
        convert("tmall", table, output=tmp_path / str(n), name="x", **ANY) for n, table in enumerate((frame, roles))
    ]
    assert files(made[0].path) == files(made[1].path)


def test_a_column_that_is_not_essential_may_be_absent(tmp_path: Path) -> None:
    frame = pandas_table(*LOGS["mobile"][:2]).drop(columns=["user_geohash", "item_category"])
    made = convert("mobile", frame, output=tmp_path, name="x", reader="compiled", **ANY)
    assert {row[1] for row in columns(made.path / "x.item")} == {""}


@pytest.mark.parametrize("missing", ["user_id", "item_id", "behavior_type", "time"])
def test_an_essential_column_that_is_absent_is_named(missing: str, tmp_path: Path) -> None:
    frame = pandas_table(*LOGS["mobile"][:2]).drop(columns=missing)
    with pytest.raises(InputError) as caught:
        convert("mobile", frame, output=tmp_path, name="x")
    role = {"time": "timestamp"}.get(missing, missing)
    assert str(caught.value) == (
        f"The table has no column for {role}. It has {', '.join(frame.columns)}; needed are "
        f"{', '.join(LOGS['mobile'][0])}."
    )


def with_moments(source: str, moments: Any) -> Any:
    names, rows, _ = LOGS[source]
    time = {"mobile": "time", "userbehavior": "timestamp", "tmall": "time_stamp", "csv": "when"}[source]
    return pandas_table(names, rows[: len(moments)]).assign(**{time: moments})


@pytest.mark.parametrize(
    ("source", "moments", "seconds"),
    [
        ("mobile", ["2014-12-01 00:00", "2014-12-18 23:00"], [1417363200, 1418914800]),
        ("userbehavior", ["2017-11-25 01:21:10", "2017-12-03 23:59:59"], [1511544070, 1512316799]),
        ("tmall", ["2014-08-29", "2014-11-11"], [1409241600, 1415635200]),
        ("csv", ["2020-01-02 03:04:05", "2020-01-02 03:04:06"], [1577905445, 1577905446]),
    ],
)
@pytest.mark.parametrize("zone", [None, "Asia/Shanghai", "UTC"])
def test_moments_are_times_of_beijing_unless_they_have_a_zone(
    source: str, moments: list[str], seconds: list[int], zone: str | None, tmp_path: Path
) -> None:
    frame = with_moments(source, pd.to_datetime(pd.Series(moments)))
    if zone:
        time = next(name for name in frame if frame[name].dtype.kind == "M")
        frame[time] = frame[time].dt.tz_localize("Asia/Shanghai").dt.tz_convert(zone)
    options = ANY | LOGS[source][2] | {"since": "", "until": "", "protocol": "repeat"}
    options["behaviors"] = ",".join(b.value for b in SOURCES[source].behaviors) if source != "csv" else None
    made = convert(source, frame, output=tmp_path, name="x", **options)
    assert sorted(int(row[2]) for row in columns(made.path / "x.inter")) == seconds


@pytest.mark.parametrize(
    ("source", "moment", "sentence"),
    [
        ("mobile", "2014-12-01 00:30", "column time holds 2014-12-01 00:30:00 .* whole hours.*floor..h"),
        ("userbehavior", "2017-11-25 00:00:00.5", r"whole seconds.*floor\('s'\)"),
        ("tmall", "2014-11-11 01:00", r"whole days of 2014.*floor\('D'\)"),
        ("tmall", "2015-11-11", "column time_stamp holds 2015-11-11.* whole days of 2014"),
        ("csv", "2020-01-02 03:04:05.000000001", "whole seconds"),
    ],
)  # fmt: skip
def test_times_are_not_cut_silently(source: str, moment: str, sentence: str, tmp_path: Path) -> None:
    moments = pd.to_datetime(pd.Series([moment, "2014-12-01", moment]), format="ISO8601")
    with pytest.raises(InputError, match=sentence) as caught:
        convert(source, with_moments(source, moments), output=tmp_path, name="x", **(ANY | LOGS[source][2]))
    assert "(and 1 more of its kind)" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_row_without_a_time_or_an_id_is_a_bad_row(tmp_path: Path) -> None:
    moments = pd.to_datetime(pd.Series(["2014-12-01", None, "2014-12-02", "2014-12-03", "2014-12-04"]))
    frame = with_moments("mobile", moments).assign(behavior_type=4, item_id=[1, 2, None, np.inf, 0.5])
    made = convert("mobile", frame, output=tmp_path, name="x", max_bad=1.0, **ANY)
    assert made.rows == 1
    assert [line.split(",", 1)[1] for line in lines(made.path / "rejects.csv")] == [
        "3,impossible time ''",
        "4,blank item_id",
        "5,item_id 'inf' is no whole number",
        "6,item_id '0.5' is no whole number",
    ]


def test_other_types_of_pandas(tmp_path: Path) -> None:
    names, rows, _ = LOGS["mobile"]
    frame = pandas_table(names, rows)
    kinds = {"user_id": "string", "item_id": "Int64", "behavior_type": "category", "item_category": "float32"}
    made = [
        convert("mobile", table, output=tmp_path / str(n), name="x", **ANY)
        for n, table in enumerate((frame, frame.astype(kinds), frame.astype(object)))
    ]
    assert files(made[0].path) == files(made[1].path) == files(made[2].path)


def test_a_source_of_ones_own_without_a_header(tmp_path: Path) -> None:
    own = replace(SOURCES["mobile"], name="own", headers=frozenset())
    frame = pandas_table(*LOGS["mobile"][:2])
    made = convert(own, frame, output=tmp_path, name="x", max_bad=0, **ANY)
    assert made.funnel.stages[0].rows == len(frame)


@pytest.mark.parametrize(
    ("source", "options", "error", "sentence"),
    [
        ("csv", {}, UsageError, "--user-column and --item-column"),
        ("csv", {"user_column": "uid", "item_column": "nothing"}, UsageError, "no column 'nothing'"),
        ("mobil", {}, UsageError, "no source 'mobil'"),
        ("mobile", {"user_column": "1", "item_column": "2"}, UsageError, "belong to csv"),
    ],
)
def test_what_is_refused(
    source: str, options: dict[str, Any], error: type[Exception], sentence: str, tmp_path: Path
) -> None:
    frame = pandas_table(*LOGS["csv" if source == "csv" else "mobile"][:2])
    with pytest.raises(error, match=sentence):
        convert(source, frame, output=tmp_path, name="x", **options)


def test_something_that_is_no_table(tmp_path: Path) -> None:
    class Odd:
        columns = ("user_id",)

    with pytest.raises(InputError, match="The table cannot be read"):
        convert("mobile", Odd(), output=tmp_path, name="x")


def test_an_empty_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no rows"):
        convert("mobile", pandas_table(*LOGS["mobile"][:2]).head(0), output=tmp_path, name="x")
