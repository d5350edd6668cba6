"""LightGCN's propagation and its hand-written adjoint, computed only where the batch looks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .graph import Graph, Layer


@torch.no_grad()
def propagate(graph: Graph, users: Tensor, items: Tensor, n_layers: int) -> tuple[Tensor, Tensor]:
    """The final embeddings of all users and items: the mean of layers 0..n_layers. Not differentiable.

    users (n_users, d), items (n_items, d): layer 0. Returns two tensors of the same shapes.
    Source: He et al., "LightGCN", SIGIR 2020, equations 3, 4 and 8 with alpha_k = 1 / (K + 1).
    """
    user_sum, item_sum = users.clone(), items.clone()
    for layer in _layers(graph, n_layers):
        users, items = layer.from_items.matmul(items), layer.from_users.matmul(users)
        inside = layer is not graph.leave
        user_sum += users.index_select(0, graph.user_rank) if inside else users
        item_sum += items.index_select(0, graph.item_rank) if inside else items
    scale = 1 / (n_layers + 1)
    return user_sum.mul_(scale), item_sum.mul_(scale)


def _layers(graph: Graph, n_layers: int) -> list[Layer]:
    """The layers in turn; a single one must read and write the caller's order, so its graph is not reordered."""
    if n_layers == 1 and graph.enter is not graph.leave:
        raise ValueError("One layer cannot be reordered; build its graph with reorder=False.")
    return [graph.enter, *[graph.inner] * (n_layers - 2), graph.leave][: max(n_layers, 0)] if n_layers else []


def propagate_rows(
    graph: Graph, users: Tensor, items: Tensor, user_ids: Tensor, item_ids: Tensor, n_layers: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`propagate` for these users and items alone, differentiable once in `users` and `items`.

    user_ids, item_ids: int64, **no id twice**. Returns the final user rows and item rows, then the same rows of
    layer 0, which an L2 penalty needs: both gradients leave in one dense tensor.

    The layers before the last are computed for every node, the last one only for the rows asked for: a batch
    of 2,048 touches 16 % of Gowalla's edges there. The operator is symmetric, so the adjoint is the same
    propagation of the gradient, with the restricted layer first: 4.33 layers in place of 6 when n_layers is 3.
    """
    return _PropagateRows.apply(users, items, graph, user_ids, item_ids, n_layers)


class _PropagateRows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, users: Tensor, items: Tensor, graph: Graph, user_ids: Tensor, item_ids: Tensor, n_layers: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        users, items = users.detach(), items.detach()  # else every product prepares for a gradient of its own
        nodes = graph.user_rank[user_ids], graph.item_rank[item_ids]
        ctx.graph, ctx.n_layers, ctx.ids, ctx.nodes = graph, n_layers, (user_ids, item_ids), nodes
        ctx.shapes = users.shape, items.shape
        first_users, first_items = users.index_select(0, user_ids), items.index_select(0, item_ids)
        user_sum, item_sum = first_users.clone(), first_items.clone()
        layers = _layers(graph, n_layers)
        for layer in layers[:-1]:
            users, items = layer.from_items.matmul(items), layer.from_users.matmul(users)
            user_sum += users.index_select(0, nodes[0])
            item_sum += items.index_select(0, nodes[1])
        for last in layers[-1:]:
            ctx.user_rows, ctx.item_rows = last.from_items.take(user_ids), last.from_users.take(item_ids)
            user_sum += ctx.user_rows.matmul(items)
            item_sum += ctx.item_rows.matmul(users)
        scale = 1 / (n_layers + 1)
        return user_sum.mul_(scale), item_sum.mul_(scale), first_users, first_items

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, user_grad: Tensor, item_grad: Tensor, first_user_grad: Tensor, first_item_grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        graph, n_layers = ctx.graph, ctx.n_layers
        (user_ids, item_ids), (user_nodes, item_nodes) = ctx.ids, ctx.nodes
        scale = 1 / (n_layers + 1)
        user_grad, item_grad = user_grad * scale, item_grad * scale
        if n_layers:
            # The transpose of `leave`'s rows for all items is at hand: `enter`'s for users.
            enter, leave = graph.enter, graph.leave
            to_users = enter.from_items if ctx.item_rows is leave.from_users else ctx.item_rows.transpose()
            to_items = enter.from_users if ctx.user_rows is leave.from_items else ctx.user_rows.transpose()
            users, items = to_users.matmul(item_grad), to_items.matmul(user_grad)
        else:
            users, items = user_grad.new_zeros(ctx.shapes[0]), item_grad.new_zeros(ctx.shapes[1])
        # The transpose of `enter` is `leave`: the gradient's layers are the forward ones but the first, in turn.
        for layer in _layers(graph, n_layers)[1:]:
            users.index_add_(0, user_nodes, user_grad)
            items.index_add_(0, item_nodes, item_grad)
            users, items = layer.from_items.matmul(items), layer.from_users.matmul(users)
        users.index_add_(0, user_ids, user_grad + first_user_grad)
        items.index_add_(0, item_ids, item_grad + first_item_grad)
        return users, items, None, None, None, None
