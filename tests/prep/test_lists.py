"""The files beside the log: the item subset and the features of users."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prep_data import ANY, READERS, columns, lines

from dataset_prep import InputError, TooManyRejectsError, convert

Log = Callable[..., Path]


@pytest.mark.parametrize("reader", READERS)
def test_an_item_subset_with_dirt_and_repeats(reader: str, log: Log, tmp_path: Path) -> None:
    users = log([(1, i, 4, 9, "2014-12-01 00") for i in (5, 6, 10, 11)])
    items = tmp_path / "items.csv"
    items.write_text(
        "item_id,item_geohash,item_category\n5,,9\n5,97lk14c,9\n5,zzz,9\n" + "7,,1\n" * 200 + '"11",a b,1\nx,,9\n'
    )
    options: dict[str, Any] = ANY | {"items": items, "item_geohash": True, "reader": reader}
    made = convert("mobile", users, output=tmp_path, name="x", **options)
    assert [row[1] for row in columns(made.path / "x.inter")] == ["5", "11"]
    assert columns(made.path / "x.item") == [["5", "9", "97lk14c"], ["11", "9", "a b"]]
    assert (made.path / "rejects.csv").read_text() == (
        "file,line,reason\nitems.csv,206,item_id 'x' is no whole number\n"
    )
    assert made.funnel.dropped()["not in the item subset"] == 2


def test_a_subset_without_geohashes_is_read_the_same(log: Log, tmp_path: Path) -> None:
    """Plain numbers are read in C, the others by the grammar: 007 is another id than 7."""
    users = log([(1, i, 4, 9, "2014-12-01 00") for i in ("5", "7", "007", "10", "12345678901234567890")])
    items = tmp_path / "items.csv"
    items.write_text('item_id\n"5"\n007\n\n12345678901234567890\n3\n3\n')
    made = convert("mobile", users, output=tmp_path, name="x", items=items, **ANY)
    assert {row[1] for row in columns(made.path / "x.inter")} == {"5", "007", "12345678901234567890"}


def test_a_large_subset(log: Log, tmp_path: Path) -> None:
    """More than one block of 1 MB; a bad line behind the first block keeps its number."""
    users = log([(1, i, 4, 9, "2014-12-01 00") for i in (1, 150_000, 150_001, 200_000)])
    items = tmp_path / "items.csv"
    rows = [f"{i},97lk14c" for i in range(1, 150_001)]
    rows[149_000:149_000] = ["bad"]
    items.write_text("item_id,item_geohash\n" + "\n".join(rows) + "\n")
    assert items.stat().st_size > 1 << 20
    for geohash in (False, True):
        options: dict[str, Any] = ANY | {"items": items, "item_geohash": geohash}
        made = convert("mobile", users, output=tmp_path, name=f"x{geohash}", **options)
        assert [row[1] for row in columns(made.path / f"x{geohash}.inter")] == ["1", "150000"]
        assert lines(made.path / "rejects.csv") == ["items.csv,149002,item_id 'bad' is no whole number"]


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        (b"", InputError, "the file is empty"),
        (b"item_id\n", InputError, "lists no item"),
        (b"x\ny\n", InputError, r"lists no item\n  items\.csv, line 1: item_id 'x' is no whole number"),
        (b'5\n"6\n', TooManyRejectsError, r"--items: 1 of 2 rows do not parse(?s:.*)line 2: stray quote"),
        (b"5\n \n,7\n", TooManyRejectsError, r"--items: 1 of 2 rows do not parse(?s:.*)line 3: blank item_id"),
        (b"5\n\xff\n", TooManyRejectsError, "broken UTF-8"),
    ],
)
def test_subsets_that_are_refused(
    content: bytes, error: type[Exception], sentence: str, log: Log, tmp_path: Path
) -> None:
    users = log([(1, 5, 4, 9, "2014-12-01 00")])
    (tmp_path / "items.csv").write_bytes(content)
    with pytest.raises(error, match=sentence):
        convert("mobile", users, output=tmp_path / "out", name="x", items=tmp_path / "items.csv", max_bad=0.49, **ANY)
    assert not (tmp_path / "out").exists()


def test_the_allowed_share_of_bad_items_is_still_allowed(log: Log, tmp_path: Path) -> None:
    users = log([(1, 5, 4, 9, "2014-12-01 00")])
    (tmp_path / "items.csv").write_text("5\nx\n")
    made = convert("mobile", users, output=tmp_path, name="x", items=tmp_path / "items.csv", max_bad=0.5, **ANY)
    assert made.rows == 1


def test_text_ids_of_a_subset(tmp_path: Path) -> None:
    log, items = tmp_path / "log.csv", tmp_path / "items.csv"
    log.write_text("u1,A-1\nu1,B\nu1,5\nu1,05\nu1,NA-1\n")
    items.write_text("A-1\n05\nNA\n 7\nB \n")
    named = {"user_column": "1", "item_column": "2"}
    made = convert("csv", log, output=tmp_path, name="x", items=items, max_bad=1.0, **(ANY | named))
    assert [row[1] for row in columns(made.path / "x.inter")] == ["05", "A-1"]
    assert [line.split(",", 1)[1] for line in lines(made.path / "rejects.csv")] == [
        "3,item_id 'NA' would be read as a missing value",
        "4,item_id ' 7' has blanks around it",
        "5,item_id 'B ' has blanks around it",
    ]


TMALL = "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n"


@pytest.mark.parametrize("reader", READERS)
def test_features_of_users(reader: str, tmp_path: Path) -> None:
    log, info = tmp_path / "log.csv", tmp_path / "info.csv"
    log.write_text(TMALL + "".join(f"{u},1,1,2,3,0829,2\n" for u in (7, 8, 9, 10)))
    info.write_text("user_id,age_range,gender\n7,6,0\n999,1,1\n8,,\n9, 3 ,1\n9,4,\n")
    made = convert("tmall", log, output=tmp_path, name="x", user_info=info, reader=reader, **ANY)
    # A later line of the same user counts; unknown is 0 and 2 in these files.
    assert columns(made.path / "x.user") == [["7", "6", "0"], ["8", "0", "2"], ["9", "4", "2"], ["10", "0", "2"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"user_id,age_range,gender\n1,x,2\n", r"info\.csv, line 2: '1,x,2' is not user_id,age_range,gender"),
        (b"1,2\n", "line 1: '1,2' is not"),
        (b",1,2\n", "line 1"),
        (b"007,1,2\n", "lists no user"),
        (b"user_id,age_range,gender\n", "lists no user"),
        (b"", "the file is empty"),
    ],
)
def test_user_features_that_are_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    log, info = tmp_path / "log.csv", tmp_path / "info.csv"
    log.write_text(TMALL + "7,1,1,2,3,0829,2\n")
    info.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        convert("tmall", log, output=tmp_path / "out", name="x", user_info=info, **ANY)


def test_ids_of_user_features_are_compared_as_text_where_the_logs_are_text(tmp_path: Path) -> None:
    log, info = tmp_path / "log.csv", tmp_path / "info.csv"
    log.write_text(TMALL + "007,1,1,2,3,0829,2\n7,1,1,2,3,0829,2\n")
    info.write_text("007,1,1\n")
    made = convert("tmall", log, output=tmp_path, name="x", user_info=info, **ANY)
    assert columns(made.path / "x.user") == [["7", "0", "2"], ["007", "1", "1"]]


def test_headers_of_the_lists_are_read_by_their_names(log: Log, tmp_path: Path) -> None:
    users = log([(u, i, 4, 9, "2014-12-01 00") for u in (1, 2) for i in (5, 6)])
    items, info = tmp_path / "items.csv", tmp_path / "info.csv"
    options: dict[str, Any] = ANY | {"items": items, "item_geohash": True, "user_info": info, "output": tmp_path}
    items.write_text("item_category,item_geohash,item_id\n9,97lk,5\n9,,6\n")
    info.write_text("gender,user_id,age_range\n1,1,3\n,2,\n")
    made = convert("mobile", users, name="x", **options)
    assert columns(made.path / "x.item") == [["5", "9", "97lk"], ["6", "9", ""]]
    assert columns(made.path / "x.user") == [["1", "3", "1"], ["2", "0", "2"]]
    items.write_text("x,y,z\n5,97lk,9\n6,,9\n")  # names that nobody knows: item, geohash, category
    made = convert("mobile", users, name="z", **options)
    assert columns(made.path / "z.item") == [["5", "9", "97lk"], ["6", "9", ""]]
    for file, content, sentence in (
        (items, "item_id,sku\n5,5\n", "--items: items.csv: the header item_id,sku has several columns for item_id"),
        (items, "user_id,time\n5,6\n", "--items: items.csv: the header user_id,time has no column for item_id"),
        (
            info,
            "user_id,age_range\n1,3\n",
            "--user-info: info.csv: the header is user_id,age_range; needed are user_id,",
        ),
        (info, "user_id,age,age,sex\n1,3,3,1\n", "--user-info: info.csv: the header is user_id,age,age,sex; needed"),
    ):
        before = file.read_text()
        file.write_text(content)
        with pytest.raises(InputError, match=sentence):
            convert("mobile", users, name="y", **options)
        file.write_text(before)
