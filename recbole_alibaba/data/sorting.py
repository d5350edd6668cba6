"""Stable sorting, as fast as numpy sorts plain integers."""

from __future__ import annotations

import numpy as np


def stable_argsort(keys: np.ndarray) -> np.ndarray:
    """`np.argsort(keys, kind="stable")` for integers and float32, int64 (n,), several times faster.

    Key and position are packed into one int64, and numpy sorts int64 with vector instructions. Keys that do not fit
    go to `np.argsort`.
    """
    bits = max(len(keys) - 1, 1).bit_length()
    integers = _as_integers(keys)
    if not len(keys) or integers is None or int(integers.max()) - int(integers.min()) >= 1 << (63 - bits):
        return np.argsort(keys, kind="stable")
    packed = (integers - integers.min()) << bits
    packed |= np.arange(len(keys))
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def _as_integers(keys: np.ndarray) -> np.ndarray | None:
    """int64 numbers that sort as the keys do; None where there are none."""
    if keys.dtype.kind in "iu" and keys.dtype != np.uint64:
        return keys.astype(np.int64, copy=False)
    if keys.dtype != np.float32 or np.isnan(keys).any():
        return None
    # The bits of floats of one sign, read as integers, sort as the floats do. Adding zero turns -0.0 into 0.0.
    number = (keys + np.float32(0)).view(np.int32)
    return np.where(number < 0, number ^ 0x7FFFFFFF, number).astype(np.int64)
