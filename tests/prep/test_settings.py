"""Which requests are refused before any work, and what is recorded of the others."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from prep_data import ANY, mobile_log

from dataset_prep import SOURCES, OutputError, UsageError, convert
from dataset_prep.machine import memory_of
from dataset_prep.settings import Settings


@pytest.fixture
def users(tmp_path: Path) -> Path:
    return mobile_log(tmp_path / "log.csv", [(u, i, 4, 1, "2014-12-01 00") for u in range(2) for i in range(2)])


@pytest.mark.parametrize(
    ("source", "options", "sentence"),
    [
        ("mobil", {}, r"no source 'mobil'\. Did you mean 'mobile'\?"),
        ("mobile", {"behaviors": "by"}, "Did you mean 'buy'"),
        ("mobile", {"behaviors": " ,"}, "no behaviour"),
        ("mobile", {"min_user": 0}, "--min-user: 0; the least is 1"),
        ("mobile", {"min_items": 0}, "--min-items"),
        ("mobile", {"name": "ml-100k"}, "knows 'ml-100k' as a data set to download"),
        ("mobile", {"name": "ML-100k"}, "my-ML-100k"),
        ("mobile", {"name": "../x"}, "--name"),
        ("mobile", {"name": "-x"}, "--name"),
        ("mobile", {"split": "sometimes"}, "--split: 'sometimes' is none of 'last'"),
        ("mobile", {"split": "last 3"}, "--split"),
        ("mobile", {"split": "ratio 0.8,0.2"}, "three shares"),
        ("mobile", {"split": "ratio 0.8,0.2,0"}, "three shares above 0"),
        ("mobile", {"split": "ratio 0.8,0.1,x"}, "three shares"),
        ("mobile", {"split": "ratio 1/0,1,1"}, "three shares"),
        ("mobile", {"split": "date 2014-12-18"}, "needs two"),
        ("mobile", {"split": "date 2014-12-18,2014-12-17"}, "before the test"),
        ("mobile", {"split": "date 2014-12-18,2014-12-18"}, "before the test"),
        ("mobile", {"split": "date 2014-12-18,yesterday"}, "--split date: 'yesterday'"),
        ("mobile", {"core_on": "train"}, "needs --split"),
        ("mobile", {"since": "yesterday"}, "--from: 'yesterday' is no"),
        ("mobile", {"until": "2014-02-30"}, "--to: '2014-02-30' is no"),
        ("mobile", {"since": "2014-12-18", "until": "2014-12-17 23:59:59"}, "--from is later than --to"),
        ("mobile", {"protocol": "both"}, "--protocol: 'both' is not one of novel, repeat"),
        ("mobile", {"level": "shop"}, "--level"),
        ("mobile", {"core_on": "test"}, "--core-on"),
        ("mobile", {"cold": "warm"}, "--cold"),
        ("mobile", {"engine": "polars"}, "--engine"),
        ("mobile", {"reader": "fast"}, "--reader: 'fast' is not one of auto, compiled, engine, careful"),
        ("mobile", {"max_bad": 1.01}, "--max-bad"),
        ("mobile", {"max_bad": -0.1}, "--max-bad"),
        ("mobile", {"memory_limit": "lots"}, "--memory-limit: 'lots' is no size"),
        ("mobile", {"memory_limit": "4XB"}, "--memory-limit"),
        ("mobile", {"min_known": 1.01}, "--min-known: 1.01 is no share"),
        ("mobile", {"min_known": -0.1}, "--min-known"),
        ("mobile", {"min_user": 0}, "--min-user: 0; the least is 1"),
        ("mobile", {"min_items": 0}, "--min-items: 0; the least is 1"),
        ("mobile", {"item_geohash": True}, "--items"),
        ("mobile", {"item_geohash": True, "items": "log.csv", "level": "category"}, "--level item"),
        ("mobile", {"user_column": "1", "item_column": "2"}, "belong to csv"),
        ("csv", {}, "--user-column and --item-column"),
        ("csv", {"user_column": "1"}, "--user-column and --item-column"),
        ("csv", {"user_column": "1", "item_column": "1"}, "the same column"),
        ("csv", {"user_column": "1", "item_column": "7"}, r"no column '7'; the first line has user_id, item_id"),
        ("csv", {"user_column": "0", "item_column": "1"}, "no column '0'"),
        ("csv", {"user_column": "user_id", "item_column": "sku"}, "no column 'sku'; the first line has user_id, it"),
        ("csv", {"user_column": "1", "item_column": "2", "level": "category"}, "no item category column"),
        ("csv", {"user_column": "1", "item_column": "2", "split": "last"}, "no time column"),
        ("csv", {"user_column": "1", "item_column": "2", "since": "2014-01-01"}, "no time column"),
        ("csv", {"user_column": "1", "item_column": "2", "behaviors": "buy"}, "no behaviour column"),
        ("csv", {"user_column": "1", "item_column": "2", "behavior_column": "3"}, "needs --behavior-values"),
        ("csv", {"user_column": "1", "item_column": "2", "behavior_values": "a"}, "needs --behavior-column"),
        (
            "csv",
            {"user_column": "1", "item_column": "2", "behavior_column": "3", "behavior_values": "a,b,c,d,e,f,g,h,i"},
            "at most 8",
        ),
        (
            "csv",
            {"user_column": "1", "item_column": "2", "behavior_column": "3", "behavior_values": ["a'b"]},
            "quotes and control characters",
        ),
        ("csv", {"user_column": "1", "item_column": "2", "time_format": "never"}, "--time-format"),
    ],
)  # fmt: skip
def test_requests_without_a_meaning(
    source: str, options: dict[str, Any], sentence: str, users: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=sentence):
        convert(source, users, output=tmp_path / "out", **({"name": "x"} | options))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"max_bad": 0}, {"max_bad": 1}, {"memory_limit": "1.5 GiB"}, {"since": "2014-12-01", "until": "2014-12-01"},
        {"since": "2014-12-01T00", "until": "2014-12-01 00"}, {"name": "X_1.a-b"},
    ],
)  # fmt: skip
def test_requests_at_the_edge_of_a_meaning(options: dict[str, Any], users: Path, tmp_path: Path) -> None:
    assert convert("mobile", users, output=tmp_path / "out", **(ANY | {"name": "x"} | options)).rows == 4


def test_settings_have_the_defaults_of_convert() -> None:
    own = {one.name: one.default for one in fields(Settings) if one.default is not MISSING}
    shared = {name: one.default for name, one in signature(convert).parameters.items() if name in own}
    paths = {"items": (), "quiet": False}  # nothing, and the command line's bars
    assert {name: paths.get(name, default) for name, default in shared.items()} == {name: own[name] for name in shared}
    assert shared["min_interactions"] == 1000 and shared["min_users"] == shared["min_items"] == 50
    with pytest.raises(UsageError, match="--memory-limit: 'lots' is no size"):
        Settings(SOURCES["mobile"], (), Path(), "x", memory_limit="lots")


def test_sizes_of_memory() -> None:
    sizes = {
        "1": 1,
        "2B": 2,
        "4GB": 4 * 10**9,
        "1.5 kib": 1536,
        " 800MB ": 800 * 10**6,
        "1TiB": 1 << 40,
        "3GIB": 3 << 30,
    }
    sizes |= {"2kb": 2_000, "1 MiB": 1 << 20, "1TB": 10**12}
    assert {text: memory_of(text) for text in sizes} == sizes
    assert memory_of(None) > 1 << 27


def test_what_decides_the_data_set_is_recorded(users: Path, tmp_path: Path) -> None:
    """And nothing else: no path, no machine, no reader."""
    options = ANY | {"behaviors": "buy,cart", "since": "2014-12-01", "reader": "careful", "memory_limit": "1GB"}
    made = convert("mobile", users, output=tmp_path / "out", name="x", **options)
    record = json.loads((made.path / "funnel.json").read_text())
    assert record["settings"] == {
        "source": "mobile",
        "columns": ["user_id", "item_id", "behavior_type", "user_geohash", "item_category", "timestamp"],
        "behaviors": ["3", "4"],
        "bounds": [1417363200, None],
        "split": None,
        "name": "x",
        "min_user": 1, "min_item": 1, "min_interactions": 1, "min_users": 1, "min_items": 1,
        "min_known": 0,
        "strict": False, "protocol": "novel", "level": "item", "item_geohash": False, "core_on": "all", "cold": "drop",
    }  # fmt: skip
    assert (record["asked"], record["used"]) == ({"user": 1, "item": 1}, {"user": 1, "item": 1})
    assert (record["rows"], record["density"], record["core_on"]) == (4, 1.0, "all pairs, RecBole's habit")


def test_a_data_set_of_other_settings_is_not_replaced(users: Path, tmp_path: Path) -> None:
    def made(name: str = "x", **options: Any) -> str:
        return convert("mobile", users, output=tmp_path / "out", name=name, **(ANY | options)).fingerprint

    first = made()
    assert first == made() == made(reader="careful") == made(max_bad=0.5)
    with pytest.raises(OutputError, match=f"fingerprint {first}, this would be .*--force"):
        made(behaviors="4")
    assert made(behaviors="4", force=True) != first
    with pytest.raises(OutputError, match="--force"):
        made()
    other = made(force=True)
    assert other == first
    users.write_text(users.read_text().replace("1,1,4", "1,3,4"))
    with pytest.raises(OutputError, match="another source"):
        made()
    (tmp_path / "out" / "x" / "funnel.json").write_text("[]")
    with pytest.raises(OutputError, match="fingerprint None"):
        made()


def test_a_folder_of_something_else_is_never_replaced(users: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "mine").mkdir(parents=True)
    made = convert("mobile", users, output=tmp_path / "out", name="mine", **ANY)  # an empty folder is no loss
    assert made.path == tmp_path / "out" / "mine"
    (tmp_path / "out" / "notes").mkdir()
    (tmp_path / "out" / "notes" / "notes.txt").write_text("keep me")
    (tmp_path / "out" / "file").write_text("keep me")
    for name in ("notes", "file"):
        with pytest.raises(OutputError, match="not written by dataset_prep"):
            convert("mobile", users, output=tmp_path / "out", name=name, force=True, **ANY)
    with pytest.raises(OutputError, match="cannot be written"):
        convert("mobile", users, output=users, name="x", **ANY)
    assert (tmp_path / "out" / "notes" / "notes.txt").read_text() == "keep me"
