"""Everything a conversion can be asked for, checked once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset_prep.core import Enough, Thresholds
from dataset_prep.guards import UsageError
from dataset_prep.recbole_yaml import check_name
from dataset_prep.sources.base import CATEGORY, Source
from dataset_prep.times import moment


@dataclass(frozen=True)
class Settings:
    """The words of the command line.

    users: files of the log; items: files whose first column lists the items to keep, none = all.
    behaviors: as given; ``kept`` has them in the file's own words.
    min_user, min_item: distinct partners each must have; relaxed to the strictest that leave ``enough``
        unless ``strict``.
    protocol: novel keeps the first interaction of a (user, item) pair, repeat keeps all.
    """

    source: Source
    users: tuple[Path, ...]
    output: Path
    name: str
    items: tuple[Path, ...] = ()
    behaviors: str | None = None
    min_user: int = 2
    min_item: int = 2
    min_interactions: int = 1000
    min_users: int = 50
    min_items: int = 50
    strict: bool = False
    protocol: str = "novel"
    level: str = "item"
    since: str | None = None
    until: str | None = None
    max_bad: float = 0.01
    force: bool = False
    engine: str = "duckdb"
    memory_limit: str | None = None
    kept: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.source.behaviors:
            object.__setattr__(self, "kept", self.source.behavior_values(self.behaviors))
        else:
            object.__setattr__(self, "kept", ())
        for option, least in (("--min-user", self.min_user), ("--min-item", self.min_item)):
            if least < 1:
                raise UsageError(f"{option}: {least} keeps nothing more than 1 does; the least is 1.")
        for option, words, value in (
            ("--protocol", ("novel", "repeat"), self.protocol),
            ("--level", ("item", "category"), self.level),
            ("--engine", ("duckdb", "spark"), self.engine),
        ):
            if value not in words:
                raise UsageError(f"{option}: {value!r} is not one of {', '.join(words)}.")
        if not 0 <= self.max_bad <= 1:
            raise UsageError(f"--max-bad: {self.max_bad} is no share; write 0.01 for one row in a hundred.")
        if self.level == "category" and CATEGORY not in self.source.columns:
            raise UsageError(f"--level category: {self.source.name} has no item category column.")
        first, last = self.bounds
        if first is not None and last is not None and first > last:
            raise UsageError("--from is later than --to; every row would be dropped.")

    @property
    def asked(self) -> Thresholds:
        return Thresholds(self.min_user, self.min_item)

    @property
    def enough(self) -> Enough:
        return Enough(self.min_interactions, self.min_users, self.min_items)

    @property
    def ranks(self) -> list[int]:
        """Ranks of the behaviours to keep; a source without behaviours has the one rank 0."""
        values = [b.value for b in self.source.behaviors]
        return [values.index(value) for value in self.kept] or [0]

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """First and last moment to keep, Unix seconds."""
        since, until = (self.since, self.until)
        if self.source.period:
            since, until = since or self.source.period[0], until or self.source.period[1]
        return (
            moment(since, "--from") if since else None,
            moment(until, "--to", end=True) if until else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """What decides the result, JSON-able and free of paths: the same on every machine and engine."""
        left_out = {
            "source",
            "users",
            "items",
            "output",
            "force",
            "engine",
            "memory_limit",
            "kept",
            "behaviors",
            "max_bad",
        }
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in left_out}
        return {"source": self.source.name, "behaviors": list(self.kept), "bounds": self.bounds, **plain}
