"""The pairs of a core as the rows of .inter, in their order."""

from __future__ import annotations

import numpy as np

from dataset_prep.core import Core
from dataset_prep.order import Narrow
from dataset_prep.swift.pairs import Found, Key
from dataset_prep.swift.words import Ints

KIND_BITS = 3


def kept_rows(found: Found, core: Core) -> dict[str, np.ndarray]:
    """The first interaction of every pair in the core: u, i, t, b and ids, by user, then moment, then item."""
    inside = core.users[found.u]
    inside &= core.items[found.i]
    inside &= found.n > 0
    place = np.flatnonzero(inside)
    moments, ranks = Key.moment_and_rank(found.first[place])
    u, t, i, b = _in_order(found.u[place], moments, found.i[place], ranks)
    return {"u": u, "i": i, "t": t, "b": b, "user_id": found.users[u], "item_id": found.items[i]}


def _in_order(u: Narrow, t: Ints, i: Narrow, b: Ints) -> tuple[Narrow, Ints, Narrow, Narrow]:
    """The rows by user, moment, item: packed into one number each, where they fit, for that is sorted the fastest."""
    low = int(t.min()) if len(t) else 0
    spans = [int(column.max(initial=0)).bit_length() for column in (u, t - low, i)]
    if sum(spans) + KIND_BITS > 63:
        order = np.lexsort((i, t, u))
        return u[order], t[order], i[order], b[order].astype(np.int8)
    key = u.astype(np.int64)
    for column, bits in zip((t - low, i, b), (*spans[1:], KIND_BITS), strict=True):
        key <<= bits
        key |= column
    key.sort()
    b = (key & (1 << KIND_BITS) - 1).astype(np.int8)
    key >>= KIND_BITS
    i = (key & (1 << spans[2]) - 1).astype(np.int32)
    key >>= spans[2]
    t = key & (1 << spans[1]) - 1
    t += low
    return (key >> spans[1]).astype(np.int32), t, i, b
