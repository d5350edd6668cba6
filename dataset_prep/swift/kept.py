"""The pairs of a core as the rows of .inter, in their order."""

from __future__ import annotations

import numpy as np

from dataset_prep.core import Core
from dataset_prep.pipeline import SHIFT
from dataset_prep.swift.pairs import Found
from dataset_prep.swift.words import Ints


def kept_rows(found: Found, core: Core) -> dict[str, np.ndarray]:
    """The first interaction of every pair in the core: u, i, t, b and the ids, by user, then moment, then item."""
    inside = core.users[found.u]
    inside &= core.items[found.i]
    inside &= found.n > 0
    place = np.flatnonzero(inside)
    u, i, first = found.u[place], found.i[place], found.first[place]
    t, b = (first >> 4) - SHIFT, 7 - (first & 15)
    order = _by_user_and_moment(u, t)
    u, i, t, b = u[order], i[order], t[order], b[order].astype(np.int8)
    return {"u": u, "i": i, "t": t, "b": b, "user_id": found.users[u], "item_id": found.items[i]}


def _by_user_and_moment(u: np.ndarray, t: Ints) -> Ints:
    """The order of rows that stand by user and item already."""
    place_bits = max(len(u) - 1, 0).bit_length()
    t = t - (t.min() if len(t) else 0)
    t_bits = int(t.max(initial=0)).bit_length()
    if int(u.max(initial=0)).bit_length() + t_bits + place_bits > 63:
        return np.lexsort((t, u))
    # A sort of numbers that carry their place is several times as fast as one of places.
    key = (u.astype(np.int64) << t_bits | t) << place_bits
    key |= np.arange(len(u))
    key.sort()
    return key & (1 << place_bits) - 1
