"""A list of items for each of many users, as two arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class UserLists:
    """Item ids for each of n users: user k has `items[start[k]:start[k + 1]]`, ascending, without repeats."""

    start: np.ndarray
    items: np.ndarray

    @classmethod
    def from_pairs(cls, rows: np.ndarray, items: np.ndarray, n: int, n_items: int) -> UserLists:
        """The lists of n users from pairs (row, item) in any order; a repeated pair counts once."""
        bits = n_items.bit_length()
        keys = rows.astype(np.int64) << bits
        keys |= items
        keys.sort()
        if (repeated := keys[1:] == keys[:-1]).any():  # `np.unique` of numpy 2.4 hashes, which is ten times slower
            keys = keys[np.append(True, ~repeated)]
        start = np.concatenate(([0], np.cumsum(np.bincount(keys >> bits, minlength=n))))
        keys &= (1 << bits) - 1
        return cls(start, keys)

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def lengths(self) -> np.ndarray:
        """The number of items of each user, (n,)."""
        return np.diff(self.start)

    @property
    def rows(self) -> np.ndarray:
        """The user of each entry of `items`."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def __getitem__(self, part: slice) -> UserLists:
        start = self.start[part.start : part.stop + 1]
        return UserLists(start - start[0], self.items[start[0] : start[-1]])

    def take(self, rows: np.ndarray) -> UserLists:
        """The lists of these users, in the order of `rows`."""
        lengths = self.lengths[rows]
        start = np.concatenate(([0], np.cumsum(lengths)))
        return UserLists(start, self.items[np.arange(start[-1]) + np.repeat(self.start[rows] - start[:-1], lengths)])

    def without(self, others: UserLists, n_items: int) -> UserLists:
        """Each list without the items that the same user has in `others`."""
        keys, removed = (side.rows * n_items + side.items for side in (self, others))
        at = np.searchsorted(keys, removed)
        kept = np.ones(len(keys), bool)
        kept[at[np.append(keys, -1)[at] == removed]] = False
        return UserLists(np.concatenate(([0], np.cumsum(kept)))[self.start], self.items[kept])

    def contains(self, items: np.ndarray, n_items: int) -> np.ndarray:
        """Whether each of `items` (n, k) is in the list of its row: bool (n, k)."""
        if not len(self.items):
            return np.zeros(items.shape, bool)
        keys, wanted = self.rows * n_items + self.items, np.arange(len(self))[:, None] * n_items + items
        return keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
