"""From carried rows to distinct pairs: one sort of packed numbers a range of users.

A row becomes one number, user, item, moment and slot from the highest bits to the lowest, the stronger slot first. So
after sorting, the rows of a pair stand together, its first interaction at their head.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dataset_prep.order import WORKERS, Narrow, changes, coded, distinct, distinct_pairs, narrow
from dataset_prep.pipeline import INSIDE, SHIFT, UNDATED
from dataset_prep.swift.block import Carried
from dataset_prep.swift.blocks import GiveUpError
from dataset_prep.swift.lines import BLANK, Ints
from dataset_prep.swift.reader import Rows

SLOT_BITS = 5
ROWS_AT_ONCE = 1 << 21
MOST_RANGES = 256


@dataclass(frozen=True)
class Found:
    """Distinct pairs by user, then item: see ``pipeline`` for mask, n and first. users, items: code -> id.

    features: for each, item's code -> code of its text.
    """

    users: Ints
    items: Ints
    u: Narrow
    i: Narrow
    mask: Narrow
    n: Narrow
    first: Narrow
    features: list[Ints]


@dataclass(frozen=True)
class Key:
    """How a row is packed, and unpacked."""

    item: int
    item_bits: int
    t: int
    t_bits: int
    unit: int

    def pack(self, u: Ints, item: Narrow, t: Narrow, slot: npt.NDArray[np.uint8]) -> Ints:
        key = u << self.item_bits
        key += item
        key -= self.item
        key <<= self.t_bits
        moment = t.astype(np.int64)
        moment -= self.t
        if self.unit > 1:
            moment //= self.unit
        key |= moment
        key <<= SLOT_BITS
        key |= UNDATED - slot
        return key

    def slot(self, key: Ints) -> Ints:
        return UNDATED - (key & (1 << SLOT_BITS) - 1)

    def first(self, key: Ints) -> Ints:
        t = (key >> SLOT_BITS & (1 << self.t_bits) - 1) * self.unit + self.t
        return (t + SHIFT) * 16 + (INSIDE + 7 - self.slot(key))

    @staticmethod
    def moment_and_rank(first: Narrow) -> tuple[Ints, Ints]:
        """What ``first`` was made of: Unix seconds and the behaviour's rank."""
        packed = first.astype(np.int64, copy=False)
        return (packed >> 4) - SHIFT, 7 - (packed & 15)

    def pair(self, key: Ints) -> Ints:
        return key >> SLOT_BITS + self.t_bits

    def ids(self, pair: Ints) -> tuple[Ints, Ints]:
        """(user's number in its range, item)"""
        return pair >> self.item_bits, (pair & (1 << self.item_bits) - 1) + self.item


def find_pairs(rows: Rows, slots: Sequence[int], unit: int, features: int, release: bool = False) -> Found:
    """*slots*: those whose rows are kept; *unit*: seconds every moment is a whole number of, from the first one.

    *release*: blocks leave *rows* as soon as their pairs are found, which in a log sorted by user is one by one.
    Raises GiveUpError where ids and moments are too large to be packed.
    """
    blocks = rows.blocks
    if not blocks:
        none, codes = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        return Found(none, none, codes, codes, codes, codes, none, [none] * features)
    with ThreadPoolExecutor(WORKERS) as pool:
        users = distinct(np.concatenate(list(pool.map(_users, blocks)))).astype(np.int64)
        key = _key(blocks, unit)
        kept = np.isin(np.arange(UNDATED + 1), slots)
        of_items = [
            pool.submit(_features, [block.features[place] for block in blocks], rows.texts) for place in range(features)
        ]
        spans = list(_ranges(rows, users, key))
        parts = []
        for part, (_, stop) in zip(
            pool.map(lambda span: _pairs(list(blocks), users, span, key, kept), spans), spans, strict=True
        ):
            parts.append(part)
            if release:
                rest = users[stop:]
                blocks[:] = [block for block in blocks if len(rest) and block.span[1] >= rest[0]]
        columns = [list(column) for column in zip(*parts, strict=True)]
        parts.clear()
        u, item, mask, n, first = pool.map(_joined, columns)
        items, i = coded(item, pool)
        return Found(users, items, u, i, mask, n, first, [future.result() for future in of_items])


def _joined(pieces: list[Narrow]) -> Narrow:
    """The pieces in one, which are given up."""
    whole = np.concatenate(pieces)
    pieces.clear()
    return whole


def _users(block: Carried) -> Narrow:
    """Those of a block, most of them once; a log in the order of its users repeats them side by side."""
    return block.user[changes(block.user)]


def _key(blocks: Sequence[Carried], unit: int) -> Key:
    def span(name: str) -> tuple[int, int]:
        low = min(int(getattr(block, name).min()) for block in blocks)
        return low, (max(int(getattr(block, name).max()) for block in blocks) - low)

    item, items = span("item")
    t, seconds = span("t")
    return Key(item, items.bit_length(), t, (seconds // unit).bit_length(), unit)


def _ranges(rows: Rows, users: Ints, key: Key) -> Iterator[tuple[int, int]]:
    """Users cut into ranges, so few that their numbers fit into what the key leaves, and so that memory stays small."""
    bits = 63 - SLOT_BITS - key.item_bits - key.t_bits
    many = max(-(-rows.carried // ROWS_AT_ONCE), -(-len(users) // (1 << max(bits, 0))))
    if many > MOST_RANGES:
        raise GiveUpError("ids or moments are too large to be packed")
    borders = np.linspace(0, len(users), min(many, len(users)) + 1).astype(int).tolist()
    return itertools.pairwise(borders)


def _pairs(
    blocks: Sequence[Carried], users: Ints, span: tuple[int, int], key: Key, kept: npt.NDArray[np.bool_]
) -> tuple[Narrow, ...]:
    """u, item, mask, n and first of the users in a range."""
    mine = users[slice(*span)]
    packed = np.concatenate([_packed(block, mine, key) for block in blocks])
    packed.sort()
    pair = key.pair(packed)
    new = changes(pair)
    starts = np.flatnonzero(new)
    slot = key.slot(packed)
    mask = np.bitwise_or.reduceat(np.left_shift(1, slot).astype(np.int32), starts)
    counts = kept[slot]
    if counts.all():
        n = np.diff(starts, append=len(pair)).astype(np.int32)
        first = key.first(packed[starts])
    else:
        n = np.add.reduceat(counts, starts, dtype=np.int32)
        first = np.zeros(len(starts), dtype=np.int64)
        rows = np.flatnonzero(counts)
        whose = (np.cumsum(new) - 1)[rows]
        # Of several in one place the last is stored: backwards, so that it is the first.
        first[whose[::-1]] = key.first(packed[rows[::-1]])
    u, item = key.ids(pair[starts])
    return (u + span[0]).astype(np.int32), narrow(item), mask, n, first


def _packed(block: Carried, mine: Ints, key: Key) -> Ints:
    user = block.user
    low, high = block.span
    if not len(mine) or low > mine[-1] or high < mine[0]:
        return np.zeros(0, dtype=np.int64)
    columns = (user, block.item, block.t, block.slot)
    if low < mine[0] or high > mine[-1]:
        inside = (user >= mine[0]) & (user <= mine[-1])
        columns = tuple(column[inside] for column in columns)  # type: ignore[assignment]
    return key.pack(places(columns[0], mine), *columns[1:])


def places(users: Narrow, known: Ints) -> Ints:
    """The place of each user in *known*, looked up once where it stands side by side with itself."""
    starts = np.flatnonzero(changes(users))
    return np.repeat(np.searchsorted(known, users[starts]), np.diff(starts, append=len(users)))


def _features(known: list[tuple[Narrow, Narrow]], texts: Sequence[str]) -> Ints:
    """For every item the code of its feature: of several the smallest text, a blank only where there is no other.

    known: (items, codes) of each block.
    """
    item, code = distinct_pairs(*(np.concatenate(side) for side in zip(*known, strict=True)))
    starts = np.flatnonzero(changes(item))
    ends = np.append(starts[1:], len(item))
    chosen = code[starts].astype(np.int64)
    for n in np.flatnonzero(ends - starts > 1).tolist():
        named = [value for value in code[starts[n] : ends[n]].tolist() if value != BLANK]
        chosen[n] = min(named, key=lambda value: text(value, texts))
    return chosen


def text(code: int, texts: Sequence[str]) -> str:
    """What a feature's code stands for."""
    return str(code) if code >= 0 else texts[BLANK - 1 - code]
