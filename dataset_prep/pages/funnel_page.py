"""The funnel on a page: the rows that every step leaves, and who is below the thresholds; from funnel.json's list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataset_prep.pages.bars import Bars
from dataset_prep.pages.numbers import count, percent
from dataset_prep.pages.parts import Charts, Group, Part, Table, table

Stages = Sequence[Mapping[str, Any]]


def funnel_parts(stages: Stages) -> list[Part]:
    """A chart and its table; a second table where thresholds were asked for."""
    bars = Bars("Rows left after every step", "rows", [(stage["stage"], stage["rows"]) for stage in stages])
    whole = stages[0]["rows"]
    head = ("step", "rows", "share of all", "rows lost", "pairs", "users", "items", "lost rows are")
    rows = [
        (
            stage["stage"],
            count(stage["rows"]),
            percent(stage["rows"], whole),
            count(stage.get("dropped_rows", 0)),
            *(count(stage[key]) if key in stage else "" for key in ("pairs", "users", "items")),
            stage.get("dropped_because", ""),
        )
        for stage in stages
    ]
    parts: list[Part] = [] if bars.empty() else [Charts([bars])]
    parts.append(table("Rows left after every step", head, rows, words=(0, 7)))
    weak = [stage for stage in stages if "below_threshold" in stage]
    if weak:
        parts.append(_below(weak))
    return parts


def _below(stages: Stages) -> Table:
    """One group a threshold, for users and for items."""
    groups = []
    for who in ("user", "item"):
        for least in dict.fromkeys(stage["below_threshold"][f"min_{who}"] for stage in stages):
            rows = []
            for stage in stages:
                if stage["below_threshold"][f"min_{who}"] == least:
                    below, every = stage["below_threshold"][f"{who}s"], stage.get(f"{who}s", 0)
                    rows.append((stage["stage"], f"{count(below)} of {count(every)}", percent(below, every)))
            groups.append(Group(f"{who.capitalize()}s with fewer than {least} interactions", rows))
    return Table("Below the thresholds", ("after the step", "number", "share"), groups, caption=True)
