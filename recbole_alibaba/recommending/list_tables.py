"""Rankings as tables with the data's own ids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from recbole_alibaba.recommending.ranking import Ranking
from recbole_alibaba.recommending.shares import ScoreParts

REASONS = 5
"""Own items that are named for a recommendation; the other shares are one sum."""
DIGITS = 7


def frame(users: np.ndarray, found: Ranking, item_texts: np.ndarray, popular: np.ndarray | None) -> pd.DataFrame:
    """A row for each recommendation: user, rank, item, score, and popular where it is given for each user."""
    items, scores = found
    row, place = items.nonzero()
    table = {
        "user": users[row],
        "rank": place + 1,
        "item": item_texts[items[row, place]],
        "score": scores[row, place],
    }
    return pd.DataFrame(table if popular is None else {**table, "popular": popular[row]})


def explained(
    table: pd.DataFrame,
    users: np.ndarray,
    items: np.ndarray,
    parts_of: Callable[[int, np.ndarray], ScoreParts],
    item_texts: np.ndarray,
    popularity: bool,
) -> pd.DataFrame:
    """The table of `frame` with the parts of each score, whose sum it is; empty where a list is the popular one.

    They are own, because and others, and with `popularity` that.

    Args:
        users: internal ids (n,), 0 for an unknown user.
        items: their lists (n, k); 0 where a list has ended.
        parts_of: gives the parts of a user's scores for some items.
    """
    own: list[float] = []
    popular: list[float] = []
    because: list[list[tuple[str, float]]] = []
    others: list[float] = []
    for user, listed in zip(users, items, strict=True):
        listed = listed[listed > 0]
        if not user:
            own += [np.nan] * len(listed)
            popular += [np.nan] * len(listed)
            others += [np.nan] * len(listed)
            because += [[] for _ in listed]
            continue
        part, mine, shares, item_part = parts_of(int(user), listed)
        best = np.argsort(-shares, axis=0, kind="stable")[:REASONS].T
        own += part.round(DIGITS).tolist()
        popular += item_part.round(DIGITS).tolist()
        because += [
            [(item_texts[mine[at]], float(shares[at, column].round(DIGITS))) for at in rows]
            for column, rows in enumerate(best)
        ]
        named = np.take_along_axis(shares, best.T, 0).sum(0)
        others += (shares.sum(0) - named).round(DIGITS).tolist()
    table = table.assign(own=own, because=pd.Series(because, dtype=object), others=others)
    return table.assign(popularity=popular) if popularity else table
