"""The (user, item)-core of a set of pairs, and the strictest thresholds whose core is still large enough."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dataset_prep.machine import address, library
from dataset_prep.pairs.sorting import POSITION, Mask, distinct, with_positions

Codes = npt.NDArray[np.integer]
Sides = tuple[Codes, Codes]
"""One array for users, one for items."""
KNOWN = 0.5
"""Recall cannot exceed this share. Choices of real slices have either 0.01 to 0.24 (items mostly seen once) or, with
two users an item, 0.53 to 0.96; at 0.05 a trained model found nothing, above a half it beat popularity each time."""
PASSES = 32
"""Passes of the compiled peel over all pairs. A long chain of removals needs more; then each link is followed."""


class Size(NamedTuple):
    """How large a set of distinct (user, item) pairs is."""

    pairs: int
    users: int
    items: int


class Thresholds(NamedTuple):
    """Least number of distinct items a user, and of distinct users an item, must keep."""

    user: int
    item: int

    def __str__(self) -> str:
        return f"({self.user}, {self.item})"


@dataclass(frozen=True)
class Enough:
    """What a data set must have to be worth training on.

    known: least share of the held-out rows whose user and item are in training (``pairs/heldout``); 0 asks for none.
    """

    pairs: int = 1000
    users: int = 50
    items: int = 50
    known: float = KNOWN

    def met_by(self, size: Size) -> bool:
        return size.pairs >= self.pairs and size.users >= self.users and size.items >= self.items


@dataclass(frozen=True)
class Core:
    """The users and items that remain. degrees: partners of each user and each item, 0 for those removed."""

    thresholds: Thresholds
    size: Size
    degrees: Sides

    @cached_property
    def users(self) -> Mask:
        """True for each user that remains, by code."""
        return self.degrees[0] > 0

    @cached_property
    def items(self) -> Mask:
        """True for each item that remains, by code."""
        return self.degrees[1] > 0


def strictness(thresholds: Thresholds) -> tuple[int, int, int]:
    """Sort key of "stricter than": the larger sum, then the more even thresholds, then the larger user threshold."""
    return (thresholds.user + thresholds.item, min(thresholds), thresholds.user)


def core_of(users: Codes, items: Codes, thresholds: Thresholds, n_users: int, n_items: int) -> Core:
    """Remove users and items below their threshold until none is left. The result does not depend on the order.

    Args:
        users, items: codes of distinct pairs, shape (n,), in [0, n_users) and [0, n_items).
    """
    pairs = _as_c(users), _as_c(items)
    with ThreadPoolExecutor(2) as pool:
        of_users, of_items = pool.map(count, pairs, (n_users, n_items))
    degrees = of_users, of_items
    pairs, settled = _peel(pairs, degrees, thresholds)
    n = len(pairs[0]) if settled else len(pairs[0]) - _follow_removals(pairs, degrees, thresholds)
    size = Size(n, *(int(np.count_nonzero(degree)) for degree in degrees))
    return Core(thresholds, size, degrees)


def count(codes: Codes, n: int) -> Codes:
    """How often each of n codes occurs, int32."""
    compiled = library("pairs/core.c")
    if compiled is None:
        return np.bincount(codes, minlength=n).astype(np.int32)
    codes, degrees = _as_c(codes), np.zeros(n, dtype=np.int32)
    compiled.count(address(codes), ctypes.c_int64(len(codes)), address(degrees))
    return degrees


def _as_c(codes: Codes) -> Codes:
    return np.ascontiguousarray(codes, dtype=np.int32)


def _peel(pairs: Sides, degrees: Sides, least: Thresholds) -> tuple[Sides, bool]:
    """Passes of the compiled peel -> (pairs that remain, True if none of them is weak). Updates *degrees*."""
    compiled = library("pairs/core.c")
    if compiled is None:
        return pairs, False
    compiled.peel.restype = ctypes.c_int64
    left = np.empty_like(pairs[0]), np.empty_like(pairs[1])
    for _ in range(PASSES):
        arrays = [(ctypes.c_void_p * 2)(*(a.ctypes.data for a in two)) for two in (pairs, degrees, left)]
        n = ctypes.c_int64(len(pairs[0]))
        kept = compiled.peel(arrays[0], n, arrays[1], (ctypes.c_int32 * 2)(*least), arrays[2])
        settled = kept == len(pairs[0])
        # From the second pass on the pairs are written over themselves.
        pairs = left = left[0][:kept], left[1][:kept]
        if settled:
            return pairs, True
    return pairs, False


def _follow_removals(pairs: Sides, degrees: Sides, thresholds: Thresholds) -> int:
    """Follow each removal to the partners it weakens. Updates *degrees* -> number of pairs removed."""
    orders = [_order(codes) for codes in pairs]
    starts = [np.cumsum(degree) - degree for degree in degrees]
    full = [degree.copy() for degree in degrees]
    alive = np.ones(len(pairs[0]), dtype=bool)
    side = 0
    weak: list[Codes] = [
        np.flatnonzero((degree > 0) & (degree < least)) for degree, least in zip(degrees, thresholds, strict=True)
    ]
    while len(weak[0]) or len(weak[1]):
        side = 1 - side
        mine, other = weak[side], 1 - side
        many = full[side][mine]
        # The positions of their pairs in the order of this side.
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        gone = orders[side][np.repeat(starts[side][mine], many) + within]
        gone = gone[alive[gone]]
        alive[gone] = False
        degrees[side][mine] = 0
        partners = pairs[other][gone]
        np.subtract.at(degrees[other], partners, 1)
        weak[side] = mine[:0]
        now = degrees[other][partners]
        fallen = partners[(now > 0) & (now < thresholds[other])]
        weak[other] = distinct(np.concatenate([weak[other], fallen]))
    return len(alive) - int(np.count_nonzero(alive))


def _order(codes: Codes) -> Codes:
    """The positions of the codes in sorted order."""
    if (codes[1:] >= codes[:-1]).all():
        return np.arange(len(codes))
    positions = with_positions(codes)
    positions &= POSITION
    return positions


def frontier(
    users: Codes, items: Codes, asked: Thresholds, enough: Enough, n_users: int, n_items: int
) -> Iterator[Core]:
    """For each user threshold the core with the largest item threshold (both up to *asked*) that leaves enough.

    A higher threshold never adds a pair. So the largest possible item threshold only falls as the user threshold
    rises, and one walk of asked.user + asked.item cores finds them all.
    """
    item = asked.item
    for user in range(1, asked.user + 1):
        base = core_of(users, items, Thresholds(user, 1), n_users, n_items)
        inside = base.users[users] & base.items[items]
        users, items = users[inside], items[inside]
        while item >= 1:
            core = core_of(users, items, Thresholds(user, item), n_users, n_items)
            if enough.met_by(core.size):
                yield core
                break
            item -= 1
        if item < 1:
            return


def strictest_core(
    users: Codes,
    items: Codes,
    asked: Thresholds,
    enough: Enough,
    n_users: int,
    n_items: int,
    accept: Callable[[Core], bool] = lambda core: True,
) -> Core | None:
    """The core of the strictest thresholds, from *asked* down to (1, 1), that leave enough; None if none do.

    Args:
        accept: what a core must fulfil beside its size. Lower thresholds may break it: they let in rarer items.
    """
    first = core_of(users, items, asked, n_users, n_items)
    if enough.met_by(first.size) and accept(first):
        return first
    largest = [core.thresholds for core in frontier(users, items, asked, enough, n_users, n_items)]
    lower = {Thresholds(user, item) for user, most in largest for item in range(1, most + 1)} - {asked}
    for thresholds in sorted(lower, key=strictness, reverse=True):
        core = core_of(users, items, thresholds, n_users, n_items)
        if accept(core):
            return core
    return None
