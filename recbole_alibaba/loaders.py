"""The three loaders of a run of our model, from index arrays: no set, no loop over rows, nothing kept per user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from recbole.data import data_preparation
from recbole.data.interaction import Interaction

from .evaluation import RankingTask
from .host.errors import BadSettingError
from .lists import Lists
from .loading import AlibabaLightGCNDataset
from .sampling import NegativeSampler, TrainLoader, item_weights


def prepare_loaders(config: Any, dataset: Any) -> tuple[Any, Any, Any]:
    """Loaders for training, validation and test, as RecBole's `data_preparation` gives them.

    RecBole's own where ours would not do the same: other models, `fast_loader: False` or `fast_eval: False`,
    negatives that depend on the model or that may repeat a positive (`repeatable`), evaluation on samples, several
    processes, saved loaders.

    Raises:
        BadSettingError: an unknown `positive_sampling`, or one that RecBole's loader, needed here, does not have.
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
            "positive_sampling: 'users' is drawn by this plugin's loader only, which does not serve this run: it needs "
            "this plugin's model, fast_loader and fast_eval left on, uniform or popularity negatives, full ranking and "
            "one process; or use 'interactions'."
        )
    if not ours:
        return data_preparation(config, dataset)
    parts = dataset.build()
    users, items = zip(*(_pairs(part) for part in parts), strict=True)
    n_users, n_items = dataset.user_num, dataset.item_num
    weights = item_weights(negatives["distribution"], np.concatenate(items), n_items, negatives["alpha"])
    sampler = NegativeSampler(users[0], items[0], weights, n_users)
    train = TrainLoader(config, parts[0], sampler, shuffle=config["shuffle"])
    valid, test = (
        RankingLoader(
            parts[number],
            Lists.of_pairs(np.concatenate(users[:number]), np.concatenate(items[:number]), n_users, n_items),
        )
        for number in (1, 2)
    )
    return train, valid, test


class RankingLoader:
    """Asks for the ranking of every user that has something to find; `task` holds the question as arrays.

    Iterating gives RecBole's blocks, (users, history, positive rows, positive items), for readers other than ours.
    """

    step = 64

    def __init__(self, dataset: Any, earlier: Lists) -> None:
        self._dataset = dataset
        users, items = _pairs(dataset)
        n_items = dataset.item_num
        everyone = Lists.of_pairs(users, items, dataset.user_num, n_items)
        ids = np.flatnonzero(everyone.lengths)
        self.uid_list = torch.from_numpy(ids)
        positives = everyone.take(ids)
        # What must be found is shown even to a user who had it before.
        hidden = earlier.take(ids).without(positives, n_items)
        user_frame = dataset.join(Interaction({dataset.uid_field: self.uid_list}))
        self.task = RankingTask(user_frame, positives, hidden, n_items)

    @property
    def dataset(self) -> Any:
        return self._dataset

    def __len__(self) -> int:
        return -(-len(self.uid_list) // self.step)

    def __iter__(self) -> Iterator[tuple[Interaction, tuple[torch.Tensor, torch.Tensor], torch.Tensor, torch.Tensor]]:
        for start in range(0, len(self.uid_list), self.step):
            block = slice(start, min(start + self.step, len(self.uid_list)))
            hidden, positives = self.task.hidden[block], self.task.positives[block]
            history = (torch.from_numpy(hidden.rows), torch.from_numpy(hidden.items))
            found = (torch.from_numpy(positives.rows), torch.from_numpy(positives.items))
            yield self.task.users[block], history, *found


def _pairs(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    feat = dataset.inter_feat
    return feat[dataset.uid_field].numpy(), feat[dataset.iid_field].numpy()
