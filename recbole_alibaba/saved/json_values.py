"""What can JSON hold? It has no NaN and no infinity: they become None."""

import math
from collections.abc import Mapping
from typing import Any


def in_json(value: Any) -> Any:
    """The same value in JSON's types; a number of numpy or torch is a float, and what is no value at all its text."""
    if isinstance(value, Mapping):
        return {str(key): in_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [in_json(inner) for inner in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else None
