"""The raw formats: Taobao, Tmall, any log with named columns; items and categories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prep_data import ANY, READERS, columns, lines, real

from dataset_prep import SOURCES, Size, UsageError, convert
from dataset_prep.sources.times import FORMATS, day_of

EVERY_READER = pytest.mark.parametrize("reader", READERS)
TEXT_READERS = pytest.mark.parametrize("reader", ["auto", "engine", "careful"])
Log = Callable[..., Path]


def test_userbehavior_2_core_on_the_real_slice(tmp_path: Path) -> None:
    (log,) = real("userbehavior/UserBehavior.csv")
    whole = convert("userbehavior", log, output=tmp_path, name="whole", since="", until="")
    assert whole.size == Size(18_550, 919, 7_333)
    period = convert("userbehavior", log, output=tmp_path, name="period")
    assert period.funnel.dropped()["outside the dates"] == 44


@EVERY_READER
def test_unix_seconds_have_eleven_digits_at_most(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "UserBehavior.csv"
    good = ["99999999999", "-99999999999", "0", "1511544070"]
    times = [*good, "100000000000", "-100000000000", "99999999999999999999", "01", "+1", "-0"]
    log.write_text("".join(f"1,{item},3,buy,{time}\n" for item, time in enumerate(times)))
    options: dict[str, Any] = ANY | {"since": "", "until": "", "max_bad": 1}
    made = convert("userbehavior", log, output=tmp_path, name="x", reader=reader, **options)
    assert [row[2] for row in columns(made.path / "x.inter")] == sorted(good, key=int)
    assert [line.split(",")[1] for line in lines(made.path / "rejects.csv")] == ["5", "6", "7", "8", "9", "10"]
    assert day_of(-99999999999) == day_of(-62135625600) == "1-01-01"


@EVERY_READER
def test_userbehavior_impossible_times_are_counted_and_dropped(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "UserBehavior.csv"
    rows = [
        "1,2,3,pv,1511544070",
        "1,3,3,buy,-2134949234",
        "1,4,3,cart,2122867355",
        "2,2,3,fav,1512316799",
        "2,4,3,pv,0",
    ]
    log.write_text("\r\n".join(rows) + "\r\n")
    result = convert("userbehavior", log, output=tmp_path, name="x", reader=reader, **ANY)
    # 1511544070 is 2017-11-25 01:21 in Beijing; 1512316799 is the last second of 3 December there.
    assert result.funnel.dropped()["outside the dates"] == 3
    assert lines(result.path / "x.inter") == ["1\t2\t1511544070\tpv", "2\t2\t1512316799\tfav"]
    whole: dict[str, Any] = ANY | {"since": "", "until": "", "behaviors": "buy,cart"}
    everything = convert("userbehavior", log, output=tmp_path, name="all", reader=reader, **whole)
    assert lines(everything.path / "all.inter") == ["1\t3\t-2134949234\tbuy", "1\t4\t2122867355\tcart"]


@EVERY_READER
def test_ijcai15(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "user_log_format1.csv"
    log.write_text(
        "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n"
        "328862,323294,833,2882,2661,0829,0\n328862,844400,1271,2882,2661,0829,3\n"
        "328862,844400,1271,2882,2661,1111,2\n234512,575153,1271,2882,,1112,1\n"
    )
    result = convert("tmall", log, output=tmp_path, name="t", reader=reader, **ANY)
    # 2014-08-29 in Beijing begins at 1409241600.
    assert lines(result.path / "t.inter") == ["234512\t575153\t1415721600\t1", "328862\t844400\t1409241600\t3"]
    assert (result.path / "t.item").read_text().splitlines() == [
        "item_id:token\titem_category:token\tseller_id:token\tbrand_id:token",
        "575153\t1271\t2882\t",
        "844400\t1271\t2882\t2661",
    ]
    settings = yaml.safe_load((result.path / "t.yaml").read_text())
    assert settings["load_col"] == {
        "inter": ["user_id", "item_id", "timestamp"],
        "item": ["item_id", "item_category", "seller_id", "brand_id"],
    }


@EVERY_READER
def test_ijcai16(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "ijcai2016_taobao.csv"
    log.write_text(
        "use_ID,sel_ID,ite_ID,cat_ID,act_ID,time\n1980536,9666,1881758,14,0,20150826\n1980536,9666,7,14,1,20150827\n"
    )
    result = convert("tmall", log, output=tmp_path, name="t", behaviors="buy", reader=reader, **ANY)
    assert lines(result.path / "t.inter") == ["1980536\t7\t1440604800\t1"]
    assert lines(result.path / "t.item") == ["7\t14\t9666"]
    assert convert("tmall", log, output=tmp_path, **ANY).name == "tmall-ijcai16-log"


CSV = {"user_column": "uid", "item_column": "sku", "time_column": "when", "time_format": "datetime"}
CSV |= {"behavior_column": "event", "category_column": "shelf", "behavior_values": "view,cart,buy"}


@TEXT_READERS
def test_csv_with_named_columns(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "any.csv"
    log.write_text(
        'when,uid,sku,event,shelf\n2020-01-02 03:04:05,anna,A-1,view,"tea, green"\n2020-01-02 03:04:06,Бob,A-1,buy,\n'
        "2020-01-02 03:04:07,anna,NA,view,x\n2020-01-02 03:04:08, anna,A-2,view,x\n2020-01-02 03:04:09,,A-2,view,x\n"
    )
    result = convert("csv", log, output=tmp_path, name="c", max_bad=1.0, reader=reader, **(ANY | CSV))
    # 2020-01-02 03:04:05 in Beijing.
    assert lines(result.path / "c.inter") == ["Бob\tA-1\t1577905446\tbuy", "anna\tA-1\t1577905445\tview"]
    assert lines(result.path / "c.item") == ["A-1\ttea, green"]
    assert [line.split(",", 2)[1:] for line in lines(result.path / "rejects.csv")] == [
        ["4", "item_id 'NA' would be read as a missing value"],
        ["5", "user_id ' anna' has blanks around it"],
        ["6", "blank user_id"],
    ]


@TEXT_READERS
def test_behaviours_of_csv_are_a_list_or_a_text(reader: str, tmp_path: Path) -> None:
    """Weakest first: of one time the later one in the list is kept."""
    log = tmp_path / "any.csv"
    log.write_text(
        "when,uid,sku,event,shelf\n" + "".join(f"2020-01-02 03:04:05,u,i,{e},\n" for e in ("buy", "view", "cart"))
    )
    for values in (" view, cart ,buy", ["view", "cart", "buy"]):
        options: dict[str, Any] = ANY | CSV | {"behavior_values": values, "behaviors": "cart,view"}
        made = convert("csv", log, output=tmp_path, name="c", reader=reader, **options)
        assert lines(made.path / "c.inter") == ["u\ti\t1577905445\tcart"]


@TEXT_READERS
def test_csv_by_number_without_time(reader: str, tmp_path: Path) -> None:
    log = tmp_path / "pairs.tsv"
    log.write_text("u1\ti1\nu1\ti2\nu2\ti1\nu2\ti1\n")
    options: dict[str, Any] = ANY | {"user_column": "1", "item_column": "2", "reader": reader}
    result = convert("csv", log, output=tmp_path, name="c", **options)
    assert (result.path / "c.inter").read_text() == "user_id:token\titem_id:token\nu1\ti1\nu1\ti2\nu2\ti1\n"
    assert not (result.path / "c.item").exists()
    settings = yaml.safe_load((result.path / "c.yaml").read_text())
    assert settings["eval_args"]["order"] == "RO" and "TIME_FIELD" not in settings


@TEXT_READERS
def test_numbers_as_ids_of_csv_are_ordered_as_numbers(reader: str, tmp_path: Path) -> None:
    """A sign makes them text, which is ordered by length first."""
    log = tmp_path / "pairs.csv"
    named = {"user_column": "1", "item_column": "2"}
    orders = {("10", "9", "100"): ["9", "10", "100"], ("10", "-5", "9", "+7"): ["9", "+7", "-5", "10"]}
    orders[("1.0", "2", "1e3")] = ["2", "1.0", "1e3"]
    for ids, expected in orders.items():
        log.write_text("".join(f"{u},1\n" for u in ids))
        made = convert("csv", log, output=tmp_path, name="c", reader=reader, force=True, **(ANY | named))
        assert [row[0] for row in columns(made.path / "c.inter")] == expected


def test_a_header_is_a_header_also_where_columns_are_numbered(tmp_path: Path) -> None:
    log = tmp_path / "pairs.csv"
    log.write_text("uid,sku\nu1,i1\n")
    named = convert("csv", log, output=tmp_path, name="named", user_column="uid", item_column="2", **ANY)
    assert named.rows == 1
    numbered = convert("csv", log, output=tmp_path, name="numbered", user_column="1", item_column="2", **ANY)
    assert lines(numbered.path / "numbered.inter") == ["u1\ti1"]
    log.write_text("who,what\nann,film\n")  # words above words are a header where one of them is named
    words = convert("csv", log, output=tmp_path, name="words", user_column="who", item_column="what", **ANY)
    assert lines(words.path / "words.inter") == ["ann\tfilm"]
    log.write_text("id,id\n7,8\n")  # such names name nothing, so the numbers stay
    twice = convert("csv", log, output=tmp_path, name="twice", user_column="1", item_column="2", **ANY)
    assert lines(twice.path / "twice.inter") == ["7\t8"]


@EVERY_READER
def test_categories_instead_of_items(reader: str, log: Log, tmp_path: Path) -> None:
    rows = [(1, 11, 4, 5, "2014-12-02 00"), (1, 12, 4, 5, "2014-12-01 00"), (2, 12, 4, 6, "2014-12-01 00")]
    users = log(
        [*rows, (2, 13, 4, 7, "2014-12-01 00"), (2, "", 4, 8, "2014-12-01 00"), (2, 12, 4, "", "2014-12-01 00")]
    )
    items = tmp_path / "items.csv"
    items.write_text("11\n12\n")
    options: dict[str, Any] = ANY | {"items": items, "level": "category", "max_bad": 1.0, "reader": reader}
    result = convert("mobile", users, output=tmp_path, name="c", **options)
    assert lines(result.path / "c.inter") == ["1\t5\t1417363200\t4", "2\t6\t1417363200\t4"]
    assert not (result.path / "c.item").exists()
    assert [line.split(",", 1)[1] for line in lines(result.path / "rejects.csv")] == [
        "6,blank item_id", "7,blank item_category"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "asked", "kept"),
    [
        ("mobile", None, ("3", "4")),
        ("mobile", "Buy, CART,4", ("3", "4")),
        ("mobile", "collect,1", ("1", "2")),
        ("userbehavior", None, ("pv", "fav", "cart", "buy")),
        ("userbehavior", "purchase,view", ("pv", "buy")),
        ("tmall", None, ("3", "1", "2")),
        ("tmall", "2,1,0", ("0", "1", "2")),
        ("tmall-ijcai16", None, ("0", "1")),
    ],
)
def test_behaviours_by_value_or_name_weakest_first(source: str, asked: str | None, kept: tuple[str, ...]) -> None:
    assert SOURCES[source].behavior_values(asked) == kept


def test_a_behaviour_that_a_source_does_not_have() -> None:
    with pytest.raises(UsageError, match=r"no behaviour 'favorit'\. Did you mean 'favo.*It has: 1/click/pv/view, 2/"):
        SOURCES["mobile"].behavior_values("favorit")


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [
        ("unix", "0", 0), ("unix", "-1", -1), ("unix", "99999999999", 99999999999), ("unix", "100000000000", None),
        ("unix", "01", None), ("unix", "-0", None), ("unix", "1.0", None), ("unix", "", None),
        ("hour", "2014-12-18 23", 1418914800), ("hour", "2014-12-18 24", None), ("hour", "2014-12-18 2", None),
        ("date", "2012-02-29", 1330444800), ("date", "2013-02-29", None), ("date", "1900-02-29", None),
        ("datetime", "1970-01-01 08:00:00", 0), ("datetime", "1970-01-01 08:00:60", None),
        ("yyyymmdd", "20150826", 1440518400), ("yyyymmdd", "2015826", None),
        ("mmdd", "0829", 1409241600), ("mmdd", "829", None), ("mmdd", "0229", None),
    ],
)  # fmt: skip
def test_times_of_beijing(name: str, text: str, seconds: int | None) -> None:
    assert FORMATS[name].parse(text) == seconds


def test_days_change_at_midnight_in_beijing() -> None:
    assert [day_of(seconds) for seconds in (1418831999, 1418832000, -28801)] == [
        "2014-12-17",
        "2014-12-18",
        "1969-12-31",
    ]
