"""The normalised user-item graph, from index arrays: one sparse matrix and its transpose, by rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from scipy.sparse.csgraph import reverse_cuthill_mckee
from torch import Tensor


class GraphError(ValueError):
    """The interactions do not form a user-item graph."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A sparse matrix by rows: row r holds `weights[a:b]` in the columns `indices[a:b]`, (a, b) = offsets[r:r+2].

    indices, offsets: int32 (int64 from 2**31 entries on); weights: float32; shape: (rows, columns).
    """

    indices: Tensor
    offsets: Tensor
    weights: Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: sp.csr_matrix, device: torch.device | str = "cpu") -> Rows:
        index = np.int32 if matrix.nnz < 2**31 else np.int64
        parts = (matrix.indices.astype(index, copy=False), matrix.indptr.astype(index, copy=False), matrix.data)
        indices, offsets, weights = (torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in parts)
        return cls(indices, offsets, weights, matrix.shape)

    def matmul(self, dense: Tensor) -> Tensor:
        """This matrix times `dense` (columns, d), in the dtype of `dense`. Not differentiable; see propagation.py."""
        return _embedding_bag(self, dense) if dense.device.type == "cpu" else _sparse_mm(self, dense)

    def take(self, rows: Tensor) -> Rows:
        """The matrix of these rows only, in their order; itself, where they are all of them in its own.

        rows: int64 (k,), on the device of the matrix.
        """
        if len(rows) == self.shape[0] and torch.equal(rows, torch.arange(len(rows), device=rows.device)):
            return self
        if self.indices.device.type == "cpu":  # scipy's loop takes 0.6 ms where the gathers below take 1.5
            return Rows.of(self._scipy()[rows.numpy()])
        return _take(self, rows)

    def transpose(self) -> Rows:
        """The transposed matrix, by rows."""
        if self.indices.device.type == "cpu":  # 1.2 ms against 6.8
            return Rows.of(self._scipy().T.tocsr())
        return _transpose(self)

    @property
    def nbytes(self) -> int:
        return self.indices.nbytes + self.offsets.nbytes + self.weights.nbytes

    def _scipy(self) -> sp.csr_matrix:
        parts = (self.weights.numpy(), self.indices.numpy(), self.offsets.numpy())
        return sp.csr_matrix(parts, shape=self.shape, copy=False)


def _embedding_bag(matrix: Rows, dense: Tensor) -> Tensor:
    """The fastest sparse product torch has on a CPU: on Gowalla 5 ms where CSR takes 20 and `sparse.mm` 89."""
    if not len(matrix.indices):
        return dense.new_zeros(matrix.shape[0], dense.shape[1])
    weights = matrix.weights.to(dense.dtype)
    return F.embedding_bag(
        matrix.indices, dense, matrix.offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
    )


def _sparse_mm(matrix: Rows, dense: Tensor) -> Tensor:
    return _csr(matrix, dense.dtype) @ dense


def _take(matrix: Rows, rows: Tensor) -> Rows:
    start = matrix.offsets[rows].long()
    length = matrix.offsets[rows + 1].long() - start
    offsets = torch.cat((length.new_zeros(1), length.cumsum(0)))
    entries = torch.arange(int(offsets[-1]), device=rows.device)
    entries += torch.repeat_interleave(start - offsets[:-1], length, output_size=len(entries))
    shape = (len(rows), matrix.shape[1])
    return Rows(matrix.indices[entries], offsets.to(matrix.offsets.dtype), matrix.weights[entries], shape)


def _transpose(matrix: Rows) -> Rows:
    columns = _csr(matrix, matrix.weights.dtype).to_sparse_csc()
    return Rows(columns.row_indices(), columns.ccol_indices(), columns.values(), matrix.shape[::-1])


def _csr(matrix: Rows, dtype: torch.dtype) -> Tensor:
    parts = (matrix.offsets, matrix.indices, matrix.weights.to(dtype))
    return torch.sparse_csr_tensor(*parts, matrix.shape, check_invariants=False)


@dataclass(frozen=True, eq=False)
class Layer:
    """One propagation: `from_items` (n_users, n_items) is what a user gathers, `from_users` its transpose."""

    from_items: Rows
    from_users: Rows


@dataclass(frozen=True, eq=False)
class Graph:
    """LightGCN's bipartite graph, its inner layers in an order of nodes that keeps neighbours close in memory.

    `enter` reads tables in the caller's order and writes the inner order, `inner` stays in it, `leave` returns to
    the caller's order, so that no table is ever permuted. Id i is node `user_rank[i]` (`item_rank[i]`) inside.
    """

    enter: Layer
    inner: Layer
    leave: Layer
    user_rank: Tensor
    item_rank: Tensor

    @property
    def edges(self) -> int:
        return len(self.inner.from_items.indices)

    @property
    def nbytes(self) -> int:
        layers = {id(layer): layer for layer in (self.enter, self.inner, self.leave)}.values()
        ranks = self.user_rank.nbytes + self.item_rank.nbytes
        return ranks + sum(layer.from_items.nbytes + layer.from_users.nbytes for layer in layers)

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
    reorder: bool = True,
) -> Graph:
    """LightGCN's graph: edge (u, i) weighs 1 / sqrt(deg(u) deg(i)); a repeated pair is one edge.

    users, items: integer arrays (m,), u in [0, n_users), i in [0, n_items). Source: He et al., "LightGCN",
    SIGIR 2020, equation 3. `reorder`: the inner order is reverse Cuthill-McKee; it needs two layers or more.
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

    def layer(from_items: sp.csr_matrix, from_users: sp.csr_matrix) -> Layer:
        return Layer(Rows.of(from_items, device), Rows.of(from_users, device))

    back = links.T.tocsr()
    if not reorder:
        plain = layer(links, back)
        ranks = (torch.arange(n, device=device) for n in links.shape)
        return Graph(plain, plain, plain, *ranks)
    user_order, item_order = _close_order(links, back)
    user_rank, item_rank = np.argsort(user_order), np.argsort(item_order)
    rows, back_rows = links[user_order], back[item_order]
    ranks = (torch.from_numpy(rank).to(device) for rank in (user_rank, item_rank))
    return Graph(
        layer(rows, back_rows),
        layer(_renamed(rows, item_rank), _renamed(back_rows, user_rank)),
        layer(_renamed(links, item_rank), _renamed(back, user_rank)),
        *ranks,
    )


def _close_order(links: sp.csr_matrix, back: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Reverse Cuthill-McKee over users and items together, read off for each side."""
    n_users, nodes = links.shape[0], sum(links.shape)
    indices = np.concatenate((links.indices + n_users, back.indices))
    offsets = np.concatenate((links.indptr, back.indptr[1:] + links.indptr[-1]))
    square = sp.csr_matrix((np.ones(len(indices), np.int8), indices, offsets), shape=(nodes, nodes))
    order = reverse_cuthill_mckee(square, symmetric_mode=True)
    return order[order < n_users], order[order >= n_users] - n_users


def _renamed(matrix: sp.csr_matrix, rank: np.ndarray) -> sp.csr_matrix:
    """Column c becomes rank[c]; offsets and weights are shared. Not sorted inside a row: no product needs it."""
    return sp.csr_matrix((matrix.data, rank[matrix.indices], matrix.indptr), shape=matrix.shape, copy=False)
