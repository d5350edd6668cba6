"""Splits: against plain Python, and no leak from one part into another."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prep_data import ANY, ENOUGH, PARTS, lines, parts

from dataset_prep import ThinDatasetError, convert
from dataset_prep.pairs.kept import Rows, in_order
from dataset_prep.pairs.sorting import PIECE
from dataset_prep.pairs.split import Date, Last, Ratio, Split, cold_rows, parse_split

Row = tuple[int, int, int, int]
"""user, item, time, rank"""
ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 30), st.integers(0, 3)), max_size=40)


def cut(split: Split, rows: list[Row]) -> list[tuple[int, ...]]:
    u, i, t, rank = (np.array(column, dtype=np.int64) for column in (zip(*rows, strict=True) if rows else [()] * 4))
    ordered = in_order(Rows(u.astype(np.int32), i.astype(np.int32), t, rank.astype(np.int8)))
    columns = (ordered.u, ordered.i, ordered.t, ordered.rank, split.part_of(ordered))
    return list(zip(*(column.tolist() for column in columns), strict=True))


def by_user(rows: list[Row]) -> list[list[Row]]:
    """Users in their order, the rows of each by time, then item, then behaviour."""
    users = sorted({row[0] for row in rows})
    return [sorted((r for r in rows if r[0] == u), key=lambda r: (r[2], r[1], r[3])) for u in users]


@given(ROWS)
def test_last(rows: list[Row]) -> None:
    expected = []
    for mine in by_user(rows):
        part = [0] * len(mine)
        if len(mine) > 1:
            part[-1] = 2
        if len(mine) > 2:
            part[-2] = 1
        expected += [(*row, p) for row, p in zip(mine, part, strict=True)]
    assert cut(Last(), rows) == expected


@pytest.mark.parametrize("split", [Last(), Ratio(8, 1, 1), Date(30, 60, "")], ids=str)
def test_rows_that_take_several_pieces(split: Split) -> None:
    """One user with more rows than a piece has; each user's parts are those that its rows alone have."""
    rng, sizes = np.random.default_rng(0), [3, PIECE + 7, 1, 2, *range(1, 900), PIECE // 2]
    u = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    n = len(u)
    rows = Rows(u, rng.integers(0, n, n).astype(np.int32), rng.integers(0, 90, n), np.zeros(n, dtype=np.int8))
    part = split.part_of(rows)
    alone = [
        split.part_of(rows.where(slice(end - size, end))) for end, size in zip(np.cumsum(sizes), sizes, strict=True)
    ]
    assert n > 3 * PIECE // 2 and (part == np.concatenate(alone)).all()
    users, items = cold_rows(rows, part)
    train = part == 0
    for new, codes in ((users, rows.u), (items, rows.i)):
        assert (new == ~np.isin(codes, codes[train])).all()


@given(ROWS, st.sampled_from([(8, 1, 1), (7, 1, 2), (1, 1, 1), (1, 8, 1), (98, 1, 1)]))
def test_ratio(rows: list[Row], shares: tuple[int, int, int]) -> None:
    expected = []
    for mine in by_user(rows):
        n, total = len(mine), sum(shares)
        test = min(max(int(Fraction(n * shares[2], total)), 1), n - 1)
        valid = min(max(int(Fraction(n * shares[1], total)), 1), n - test - 1)
        part = [0] * (n - valid - test) + [1] * valid + [2] * test
        expected += [(*row, p) for row, p in zip(mine, part, strict=True)]
    assert cut(Ratio(*shares), rows) == expected


@given(ROWS, st.integers(0, 15), st.integers(16, 30))
def test_date(rows: list[Row], valid: int, test: int) -> None:
    part = [0 if row[2] < valid else 1 if row[2] < test else 2 for mine in by_user(rows) for row in mine]
    expected = [(*row, p) for row, p in zip([row for mine in by_user(rows) for row in mine], part, strict=True)]
    assert cut(Date(valid, test, ""), rows) == expected


def test_parse() -> None:
    assert parse_split("ratio 0.8,0.1,0.1") == Ratio(8, 1, 1)
    assert parse_split("ratio:0.8,0.1,0.1") == parse_split("ratio=8,1,1") == Ratio(8, 1, 1)
    assert parse_split(" last ") == Last() and str(Last()) == "last"
    # Midnight of 17 December in Beijing.
    date = parse_split("date 2014-12-17, 2014-12-18 06:00:00")
    assert date == Date(1418745600, 1418853600, "2014-12-17,2014-12-18 06:00:00")
    assert str(date) == "date 2014-12-17,2014-12-18 06:00:00"
    assert str(parse_split("ratio 4,0.5,0.5")) == "ratio 0.8,0.1,0.1"
    assert str(parse_split("ratio 1,2,1")) == "ratio 0.25,0.5,0.25"


def degree_ok(rows: list[list[str]], user: int, item: int) -> bool:
    pairs = {(r[0], r[1]) for r in rows}
    users, items = [u for u, _ in pairs], [i for _, i in pairs]
    return all(users.count(u) >= user for u in users) and all(items.count(i) >= item for i in items)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(1, 4), st.integers(1, 18)), min_size=30, max_size=80
    ),
    st.sampled_from(["last", "ratio 0.6,0.2,0.2", "date 2014-12-07,2014-12-12"]),
    st.sampled_from(["all", "train"]),
    st.sampled_from(["drop", "keep"]),
    st.sampled_from(["novel", "repeat"]),
    st.tuples(st.integers(1, 3), st.integers(1, 2)),
)
def test_nothing_leaks(tmp_path_factory, rows, split, core_on, cold, protocol, k) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("split")
    log = folder / "log.csv"
    log.write_text("".join(f"{u},{i},{b},,1,2014-12-{d:02d} 00\n" for u, i, b, d in rows))
    options: dict[str, Any] = {"split": split, "core_on": core_on, "cold": cold, "protocol": protocol, "strict": True}
    options |= ENOUGH | {"min_user": k[0], "min_item": k[1], "behaviors": "1,2,3,4"}
    try:
        result = convert("mobile", log, output=folder, name="x", **options)
    except ThinDatasetError:
        return
    found = parts(result.path)
    everything = [row for part in found.values() for row in part]
    assert sum(result.funnel.dropped().values()) + len(everything) == result.funnel.stages[0].rows == len(rows)
    assert result.rows == len(everything)
    assert result.size == (
        len({(r[0], r[1]) for r in everything}), len({r[0] for r in everything}), len({r[1] for r in everything})
    )  # fmt: skip
    if protocol == "novel":
        assert len({(r[0], r[1]) for r in everything}) == len(everything)
    if core_on == "train":
        assert degree_ok(found["train"], *k)
    users, items = {r[0] for r in found["train"]}, {r[1] for r in found["train"]}
    for part in PARTS:
        mine, counts = found[part], result.parts[part]
        unseen = [r for r in mine if r[0] not in users or r[1] not in items]
        assert not unseen or cold == "keep"
        if cold == "keep":
            assert counts["cold_rows"] == len(unseen)
            assert counts["cold_users"] == len({r[0] for r in unseen} - users)
            assert counts["cold_items"] == len({r[1] for r in unseen} - items)
        assert (counts["rows"], counts["pairs"]) == (len(mine), len({(r[0], r[1]) for r in mine}))
        assert (counts["users"], counts["items"]) == (len({r[0] for r in mine}), len({r[1] for r in mine}))
    latest: dict[str, float] = {}
    for user, _, time, _ in found["train"]:
        latest[user] = max(latest.get(user, float(time)), float(time))
    for user, _, time, _ in found["valid"] + found["test"]:
        # Ties within an hour may fall to either side; earlier than training never.
        assert float(time) >= latest.get(user, float("-inf"))
    if split.startswith("date"):
        assert all(float(r[2]) < 1417881600 for r in found["train"])  # 7 December, midnight in Beijing
        assert all(float(r[2]) >= 1418313600 for r in found["test"])
    assert {line.split("\t")[0] for line in lines(result.path / "x.item")} == {r[1] for r in everything}


Log = Callable[..., Path]


def test_core_on_train_is_not_the_core_on_all(log: Log, tmp_path: Path) -> None:
    """Item 9 has two users only if the future counts: a core on all keeps it in training, one on train does not."""
    rows: list[tuple[object, ...]] = [
        (u, i, 1, 1, f"2014-12-0{d} 00")
        for u, i, d in [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 2), (2, 9, 3), (1, 9, 9)]
    ]
    rows += [(1, 7, 1, 1, "2014-12-05 00"), (2, 7, 1, 1, "2014-12-05 01"), (2, 1, 4, 1, "2014-12-09 00")]
    users = log(rows, header=False)
    options: dict[str, Any] = ENOUGH | {"split": "date 2014-12-05,2014-12-08", "cold": "keep", "behaviors": "1,2,3,4"}
    kept = {}
    for core_on in ("all", "train"):
        result = convert("mobile", users, output=tmp_path / core_on, name="x", core_on=core_on, **options)
        kept[core_on] = {row[1] for row in parts(result.path)["train"]}
    assert kept == {"all": {"1", "2", "9"}, "train": {"1", "2"}}
    last = result.funnel.stages[-1]
    assert (last.name, last.rows, last.size) == ("k-core (2, 2) of the training part", 7, result.size)


def test_cold_rows_are_dropped_and_counted(log: Log, tmp_path: Path) -> None:
    """Validation meets a new user, test a new item that validation alone has seen."""
    rows: list[tuple[object, ...]] = [(u, i, 4, 1, f"2014-12-0{u + i} 00") for u in (1, 2) for i in (1, 2)]
    rows += [(1, 3, 4, 1, "2014-12-05 00"), (1, 4, 4, 1, "2014-12-05 00")]
    rows += [(9, 1, 4, 1, "2014-12-06 00"), (1, 8, 4, 1, "2014-12-06 01")]
    rows += [(2, 8, 4, 1, "2014-12-09 00"), (2, 4, 4, 1, "2014-12-08 00")]
    users = log(rows)
    options: dict[str, Any] = ANY | {"split": "date 2014-12-06,2014-12-08"}
    with pytest.raises(ThinDatasetError, match=r"the valid part is empty.*or --cold keep\."):
        convert("mobile", users, output=tmp_path, name="x", **options)
    kept = convert("mobile", users, output=tmp_path, name="x", cold="keep", **options)
    assert kept.parts["valid"] == {
        "rows": 2, "pairs": 2, "users": 2, "items": 2, "cold_rows": 2, "cold_users": 1, "cold_items": 1
    }  # fmt: skip
    users.write_text(users.read_text() + "2,3,4,,1,2014-12-07 00\n")
    dropped = convert("mobile", users, output=tmp_path, name="y", **options)
    assert {part: counts["cold_rows"] for part, counts in dropped.parts.items()} == {"train": 0, "valid": 2, "test": 1}
    assert dropped.funnel.stages[-1].name == "known to training"
    assert dropped.funnel.dropped()["a user or item that training never saw"] == 3
    assert dropped.size == dropped.funnel.stages[-1].size == (8, 2, 4)


def test_an_empty_part_is_refused(log: Log, tmp_path: Path) -> None:
    rows = [(1, 1, 4, 1, "2014-12-01 00"), (2, 1, 4, 1, "2014-12-01 00"), (2, 2, 4, 1, "2014-12-02 00")]
    users = log([*rows, (1, 2, 4, 1, "2014-12-03 00")])
    for dates, part in (("2015-01-01,2015-01-02", "valid"), ("2014-12-03,2015-01-02", "test")):
        with pytest.raises(ThinDatasetError) as caught:
            convert("mobile", users, output=tmp_path, name="x", split=f"date {dates}", **ANY)
        assert caught.value.message == (
            f"--split date {dates}: the {part} part is empty, and RecBole needs all three. What is left runs from "
            "2014-12-01 to 2014-12-03. Choose another --split."
        )
