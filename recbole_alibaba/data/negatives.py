"""Negatives without Python loops: exact draws from the items that a user does not have."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
import torch

from recbole_alibaba.data.user_lists import UserLists

Array = Any
"""A numpy array, or a tensor on a GPU."""


class NoNegativeError(ValueError):
    """A user has every item that could be drawn, so no negative is left."""


class NegativeSampler:
    """Draws items that a user does not have, with probabilities proportional to the items' weights.

    Nothing is rejected: the weights of the items that a user does not have are laid end to end, a number is drawn
    from their sum, and two binary searches turn the number into an item. So the cost does not grow with the number of
    items that a user has. The distribution is that of RecBole's Sampler, which draws until it meets such an item.

    Args:
        users, items: integer arrays (m,): user `users[j]` has item `items[j]`. Pairs may repeat.
        weights: integers (n_items,), the weight of each item. An item of weight 0 is never drawn.
        n_users: number of user ids.
    """

    def __init__(self, users: np.ndarray, items: np.ndarray, weights: np.ndarray, n_users: int) -> None:
        self._total = int(weights.sum())
        # A key is user * total + weight and must fit into 63 bits.
        if n_users * self._total >= 2**63:
            raise ValueError(
                f"Negatives: {n_users:,} users times a total weight of {self._total:,} exceed 2**63; scale down."
            )
        self._weight_to = np.cumsum(weights, dtype=np.int64)
        self._uniform = bool(weights[0] == 0 and (weights[1:] == 1).all())
        lists = UserLists.from_pairs(users, items, n_users, len(weights))
        self._start, owner, owned = lists.start, lists.rows, lists.items
        owned_weight = np.concatenate(([0], np.cumsum(weights[owned], dtype=np.int64)))
        # The weight that the user owns before each of its items; the keys hold the free weight before it.
        owned_before = owned_weight[:-1] - owned_weight[self._start[owner]]
        self._keys = owner * self._total
        self._keys += self._weight_to[owned] - weights[owned] - owned_before
        self._free = self._total - (owned_weight[self._start[1:]] - owned_weight[self._start[:-1]])
        self._owned_weight = owned_weight

    def check(self, users: np.ndarray) -> None:
        """Refuse users who have every item that could be drawn.

        Raises:
            NoNegativeError: one of `users` has them all.
        """
        free = self._free[users]
        if len(free) and free.min() == 0:
            user = users[np.argmin(free)]
            raise NoNegativeError(
                f"Negatives: user {user} has interacted with all items that could be drawn "
                f"({self._start[user + 1] - self._start[user]:,}), so none is left as a negative; drop such users "
                "(user_inter_num_interval)."
            )

    def sample(self, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One item for each of `users` (n,): int64 (n,).

        Raises:
            NoNegativeError: one of `users` has every item that could be drawn.
        """
        return self.find(users, self.draw(users, rng))

    def draw(self, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The random half of `sample`: a number for each of `users`, for `find`."""
        self.check(users)
        return rng.integers(0, self._free[users])

    def find(self, users: Array, number: Array) -> Array:
        """The other half of `sample`: the item of each number. Arrays, or tensors where `on` put the sampler."""
        owned = _right_of(self._keys, users * self._total + number)
        number = number + (self._owned_weight[owned] - self._owned_weight[self._start[users]])
        return number + 1 if self._uniform else _right_of(self._weight_to, number)

    def on(self, device: torch.device) -> NegativeSampler:
        """This sampler, whose `find` works on tensors on `device`."""
        there = copy(self)
        for name in ("_keys", "_owned_weight", "_start", "_weight_to"):
            setattr(there, name, torch.from_numpy(getattr(self, name)).to(device))
        return there


def _right_of(ascending: Array, values: Array) -> Array:
    if isinstance(values, torch.Tensor):
        return torch.searchsorted(ascending, values, right=True)
    return np.searchsorted(ascending, values, side="right")


def item_weights(distribution: str, items: np.ndarray, n_items: int, alpha: float = 1.0) -> np.ndarray:
    """Integer weights of the items, int64 (n_items,); item 0, RecBole's padding, has weight 0.

    Args:
        distribution: `uniform`, or `popularity`: the item's count to the power `alpha`.
        items: the items of all interactions.
        alpha: 1 takes the counts as they are. Other powers are rounded to 2**-40 of their sum, so the probability of
            an item is off by at most 2**-40.

    Raises:
        ValueError: another distribution.
    """
    if distribution == "uniform":
        return np.concatenate(([0], np.ones(n_items - 1, np.int64)))
    if distribution != "popularity":
        raise ValueError(f"Negatives: '{distribution}' is not a distribution; use 'uniform' or 'popularity'.")
    counts = np.bincount(items, minlength=n_items)
    counts[0] = 0
    if alpha == 1.0:
        return counts
    power = np.where(counts > 0, np.maximum(counts, 1).astype(np.float64) ** alpha, 0)
    return np.rint(power / power.sum() * 2**40).astype(np.int64)
