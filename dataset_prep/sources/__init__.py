"""What a raw log looks like: its columns, the names of its behaviours, its time; one module a format."""

from __future__ import annotations

from dataset_prep.sources.base import Behavior, Source
from dataset_prep.sources.mobile import MOBILE

SOURCES: dict[str, Source] = {source.name: source for source in (MOBILE,)}

__all__ = ["MOBILE", "SOURCES", "Behavior", "Source"]
