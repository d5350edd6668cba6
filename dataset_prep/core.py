"""The (user, item)-core of a set of pairs, and the strictest thresholds whose core is still large enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
    """Survivors as masks over the code space: ``users[u]`` and ``items[i]`` are True for those kept."""

    thresholds: Thresholds
    size: Size
    users: Mask
    items: Mask


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
    while True:
        user_degree = np.bincount(users, minlength=n_users)
        item_degree = np.bincount(items, minlength=n_items)
        weak_users = (user_degree > 0) & (user_degree < thresholds.user)
        weak_items = (item_degree > 0) & (item_degree < thresholds.item)
        if not weak_users.any() and not weak_items.any():
            size = Size(len(users), int((user_degree > 0).sum()), int((item_degree > 0).sum()))
            return Core(thresholds, size, user_degree > 0, item_degree > 0)
        keep = ~(weak_users[users] | weak_items[items])
        users, items = users[keep], items[keep]


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
