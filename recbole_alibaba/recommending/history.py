"""Who has had what: the interactions of the data as lists, and those of new users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.recommending.tokens import Tokens

CHOICES = {
    "full": "all interactions of the data (training, validation, test), which LightGCN's vectors of users hold, too",
    "train": "the interactions before the test (training, validation), as in RecBole's test",
}


class History:
    """The interactions of the data.

    Args:
        interactions: arrays user, item, part (`train`, `valid` or `test`), one entry an interaction.
    """

    def __init__(self, interactions: Mapping[str, np.ndarray], n_users: int, n_items: int) -> None:
        self.interactions, self.n_users, self.n_items = interactions, n_users, n_items

    def lists(self, choice: str) -> UserLists:
        """The items that each user has had, by `full` or `train`.

        With `train` a test item is not among them, even if the user had it before: RecBole ranks it, too.
        """
        _check(choice)
        if choice == "full":
            return self._full
        return self._of("train", "valid").without(self._of("test"), self.n_items)

    @cached_property
    def _full(self) -> UserLists:
        return self._of("train", "valid", "test")

    @cached_property
    def train(self) -> UserLists:
        """The training items of each user: the edges of the graph."""
        return self._of("train")

    def in_graph(self, choice: str) -> UserLists:
        """The items of each user that carry a part of his vector: some user has them in training."""
        _check(choice)
        return self._full_in_graph if choice == "full" else self.train

    @cached_property
    def _full_in_graph(self) -> UserLists:
        lists, known = self._full, self.degree[self._full.items] > 0
        return UserLists.from_pairs(lists.rows[known], lists.items[known], self.n_users, self.n_items)

    @cached_property
    def degree(self) -> np.ndarray:
        """The number of training users of each item."""
        return np.bincount(self.train.items, minlength=self.n_items)

    def _of(self, *parts: str) -> UserLists:
        chosen = np.isin(self.interactions["part"].astype(str), parts)
        users, items = (self.interactions[side][chosen] for side in ("user", "item"))
        return UserLists.from_pairs(users, items, self.n_users, self.n_items)


def _check(choice: str) -> None:
    if choice not in CHOICES:
        raise SavedRunError(f"history: {choice!r}; use {' or '.join(map(repr, CHOICES))}.")


@dataclass(frozen=True)
class NewUsers:
    """Users who are given as items.

    Args:
        names: as given, in order of first appearance.
        had: all their known items, which are not recommended again.
        usable: those of them that some training user has; only they carry a vector.
        unknown: their other items.
    """

    names: np.ndarray
    had: UserLists
    usable: UserLists
    unknown: list[str]


def new_users(rows: pd.DataFrame, items: Tokens, degree: np.ndarray) -> NewUsers:
    """Read a table with the columns `user` and `item`; a repeated row counts once.

    Raises:
        SavedRunError: a column is missing, or there is no row.
    """
    if not {"user", "item"} <= set(rows.columns):
        raise SavedRunError(f"A history needs the columns user and item; it has {', '.join(map(str, rows.columns))}.")
    if not len(rows):
        raise SavedRunError("The history has no row: give at least one user with one item.")
    row, names = pd.factorize(rows["user"].astype(str))
    tokens = rows["item"].astype(str).tolist()
    ids = items.ids(tokens)
    had, usable = (
        UserLists.from_pairs(row[kept], ids[kept], len(names), len(items)) for kept in (ids > 0, degree[ids] > 0)
    )
    unknown = list(dict.fromkeys(token for token, users in zip(tokens, degree[ids], strict=True) if not users))
    return NewUsers(np.asarray(names, object), had, usable, unknown)
