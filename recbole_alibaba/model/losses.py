"""The two parts of LightGCN's loss, as pure functions of margins and rows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def bpr(margins: Tensor) -> Tensor:
    """Mean of softplus(-margin) over the pairs; margins: positive's score less the negative's, (n,), result a scalar.

    softplus(-x) = -log(sigmoid(x)), but its gradient does not vanish for a pair ranked badly wrong, where
    -log(1e-10 + sigmoid(x)) has none below x = -23. A model that guesses scores ln 2 = 0.6931.
    Source: Rendle et al., "BPR", UAI 2009.
    """
    return F.softplus(-margins).mean()


def l2(*rows: tuple[Tensor, Tensor], batch: int) -> Tensor:
    """Half the squared norm of a batch's layer-0 rows, over its size.

    Each of `rows` is a table (n, d) without repeats and how often the batch names each of its rows, integer (n,).
    Source: LightGCN's authors' code (half the squared norms of users, positives and negatives, over the batch size).
    """
    squares = (torch.dot(row.square().sum(1), times.to(row.dtype)) for row, times in rows)
    return sum(squares, start=rows[0][0].new_zeros(())) / (2 * batch)
