"""What a source module states about its format; behaviour names."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from dataset_prep.errors import UsageError

USER, ITEM, CATEGORY, BEHAVIOR, TIME = "user_id", "item_id", "item_category", "behavior_type", "timestamp"
SELLER, BRAND = "seller_id", "brand_id"
MONTH, DAY = "month", "day"
ESSENTIAL = (USER, ITEM, BEHAVIOR, TIME)

# What pandas, and so RecBole, reads as a missing value.
MISSING = (
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)


@dataclass(frozen=True)
class Behavior:
    """One kind of interaction: its value in the file, and other words for it."""

    value: str
    names: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The word for people."""
        return self.names[0] if self.value.isdigit() and self.names else self.value


@dataclass(frozen=True)
class Source:
    """A raw format.

    columns: the file's columns in order, by role (user_id, item_id, item_category, behavior_type, timestamp are
        understood; any other is carried along by its name).
    behaviors: weakest first; of two in the same instant the stronger one is kept.
    time: a key of ``dataset_prep.sources.times.FORMATS``.
    headers: of csv: the names of its columns, lower case; as a user they mark a line as a header.
    period: first and last moment of the data set, Beijing time, where it has a fixed one.
    digits: ids are whole numbers, so anything else is dirt.
    names: the columns' names in the data set's own files.
    asked: role -> the column of csv as it was named; empty for the other sources, whose columns go by known names.
    written: how csv's time is written (``dataset_prep.sources.times.form``); '' to recognise it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    behaviors: tuple[Behavior, ...]
    default_behaviors: tuple[str, ...]
    time: str
    headers: frozenset[str] = frozenset()
    period: tuple[str, str] | None = None
    digits: bool = True
    item_features: tuple[str, ...] = (CATEGORY,)
    names: tuple[str, ...] = field(default=(), compare=False)
    asked: tuple[tuple[str, str], ...] = ()
    written: str = ""
    zone: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that decide the data set."""
        return tuple(role for role in self.columns if role in ESSENTIAL or role in self.item_features)

    @property
    def timed(self) -> bool:
        return TIME in self.columns

    def behavior_values(self, asked: str | None) -> tuple[str, ...]:
        """'cart,buy' or '3,4' -> ('3', '4'), in the source's own order; None -> the source's default."""
        if asked is None:
            return self.default_behaviors
        by_name = {name.lower(): b.value for b in self.behaviors for name in (b.value, *b.names)}
        words = [word.strip().lower() for word in asked.split(",") if word.strip()]
        for word in words:
            if word not in by_name:
                near = difflib.get_close_matches(word, by_name, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                known = ", ".join("/".join((b.value, *b.names)) for b in self.behaviors)
                raise UsageError(f"--behaviors: {self.name} has no behaviour {word!r}.{hint} It has: {known}.")
        if not words:
            raise UsageError("--behaviors: no behaviour given; every row would be dropped.")
        wanted = {by_name[word] for word in words}
        return tuple(b.value for b in self.behaviors if b.value in wanted)
