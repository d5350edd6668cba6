"""The source a caller means: by name, or by the first lines of the log."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from dataset_prep.errors import UsageError
from dataset_prep.sources import SOURCES
from dataset_prep.sources.base import Source
from dataset_prep.sources.columns import Columns
from dataset_prep.sources.tmall import edition


def find_source(
    source: str | Source, first_rows: Callable[[], list[list[str]]], columns: Columns | None = None
) -> Source:
    """The source of this name.

    Args:
        source: a name, or a source, which is returned as it is.
        first_rows: gives the fields of the log's first lines. It is called for csv and tmall only.
        columns: the columns of csv; None where they were not named.

    Raises:
        UsageError: there is no such source, or columns are named for a source that has its own.
    """
    if columns is not None and source != "csv":
        raise UsageError("--user-column and the other column options belong to csv; other sources know their columns.")
    if isinstance(source, Source):
        return source
    if source == "csv":
        if columns is None:
            raise UsageError("csv needs --user-column and --item-column.")
        return columns.source(first_rows())
    if source == "tmall":
        return edition(first_rows())
    if source not in SOURCES:
        near = difflib.get_close_matches(source, [*SOURCES, "csv"], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"There is no source {source!r}.{hint} There are {', '.join(SOURCES)} and csv.")
    return SOURCES[source]
