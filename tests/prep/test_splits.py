"""Splits: against plain Python, and no leak from one part into another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from dataset_prep.splits import Date, Last, Ratio, Split, parse_split
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_prep import ThinDatasetError, convert, report

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 30), st.integers(0, 3)), max_size=40)
Part = dict[str, list[list[str]]]


@pytest.fixture(autouse=True, scope="module")
def without_the_plotting_script() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "get_plotlyjs", lambda: "")
        yield


def cut(split: Split, rows: list[tuple[int, int, int, int]]) -> list[tuple[int, ...]]:
    values = ", ".join(map(str, rows))
    with duckdb.connect() as con:
        return sorted(con.execute(split.sql(f"(VALUES {values}) AS x(u, i, t, b)")).fetchall())


def by_user(rows: list[tuple[int, int, int, int]]) -> list[list[tuple[int, int, int, int]]]:
    users = sorted({row[0] for row in rows})
    return [sorted((r for r in rows if r[0] == u), key=lambda r: (r[2], r[1], r[3])) for u in users]


@settings(max_examples=40, deadline=None)
@given(ROWS.filter(bool))
def test_last(rows: list[tuple[int, int, int, int]]) -> None:
    expected = []
    for mine in by_user(rows):
        parts = [0] * len(mine)
        if len(mine) > 1:
            parts[-1] = 2
        if len(mine) > 2:
            parts[-2] = 1
        expected += [(*row, part) for row, part in zip(mine, parts, strict=True)]
    assert cut(Last(), rows) == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(ROWS.filter(bool), st.sampled_from([(8, 1, 1), (7, 1, 2), (1, 1, 1), (1, 8, 1), (98, 1, 1)]))
def test_ratio(rows: list[tuple[int, int, int, int]], shares: tuple[int, int, int]) -> None:
    expected = []
    for mine in by_user(rows):
        n, total = len(mine), sum(shares)
        test = min(max(int(Fraction(n * shares[2], total)), 1), n - 1)
        valid = min(max(int(Fraction(n * shares[1], total)), 1), n - test - 1)
        parts = [0] * (n - valid - test) + [1] * valid + [2] * test
        expected += [(*row, part) for row, part in zip(mine, parts, strict=True)]
    assert cut(Ratio(*shares), rows) == sorted(expected)


@settings(max_examples=20, deadline=None)
@given(ROWS.filter(bool), st.integers(0, 15), st.integers(16, 30))
def test_date(rows: list[tuple[int, int, int, int]], valid: int, test: int) -> None:
    expected = sorted((*r, 0 if r[2] < valid else 1 if r[2] < test else 2) for r in rows)
    assert cut(Date(valid, test, ""), rows) == expected


def test_parse() -> None:
    assert parse_split("ratio 0.8,0.1,0.1") == Ratio(8, 1, 1)
    assert parse_split("ratio:0.8,0.1,0.1") == parse_split("ratio=8,1,1") == Ratio(8, 1, 1)
    # Midnight of 17 December in Beijing.
    assert parse_split("date 2014-12-17,2014-12-18") == Date(1418745600, 1418832000, "2014-12-17,2014-12-18")
    assert str(parse_split("ratio 4,0.5,0.5")) == "ratio 0.8,0.1,0.1"


LOG = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(1, 4), st.integers(1, 18)), min_size=30, max_size=80
)
ANY = {"behaviors": "1,2,3,4", "min_interactions": 1, "min_users": 1, "min_items": 1}


def read_parts(path: Path, name: str = "x") -> Part:
    return {
        part: [line.split("\t") for line in (path / f"{name}.{part}.inter").read_text().splitlines()[1:]]
        for part in ("train", "valid", "test")
    }


def degree_ok(rows: list[list[str]], user: int, item: int) -> bool:
    pairs = {(r[0], r[1]) for r in rows}
    users, items = [u for u, _ in pairs], [i for _, i in pairs]
    return all(users.count(u) >= user for u in users) and all(items.count(i) >= item for i in items)


@settings(max_examples=40, deadline=None)
@given(
    LOG,
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
    words = {"split": split, "core_on": core_on, "cold": cold, "protocol": protocol, "min_user": k[0], "min_item": k[1]}
    try:
        result = convert("mobile", log, folder, "x", strict=True, **(ANY | words))
    except ThinDatasetError:
        return
    parts = read_parts(result.path)
    everything = [row for part in parts.values() for row in part]
    assert sum(result.funnel.dropped().values()) + len(everything) == len(rows)
    assert result.size.pairs == len({(r[0], r[1]) for r in everything})
    if protocol == "novel":
        assert len({(r[0], r[1]) for r in everything}) == len(everything)
    if core_on == "train":
        assert degree_ok(parts["train"], *k)
    users, items = {r[0] for r in parts["train"]}, {r[1] for r in parts["train"]}
    for part in ("valid", "test"):
        unseen = [r for r in parts[part] if r[0] not in users or r[1] not in items]
        assert not unseen or cold == "keep"
        if cold == "keep":
            assert result.parts[part]["cold_rows"] == len(unseen)
            assert result.parts[part]["cold_users"] == len({r[0] for r in unseen} - users)
        assert result.parts[part]["rows"] == len(parts[part])
    latest: dict[str, float] = {}
    for user, _, time, _ in parts["train"]:
        latest[user] = max(latest.get(user, float(time)), float(time))
    for user, _, time, _ in parts["valid"] + parts["test"]:
        # Ties within an hour may fall to either side; earlier than training never.
        assert float(time) >= latest.get(user, float("-inf"))
    if split.startswith("date"):
        assert all(float(r[2]) < 1417881600 for r in parts["train"])  # 7 December, midnight in Beijing
        assert all(float(r[2]) >= 1418313600 for r in parts["test"])
    items_file = (result.path / "x.item").read_text().splitlines()[1:]
    assert {line.split("\t")[0] for line in items_file} == {r[1] for r in everything}


def test_core_on_train_is_not_the_core_on_all(log: Callable[..., Path], tmp_path: Path) -> None:
    """Item 9 has two users only if the future counts: a core on all keeps it in training, one on train does not."""
    rows: list[tuple[object, ...]] = [
        (u, i, 1, 1, f"2014-12-0{d} 00")
        for u, i, d in [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 2), (2, 9, 3), (1, 9, 9)]
    ]
    rows += [(1, 7, 1, 1, "2014-12-05 00"), (2, 7, 1, 1, "2014-12-05 01"), (2, 1, 4, 1, "2014-12-09 00")]
    users = log(rows, header=False)
    words = {"split": "date 2014-12-05,2014-12-08", "cold": "keep", "min_user": 2, "min_item": 2}
    kept = {}
    for core_on in ("all", "train"):
        result = convert("mobile", users, tmp_path / core_on, "x", core_on=core_on, **(ANY | words))  # type: ignore[arg-type]
        kept[core_on] = {row[1] for row in read_parts(result.path)["train"]}
    assert kept == {"all": {"1", "2", "9"}, "train": {"1", "2"}}


def test_an_empty_part_is_refused(log: Callable[..., Path], tmp_path: Path) -> None:
    users = log([(1, 1, 1, 1, "2014-12-01 00"), (1, 2, 1, 1, "2014-12-02 00"), (2, 1, 1, 1, "2014-12-03 00")])
    dates = "date 2015-01-01,2015-01-02"
    with pytest.raises(ThinDatasetError, match=r"the valid part is empty.*from 2014-12-01 to 2014-12-03"):
        convert("mobile", users, tmp_path, "x", split=dates, min_user=1, min_item=1, **ANY)  # type: ignore[arg-type]
