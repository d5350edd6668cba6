"""A list of items for each of many users, as two arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lists:
    """A list of item ids for each of n users: user k's is `items[start[k]:start[k + 1]]`, ascending, no repeats."""

    start: np.ndarray
    items: np.ndarray

    @classmethod
    def of_pairs(cls, rows: np.ndarray, items: np.ndarray, n: int, n_items: int) -> Lists:
        """From pairs (row, item) in any order; repeats count once."""
        bits = n_items.bit_length()
        keys = rows.astype(np.int64) << bits
        keys |= items
        keys.sort()
        if (again := keys[1:] == keys[:-1]).any():  # numpy 2.4's `unique` hashes, ten times slower.
            keys = keys[np.append(True, ~again)]
        start = np.concatenate(([0], np.cumsum(np.bincount(keys >> bits, minlength=n))))
        keys &= (1 << bits) - 1
        return cls(start, keys)

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.start)

    @property
    def rows(self) -> np.ndarray:
        return np.repeat(np.arange(len(self)), self.lengths)

    def __getitem__(self, part: slice) -> Lists:
        start = self.start[part.start : part.stop + 1]
        return Lists(start - start[0], self.items[start[0] : start[-1]])

    def take(self, rows: np.ndarray) -> Lists:
        """The lists of these rows, in their order."""
        lengths = self.lengths[rows]
        start = np.concatenate(([0], np.cumsum(lengths)))
        return Lists(start, self.items[np.arange(start[-1]) + np.repeat(self.start[rows] - start[:-1], lengths)])

    def without(self, others: Lists, n_items: int) -> Lists:
        """Each list less the items of the same row of `others`."""
        keys, wanted = (side.rows * n_items + side.items for side in (self, others))
        at = np.searchsorted(keys, wanted)
        kept = np.ones(len(keys), bool)
        kept[at[np.append(keys, -1)[at] == wanted]] = False
        return Lists(np.concatenate(([0], np.cumsum(kept)))[self.start], self.items[kept])

    def contains(self, items: np.ndarray, n_items: int) -> np.ndarray:
        """Which of `items` (n, k) are in their row's list: bool (n, k)."""
        if not len(self.items):
            return np.zeros(items.shape, bool)
        keys, wanted = self.rows * n_items + self.items, np.arange(len(self))[:, None] * n_items + items
        return keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
