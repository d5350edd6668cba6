"""A shortcut that changes the maths: several batches read one propagation, with only their own rows kept fresh."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from .graph import Graph
from .propagation import propagate


class StalePropagation:
    """The final embeddings of some batches ago, moved along with layer 0 of the rows that are asked for.

    Of final = (layer 0 + ... + layer K) / (K + 1) the first term is today's and the others are those of the last
    `refresh`. A batch then costs its own rows, forward and backward; the gradient knows nothing of the neighbours.
    """

    def __init__(self) -> None:
        self._then: tuple[Tensor, Tensor, Tensor, Tensor, int] | None = None

    def refresh(self, graph: Graph, users: Tensor, items: Tensor, n_layers: int) -> None:
        final = propagate(graph, users.detach(), items.detach(), n_layers)
        self._then = (*final, users.detach().clone(), items.detach().clone(), n_layers)

    def rows(
        self, users: Tensor, items: Tensor, user_ids: Tensor, item_ids: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As `propagate_rows`: final user and item rows, then those of layer 0."""
        if self._then is None:
            raise RuntimeError("StalePropagation: refresh() comes before rows().")
        *then, n_layers = self._then
        first = F.embedding(user_ids, users), F.embedding(item_ids, items)
        moved = [
            final[ids] + (row - old[ids]) / (n_layers + 1)
            for ids, final, old, row in zip((user_ids, item_ids), then[:2], then[2:], first, strict=True)
        ]
        return moved[0], moved[1], *first
