"""Does the evaluation give its best value to a model that knows the answers?"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recbole_alibaba.diagnosis.checks.interactions import pairs
from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment

MOST = 30_000_000  # users times items: more takes too long
FULL_MARKS = 0.99
COUNTED = ("hit", "mrr", "ndcg", "map", "auc", "gauc")  # a perfect ranking has 1, however many items are held out


class Oracle(nn.Module):
    """Scores 1 for a user's held-out items and 0 for all others.

    Args:
        users, items: the held-out pairs, (m,).
        shape: number of users and of items.
        fields: names of the columns of users and items.
        by_row: whether a row to rank has its own held-out item, as a sequence model's.
    """

    table: Tensor

    def __init__(
        self, users: np.ndarray, items: np.ndarray, shape: tuple[int, int], fields: tuple[str, str], by_row: bool
    ) -> None:
        super().__init__()
        (self.n_users, self.n_items), self.names, self.by_row = shape, fields, by_row
        table = torch.zeros(shape)
        table[torch.as_tensor(users), torch.as_tensor(items)] = 1.0
        self.register_buffer("table", table)

    @property
    def device(self) -> torch.device:
        """Where the scores are."""
        return self.table.device

    def full_sort_predict(self, interaction: Any) -> Tensor:
        """Scores of every item for each row, flat."""
        user, item = self.names
        if self.by_row:
            return F.one_hot(interaction[item], self.n_items).float().reshape(-1)
        return self.table[interaction[user]].reshape(-1)

    def predict(self, interaction: Any) -> Tensor:
        """One score for each row."""
        return self.table[interaction[self.names[0]], interaction[self.names[1]]]


def evaluation(experiment: Experiment, most: int = MOST) -> list[Verdict]:
    """4: the trainer's own evaluation ranks an oracle's held-out items first, up to ``most`` users times items."""
    trainer, data, dataset = experiment.trainer, experiment.valid_data, experiment.dataset
    shape = int(dataset.user_num), int(dataset.item_num)
    if data is None or shape[0] * shape[1] > most:
        return [not_examined("evaluation", "evaluation-broken", "too-large-to-evaluate")]
    users, items = pairs(data, dataset)
    rows, label = data._dataset.inter_feat, experiment.settings.get("LABEL_FIELD")
    if label in rows:
        liked = np.asarray(rows[label]) > 0
        users, items = users[liked], items[liked]
    fields, by_row = (dataset.uid_field, dataset.iid_field), bool(getattr(data, "is_sequential", False))
    oracle = Oracle(users, items, shape, fields, by_row).to(experiment.config["device"])
    model, trainer.model = trainer.model, oracle
    try:
        # A copy: an evaluation may keep things on its loader, and they must not outlive the oracle.
        result = trainer.evaluate(copy.copy(data), load_best_model=False) or {}
    finally:
        trainer.model = model
    best = [float(value) for name, value in result.items() if name.lower().split("@")[0] in COUNTED]
    least = FULL_MARKS
    if not best:  # the best recall and precision may be below 1
        if result and not any("@" in name for name in result):
            return [not_examined("evaluation", "evaluation-broken", "another-metric")]
        best, least = [float(max(result.values(), default=0.0))], _best_recall(users, result)
    broken = Finding("evaluation-broken", "error", max(best), least, causes=("evaluation-broken",))
    return [judge("evaluation", broken, max(best) >= least)]


def _best_recall(users: np.ndarray, result: dict[str, float]) -> float:
    """Nearly the recall of a perfect ranking: a list of k holds k of a user's held-out items at most."""
    lengths = [int(name.split("@")[1]) for name in result if "recall@" in name.lower()]
    if not lengths:
        return 0.01
    held = np.bincount(users)
    held = held[held > 0]
    return FULL_MARKS * float(np.minimum(1.0, max(lengths) / held).mean())
