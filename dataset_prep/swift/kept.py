"""The pairs of a core as the rows of .inter, in their order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dataset_prep.core import Core
from dataset_prep.order import PIECE, WORKERS, Narrow
from dataset_prep.pipeline import inter_columns
from dataset_prep.rows import Words
from dataset_prep.sources.base import Source
from dataset_prep.swift.lines import Ints
from dataset_prep.swift.pairs import Found, Key

KIND_BITS = 3


def kept_rows(found: Found, core: Core) -> dict[str, np.ndarray]:
    """The first interaction of every pair in the core: u, i, t, b and ids, by user, then moment, then item."""

    def rows(span: slice) -> tuple[Narrow, ...]:
        inside = core.users[found.u[span]]
        inside &= core.items[found.i[span]]
        inside &= found.n[span] > 0
        place = np.flatnonzero(inside) + span.start
        moments, ranks = Key.moment_and_rank(found.first[place])
        u, t, i, b = _in_order(found.u[place], moments, found.i[place], ranks)
        return u, i, t, b, found.users[u], found.items[i]

    with ThreadPoolExecutor(WORKERS) as pool:
        columns = zip(*pool.map(rows, _spans(found.u)), strict=True)
        return dict(zip(("u", "i", "t", "b", "user_id", "item_id"), pool.map(np.concatenate, columns), strict=True))


def columns_of(kept: Mapping[str, np.ndarray], source: Source) -> dict[str, np.ndarray | Words]:
    """The columns of .inter, by their names there."""
    behaviors = Words(kept["b"], [b.value for b in source.behaviors])
    return {name: behaviors if column == "b" else kept[column] for name, column in inter_columns(source).items()}


def _spans(u: Narrow) -> list[slice]:
    """Pieces of about ``PIECE`` pairs that part no user's; u: in order. One, perhaps empty, at least."""
    ends = np.unique(np.append(np.searchsorted(u, u[PIECE - 1 :: PIECE], side="right"), len(u)))
    return list(itertools.starmap(slice, itertools.pairwise([0, *ends.tolist()])))


def _in_order(u: Narrow, t: Ints, i: Narrow, b: Ints) -> tuple[Narrow, Ints, Narrow, Narrow]:
    """The rows by user, moment, item: packed into one number each, where they fit, for that is sorted the fastest."""
    lows = [int(column.min()) if len(column) else 0 for column in (u, t, i)]
    spans = [(int(column.max(initial=0)) - low).bit_length() for column, low in zip((u, t, i), lows, strict=True)]
    if sum(spans) + KIND_BITS > 63:
        order = np.lexsort((i, t, u))
        return u[order], t[order], i[order], b[order].astype(np.int8)
    key = u.astype(np.int64)
    key -= lows[0]
    for column, bits in zip((t - lows[1], i - lows[2], b), (*spans[1:], KIND_BITS), strict=True):
        key <<= bits
        key |= column
    key.sort()
    b = (key & (1 << KIND_BITS) - 1).astype(np.int8)
    key >>= KIND_BITS
    i = ((key & (1 << spans[2]) - 1) + lows[2]).astype(np.int32)
    key >>= spans[2]
    t = (key & (1 << spans[1]) - 1) + lows[1]
    return ((key >> spans[1]) + lows[0]).astype(np.int32), t, i, b
