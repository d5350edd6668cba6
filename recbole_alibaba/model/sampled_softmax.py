"""A softmax over the items of a batch: each other item is a negative, for the price of three dense products."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_alibaba.model.pair_scores import matrix_of_pairs

IN_CACHE, ON_A_GPU = 1 << 20, 1 << 26
"""Scores that are held at once: 4 MB on a CPU, 256 MB on a GPU."""


def sampled_softmax(
    users: Tensor, items: Tensor, user_at: Tensor, positive_at: Tensor, item_times: Tensor, temperature: float
) -> Tensor:
    """Mean cross-entropy of each pair's item among all items of the batch, a scalar; differentiable once.

    The logit of user u and item i is cos(e_u, e_i) / temperature. The items are the positives of the batch's pairs.
    Each counts once, however many pairs have it. Other items that the user has had are negatives, too. A model that
    guesses has a loss of the logarithm of the number of items.

    Source: Wu et al., "On the Effectiveness of Sampled Softmax Loss for Item Recommendation", TOIS 2024.

    Args:
        users, items: final embeddings, (n_users, d) and (n_items, d).
        user_at, positive_at: the rows of n pairs in them, int64 (n,).
        item_times: how often the batch names each row of `items`, integer (n_items,). Rows with 0 do not compete.
        temperature: above 0. The smaller it is, the more of the gradient goes to the items with the highest scores.
    """
    # A logit is at most 1 / temperature. With that subtracted, the exponentials need no maximum for each row.
    highest = torch.where(item_times > 0, -1 / temperature, -torch.inf).to(users.dtype)
    held = IN_CACHE if users.device.type == "cpu" else ON_A_GPU
    block = max(1, held // len(items))
    cosines = F.normalize(users, dim=1), F.normalize(items, dim=1)
    return _CrossEntropy.apply(*cosines, user_at, positive_at, highest, 1 / temperature, block)


def items_of_pairs(items: Tensor, positive_at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What `sampled_softmax` takes of the items: a row for each pair, where of equal ones the first competes.

    It is for GPUs, which then score n items in place of all of them, and need not wait for the number of distinct ones.
    The gradient has the same bits each time: of the rows that are summed for an item at most one is not zero.

    Args:
        items: final embeddings of all items, (n_items, d).
        positive_at: the rows of n pairs in them, int64 (n,).

    Returns:
        The rows, (n, d), the place of each pair's item among them, and how often each competes, 0 or 1.
    """
    at = positive_at.sort().values
    first = torch.cat((at.new_full((1,), -1), at[:-1])) != at
    return items.index_select(0, at), torch.searchsorted(at, positive_at), first.to(torch.int64)


class _CrossEntropy(torch.autograd.Function):
    """The gradient is computed with the loss, block by block, so that no score is kept or computed twice."""

    @staticmethod
    def forward(
        ctx: Any,
        users: Tensor,
        items: Tensor,
        user_at: Tensor,
        positive_at: Tensor,
        offset: Tensor,
        factor: float,
        block: int,
    ) -> Tensor:
        users, items, n = users.detach(), items.detach(), len(user_at)
        loss, pair_grad, item_grad = users.new_zeros(()), users.new_empty(n, users.shape[1]), torch.zeros_like(items)
        for start in range(0, n, block):
            rows = users.index_select(0, user_at[start : start + block])
            positive = positive_at[start : start + block].unsqueeze(1)
            scores = torch.addmm(offset, rows, items.T, alpha=factor).exp_()
            total = scores.sum(1, keepdim=True)
            loss += (total.log() - scores.gather(1, positive).log()).sum()
            scores.scatter_add_(1, positive, -total)  # over the total: the softmax minus 1 at the positive
            torch.mm(scores, items, out=pair_grad[start : start + block])
            pair_grad[start : start + block] /= total
            item_grad.addmm_(scores.T, rows.div_(total))
        by_user = matrix_of_pairs(user_at, users.new_ones(n), len(users))
        ctx.save_for_backward(by_user.matmul(pair_grad), item_grad)
        ctx.scale = factor / n
        return loss / n

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        user_grad, item_grad = ctx.saved_tensors
        scale = gradient * ctx.scale
        return user_grad * scale, item_grad * scale, None, None, None, None, None
