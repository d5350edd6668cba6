"""The grammar of a line: which fields a log of a source may hold, and why a line does not parse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from dataset_prep.files.layout import quoted_fields
from dataset_prep.sources.base import BEHAVIOR, CATEGORY, ITEM, MISSING, TIME, USER, Source
from dataset_prep.sources.names import ROLES, SYNONYMS, plain
from dataset_prep.sources.part import LONGEST_LINE
from dataset_prep.sources.times import FORMATS

# A whole number that a 64-bit integer keeps exactly. Other ids are kept as text.
CANONICAL = r"(?:0|[1-9][0-9]{0,17})"
OTHER_ORDER = "a second header, with its columns in another order"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Grammar:
    """The lines that a log of this source may hold. own: the columns of this very file; () for the source's."""

    source: Source
    delimiter: str
    level: str = "item"
    own: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The role of each field of a line."""
        return self.own or self.source.columns

    def is_id(self, column: str) -> bool:
        return column in (USER, ITEM) or (column == CATEGORY and self.level == "category")

    def _expression(self, column: str, canonical: bool) -> str:
        free = rf'[^\x00-\x1f"\x7f{self.delimiter}]'
        if self.is_id(column):
            if self.source.digits:
                return CANONICAL if canonical else "[0-9]+"
            words = "|".join(map(re.escape, MISSING))
            inner = rf'[^\x00-\x20"\x7f{self.delimiter}]'
            if column == USER and self.source.headers:
                words += "|(?i:" + "|".join(map(re.escape, self.source.headers)) + ")"
            return rf"(?!(?:{words})(?:{self.delimiter}|\r?\n)){inner}(?:{free}*{inner})?"
        if column == BEHAVIOR:
            return "(?:" + "|".join(re.escape(b.value) for b in self.source.behaviors) + ")"
        if column == TIME:
            return FORMATS[self.source.time].regular
        return free + "*"

    @cache  # noqa: B019
    def run(self, canonical: bool) -> re.Pattern[bytes]:
        """Matches up to 1,000 good lines, each with its line end: a match takes memory for each line."""
        line = self.delimiter.join(f"(?:{self._expression(c, canonical)})" for c in self.columns)
        return re.compile(rf"(?:{line}\r?\n){{0,1000}}".encode())

    def examine(self, line: bytes) -> tuple[str | None, list[str]]:
        """(why the line does not parse, or None; its fields without quotes)"""
        if len(line) > LONGEST_LINE:
            return f"{len(line):,} bytes in one line", []
        if b"\0" in line:
            return "NUL byte", []
        try:
            fields = quoted_fields(line.decode("utf-8"), self.delimiter)
        except UnicodeDecodeError:
            return "broken UTF-8", []
        if fields is None:
            return "stray quote", []
        if reason := self._second_header(fields):
            return reason, []
        if len(fields) != len(self.columns):
            return f"{len(fields)} fields, {len(self.columns)} expected", []
        for column, value in zip(self.columns, fields, strict=True):
            reason = self._reason(column, value)
            if reason:
                return reason, []
        return None, fields

    def _second_header(self, fields: list[str]) -> str | None:
        place = self.columns.index(USER)
        user = fields[place].strip() if place < len(fields) else ""
        if self.source.asked:
            if user.lower() not in self.source.headers:
                return None
            return "a second header" if user.lower() == dict(self.source.asked)[USER].lower() else OTHER_ORDER
        roles = [ROLES.get(plain(field)) for field in fields]
        if len(set(roles) - {None}) >= 3 and {USER, ITEM} <= set(roles):
            pairs = zip(roles, self.columns, strict=False)
            return OTHER_ORDER if any(r and c in ROLES.values() and r != c for r, c in pairs) else "a second header"
        return "a second header" if plain(user) in SYNONYMS[USER] else None

    def _reason(self, column: str, value: str) -> str | None:
        if not self.is_plain(value):
            return f"a quote or a control character inside {column}"
        if self.is_id(column):
            return self.id_reason(column, value)
        if column == BEHAVIOR and value not in {b.value for b in self.source.behaviors}:
            return f"unknown behaviour {_short(value)}"
        if column == TIME and FORMATS[self.source.time].parse(value) is None:
            return f"impossible time {_short(value)}"
        return None

    def id_reason(self, column: str, value: str) -> str | None:
        """Why a value is not an id, or None."""
        if not value.strip():
            return f"blank {column}"
        if self.source.digits:
            return None if re.fullmatch("[0-9]+", value) else f"{column} {_short(value)} is no whole number"
        if not self.is_plain(value):
            return f"{column} {_short(value)} holds a quote or a control character"
        if value != value.strip(" "):
            return f"{column} {_short(value)} has blanks around it"
        return f"{column} {_short(value)} would be read as a missing value" if value in MISSING else None

    @staticmethod
    def is_plain(value: str) -> bool:
        """True if a tab-separated file can hold the value without quotes."""
        return '"' not in value and not CONTROL.search(value)

    def is_canonical(self, fields: list[str]) -> bool:
        ids = [value for column, value in zip(self.columns, fields, strict=True) if self.is_id(column)]
        return all(re.fullmatch(CANONICAL, value) for value in ids)


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:37] + "...")
