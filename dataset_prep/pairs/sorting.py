"""Distinct values and codes by sorting or by table look-up; numpy hashes integers more slowly than it sorts them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Narrow = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
POSITION = 0xFFFFFFFF
WORKERS = min(os.cpu_count() or 1, 8)
PIECE = 1 << 19
"""Values that are handled at a time; their working data fits into the processor's cache."""
DENSE = 4
"""Values whose range is at most this many times their number are looked up in a table of the whole range."""


def narrow(values: Narrow) -> Narrow:
    """The values as int32 where they fit."""
    small = np.iinfo(np.int32)
    fits = not len(values) or (values.min() >= small.min and values.max() <= small.max)
    return values.astype(np.int32) if fits else values


def changes(values: Narrow) -> Mask:
    """True where a value differs from the one before it, and for the first."""
    new = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new


def pieces(n: int) -> list[slice]:
    """n values, PIECE at a time."""
    return [slice(at, min(at + PIECE, n)) for at in range(0, n, PIECE)]


def in_threads(work: Callable[[slice], None], places: Iterable[slice]) -> None:
    """Do the work at each of the places, several at a time."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(work, places):
            pass


def runs_in_pieces(values: Narrow) -> list[slice]:
    """Places of sorted values, about PIECE at a time; equal values stay together."""
    ends = {*np.searchsorted(values, values[PIECE - 1 :: PIECE], side="right").tolist(), len(values)}
    return [slice(*span) for span in itertools.pairwise([0, *sorted(ends - {0})])]


def distinct(values: Narrow) -> Narrow:
    """Each value once, sorted."""
    ordered = np.sort(values)
    return ordered[changes(ordered)]


def distinct_pairs(item: Narrow, code: Narrow) -> tuple[Narrow, Narrow]:
    """Each (item, code) once, sorted."""
    if len(item) and int(item.max()) < 1 << 38 and -1 <= int(code.min()) <= int(code.max()) < (1 << 24) - 1:
        key = item.astype(np.int64)
        key <<= 24
        key += code
        key += 1
        key = key[changes(key)]  # repeats are often neighbours, and sorting costs more than comparing
        key.sort()
        key = key[changes(key)]
        return narrow(key >> 24), narrow((key & (1 << 24) - 1) - 1)
    order = np.lexsort((code, item))
    item, code = item[order], code[order]
    first = changes(item) | changes(code)
    return narrow(item[first]), narrow(code[first])


def with_positions(values: Narrow) -> Ints:
    """Sorted ``value << 32 | position``; values and positions below 2**31.

    This is several times as fast as argsort.
    """
    packed = values.astype(np.int64) << 32
    packed |= np.arange(len(values))
    packed.sort()
    return packed


def positions_in(users: Narrow, known: Ints) -> Ints:
    """The position of each user in *known* (sorted). A run of one user is looked up once."""
    starts = np.flatnonzero(changes(users))
    return np.repeat(np.searchsorted(known, users[starts]), np.diff(starts, append=len(users)))


def coded(values: Narrow, pool: Executor) -> tuple[Ints, Narrow]:
    """(distinct values sorted, the code of each value: its position among them)"""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, -1)
    if high - low < DENSE * len(values):
        return _by_table(values, low, high, pool)
    if values.max(initial=0) >= 1 << 31 or len(values) >= 1 << 31:
        known, codes = np.unique(values, return_inverse=True)
        return known.astype(np.int64), codes.astype(np.int32, copy=False).reshape(-1)
    packed = with_positions(values)
    value = (packed >> 32).astype(np.int32)
    new = changes(value)
    packed &= POSITION
    codes = np.empty(len(values), dtype=np.int32)
    codes[packed] = np.cumsum(new, dtype=np.int32) - 1
    return value[new].astype(np.int64), codes


def _by_table(values: Narrow, low: int, high: int, pool: Executor) -> tuple[Ints, Narrow]:
    present = np.zeros(high - low + 1, dtype=bool)
    present[values - low] = True
    code_of = np.cumsum(present, dtype=np.int32)
    code_of -= 1
    codes = np.empty(len(values), dtype=np.int32)

    def look_up(start: int) -> None:
        # Every index is valid; mode="raise" would check that again and copy the output.
        np.take(code_of, values[start : start + PIECE] - low, out=codes[start : start + PIECE], mode="clip")

    list(pool.map(look_up, range(0, len(values), PIECE)))
    return np.flatnonzero(present) + low, codes
