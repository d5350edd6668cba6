"""A shortcut that changes the maths: several batches use one propagation, and only their own rows are up to date."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from recbole_alibaba.model.graph import Graph
from recbole_alibaba.model.propagation import propagate


class SharedPropagation:
    """The final embeddings of an earlier batch, corrected by the change of layer 0 in the rows of this batch.

    final = (layer 0 + ... + layer K) / (K + 1). Layer 0 is taken as it is now, the other layers as they were at the
    last `refresh`. So a batch costs only its own rows, forward and backward, and its gradient ignores the neighbours.
    """

    def __init__(self) -> None:
        self.saved: tuple[Tensor, Tensor, Tensor, Tensor, int] | None = None

    def refresh(self, graph: Graph, users: Tensor, items: Tensor, n_layers: int) -> None:
        """Propagate `users` (n_users, d) and `items` (n_items, d) and keep the result for the next batches."""
        final = propagate(graph, users.detach(), items.detach(), n_layers)
        self.saved = (*final, users.detach().clone(), items.detach().clone(), n_layers)

    def rows(
        self, users: Tensor, items: Tensor, user_ids: Tensor, item_ids: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What `propagate_rows` returns: final user rows, final item rows, then the same rows of layer 0.

        Raises:
            RuntimeError: `refresh` was never called.
        """
        if self.saved is None:
            raise RuntimeError("SharedPropagation: call refresh() before rows().")
        *saved, n_layers = self.saved
        first = F.embedding(user_ids, users), F.embedding(item_ids, items)
        moved = [
            final[ids] + (row - old[ids]) / (n_layers + 1)
            for ids, final, old, row in zip((user_ids, item_ids), saved[:2], saved[2:], first, strict=True)
        ]
        return moved[0], moved[1], *first
