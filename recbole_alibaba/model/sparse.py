"""Sparse matrices in CSR form, and their products with dense tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor

LONGEST = 64
"""Entries that a GPU sums one after the other; a longer row is summed in pieces."""


@dataclass(frozen=True, eq=False)
class CsrMatrix:
    """A sparse matrix: row r has the values `weights[a:b]` in the columns `indices[a:b]`, (a, b) = offsets[r:r+2].

    indices, offsets: int32 (int64 from 2**31 entries on); weights: float32; shape: (rows, columns).
    levels: how `matmul` sums (`sums_in_levels`); empty for one sum a row.
    """

    indices: Tensor
    offsets: Tensor
    weights: Tensor
    shape: tuple[int, int]
    levels: tuple[Tensor, ...] = ()

    @classmethod
    def from_scipy(cls, matrix: sp.csr_matrix, device: torch.device | str = "cpu") -> CsrMatrix:
        """The same matrix on `device`, with float32 weights as they are."""
        index = np.int32 if matrix.nnz < 2**31 else np.int64
        parts = (matrix.indices.astype(index, copy=False), matrix.indptr.astype(index, copy=False), matrix.data)
        indices, offsets, weights = (torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in parts)
        levels: tuple[Tensor, ...] = ()
        if torch.device(device).type != "cpu":
            levels = tuple(torch.from_numpy(level).to(device) for level in sums_in_levels(parts[1], LONGEST))
        return cls(indices, offsets, weights, matrix.shape, levels)

    def matmul(self, dense: Tensor) -> Tensor:
        """This matrix times `dense` (columns, d), in the dtype of `dense`. Not differentiable (see propagation.py).

        The fastest product of torch on a CPU: 5 ms on Gowalla, CSR takes 20 ms and `sparse.mm` 89 ms. On a GPU it
        waits for nothing and adds in the same order each time, which `sparse.mm` does not promise.
        """
        if not len(self.indices):
            return dense.new_zeros(self.shape[0], dense.shape[1])
        first, *others = self.levels or (self.offsets,)
        sums = _sums(self.indices, dense, first, self.weights.to(dense.dtype))
        for level in others:
            sums = _sums(torch.arange(len(sums), dtype=level.dtype, device=dense.device), sums, level)
        return sums

    def take(self, rows: Tensor) -> CsrMatrix:
        """The matrix of these rows, int64 (k,), in their order; `self` if these are all rows in order. On the CPU."""
        if len(rows) == self.shape[0] and torch.equal(rows, torch.arange(len(rows))):
            return self
        return CsrMatrix.from_scipy(self._scipy()[rows.numpy()])  # 0.6 ms, and 1.5 ms by gathers of torch

    def transpose(self) -> CsrMatrix:
        """The transposed matrix. On the CPU."""
        return CsrMatrix.from_scipy(self._scipy().T.tocsr())  # 1.2 ms, and 6.8 ms in torch

    def _scipy(self) -> sp.csr_matrix:
        parts = (self.weights.numpy(), self.indices.numpy(), self.offsets.numpy())
        return sp.csr_matrix(parts, shape=self.shape, copy=False)


def sums_in_levels(offsets: np.ndarray, longest: int) -> list[np.ndarray]:
    """Offsets of sums of at most `longest` terms, level by level: each level adds up sums of the one before it.

    The first level adds entries, the last has a sum for each row. On a GPU one thread makes a sum, term after term:
    an item with a million interactions would keep all others waiting.

    Args:
        offsets: of the rows, (rows + 1,).
    """
    levels = []
    while (lengths := np.diff(offsets)).max(initial=0) > longest:
        pieces = -(-lengths // longest)
        ends = np.cumsum(pieces, dtype=offsets.dtype)
        place = np.arange(ends[-1], dtype=offsets.dtype) - np.repeat(ends - pieces, pieces)
        levels.append(np.append(np.repeat(offsets[:-1], pieces) + longest * place, offsets[-1]))
        offsets = np.append(offsets[:1] * 0, ends)
    return [*levels, offsets]


def _sums(indices: Tensor, dense: Tensor, offsets: Tensor, weights: Tensor | None = None) -> Tensor:
    return F.embedding_bag(indices, dense, offsets, mode="sum", per_sample_weights=weights, include_last_offset=True)
