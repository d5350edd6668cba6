"""LightGCN's vectors as sums over a user's own items: exact shares of a score, and vectors of new users.

The vector of a user u with the training items N(u), K layers:

    e_u = own_u + sum over i in N(u) of w_ui spread_i,    w_ui = 1 / sqrt(|N(u)| d_i)

`own_u` is the user's layer 0 divided by K + 1, `spread_i` the sum of the item's layers 0 to K - 1 divided by K + 1, and
d_i the number of training users of the item. So the score e_u . e_j is the sum of `own_u . e_j` and of one share
`w_ui spread_i . e_j` for each own item: no approximation.

With a softmax the score is `e_u . e_j / (temperature |e_u| |e_j|)` and the item's popularity (softmax_scores.py): the
same shares of the first part, and the popularity beside them.

A new user has no layer 0. His vector is the same sum over his items without `own_u`: one propagation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from recbole_alibaba.data.user_lists import UserLists


class ScoreParts(NamedTuple):
    """The scores of k items for a user, in parts; the sum over a column and the two others is the score.

    Args:
        own: the user's own part, (k,).
        items: his m training items, internal ids (m,).
        shares: (m, k).
        popularity: the items' popularity, (k,); zero unless the model learned by a softmax.
    """

    own: np.ndarray
    items: np.ndarray
    shares: np.ndarray
    popularity: np.ndarray


@dataclass(frozen=True)
class Shares:
    """What the sums need.

    Args:
        own: (n_users, d).
        spread: (n_items, d).
        degree: the number of training users of each item, (n_items,).
        temperature: of a softmax; else None.
    """

    own: Tensor
    spread: Tensor
    degree: np.ndarray
    temperature: float | None

    def fold_in(self, lists: UserLists) -> Tensor:
        """The vectors (n, d) of new users with these items, each of which some training user has."""
        weights = 1 / np.sqrt(np.repeat(lists.lengths, lists.lengths) * self.degree[lists.items].astype(np.float64))
        shape = len(lists), len(self.spread)
        matrix = sp.csr_matrix((weights.astype(np.float32), lists.items, lists.start), shape=shape)
        return torch.from_numpy(matrix @ self.spread.numpy())

    def of_scores(self, user: int, own_items: np.ndarray, vectors: Tensor) -> ScoreParts:
        """How the scores of a user divide.

        Args:
            own_items: the m training items of the user, distinct.
            vectors: k rows of the table `item`, (k, d), or (k, d + 1) with a softmax.
        """
        popularity = np.zeros(len(vectors))
        if self.temperature is not None:
            vectors, popularity = vectors[:, :-1], vectors[:, -1].double().numpy()
        weights = torch.from_numpy(1 / np.sqrt(len(own_items) * self.degree[own_items].astype(np.float64)))
        vectors = vectors.double()  # each share is rounded once, so that the sum is exact to 1e-5
        own = self.own[user].double()
        spread = weights[:, None] * self.spread[torch.from_numpy(own_items)].double()
        if self.temperature is not None:
            length = self.temperature * torch.linalg.vector_norm(own + spread.sum(0)).clamp_min(1e-12)
            own, spread = own / length, spread / length
        return ScoreParts((vectors @ own).numpy(), own_items, (spread @ vectors.T).numpy(), popularity)
