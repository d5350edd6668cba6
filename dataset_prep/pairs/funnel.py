"""The funnel: how many rows, pairs, users and items each step leaves, and why the others went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dataset_prep.pairs.core import Codes, Size, Thresholds


def describe(size: Size) -> str:
    """12,345 pairs, 412 users, 1,512 items"""
    return f"{size.pairs:,} pairs, {size.users:,} users, {size.items:,} items"


def share(part: int, whole: int) -> str:
    return f"{part:,} / {whole:,} ({part / whole if whole else 0:.1%})"


@dataclass(frozen=True)
class Weak:
    """How many users and items have too few distinct partners for the thresholds asked for."""

    thresholds: Thresholds
    users: int
    items: int


@dataclass(frozen=True)
class Stage:
    """What one step left. dropped: why rows of the stage before are missing."""

    name: str
    rows: int
    size: Size | None = None
    dropped: str = ""
    weak: Weak | None = None

    def weak_lines(self) -> list[str]:
        if self.weak is None or self.size is None:
            return []
        user, item = self.weak.thresholds
        return [
            f"users with fewer than {user} interactions: {share(self.weak.users, self.size.users)}",
            f"items with fewer than {item} interactions: {share(self.weak.items, self.size.items)}",
        ]


@dataclass
class Funnel:
    """The stages in order. The first has every row of the input."""

    stages: list[Stage] = field(default_factory=list)

    def add(self, stage: Stage) -> Stage:
        if self.stages and stage.rows > self.stages[-1].rows:
            raise AssertionError(f"stage {stage.name!r} has more rows than the one before it")
        self.stages.append(stage)
        return stage

    def dropped(self) -> dict[str, int]:
        """Reason -> rows lost. Together with the rows of the last stage they add up to the input's rows."""
        lost: dict[str, int] = {}
        for before, after in zip(self.stages, self.stages[1:], strict=False):
            lost[after.dropped] = lost.get(after.dropped, 0) + before.rows - after.rows
        return lost

    def line(self, stage: Stage) -> str:
        first = self.stages[0].rows
        kept = stage.rows / first if first else 0.0
        size = f", {describe(stage.size)}" if stage.size else ""
        return f"{stage.name}: {stage.rows:,} rows ({kept:.1%}){size}"

    def lines(self) -> list[str]:
        lines = []
        for stage in self.stages:
            lines.append(self.line(stage))
            lines += [f"  {line}" for line in stage.weak_lines()]
        return lines

    def as_dict(self) -> list[dict[str, Any]]:
        """One dict a stage, ready for JSON."""
        first = self.stages[0].rows if self.stages else 0
        result = []
        before: Stage | None = None
        for stage in self.stages:
            entry: dict[str, Any] = {"stage": stage.name, "rows": stage.rows}
            if stage.size:
                entry |= stage.size._asdict()
            entry["share_of_rows"] = round(stage.rows / first, 6) if first else 0.0
            if before is not None:
                entry |= {"dropped_rows": before.rows - stage.rows, "dropped_because": stage.dropped}
            if stage.weak:
                entry["below_threshold"] = {
                    "min_user": stage.weak.thresholds.user,
                    "users": stage.weak.users,
                    "min_item": stage.weak.thresholds.item,
                    "items": stage.weak.items,
                }
            result.append(entry)
            before = stage
        return result


def measure(degrees: tuple[Codes, Codes], asked: Thresholds | None = None) -> tuple[Size, Weak | None]:
    """(size of a set of distinct pairs, how many users and items are below the thresholds *asked* for)

    Args:
        degrees: how many partners each user and each item has.
    """
    user_degree, item_degree = degrees
    size = Size(int(user_degree.sum()), int((user_degree > 0).sum()), int((item_degree > 0).sum()))
    if asked is None:
        return size, None
    weak_users = int(((user_degree > 0) & (user_degree < asked.user)).sum())
    weak_items = int(((item_degree > 0) & (item_degree < asked.item)).sum())
    return size, Weak(asked, weak_users, weak_items)
