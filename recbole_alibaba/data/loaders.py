"""Which loaders a run gets for training, validation and test: this plugin's, from index arrays, or RecBole's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from recbole.data import data_preparation

from recbole_alibaba.data.dataset import AlibabaLightGCNDataset
from recbole_alibaba.data.negatives import NegativeSampler, item_weights
from recbole_alibaba.data.ranking_loader import RankingLoader, user_item_ids
from recbole_alibaba.data.train_loader import TrainLoader
from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.host.errors import BadSettingError
from recbole_alibaba.processes import group


def prepare_loaders(config: Any, dataset: Any) -> tuple[Any, Any, Any]:
    """Loaders for training, validation and test, as `data_preparation` of RecBole returns them.

    They are RecBole's own where this plugin's would not do the same: other models, `fast_loader: False` or
    `fast_eval: False`, negatives that depend on the model or that may repeat a positive (`repeatable`), evaluation on
    samples, several processes, saved loaders.

    Raises:
        BadSettingError: an unknown `positive_sampling`; `users` or several processes where RecBole's are needed.
        NoNegativeError: a user has every item.
    """
    negatives, modes = config["train_neg_sample_args"], config["eval_args"]["mode"]
    positives = config["positive_sampling"]
    if positives not in (None, "interactions", "users"):
        raise BadSettingError(f"positive_sampling: {positives!r}; use 'interactions' or 'users'.")
    ours = (
        isinstance(dataset, AlibabaLightGCNDataset)
        and False not in (config["fast_loader"], config["fast_eval"])
        and negatives["distribution"] in ("uniform", "popularity")
        and not (negatives["dynamic"] or config["repeatable"])
        and {modes["valid"], modes["test"]} == {"full"}
        and config["single_spec"]
        and not (config["save_dataloaders"] or config["dataloaders_save_path"])
    )
    if not ours and positives == "users":
        raise BadSettingError(
            "positive_sampling: 'users' works with this plugin's loader only, and this run uses RecBole's. This "
            "plugin's loader needs this plugin's model, fast_loader and fast_eval left on, uniform or popularity "
            "negatives, full ranking and one process. Or use 'interactions'."
        )
    if not ours and group.size() > 1:
        raise BadSettingError(
            "--nproc works with this plugin's loaders only, and these settings need RecBole's. This plugin's need "
            "fast_loader and fast_eval left on, uniform or popularity negatives, no dynamic ones, no repeatable, full "
            "ranking and no saved loaders. Or leave --nproc away."
        )
    if not ours:
        return data_preparation(config, dataset)
    parts = dataset.build()
    users, items = zip(*(user_item_ids(part) for part in parts), strict=True)
    n_users, n_items = dataset.user_num, dataset.item_num
    weights = item_weights(negatives["distribution"], np.concatenate(items), n_items, negatives["alpha"])
    sampler = NegativeSampler(users[0], items[0], weights, n_users)
    train = TrainLoader(config, parts[0], sampler, shuffle=config["shuffle"])
    valid, test = (
        RankingLoader(parts[number], partial(_interacted, users[:number], items[:number], n_users, n_items))
        for number in (1, 2)
    )
    return train, valid, test


def _interacted(users: Sequence[np.ndarray], items: Sequence[np.ndarray], n_users: int, n_items: int) -> UserLists:
    """The items of every user in these parts."""
    return UserLists.from_pairs(np.concatenate(users), np.concatenate(items), n_users, n_items)
