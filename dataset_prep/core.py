"""The (user, item)-core of a set of pairs, and the strictest thresholds whose core is still large enough."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dataset_prep.order import PLACE, distinct, with_places
from dataset_prep.peel import Sides, count, in_32_bits, most_looks, peel

Codes = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]


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
    """What a data set must have to be worth training on."""

    pairs: int = 1000
    users: int = 50
    items: int = 50

    def met_by(self, size: Size) -> bool:
        return size.pairs >= self.pairs and size.users >= self.users and size.items >= self.items


@dataclass(frozen=True)
class Core:
    """Survivors over the code space: how many partners each user and item keeps, 0 for those that are gone.

    As masks: ``users[u]`` and ``items[i]`` are True for those kept.
    """

    thresholds: Thresholds
    size: Size
    degrees: tuple[Codes, Codes]

    @cached_property
    def users(self) -> Mask:
        return self.degrees[0] > 0

    @cached_property
    def items(self) -> Mask:
        return self.degrees[1] > 0


def strictness(thresholds: Thresholds) -> tuple[int, int, int]:
    """Sort key of the total order "stricter than": the larger sum, then the more even, then the larger user part.

    If one pair of thresholds is at least as large in both parts as another it is also stricter here, so the
    strictest thresholds that leave enough always lie on the edge of what is possible.
    """
    return (thresholds.user + thresholds.item, min(thresholds), thresholds.user)


def core_of(users: Codes, items: Codes, thresholds: Thresholds, n_users: int, n_items: int) -> Core:
    """Peel users and items below their threshold until none is left; the fixed point does not depend on the order.

    users, items: codes of distinct pairs, shape (n,), in [0, n_users) and [0, n_items).
    """
    pairs = in_32_bits(users), in_32_bits(items)
    with ThreadPoolExecutor(2) as pool:
        of_users, of_items = pool.map(count, pairs, (n_users, n_items))
    degrees = of_users, of_items
    for look in range(most_looks()):
        before = len(pairs[0])
        pairs = peel(pairs, degrees, thresholds, in_place=look > 0)
        settled = len(pairs[0]) == before
        if settled:
            break
    n = len(pairs[0]) if settled else len(pairs[0]) - _peel_the_rest(pairs, degrees, thresholds)
    size = Size(n, *(int(np.count_nonzero(degree)) for degree in degrees))
    return Core(thresholds, size, degrees)


def _peel_the_rest(pairs: Sides, degrees: Sides, thresholds: Thresholds) -> int:
    """Follow each removal to the partners it concerns; brings *degrees* up to date -> number of pairs removed."""
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
        # Where the pairs of those stand in the order of their side.
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


def _in_order(codes: Codes) -> bool:
    return bool((codes[1:] >= codes[:-1]).all())


def _order(codes: Codes) -> Codes:
    """Places of the codes in their order."""
    if _in_order(codes):
        return np.arange(len(codes))
    places = with_places(codes)
    places &= PLACE
    return places


def frontier(
    users: Codes, items: Codes, asked: Thresholds, enough: Enough, n_users: int, n_items: int
) -> Iterator[Core]:
    """For each user threshold, the core with the largest item threshold (both up to *asked*) that leaves enough.

    Raising a threshold never adds a pair, so the largest possible item threshold can only fall as the user
    threshold rises: one walk along that staircase needs asked.user + asked.item cores, not their product.
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
    users: Codes, items: Codes, asked: Thresholds, enough: Enough, n_users: int, n_items: int
) -> Core | None:
    """The core of the strictest thresholds, from *asked* down to (1, 1), that leave enough; None if none do."""
    first = core_of(users, items, asked, n_users, n_items)
    if enough.met_by(first.size):
        return first
    cores = frontier(users, items, asked, enough, n_users, n_items)
    return max(cores, key=lambda core: strictness(core.thresholds), default=None)
