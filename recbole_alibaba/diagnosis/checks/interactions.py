"""Which (user, item) pairs are in training, and which are held out? Arrays of ids, read once for all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_alibaba.diagnosis.readings import Settings

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment


@dataclass(frozen=True)
class Interactions:
    """The pairs of an experiment.

    Attributes:
        n_users: number of users, the padding row included (``n_items`` alike).
        users: user ids of the training interactions, int64 (m,), repeats included (``items`` alike).
        held_out: (name, user ids, item ids) of the validation and test parts that exist.
        labelled: whether the rows have labels; then a model predicts these and ranks no items.
    """

    n_users: int
    n_items: int
    users: np.ndarray
    items: np.ndarray
    held_out: Sequence[tuple[str, np.ndarray, np.ndarray]] = ()
    labelled: bool = False

    @classmethod
    def of(cls, experiment: Experiment) -> Interactions:
        """The pairs of RecBole's loaders."""
        dataset, train = experiment.dataset, experiment.train_data
        parts = (("validation", experiment.valid_data), ("test", experiment.test_data))
        held_out = [(name, *pairs(part, dataset)) for name, part in parts if part is not None]
        users, items = pairs(train, dataset)
        rows, settings = train._dataset.inter_feat, experiment.settings
        first_users, first_items = starts(rows, settings, dataset)
        users, items = np.concatenate([users, first_users]), np.concatenate([items, first_items])
        sizes = int(dataset.user_num), int(dataset.item_num)
        return cls(*sizes, users, items, held_out, settings.get("LABEL_FIELD") in rows)

    def keys(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """One int64 for each pair."""
        return users.astype(np.int64) * self.n_items + items

    @cached_property
    def positives(self) -> np.ndarray:
        """Sorted distinct keys of the training pairs."""
        return np.unique(self.keys(self.users, self.items))

    @cached_property
    def positive_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """User and item ids of the distinct training pairs."""
        users, items = np.divmod(self.positives, self.n_items)
        return users, items

    def known(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """For each held-out row, whether training has its user and its item."""
        rows = zip((users, items), (self.users, self.items), (self.n_users, self.n_items), strict=True)
        has_user, has_item = (np.bincount(trained, minlength=size)[asked] > 0 for asked, trained, size in rows)
        return np.asarray(has_user & has_item)

    @cached_property
    def unknown(self) -> float:
        """Share of the held-out rows whose user or item training never saw; 0 if nothing is held out."""
        rows = [self.known(users, items) for _, users, items in self.held_out if len(users)]
        return 1 - float(np.concatenate(rows).mean()) if rows else 0.0

    def sizes(self) -> dict[str, int]:
        """What the checks of settings need: ``items`` and ``users`` without padding, ``train`` rows, ``repeats``."""
        rows = len(self.users)
        sizes = {"items": self.n_items - 1, "users": self.n_users - 1, "train": rows}
        return sizes | {"repeats": rows - len(self.positives)}


def pairs(data: Any, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """User and item ids of a loader's rows."""
    rows = data._dataset.inter_feat
    return np.asarray(rows[dataset.uid_field]), np.asarray(rows[dataset.iid_field])


def starts(rows: Any, settings: Settings, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Users and first items of a sequence model's rows: a user's first item is no target, and only in his first list.

    Empty for other models.
    """
    sequence, length = f"{dataset.iid_field}{settings.get('LIST_SUFFIX')}", settings.get("ITEM_LIST_LENGTH_FIELD")
    if sequence not in rows or length not in rows:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first = rows[length] == 1
    return np.asarray(rows[dataset.uid_field][first]), np.asarray(rows[sequence][first, 0])


def among(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each key, whether it is in the sorted array ``known``."""
    if not len(known):
        return np.zeros(len(keys), bool)
    at = np.searchsorted(known, keys).clip(max=len(known) - 1)
    return known[at] == keys
