"""LightGCN's vectors as sums over a user's own items: exact shares of a score, and vectors of new users.

The vector of a user u with the training items N(u), K layers:

    e_u = own_u + sum over i in N(u) of w_ui spread_i,    w_ui = 1 / sqrt(|N(u)| d_i)

`own_u` is the user's layer 0 divided by K + 1, `spread_i` the sum of the item's layers 0 to K - 1 divided by K + 1, and
d_i the number of training users of the item. So the score e_u . e_j is the sum of `own_u . e_j` and of one share
`w_ui spread_i . e_j` for each own item: no approximation.

A new user has no layer 0. His vector is the same sum over his items without `own_u`: one propagation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from recbole_alibaba.data.user_lists import UserLists


@dataclass(frozen=True)
class Shares:
    """What the sums need.

    Args:
        own: (n_users, d).
        spread: (n_items, d).
        degree: the number of training users of each item, (n_items,).
    """

    own: Tensor
    spread: Tensor
    degree: np.ndarray

    def fold_in(self, lists: UserLists) -> Tensor:
        """The vectors (n, d) of new users with these items, each of which some training user has."""
        weights = 1 / np.sqrt(np.repeat(lists.lengths, lists.lengths) * self.degree[lists.items].astype(np.float64))
        shape = len(lists), len(self.spread)
        matrix = sp.csr_matrix((weights.astype(np.float32), lists.items, lists.start), shape=shape)
        return torch.from_numpy(matrix @ self.spread.numpy())

    def of_scores(self, user: int, own_items: np.ndarray, vectors: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """How the scores of a user divide: his own part (k,), and the shares of his training items (m, k).

        Args:
            own_items: the m training items of the user, distinct.
            vectors: the final vectors of k scored items, (k, d).
        """
        weights = torch.from_numpy(1 / np.sqrt(len(own_items) * self.degree[own_items].astype(np.float64)))
        vectors = vectors.double()  # each share is rounded once, so that the sum is exact to 1e-5
        shares = weights[:, None] * (self.spread[torch.from_numpy(own_items)].double() @ vectors.T)
        return (vectors @ self.own[user].double()).numpy(), shares.numpy()
