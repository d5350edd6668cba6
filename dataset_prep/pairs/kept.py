"""The rows that stay, in the order of .inter: by user, time, item, behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataset_prep.pairs.core import Core, Size
from dataset_prep.pairs.sorting import Ints, Mask, Narrow, changes, in_threads, runs_in_pieces
from dataset_prep.pairs.table import INSIDE, CodedRows, Pairs, Table, bits_of, classes_of, unpack_first

RANK_BITS = 3


@dataclass(frozen=True)
class Rows:
    """Interactions: codes of user and item, Unix seconds, the behaviour's rank."""

    u: Narrow
    i: Narrow
    t: Ints
    rank: Narrow

    def __len__(self) -> int:
        return len(self.u)

    def where(self, chosen: Mask | Ints | slice) -> Rows:
        return Rows(self.u[chosen], self.i[chosen], self.t[chosen], self.rank[chosen])

    def inside(self, core: Core) -> Mask:
        return core.users[self.u] & core.items[self.i]

    def pairs(self) -> tuple[Narrow, Narrow]:
        """Distinct (u, i)."""
        key = self.u.astype(np.int64) << 32 | self.i
        key.sort()
        key = key[changes(key)]
        return (key >> 32).astype(np.int32), key.astype(np.int32)

    def size(self) -> Size:
        u, i = self.pairs()
        return Size(len(u), len(np.unique(u)), len(np.unique(i)))


def kept_rows(table: Table, classes: list[int], protocol: str) -> Rows:
    """The rows that the filters leave; under novel the first interaction of each pair."""
    return first_rows(table.pairs) if protocol == "novel" else rows_of(_repeats(table), classes)


def first_rows(pairs: Pairs) -> Rows:
    chosen = pairs.n > 0
    if chosen.all():
        return Rows(pairs.u, pairs.i, *unpack_first(pairs.first))
    return Rows(pairs.u[chosen], pairs.i[chosen], *unpack_first(pairs.first[chosen]))


def rows_of(rows: CodedRows, classes: list[int]) -> Rows:
    """All rows of these classes, repeats included."""
    chosen = np.isin(rows.row_class, classes)
    return Rows(rows.u[chosen], rows.i[chosen], rows.t[chosen], (rows.row_class[chosen] % INSIDE).astype(np.int8))


def earliest_rows(table: Table, classes: list[int]) -> Rows:
    """The earliest row of each pair within these classes: for a choice of behaviours other than the one asked for."""
    rows = rows_of(_repeats(table), classes)
    order = np.lexsort((rows.t, rows.i, rows.u))
    u, i = rows.u[order], rows.i[order]
    first = order[changes(u) | changes(i)]
    return Rows(rows.u[first], rows.i[first], rows.t[first], np.zeros(len(first), dtype=np.int8))


def choice_rows(table: Table, ranks: Sequence[int], subset_only: bool, protocol: str) -> Rows:
    """The rows that another choice of behaviours and items would leave of a log that was read whole.

    Of a log too large to keep its rows, a pair's time is the first of any behaviour.
    """
    classes = classes_of(ranks, subset_only)
    if table.rows is not None:
        return earliest_rows(table, classes) if protocol == "novel" else rows_of(table.rows, classes)
    chosen = (table.pairs.mask & bits_of(ranks, subset_only)) != 0
    return Rows(table.pairs.u[chosen], table.pairs.i[chosen], *unpack_first(table.pairs.first[chosen]))


def _repeats(table: Table) -> CodedRows:
    if table.rows is None:
        raise AssertionError("the rows were not read")
    return table.rows


def in_order(rows: Rows) -> Rows:
    """Sorted by user, time, item, behaviour. Where users are sorted already, pieces are sorted in parallel."""
    if not (rows.u[1:] >= rows.u[:-1]).all():
        return _sorted(rows)
    ordered = Rows(rows.u, np.empty_like(rows.i), np.empty_like(rows.t), np.empty_like(rows.rank))

    def sort(here: slice) -> None:
        piece = _sorted(rows.where(here))
        ordered.i[here], ordered.t[here], ordered.rank[here] = piece.i, piece.t, piece.rank

    in_threads(sort, runs_in_pieces(rows.u))
    return ordered


def _sorted(rows: Rows) -> Rows:
    """Each row is packed into one number where it fits; numbers sort fastest."""
    lows = [int(column.min()) if len(column) else 0 for column in (rows.u, rows.t, rows.i)]
    bits = [
        (int(column.max()) - low).bit_length() if len(column) else 0
        for column, low in zip((rows.u, rows.t, rows.i), lows, strict=True)
    ]
    if sum(bits) + RANK_BITS > 63:
        return rows.where(np.lexsort((rows.rank, rows.i, rows.t, rows.u)))
    key = rows.u.astype(np.int64)
    key -= lows[0]
    for column, size in ((rows.t - lows[1], bits[1]), (rows.i - lows[2], bits[2]), (rows.rank, RANK_BITS)):
        key <<= size
        key |= column
    key.sort()
    rank = (key & (1 << RANK_BITS) - 1).astype(np.int8)
    key >>= RANK_BITS
    i = ((key & (1 << bits[2]) - 1) + lows[2]).astype(np.int32)
    key >>= bits[2]
    t = (key & (1 << bits[1]) - 1) + lows[1]
    return Rows(((key >> bits[1]) + lows[0]).astype(np.int32), i, t, rank)
