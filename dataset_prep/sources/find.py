"""The source a caller means: by name, where need be with a look at the first line of the log."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from dataset_prep.guards import UsageError
from dataset_prep.inputs import find, first_fields
from dataset_prep.remote import beginning
from dataset_prep.sources import SOURCES, Source
from dataset_prep.sources.columns import Columns
from dataset_prep.sources.tmall import edition

COLUMN_SETTINGS = ("user", "item", "time", "behavior", "category")


def find_source(source: str | Source, files: Sequence[str], settings: dict[str, Any]) -> Source:
    """Takes the settings that only csv knows out of *settings*. Raises UsageError, InputError."""
    if isinstance(source, Source):
        return source
    if source == "csv":
        return _columns(settings).source(_first_line(files, settings))
    if source == "tmall":
        return edition(_first_line(files, settings))
    if source not in SOURCES:
        near = difflib.get_close_matches(source, [*SOURCES, "csv"], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"There is no source {source!r}.{hint} There are {', '.join(SOURCES)} and csv.")
    return SOURCES[source]


def _first_line(files: Sequence[str], settings: dict[str, Any]) -> list[str]:
    words = {word: settings[word] for word in ("engine", "spark_url", "memory_limit") if word in settings}
    return first_fields(beginning(find(files, "--log")[0], **words))[0]


def _columns(settings: dict[str, Any]) -> Columns:
    names = {role: settings.pop(f"{role}_column", None) for role in COLUMN_SETTINGS}
    if not names["user"] or not names["item"]:
        raise UsageError("csv needs --user-column and --item-column.")
    values = settings.pop("behavior_values", None) or ()
    if isinstance(values, str):
        values = [value.strip() for value in values.split(",") if value.strip()]
    return Columns(**names, time_format=settings.pop("time_format", "unix"), behavior_values=tuple(values))
