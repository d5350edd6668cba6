"""The two conversions as Python functions, each option typed and documented."""

from __future__ import annotations

import difflib
import inspect
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from dataset_prep.conversion import Conversion, run
from dataset_prep.errors import UsageError
from dataset_prep.published import Published, PublishedSettings, run_published
from dataset_prep.reading.files import find, first_fields
from dataset_prep.reading.frame import frame_to_csv, is_frame
from dataset_prep.reading.remote import beginning
from dataset_prep.settings import Settings
from dataset_prep.sources.base import Source
from dataset_prep.sources.columns import Columns
from dataset_prep.sources.find import find_source

PathLike = str | Path


def convert(
    source: str | Source,
    users: PathLike | Sequence[PathLike] | Any,
    *,
    output: PathLike = "dataset",
    name: str | None = None,
    items: PathLike | Sequence[PathLike] | None = None,
    user_info: PathLike | None = None,
    behaviors: str | None = None,
    min_user: int = 2,
    min_item: int = 2,
    min_interactions: int = 1000,
    min_users: int = 50,
    min_items: int = 50,
    strict: bool = False,
    protocol: str = "novel",
    level: str = "item",
    item_geohash: bool = False,
    split: str | None = None,
    core_on: str = "all",
    cold: str = "drop",
    since: str | None = None,
    until: str | None = None,
    max_bad: float = 0.01,
    force: bool = False,
    reader: str = "auto",
    engine: str = "duckdb",
    spark_url: str = "local[2]",
    memory_limit: str | None = None,
    quiet: bool = True,
    user_column: str | None = None,
    item_column: str | None = None,
    time_column: str | None = None,
    time_format: str = "unix",
    category_column: str | None = None,
    behavior_column: str | None = None,
    behavior_values: str | Sequence[str] | None = None,
    **misspelt: object,
) -> Conversion:
    """Convert a raw log into the RecBole data set ``output/name``.

    Args:
        source: mobile, userbehavior, tmall or csv; or a ``Source``.
        users: the log: files, patterns or addresses; or a pandas, polars or Arrow table with the log's columns by name.
        name: of the data set; None: SOURCE-log.
        items: keep only the items that these files list.
        user_info: user_info_format1.csv of IJCAI-15, for .user.
        behaviors: to keep, as values or names: "3,4" or "cart,buy"; None: the source's own choice.
        min_user, min_item: distinct items a user and distinct users an item must have. They are relaxed to the
            strictest thresholds that leave enough.
        min_interactions, min_users, min_items: what is enough.
        strict: refuse instead of relaxing.
        protocol: "novel" keeps the first interaction of each (user, item) pair, "repeat" keeps all.
        level: "item" or "category": what is recommended.
        item_geohash: add each item's first geohash, from *items*, to .item.
        split: write the parts: "last", "ratio 0.8,0.1,0.1" or "date 2014-12-17,2014-12-18". None: RecBole splits.
        core_on: "all" or "train": the pairs whose core counts.
        cold: "drop" or "keep" rows of validation and test with a user or item that training never saw.
        since, until: first and last day or time to keep, Beijing time; None: the source's period; "": no bound.
        max_bad: largest share of rows that may not parse.
        force: replace a data set of another source or other settings.
        reader: "auto", "compiled", "engine" or "careful". All give the same data set.
        engine, spark_url: "duckdb", or "spark" and its address.
        memory_limit: such as "4GB"; beyond it the disk is used.
        quiet: no progress bars.
        user_column, item_column, time_column, category_column, behavior_column: of csv: names in the header, or
            numbers from 1.
        time_format: of csv: unix, hour, datetime, date, yyyymmdd.
        behavior_values: of csv: the behaviours, weakest first.

    Returns:
        What was written, what was asked for and what was used.

    Raises:
        PrepError: anything the caller can mend; its subclasses say what: InputError, TooManyRejectsError, UsageError,
            OutputError, EmptyDatasetError, ThinDatasetError.
    """
    given = dict(locals())
    _refuse(misspelt, convert)
    columns = _columns(given)
    with tempfile.TemporaryDirectory(prefix="dataset_prep-") if is_frame(users) else nullcontext() as folder:
        if folder is not None:
            users = frame_to_csv(users, source, columns, Path(folder))
        files = _paths(users)
        words = {"engine": engine, "spark_url": spark_url, "memory_limit": memory_limit}

        def first_line() -> list[str]:
            return first_fields(beginning(find(files, "--log")[0], **words))[0]

        found = find_source(source, first_line, columns)
        options = {key: given[key] for key in inspect.signature(Settings).parameters if key in given}
        options |= {
            "source": found,
            "users": files,
            "output": Path(output),
            "name": name or f"{found.name}-log",
            "items": _paths(items),
            "user_info": str(user_info) if user_info else None,
        }
        return run(Settings(**options))


def convert_published(
    train: PathLike,
    test: PathLike,
    *,
    name: str,
    output: PathLike = "dataset",
    valid: PathLike | None = None,
    valid_share: float = 0.0,
    seed: int = 2020,
    protocol: str = "novel",
    cold: str = "keep",
    max_bad: float = 0.01,
    force: bool = False,
    **misspelt: object,
) -> Published:
    """Write a published split (lines of "user item item ...") as the RecBole data set ``output/name``.

    Args:
        train, test, valid: the files.
        valid_share: without *valid*, this share of the training pairs is held out at random. 0: the test part serves
            for validation, as in the published runs.
        seed: of the pairs to hold out.
        protocol: "novel" drops from valid and test the pairs of an earlier part, "repeat" keeps them.
        cold, max_bad, force: as in ``convert``.

    Raises:
        PrepError: anything the caller can mend.
    """
    _refuse(misspelt, convert_published)
    settings = PublishedSettings(
        str(train), str(test), Path(output), name, str(valid) if valid else None, valid_share, seed, protocol, cold,
        max_bad, force,
    )  # fmt: skip
    return run_published(settings)


def _paths(given: PathLike | Sequence[PathLike] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return tuple(map(str, [given] if isinstance(given, str | Path) else given))


def _columns(given: dict[str, Any]) -> Columns | None:
    """The columns of csv, where any is named."""
    roles = ("user", "item", "time", "category", "behavior")
    named = {role: given[f"{role}_column"] for role in roles}
    if not any(named.values()):
        return None
    if not named["user"] or not named["item"]:
        raise UsageError("csv needs --user-column and --item-column.")
    values = given["behavior_values"] or ()
    if isinstance(values, str):
        values = [value.strip() for value in values.split(",") if value.strip()]
    return Columns(**named, time_format=given["time_format"], behavior_values=tuple(values))


def _refuse(misspelt: dict[str, object], function: Callable[..., object]) -> None:
    """Raises UsageError for an option that the function does not have."""
    for word in misspelt:
        near = difflib.get_close_matches(word, inspect.signature(function).parameters, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"{function.__name__}() has no option {word!r}.{hint}")
