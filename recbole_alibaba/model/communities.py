"""An order of users and items that keeps neighbours close in memory: communities, one after the other.

A product fetches a row for each end of each edge. Where the rows that a stretch of nodes needs are few, they are still
in the core's cache when they are needed again. Gowalla's users stay in their own cities: in this order a product takes
0.6 of the time it takes in reverse Cuthill-McKee's, and half of what it takes in a random one.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from .sparse import Rows

VECTORS, ROUNDS = 16, 5
NODES, MOST = 1000, 256
"""Nodes a community should have, and how many communities there are at the most."""
SAMPLE = 50_000
"""Nodes by which the communities are found."""


def close_order(from_items: Rows, from_users: Rows) -> tuple[np.ndarray, np.ndarray]:
    """(users, items): the ids in their order, the busiest of a community first.

    The communities are clusters of the nodes by the matrix's leading singular vectors (Dhillon, "Co-clustering
    documents and words using bipartite spectral graph partitioning", KDD 2001), which a few rounds of subspace
    iteration find well enough. What they find decides how fast a product is, not what it is.
    """
    degrees = [torch.diff(side.offsets).clamp(min=1) for side in (from_items, from_users)]
    vectors = min(VECTORS, *from_items.shape)
    if vectors == 1:
        return np.arange(len(degrees[0])), np.arange(len(degrees[1]))
    generator = torch.Generator().manual_seed(0)
    items = torch.randn(len(degrees[1]), vectors, generator=generator)
    items[:, 0] = degrees[1].sqrt()  # the first vector is known, and says nothing
    for _ in range(ROUNDS):
        users = from_items.matmul(items)
        items = torch.linalg.qr(from_users.matmul(users)).Q.contiguous()
    degree = torch.cat(degrees)
    community = _clusters((torch.cat((users, items)) / degree.sqrt()[:, None])[:, 1:])
    sides = zip(*(np.split(x, [len(users)]) for x in (community, degree.numpy())), strict=True)
    first, second = (np.lexsort((-busy, found)) for found, busy in sides)
    return first, second


def _clusters(vectors: Tensor) -> np.ndarray:
    places = torch.nn.functional.normalize(vectors).numpy()
    sample = np.random.default_rng(0).permutation(len(places))[:SAMPLE]
    means = MiniBatchKMeans(min(max(len(places) // NODES, 2), MOST), batch_size=4096, n_init=1, random_state=0)
    return means.fit(places[sample]).predict(places)
