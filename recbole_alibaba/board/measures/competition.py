"""What would the model have scored in the Tianchi competition: F1 of pairs on the last day, within the item subset?"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from recbole_alibaba.host.errors import BadSettingError, SavedRunError
from recbole_alibaba.recommending.checkpoint import data_of, model_of
from recbole_alibaba.recommending.files.id_files import read_columns, read_ids
from recbole_alibaba.recommending.files.tianchi import best_number, by_score, last_known_day, score
from recbole_alibaba.recommending.history import History

if TYPE_CHECKING:
    import pandas as pd

    from recbole_alibaba.experiment import Experiment
    from recbole_alibaba.recommending.model import SavedModel

FILES = ("before", "truth")


class _Days(NamedTuple):
    """Items of the subset that the data set has; pairs to find on the day before, and on the last day."""

    items: list[str]
    before: pd.DataFrame
    last: pd.DataFrame


def competition_score(made: Experiment, competition: Mapping[str, Any], k: int) -> dict[str, Any]:
    """Hand in the pairs of largest score, as many as were best on the day before.

    Every user of the data gets the k best items of the subset, without those that the test hides from him, and the
    pairs of all users are ordered by score. Their number is that of largest F1 on the last day of **validation**, where
    only the training items are hidden; if no pair is right there, it is the number of pairs of that day. As many pairs
    are then scored on the last day of the test.

    Without `before` and `truth` the pairs of a day are those that the data set has on it. The score is the
    competition's own only if these are purchases.

    Args:
        competition: `items`, a file with the ids of the item subset. `before` and `truth`, both or neither: files with
            the purchases (user, item) of the day before the last and of the last day. With them no item is hidden,
            since many a purchase is of an item that the user has seen.

    Returns:
        `precision`, `recall`, `f1`, `pairs` (handed in), `truth` (pairs of the last day within the subset).

    Raises:
        BadInput: see `check_competition`.
    """
    model = model_of(made, _name(made))
    days, seen = _days(model, competition), "truth" in competition

    def ranked(one: SavedModel) -> pd.DataFrame:
        return by_score(one.recommend(k=k, seen=seen, items=days.items, history="train"))

    try:
        number = best_number(ranked(_before_test(model)), days.before).pairs
    except SavedRunError:  # no pair is right
        number = len(days.before)
    found = score(ranked(model)[:number], days.last)
    shares = {"precision": found.precision, "recall": found.recall, "f1": found.f1}
    return {**shares, "pairs": found.pairs, "truth": found.truth}


def check_competition(made: Experiment, competition: Mapping[str, Any]) -> None:
    """Refuse before the training what cannot be scored after it; the model is not used.

    Raises:
        BadInput: a file cannot be read, or the subset has no known item; a day has no pair of the subset; without
            `before` and `truth`: validation does not end on a day before the last one of the test.
    """
    _days(data_of(made, _name(made)), competition)


def _days(model: SavedModel, competition: Mapping[str, Any]) -> _Days:
    subset = read_ids(str(competition["items"]), "item")
    if "truth" in competition:
        places = [str(competition[name]) for name in FILES]
        days = [read_columns(place, ("user", "item")) for place in places]
    else:
        known = [last_known_day(one) for one in (_before_test(model), model)]
        days, places = [day for day, _ in known], [words for _, words in known]
        if places[0] == places[1]:
            raise BadSettingError(
                "competition: the number of pairs is chosen on the day before the last one, but validation and test "
                f"both end on {places[0]}. Split the data by date: python -m dataset_prep ... --split 'date "
                "2014-12-17,2014-12-18'."
            )
    days = [pairs[pairs["item"].isin(set(subset))].drop_duplicates() for pairs in days]
    for pairs, place in zip(days, places, strict=True):
        if not len(pairs):
            raise BadSettingError(f"competition: {place}: no pair of an item in {competition['items']}.")
    return _Days(model.known_items(subset), *days)


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


def _name(made: Experiment) -> dict[str, Any]:
    return {name: made.config[name] for name in ("model", "dataset")}
