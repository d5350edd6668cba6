"""Whom does the model serve? The metrics of users by activity, and of items by popularity."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_alibaba.board.measures.per_user import of_each_user
from recbole_alibaba.board.measures.ranked_lists import RankedLists

USER_THIRDS = ("users: least active third", "users: middle third", "users: most active third")
ITEM_THIRDS = ("items: least popular third", "items: middle third", "items: most popular third")


def groups(
    lists: RankedLists, scores: dict[str, np.ndarray], activity: np.ndarray, popularity: np.ndarray, k: int
) -> dict[str, dict[str, Any]]:
    """The metrics of seven or eight groups.

    - **Thirds of users**: the test users with a training interaction, ordered by their number of training interactions
      (equal numbers: the lower inner id first) and cut into three groups of equal size; if the number does not divide,
      the first groups have one user more.
    - **users: cold**: the test users without a training interaction.
    - **Thirds of items**: the items with a training interaction, ordered and cut alike by their number of training
      interactions. They are thirds of the items, not of the interactions.
    - **items: cold**: the items without a training interaction.

    For a group of users recall and NDCG are means over its users. For a group of items only the test items of the group
    count as items to find: recall is the share of them in the list of k (the list holds all items), NDCG is of them
    alone; both are means over the users who have at least one in the test.

    Args:
        scores: recall@k and ndcg@k of each user, (n,).
        activity: training interactions of each of the lists' users, (n,).
        popularity: training interactions of each item, (n_items,); item 0 is padding.

    Returns:
        Group -> `users` (how many the mean is over), `members` (users or items in the group), `least` and `most`
        (training interactions of a member), `recall@k`, `ndcg@k`. What is not defined, in a group without such a user,
        is None.
    """
    found = {}
    for name, members in _parts(USER_THIRDS, activity, "users: cold").items():
        found[name] = _row({metric: values[members] for metric, values in scores.items()}, activity[members])
    for name, members in _parts(ITEM_THIRDS, popularity, "items: cold").items():
        items = members[members > 0]
        found[name] = _row(_of_items(lists, items, len(popularity), k), popularity[items])
    return found


def _parts(names: tuple[str, ...], counts: np.ndarray, cold: str) -> dict[str, np.ndarray]:
    """Positions in `counts`: three parts of those above 0 by their count, and those that are 0."""
    warm = np.flatnonzero(counts)
    order = warm[np.argsort(counts[warm], kind="stable")]
    return dict(zip(names, np.array_split(order, 3), strict=True)) | {cold: np.flatnonzero(counts == 0)}


def _of_items(lists: RankedLists, members: np.ndarray, n_items: int, k: int) -> dict[str, np.ndarray]:
    """The metrics of each user who has one of these items in the test."""
    chosen = np.zeros(n_items, bool)
    chosen[members] = True
    lengths = np.bincount(lists.positives.rows[chosen[lists.positives.items]], minlength=len(lists.users))
    some = lengths > 0
    return of_each_user((lists.hits & chosen[lists.items])[some], lengths[some], k)


def _row(scores: dict[str, np.ndarray], counts: np.ndarray) -> dict[str, Any]:
    users = len(next(iter(scores.values())))
    sizes = {"users": users, "members": len(counts)}
    bounds = {"least": int(counts.min()) if len(counts) else None, "most": int(counts.max()) if len(counts) else None}
    return sizes | bounds | {name: float(values.mean()) if users else None for name, values in scores.items()}
