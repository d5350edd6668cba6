"""Which items does a model recommend to each user of a part, and which of them are hits?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from recbole.evaluator.collector import Collector

from recbole_alibaba.data.ranking_loader import user_item_ids
from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.host.errors import BadSettingError

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment


@dataclass(frozen=True)
class RankedLists:
    """The lists of n users.

    Attributes:
        users: inner ids, int64 (n,), ascending: the users with an interaction in the part.
        items: the k best items of each, the best first, int64 (n, k).
        positives: the items that each has in the part.
        hits: whether each of `items` is among the user's positives, bool (n, k).
        seconds: how long the ranking took.
    """

    users: np.ndarray
    items: np.ndarray
    positives: UserLists
    hits: np.ndarray
    seconds: float = 0.0

    @classmethod
    def of(cls, users: np.ndarray, items: np.ndarray, eval_data: Any, seconds: float = 0.0) -> RankedLists:
        """The lists `items` of `users`, beside what a loader's part holds of these users."""
        dataset = eval_data._dataset
        everyone = UserLists.from_pairs(*user_item_ids(dataset), dataset.user_num, dataset.item_num)
        positives = everyone.take(users)
        return cls(users, items, positives, positives.contains(items, dataset.item_num), seconds)


class _Keeper:
    """Stands in for the trainer's evaluator: it keeps the lists and computes nothing."""

    items = np.empty((0, 0), np.int64)

    def evaluate(self, struct: Any) -> dict[str, float]:
        """The same call as RecBole's `Evaluator.evaluate`."""
        self.items = struct.get("rec.items").numpy()
        return {}


def ranked_lists(made: Experiment, eval_data: Any, k: int) -> RankedLists:
    """Rank the items for the users of a part, once, with the model as it is.

    The trainer's own `evaluate` does it, so the lists are those of its metrics: this plugin's fast evaluation, or
    RecBole's where the fast one steps aside (a model that draws random numbers to score, that scores pairs only, or
    whose trainer evaluates in its own way).

    Args:
        eval_data: the loader of the part.
        k: length of the lists.

    Raises:
        BadSettingError: the model does not rank items by the user alone.
    """
    trainer: Any = made.trainer
    config, keeper = made.config, _Keeper()
    if getattr(eval_data, "is_sequential", False):
        raise BadSettingError(
            f"{config['model']} ranks items for the rows of a sequence. A board compares models that rank items for "
            "users: use one of RecBole's general models."
        )
    kept = {name: getattr(trainer, name) for name in ("evaluator", "eval_collector")}
    # A collector that asks for the lists, whatever metrics the trainer computes.
    trainer.eval_collector = Collector(made.settings | {"metrics": ["ItemCoverage"], "topk": [k]})
    trainer.evaluator, topk, config["topk"] = keeper, config["topk"], [k]
    started = time.perf_counter()
    try:
        trainer.evaluate(eval_data, load_best_model=False, show_progress=False)
    finally:
        vars(trainer).update(kept)
        config["topk"] = topk
    seconds = time.perf_counter() - started
    return RankedLists.of(np.asarray(eval_data.uid_list, np.int64), keeper.items, eval_data, seconds)
