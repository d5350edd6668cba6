"""A start near the end: layer 0 from the graph's leading singular vectors."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse.linalg import svds
from torch import Tensor

from ..host.errors import BadSettingError
from .graph import Graph

POWER = 2  # of the singular values; on Gowalla's validation pairs 2 ranks better, untrained, than -2, -1, 0 and 1


@torch.no_grad()
def spectral_(graph: Graph, users: Tensor, items: Tensor, std: float, seed: int) -> None:
    """Fill users (n_users, d) and items (n_items, d) with the d leading singular vectors of the normalised graph.

    Component k is weighed by its singular value to the power of 2, then all entries are scaled to a root mean
    square of `std`. LightGCN lets these directions pass and dampens the others, so training starts where a random
    start arrives late. A node without interactions starts at 0. ARPACK starts from `seed`: the same on every run.

    Raises:
        BadSettingError: d does not lie below both numbers of ids.
    """
    matrix, dimensions = graph.inner.from_items, users.shape[1]
    if dimensions >= min(matrix.shape):
        raise BadSettingError(
            f"init: spectral needs embedding_size ({dimensions}) below the number of users and of items "
            f"({matrix.shape[0]:,} and {matrix.shape[1]:,} with padding); lower it, or use init: xavier."
        )
    left, values, right = svds(matrix.to("cpu").scipy(), k=dimensions, rng=np.random.default_rng(seed))
    tables = left * values**POWER, right.T * values**POWER
    scale = std / np.sqrt(sum(np.square(table).sum() for table in tables) / sum(table.size for table in tables))
    for weight, table, rank in ((users, tables[0], graph.user_rank), (items, tables[1], graph.item_rank)):
        start = torch.from_numpy(np.ascontiguousarray(table * scale)).to(weight)
        weight.copy_(start.index_select(0, rank))
