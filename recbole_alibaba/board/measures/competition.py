"""What would the model have scored in the Tianchi competition: F1 of pairs on the last day, within the item subset?"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recbole_alibaba.host.errors import BadSettingError, SavedRunError
from recbole_alibaba.recommending.checkpoint import model_of
from recbole_alibaba.recommending.files.id_files import read_ids
from recbole_alibaba.recommending.files.tianchi import best_number, by_score, last_known_day, score
from recbole_alibaba.recommending.history import History

if TYPE_CHECKING:
    import pandas as pd

    from recbole_alibaba.experiment import Experiment
    from recbole_alibaba.recommending.model import SavedModel


def competition_score(made: Experiment, competition: Mapping[str, Any], k: int) -> dict[str, Any]:
    """Hand in the pairs of largest score, as many as were best on the last day before the test.

    Every user of the data gets the k best items of the subset without those that he has had, as in the test. The pairs
    of all users are ordered by score. Their number is the one of largest F1 on the last day of **validation**; where no
    pair is right on that day, it is the number of pairs of that day. The same number of pairs, now without the
    validation items, is scored on the last day of the test.

    A pair counts as bought if the data set has it on that day, so the score is the competition's own only where the
    interactions of the data set are purchases.

    Args:
        competition: `items`: a file with the ids of the item subset.

    Returns:
        `precision`, `recall`, `f1`, `pairs` (handed in), `truth` (pairs of the last day within the subset).

    Raises:
        BadInput: the file cannot be read or names no known item; validation does not end on a day before the last one
            of the test; a day has no pair of the subset.
    """
    subset = read_ids(str(competition["items"]), "item")
    model = model_of(made, {"model": made.config["model"], "dataset": made.config["dataset"]})
    before, known = _before_test(model), model.known_items(subset)
    (day_before, words_before), (day, words) = last_known_day(before), last_known_day(model)
    if words_before == words:
        raise BadSettingError(
            "competition: the number of pairs is chosen on a day before the last one, but validation and test both end "
            f"on {words}. Split the data by date: python -m dataset_prep ... --split 'date 2014-12-17,2014-12-18'."
        )
    day_before, day = (pairs[pairs["item"].isin(set(known))] for pairs in (day_before, day))
    if not len(day_before) or not len(day):
        empty = words if len(day_before) else words_before
        raise BadSettingError(f"competition: {competition['items']}: no pair of the subset on {empty}.")

    def ranked(one: SavedModel) -> pd.DataFrame:
        return by_score(one.recommend(k=k, items=known, history="train"))

    try:
        number = best_number(ranked(before), day_before).pairs
    except SavedRunError:  # no pair is right
        number = len(day_before)
    found = score(ranked(model)[:number], day)
    return {
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "pairs": found.pairs,
        "truth": found.truth,
    }


def _before_test(model: SavedModel) -> SavedModel:
    """The same model before the test: validation is what is to be found."""
    columns = model.history.interactions
    part = columns["part"].astype(str)
    rows = part != "test"
    earlier = {name: values[rows] for name, values in columns.items()}
    earlier["part"] = part[rows]
    earlier["part"][earlier["part"] == "valid"] = "test"
    one = copy.copy(model)
    one.history = History(earlier, model.history.n_users, model.history.n_items)
    return one
