"""Files that only the engine reaches; file:// stands for s3:// and hdfs://."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dataset_prep.inspect import inspect
from prep_data import files

from dataset_prep import InputError, PublishedSettings, TooManyRejectsError, convert, convert_published

Check = Callable[..., dict[str, bytes]]


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "duckdb":
        yield "duckdb"
        return
    request.getfixturevalue("spark")
    from dataset_prep.engines.spark import SparkEngine

    with SparkEngine():  # One session for all: starting one takes longer than a test.
        yield "spark"


@pytest.fixture
def same(tmp_path: Path, engine: str) -> Check:
    """Convert twice: by paths, and by addresses of the same files."""

    def check(source: str, users: Path, **words: object) -> dict[str, bytes]:
        paths, addresses = dict(words), dict(words)
        for option in ("items", "user_info"):
            if option in words:
                addresses[option] = f"file://{words[option]}"
        local = convert(source, users, tmp_path / "local", "x", **paths)  # type: ignore[arg-type]
        away = convert(source, f"file://{users}", tmp_path / "away", "x", engine=engine, **addresses)  # type: ignore[arg-type]
        assert files(local.path, "funnel.json") == files(away.path, "funnel.json")
        assert local.funnel.as_dict() == away.funnel.as_dict()
        return files(away.path)

    return check


def test_an_address_gives_what_its_file_gives(same: Check, sample: tuple[Path, Path]) -> None:
    same("mobile", sample[0], items=sample[1], item_geohash=True)


def test_a_pattern_of_which_one_file_has_the_header(same: Check, sample: tuple[Path, Path], tmp_path: Path) -> None:
    lines = sample[0].read_bytes().splitlines(keepends=True)
    for part in range(3):
        (tmp_path / f"part-{part}.csv").write_bytes(b"".join(lines[part * 20_000 : (part + 1) * 20_000 or None]))
    same("mobile", tmp_path / "part-*.csv")


def test_dirt_is_rejected_line_by_line(same: Check, sample: tuple[Path, Path], tmp_path: Path) -> None:
    lines = sample[0].read_bytes().splitlines(keepends=True)
    dirt = [b"1,2,3\n", lines[0], b'"10",20,4,,"5",2014-12-01 00\n', b"11,22,4,\xff,5,2014-12-01 00\n", b"\n"]
    path = tmp_path / "dirty.csv"
    path.write_bytes(b"".join([*lines[:1000], *dirt, *lines[1000:]]))
    rejects = same("mobile", path)["rejects.csv"].decode().splitlines()
    assert [line.split(",")[:2] for line in rejects[1:]] == [["dirty.csv", str(n)] for n in (1001, 1002, 1004)]


def test_a_quote_that_only_a_feature_has_is_no_part_of_it(
    same: Check, sample: tuple[Path, Path], tmp_path: Path
) -> None:
    lines = sample[0].read_text().splitlines()
    fields = lines[1].split(",")
    path = tmp_path / "quoted.csv"
    path.write_text("\n".join([lines[0], ",".join([*fields[:4], f'"{fields[4]}"', fields[5]]), *lines[2:]]) + "\n")
    assert b'"' not in same("mobile", path, behaviors="1,2,3,4")["x.item"]


def test_an_archive(same: Check, sample: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(sample[0], "log.csv")
    same("mobile", path)


def test_columns_are_told_from_the_first_line(same: Check, tmp_path: Path) -> None:
    log, people = tmp_path / "user_log_format1.csv", tmp_path / "user_info_format1.csv"
    rows = [f"{u},{u * i % 60},{i % 7},3,4,1111,{i % 4}" for u in range(1, 60) for i in range(1, 60)]
    log.write_text("user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n" + "\n".join(rows) + "\n")
    people.write_text("user_id,age_range,gender\n" + "".join(f"{u},3,1\n" for u in range(1, 60)))
    assert b"59\t3" in same("tmall", log, user_info=people, min_interactions=1, min_items=1)["x.user"]


def test_a_file_that_changed_is_another_one(sample: tuple[Path, Path], tmp_path: Path, engine: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(sample[0].read_bytes())
    first = convert("mobile", f"file://{path}", tmp_path / "1", "x", engine=engine)
    again = convert("mobile", f"file://{path}", tmp_path / "2", "x", engine=engine)
    os.utime(path, (0, 0))
    later = convert("mobile", f"file://{path}", tmp_path / "3", "x", engine=engine)
    assert first.fingerprint == again.fingerprint != later.fingerprint


@pytest.mark.usefixtures("spark")
def test_both_engines_give_the_same_bytes(sample: tuple[Path, Path], tmp_path: Path) -> None:
    users, items = (f"file://{path}" for path in sample)
    written = [convert("mobile", users, tmp_path / e, "x", items=items, engine=e).path for e in ("duckdb", "spark")]
    assert files(written[0]) == files(written[1])


def test_inspect(sample: tuple[Path, Path], engine: str) -> None:
    users, items = sample
    local = inspect([str(users)], [str(items)])
    away = inspect([f"file://{users}"], [f"file://{items}"], engine=engine)
    assert local.choices == away.choices
    assert away.command is not None
    assert ("--engine spark" in away.command) == (engine == "spark")


def test_a_published_split(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("".join(f"{u} {u} {u + 1}\n" for u in range(9)))
    (tmp_path / "test.txt").write_text("0 5\n")
    train, test = (f"file://{tmp_path}/{part}.txt" for part in ("train", "test"))
    assert convert_published(PublishedSettings(train, test, tmp_path, "x")).pairs == {"train": 18, "test": 1}


@pytest.mark.parametrize("content", [b"", b"1,2\n" * 9, b"\xff\xfe\n" * 9])
def test_a_file_of_no_use_is_refused(content: bytes, tmp_path: Path, engine: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(
        (InputError, TooManyRejectsError), match=r"log\.csv: (no file there, or an empty one|none of the 9 rows)"
    ):
        convert("mobile", f"file://{path}", tmp_path / "out", "x", engine=engine)
    assert not (tmp_path / "out" / "x").exists()


@pytest.mark.parametrize("address", ["file:///nowhere/log.csv", "file:///nowhere/*.csv", "nosuch://bucket/log.csv"])
def test_an_address_of_nothing_is_refused(address: str, tmp_path: Path, engine: str) -> None:
    with pytest.raises(InputError, match=r"cannot read it \(.+\)|no file there") as refusal:
        convert("mobile", address, tmp_path, "x", engine=engine)
    assert address in str(refusal.value)


def test_hdfs_needs_spark(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--engine spark"):
        convert("mobile", "hdfs://host/log.csv", tmp_path, "x")
