"""From rows to distinct pairs: pack each row into one number and sort, a range of users at a time.

From the highest bits to the lowest a number holds user, item, timestamp and row class, the stronger class first. So
after sorting the rows of a pair are neighbours, and its first interaction comes first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataset_prep.pairs.rows import LogRows, RowBlock
from dataset_prep.pairs.sorting import WORKERS, Ints, Mask, Narrow, changes, coded, distinct, narrow, positions_in
from dataset_prep.pairs.table import BLANK, FIRST_WORD, UNDATED, CodedRows, Column, Pairs, pack_first

CLASS_BITS = 5
ROWS_AT_ONCE = 1 << 21
MOST_RANGES = 256


class CannotPackError(Exception):
    """Ids and timestamps need more than 63 bits together."""


@dataclass(frozen=True)
class Key:
    """How a row is packed and unpacked. item, t: the smallest ones; unit: seconds between neighbouring timestamps."""

    item: int
    item_bits: int
    t: int
    t_bits: int
    unit: int

    def pack(self, u: Ints, item: Narrow, t: Narrow, row_class: npt.NDArray[np.uint8]) -> Ints:
        key = u << self.item_bits
        key += item
        key -= self.item
        key <<= self.t_bits
        time = t.astype(np.int64)
        time -= self.t
        if self.unit > 1:
            time //= self.unit
        key |= time
        key <<= CLASS_BITS
        key |= UNDATED - row_class
        return key

    def row_class(self, key: Ints) -> Ints:
        return UNDATED - (key & (1 << CLASS_BITS) - 1)

    def first(self, key: Ints) -> Ints:
        t = (key >> CLASS_BITS & (1 << self.t_bits) - 1) * self.unit + self.t
        return pack_first(t, self.row_class(key))

    def pair(self, key: Ints) -> Ints:
        return key >> CLASS_BITS + self.t_bits

    def ids(self, pair: Ints) -> tuple[Ints, Ints]:
        """(user's position in its range, item)"""
        return pair >> self.item_bits, (pair & (1 << self.item_bits) - 1) + self.item


def find_pairs(rows: LogRows, classes: Sequence[int], unit: int, release: bool = False) -> Pairs:
    """The distinct pairs of the rows.

    Args:
        classes: row classes that are kept.
        unit: every timestamp is the first one plus a multiple of these seconds.
        release: drop each block as soon as its pairs are found. In a log sorted by user that saves memory early.

    Raises:
        CannotPackError: ids and timestamps are too large.
    """
    blocks = rows.blocks
    if not blocks:
        none, codes = Column(np.zeros(0, dtype=np.int64)), np.zeros(0, dtype=np.int32)
        return Pairs(none, none, codes, codes, codes, codes, none.values)
    with ThreadPoolExecutor(WORKERS) as pool:
        users = distinct(np.concatenate(list(pool.map(_users, blocks)))).astype(np.int64)
        key = _key(blocks, unit)
        kept = np.isin(np.arange(UNDATED + 1), classes)
        ranges = list(_ranges(rows.held, users, key))
        parts = []
        found = pool.map(lambda span: _pairs(list(blocks), users, span, key, kept), ranges)
        for part, (_, stop) in zip(found, ranges, strict=True):
            parts.append(part)
            if release:
                rest = users[stop:]
                blocks[:] = [block for block in blocks if len(rest) and block.span[1] >= rest[0]]
        columns = [list(column) for column in zip(*parts, strict=True)]
        parts.clear()
        u, item, mask, n, first = pool.map(_joined, columns)
        items, i = coded(item, pool)
        return Pairs(Column(users), Column(items), u, i, mask, n, first)


def coded_rows(rows: LogRows, pairs: Pairs) -> CodedRows:
    """Every carried row by codes, for what needs repeats."""
    users, items = pairs.users.values, pairs.items.values
    columns: dict[str, tuple[type, list[np.ndarray]]] = {
        "u": (np.int32, [positions_in(block.user, users) for block in rows.blocks]),
        "i": (np.int32, [np.searchsorted(items, block.item) for block in rows.blocks]),
        "t": (np.int64, [block.t for block in rows.blocks]),
        "row_class": (np.uint8, [block.row_class for block in rows.blocks]),
    }
    return CodedRows(
        **{name: np.concatenate([np.zeros(0, k), *c]).astype(k, copy=False) for name, (k, c) in columns.items()}
    )


def feature_of(item: Narrow, code: Narrow, words: Sequence[str]) -> Column:
    """One value for each item: of several the smallest text, a blank only where there is no other.

    Args:
        item, code: distinct (item, code), sorted.
        words: what codes below ``BLANK`` stand for.
    """
    starts = np.flatnonzero(changes(item))
    ends = np.append(starts[1:], len(item))
    chosen = code[starts].astype(np.int64)

    def text(value: int) -> str:
        return str(value) if value >= 0 else words[FIRST_WORD - value]

    for n in np.flatnonzero(ends - starts > 1).tolist():
        chosen[n] = min((value for value in code[starts[n] : ends[n]].tolist() if value != BLANK), key=text)
    return Column(chosen, words)


def _joined(pieces: list[Narrow]) -> Narrow:
    """The pieces as one array; the list is emptied to free them."""
    whole = np.concatenate(pieces)
    pieces.clear()
    return whole


def _users(block: RowBlock) -> Narrow:
    """The users of a block, without neighbouring repeats."""
    return block.user[changes(block.user)]


def _key(blocks: Sequence[RowBlock], unit: int) -> Key:
    def span(name: str) -> tuple[int, int]:
        low = min(int(getattr(block, name).min()) for block in blocks)
        return low, (max(int(getattr(block, name).max()) for block in blocks) - low)

    item, items = span("item")
    t, seconds = span("t")
    return Key(item, items.bit_length(), t, (seconds // unit).bit_length(), unit)


def _ranges(rows: int, users: Ints, key: Key) -> Iterator[tuple[int, int]]:
    """Ranges of users, so short that their positions fit into the key and their rows need little memory."""
    bits = 63 - CLASS_BITS - key.item_bits - key.t_bits
    many = max(-(-rows // ROWS_AT_ONCE), -(-len(users) // (1 << max(bits, 0))), WORKERS)
    if bits < 0 or many > MOST_RANGES:
        raise CannotPackError
    borders = np.linspace(0, len(users), min(many, len(users)) + 1).astype(int).tolist()
    return itertools.pairwise(borders)


def _pairs(blocks: Sequence[RowBlock], users: Ints, span: tuple[int, int], key: Key, kept: Mask) -> tuple[Narrow, ...]:
    """u, item, mask, n and first of the users in a range."""
    mine = users[slice(*span)]
    packed = np.concatenate([_packed(block, mine, key) for block in blocks])
    packed.sort()
    pair = key.pair(packed)
    new = changes(pair)
    starts = np.flatnonzero(new)
    row_class = key.row_class(packed)
    mask = np.bitwise_or.reduceat(np.left_shift(1, row_class).astype(np.int32), starts)
    counts = kept[row_class]
    if counts.all():
        n = np.diff(starts, append=len(pair)).astype(np.int32)
        first = key.first(packed[starts])
    else:
        n = np.add.reduceat(counts, starts, dtype=np.int32)
        first = np.zeros(len(starts), dtype=np.int64)
        rows = np.flatnonzero(counts)
        whose = (np.cumsum(new) - 1)[rows]
        # Of several writes to one place numpy keeps the last. Backwards, that is the first row.
        first[whose[::-1]] = key.first(packed[rows[::-1]])
    u, item = key.ids(pair[starts])
    return (u + span[0]).astype(np.int32), narrow(item), mask, n, first


def _packed(block: RowBlock, mine: Ints, key: Key) -> Ints:
    """The rows of these users, packed."""
    user, (low, high) = block.user, block.span
    if not len(mine) or low > mine[-1] or high < mine[0]:
        return np.zeros(0, dtype=np.int64)
    rest: tuple[Narrow, Narrow, npt.NDArray[np.uint8]] = (block.item, block.t, block.row_class)
    if low < mine[0] or high > mine[-1]:
        inside = (user >= mine[0]) & (user <= mine[-1])
        user, rest = user[inside], (rest[0][inside], rest[1][inside], rest[2][inside])
    return key.pack(positions_in(user, mine), *rest)
