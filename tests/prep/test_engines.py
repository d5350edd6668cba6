"""Engines read the same: DuckDB and Spark, by paths and by addresses; file:// stands for s3:// and hdfs://.

All tests of Spark stand here: to start one takes longer than a test, and the first queries of each are slow.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from prep_data import ANY, files, mobile_log, real
from prep_golden import CASES, GOLDEN, converted

from dataset_prep import InputError, TooManyRejectsError, UsageError, convert, convert_published, inspect

EVERY = int(os.environ.get("GOLDEN_SPARK_EVERY", "24"))
GOLDEN_CASES = [case for case in CASES if not case.startswith("split") and "shared/" not in case][4 % EVERY :: EVERY]


@pytest.mark.usefixtures("spark_session")
@pytest.mark.parametrize("case", GOLDEN_CASES)
def test_spark_writes_the_golden_bytes(case: str, golden_logs: Path, tmp_path: Path) -> None:
    assert converted(case, golden_logs, tmp_path, "--engine", "spark") == json.loads(GOLDEN.read_text())[case]


def both(source: str, users: Path | Sequence[Path], folder: Path, **options: Any) -> None:
    written = {}
    for engine in ("duckdb", "spark"):
        result = convert(source, users, output=folder / engine, name="same", engine=engine, **options)
        written[engine] = files(result.path)
    assert written["duckdb"].keys() == written["spark"].keys()
    for name, content in written["duckdb"].items():
        assert content == written["spark"][name], name


@pytest.mark.usefixtures("spark_session")
def test_spark_writes_the_same_bytes(tmp_path: Path, sample: tuple[Path, Path]) -> None:
    """Dirt, ids that are no plain integers, a subset, a split, a cold part: all at once."""
    users, items = sample
    lines = users.read_text().splitlines()
    parts = [tmp_path / "1.csv", tmp_path / "2.csv"]
    parts[0].write_text("\n".join([*lines[:20_000], "1,2,3", "007,12,4,,1,2014-12-01 00"]) + "\n")
    parts[1].write_text("\r\n".join(lines[20_000:]) + "\r\n")
    both(
        "mobile", parts, tmp_path, items=items, split="ratio 0.8,0.1,0.1", core_on="train", since="2014-11-20",
        item_geohash=True, cold="keep",
    )  # fmt: skip


@pytest.mark.usefixtures("spark_session")
def test_spark_on_the_real_userbehavior_slice(tmp_path: Path) -> None:
    both("userbehavior", real("userbehavior/UserBehavior.csv"), tmp_path, since="", until="", protocol="repeat")


@pytest.mark.slow
@pytest.mark.usefixtures("spark_session")
@pytest.mark.parametrize("subset", [True, False])
def test_spark_on_the_real_tianchi_slice(tianchi: tuple[Path, Path], tmp_path: Path, subset: bool) -> None:
    both("mobile", [tianchi[0]], tmp_path, items=tianchi[1] if subset else None, behaviors="1,2,3,4")


@pytest.mark.usefixtures("spark_session")
def test_a_failure_of_spark_is_a_sentence_and_a_wrong_query_is_a_bug() -> None:
    from pyspark.errors import AnalysisException

    from dataset_prep.engines.spark import SparkEngine

    with pytest.raises(UsageError, match=r"Spark gave up \(.*no room"), SparkEngine() as engine:
        engine.rows("SELECT raise_error('no room')")
    with pytest.raises(AnalysisException), SparkEngine() as engine:
        engine.rows("SELECT nothing")


# Addresses

Check = Callable[..., dict[str, bytes]]


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "spark":
        request.getfixturevalue("spark_session")
    return name


@pytest.fixture
def same(tmp_path: Path, engine: str) -> Check:
    """Convert twice: by paths, and by addresses of the same files."""

    def check(source: str, users: Path, **options: Any) -> dict[str, bytes]:
        options = ANY | options
        addresses = options | {o: f"file://{options[o]}" for o in ("items", "user_info") if o in options}
        local = convert(source, users, output=tmp_path / "local", name="x", **options)
        away = convert(source, f"file://{users}", output=tmp_path / "away", name="x", engine=engine, **addresses)
        assert files(local.path, "funnel.json") == files(away.path, "funnel.json")
        assert local.funnel.as_dict() == away.funnel.as_dict()
        return files(away.path)

    return check


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A few thousand rows."""
    rows = [
        (u, u * i % 97, i % 4 + 1, i % 5, f"2014-12-{i % 18 + 1:02} 0{u % 10}") for u in range(60) for i in range(60)
    ]
    return mobile_log(tmp_path / "log.csv", rows)


def test_an_address_gives_what_its_file_gives(same: Check, log: Path, tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    items.write_text("item_id,geohash\n" + "".join(f"{i},9{i}\n" for i in range(0, 97, 2)))
    same("mobile", log, items=items, item_geohash=True)


def test_a_pattern_of_which_one_file_has_the_header(same: Check, log: Path, tmp_path: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    for part in range(3):
        (tmp_path / f"part-{part}.csv").write_bytes(b"".join(lines[part * 1_200 : (part + 1) * 1_200 or None]))
    same("mobile", tmp_path / "part-*.csv")


def test_dirt_is_rejected_line_by_line(same: Check, log: Path, tmp_path: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    dirt = [b"1,2,3\n", lines[0], b'"10",20,4,,"5",2014-12-01 00\n', b"11,22,4,\xff,5,2014-12-01 00\n", b"\n"]
    path = tmp_path / "dirty.csv"
    path.write_bytes(b"".join([*lines[:1000], *dirt, *lines[1000:]]))
    rejects = same("mobile", path)["rejects.csv"].decode().splitlines()
    assert [line.split(",")[:2] for line in rejects[1:]] == [["dirty.csv", str(n)] for n in (1001, 1002, 1004)]


def test_a_quote_that_only_a_feature_has_is_no_part_of_it(same: Check, log: Path, tmp_path: Path) -> None:
    lines = log.read_text().splitlines()
    fields = lines[1].split(",")
    path = tmp_path / "quoted.csv"
    path.write_text("\n".join([lines[0], ",".join([*fields[:4], f'"{fields[4]}"', fields[5]]), *lines[2:]]) + "\n")
    assert b'"' not in same("mobile", path, behaviors="1,2,3,4")["x.item"]


def test_an_archive(same: Check, log: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(log, "log.csv")
    same("mobile", path)


def test_the_first_line_tells_the_columns(same: Check, tmp_path: Path) -> None:
    log, info = tmp_path / "user_log_format1.csv", tmp_path / "user_info_format1.csv"
    rows = [f"{u},{u * i % 60},{i % 7},3,4,1111,{i % 4}" for u in range(1, 60) for i in range(1, 60)]
    log.write_text("user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n" + "\n".join(rows) + "\n")
    info.write_text("user_id,age_range,gender\n" + "".join(f"{u},3,1\n" for u in range(1, 60)))
    assert b"59\t3" in same("tmall", log, user_info=info)["x.user"]


def test_a_file_that_changed_is_another_one(log: Path, tmp_path: Path, engine: str) -> None:
    def fingerprint() -> str:
        options: dict[str, Any] = ANY | {"engine": engine, "force": True}
        return convert("mobile", f"file://{log}", output=tmp_path / "out", name="x", **options).fingerprint

    first = fingerprint()
    assert first == fingerprint()
    os.utime(log, (0, 0))
    assert first != fingerprint()


@pytest.mark.usefixtures("spark_session")
def test_both_engines_give_the_same_bytes(log: Path, tmp_path: Path) -> None:
    written = [
        convert("mobile", f"file://{log}", output=tmp_path / e, name="x", engine=e, **ANY).path
        for e in ("duckdb", "spark")
    ]
    assert files(written[0]) == files(written[1])


def test_inspect(log: Path, tmp_path: Path, engine: str) -> None:
    (tmp_path / "items.csv").write_text("".join(f"{i}\n" for i in range(60)))
    paths = [str(log)], [str(tmp_path / "items.csv")]
    local = inspect(*paths)
    users, items = ([f"file://{path}" for path in side] for side in paths)
    away = inspect(users, items, engine=engine)
    assert local.choices == away.choices
    assert away.command is not None
    assert ("--engine spark --spark-url 'local[2]'" in away.command) == (engine == "spark")


def test_a_published_split(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("".join(f"{u} {u} {u + 1}\n" for u in range(9)))
    (tmp_path / "test.txt").write_text("0 5\n")
    train, test = (f"file://{tmp_path}/{part}.txt" for part in ("train", "test"))
    assert convert_published(train, test, output=tmp_path, name="x").pairs == {"train": 18, "test": 1}


@pytest.mark.parametrize("content", [b"", b"1,2\n" * 9, b"\xff\xfe\n" * 9])
def test_a_file_of_no_use_is_refused(content: bytes, tmp_path: Path, engine: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    sentence = r"log\.csv: (no file there, or an empty one|none of the 9 rows)"
    with pytest.raises((InputError, TooManyRejectsError), match=sentence):
        convert("mobile", f"file://{path}", output=tmp_path / "out", name="x", engine=engine)
    assert not (tmp_path / "out" / "x").exists()


@pytest.mark.parametrize("address", ["file:///nowhere/log.csv", "file:///nowhere/*.csv", "nosuch://bucket/log.csv"])
def test_an_address_of_nothing_is_refused(address: str, tmp_path: Path, engine: str) -> None:
    with pytest.raises(InputError, match=r"cannot read it \(.+\)|no file there") as refusal:
        convert("mobile", address, output=tmp_path, name="x", engine=engine)
    assert address in str(refusal.value)


def test_hdfs_needs_spark(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--engine spark"):
        convert("mobile", "hdfs://host/log.csv", output=tmp_path, name="x")
