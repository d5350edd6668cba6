"""Distinct values without hashing: numpy sorts numbers, or looks them up in a table, far faster than it hashes them."""

from __future__ import annotations

import os
from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt

Narrow = npt.NDArray[np.integer]
PLACE = 0xFFFFFFFF
WORKERS = min(os.cpu_count() or 1, 8)
PIECE = 1 << 19
"""Values looked at at once: what is read about them stays in the processor's cache."""
DENSE = 4
"""Values that spread no wider than this times their number are looked up in a table of them all."""


def narrow(values: Narrow) -> Narrow:
    """In 32 bits, where they fit."""
    small = np.iinfo(np.int32)
    fits = not len(values) or (values.min() >= small.min and values.max() <= small.max)
    return values.astype(np.int32) if fits else values


def changes(values: Narrow) -> npt.NDArray[np.bool_]:
    """Whether each value is another than the one before it; True for the first."""
    new = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new


def distinct(values: Narrow) -> Narrow:
    """Each value once, in their order."""
    ordered = np.sort(values)
    return ordered[changes(ordered)]


def distinct_pairs(item: Narrow, code: Narrow) -> tuple[Narrow, Narrow]:
    """The distinct (item, code), in their order."""
    if len(item) and int(item.max()) < 1 << 38 and -1 <= int(code.min()) <= int(code.max()) < (1 << 24) - 1:
        key = item.astype(np.int64)
        key <<= 24
        key += code
        key += 1
        key = key[changes(key)]  # repeats stand side by side, and sorting costs more than looking
        key.sort()
        key = key[changes(key)]
        return narrow(key >> 24), narrow((key & (1 << 24) - 1) - 1)
    order = np.lexsort((code, item))
    item, code = item[order], code[order]
    first = changes(item) | changes(code)
    return narrow(item[first]), narrow(code[first])


def with_places(values: Narrow) -> npt.NDArray[np.int64]:
    """Whole numbers in their order, each value above its place: ``v << 32 | place``; values and places below 2**31.

    A sort of numbers that carry their place is several times as fast as one of places.
    """
    packed = values.astype(np.int64) << 32
    packed |= np.arange(len(values))
    packed.sort()
    return packed


def coded(values: Narrow, pool: Executor) -> tuple[npt.NDArray[np.int64], Narrow]:
    """(distinct values in their order, number of each value among them)"""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, -1)
    if 0 <= high - low < DENSE * len(values):
        return _by_table(values, low, high, pool)
    if values.max(initial=0) >= 1 << 31 or len(values) >= 1 << 31:
        distinct, codes = np.unique(values, return_inverse=True)
        return distinct.astype(np.int64), codes.astype(np.int32, copy=False).reshape(-1)
    packed = with_places(values)
    value = (packed >> 32).astype(np.int32)
    new = changes(value)
    packed &= PLACE
    codes = np.empty(len(values), dtype=np.int32)
    codes[packed] = np.cumsum(new, dtype=np.int32) - 1
    return value[new].astype(np.int64), codes


def _by_table(values: Narrow, low: int, high: int, pool: Executor) -> tuple[npt.NDArray[np.int64], Narrow]:
    there = np.zeros(high - low + 1, dtype=bool)
    there[values - low] = True
    number = np.cumsum(there, dtype=np.int32)
    number -= 1
    codes = np.empty(len(values), dtype=np.int32)

    def look_up(at: int) -> None:
        # All are in the table; where numpy has to check that (raise), it also copies what it writes.
        np.take(number, values[at : at + PIECE] - low, out=codes[at : at + PIECE], mode="clip")

    list(pool.map(look_up, range(0, len(values), PIECE)))
    return np.flatnonzero(there) + low, codes
