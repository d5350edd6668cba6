"""From Alibaba's raw logs to RecBole data sets: ``convert(...)`` and ``python -m dataset_prep``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataset_prep.convert import Conversion, run
from dataset_prep.core import Enough, Thresholds
from dataset_prep.guards import (
    EmptyDatasetError,
    InputError,
    OutputError,
    PrepError,
    ThinDatasetError,
    TooManyRejectsError,
    UsageError,
)
from dataset_prep.published import Published, PublishedSettings, convert_published
from dataset_prep.settings import Settings
from dataset_prep.sources import SOURCES, Source
from dataset_prep.sources.find import find_source

PathLike = str | Path


def _paths(given: PathLike | Sequence[PathLike] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return tuple(map(str, [given] if isinstance(given, str | Path) else given))


def convert(
    source: str | Source,
    users: PathLike | Sequence[PathLike],
    output: PathLike = "dataset",
    name: str | None = None,
    items: PathLike | Sequence[PathLike] | None = None,
    quiet: bool = True,
    **settings: Any,
) -> Conversion:
    """Convert a raw log into ``output/name``.

    source: mobile, userbehavior, tmall, csv, or a ``Source``. *settings* are the fields of ``Settings``, named as the
    command line names them; csv also takes those of ``sources.columns.Columns`` as ``user_column`` and so on.

    Raises PrepError, a ValueError, for anything the caller can mend: InputError, TooManyRejectsError, UsageError,
    OutputError, EmptyDatasetError, ThinDatasetError.
    """
    log_files = _paths(users)
    source = find_source(source, log_files, settings)
    name = name or f"{source.name}-log"
    return run(Settings(source, log_files, Path(output), name, _paths(items), quiet=quiet, **settings))


__all__ = [
    "SOURCES",
    "Conversion",
    "EmptyDatasetError",
    "Enough",
    "InputError",
    "OutputError",
    "PrepError",
    "Published",
    "PublishedSettings",
    "Settings",
    "Source",
    "ThinDatasetError",
    "Thresholds",
    "TooManyRejectsError",
    "UsageError",
    "convert",
    "convert_published",
]
