"""How well are the hits ranked? RecBole's metrics of lists, on average and for each user."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from recbole.evaluator import Evaluator
from recbole.evaluator.collector import DataStruct
from recbole.evaluator.metrics import NDCG, Recall

from recbole_alibaba.board.plan import METRICS

DECIMALS = 12
"""RecBole rounds what it returns; a record does not."""


def accuracy(hits: np.ndarray, lengths: np.ndarray, topk: Sequence[int]) -> dict[str, float]:
    """`recall@k`, `ndcg@k`, `mrr@k`, `hit@k`, `precision@k`, `map@k` for each k, by RecBole's own evaluator.

    Args:
        hits: whether each item of a list is a hit, bool (n, at least the largest k).
        lengths: the number of items that each user should find, int (n,), above 0.
    """
    longest = max(topk)
    struct = DataStruct()
    struct.set("rec.topk", torch.from_numpy(np.column_stack((hits[:, :longest], lengths)).astype(np.int64)))
    found = Evaluator(_settings(topk) | {"metrics": list(METRICS)}).evaluate(struct)
    return {name: float(value) for name, value in found.items()}


def of_each_user(hits: np.ndarray, lengths: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """`recall@k` and `ndcg@k` of each user, float64 (n,). Arguments: see `accuracy`."""
    metrics = {"recall": Recall(_settings([k])), "ndcg": NDCG(_settings([k]))}
    return {f"{name}@{k}": metric.metric_info(hits[:, :k], lengths)[:, -1] for name, metric in metrics.items()}


def _settings(topk: Sequence[int]) -> dict[str, object]:
    return {"topk": list(topk), "metric_decimal_place": DECIMALS}
