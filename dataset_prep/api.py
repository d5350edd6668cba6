"""The two conversions as Python functions, each option typed and documented."""

from __future__ import annotations

import difflib
import inspect
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from dataset_prep.choices.remedies import Remedy
from dataset_prep.command import changed_options
from dataset_prep.conversion import Conversion, other_choices, run
from dataset_prep.errors import UsageError
from dataset_prep.files.frame import frame_to_csv, is_frame
from dataset_prep.files.layout import adapted, check_option, first_rows
from dataset_prep.files.parquet import is_parquet, parquet_to_csv
from dataset_prep.files.streams import find, is_remote
from dataset_prep.pairs.core import KNOWN
from dataset_prep.published import Published, PublishedSettings, run_published
from dataset_prep.reading.remote import beginning
from dataset_prep.settings import Settings
from dataset_prep.sources.base import Source
from dataset_prep.sources.columns import Columns
from dataset_prep.sources.find import find_source

PathLike = str | Path
KINDS: dict[str, tuple[type, str]] = {
    "int": (Integral, "a whole number"),
    "float": (Real, "a number"),
    "bool": (bool, "True or False"),
    "str": (str, "text"),
}
"""The kinds of values by their annotation, and in words."""


def convert(
    source: str | Source,
    users: PathLike | Sequence[PathLike] | Any,
    *,
    output: PathLike = "dataset",
    name: str | None = None,
    items: PathLike | Sequence[PathLike] | None = None,
    user_info: PathLike | None = None,
    behaviors: str | Sequence[str | int] | None = None,
    min_user: int = 2,
    min_item: int = 2,
    min_interactions: int = 1000,
    min_users: int = 50,
    min_items: int = 50,
    min_known: float = KNOWN,
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
    encoding: str | None = None,
    delimiter: str | None = None,
    user_column: str | None = None,
    item_column: str | None = None,
    time_column: str | None = None,
    time_format: str = "unix",
    timezone: str = "",
    category_column: str | None = None,
    behavior_column: str | None = None,
    behavior_values: str | Sequence[str] | None = None,
    **misspelt: object,
) -> Conversion:
    """Convert a raw log into the RecBole data set ``output/name``.

    Args:
        source: mobile, userbehavior, tmall or csv; or a ``Source``.
        users: The log: files, patterns, or addresses (s3://, hdfs://); or a pandas, polars or Arrow table with the
            columns of the log by name.
        output: Folder of the data sets.
        name: Name of the data set. None means SOURCE-log.
        items: Keep only the items that this file lists (the item subset P).
        user_info: user_info_format1.csv of IJCAI-15, for .user (age_range, gender).
        behaviors: Behaviours to keep, by value or name: 3,4 or cart,buy. None means the source's own choice.
        min_user: Distinct items a user must have.
        min_item: Distinct users an item must have. Both are relaxed to the strictest thresholds that leave enough.
        min_interactions: Least pairs of a usable data set ...
        min_users: ... and least users ...
        min_items: ... and least items; too few relax min_user and min_item.
        min_known: Least share of the held-out rows whose user and item are in training; 0 for no such limit, nor one
            on the rows of each part.
        strict: Refuse instead of relaxing.
        protocol: Keep the first interaction of a pair (novel), or every one (repeat).
        level: What is recommended: items, or their categories (dense where items are thin).
        item_geohash: Add each item's first geohash, from items, to .item.
        split: Write the parts, too: last, 'ratio 0.8,0.1,0.1' or 'date 2014-12-17,2014-12-18'.
        core_on: Whose pairs the core counts. RecBole counts all, which looks ahead.
        cold: Rows of validation and test with a user or item that training never saw.
        since: First day or time to keep, Beijing time; '' for no bound.
        until: Last day or time to keep, Beijing time; '' for no bound.
        max_bad: Stop when more than this share of the rows does not parse.
        force: Replace a data set of another source or other settings.
        reader: How the log is read. The files are the same.
        engine: What runs the SQL. The files are the same.
        spark_url: local[N], spark://... or sc://...
        memory_limit: Such as 4GB: beyond it, the disk is used. For DuckDB, or Spark on this machine.
        quiet: No progress bars.
        encoding: Of the log, as in gb18030 or utf-16. None means to recognise it.
        delimiter: Of the log, one character. None means to recognise it.
        user_column: Of csv: name in the header, or number from 1.
        item_column: Of csv.
        time_column: Of csv; 'month,day' where these are two columns. Without one there is no since, until or split,
            and RecBole splits at random.
        time_format: Of csv: unix, ms, us, hour, datetime, date, yyyymmdd, mmdd, iso, month-day, order, or a strptime
            pattern such as %d/%m/%Y.
        timezone: Of csv: of times that state none, as in Europe/Berlin. '' means Beijing.
        category_column: Of csv, for .item and for level category.
        behavior_column: Of csv. Needs behavior_values.
        behavior_values: Of csv: its values, weakest first: click,cart,buy.

    Returns:
        What was written, what was asked for and what was used.

    Raises:
        PrepError: anything the caller can mend; its subclasses say what: InputError, TooManyRejectsError, UsageError,
            OutputError, EmptyDatasetError, ThinDatasetError.
    """
    given = dict(locals())
    _refuse(misspelt, convert)
    with _settings(given) as settings:
        return run(settings)


def other_conversions(source: str | Source, users: PathLike | Sequence[PathLike], **options: Any) -> list[Remedy]:
    """Other behaviours, items, thresholds and level that leave enough of a log; each was tried on it.

    Args:
        source, users, options: as in ``convert``.
    """
    _refuse({name: value for name, value in options.items() if name not in DEFAULTS}, convert)
    with (
        _settings({**DEFAULTS, **options, "source": source, "users": users}) as settings,
        tempfile.TemporaryDirectory(prefix="dataset_prep-") as workdir,
    ):
        return other_choices(settings, Path(workdir))


@contextmanager
def _settings(given: dict[str, Any]) -> Iterator[Settings]:
    """The settings for the options of ``convert``. A table in memory is a file as long as they are used."""
    given = _typed(given, convert)
    users, source, columns = given["users"], given["source"], _columns(given)
    table = is_frame(users)
    parquet = [] if table else find(_paths(users), "--log")
    parquet = parquet if is_parquet(parquet) else []
    with tempfile.TemporaryDirectory(prefix="dataset_prep-") if table or parquet else nullcontext() as folder:
        if folder is not None:
            where = Path(folder)
            columns = replace(columns, header=True) if columns else None
            users = frame_to_csv(users, source, columns, where) if table else parquet_to_csv(parquet, where)
        files = _paths(users)
        form = given["encoding"], given["delimiter"]
        check_option(*form)
        words = {key: given[key] for key in ("engine", "spark_url", "memory_limit")}
        first = cache(lambda: beginning(find(files, "--log")[0], **words))
        found = find_source(source, lambda: first_rows(first(), *form), columns)
        if found.name != "csv" and not is_remote(find(files, "--log")[0]):
            found = adapted(found, first(), find(files, "--log")[0], *form)
        options = {key: given[key] for key in inspect.signature(Settings).parameters if key in given}
        options |= {
            "source": found,
            "users": files,
            "output": Path(given["output"]),
            "name": given["name"] or f"{found.name}-log",
            "items": _paths(given["items"]),
            "user_info": str(given["user_info"]) if given["user_info"] else None,
        }
        shown = files if folder is None else ("FILE",)  # a table in memory has no path
        options["given"] = changed_options(convert, {**given, "users": shown, "items": options["items"]})
        yield Settings(**options)


DEFAULTS = {name: parameter.default for name, parameter in inspect.signature(convert).parameters.items()}


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
    form: str = "auto",
    **misspelt: object,
) -> Published:
    """Write a published split (lines of "user item item ...") as the RecBole data set ``output/name``.

    Args:
        train: Lines of 'user item item ...'; .gz and .zip, too.
        test: The same for the test part.
        name: Name of the data set.
        output: Folder of the data sets.
        valid: The same for the validation part.
        valid_share: Without valid: share of the training pairs to hold out. 0: the test part serves for validation,
            as in the published runs.
        seed: Seed of the pairs to hold out.
        protocol: Drop from valid and test what is in an earlier part (novel), or keep it (repeat).
        cold: Pairs of valid and test with a user or item that training never saw.
        max_bad: Stop when more than this share of the lines does not parse.
        force: Replace a data set of another source or other settings.
        form: Lines of 'user item item ...' (lists), 'user item' (pairs), or 'user item weight' (triples); auto looks.

    Raises:
        PrepError: anything the caller can mend.
    """
    _refuse(misspelt, convert_published)
    _typed(locals(), convert_published)
    settings = PublishedSettings(
        str(train), str(test), Path(output), name, str(valid) if valid else None, valid_share, seed, protocol, cold,
        max_bad, force, form,
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
    return Columns(**named, time_format=given["time_format"], zone=given["timezone"], behavior_values=tuple(values))


def _typed(given: dict[str, Any], function: Callable[..., object]) -> dict[str, Any]:
    """The options; behaviours as the command line writes them, columns by number as text.

    Raises:
        UsageError: an option of a type that the function does not take.
    """
    given = {
        name: str(value) if name.endswith("_column") and type(value) is int else value for name, value in given.items()
    }
    if not isinstance(behaviors := given.get("behaviors"), str | None):
        given["behaviors"] = ",".join(map(str, behaviors if isinstance(behaviors, list | tuple | set) else [behaviors]))
    for name, parameter in inspect.signature(function).parameters.items():
        names = [kind for kind in str(parameter.annotation).split(" | ") if kind != "None"]
        value, optional = given.get(name), parameter.default is None
        if not KINDS.keys() >= set(names) or (value is None and optional):
            continue
        if not any(isinstance(value, KINDS[kind][0]) and isinstance(value, bool) == (kind == "bool") for kind in names):
            words = " or ".join(KINDS[kind][1] for kind in names)
            raise UsageError(f"{name} is {value!r}, and must be {words}{' or None' if optional else ''}.")
    return given


def _refuse(misspelt: dict[str, object], function: Callable[..., object]) -> None:
    """Raises UsageError for an option that the function does not have."""
    for word in misspelt:
        near = difflib.get_close_matches(word, inspect.signature(function).parameters, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"{function.__name__}() has no option {word!r}.{hint}")
