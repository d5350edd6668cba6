"""Negatives without Python loops: exact draws from the items a user does not have, and the loader that serves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction

from .lists import Lists
from .order import stable_order


class NoNegativeError(ValueError):
    """A user has every item that could be drawn, so there is no negative."""


class NegativeSampler:
    """Draws items a user does not have, from a distribution over all items restricted to those.

    No rejection: the free items of a user form one stretch of mass from which a number is drawn, and two binary
    searches turn the number into an item. So the cost does not depend on how many items a user owns.

    Args:
        users, items: integer arrays (m,), what each user has; repeats do no harm.
        weights: integers (n_items,), the mass of each item; 0 is never drawn. Sampling keeps their proportions.
        n_users: number of user ids.

    The distribution is that of RecBole's Sampler, which draws until it meets an item the user does not have.
    """

    def __init__(self, users: np.ndarray, items: np.ndarray, weights: np.ndarray, n_users: int) -> None:
        self._total = int(weights.sum())
        # A key is user * total + mass and must fit into 63 bits.
        if n_users * self._total >= 2**63:
            raise ValueError(
                f"Negatives: {n_users:,} users times a total weight of {self._total:,} exceed 2**63; scale down."
            )
        self._mass_to = np.cumsum(weights, dtype=np.int64)
        self._uniform = bool(weights[0] == 0 and (weights[1:] == 1).all())
        lists = Lists.of_pairs(users, items, n_users, len(weights))
        self._start, owner, owned = lists.start, lists.rows, lists.items
        owned_mass = np.concatenate(([0], np.cumsum(weights[owned], dtype=np.int64)))
        # Mass the user owns before each of its items, and the free mass before it.
        owned_before = owned_mass[:-1] - owned_mass[self._start[owner]]
        self._keys = owner * self._total
        self._keys += self._mass_to[owned] - weights[owned] - owned_before
        self._free = self._total - (owned_mass[self._start[1:]] - owned_mass[self._start[:-1]])
        self._owned_mass = owned_mass

    def check(self, users: np.ndarray) -> None:
        """Raise NoNegativeError where one of `users` has everything that could be drawn."""
        free = self._free[users]
        if len(free) and free.min() == 0:
            user = users[np.argmin(free)]
            raise NoNegativeError(
                f"Negatives: user {user} has interacted with all items that could be drawn "
                f"({self._start[user + 1] - self._start[user]:,}), so none is left as a negative; drop such users "
                "(user_inter_num_interval)."
            )

    def sample(self, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One item for each of `users` (n,), int64 (n,). Raises NoNegativeError where a user has them all."""
        self.check(users)
        mass = rng.integers(0, self._free[users])
        owned = np.searchsorted(self._keys, users * self._total + mass, side="right")
        mass += self._owned_mass[owned] - self._owned_mass[self._start[users]]
        return mass + 1 if self._uniform else np.searchsorted(self._mass_to, mass, side="right")


def item_weights(distribution: str, items: np.ndarray, n_items: int, alpha: float = 1.0) -> np.ndarray:
    """Integer weights of the items, 0 for padding: `uniform`, or `popularity`, the item's count to the power alpha.

    items: the items of all interactions. Counts are taken as they are; other powers are rounded to 2**-40 of their
    sum, so at an alpha other than 1 an item's probability is off by at most that.
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


class TrainLoader:
    """Batches of (user, item, negative) for a pairwise model, in RecBole's layout, at the cost of a few gathers.

    A batch holds `train_batch_size // k` interactions, the block repeated k times where k negatives are asked for
    each. Epoch e draws from a generator seeded with (seed, e): the same on any number of threads, and a run resumed
    at an epoch needs no more than its number.

    `positive_sampling`: `interactions`, each once an epoch; or `users`, as many draws, each of a user, all alike, and
    of one of its interactions: light users count as much as heavy ones. Source: LightGCN's authors' code.
    """

    def __init__(self, config: Any, dataset: Any, sampler: NegativeSampler, *, shuffle: bool = True) -> None:
        self.config, self._dataset, self._sampler, self.shuffle = config, dataset, sampler, shuffle
        self.sampler = self  # RecBole calls `train_data.sampler.set_epoch`.
        self._users = dataset.inter_feat[dataset.uid_field].numpy()
        self._items = dataset.inter_feat[dataset.iid_field].numpy()
        self._fields = (dataset.uid_field, dataset.iid_field, config["NEG_PREFIX"] + dataset.iid_field)
        self._by_user = stable_order(self._users)
        self._user_even = config["positive_sampling"] == "users"
        sampler.check(self._users)
        self._epoch = 0
        self.update_config(config)

    def update_config(self, config: Any) -> None:
        self.times: int = config["train_neg_sample_args"]["sample_num"]
        self.step = max(config["train_batch_size"] // self.times, 1)

    def set_epoch(self, epoch: int) -> None:
        """The next pass is epoch `epoch`'s."""
        self._epoch = epoch

    @property
    def dataset(self) -> Any:
        return self._dataset

    def __len__(self) -> int:
        return -(-len(self._users) // self.step)

    def __iter__(self) -> Iterator[Interaction]:
        rng = np.random.default_rng([self.config["seed"], self._epoch])
        self._epoch += 1
        users, items, by_user = self._users, self._items, self._by_user
        if self._user_even:
            drawn = self._draw_by_user(rng)
            users, items, by_user = users[drawn], items[drawn], np.arange(len(drawn))
        order = rng.permutation(len(users)) if self.shuffle else np.arange(len(users))
        negatives = self._negatives(users, by_user, rng)
        for start in range(0, len(order), self.step):
            rows = order[start : start + self.step]
            batch = (np.tile(users[rows], self.times), np.tile(items[rows], self.times))
            columns = (*batch, negatives[:, rows].reshape(-1))
            yield Interaction(dict(zip(self._fields, map(torch.from_numpy, columns), strict=True)))

    def _draw_by_user(self, rng: np.random.Generator) -> np.ndarray:
        """As many interactions as there are, with repeats and in order of users: int64 (m,)."""
        degree = np.bincount(self._users)
        start, active = np.cumsum(degree) - degree, np.flatnonzero(degree)
        user = np.sort(rng.choice(active, len(self._users)))
        return self._by_user[start[user] + rng.integers(0, degree[user])]

    def _negatives(self, users: np.ndarray, by_user: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """k negatives for each of `users` (m,), int64 (k, m). Users in order: neighbours share cache lines."""
        drawn = np.empty((self.times, len(users)), np.int64)
        users = users[by_user]
        for row in drawn:
            row[by_user] = self._sampler.sample(users, rng)
        return drawn
