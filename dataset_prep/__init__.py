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
from dataset_prep.settings import Settings
from dataset_prep.sources import SOURCES, Source

PathLike = str | Path


def _paths(given: PathLike | Sequence[PathLike] | None) -> tuple[Path, ...]:
    if given is None:
        return ()
    return tuple(map(Path, [given] if isinstance(given, str | Path) else given))


def convert(
    source: str | Source,
    users: PathLike | Sequence[PathLike],
    output: PathLike = "dataset",
    name: str | None = None,
    items: PathLike | Sequence[PathLike] | None = None,
    quiet: bool = True,
    **settings: Any,
) -> Conversion:
    """Convert a raw log into ``output/name``; the other settings are the fields of ``Settings``.

    Raises PrepError, a ValueError, for anything the caller can mend: InputError, UsageError, OutputError,
    EmptyDatasetError, ThinDatasetError.
    """
    if isinstance(source, str):
        if source not in SOURCES:
            raise UsageError(f"There is no source {source!r}; there are {', '.join(SOURCES)}.")
        source = SOURCES[source]
    name = name or f"{source.name}-log"
    return run(Settings(source, _paths(users), Path(output), name, _paths(items), **settings), quiet)


__all__ = [
    "SOURCES",
    "Conversion",
    "EmptyDatasetError",
    "Enough",
    "InputError",
    "OutputError",
    "PrepError",
    "Settings",
    "Source",
    "ThinDatasetError",
    "Thresholds",
    "TooManyRejectsError",
    "UsageError",
    "convert",
]
