"""Stable sorting, at the speed of numpy's sort of plain whole numbers."""

from __future__ import annotations

import numpy as np


def stable_order(keys: np.ndarray) -> np.ndarray:
    """`np.argsort(keys, kind="stable")` for whole numbers and float32, int64 (n,), several times faster.

    Key and place are packed into one int64, which numpy sorts by vectors. What does not fit takes numpy's own way.
    """
    bits = max(len(keys) - 1, 1).bit_length()
    whole = _as_whole(keys)
    if not len(keys) or whole is None or int(whole.max()) - int(whole.min()) >= 1 << (63 - bits):
        return np.argsort(keys, kind="stable")
    packed = (whole - whole.min()) << bits
    packed |= np.arange(len(keys))
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def _as_whole(keys: np.ndarray) -> np.ndarray | None:
    """int64 in the order of the keys; None where there is no such thing."""
    if keys.dtype.kind in "iu" and keys.dtype != np.uint64:
        return keys.astype(np.int64, copy=False)
    if keys.dtype != np.float32 or np.isnan(keys).any():
        return None
    # A float's bits, read as a number, order the floats of one sign; adding zero turns -0.0 into 0.0.
    number = (keys + np.float32(0)).view(np.int32)
    return np.where(number < 0, number ^ 0x7FFFFFFF, number).astype(np.int64)
