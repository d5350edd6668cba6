"""The competition's file: how many pairs to hand in, and what a file would have scored."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from dataset_prep.sources.times import BEIJING_OFFSET, DAY
from recbole_alibaba.host.errors import SavedRunError
from recbole_alibaba.recommending.model import SavedModel

ROUNDING = 128
"""RecBole keeps times as float32, which rounds today's Unix seconds to multiples of 128."""


class F1(NamedTuple):
    """The competition's measures of distinct pairs; `hits` are pairs that are in both."""

    pairs: int
    truth: int
    hits: int

    @property
    def precision(self) -> float:
        """Share of the handed-in pairs that were bought."""
        return self.hits / self.pairs if self.pairs else 0.0

    @property
    def recall(self) -> float:
        """Share of the bought pairs that were handed in."""
        return self.hits / self.truth if self.truth else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.hits / (self.pairs + self.truth) if self.pairs + self.truth else 0.0


def score(submission: pd.DataFrame, truth: pd.DataFrame) -> F1:
    """Compare two tables with the columns user and item; repeated pairs count once."""
    one, other = (set(zip(table["user"], table["item"], strict=True)) for table in (submission, truth))
    return F1(len(one), len(other), len(one & other))


def best_number(pairs: pd.DataFrame, truth: pd.DataFrame) -> F1:
    """The number of first pairs with the largest F1 against `truth`, and its measures; the fewest of equal ones.

    Args:
        pairs: columns user, item, the best pair first.

    Raises:
        SavedRunError: no pair is in `truth`, so no number is better than another.
    """
    known = set(zip(truth["user"], truth["item"], strict=True))
    hits = np.cumsum([pair in known for pair in zip(pairs["user"], pairs["item"], strict=True)])
    if not len(hits) or not hits[-1]:
        raise SavedRunError(
            f"None of the {len(pairs):,} pairs is among the {len(known):,} of the last known day, so F1 cannot choose "
            "their number. Give it: --pairs N; or ask for more items a user: --k N."
        )
    number = int(np.argmax(2 * hits / (np.arange(1, len(hits) + 1) + len(known))))
    return F1(number + 1, len(known), int(hits[number]))


def last_known_day(model: SavedModel) -> tuple[pd.DataFrame, str]:
    """The pairs of the last day of the data that are in no training part, and words that say which they are.

    Without calendar times in the data (RecBole can scale them to 0..1) these are the pairs of the test part.

    Raises:
        SavedRunError: there is no such pair.
    """
    columns = model.history.interactions
    chosen, words = columns["part"].astype(str) == "test", "the test part (the data have no calendar times)"
    if (time := columns.get("time")) is not None and time.max() > DAY:
        start = (float(time.max()) + BEIJING_OFFSET - 1.5 * ROUNDING) // DAY * DAY - BEIJING_OFFSET
        chosen = (time >= start - ROUNDING / 2) & (columns["part"].astype(str) != "train")
        day = pd.Timestamp(start + BEIJING_OFFSET, unit="s")
        words = f"{day:%Y-%m-%d} (the last day of the data, without training pairs)"
    if not chosen.any():
        raise SavedRunError(
            f"There is no pair to choose the number by: {words}. Name the last known day's purchases: --truth FILE; or "
            "the number: --pairs N."
        )
    users, items = model.users.texts[columns["user"][chosen]], model.items.texts[columns["item"][chosen]]
    return pd.DataFrame({"user": users, "item": items}), words


def by_score(table: pd.DataFrame) -> pd.DataFrame:
    """Pairs of all users in one order: the largest score first, then the popular lists of unknown users."""
    columns, ascending = ["score"], [False]
    if "popular" in table:
        columns, ascending = ["popular", *columns], [True, *ascending]
    return table.sort_values(columns, ascending=ascending, kind="stable")
