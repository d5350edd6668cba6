"""What does one list of the most popular items score in a run's own evaluation?"""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from recbole.trainer import Trainer
from recbole.utils import EvaluatorType
from torch import Tensor, nn

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment


class ByCount(nn.Module):
    """Scores each item by its count (n_items,), the same for every user."""

    counts: Tensor

    def __init__(self, counts: Tensor, item_field: str) -> None:
        super().__init__()
        self.item_field, self.device = item_field, counts.device
        self.register_buffer("counts", counts)

    def full_sort_predict(self, interaction: Any) -> Tensor:
        """Scores of every item for each row, flat."""
        return self.counts.repeat(len(interaction))

    def predict(self, interaction: Any) -> Tensor:
        """One score for each row."""
        return self.counts[interaction[self.item_field]]


def item_counts(config: Any, train_data: Any) -> Tensor:
    """The number of training interactions of each item, float32 (n_items,).

    Rows with label 0 do not count. The rows of a sequence model have each item of a user but the first as their
    target; the first is the only one in the list of his first row.
    """
    rows, item = train_data._dataset.inter_feat, config["ITEM_ID_FIELD"]
    items, label, sequence = rows[item], config["LABEL_FIELD"], item + str(config["LIST_SUFFIX"])
    if label in rows:
        items = items[rows[label] > 0]
    if sequence in rows:
        items = torch.cat((items, rows[sequence][rows[config["ITEM_LIST_LENGTH_FIELD"]] == 1, 0]))
    return torch.bincount(items, minlength=int(train_data._dataset.item_num)).float()


def popularity_result(experiment: Experiment, eval_data: Any, counts: Tensor) -> dict[str, float] | None:
    """The metrics of a ranking by `counts`, as the trainer evaluates its own model on `eval_data`.

    The random state stays as it is: where the evaluation draws items to rank, the model's own evaluation draws the
    same ones afterwards.

    Returns:
        None where there is nothing to compare: no such part, no ranking metrics, an evaluation of the trainer's own,
        several processes.
    """
    config, trainer = experiment.config, experiment.trainer
    own = type(trainer).evaluate is not Trainer.evaluate
    if not eval_data or own or config["eval_type"] != EvaluatorType.RANKING or not config["single_spec"]:
        return None
    kept, state = {name: getattr(trainer, name) for name in ("model", "wandblogger")}, np.random.get_state()
    trainer.model = ByCount(counts.to(config["device"]), config["ITEM_ID_FIELD"])
    trainer.wandblogger = SimpleNamespace(log_eval_metrics=lambda *_, **__: None)  # the curve of the model is its own
    try:
        # A copy: an evaluation may keep things on its loader, and they must not outlive the stand-in.
        result = trainer.evaluate(copy.copy(eval_data), load_best_model=False, show_progress=False)
    finally:
        vars(trainer).update(kept)
        np.random.set_state(state)
    return {name: float(value) for name, value in result.items()}
