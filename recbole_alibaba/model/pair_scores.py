"""How much higher each pair of a batch scores its positive than its negative, and the gradient of that.

Written as products of gathered rows, this is the larger half of a step with a large batch: each of a dozen operations
reads and writes a table of (n, d). On the CPU a few thousand pairs at a time stay in the cache instead, and the
gradient is a product with a sparse matrix, like a layer of the propagation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_alibaba.model.sparse import CsrMatrix

BLOCK = 4096


def score_differences(
    users: Tensor, items: Tensor, user_at: Tensor, positive_at: Tensor, negative_at: Tensor, *, block: int = BLOCK
) -> Tensor:
    """users[user_at] . (items[positive_at] - items[negative_at]), shape (n,); differentiable once in both tables.

    Args:
        users, items: (k, d) and (m, d).
        user_at, positive_at, negative_at: row numbers, int64 (n,); they may repeat.
        block: pairs that are scored at once on the CPU; a GPU scores all at once.
    """
    block = block if users.device.type == "cpu" else max(len(user_at), 1)
    return _ScoreDifferences.apply(users, items, user_at, positive_at, negative_at, block)


class _ScoreDifferences(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, users: Tensor, items: Tensor, user_at: Tensor, positive_at: Tensor, negative_at: Tensor, block: int
    ) -> Tensor:
        users, items = users.detach(), items.detach()
        ctx.save_for_backward(users, items, user_at, positive_at, negative_at)
        found = users.new_empty(len(user_at))
        for start in range(0, len(found), block):
            user, positive, negative = (at[start : start + block] for at in (user_at, positive_at, negative_at))
            difference = items.index_select(0, positive)
            difference -= items.index_select(0, negative)
            difference *= users.index_select(0, user)
            torch.sum(difference, 1, out=found[start : start + block])
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        users, items, user_at, positive_at, negative_at = ctx.saved_tensors
        pairs = matrix_of_pairs(user_at, gradient, len(users))
        user_grad = replace(pairs, indices=positive_at[pairs.indices]).matmul(items)
        user_grad -= replace(pairs, indices=negative_at[pairs.indices]).matmul(items)
        both = matrix_of_pairs(torch.cat((positive_at, negative_at)), torch.cat((gradient, -gradient)), len(items))
        item_grad = replace(both, indices=torch.cat((user_at, user_at))[both.indices]).matmul(users)
        return user_grad, item_grad, None, None, None, None


def matrix_of_pairs(at: Tensor, values: Tensor, n_rows: int) -> CsrMatrix:
    """The sparse matrix (n_rows, n) that has `values[j]` at (at[j], j)."""
    if at.device.type != "cpu":
        return matrix_of_pairs_by_sorting(at, values, n_rows)
    starts = torch.arange(len(at) + 1, dtype=torch.int32)
    return CsrMatrix(at.int(), starts, values, (len(at), n_rows)).transpose()


def matrix_of_pairs_by_sorting(at: Tensor, values: Tensor, n_rows: int) -> CsrMatrix:
    """The same for a GPU. The sort is stable, so a row is summed in the same order each time."""
    row, order = at.sort(stable=True)
    offsets = torch.searchsorted(row, torch.arange(n_rows + 1, device=at.device))
    return CsrMatrix(order, offsets, values[order], (n_rows, len(at)))
