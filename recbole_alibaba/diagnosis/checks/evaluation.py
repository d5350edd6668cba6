"""Does the evaluation give full marks to a model that knows the answers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recbole_alibaba.diagnosis.findings import Finding, Verdict, judge, not_examined
from recbole_alibaba.diagnosis.subject import Subject, pairs

MOST = 30_000_000  # users times items; more takes longer than a look may
FULL_MARKS = 0.99
COUNTED = ("hit", "mrr", "ndcg", "map")  # 1 for a perfect ranking however long the held-out list is


class Oracle(nn.Module):
    """Scores a user's held-out items above all others, which it ranks by their number."""

    table: Tensor

    def __init__(self, model: Any, users: np.ndarray, items: np.ndarray, n_users: int, n_items: int) -> None:
        super().__init__()
        self.n_users, self.n_items = n_users, n_items
        self.device = model.device
        self.names = model.USER_ID, model.ITEM_ID
        table = torch.zeros(n_users, n_items)
        table[torch.as_tensor(users), torch.as_tensor(items)] = 1.0
        self.register_buffer("table", table)

    def full_sort_predict(self, interaction: Any) -> Tensor:
        """Scores of every item, flattened."""
        return self.table[interaction[self.names[0]]].reshape(-1)

    def predict(self, interaction: Any) -> Tensor:
        """Scores of the rows."""
        return self.table[interaction[self.names[0]], interaction[self.names[1]]]


def evaluation(subject: Subject) -> list[Verdict]:
    """4: the trainer's own evaluation ranks an oracle's held-out items first."""
    trainer, data = subject.trainer, subject.valid_data
    if trainer is None or data is None or subject.n_users * subject.n_items > MOST:
        return [not_examined("evaluation", "evaluation-broken", "too-large-to-evaluate")]
    users, items = pairs(data, subject.dataset)
    oracle = Oracle(subject.model, users, items, subject.n_users, subject.n_items).to(subject.config["device"])
    model, trainer.model = trainer.model, oracle
    try:
        # A copy: what an evaluation keeps on its loader must not outlive the oracle.
        result = trainer.evaluate(copy.copy(data), load_best_model=False)
    finally:
        trainer.model = model
    marks = [float(value) for name, value in (result or {}).items() if name.lower().split("@")[0] in COUNTED]
    if not marks:  # recall and precision have their best value below 1
        marks = [float(max(result.values()))] if result else [0.0]
        least = _best_recall(users, result)
    else:
        least = FULL_MARKS
    broken = Finding("evaluation-broken", "error", max(marks), least, causes=("evaluation-broken",))
    return [judge("evaluation", broken, max(marks) >= least)]


def _best_recall(users: np.ndarray, result: dict[str, float] | None) -> float:
    lengths = [int(name.split("@")[1]) for name in result or {} if "recall@" in name.lower()]
    if not lengths:
        return 0.01
    held = np.bincount(users)
    held = held[held > 0]
    return FULL_MARKS * float(np.minimum(1.0, max(lengths) / held).mean())
