"""Degrees, and one look at all pairs on the way to their core: by peel.c, or, where it was not compiled, by numpy."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

from dataset_prep.compiled import at, library

Codes = npt.NDArray[np.int32]
Sides = tuple[Codes, Codes]
"""Of users, of items."""


def in_32_bits(codes: npt.NDArray[np.integer]) -> Codes:
    """As C reads them; not copied where they are so already."""
    return np.ascontiguousarray(codes, dtype=np.int32)


def most_looks() -> int:
    """Beyond these it pays to follow each removal by itself: what hangs in a chain takes a look for every link."""
    return 32 if library("peel.c") else 3


def count(codes: npt.NDArray[np.integer], n: int) -> Codes:
    """How often each of n codes occurs."""
    compiled = library("peel.c")
    if compiled is None:
        return np.bincount(codes, minlength=n).astype(np.int32)
    codes, degrees = in_32_bits(codes), np.zeros(n, dtype=np.int32)
    compiled.count(at(codes), ctypes.c_int64(len(codes)), at(degrees))
    return degrees


def peel(pairs: Sides, degrees: Sides, least: tuple[int, int], in_place: bool) -> Sides:
    """The pairs without those of a user or item that has fewer than its *least*; brings *degrees* up to date.

    Some that are left may have too few by then. in_place: the pairs may be written over.
    """
    compiled = library("peel.c")
    if compiled is None:
        return _by_numpy(pairs, degrees, least)
    left = pairs if in_place else (np.empty_like(pairs[0]), np.empty_like(pairs[1]))
    compiled.peel.restype = ctypes.c_int64
    addresses = [(ctypes.c_void_p * 2)(*(array.ctypes.data for array in two)) for two in (pairs, degrees, left)]
    n = ctypes.c_int64(len(pairs[0]))
    kept = compiled.peel(addresses[0], n, addresses[1], (ctypes.c_int32 * 2)(*least), addresses[2])
    return left[0][:kept], left[1][:kept]


def _by_numpy(pairs: Sides, degrees: Sides, least: tuple[int, int]) -> Sides:
    # Items first: they are the more numerous and the thinner; what is left has few weak users.
    for side in (1, 0):
        strong = degrees[side] >= least[side]
        degrees[side][~strong] = 0
        stay = np.flatnonzero(strong[pairs[side]])
        if len(stay) < len(pairs[side]):
            pairs = pairs[0][stay], pairs[1][stay]
            degrees[1 - side][:] = count(pairs[1 - side], len(degrees[1 - side]))
    return pairs
