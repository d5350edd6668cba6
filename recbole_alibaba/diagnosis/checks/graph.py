"""Is the graph the training data's graph, and does the model propagate over it as the formula says."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.subject import Subject

COLUMNS = 4  # of the embeddings; a column propagates by itself
TOLERANCE = 1e-3
ISOLATED = 0.5
MEAN_OF_LAYERS = ("LightGCN", "AlibabaLightGCN")


def graph(subject: Subject) -> list[Verdict]:
    """4: the graph has the training pairs as edges, each 1 / sqrt(deg deg); propagation equals the formula.

    Source of the formula: He et al., LightGCN, SIGIR 2020, equations 3, 4 and 8.
    """
    found = adjacency(subject)
    if found is None:
        return [not_examined("graph", "graph-empty", "no-graph")]
    expected = normalised(subject)
    wanted = expected.nnz
    empty = Finding("graph-empty", "error", found.nnz, wanted, causes=("graph-empty",))
    if not found.nnz and wanted:
        return [judge("graph", empty, False)]
    off = float(abs(found - expected).max()) / max(float(expected.max()), 1e-30) if wanted else 0.0
    differs = Finding("graph-differs", "error", off, TOLERANCE, causes=("graph-differs",))
    users, items = np.divmod(subject.positives, subject.n_items)
    nodes = max(subject.n_users + subject.n_items - 2, 1)
    alone = 1 - (len(np.unique(users)) + len(np.unique(items))) / nodes
    isolated = Finding("isolated-nodes", "warning", alone, ISOLATED, causes=("thin-data",))
    return [
        judge("graph", empty, True),
        judge("graph", differs, off <= TOLERANCE),
        judge("graph", isolated, alone <= ISOLATED),
        propagation(subject, expected),
    ]


def propagation(subject: Subject, matrix: sp.csr_matrix) -> Verdict:
    """4: the model's final embeddings equal the mean of the layers, computed here on a few columns."""
    model: Any = subject.model
    if type(model).__name__ not in MEAN_OF_LAYERS:
        return not_examined("graph", "propagation-differs", "another-propagation")
    model.eval()
    with torch.no_grad():
        final = torch.cat(list(model.forward())).double().cpu().numpy()[:, :COLUMNS]
    first = [model.user_embedding.weight, model.item_embedding.weight]
    layer = torch.cat(first).detach().double().cpu().numpy()[:, :COLUMNS]
    users = subject.n_users
    total, layers = layer.copy(), int(model.n_layers)
    for _ in range(layers):
        layer = np.vstack((matrix @ layer[users:], matrix.T @ layer[:users]))
        total += layer
    total /= layers + 1
    off = float(np.abs(final - total).max() / max(np.abs(total).max(), 1e-30))
    return judge(
        "graph",
        Finding("propagation-differs", "error", off, TOLERANCE, causes=("propagation-differs",)),
        off <= TOLERANCE,
    )


def normalised(subject: Subject) -> sp.csr_matrix:
    """The symmetric normalisation of the distinct training pairs, users by items."""
    rows, columns = np.divmod(subject.positives, subject.n_items)
    degree = (
        np.bincount(rows, minlength=subject.n_users)[rows] * np.bincount(columns, minlength=subject.n_items)[columns]
    )
    return sp.csr_matrix((1 / np.sqrt(degree), (rows, columns)), shape=(subject.n_users, subject.n_items))


def adjacency(subject: Subject) -> sp.csr_matrix | None:
    """The user-item block of the model's graph, or None for a model that shows none."""
    model: Any = subject.model
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
        return whole[: subject.n_users, subject.n_users :]
    return None
