"""Any other log: its columns named on the command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_prep.errors import UsageError
from dataset_prep.sources.base import BEHAVIOR, BRAND, CATEGORY, DAY, ITEM, MONTH, TIME, USER, Behavior, Source
from dataset_prep.sources.names import ROLES, is_header, plain
from dataset_prep.sources.times import FORMATS, form, recognised

MOST_BEHAVIORS = 8
OPTIONS = {
    USER: "user-column",
    ITEM: "item-column",
    TIME: "time-column",
    BEHAVIOR: "behavior-column",
    CATEGORY: "category-column",
}


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
    zone: str = ""

    def source(self, rows: Sequence[Sequence[str]]) -> Source:
        """The source of a file with these first rows. Raises UsageError."""
        self._check()
        asked = {role: name for role, name in self.roles.items() if name is not None}
        first, named = rows[0], self.header
        if named is None:
            named = any(not name.replace(",", "").isdigit() for name in asked.values()) or is_header(rows)
        placed = self.places(first, named)
        columns = [f"column_{n}" for n in range(1, len(first) + 1)]
        for role, place in placed.items():
            columns[place] = role
        return Source(
            name="csv",
            title="a log with named columns",
            columns=tuple(columns),
            behaviors=tuple(Behavior(value) for value in self.behavior_values),
            default_behaviors=tuple(self.behavior_values),
            time=self.time_format if self.time_format in FORMATS and not self.zone else "unix",
            headers=frozenset(first[place].strip().lower() for place in placed.values()) if named else frozenset(),
            digits=False,
            asked=tuple(asked.items() if not named else self._by_name(asked, placed, first).items()),
            written=self.time_format,
            zone=self.zone,
        )

    @staticmethod
    def _by_name(asked: Mapping[str, str], placed: Mapping[str, int], first: Sequence[str]) -> dict[str, str]:
        """Numbers become the names in the header, so that a file with another order is read right."""
        names = [field.strip() for field in first]
        unique = {name for name in names if name and names.count(name) == 1}
        return {
            role: names[placed[role]] if "," not in name and names[placed[role]] in unique else name
            for role, name in asked.items()
        }

    @property
    def roles(self) -> dict[str, str | None]:
        return {USER: self.user, ITEM: self.item, TIME: self.time, BEHAVIOR: self.behavior, CATEGORY: self.category}

    def places(self, first: Sequence[str], named: bool) -> dict[str, int]:
        return places({role: name for role, name in self.roles.items() if name}, first, named)

    def _check(self) -> None:
        form(self.time_format, self.zone)
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


def named_by_header(rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """The options of csv that the names of a header give: user_column, ...; of a time in no known format PATTERN."""
    if not is_header(rows):
        return {}
    named: dict[str, str] = {}
    for role in (USER, ITEM, TIME, CATEGORY, MONTH, DAY):
        found = [name for name in rows[0] if ROLES.get(plain(name)) == role]
        if len(found) == 1:
            named[role] = found[0]
    brands = [name for name in rows[0] if ROLES.get(plain(name)) == BRAND]
    if ITEM not in named and len(brands) == 1:  # the log of 2014 holds brands alone
        named[ITEM] = brands[0]
    month, day = named.pop(MONTH, None), named.pop(DAY, None)
    options = {OPTIONS[role].replace("-", "_"): name for role, name in named.items()}
    if TIME in named:
        place = rows[0].index(named[TIME])
        known = recognised([row[place] for row in rows[1:] if len(row) > place], "unix")
        options |= {} if known == "unix" else {"time_format": known or "PATTERN"}
    elif month and day:
        options["time_column"] = f"{month},{day}"
    return options


def csv_command(file: str, rows: Sequence[Sequence[str]]) -> str:
    """The csv command by the names of a header, or by number; what it needs more is said behind it."""
    options = named_by_header(rows)
    missing = [role for role in (USER, ITEM) if OPTIONS[role].replace("-", "_") not in options]
    note = f", with the names of your columns for {' and '.join(missing)}" if missing else ""
    if not is_header(rows):
        options, note = {"user_column": "1", "item_column": "2"}, ", with the numbers of your columns"
    options = {"user_column": "USER", "item_column": "ITEM", **options}
    words = (f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in options.items())
    return " ".join(["python -m dataset_prep csv", *words, "--log", shlex.quote(file), "--name my-log"]) + note


def places(asked: Mapping[str, str], first: Sequence[str], named: bool, file: str = "") -> dict[str, int]:
    """Role -> place of its column; of a time in two columns the place of the month.

    Args:
        asked: role -> a name in the header, or a number from 1; for the time also two of these, month and day.
        first: the fields of the file's first line. named: they are a header.
        file: its name, for the message.

    Raises:
        UsageError: there is no such column, or several, or two roles have the same one, or the header names another
            column for a role that was given by number.
    """
    found: dict[str, int] = {}
    for role, name in asked.items():
        words = name.split(",") if role == TIME and name not in first else [name]
        place, *_ = (_place(word.strip(), first, named, file) for word in words)
        for other, taken in found.items():
            if taken == place:
                raise UsageError(f"--{OPTIONS[other]} and --{OPTIONS[role]} name the same column, {name!r}.")
        found[role] = place
        if named and role in (USER, ITEM):
            _refuse_contradiction(role, name, place, [field.strip() for field in first], file)
    return found


def _refuse_contradiction(role: str, number: str, place: int, header: Sequence[str], file: str) -> None:
    """A number often counts the columns without the row number that pandas writes first."""
    meant = [name for name in header if ROLES.get(plain(name)) == role]
    if number not in header and len(meant) == 1 and header[place] != meant[0]:
        other = ROLES.get(plain(header[place]))
        if other is not None or not header[place] or plain(header[place]) in ("index", "unnamed:0", "unnamed"):
            raise UsageError(
                f"{f'{file}: ' if file else ''}--{OPTIONS[role]} {number} is the column {header[place]!r}, and the "
                f"header names {meant[0]!r}. Write --{OPTIONS[role]} {shlex.quote(meant[0])}."
            )


def _place(name: str, first: Sequence[str], named: bool, file: str) -> int:
    header = [field.strip() for field in first]
    same = [place for place, field in enumerate(header) if field == name]
    same = same or [place for place, field in enumerate(header) if field.lower() == name.lower()]
    where = f"{file}: " if file else ""
    if named and len(same) == 1:
        return same[0]
    if named and same:
        raise UsageError(f"{where}{len(same)} columns are named {name!r}; give the number of the one that is meant.")
    if name.isdigit() and 1 <= int(name) <= len(first):
        return int(name) - 1
    there = ", ".join(field or "''" for field in header) if named else f"columns 1 to {len(first)}"
    raise UsageError(f"{where}There is no column {name!r}; the first line has {there}.")
