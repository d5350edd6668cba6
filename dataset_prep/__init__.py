"""From Alibaba's raw logs to RecBole data sets: ``convert(...)`` and ``python -m dataset_prep``.

Names are imported when they are first used, so that ``import dataset_prep`` and ``--help`` take no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataset_prep.api import convert, convert_published, other_conversions
    from dataset_prep.conversion import Conversion
    from dataset_prep.errors import (
        EmptyDatasetError,
        InputError,
        OutputError,
        PrepError,
        ThinDatasetError,
        TooManyRejectsError,
        UsageError,
    )
    from dataset_prep.inspection import Inspection, inspect
    from dataset_prep.pairs.core import Enough, Size, Thresholds
    from dataset_prep.published import Published
    from dataset_prep.sources import SOURCES, Source
    from dataset_prep.sources.sample import write_sample

_HOME = {
    "api": ("convert", "convert_published", "other_conversions"),
    "conversion": ("Conversion",),
    "errors": (
        *("EmptyDatasetError", "InputError", "OutputError", "PrepError"),
        *("ThinDatasetError", "TooManyRejectsError", "UsageError"),
    ),
    "inspection": ("Inspection", "inspect"),
    "pairs.core": ("Enough", "Size", "Thresholds"),
    "published": ("Published",),
    "sources.sample": ("write_sample",),
    "sources": ("SOURCES", "Source"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"dataset_prep.{module}"), name)
    raise AttributeError(f"module 'dataset_prep' has no attribute {name!r}")


__all__ = [
    "SOURCES",
    "Conversion",
    "EmptyDatasetError",
    "Enough",
    "InputError",
    "Inspection",
    "OutputError",
    "PrepError",
    "Published",
    "Size",
    "Source",
    "ThinDatasetError",
    "Thresholds",
    "TooManyRejectsError",
    "UsageError",
    "convert",
    "convert_published",
    "inspect",
    "other_conversions",
    "write_sample",
]
