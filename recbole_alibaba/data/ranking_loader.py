"""What a full-sort evaluation asks of the model, and the loader that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction

from recbole_alibaba.data.user_lists import UserLists


@dataclass(frozen=True)
class RankingTask:
    """The users to rank items for, the items that each must find, and the items that are hidden from each list."""

    users: Interaction
    positives: UserLists
    hidden: UserLists
    n_items: int

    def __len__(self) -> int:
        return len(self.positives)

    def __getitem__(self, part: slice) -> RankingTask:
        """The task of some of the users."""
        return RankingTask(self.users[part], self.positives[part], self.hidden[part], self.n_items)

    @classmethod
    def from_loader(cls, loader: FullSortEvalDataLoader) -> RankingTask:
        """The task of RecBole's loader, which holds a tensor of items for each user."""
        ids, n_items = loader.uid_list.numpy(), loader._dataset.item_num
        lists = []
        for per_user in (loader.uid2positive_item[ids], loader.uid2history_item[ids]):
            rows = np.repeat(np.arange(len(ids)), [len(one) for one in per_user])
            lists.append(UserLists.from_pairs(rows, torch.cat(list(per_user)).numpy(), len(ids), n_items))
        return cls(loader.user_df, lists[0], lists[1], n_items)


class RankingLoader:
    """The users of an evaluation part that have something to find; `task` is the same as arrays.

    Iterating yields RecBole's batches, (users, history, positive rows, positive items), for RecBole's own evaluation.
    RecBole's `full_sort_topk` and `full_sort_scores` take this loader as they take RecBole's.

    Args:
        dataset: the part.
        interacted: the lists of all users before this part. It is called here, and again for `uid2history_item`: the
            lists of a large log are not kept.
    """

    step = 64
    is_sequential = False

    def __init__(self, dataset: Any, interacted: Callable[[], UserLists]) -> None:
        self._dataset, self._interacted, earlier = dataset, interacted, interacted()
        users, items = user_item_ids(dataset)
        n_items = dataset.item_num
        everyone = UserLists.from_pairs(users, items, dataset.user_num, n_items)
        ids = np.flatnonzero(everyone.lengths)
        self.uid_list = torch.from_numpy(ids)
        positives = everyone.take(ids)
        # An item to find is not hidden, even if the user had it before.
        hidden = earlier.take(ids).without(positives, n_items)
        user_frame = dataset.join(Interaction({dataset.uid_field: self.uid_list}))
        self.task = RankingTask(user_frame, positives, hidden, n_items)

    @property
    def dataset(self) -> Any:
        """This part of the data set."""
        return self._dataset

    @property
    def uid2history_item(self) -> HiddenItems:
        """RecBole's name for the items that are hidden from a user's list, for every user."""
        part = UserLists.from_pairs(*user_item_ids(self._dataset), self._dataset.user_num, self._dataset.item_num)
        return HiddenItems(self._interacted().without(part, self._dataset.item_num))

    def __len__(self) -> int:
        return -(-len(self.uid_list) // self.step)

    def __iter__(self) -> Iterator[tuple[Interaction, tuple[torch.Tensor, torch.Tensor], torch.Tensor, torch.Tensor]]:
        for start in range(0, len(self.uid_list), self.step):
            block = slice(start, min(start + self.step, len(self.uid_list)))
            hidden, positives = self.task.hidden[block], self.task.positives[block]
            history = (torch.from_numpy(hidden.rows), torch.from_numpy(hidden.items))
            found = (torch.from_numpy(positives.rows), torch.from_numpy(positives.items))
            yield self.task.users[block], history, *found


@dataclass(frozen=True)
class HiddenItems:
    """Lists of items by user, indexed as RecBole does it: by a list of user ids."""

    lists: UserLists

    def __getitem__(self, users: Sequence[int]) -> list[torch.Tensor]:
        start = self.lists.start
        return [torch.from_numpy(self.lists.items[start[int(user)] : start[int(user) + 1]]) for user in users]


def user_item_ids(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """User and item of each interaction of a RecBole data set, two int64 arrays (m,)."""
    feat = dataset.inter_feat
    return feat[dataset.uid_field].numpy(), feat[dataset.iid_field].numpy()
