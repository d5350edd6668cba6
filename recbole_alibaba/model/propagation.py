"""LightGCN's propagation and its hand-written gradient, for all nodes or for the rows of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recbole_alibaba.model.graph import Graph, Layer


@torch.no_grad()
def propagate(graph: Graph, users: Tensor, items: Tensor, n_layers: int) -> tuple[Tensor, Tensor]:
    """The final embeddings of all users and items: the mean of layers 0..n_layers. Not differentiable.

    Source: He et al., "LightGCN", SIGIR 2020, equations 3, 4 and 8 with alpha_k = 1 / (K + 1).

    Args:
        users, items: layer 0, (n_users, d) and (n_items, d).

    Returns:
        Two tensors of the same shapes.
    """
    users, items = users.index_select(0, graph.user_order), items.index_select(0, graph.item_order)
    user_sum, item_sum = users.clone(), items.clone()
    for _ in range(n_layers):
        users, items = graph.inner(users, items)
        user_sum += users
        item_sum += items
    sums = user_sum.div_(n_layers + 1), item_sum.div_(n_layers + 1)
    return sums[0].index_select(0, graph.user_rank), sums[1].index_select(0, graph.item_rank)


def propagate_all(graph: Graph, users: Tensor, items: Tensor, n_layers: int) -> tuple[Tensor, Tensor]:
    """`propagate`, differentiable once in `users` and `items`; the way of a GPU.

    The matrix is symmetric, so the gradient of a propagation is the propagation of the gradient. `propagate_rows`
    computes fewer rows, but on a GPU each step would wait to be told how many, and each row would have to be copied.
    """
    return _PropagateAll.apply(users, items, graph, n_layers)


class _PropagateAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, users: Tensor, items: Tensor, graph: Graph, n_layers: int) -> tuple[Tensor, Tensor]:
        ctx.graph, ctx.n_layers = graph, n_layers
        return propagate(graph, users.detach(), items.detach(), n_layers)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, user_grad: Tensor, item_grad: Tensor) -> tuple[Tensor | None, ...]:
        return (*propagate(ctx.graph, user_grad, item_grad, ctx.n_layers), None, None)


def propagate_rows(
    graph: Graph, users: Tensor, items: Tensor, user_ids: Tensor, item_ids: Tensor, n_layers: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The rows of `propagate` for these users and items, differentiable once in `users` and `items`; on the CPU.

    The layers before the last are computed for every node, the last one only for the rows of the batch: a batch of
    2,048 needs 16 % of Gowalla's edges there. The matrix is symmetric, so the gradient is propagated in the same way,
    with the restricted layer first. With 3 layers that is 4.33 full layers instead of 6.

    Args:
        users, items: layer 0, (n_users, d) and (n_items, d).
        user_ids, item_ids: int64, **each id at most once**; fastest in the order of the graph's nodes.

    Returns:
        The final rows of the users and of the items, then the same rows of layer 0. An L2 penalty needs the latter;
        this way both gradients go into one dense tensor.
    """
    return _PropagateRows.apply(users, items, graph, user_ids, item_ids, n_layers)


class _PropagateRows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, users: Tensor, items: Tensor, graph: Graph, user_ids: Tensor, item_ids: Tensor, n_layers: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        users, items = users.detach(), items.detach()  # otherwise autograd records every product
        ctx.graph, ctx.n_layers, ctx.ids = graph, n_layers, (user_ids, item_ids)
        ctx.shapes = users.shape, items.shape
        first_users, first_items = users.index_select(0, user_ids), items.index_select(0, item_ids)
        user_sum, item_sum = first_users.clone(), first_items.clone()
        if n_layers:
            ctx.nodes = user_nodes, item_nodes = graph.user_rank[user_ids], graph.item_rank[item_ids]
            if n_layers == 1:
                users, items = users.index_select(0, graph.user_order), items.index_select(0, graph.item_order)
            for number in range(1, n_layers):
                users, items = (graph.first if number == 1 else graph.inner)(users, items)
                user_sum += users.index_select(0, user_nodes)
                item_sum += items.index_select(0, item_nodes)
            ctx.last = Layer(graph.inner.from_items.take(user_nodes), graph.inner.from_users.take(item_nodes))
            users, items = ctx.last(users, items)
            user_sum += users
            item_sum += items
        scale = 1 / (n_layers + 1)
        return user_sum.mul_(scale), item_sum.mul_(scale), first_users, first_items

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, user_grad: Tensor, item_grad: Tensor, first_user_grad: Tensor, first_item_grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        graph, n_layers = ctx.graph, ctx.n_layers
        scale = 1 / (n_layers + 1)
        user_grad, item_grad = user_grad * scale, item_grad * scale
        if n_layers:
            inner, last = graph.inner, ctx.last
            # With all rows the transpose exists already: it is the other side of the layer.
            to_users = inner.from_items if last.from_users is inner.from_users else last.from_users.transpose()
            to_items = inner.from_users if last.from_items is inner.from_items else last.from_items.transpose()
            users, items = Layer(to_users, to_items)(user_grad, item_grad)
            for _ in range(n_layers - 1):
                users.index_add_(0, ctx.nodes[0], user_grad)
                items.index_add_(0, ctx.nodes[1], item_grad)
                users, items = inner(users, items)
            users, items = users.index_select(0, graph.user_rank), items.index_select(0, graph.item_rank)
        else:
            users, items = user_grad.new_zeros(ctx.shapes[0]), item_grad.new_zeros(ctx.shapes[1])
        users.index_add_(0, ctx.ids[0], user_grad + first_user_grad)
        items.index_add_(0, ctx.ids[1], item_grad + first_item_grad)
        return users, items, None, None, None, None
