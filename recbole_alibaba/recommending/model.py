"""A trained model as Python functions: recommend, fold in new users, explain, find similar ones, give the vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from logging import getLogger
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from recbole_alibaba.data.user_lists import UserLists
from recbole_alibaba.evaluation.top_k import largest
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.model.softmax_scores import user_vectors
from recbole_alibaba.recommending.history import History, NewUsers, new_users
from recbole_alibaba.recommending.list_tables import explained, frame
from recbole_alibaba.recommending.ranking import Ranker, Ranking, VectorRanker
from recbole_alibaba.recommending.shares import ScoreParts, Shares
from recbole_alibaba.recommending.tokens import NAMED, Tokens
from recbole_alibaba.saved.read_run import SavedRun

BLOCK_ENTRIES = 1 << 17
"""Recommendations that are made at once."""


class Vectors(NamedTuple):
    """Tokens (n,) and float32 vectors (n, d) of all users and items; the dot product is the score."""

    user_tokens: np.ndarray
    users: np.ndarray
    item_tokens: np.ndarray
    items: np.ndarray


class SavedModel:
    """A trained model; `recbole_alibaba.load` makes it. Users and items are named by the data's own ids.

    Of items with equal scores the one with the lower internal id comes first: the one that the data set has first.

    Attributes:
        record: what the run says of itself (`run.json`).
        users, items: the known tokens.
        history: the interactions of the data.
    """

    def __init__(self, run: SavedRun, ranker: Ranker) -> None:
        self.record = run.record
        self.users, self.items = Tokens("user", run.user_tokens), Tokens("item", run.item_tokens)
        self.history = History(run.interactions, len(self.users), len(self.items))
        self._tables, self._ranker, self._n_layers = run.tables, ranker, run.n_layers
        self._temperature = run.temperature

    def __repr__(self) -> str:
        name, data = self.record["model"], self.record["dataset"]
        return f"<{name} trained on {data}: {len(self.users) - 1:,} users, {len(self.items) - 1:,} items>"

    def recommend(
        self,
        users: Sequence[Any] | None = None,
        k: int = 10,
        seen: bool = False,
        items: Sequence[Any] | None = None,
        history: str = "full",
        unknown: str = "error",
        explain: bool = False,
    ) -> pd.DataFrame:
        """The best k items of each user.

        Args:
            users: their ids; None for every user of the data. A repeated user counts once.
            seen: whether items may be recommended that the user has had.
            items: the only items that may be recommended; unknown ones are left out, with a warning in the log.
            history: what a user has had: `full` (all interactions of the data) or `train` (those before the test part,
                as in RecBole's test). These items are left out, and with `full` LightGCN's vector of the user is the
                sum over all of them, not over the training items only.
            unknown: `error`, or `popular`: an unknown user gets the items with the most training interactions.
            explain: whether to add the columns own, because and others; see `explain`.

        Returns:
            A row for each recommendation: user, rank (from 1), item, score. With `unknown="popular"` also popular;
            where it is True the score is the number of training interactions. `because` holds the user's own items
            with the largest shares, as (item, share); own + their shares + others = score, and + popularity with a
            softmax, which has that column, too. A list is shorter than k where the items run out.

        Raises:
            SavedRunError: an unknown user, no known item, an empty list, k out of range.
        """
        blocks = self.recommend_in_blocks(users, k, seen, items, history, unknown, explain)
        return pd.concat(list(blocks), ignore_index=True)

    def recommend_in_blocks(
        self,
        users: Sequence[Any] | None = None,
        k: int = 10,
        seen: bool = False,
        items: Sequence[Any] | None = None,
        history: str = "full",
        unknown: str = "error",
        explain: bool = False,
    ) -> Iterator[pd.DataFrame]:
        """`recommend` in tables of some thousand users, for results that are larger than memory.

        The arguments are checked at once, before the first table is asked for.
        """
        if unknown not in ("error", "popular"):
            raise SavedRunError(f"unknown: {unknown!r}; use 'error' or 'popular'.")
        self._check_k(k)
        subset = self._subset(items)
        had_before = self.history.lists(history)  # refuses an unknown word, too
        hidden = None if seen else had_before
        parts, softmax = partial(self._score_parts, history), self._temperature is not None
        if explain:
            self._shares("An explanation")
        if users is None:
            names, ids = self.users.texts[1:], np.arange(1, len(self.users))
        else:
            wanted = _texts("users", users)
            ids = self.users.ids(wanted) if unknown == "popular" else self.users.known(wanted)
            names = np.array(wanted, object)

        def blocks() -> Iterator[pd.DataFrame]:
            step = max(BLOCK_ENTRIES // k, 1)
            for start in range(0, len(ids), step):
                some = ids[start : start + step]
                had = hidden.take(some) if hidden is not None else _no_items(len(some))
                found = self._ranked(some, had, k, subset, history)
                popular = some == 0 if unknown == "popular" else None
                table = frame(names[start : start + step], found, self.items.texts, popular)
                yield explained(table, some, found[0], parts, self.items.texts, softmax) if explain else table

        return blocks()

    def fold_in(
        self, history: pd.DataFrame, k: int = 10, seen: bool = False, items: Sequence[Any] | None = None
    ) -> pd.DataFrame:
        """The best k items of new users, whose vectors are one propagation of their items.

        It is LightGCN's own formula; only layer 0 of the user is missing, which a new user does not have. Items that
        the model was not trained on are left out, with a warning in the log. A user with none but such items gets the
        popular items.

        Args:
            history: columns user and item, a row for each item that a user has had.

        Returns:
            user, rank, item, score, popular; see `recommend`.

        Raises:
            SavedRunError: the model is no LightGCN of this plugin; and see `recommend`.
        """
        new = self._new_users(history, k)
        subset = self._subset(items)
        had = _no_items(len(new.names)) if seen else new.had
        empty = new.usable.lengths == 0
        assert isinstance(self._ranker, VectorRanker)
        found = self._ranker.of_vectors(self._folded(new.usable), had, k, subset)
        for row in np.flatnonzero(empty):
            one = slice(row, row + 1)
            found[0][one], found[1][one] = self._popular(had[slice(int(row), int(row) + 1)], k, subset)
        return frame(new.names, found, self.items.texts, empty)

    def fold_in_vectors(self, history: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Names (n,) and vectors (n, d) of new users; see `fold_in`. A user without usable items has a zero vector."""
        new = self._new_users(history, 1)
        return new.names, self._folded(new.usable).numpy()

    def explain(self, user: Any, item: Any, history: str = "full") -> pd.DataFrame:
        """How the score of an item for a user divides among the user's items, the largest share first.

        Args:
            history: see `recommend`.

        Returns:
            part, item, share. The first row is the user's own part (part `own`, no item). Part `item` is an item of
            the user that some user has in training. With a softmax the last row is the item's popularity (part
            `popularity`, no item). The shares add up to the score.

        Raises:
            SavedRunError: unknown user or item, or the model is no LightGCN of this plugin.
        """
        self._shares("An explanation")
        user_id, item_id = self.users.known([str(user)]), self.items.known([str(item)])
        own, items, shares, popularity = self._score_parts(history, int(user_id[0]), item_id)
        order = np.argsort(-shares[:, 0], kind="stable")
        table = {
            "part": ["own"] + ["item"] * len(items) + ["popularity"],
            "item": [None, *self.items.texts[items[order]], None],
            "share": [*own, *shares[order, 0], *popularity],
        }
        return pd.DataFrame(table)[: None if self._temperature is not None else -1]

    def similar(self, item: Any = None, user: Any = None, k: int = 10) -> pd.DataFrame:
        """The k nearest items of an item, or users of a user, by the cosine of their vectors.

        Returns:
            rank, item (or user), score: the cosine, from -1 to 1. The lower internal id first where it is equal.
        """
        if (item is None) == (user is None):
            raise SavedRunError("similar: give an item or a user, one of the two.")
        tokens, side = (self.items, "item") if user is None else (self.users, "user")
        table = self._table(side)
        if self._temperature is not None:
            table = table[:, :-1]  # without the items' popularity
        self._check_k(k, len(tokens) - 2, f"other {side}s")
        asked = int(tokens.known([str(item if user is None else user)])[0])
        lengths = torch.linalg.vector_norm(table, dim=1).clamp_min(1e-30)
        scores = (table @ table[asked]) / (lengths * lengths[asked])
        scores[[0, asked]] = -torch.inf
        score, best = (part.numpy()[0] for part in largest(scores[None], k))
        return pd.DataFrame({"rank": np.arange(1, k + 1), side: tokens.texts[best], "score": score})

    def known_items(self, items: Sequence[Any]) -> list[str]:
        """The items that the model knows; the others are left out, with a warning in the log.

        Raises:
            SavedRunError: an empty list, or no known item.
        """
        wanted = _texts("items", items)
        known = self.items.ids(wanted) > 0
        unknown = [token for token, one in zip(wanted, known, strict=True) if not one]
        if not known.any():
            raise SavedRunError(self.items.unknown_sentence(unknown))
        if unknown:
            _warn_left_out(unknown)
        return [token for token, one in zip(wanted, known, strict=True) if one]

    def vectors(self, history: str = "full") -> Vectors:
        """The vectors of all users and items; their products are the scores of `recommend` with the same `history`."""
        items = self._table("item")[1:].numpy()
        users = self._user_vectors(np.arange(1, len(self.users)), history).numpy()
        return Vectors(self.users.texts[1:], users, self.items.texts[1:], items)

    def _user_vectors(self, ids: np.ndarray, history: str) -> Tensor:
        """The vectors (n, d) of users by their internal ids; with `full`, LightGCN's hold all their interactions."""
        lists = self.history.in_graph(history).take(ids)
        if history == "train" or "item_spread" not in self._tables:
            return self._table("user")[torch.from_numpy(ids)]
        shares = self._shares("A vector")
        return self._for_scores(shares.own[torch.from_numpy(ids)] + shares.fold_in(lists))

    def _folded(self, lists: UserLists) -> Tensor:
        """The vectors of new users with these items."""
        return self._for_scores(self._shares("A fold-in").fold_in(lists))

    def _for_scores(self, final: Tensor) -> Tensor:
        """Final embeddings of users as rows of the table `user`."""
        return final if self._temperature is None else user_vectors(final, self._temperature)

    def _table(self, side: str) -> Tensor:
        if not self._tables:
            raise SavedRunError(f"{self.record['model']} has no vectors of users and items, so none can be compared.")
        return self._tables[side]

    def _shares(self, what: str) -> Shares:
        if "item_spread" not in self._tables:
            raise SavedRunError(
                f"{what} needs the sums of LightGCN's formula, which {self.record['model']} does not have: train "
                "AlibabaLightGCN."
            )
        return self._sums

    @cached_property
    def _sums(self) -> Shares:
        own = self._tables["user_embedding"] / (self._n_layers + 1)
        return Shares(own, self._tables["item_spread"], self.history.degree, self._temperature)

    def _score_parts(self, history: str, user: int, items: np.ndarray) -> ScoreParts:
        """How the scores of k items for a user divide among his items in the graph."""
        mine = self.history.in_graph(history).take(np.array([user])).items
        return self._shares("An explanation").of_scores(user, mine, self._table("item")[items])

    def _ranked(self, ids: np.ndarray, hidden: UserLists, k: int, subset: np.ndarray | None, history: str) -> Ranking:
        """Lists of known users; an unknown one, 0, gets the popular list."""
        if isinstance(self._ranker, VectorRanker):
            items, scores = self._ranker.of_vectors(self._user_vectors(ids, history), hidden, k, subset)
        else:
            items, scores = self._ranker(ids, hidden, k, subset)
        if not ids.all():
            items[ids == 0], scores[ids == 0] = self._popular(_no_items(1), k, subset)
        return items, scores

    def _popular(self, hidden: UserLists, k: int, subset: np.ndarray | None) -> Ranking:
        counts = self.history.degree.astype(np.float32)
        counts[hidden.items] = 0
        if subset is not None:
            chosen = np.zeros(len(counts), bool)
            chosen[subset] = True
            counts[~chosen] = 0
        counts[0] = 0
        score, item = largest(torch.from_numpy(counts)[None], k)
        return torch.where(score > 0, item, 0).numpy(), score.numpy()

    def _new_users(self, history: pd.DataFrame, k: int) -> NewUsers:
        self._shares("A fold-in")
        self._check_k(k)
        new = new_users(history, self.items, self.history.degree)
        if new.unknown:
            few = ", ".join(new.unknown[:10]) + (
                f" and {len(new.unknown) - 10:,} more" if len(new.unknown) > 10 else ""
            )
            getLogger(__name__).warning(f"Items that the model was not trained on are left out: {few}.")
        return new

    def _check_k(self, k: int, most: int | None = None, what: str = "items") -> None:
        most = len(self.items) - 1 if most is None else most
        if not 1 <= k <= most:
            raise SavedRunError(f"k is {k:,}, and there are {most:,} {what}: use 1 to {most:,}.")

    def _subset(self, items: Sequence[Any] | None) -> np.ndarray | None:
        """The internal ids of a subset, ascending."""
        return None if items is None else np.unique(self.items.ids(self.known_items(items)))


def _warn_left_out(unknown: list[str]) -> None:
    more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
    getLogger(__name__).warning(
        f"Items that the model was not trained on are left out: {', '.join(unknown[:NAMED])}{more}."
    )


def _texts(what: str, names: Sequence[Any]) -> list[str]:
    if isinstance(names, str):
        raise SavedRunError(f"{what}: give a list of ids, not the text {names!r}.")
    texts = list(dict.fromkeys(map(str, names)))
    if not texts:
        raise SavedRunError(f"The list of {what} is empty: give at least one id.")
    return texts


def _no_items(n: int) -> UserLists:
    return UserLists(np.zeros(n + 1, np.int64), np.zeros(0, np.int64))
