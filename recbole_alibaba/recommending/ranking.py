"""The best items of many users with their scores, from vectors or from a model's own scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.evaluation.top_k import BUFFER_BYTES, largest, top_k

Ranking = tuple[np.ndarray, np.ndarray]
"""Items, int64 (n, k), and their scores, float32 (n, k); item 0 ends a list of fewer than k."""


class Ranker(Protocol):
    """Ranks items for users of the data by their internal ids."""

    def __call__(self, users: np.ndarray, hidden: UserLists, k: int, subset: np.ndarray | None) -> Ranking:
        """The k best items of each user but his hidden ones; `subset` (ascending ids) limits the items."""


class VectorRanker:
    """Ranks by dot products. Of items with equal scores **the lower internal id comes first**.

    Args:
        users, items: float32 tables, (n_users, d) and (n_items, d).
    """

    def __init__(self, users: Tensor, items: Tensor) -> None:
        self.users, self.items = users, items

    def __call__(self, users: np.ndarray, hidden: UserLists, k: int, subset: np.ndarray | None) -> Ranking:
        """See `Ranker`."""
        return self.of_vectors(self.users[torch.from_numpy(users)], hidden, k, subset)

    def of_vectors(self, vectors: Tensor, hidden: UserLists, k: int, subset: np.ndarray | None) -> Ranking:
        """The same for vectors (n, d) of any users."""
        items = self.items
        if subset is not None:
            places = np.append(0, subset)
            items = items[torch.from_numpy(places)]
            hidden = _renumbered(hidden, places, len(self.items))
        found, scores = (part.numpy() for part in top_k(vectors, items, hidden, k))
        return (found if subset is None else places[found]), scores


class ScoreRanker:
    """Ranks by whole rows of scores, for a model without vectors. Equal scores: the lower internal id first.

    Args:
        score: returns the scores (n, n_items) of users by their internal ids.
    """

    def __init__(self, score: Callable[[np.ndarray], Tensor], n_items: int) -> None:
        self.score, self.n_items = score, n_items

    def __call__(self, users: np.ndarray, hidden: UserLists, k: int, subset: np.ndarray | None) -> Ranking:
        """See `Ranker`."""
        left_out = torch.ones(self.n_items, dtype=torch.bool)
        left_out[1:] = subset is not None
        if subset is not None:
            left_out[torch.from_numpy(subset)] = False
        items, values = np.zeros((len(users), k), np.int64), np.empty((len(users), k), np.float32)
        step = max(BUFFER_BYTES // (4 * self.n_items), 1)
        for start in range(0, len(users), step):
            block = slice(start, min(start + step, len(users)))
            mine, scores = hidden[block], self.score(users[block]).float().cpu()
            scores[:, left_out] = -torch.inf
            scores[mine.rows, mine.items] = -torch.inf
            value, at = largest(scores, k)
            items[block], values[block] = torch.where(value > -torch.inf, at, 0).numpy(), value.numpy()
        return items, values


def _renumbered(hidden: UserLists, places: np.ndarray, n_items: int) -> UserLists:
    """The lists in the numbers of a subset: item `places[p]` becomes p, and others are left out."""
    number = np.zeros(n_items, np.int64)
    number[places] = np.arange(len(places))
    items = number[hidden.items]
    kept = items > 0
    return UserLists.from_pairs(hidden.rows[kept], items[kept], len(hidden), len(places))
