"""Any other log: its columns named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataset_prep.errors import UsageError
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, TIME, USER, Behavior, Source
from dataset_prep.sources.times import FORMATS

MOST_BEHAVIORS = 8


@dataclass(frozen=True)
class Columns:
    """Names in the header, or numbers from 1, of the columns that matter; behaviours weakest first."""

    user: str
    item: str
    time: str | None = None
    behavior: str | None = None
    category: str | None = None
    time_format: str = "unix"
    behavior_values: Sequence[str] = ()
    header: bool | None = None

    def source(self, first_line: Sequence[str]) -> Source:
        """The source of a file whose first line has these fields. Raises UsageError."""
        roles = {USER: self.user, ITEM: self.item, TIME: self.time, BEHAVIOR: self.behavior, CATEGORY: self.category}
        asked = {role: name for role, name in roles.items() if name is not None}
        named = self.header if self.header is not None else any(not name.isdigit() for name in asked.values())
        columns = [f"column_{n}" for n in range(1, len(first_line) + 1)]
        for role, name in asked.items():
            place = self._place(name, first_line, named)
            if columns[place] in asked:
                raise UsageError(f"--{columns[place]} and --{role} name the same column, {name!r}.")
            columns[place] = role
        self._check()
        return Source(
            name="csv",
            title="a log with named columns",
            columns=tuple(columns),
            behaviors=tuple(Behavior(value) for value in self.behavior_values),
            default_behaviors=tuple(self.behavior_values),
            time=self.time_format,
            headers=frozenset({first_line[0].strip().lower()}) if named else frozenset(),
            digits=False,
        )

    @staticmethod
    def _place(name: str, first_line: Sequence[str], named: bool) -> int:
        header = [field.strip() for field in first_line]
        if named and name in header:
            return header.index(name)
        if name.isdigit() and 1 <= int(name) <= len(first_line):
            return int(name) - 1
        there = ", ".join(header) if named else f"columns 1 to {len(first_line)}"
        raise UsageError(f"There is no column {name!r}; the first line has {there}.")

    def _check(self) -> None:
        if self.time_format not in FORMATS:
            raise UsageError(f"--time-format: {self.time_format!r} is not one of {', '.join(FORMATS)}.")
        if self.behavior and not self.behavior_values:
            raise UsageError(
                "--behavior-column needs --behavior-values: its values, weakest first, as in click,cart,buy."
            )
        if self.behavior_values and not self.behavior:
            raise UsageError("--behavior-values needs --behavior-column.")
        if len(self.behavior_values) > MOST_BEHAVIORS:
            raise UsageError(f"--behavior-values: at most {MOST_BEHAVIORS} kinds can be told apart.")
        if any("'" in value or not value.isprintable() for value in self.behavior_values):
            raise UsageError("--behavior-values: quotes and control characters cannot be part of a value.")
