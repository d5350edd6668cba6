"""How varied are the lists? Coverage, Gini index and average popularity, as RecBole defines them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def beyond_accuracy(items: np.ndarray, popularity: np.ndarray, topk: Sequence[int]) -> dict[str, float]:
    """`coverage@k`, `gini@k` and `average_popularity@k` for each k.

    They equal RecBole's ItemCoverage, GiniIndex and AveragePopularity, which count in loops over users and items. As
    there, RecBole's padding counts as an item of the catalogue.

    Args:
        items: the lists, int64 (n, at least the largest k); an item 0 ends a list that is shorter, and does not count.
        popularity: training interactions of each item, (n_items,).
    """
    found = {}
    for k in topk:
        shown = np.bincount(items[:, :k].ravel(), minlength=len(popularity))
        shown[0] = 0
        total = max(int(shown.sum()), 1)
        rank = np.arange(1, len(shown) + 1)
        gini = ((2 * rank - len(shown) - 1) * np.sort(shown)).sum() / (len(shown) * total)
        found[f"coverage@{k}"] = float((shown > 0).mean())
        found[f"gini@{k}"] = float(gini)
        found[f"average_popularity@{k}"] = float(shown @ popularity / total)
    return found
