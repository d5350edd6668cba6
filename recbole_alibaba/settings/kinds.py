"""Which kinds of values are there? Each says in words what it wants, and tells whether a value is one."""

import codecs
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|inf)"
_INTERVAL = re.compile(rf"\s*[\[(]\s*({_NUMBER})\s*,\s*({_NUMBER})\s*[\])]\s*")
LARGEST = 2**31 - 1  # of a size or a count


@dataclass(frozen=True)
class Kind:
    """A kind of value: `wants` completes "it must be ...", `words` are the words it may be, if they can be listed."""

    wants: str
    accepts: Callable[[Any], bool]
    words: tuple[str, ...] = ()


def whole(low: int | None = None, high: int = LARGEST) -> Kind:
    """A whole number; True and False are none."""
    bounds = f" from {low:,}" if low is not None else ""
    bounds += f" to {high:,}" if high != LARGEST else ""
    least = -LARGEST if low is None else low
    return Kind(f"a whole number{bounds}", lambda value: _is(value, Integral) and least <= value <= high)


def number(low: float = -math.inf, high: float = math.inf, above: bool = False) -> Kind:
    """A finite number; with `above`, `low` itself is refused."""
    bounds = f" above {low:g}" if above else f" from {low:g}" if low > -math.inf else ""
    bounds += f" to {high:g}" if high < math.inf else ""

    def accepts(value: Any) -> bool:
        return _is(value, Real) and math.isfinite(value) and low <= value <= high and not (above and value == low)

    return Kind(f"a number{bounds}", accepts)


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def flag() -> Kind:
    """True or False; torch takes no 1 and 0 for them."""
    return Kind("True or False", lambda value: isinstance(value, bool))


def text(wants: str = "text", pattern: str = ".+") -> Kind:
    """Text, or a path, that matches the whole `pattern`."""
    whole_pattern = re.compile(pattern, re.DOTALL)
    return Kind(
        wants, lambda value: isinstance(value, str | os.PathLike) and bool(whole_pattern.fullmatch(os.fspath(value)))
    )


def choice(*words: str, any_case: bool = False) -> Kind:
    """One of these words."""
    known = {word.lower() for word in words} if any_case else set(words)
    wants = f"one of {', '.join(words)}" if len(words) > 1 else f"'{words[0]}'"
    return Kind(
        wants, lambda value: isinstance(value, str) and (value.lower() if any_case else value) in known, tuple(words)
    )


def listed(inside: Kind, length: int | None = None, least: int = 0, what: str = "") -> Kind:
    """A list of `inside`, of `length` or at least `least` entries. `what` describes it in place of `inside`."""
    many = f"{length} entries" if length is not None else "at least one entry" if least else "any number of entries"
    wants = what or f"a list with {many}, each {inside.wants}"

    def accepts(value: Any) -> bool:
        if not isinstance(value, list | tuple) or not all(map(inside.accepts, value)):
            return False
        return len(value) == length if length is not None else len(value) >= least

    return Kind(wants, accepts, inside.words)


def mapping(inside: Kind | None = None, like: str = "{name: value}") -> Kind:
    """A mapping from names to `inside`, or to anything; `like` is an example."""

    def accepts(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and (inside is None or inside.accepts(below)) for key, below in value.items()
        )

    return Kind(f"a mapping such as {like}", accepts)


def one_bound(like: str) -> Kind:
    """A mapping from one name to a number."""
    inside = mapping(number())
    return Kind(f"a mapping of one column, such as {like}", lambda value: inside.accepts(value) and len(value) == 1)


def interval() -> Kind:
    """RecBole's `[5,inf)`, or several with `;` between them. A list of two numbers reads as `[a, b]`."""

    def accepts(value: Any) -> bool:
        found = [_INTERVAL.fullmatch(part) for part in str(value).split(";")]
        return all(match and float(match[1]) <= float(match[2]) for match in found)

    return Kind('an interval such as "[5,inf)"', accepts)


def shares() -> Kind:
    """The three shares of training, validation and test; RecBole divides them by their sum."""

    def accepts(value: Any) -> bool:
        return (
            isinstance(value, list | tuple)
            and len(value) == 3
            and all(map(number(0).accepts, value))
            and sum(value) > 0
        )

    return Kind("three numbers, the shares of training, validation and test, as in [0.8, 0.1, 0.1]", accepts)


def encoding() -> Kind:
    """The name of an encoding of Python."""

    def accepts(value: Any) -> bool:
        try:
            return isinstance(value, str) and bool(codecs.lookup(value))
        except (LookupError, ValueError):
            return False

    return Kind("the name of an encoding, such as utf-8 or gb18030", accepts)


def nothing() -> Kind:
    """None."""
    return Kind("None", lambda value: value is None)


def anything() -> Kind:
    """Any value."""
    return Kind("any value", lambda value: True)


def either(*kinds: Kind) -> Kind:
    """One of several kinds."""
    words = tuple(word for kind in kinds for word in kind.words)
    wants = " or ".join(kind.wants for kind in kinds)
    return Kind(wants, lambda value: any(kind.accepts(value) for kind in kinds), words)
