"""What a raw log looks like: its columns, the names of its behaviours, its time; one module a format."""

from __future__ import annotations

from dataset_prep.sources.base import Behavior, Source
from dataset_prep.sources.mobile import MOBILE
from dataset_prep.sources.tmall import IJCAI15, IJCAI16
from dataset_prep.sources.userbehavior import USERBEHAVIOR

SOURCES: dict[str, Source] = {source.name: source for source in (MOBILE, USERBEHAVIOR, IJCAI15, IJCAI16)}

__all__ = ["IJCAI15", "IJCAI16", "MOBILE", "SOURCES", "USERBEHAVIOR", "Behavior", "Source"]
