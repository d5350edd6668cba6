"""LightGCN's user-item graph, from index arrays: the normalised matrix and its transpose, by rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from .communities import close_order
from .sparse import Rows

SMALL = 8192
"""Nodes whose rows of 64 numbers fit into a core's cache in any order."""


class GraphError(ValueError):
    """The interactions do not form a user-item graph."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One propagation: `from_items` (n_users, n_items) is what a user gathers, `from_users` its transpose."""

    from_items: Rows
    from_users: Rows

    def __call__(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """users (n_users, d), items (n_items, d): the former layer; returns the next one."""
        return self.from_items.matmul(items), self.from_users.matmul(users)


@dataclass(frozen=True, eq=False)
class Graph:
    """LightGCN's bipartite graph, its nodes in an order that keeps neighbours close in memory.

    `inner` reads and writes tables in that order; `enter` reads them in the order of the ids, and writes that order.
    Id i is node `user_rank[i]` (`item_rank[i]`), node k has the id `user_order[k]` (`item_order[k]`).
    """

    enter: Layer
    inner: Layer
    user_order: Tensor
    item_order: Tensor
    user_rank: Tensor
    item_rank: Tensor

    @property
    def edges(self) -> int:
        return len(self.inner.from_items.indices)

    @property
    def nbytes(self) -> int:
        sides = (side for layer in (self.enter, self.inner) for side in (layer.from_items, layer.from_users))
        tensors = [tensor for side in sides for tensor in (side.indices, side.offsets, side.weights)]
        tensors += [self.user_order, self.item_order, self.user_rank, self.item_rank]
        return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        """Itself: nothing writes into a graph, and RecBole copies a model only to count its operations."""
        return self


def build_graph(
    users: np.ndarray,
    items: np.ndarray,
    n_users: int,
    n_items: int,
    device: torch.device | str = "cpu",
    *,
    small: int = SMALL,
) -> Graph:
    """LightGCN's graph: edge (u, i) weighs 1 / sqrt(deg(u) deg(i)); a repeated pair is one edge.

    users, items: integer arrays (m,), u in [0, n_users), i in [0, n_items). Source: He et al., "LightGCN",
    SIGIR 2020, equation 3. small: a graph of fewer nodes keeps the order of its ids.
    Raises GraphError for arrays of unequal length or ids out of range.
    """
    if len(users) != len(items):
        raise GraphError(f"Building the graph: {len(users):,} users against {len(items):,} items; give pairs.")
    for ids, count, name in ((users, n_users, "user"), (items, n_items, "item")):
        if len(ids) and not (ids.min() >= 0 and ids.max() < count):
            raise GraphError(
                f"Building the graph: {name} ids run from {ids.min()} to {ids.max()}, "
                f"but there are {count:,} {name}s; ids must lie in [0, {count:,})."
            )
    links = sp.csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=(n_users, n_items))
    links.sum_duplicates()
    user_degree = np.diff(links.indptr)
    item_degree = np.bincount(links.indices, minlength=n_items)
    # In double, then rounded once: float32 degrees would already be off in the last digit.
    edge_degree = np.repeat(user_degree, user_degree).astype(np.float64) * item_degree[links.indices]
    links.data = (1 / np.sqrt(edge_degree)).astype(np.float32)
    back = links.T.tocsr()
    orders = (np.arange(n_users), np.arange(n_items))
    if reordered := n_users + n_items >= small:
        orders = close_order(Rows.of(links), Rows.of(back))
        links, back = links[orders[0]], back[orders[1]]
    ranks = tuple(map(np.argsort, orders))
    enter = inner = Layer(Rows.of(links, device), Rows.of(back, device))
    tensors = [torch.from_numpy(array).to(device) for array in (*orders, *ranks)]
    if reordered:
        inner = Layer(_renamed(enter.from_items, tensors[3]), _renamed(enter.from_users, tensors[2]))
    return Graph(enter, inner, *tensors)


def _renamed(matrix: Rows, rank: Tensor) -> Rows:
    """Column c becomes rank[c]. Inside a row the entries stay in turn: no sum depends on the order of the nodes."""
    return replace(matrix, indices=rank.to(matrix.indices.dtype)[matrix.indices])
