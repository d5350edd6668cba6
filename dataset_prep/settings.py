"""Everything a conversion can be asked for, checked once."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataset_prep.command import command_line
from dataset_prep.errors import UsageError
from dataset_prep.machine import memory_of
from dataset_prep.pairs.core import KNOWN, Enough, Thresholds
from dataset_prep.pairs.split import Split, parse_split
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, TIME, Source
from dataset_prep.sources.times import FORMATS, TimeFormat, timestamp

CHOICES = {
    "protocol": ("novel", "repeat"),
    "level": ("item", "category"),
    "engine": ("duckdb", "spark"),
    "reader": ("auto", "compiled", "engine", "careful"),
    "core_on": ("all", "train"),
    "cold": ("drop", "keep"),
}
# The settings that decide the data set and are recorded as they are.
RECORDED = (
    *("name", "min_user", "min_item", "min_interactions", "min_users", "min_items", "strict", "protocol", "level"),
    *("item_geohash", "core_on", "cold"),
)


@dataclass(frozen=True)
class Settings:
    """The options of the command line; ``dataset_prep.convert`` documents them.

    given: the options as they were given to ``convert``, without the defaults.
    kept: the behaviours in the file's own words. cut: the split, parsed.
    """

    source: Source
    users: tuple[str, ...]
    output: Path
    name: str
    items: tuple[str, ...] = ()
    user_info: str | None = None
    behaviors: str | None = None
    min_user: int = 2
    min_item: int = 2
    min_interactions: int = 1000
    min_users: int = 50
    min_items: int = 50
    min_known: float = KNOWN
    strict: bool = False
    protocol: str = "novel"
    level: str = "item"
    item_geohash: bool = False
    split: str | None = None
    core_on: str = "all"
    cold: str = "drop"
    since: str | None = None
    until: str | None = None
    max_bad: float = 0.01
    force: bool = False
    reader: str = "auto"
    engine: str = "duckdb"
    spark_url: str = "local[2]"
    memory_limit: str | None = None
    quiet: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict, compare=False)
    kept: tuple[str, ...] = field(init=False)
    cut: Split | None = field(init=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        for setting, words in CHOICES.items():
            if getattr(self, setting) not in words:
                option = setting.replace("_", "-")
                raise UsageError(f"--{option}: {getattr(self, setting)!r} is not one of {', '.join(words)}.")
        for setting in ("min_user", "min_item", "min_interactions", "min_users", "min_items"):
            if getattr(self, setting) < 1:
                raise UsageError(f"--{setting.replace('_', '-')}: {getattr(self, setting)}; the least is 1.")
        if not 0 <= self.max_bad <= 1:
            raise UsageError(f"--max-bad: {self.max_bad} is no share; write 0.01 for one row in a hundred.")
        if not 0 <= self.min_known <= 1:
            raise UsageError(f"--min-known: {self.min_known} is no share; write 0.5 for a half, 0 for no such limit.")
        if self.memory_limit is not None:
            memory_of(self.memory_limit)
        behaviors = self.source.behavior_values(self.behaviors) if BEHAVIOR in self.source.columns else ()
        object.__setattr__(self, "kept", behaviors)
        object.__setattr__(self, "cut", parse_split(self.split) if self.split else None)
        self._check_columns()
        first, last = self.bounds
        if first is not None and last is not None and first > last:
            raise UsageError("--from is later than --to; every row would be dropped.")

    def _check_columns(self) -> None:
        columns = self.source.columns
        if self.level == "category" and CATEGORY not in columns:
            raise UsageError(f"--level category: {self.source.name} has no item category column.")
        if TIME not in columns and (self.since or self.until or self.cut):
            raise UsageError("--from, --to and --split go by time, and no time column was named.")
        if self.behaviors and BEHAVIOR not in columns:
            raise UsageError("--behaviors: no behaviour column was named.")
        if self.core_on == "train" and self.cut is None:
            raise UsageError("--core-on train needs --split: without one RecBole splits after the core was taken.")
        if self.item_geohash and (not self.items or self.level != "item"):
            raise UsageError(
                "--item-geohash takes an item's place from the --items file, so it needs one (and --level item)."
            )

    @property
    def asked(self) -> Thresholds:
        return Thresholds(self.min_user, self.min_item)

    @property
    def enough(self) -> Enough:
        return Enough(self.min_interactions, self.min_users, self.min_items, self.min_known)

    @property
    def word(self) -> str:
        """The source on the command line."""
        return "tmall" if self.source.name.startswith("tmall") else self.source.name

    def command_line(self, changes: Mapping[str, Any]) -> str:
        """The command that asks for these settings with some options changed; None leaves one out."""
        options = {**self.given, **changes}
        return command_line(self.word, {name: value for name, value in options.items() if value is not None})

    @property
    def time_format(self) -> TimeFormat:
        return FORMATS[self.source.time]

    @property
    def engine_words(self) -> tuple[str, str, str | None, bool]:
        """The arguments of ``open_engine``."""
        return self.engine, self.spark_url, self.memory_limit, self.quiet

    @property
    def ranks(self) -> list[int]:
        """Ranks of the behaviours to keep. A source without behaviours has one rank, 0."""
        values = [b.value for b in self.source.behaviors]
        return [values.index(value) for value in self.kept] or [0]

    @property
    def features(self) -> list[str]:
        """Columns of the log that describe an item."""
        if self.level == "category":
            return []
        return [f for f in self.source.item_features if f in self.source.columns]

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """First and last second to keep, Unix seconds; None: no bound."""
        period = self.source.period or (None, None)
        since = period[0] if self.since is None else self.since
        until = period[1] if self.until is None else self.until
        return (
            timestamp(since, "--from") if since else None,
            timestamp(until, "--to", end=True) if until else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """The settings that decide the result, ready for JSON: the same on every machine, without paths."""
        return {
            "source": self.source.name,
            "columns": list(self.source.columns),
            "behaviors": list(self.kept),
            "bounds": list(self.bounds),
            "split": str(self.cut) if self.cut else None,
            **{setting: getattr(self, setting) for setting in RECORDED},
            **({"min_known": self.min_known} if self.min_known != KNOWN else {}),
        }


def is_downloaded(name: str) -> bool:
    """Whether RecBole starts a download when this folder is missing; found without importing RecBole."""
    spec = importlib.util.find_spec("recbole")
    if spec is None or spec.origin is None:
        return False
    listed = Path(spec.origin).parent / "properties" / "dataset" / "url.yaml"
    text = listed.read_text(encoding="utf-8") if listed.is_file() else ""
    if f"\n{name}:" not in f"\n{text}":  # so most names do not wait for PyYAML
        return False
    import yaml

    return name in yaml.safe_load(text)


def check_name(name: str) -> None:
    """Raises UsageError for a name that is not a plain folder name or that RecBole would download."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise UsageError(
            f"--name: {name!r} must be letters, digits, '-', '_' or '.', and start with one of the first two."
        )
    if is_downloaded(name.lower()):
        raise UsageError(
            f"--name: RecBole knows {name!r} as a data set to download and would fetch its own when this one is "
            f"missing. Choose another name, such as my-{name}."
        )
