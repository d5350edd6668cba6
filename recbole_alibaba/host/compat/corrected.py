"""What RecBole computes wrongly or cannot compute: Pop's counts, AsymKNN's scores, three metrics."""

import importlib
from types import SimpleNamespace
from typing import Any

import numpy as np


def count_every_interaction() -> None:
    """RecBole's Pop counts an item once a batch, and counts sampled negatives. Can go when RecBole's Pop does neither.

    At `train_batch_size: 2048` a small log's counts are nearly all 1, and the baseline is nearly random.
    """
    pop: Any = importlib.import_module("recbole.model.general_recommender.pop").Pop
    if _counts_positives(pop):
        return
    inner = pop.__init__

    def __init__(self: Any, config: Any, dataset: Any) -> None:
        inner(self, config, dataset)
        self.LABEL = config["LABEL_FIELD"]

    pop.__init__, pop.calculate_loss = __init__, _count_positives


def _counts_positives(pop: Any) -> bool:
    import torch

    model = SimpleNamespace(ITEM_ID="item", LABEL="label", item_cnt=torch.zeros(3, 1, dtype=torch.long), device="cpu")
    pop.calculate_loss(model, {"item": torch.tensor([1, 1, 2]), "label": torch.tensor([1.0, 1.0, 0.0])})
    return bool(model.item_cnt.view(-1).tolist() == [0, 2, 0])


def _count_positives(self: Any, interaction: Any) -> Any:
    import torch

    items = interaction[self.ITEM_ID]
    if self.LABEL in interaction:  # a sampled negative has label 0
        items = items[interaction[self.LABEL] > 0]
    self.item_cnt.index_put_((items, torch.zeros_like(items)), torch.ones_like(items), accumulate=True)
    self.max_cnt = torch.max(self.item_cnt, dim=0)[0]
    return torch.nn.Parameter(torch.zeros(1)).to(self.device)


def weigh_neighbours_of_the_target() -> None:
    """RecBole's AsymKNN raises scores to `q`, not similarities, and with `knn_method: item` takes norms of wrong rows.

    Its defaults (`q: 1`, `beta: 1`) rank as they should. Aiolli's formulas: a similarity w becomes w^q, and the norm
    is that of the target item's similarities, a column of `w`. Can go when RecBole's `__init__` does this.
    """
    knn: Any = importlib.import_module("recbole.model.general_recommender.asymknn").AsymKNN
    inner = knn.__init__
    if inner.__module__ == __name__:
        return

    def __init__(self: Any, config: Any, dataset: Any) -> None:
        inner(self, config, dataset)
        self.pred_mat = _asymmetric_scores(self.w, self.interaction_matrix, self.method, self.beta, self.q).tolil()

    knn.__init__ = __init__


def _asymmetric_scores(similarity: Any, log: Any, method: str, beta: float, q: int) -> Any:
    """Scores (users, items) as a sparse matrix: a user's weight to the power `beta`, an item's to `1 - beta`."""
    from scipy.sparse import csr_matrix

    near = similarity.power(q)
    left, right = (near, log) if method == "user" else (log, near)
    rows, columns = (np.asarray(part.power(2).sum(axis=axis)) for part, axis in ((left, 1), (right, 0)))
    return csr_matrix(left.dot(right) / (rows**beta * columns ** (1 - beta) + 1e-6))


def collect_counts() -> None:
    """RecBole's collector calls `.cpu()` on its own counts: ItemCoverage, GiniIndex and AveragePopularity fail.

    This plugin's evaluation does not use it. Can go when RecBole moves tensors only.
    """
    collector: Any = importlib.import_module("recbole.evaluator.collector").Collector
    inner = collector.get_data_struct
    if inner.__module__ == __name__:
        return

    def get_data_struct(self: Any) -> Any:
        held = self.data_struct._data_dict
        counts = {name: held.pop(name) for name in list(held) if not hasattr(held[name], "cpu")}
        struct = inner(self)
        struct._data_dict.update(counts)
        held.update(counts)
        return struct

    collector.get_data_struct = get_data_struct
