"""By how much each pair of a batch is won: the score of the positive over the negative, and its gradient.

Written down as products of rows, the pairs of a large batch are the larger half of a step, for each of a dozen
operations reads and writes a table of (n, d). Here a few thousand pairs at a time stay in the cache, and the gradient
is a product with a sparse matrix, as a layer of the propagation is, so that no such table is made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .sparse import Rows

AT_ONCE = 4096


def margins(users: Tensor, items: Tensor, user_at: Tensor, positive_at: Tensor, negative_at: Tensor) -> Tensor:
    """users[user_at] . (items[positive_at] - items[negative_at]), shape (n,); differentiable once in both tables.

    users (k, d), items (m, d); the places, int64 (n,), may repeat.
    """
    if users.device.type == "cpu":
        return _Margins.apply(users, items, user_at, positive_at, negative_at)
    # index_select: the backward of indexing by brackets sorts, and takes four times as long.
    difference = items.index_select(0, positive_at) - items.index_select(0, negative_at)
    return (users.index_select(0, user_at) * difference).sum(1)


class _Margins(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, *places: Tensor) -> Tensor:
        users, items = users.detach(), items.detach()
        ctx.save_for_backward(users, items, *places)
        found = users.new_empty(len(places[0]))
        for start in range(0, len(found), AT_ONCE):
            user, positive, negative = (at[start : start + AT_ONCE] for at in places)
            difference = items.index_select(0, positive)
            difference -= items.index_select(0, negative)
            difference *= users.index_select(0, user)
            torch.sum(difference, 1, out=found[start : start + AT_ONCE])
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        users, items, user_at, positive_at, negative_at = ctx.saved_tensors
        pairs = _by_row(user_at, gradient, len(users))
        user_grad = replace(pairs, indices=positive_at[pairs.indices]).matmul(items)
        user_grad -= replace(pairs, indices=negative_at[pairs.indices]).matmul(items)
        both = _by_row(torch.cat((positive_at, negative_at)), torch.cat((gradient, -gradient)), len(items))
        item_grad = replace(both, indices=torch.cat((user_at, user_at))[both.indices]).matmul(users)
        return user_grad, item_grad, None, None, None


def _by_row(at: Tensor, values: Tensor, n_rows: int) -> Rows:
    """The sparse matrix (n_rows, n) that holds `values[j]` at (at[j], j): the pairs of every row together."""
    starts = torch.arange(len(at) + 1, dtype=torch.int32)
    return Rows(at.int(), starts, values, (len(at), n_rows)).transpose()
