"""Which settings of a model are searched, and between which values?"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recbole_alibaba.board.searching.ranges import Choice, Range, canonical, read_range
from recbole_alibaba.host import known_settings
from recbole_alibaba.host.errors import BadSettingError, UnknownSettingError, nearest
from recbole_alibaba.host.registry import find_model
from recbole_alibaba.settings.property_files import properties_folder, read_mapping

RECBOLE = "recbole"  # in place of a space: the ranges that RecBole's documentation publishes


@dataclass(frozen=True)
class Space:
    """The searched settings of a model, in the order of their names.

    Attributes:
        ranges: the values of each setting.
        start: the values that the model has without a search, of those settings whose range has them.
    """

    ranges: tuple[tuple[str, Choice | Range], ...]
    start: tuple[tuple[str, Any], ...] = ()

    @property
    def size(self) -> int | None:
        """How many settings there are; None where a range has any number between its bounds."""
        count = math.prod(values.count for _, values in self.ranges)
        return None if count == math.inf else int(count)

    def trials(self, budget: int) -> int:
        """How many trials the search has: the budget, or fewer where the whole space is smaller."""
        return budget if self.size is None else min(budget, self.size)

    def grid(self) -> Iterator[dict[str, Any]]:
        """Every setting of a space that has a size."""
        names = [name for name, _ in self.ranges]
        return (dict(zip(names, values, strict=True)) for values in itertools.product(*(one for _, one in self.ranges)))

    def as_yaml(self) -> dict[str, Any]:
        """As it stands in the board's file."""
        return {name: values.as_yaml() for name, values in self.ranges}

    def as_json(self) -> str:
        """The same text for the same space."""
        return canonical(self.as_yaml())


def read_space(value: Any, model: str, settings: Mapping[str, Any] | None = None, where: str | None = None) -> Space:
    """The search space of a model, from the board's file.

    Args:
        value: a mapping from names of settings to lists of values or to {low, high, log, step, int}; or "recbole".
        model: name of the model's class.
        settings: the board's settings of this model. The first trial has these, and the model's defaults besides.
        where: the place in the board's file, for messages.

    Raises:
        UnknownSettingError: nothing reads a setting with this model.
        BadSettingError: a range of another form, or values of another type than the setting has.
        UnknownModelError: there is no such model.
    """
    where = where or f"search of {model}"
    model_class = find_model(model)
    if value == RECBOLE:
        value = published_ranges(model, where)
    if not isinstance(value, Mapping) or not value:
        raise BadSettingError(
            f"{where}: it is {value!r}, and a search is '{RECBOLE}' or a mapping of settings to their values."
        )
    ranges = {str(name): read_range(str(name), values, where) for name, values in sorted(value.items(), key=str)}
    for name, values in ranges.items():
        for one in values if isinstance(values, Choice) else (values.low, values.high):
            known_settings.check_layer({name: one}, model_class, where)
    default = {name: line.default for name, line in known_settings.lines_of(model_class).items()} | dict(settings or {})
    start = {name: default[name] for name, values in ranges.items() if name in default and default[name] in values}
    return Space(tuple(ranges.items()), tuple(start.items()))


def published_ranges(model: str, where: str) -> dict[str, Any]:
    """The ranges that RecBole's documentation publishes for a model (`properties/ranges.yaml`).

    Raises:
        UnknownSettingError: it publishes none.
    """
    ranges = read_mapping(properties_folder() / "ranges.yaml")
    if model not in ranges:
        raise UnknownSettingError(
            f"{where}: RecBole's documentation has no ranges for {model}, only for {', '.join(sorted(ranges))}. "
            f"Write a mapping of settings to their values.{nearest(model, ranges)}"
        )
    return dict(ranges[model])
