"""Which values may one searched setting take? A list of them, or numbers between two bounds."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recbole_alibaba.host.errors import BadSettingError, UnknownSettingError, nearest

WORDS = ("low", "high", "log", "step", "int")
FORMS = "a list of values, or {low: 0.1, high: 0.5}, with log: true, step: 0.1 or int: true if needed"


@dataclass(frozen=True)
class Choice:
    """Some values, none nearer to another: plain values, or lists and mappings of them."""

    values: tuple[Any, ...]

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.values)

    def index(self, value: Any) -> int | None:
        """Where `value` stands among the values, None if it is not one of them."""
        wanted = canonical(value)
        return next((at for at, one in enumerate(self.values) if canonical(one) == wanted), None)

    def __contains__(self, value: Any) -> bool:
        return self.index(value) is not None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def as_yaml(self) -> list[Any]:
        """As it stands in the board's file."""
        return list(self.values)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        log: whether each factor is as likely as any other, in place of each distance.
        step: distance of two neighbours; None: any number between the bounds.
        whole: whether the numbers are whole.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    @property
    def count(self) -> float:
        """How many values there are; infinite where any number between the bounds may be taken."""
        step = self.step or (1 if self.whole else None)
        return math.floor((self.high - self.low) / step + 1e-9) + 1 if step else math.inf

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        if self.whole and value != int(value):
            return False
        steps = (value - self.low) / self.step if self.step else 0
        return abs(steps - round(steps)) < 1e-9

    def __iter__(self) -> Iterator[Any]:
        for at in range(int(self.count)):
            value = self.low + at * (self.step or 1)
            yield int(value) if self.whole else value

    def as_yaml(self) -> dict[str, Any]:
        """As it stands in the board's file."""
        said = {"low": self.low, "high": self.high, "log": self.log, "step": self.step, "int": self.whole}
        return {word: value for word, value in said.items() if value not in (None, False) or word in ("low", "high")}


def canonical(value: Any) -> str:
    """`value` as JSON, the same text for the same value: 250 and 250.0 are one number, 1 and True are two values."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below) for below in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_range(name: str, value: Any, where: str) -> Choice | Range:
    """The values of the setting `name`, from the board's file.

    Raises:
        BadSettingError: `value` has none of the two forms, or its bounds contradict each other.
        UnknownSettingError: a word beside low, high, log, step and int.
    """
    if isinstance(value, list | tuple) and value:
        found = Choice(tuple(value))
        if len({canonical(one) for one in value}) < len(value):
            raise BadSettingError(f"{where}: a value of {name} is listed twice: {list(value)}. Leave one away.")
        return found
    if not isinstance(value, Mapping):
        raise BadSettingError(f"{where}: {name} is {value!r}, and a search needs {FORMS}.")
    for word in value:
        if word not in WORDS:
            raise UnknownSettingError(
                f"{where}: nothing reads '{word}' of {name}; a range takes {', '.join(WORDS)}."
                f"{nearest(str(word), WORDS)}"
            )
    return _bounds(name, value, where)


def _bounds(name: str, value: Mapping[str, Any], where: str) -> Range:
    low, high, step = (value.get(word) for word in ("low", "high", "step"))
    given = [number for number in (low, high, step) if number is not None]
    log, whole = value.get("log", False), value.get("int", all(type(number) is int for number in given))
    if low is None or high is None or not all(_finite(number) for number in given):
        raise BadSettingError(f"{where}: {name} is {dict(value)}, and a range needs two numbers, low and high.")
    if not isinstance(log, bool) or not isinstance(whole, bool):
        raise BadSettingError(f"{where}: log and int of {name} must be true or false.")
    if not low < high:
        raise BadSettingError(f"{where}: low of {name} is {low} and high is {high}; low must be the smaller one.")
    if log and (low <= 0 or step is not None):
        raise BadSettingError(f"{where}: log: true of {name} needs low above 0, and no step.")
    if step is not None and not 0 < step <= high - low:
        raise BadSettingError(f"{where}: step of {name} is {step}, and must lie between 0 and high - low.")
    if whole and any(number != int(number) for number in given):
        raise BadSettingError(f"{where}: int: true of {name} needs whole numbers, and there is {dict(value)}.")
    kind = int if whole else float
    return Range(kind(low), kind(high), log, None if step is None else kind(step), whole)


def _finite(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
