"""The arrays between reading and writing, against plain Python: distinct pairs, codes, the order of rows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataset_prep.pairs.core import Size
from dataset_prep.pairs.distinct import CannotPackError, coded_rows, feature_of, find_pairs
from dataset_prep.pairs.funnel import Funnel, Stage, measure
from dataset_prep.pairs.kept import Rows, in_order
from dataset_prep.pairs.rows import LogRows, RowBlock
from dataset_prep.pairs.sorting import PIECE, coded, distinct, distinct_pairs, narrow, positions_in
from dataset_prep.pairs.statistics import histogram
from dataset_prep.pairs.table import BLANK, FIRST_WORD, INSIDE, SHIFT, UNDATED, Column, unpack_first

Row = tuple[int, int, int, int]
"""user, item, time, row class"""
HOUR = 3600


def block(rows: Sequence[Row]) -> RowBlock:
    user, item, t, row_class = (np.array(c, dtype=np.int64) for c in (zip(*rows, strict=True) if rows else [()] * 4))
    return RowBlock(len(rows), {}, narrow(user), narrow(item), narrow(t), row_class.astype(np.uint8))


def log_rows(blocks: Sequence[Sequence[Row]]) -> LogRows:
    def refuse(_: RowBlock) -> None:
        raise AssertionError("there is enough memory")

    rows = LogRows(1 << 40, refuse)
    for of_block in blocks:
        rows.add(block(of_block))
    return rows


def by_definition(rows: Sequence[Row], kept: Sequence[int]) -> list[tuple[int, int, int, int, int]]:
    """(user, item, mask, rows that are kept, earliest of them; of several at that time the strongest class)"""
    found = []
    for user, item in sorted({row[:2] for row in rows}):
        mine = [row[2:] for row in rows if row[:2] == (user, item)]
        counted = [(t, -c) for t, c in mine if c in kept]
        t, c = min(counted, default=(None, None))
        first = 0 if t is None or c is None else (t + SHIFT) * 16 + (INSIDE + 7 + c)
        found.append((user, item, sum({1 << c for _, c in mine}), len(counted), first))
    return found


CLASSES = st.sampled_from([*range(8), *range(INSIDE, INSIDE + 8), UNDATED])
LOGS = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(-4, 4), CLASSES), max_size=12), max_size=4
)
FAR = [0, 1 << 31, 1 << 45]


@given(LOGS, st.sampled_from([1, HOUR]), st.sampled_from([1, 1 << 20]), st.sampled_from(FAR), st.booleans())
@example([[(0, 0, 0, 8), (6, 6, 1, 8)]], 1, 1 << 50, 0, False)
def test_distinct_pairs(logs: list[list[Row]], unit: int, spread: int, far: int, release: bool) -> None:
    """spread: ids and times lie so far apart that a key holds the positions of few users, or of one."""
    logs = [[(u * 7 + far, i * spread + far, t * unit, c) for u, i, t, c in of_block] for of_block in logs]
    every = [row for of_block in logs for row in of_block]
    kept = [INSIDE + 2, INSIDE + 3]
    rows = log_rows(logs)
    pairs = find_pairs(rows, kept, unit)
    users, items = pairs.users.values, pairs.items.values
    assert users.tolist() == sorted({row[0] for row in every}) and items.tolist() == sorted({row[1] for row in every})
    columns = (users[pairs.u], items[pairs.i], pairs.mask, pairs.n, pairs.first)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == by_definition(every, kept)
    kinds = [np.int64, np.int64, np.int32, np.int32, np.int32, np.int32, np.int64]
    assert [column.dtype for column in (users, items, pairs.u, pairs.i, pairs.mask, pairs.n, pairs.first)] == kinds
    again = coded_rows(rows, pairs)
    carried = (users[again.u], items[again.i], again.t, again.row_class)
    assert list(zip(*(column.tolist() for column in carried), strict=True)) == every
    if release:
        released = find_pairs(rows, kept, unit, release=True)
        assert (released.first == pairs.first).all() and not rows.blocks


def test_users_that_no_key_holds_together() -> None:
    """256 ranges of users are allowed, each as long as the bits allow; with more the pairs are found elsewhere."""
    wide = [(0, 0, 0, INSIDE), (0, (1 << 38) - 1, (1 << 20) - 1, INSIDE)]  # 58 bits: a range holds one user
    rows = [*wide, *[(u, 5, 7, INSIDE) for u in range(1, 256)]]
    pairs = find_pairs(log_rows([rows]), [INSIDE], 1)
    assert len(pairs.u) == 257 and pairs.u.tolist() == [0, 0, *range(1, 256)]
    assert unpack_first(pairs.first)[0].tolist() == [0, (1 << 20) - 1, *[7] * 255]
    with pytest.raises(CannotPackError):
        find_pairs(log_rows([[*rows, (256, 5, 7, INSIDE)]]), [INSIDE], 1)
    with pytest.raises(CannotPackError):  # one bit too many even for one user
        find_pairs(log_rows([[(0, 0, 0, INSIDE), (0, (1 << 38) - 1, 1 << 20, INSIDE)]]), [INSIDE], 1)


def test_rows_of_many_users_in_several_ranges() -> None:
    """More than 2 million rows, sorted by user or not, in blocks."""
    rng = np.random.default_rng(0)
    n = (1 << 21) + 1000
    user, item = rng.integers(0, 4_000, n), rng.integers(0, 900, n)
    for users in (user, np.sort(user)):
        rows = log_rows([])
        for part in np.array_split(np.arange(n), 3):
            t, row_class = np.zeros(len(part), dtype=np.int64), np.full(len(part), INSIDE, dtype=np.uint8)
            rows.add(RowBlock(len(part), {}, narrow(users[part]), narrow(item[part]), t, row_class))
        pairs = find_pairs(rows, [INSIDE], 1, release=True)
        known, n_rows = np.unique(users * 900 + item, return_counts=True)
        assert (pairs.users.values[pairs.u] * 900 + pairs.items.values[pairs.i] == known).all()
        assert (pairs.n == n_rows).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([BLANK, 0, 5, 10, FIRST_WORD, FIRST_WORD - 1]))))
def test_of_several_values_the_smallest_text_counts(known: list[tuple[int, int]]) -> None:
    words = ["zebra", "05"]
    texts = {BLANK: "", FIRST_WORD: "zebra", FIRST_WORD - 1: "05"}
    item, code = distinct_pairs(*(np.array([row[side] for row in known], dtype=np.int64) for side in (0, 1)))
    assert list(zip(item.tolist(), code.tolist(), strict=True)) == sorted(set(known))
    of_item: dict[int, set[str]] = {}
    for i, value in known:
        of_item.setdefault(i, set()).add(texts.get(value, str(value)))
    expected = [min(values - {""}, default="") for _, values in sorted(of_item.items())]
    assert feature_of(item, code, words).texts() == expected


WIDE = st.integers(-5, 5) | st.integers(-(1 << 62), 1 << 62)


@given(st.lists(st.tuples(st.integers(0, 3) | st.integers(0, 1 << 62), WIDE), max_size=20))
@example([((1 << 38) - 1, (1 << 24) - 3), (0, -1), ((1 << 38) - 1, 5), (0, -1)])
@example([(1 << 38, 0), (0, 0)])
@example([(0, (1 << 24) - 1), (1, -2)])
def test_distinct_pairs_of_any_numbers(known: list[tuple[int, int]]) -> None:
    item, code = distinct_pairs(*(np.array([row[side] for row in known], dtype=np.int64) for side in (0, 1)))
    assert list(zip(item.tolist(), code.tolist(), strict=True)) == sorted(set(known))


@given(st.lists(st.integers(0, 30) | st.integers(0, 1 << 31) | st.integers(0, 1 << 60), max_size=40))
@example([5] * 40)
@example([0, 1 << 31, 3])
@example([0, (1 << 31) - 1, 3])
@example([7, 7 + 4 * 4, 7, 7])
@example([])
def test_codes_are_positions_among_the_distinct(values: list[int]) -> None:
    """By table or by sorting, whichever the spread of the values chooses."""
    array = np.array(values, dtype=np.int64)
    with ThreadPoolExecutor(2) as pool:
        known, codes = coded(array, pool)
    assert known.tolist() == sorted(set(values)) == distinct(array).tolist()
    assert known[codes].tolist() == values


def test_codes_of_many_values() -> None:
    """In several pieces."""
    values = np.random.default_rng(0).permutation(2 * PIECE + 9) // 3 + 5
    with ThreadPoolExecutor(2) as pool:
        known, codes = coded(values, pool)
    assert (known == np.arange(5, len(known) + 5)).all() and (known[codes] == values).all()


@given(st.lists(st.integers(0, 9), max_size=20))
def test_positions_of_runs(users: list[int]) -> None:
    known = np.array(sorted(set(users)), dtype=np.int64)
    assert known[positions_in(np.array(users, dtype=np.int64), known)].tolist() == users


@given(st.sampled_from([[], [0], [-(1 << 31), (1 << 31) - 1], [1 << 31], [-(1 << 31) - 1], [5, 1 << 40]]))
def test_narrow_numbers_take_half_the_memory_and_wide_ones_stay_whole(values: list[int]) -> None:
    found = narrow(np.array(values, dtype=np.int64))
    assert found.tolist() == values
    assert found.dtype == (np.int32 if all(-(1 << 31) <= v < 1 << 31 for v in values) else np.int64)


ROW = st.tuples(st.integers(0, 3), st.sampled_from([-9, 0, 5]), st.sampled_from([0, 2, 7]), st.integers(0, 7))


@given(st.lists(ROW, max_size=30), st.sampled_from([1, 1 << 26, *(1 << n for n in range(48, 59))]), st.booleans())
@example([(0, 5, 0, 1), (0, 5, 2, 0)], 1, False)
@example([(0, 5, 2, 0), (0, 5, 2, 7), (0, 5, 2, 3)], 1, False)
def test_rows_by_user_time_item_behaviour(rows: list[Row], far: int, by_user: bool) -> None:
    """Packed into one number each, and where times lie too far apart for that."""
    rows = [(user + 5, t * far, item + 9, rank) for user, t, item, rank in rows]
    rows = sorted(rows, key=lambda row: row[0]) if by_user else rows
    u, t, i, rank = (np.array(c, np.int64) for c in (zip(*rows, strict=True) if rows else [()] * 4))
    found = in_order(Rows(u.astype(np.int32), i.astype(np.int32), t, rank.astype(np.int8)))
    columns = (found.u, found.t, found.i, found.rank)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == sorted(rows)


def test_the_order_of_many_rows() -> None:
    """In several pieces, of which none parts a user: one has more rows than a piece, others few."""
    rng = np.random.default_rng(0)
    u = np.sort(np.concatenate([np.full(PIECE + 7, 3), rng.integers(0, 9, PIECE)])).astype(np.int32)
    i, t = rng.integers(0, 99, len(u)).astype(np.int32), rng.integers(0, 9_999, len(u))
    found = in_order(Rows(u, i, t, np.zeros(len(u), dtype=np.int8)))
    order = np.lexsort((i, t, u))
    for column, expected in ((found.u, u), (found.t, t), (found.i, i)):
        assert (column == expected[order]).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_pairs_and_size_of_rows(known: list[tuple[int, int]]) -> None:
    u, i = (np.array([pair[side] for pair in known], dtype=np.int32) for side in (0, 1))
    rows = Rows(u, i, np.zeros(len(u), dtype=np.int64), np.zeros(len(u), dtype=np.int8))
    assert list(zip(*(side.tolist() for side in rows.pairs()), strict=True)) == sorted(set(known))
    assert rows.size() == (len(set(known)), len({u for u, _ in known}), len({i for _, i in known}))


def test_weak_users_and_items_have_some_partners_but_too_few() -> None:
    size, weak = measure((np.array([0, 1, 2, 3]), np.array([2, 4, 0])), None)
    assert (size, weak) == (Size(6, 3, 2), None)
    assert histogram(np.array([0, 1, 2, 2, 5])) == {1: 1, 2: 2, 5: 1}


def test_a_stage_cannot_gain_rows() -> None:
    funnel = Funnel()
    funnel.add(Stage("all", 5))
    funnel.add(Stage("some", 5, None, "x"))
    funnel.add(Stage("few", 2, None, "y"))
    funnel.add(Stage("fewer", 1, None, "x"))
    assert funnel.dropped() == {"x": 1, "y": 3}
    assert funnel.lines()[2:] == ["few: 2 rows (40.0%)", "fewer: 1 rows (20.0%)"]
    assert Funnel([Stage("all", 0, Size(0, 0, 0))]).lines() == ["all: 0 rows (0.0%), 0 pairs, 0 users, 0 items"]
    with pytest.raises(AssertionError, match="more rows"):
        funnel.add(Stage("odd", 2))


def test_texts_of_a_column() -> None:
    column = Column(np.array([BLANK, 7, FIRST_WORD, FIRST_WORD - 1]), ["a", "b"])
    assert column.texts() == ["", "7", "a", "b"] and len(column) == 4
    assert column.rows(np.array([3, 0])).texts() == ["b", ""] and len(column.rows(np.array([3, 0]))) == 2
    assert Column(np.array([-1, 5])).texts() == ["-1", "5"]
    assert Column.of_words(["x", "y"], np.array([1, 1, 0])).texts() == ["y", "y", "x"]
