"""What do lists score that another program made? A file of user, item, score, measured as a model's lists are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recbole_alibaba.board.measures.measured import Measured, measured_lists
from recbole_alibaba.board.measures.ranked_lists import RankedLists
from recbole_alibaba.data.ranking_loader import RankingTask
from recbole_alibaba.host.errors import BadInput
from recbole_alibaba.recommending.files.id_files import read_columns
from recbole_alibaba.recommending.tokens import NAMED, Tokens

if TYPE_CHECKING:
    from recbole_alibaba.experiment import Experiment


class OutsideListsError(BadInput, ValueError):
    """A file of lists that cannot be evaluated."""


def outside_measured(made: Experiment, file: Path, topk: Sequence[int], k: int) -> tuple[Measured, list[str]]:
    """Evaluate the lists of a file on the test of an experiment, whose model is not used.

    A user's items are ordered by score; of equal scores the lower inner id comes first. Items that the test hides from
    a model's lists (those of training and validation) are taken out of these lists, too. A test user without a list
    finds nothing.

    Args:
        file: columns user, item, score, named in the first line; separated by tabs, commas or semicolons.
        topk, k: see `measured.measured`.

    Returns:
        The measures (`rank_seconds` is 0), and a sentence for everything that was left out or is missing.

    Raises:
        OutsideListsError: a pair stands twice, a score is no finite number, no row has a test user and a known item.
        BadInput: the file cannot be read, or lacks a column.
    """
    rows, notes = _inner_ids(made, _read(file))
    users, longest = np.asarray(made.test_data.uid_list, np.int64), max(*topk, k)
    tested = rows["user"].isin(users)
    notes += _note(rows["user"][~tested].nunique(), "users of the file are not in the test.")
    rows = rows[tested]
    if not len(rows):
        raise OutsideListsError(
            f"{file}: no row has a test user and an item of {made.config['dataset']}. {' '.join(notes)}"
        )
    row = np.searchsorted(users, rows["user"])
    hidden = _is_hidden(made, row, rows["item"].to_numpy())
    notes += _note(int(hidden.sum()), "rows have an item that the test hides: the user had it before.")
    rows = rows.assign(row=row)[~hidden].sort_values(["row", "score", "item"], ascending=[True, False, True])
    place = rows.groupby("row").cumcount()
    rows, place = rows[place < longest], place[place < longest]
    lists = np.zeros((len(users), longest), np.int64)
    lists[rows["row"], place] = rows["item"]
    filled = (lists > 0).sum(1)
    notes += _note(int((filled == 0).sum()), f"of {len(users):,} test users have no list and find nothing.")
    notes += _note(int(((filled > 0) & (filled < longest)).sum()), f"lists have fewer than {longest} items.")
    return measured_lists(made, RankedLists.of(users, lists, made.test_data), topk, k), notes


def _read(file: Path) -> pd.DataFrame:
    """Columns user and item, texts, and score, float64."""
    rows = read_columns(file, ("user", "item", "score"))
    rows["score"] = pd.to_numeric(rows["score"], errors="coerce")
    for wrong, what in (
        (~np.isfinite(rows["score"]), "a score that is no finite number"),
        (rows.duplicated(["user", "item"]), "a second row of the same pair"),
    ):
        if wrong.any():
            user, item, _ = rows[wrong].iloc[0]
            raise OutsideListsError(
                f"{file}: {what}, in {int(wrong.sum()):,} of {len(rows):,} rows; the first is of user {user}, item "
                f"{item}. The file needs the columns user, item, score, and each pair once."
            )
    return rows


def _inner_ids(made: Experiment, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows whose user and item the data set has, by inner ids, and what the data set does not know."""
    dataset, found, notes = made.dataset, rows, []
    for side, field in (("user", dataset.uid_field), ("item", dataset.iid_field)):
        tokens = Tokens(side, np.asarray(dataset.field2id_token[field]).astype(str).astype(object))
        ids = tokens.ids(rows[side].tolist())
        unknown = list(dict.fromkeys(rows[side][ids == 0]))
        notes += _note(len(unknown), f"unknown {side}s are left out: {_few(unknown)}.")
        found = found.assign(**{side: ids})
    return found[(found["user"] > 0) & (found["item"] > 0)], notes


def _is_hidden(made: Experiment, row: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Whether the test hides the item from the list of the row's user, bool (m,)."""
    task = getattr(made.test_data, "task", None) or RankingTask.from_loader(made.test_data)
    return np.isin(row * task.n_items + items, task.hidden.rows * task.n_items + task.hidden.items)


def _note(count: int, words: str) -> list[str]:
    return [f"{count:,} {words}"] if count else []


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
