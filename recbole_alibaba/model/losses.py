"""The two parts of LightGCN's loss, as pure functions of scores and rows."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Mean of softplus(negative - positive) over the pairs; scores of shape (n,), result a scalar.

    softplus(-x) = -log(sigmoid(x)), but its gradient does not vanish for a pair ranked badly wrong, where
    -log(1e-10 + sigmoid(x)) has none below x = -23. A model that guesses scores ln 2 = 0.6931.
    Source: Rendle et al., "BPR", UAI 2009.
    """
    return F.softplus(negative - positive).mean()


def l2(*rows: Tensor) -> Tensor:
    """Half the squared norm of all rows, over the batch size: each of `rows` has shape (n, d).

    Source: LightGCN's authors' code (half the squared norms of users, positives and negatives, over n).
    """
    return sum((row.square().sum() for row in rows), start=rows[0].new_zeros(())) / (2 * len(rows[0]))
