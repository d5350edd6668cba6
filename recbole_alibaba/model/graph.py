"""LightGCN's user-item graph from index arrays: the normalised matrix and its transpose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from recbole_alibaba.model.node_order import node_order
from recbole_alibaba.model.sparse import CsrMatrix

SMALL = 8192
"""The embeddings of fewer nodes than this, 64 numbers each, fit into the cache of a core in any order."""


class GraphError(ValueError):
    """The interactions do not form a user-item graph."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One propagation step: `from_items` (n_users, n_items) sums over a user's items, `from_users` is its transpose."""

    from_items: CsrMatrix
    from_users: CsrMatrix

    def __call__(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """The next layer of the embeddings `users` (n_users, d) and `items` (n_items, d)."""
        return self.from_items.matmul(items), self.from_users.matmul(users)


@dataclass(frozen=True, eq=False)
class Graph:
    """LightGCN's bipartite graph. Its nodes are ordered so that neighbours are close in memory (node_order.py).

    `first` reads tables in the order of the ids and writes them in the order of the nodes; `inner` reads and writes
    the order of the nodes. Id i is node `user_rank[i]` (`item_rank[i]`); node k has the id `user_order[k]`
    (`item_order[k]`).
    """

    first: Layer
    inner: Layer
    user_order: Tensor
    item_order: Tensor
    user_rank: Tensor
    item_rank: Tensor

    @property
    def edges(self) -> int:
        """Number of distinct (user, item) pairs."""
        return len(self.inner.from_items.indices)

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors; a tensor that several matrices share counts once."""
        sides = (side for layer in (self.first, self.inner) for side in (layer.from_items, layer.from_users))
        tensors = [tensor for side in sides for tensor in (side.indices, side.offsets, side.weights)]
        tensors += [self.user_order, self.item_order, self.user_rank, self.item_rank]
        return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        """The graph itself: nothing changes a graph, and RecBole copies a model only to count its operations."""
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
    """LightGCN's graph: edge (u, i) has the weight 1 / sqrt(deg(u) deg(i)); a repeated pair is one edge.

    Source: He et al., "LightGCN", SIGIR 2020, equation 3.

    Args:
        users, items: integer arrays (m,), in [0, n_users) and [0, n_items).
        small: a graph of fewer nodes keeps the order of the ids.

    Raises:
        GraphError: the arrays differ in length, or an id is out of range.
    """
    if len(users) != len(items):
        raise GraphError(f"Building the graph: {len(users):,} users and {len(items):,} items; they must be pairs.")
    for ids, count, name in ((users, n_users, "user"), (items, n_items, "item")):
        if len(ids) and not (ids.min() >= 0 and ids.max() < count):
            raise GraphError(
                f"Building the graph: {name} ids run from {ids.min()} to {ids.max()}, "
                f"but there are {count:,} {name}s; ids must lie in [0, {count:,})."
            )
    links = sp.csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=(n_users, n_items))  # one a pair
    user_degree = np.diff(links.indptr)
    item_degree = np.bincount(links.indices, minlength=n_items)
    # In float64 and rounded once: with float32 degrees the last digit would be wrong.
    edge_degree = np.repeat(user_degree, user_degree).astype(np.float64) * item_degree[links.indices]
    links.data = (1 / np.sqrt(edge_degree)).astype(np.float32)
    back = links.T.tocsr()
    orders = (np.arange(n_users), np.arange(n_items))
    if reordered := n_users + n_items >= small:
        orders = node_order(CsrMatrix.from_scipy(links), CsrMatrix.from_scipy(back))
        links, back = links[orders[0]], back[orders[1]]
    ranks = tuple(map(np.argsort, orders))
    first = inner = Layer(CsrMatrix.from_scipy(links, device), CsrMatrix.from_scipy(back, device))
    tensors = [torch.from_numpy(array).to(device) for array in (*orders, *ranks)]
    if reordered:
        inner = Layer(_permuted(first.from_items, tensors[3]), _permuted(first.from_users, tensors[2]))
    return Graph(first, inner, *tensors)


def _permuted(matrix: CsrMatrix, rank: Tensor) -> CsrMatrix:
    """Column c becomes rank[c]. The entries of a row keep their order, so no sum depends on the order of the nodes."""
    return replace(matrix, indices=rank.to(matrix.indices.dtype)[matrix.indices])
