"""The other raw formats: Taobao, Tmall, any log with named columns; items and categories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dataset_prep.core import Size
from dataset_prep.inputs import head
from dataset_prep.inspect import inspect, recognise
from prep_data import real

from dataset_prep import InputError, UsageError, convert
from dataset_prep.sources import IJCAI15, IJCAI16, MOBILE, USERBEHAVIOR

ANY = {"min_user": 1, "min_item": 1, "min_interactions": 1, "min_users": 1, "min_items": 1}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_userbehavior_2_core_on_the_real_slice(tmp_path: Path) -> None:
    (log,) = real("userbehavior/UserBehavior.csv")
    whole = convert("userbehavior", log, tmp_path, "whole", since="", until="")
    assert whole.size == Size(18_550, 919, 7_333)
    period = convert("userbehavior", log, tmp_path, "period")
    assert period.funnel.dropped()["outside the dates"] == 44


def test_userbehavior_impossible_moments_are_counted_not_kept(tmp_path: Path) -> None:
    log = tmp_path / "UserBehavior.csv"
    rows = [
        "1,2,3,pv,1511544070",
        "1,3,3,buy,-2134949234",
        "1,4,3,cart,2122867355",
        "2,2,3,fav,1512316799",
        "2,4,3,pv,0",
    ]
    log.write_text("\r\n".join(rows) + "\r\n")
    result = convert("userbehavior", log, tmp_path, "x", **ANY)  # type: ignore[arg-type]
    # 1511544070 is 2017-11-25 01:21 in Beijing; 1512316799 is the last second of 3 December there.
    assert result.funnel.dropped()["outside the dates"] == 3
    assert lines(result.path / "x.inter")[1:] == ["1\t2\t1511544070\tpv", "2\t2\t1512316799\tfav"]
    whole = {"since": "", "until": "", "behaviors": "buy,cart"}
    everything = convert("userbehavior", log, tmp_path, "all", **whole, **ANY)  # type: ignore[arg-type]
    assert lines(everything.path / "all.inter")[1:] == ["1\t3\t-2134949234\tbuy", "1\t4\t2122867355\tcart"]


def test_ijcai15_with_users(tmp_path: Path) -> None:
    log, info = tmp_path / "user_log_format1.csv", tmp_path / "user_info_format1.csv"
    log.write_text(
        "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n"
        "328862,323294,833,2882,2661,0829,0\n328862,844400,1271,2882,2661,0829,3\n"
        "328862,844400,1271,2882,2661,1111,2\n234512,575153,1271,2882,,1112,1\n"
    )
    info.write_text("user_id,age_range,gender\n328862,6,0\n999,1,1\n234512,,\n")
    result = convert("tmall", log, tmp_path, "t", user_info=str(info), **ANY)  # type: ignore[arg-type]
    # 2014-08-29 in Beijing begins at 1409241600.
    assert lines(result.path / "t.inter")[1:] == [
        "234512\t575153\t1415721600\t1",
        "328862\t844400\t1409241600\t3",
    ]
    assert lines(result.path / "t.item") == [
        "item_id:token\titem_category:token\tseller_id:token\tbrand_id:token",
        "575153\t1271\t2882\t",
        "844400\t1271\t2882\t2661",
    ]
    assert lines(result.path / "t.user") == [
        "user_id:token\tage_range:token\tgender:token",
        "234512\t0\t2",
        "328862\t6\t0",
    ]
    settings = yaml.safe_load((result.path / "t.yaml").read_text())
    assert settings["load_col"]["user"] == ["user_id", "age_range", "gender"]
    info.write_text("user_id,age_range,gender\n1,x,2\n")
    with pytest.raises(InputError, match="line 2"):
        convert("tmall", log, tmp_path, "u", user_info=str(info), **ANY)  # type: ignore[arg-type]


def test_ijcai16(tmp_path: Path) -> None:
    log = tmp_path / "ijcai2016_taobao.csv"
    log.write_text(
        "use_ID,sel_ID,ite_ID,cat_ID,act_ID,time\n1980536,9666,1881758,14,0,20150826\n1980536,9666,7,14,1,20150827\n"
    )
    result = convert("tmall", log, tmp_path, "t", behaviors="buy", **ANY)  # type: ignore[arg-type]
    assert lines(result.path / "t.inter")[1:] == ["1980536\t7\t1440604800\t1"]
    assert lines(result.path / "t.item") == ["item_id:token\titem_category:token\tseller_id:token", "7\t14\t9666"]


def test_csv_with_named_columns(tmp_path: Path) -> None:
    log = tmp_path / "any.csv"
    log.write_text(
        'when,uid,sku,event,shelf\n2020-01-02 03:04:05,anna,A-1,view,"tea, green"\n2020-01-02 03:04:06,Бob,A-1,buy,\n'
        "2020-01-02 03:04:07,anna,NA,view,x\n2020-01-02 03:04:08, anna,A-2,view,x\n2020-01-02 03:04:09,,A-2,view,x\n"
    )
    columns = {"user_column": "uid", "item_column": "sku", "time_column": "when", "time_format": "datetime"}
    columns |= {"behavior_column": "event", "behavior_values": "view,cart,buy", "category_column": "shelf"}
    result = convert("csv", log, tmp_path, "c", max_bad=1.0, **columns, **ANY)  # type: ignore[arg-type]
    # 2020-01-02 03:04:05 in Beijing.
    assert lines(result.path / "c.inter")[1:] == ["Бob\tA-1\t1577905446\tbuy", "anna\tA-1\t1577905445\tview"]
    assert lines(result.path / "c.item")[1:] == ["A-1\ttea, green"]
    assert [line.split(",", 2)[1:] for line in lines(result.path / "rejects.csv")[1:]] == [
        ["4", "item_id 'NA' would be read as a missing value"],
        ["5", "user_id ' anna' has blanks around it"],
        ["6", "blank user_id"],
    ]


def test_csv_by_number_without_time(tmp_path: Path) -> None:
    log = tmp_path / "pairs.tsv"
    log.write_text("u1\ti1\nu1\ti2\nu2\ti1\n")
    result = convert("csv", log, tmp_path, "c", user_column="1", item_column="2", **ANY)  # type: ignore[arg-type]
    assert lines(result.path / "c.inter") == ["user_id:token\titem_id:token", "u1\ti1", "u1\ti2", "u2\ti1"]
    settings = yaml.safe_load((result.path / "c.yaml").read_text())
    assert settings["eval_args"]["order"] == "RO" and "TIME_FIELD" not in settings
    with pytest.raises(UsageError, match="no time column"):
        convert("csv", log, tmp_path, "d", user_column="1", item_column="2", split="last", **ANY)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"no column '3'.*columns 1 to 2"):
        convert("csv", log, tmp_path, "d", user_column="1", item_column="3", **ANY)  # type: ignore[arg-type]


def test_categories_instead_of_items(log: Callable[..., Path], tmp_path: Path) -> None:
    users = log([(1, 11, 4, 5, "2014-12-02 00"), (1, 12, 4, 5, "2014-12-01 00"), (2, 12, 4, 6, "2014-12-01 00")])
    items = tmp_path / "items.csv"
    items.write_text("11\n12\n")
    result = convert("mobile", users, tmp_path, "c", items=items, level="category", **ANY)  # type: ignore[arg-type]
    assert lines(result.path / "c.inter")[1:] == ["1\t5\t1417363200\t4", "2\t6\t1417363200\t4"]
    assert not (result.path / "c.item").exists()


def test_of_one_moment_the_strongest_behaviour_is_kept(log: Callable[..., Path], tmp_path: Path) -> None:
    users = log([(1, 1, 4, 1, "2014-12-02 01"), (1, 1, 2, 1, "2014-12-02 00"), (1, 1, 3, 1, "2014-12-02 00")])
    result = convert("mobile", users, tmp_path, "s", behaviors="1,2,3,4", **ANY)  # type: ignore[arg-type]
    assert lines(result.path / "s.inter")[1:] == ["1\t1\t1417449600\t3"]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("user_id,item_id,behavior_type,user_geohash,item_category,time\n1,2,3,,4,2014-12-01 00\n", MOBILE),
        ("1\t2\t3\tx\t4\t2014-12-01 00\n1\t2\t3\t\t4\t2014-12-01 00\n", MOBILE),
        ("1,2,3,pv,1511544070\r\n1,2,3,pv,1511544070\r\n", USERBEHAVIOR),
        ("user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type\n1,2,3,4,5,0829,0\n", IJCAI15),
        ("use_ID,sel_ID,ite_ID,cat_ID,act_ID,time\n1,2,3,4,0,20150826\n", IJCAI16),
        ("a,b\n1,2\n", None),
        ("0 1 2 3\n1 2 3\n", None),
    ],
)
def test_recognise(text: str, source: object, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(text)
    assert recognise(head(path)) is source


def test_inspect_recommends_what_then_converts(tianchi: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "look.html"
    found = inspect([str(tianchi[0])], [str(tianchi[1])], html=page)
    told = "\n".join(found.lines())
    assert "808,593 rows, 307,000 pairs, 642 users, 276,473 items" in told
    assert "1,2,3,4, subset: 12,530; (5, 5): 0, 0, 0; (3, 3): 1,323, 214, 348; (2, 2): 3,978, 453, 1,535" in told
    assert found.command is not None and "--behaviors 1,2,3,4 --min-user 5 --min-item 5" in found.command
    assert page.stat().st_size > 1_000_000 and "<script src" not in page.read_text()


def test_inspect_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("0 1 2 3\n1 2 3\n")
    with pytest.raises(InputError, match="published split"):
        inspect([str(path)])
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(InputError, match="csv --user-column"):
        inspect([str(path)])
