"""The two parts of LightGCN's loss, as pure functions of score differences and embedding rows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def bpr(differences: Tensor) -> Tensor:
    """Mean of softplus(-difference) over the pairs, a scalar.

    softplus(-x) is -log(sigmoid(x)), and its gradient stays near -1 for a pair that is ranked badly wrong. The
    gradient of -log(1e-10 + sigmoid(x)), which RecBole uses, vanishes below x = -23. A model that guesses has a loss
    of ln 2 = 0.6931. Source: Rendle et al., "BPR", UAI 2009.

    Args:
        differences: the score of the positive minus the score of the negative, (n,).
    """
    return F.softplus(-differences).mean()


def l2(*rows: tuple[Tensor, Tensor], batch: int) -> Tensor:
    """Half the squared norm of a batch's layer-0 rows, divided by the batch size; a scalar.

    Source: the code of LightGCN's authors (users, positives and negatives).

    Args:
        rows: tables (n, d) of distinct rows, each with the number of times that the batch names each row, integer (n,).
        batch: number of pairs.
    """
    squares = (torch.dot(row.square().sum(1), times.to(row.dtype)) for row, times in rows)
    return sum(squares, start=rows[0][0].new_zeros(())) / (2 * batch)
