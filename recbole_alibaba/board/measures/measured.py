"""What does the test say of a trained model? Ranked once; every number comes from these lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_alibaba.board.measures.beyond_accuracy import beyond_accuracy
from recbole_alibaba.board.measures.competition import competition_score
from recbole_alibaba.board.measures.groups import groups
from recbole_alibaba.board.measures.per_user import accuracy, of_each_user
from recbole_alibaba.board.measures.ranked_lists import RankedLists, ranked_lists
from recbole_alibaba.data.ranking_loader import user_item_ids

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment


@dataclass(frozen=True)
class Measured:
    """The numbers of one reading of the test.

    Attributes:
        test: metric -> mean over the users; see `per_user.accuracy`.
        users: inner ids of the test users, int32 (n,), ascending.
        activity: training interactions of each, int32 (n,).
        per_user: `recall@K` and `ndcg@K` of each, float32 (n,).
        groups: see `groups.groups`.
        beyond: see `beyond_accuracy.beyond_accuracy`.
        competition: see `competition.competition_score`; None where it was not asked for.
        rank_seconds: how long the ranking of the test took.
    """

    test: dict[str, float]
    users: np.ndarray
    activity: np.ndarray
    per_user: dict[str, np.ndarray]
    groups: dict[str, dict[str, Any]]
    beyond: dict[str, float]
    competition: dict[str, Any] | None
    rank_seconds: float


def measured(made: Experiment, topk: Sequence[int], k: int, competition: Mapping[str, Any] | None = None) -> Measured:
    """Read the test of an experiment whose model holds its best weights. The model's weights stay as they are.

    Args:
        topk: lengths of the lists of `test` and `beyond`.
        k: length of the lists of `per_user` and `groups`: that of `valid_metric`.
        competition: `items`, the file of the item subset; None: no competition.

    Raises:
        BadInput: the model does not rank items for users, or the competition cannot be scored on this data.
    """
    lists = ranked_lists(made, made.test_data, max(*topk, k))
    scored = competition_score(made, competition, max(*topk, k)) if competition else None
    return measured_lists(made, lists, topk, k, scored)


def measured_lists(
    made: Experiment, lists: RankedLists, topk: Sequence[int], k: int, competition: dict[str, Any] | None = None
) -> Measured:
    """The same for lists that exist already; the model is not used."""
    users, items = user_item_ids(made.train_data._dataset)
    activity = np.bincount(users, minlength=made.dataset.user_num)[lists.users]
    popularity = np.bincount(items, minlength=made.dataset.item_num)
    lengths = lists.positives.lengths
    scores = of_each_user(lists.hits, lengths, k)
    return Measured(
        accuracy(lists.hits, lengths, topk),
        lists.users.astype(np.int32),
        activity.astype(np.int32),
        {name: values.astype(np.float32) for name, values in scores.items()},
        groups(lists, scores, activity, popularity, k),
        beyond_accuracy(lists.items, popularity, topk),
        competition,
        lists.seconds,
    )
