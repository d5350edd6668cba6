"""The batches of an epoch: users, items and negatives from index arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_alibaba.data.negatives import NegativeSampler
from recbole_alibaba.data.sorting import stable_argsort
from recbole_alibaba.processes import group


class TrainLoader:
    """Batches of (user, item, negative) for a pairwise model, in RecBole's layout.

    A batch holds `train_batch_size // k` interactions, where k is the number of negatives for each; they are repeated
    k times. Epoch e uses a generator seeded with (seed, e). So the number of threads changes nothing, and a run that
    is resumed needs only the number of the epoch.

    The batches are on the run's device and the same on each: the random numbers are drawn on the CPU, and all that
    follows from them, the negatives above all, is found on the device, once an epoch.

    `positive_sampling: interactions` takes each interaction once an epoch. `positive_sampling: users` makes as many
    draws; each draws a user, all equally likely, and then one of its interactions. So light users count as much as
    heavy ones. Source: the code of LightGCN's authors.

    In a run of several processes each gets its rows of every batch.

    Attributes:
        share: of the rows of the current batch that are this process's own, 0 to 1.
    """

    def __init__(self, config: Any, dataset: Any, sampler: NegativeSampler, *, shuffle: bool = True) -> None:
        self.config, self._dataset, self._sampler, self.shuffle = config, dataset, sampler, shuffle
        self.sampler = self  # RecBole calls `train_data.sampler.set_epoch`
        self._users = dataset.inter_feat[dataset.uid_field].numpy()
        self._items = dataset.inter_feat[dataset.iid_field].numpy()
        self._fields = (dataset.uid_field, dataset.iid_field, config["NEG_PREFIX"] + dataset.iid_field)
        self._by_user = stable_argsort(self._users)
        self._draws_users = config["positive_sampling"] == "users"
        sampler.check(self._users)
        self._device = torch.device(config["device"])
        self._finder = sampler if self._device.type == "cpu" else sampler.on(self._device)
        self._epoch, self.share = 0, 1.0
        self.update_config(config)

    def update_config(self, config: Any) -> None:
        """Take the batch size and the number of negatives from `config`; RecBole calls this."""
        self.times: int = config["train_neg_sample_args"]["sample_num"]
        self.step = max(config["train_batch_size"] // self.times, 1)

    def set_epoch(self, epoch: int) -> None:
        """The next pass over the loader is this epoch."""
        self._epoch = epoch

    @property
    def dataset(self) -> Any:
        """The training part of the data set."""
        return self._dataset

    def __len__(self) -> int:
        return -(-len(self._users) // self.step)

    def __iter__(self) -> Iterator[Interaction]:
        rng = np.random.default_rng([self.config["seed"], self._epoch])
        self._epoch += 1
        users, items, by_user = self._users, self._items, self._by_user
        if self._draws_users:
            drawn = self._draw_by_user(rng)
            users, items, by_user = users[drawn], items[drawn], np.arange(len(drawn))
        order = rng.permutation(len(users)) if self.shuffle else np.arange(len(users))
        negatives = self._negatives(users, by_user, rng)
        user, item, place = (self._there(array) for array in (users, items, order))
        for batch in place.split(self.step):
            rows = batch[group.rank() :: group.size()]
            self.share = len(rows) / len(batch)
            rows = rows if len(rows) else batch[:1]  # of share 0
            columns = (user[rows].repeat(self.times), item[rows].repeat(self.times), negatives[:, rows].reshape(-1))
            yield Interaction(dict(zip(self._fields, columns, strict=True)))

    def _draw_by_user(self, rng: np.random.Generator) -> np.ndarray:
        """Draw interactions for `positive_sampling: users`: int64 (m,), with repeats, sorted by user."""
        degree = np.bincount(self._users)
        start, active = np.cumsum(degree) - degree, np.flatnonzero(degree)
        user = np.sort(rng.choice(active, len(self._users)))
        return self._by_user[start[user] + rng.integers(0, degree[user])]

    def _negatives(self, users: np.ndarray, by_user: np.ndarray, rng: np.random.Generator) -> Tensor:
        """k negatives for each of `users` (m,): int64 (k, m). Users are drawn for in order: fast in the cache."""
        owners = users[by_user]
        drawn = torch.empty(self.times, len(users), dtype=torch.int64, device=self._device)
        if self._device.type == "cpu":
            for row in drawn.numpy():
                row[by_user] = self._sampler.sample(owners, rng)
            return drawn
        place, owners_there = self._there(by_user), self._there(owners)
        for row in drawn:
            row[place] = self._finder.find(owners_there, self._there(self._sampler.draw(owners, rng)))
        return drawn

    def _there(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self._device, non_blocking=True)
