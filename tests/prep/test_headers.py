"""Do columns go by the names in the header, in any order, each file by its own?"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dataset_prep import InputError, PrepError, UsageError, convert

LEAST = {
    "min_user": 1,
    "min_item": 1,
    "min_interactions": 1,
    "min_users": 1,
    "min_items": 1,
    "output": "out",
    "name": "x",
}
READERS = ("compiled", "engine", "careful")
Rows = list[dict[str, object]]


def drawn(seed: int, **columns: Sequence[object]) -> Rows:
    rng = random.Random(seed)
    return [
        {"user": rng.randrange(100, 160), "item": rng.randrange(5000, 5060)}
        | {name: rng.choice(values) for name, values in columns.items()}
        for _ in range(300)
    ]


DAYS = [f"{d:02}" for d in range(1, 28)]
# Source -> its rows, its columns in the usual order, and other names for each.
KINDS: dict[str, tuple[Rows, dict[str, list[str]]]] = {
    "mobile": (
        drawn(
            1, behavior=[1, 2, 3, 4], geohash=["", "97lk14c"], category=range(9), time=[f"2014-12-{d} 07" for d in DAYS]
        ),
        {
            "user": ["user_id", "UID", "user", "用户ID"],
            "item": ["item_id", "itemid", "sku", "商品ID"],
            "behavior": ["behavior_type", "type", "行为类型"],
            "geohash": ["user_geohash", "geohash"],
            "category": ["item_category", "cat_id", "类目"],
            "time": ["time", "ts", "时间"],
        },
    ),
    "userbehavior": (
        drawn(2, category=range(9), behavior=["pv", "buy", "cart", "fav"], time=range(1511600000, 1511700000, 999)),
        {
            "user": ["user_id", "userid"],
            "item": ["item_id", "product_id", "goods_id"],
            "category": ["category_id", "category", "商品类目ID"],
            "behavior": ["behavior_type", "behavior", "behaviour"],
            "time": ["timestamp", "time_stamp", "时间戳"],
        },
    ),
    "tmall": (
        drawn(
            3,
            cat=range(9),
            seller=range(40, 49),
            brand=["", 7, 8],
            time=[f"11{d}" for d in DAYS],
            behavior=[0, 1, 2, 3],
        ),
        {
            "user": ["user_id", "user"],
            "item": ["item_id"],
            "cat": ["cat_id"],
            "seller": ["seller_id", "merchant_id"],
            "brand": ["brand_id"],
            "time": ["time_stamp"],
            "behavior": ["action_type", "action"],
        },
    ),
    "tmall 16": (
        drawn(4, seller=range(40, 49), cat=range(9), behavior=[0, 1], time=[f"201511{d}" for d in DAYS]),
        {
            "user": ["use_ID", "USE_ID"],
            "seller": ["sel_ID"],
            "item": ["ite_ID"],
            "cat": ["cat_ID"],
            "behavior": ["act_ID"],
            "time": ["time", "time_ID"],
        },
    ),
    "csv": (
        drawn(
            5, category=range(9), event=["view", "buy"], time=[f"2020-01-{d} 10:00:00" for d in DAYS], note=["", "a b"]
        ),
        {
            "user": ["who"],
            "item": ["what"],
            "category": ["kind"],
            "event": ["event"],
            "time": ["when"],
            "note": ["note"],
        },
    ),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "csv": {
        "user_column": "who",
        "item_column": "what",
        "time_column": "when",
        "time_format": "datetime",
        "category_column": "kind",
        "behavior_column": "event",
        "behavior_values": "view,buy",
    }
}
USUAL = {
    "tmall 16": ["user", "seller", "item", "cat", "behavior", "time"],
    "csv": ["user", "item", "category", "event", "time", "note"],
}
ALL = {"mobile": "1,2,3,4", "tmall": "0,1,2,3", "tmall 16": "0,1"}


def write(path: Path, rows: Rows, order: Sequence[str], names: Sequence[str] | None, sep: str = ",") -> Path:
    lines = [sep.join(names)] if names else []
    lines += [sep.join(str(row.get(column, number)) for column in order) for number, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def converted(kind: str, files: Sequence[Path], output: Path, **more: Any) -> dict[str, str]:
    """The data set's tables by name."""
    words = LEAST | OPTIONS.get(kind, {}) | {"behaviors": ALL.get(kind), "output": output} | more
    result = convert(kind.split()[0], [*map(str, files)], **words)
    return {path.suffix: path.read_text() for path in result.path.iterdir() if path.suffix in (".inter", ".item")}


def usual(kind: str) -> list[str]:
    return USUAL.get(kind) or list(KINDS[kind][1])


@pytest.mark.parametrize("kind", KINDS)
def test_any_order_any_names_any_number_of_files(kind: str, tmp_path: Path) -> None:
    rows, names = KINDS[kind]
    rng = random.Random(kind)
    expected = converted(
        kind, [write(tmp_path / "plain.csv", rows, usual(kind), [names[c][0] for c in usual(kind)])], tmp_path
    )
    for trial in range(12):
        folder = tmp_path / str(trial)
        folder.mkdir()
        cuts = [0, *sorted(rng.sample(range(1, 300), trial % 3)), 300]
        files = []
        for number, (begin, end) in enumerate(itertools.pairwise(cuts)):
            order = [*names, *rng.choice([[], ["index"], ["index", "other"]])]
            if not (trial % 4 == 3 and number):
                rng.shuffle(order)
            header = [rng.choice(names[c]) if c in names else {"index": "", "other": "remark"}[c] for c in order]
            sep = rng.choice([",", ",", "\t", ";"])
            files.append(write(folder / f"{number}.csv", rows[begin:end], order, header, sep))
        for reader in READERS if trial < 4 else ("auto",):
            if reader == "compiled" and kind == "csv":
                continue
            assert converted(kind, files, folder / reader, reader=reader) == expected, (trial, reader)


@pytest.mark.parametrize("kind", KINDS)
def test_files_without_a_header(kind: str, tmp_path: Path) -> None:
    """They have the usual order; beside a file with another order they are refused."""
    rows, names = KINDS[kind]
    own = usual(kind)
    header = [names[c][0] for c in own]
    first, second = write(tmp_path / "1.csv", rows[:90], own, header), write(tmp_path / "2.csv", rows[90:], own, None)
    expected = converted(kind, [write(tmp_path / "all.csv", rows, own, header)], tmp_path / "all")
    assert converted(kind, [first, second], tmp_path / "both") == expected
    if kind != "csv":
        assert converted(kind, [write(tmp_path / "bare.csv", rows, own, None)], tmp_path / "bare") == expected
    order = [own[1], own[0], *own[2:]]
    turned = write(tmp_path / "3.csv", rows[:90], order, [names[c][0] for c in order])
    for files in ([second, turned],) if kind != "csv" else ([first, turned, second],):
        with pytest.raises(InputError, match="has no header"):
            converted(kind, files, tmp_path / "mixed")
    assert not (tmp_path / "mixed").exists()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "csv"])
def test_a_needed_column_that_is_missing_or_named_twice(kind: str, tmp_path: Path) -> None:
    rows, names = KINDS[kind]
    for role in ("user", "item", "behavior", "time"):
        left = [c for c in usual(kind) if c != role]
        log = write(tmp_path / "less.csv", rows, left, [names[c][0] for c in left])
        with pytest.raises(InputError, match=rf"less\.csv: the header .* has no column for {names[role][0]}"):
            converted(kind, [log], tmp_path / "out")
    twice = [*usual(kind), "user"]
    log = write(tmp_path / "twice.csv", rows, twice, [names[c][0] for c in twice])
    with pytest.raises(InputError, match="two columns for"):
        converted(kind, [log], tmp_path / "out")


def test_no_geohash_and_no_category(tmp_path: Path) -> None:
    rows, names = KINDS["mobile"]
    with_all = converted(
        "mobile", [write(tmp_path / "a.csv", rows, usual("mobile"), [n[0] for n in names.values()])], tmp_path
    )
    order = ["time", "item", "user", "behavior"]
    log = write(tmp_path / "b.csv", rows, order, [names[c][0] for c in order])
    assert converted("mobile", [log], tmp_path / "b") == {".inter": with_all[".inter"]}
    with pytest.raises(UsageError, match="no item category"):
        converted("mobile", [log], tmp_path / "c", level="category")


def test_columns_of_csv_by_number(tmp_path: Path) -> None:
    """A first row of names is a header; a second file with another order is read by these names."""
    rows, _ = KINDS["csv"]
    words = {"user_column": "1", "item_column": "2", **LEAST}
    one = write(tmp_path / "1.csv", rows[:90], ["user", "item"], ["user_id", "item_id"])
    two = write(tmp_path / "2.csv", rows[90:], ["item", "user"], ["item_id", "user_id"])
    bare = write(tmp_path / "3.csv", rows, ["user", "item"], None)
    tables = [
        convert("csv", [*map(str, files)], **words | {"output": tmp_path / str(n)}).path / "x.inter"
        for n, files in enumerate(([bare], [one, two]))
    ]
    assert tables[0].read_text() == tables[1].read_text()


@pytest.mark.parametrize("first", ["", "Unnamed: 0", "index", "time"])
def test_a_number_that_the_header_contradicts_is_refused(tmp_path: Path, first: str) -> None:
    """pandas writes a row number first, so that columns 1 and 2 are not user and item."""
    rows, _ = KINDS["csv"]
    log = write(tmp_path / "log.csv", rows, ["item", "user", "item"], [first, "user_id", "item_id"])
    numbered = {"user_column": "1", "item_column": "2", **LEAST, "output": tmp_path}
    with pytest.raises(UsageError, match=r"--user-column 1 is the column .*Write --user-column user_id"):
        convert("csv", str(log), **numbered)
    table = convert("csv", str(log), **numbered | {"user_column": "2", "item_column": "3"}).path / "x.inter"
    assert {line.split("\t")[0] for line in table.read_text().splitlines()[1:]} == {str(row["user"]) for row in rows}


def test_a_header_between_the_rows_is_no_pair(tmp_path: Path) -> None:
    rows, _ = KINDS["csv"]
    log = write(tmp_path / "1.csv", rows, ["user", "item"], ["who", "what"])
    words = {"user_column": "who", "item_column": "what", **LEAST}
    alone = convert("csv", str(log), **words | {"output": tmp_path / "a"}).path / "x.inter"
    log.write_text(log.read_text() + "who,what\n")
    twice = convert("csv", str(log), **words | {"output": tmp_path / "b"}).path / "x.inter"
    assert twice.read_text() == alone.read_text()


def test_a_tmall_log_is_not_read_as_another_source(tmp_path: Path) -> None:
    rows, names = KINDS["tmall"]
    log = write(tmp_path / "log.csv", rows, usual("tmall"), [n[0] for n in names.values()])
    with pytest.raises(PrepError, match="dataset_prep tmall --log"):
        converted("mobile", [log], tmp_path / "out")
