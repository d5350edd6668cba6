"""Is the model's graph that of the training data, and does the model propagate over it by the formula?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_alibaba.diagnosis.checks.interactions import Interactions
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

COLUMNS = 4  # of the embeddings: each column propagates independently
TOLERANCE = 1e-3
ISOLATED = 0.5  # share of the users and items
MEAN_OF_LAYERS = ("LightGCN", "AlibabaLightGCN")


def graph(experiment: Experiment, data: Interactions) -> list[Verdict]:
    """4: the graph's edges are the training pairs, each 1 / sqrt(deg(u) deg(i)); propagation equals the formula.

    Source of the formula: He et al., LightGCN, SIGIR 2020, equations 3, 4 and 8.
    """
    found = adjacency(experiment)
    if found is None:
        return [not_examined("graph", "graph-empty", "no-graph")]
    expected = normalised(data)
    wanted = expected.nnz
    empty = Finding("graph-empty", "error", found.nnz, wanted, causes=("graph-empty",))
    if not found.nnz and wanted:
        return [judge("graph", empty, False)]
    off = float(abs(found - expected).max()) / max(float(expected.max()), 1e-30) if wanted else 0.0
    differs = Finding("graph-differs", "error", off, TOLERANCE, causes=("graph-differs",))
    users, items = data.positive_pairs
    nodes = max(data.n_users + data.n_items - 2, 1)
    alone = 1 - (len(np.unique(users)) + len(np.unique(items))) / nodes
    isolated = Finding("isolated-nodes", "warning", alone, ISOLATED, causes=("thin-data",))
    return [
        judge("graph", empty, True),
        judge("graph", differs, off <= TOLERANCE),
        judge("graph", isolated, alone <= ISOLATED),
        propagation(experiment.model, expected),
    ]


def propagation(model: Any, matrix: sp.csr_matrix) -> Verdict:
    """4: the model's final embeddings equal the mean of the layers, which is computed here on a few columns."""
    if type(model).__name__ not in MEAN_OF_LAYERS:
        return not_examined("graph", "propagation-differs", "another-propagation")
    model.eval()
    with torch.no_grad():
        final = torch.cat(list(model.forward())).double().cpu().numpy()[:, :COLUMNS]
    first = [model.user_embedding.weight, model.item_embedding.weight]
    layer = torch.cat(first).detach().double().cpu().numpy()[:, :COLUMNS]
    users = matrix.shape[0]
    total, layers = layer.copy(), int(model.n_layers)
    for _ in range(layers):
        layer = np.vstack((matrix @ layer[users:], matrix.T @ layer[:users]))
        total += layer
    total /= layers + 1
    off = float(np.abs(final - total).max() / max(np.abs(total).max(), 1e-30))
    differs = Finding("propagation-differs", "error", off, TOLERANCE, causes=("propagation-differs",))
    return judge("graph", differs, off <= TOLERANCE)


def normalised(data: Interactions) -> sp.csr_matrix:
    """The symmetrically normalised matrix of the distinct training pairs, users by items."""
    users, items = data.positive_pairs
    user_degree, item_degree = np.bincount(users)[users], np.bincount(items)[items]
    return sp.csr_matrix((1 / np.sqrt(user_degree * item_degree), (users, items)), shape=(data.n_users, data.n_items))


def adjacency(experiment: Experiment) -> sp.csr_matrix | None:
    """The user-item block of the model's graph, or None if the model has no graph that is known here."""
    model: Any = experiment.model
    own: Any = getattr(model, "graph", None)
    if hasattr(own, "inner"):
        part = own.inner.from_items
        arrays = (part.weights, part.indices, part.offsets)
        weights, indices, offsets = (array.cpu().numpy() for array in arrays)
        block = sp.csr_matrix((weights.astype(float), indices, offsets), shape=part.shape)
        return block[own.user_rank.cpu().numpy()][:, own.item_rank.cpu().numpy()]
    square = getattr(model, "norm_adj_matrix", None)
    if isinstance(square, torch.Tensor) and square.layout == torch.sparse_coo:
        square = square.coalesce().cpu()
        rows, columns = square.indices().numpy()
        values = square.values().double().numpy()
        whole = sp.csr_matrix((values, (rows, columns)), shape=square.shape)
        users = int(experiment.dataset.user_num)
        return whole[:users, users:]
    return None
