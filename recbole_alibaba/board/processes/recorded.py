"""What does the record keep? Numbers in JSON's types, and of an epoch what the pages draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from recbole_alibaba.board.measures.measured import Measured


def measures(found: Measured) -> dict[str, Any]:
    """Fields of the record."""
    fields = {name: getattr(found, name) for name in ("test", "groups", "beyond", "competition")}
    return dict(plain_numbers(fields))


def scores(found: Measured) -> dict[str, np.ndarray]:
    """Arrays of the scores' file."""
    return {"users": found.users, "activity": found.activity, **found.per_user}


def epoch_shown(epoch: Mapping[str, Any], model: Any, metric: str) -> dict[str, Any]:
    """What the record keeps of an epoch."""
    names = ("loss", *getattr(model, "loss_parts", ()))
    kept = {"epoch": epoch["epoch"], **{name: number(epoch[name]) for name in names if name in epoch}}
    if metric in epoch.get("valid", {}):
        kept["valid"] = {metric: number(epoch["valid"][metric])}
    return {**kept, "seconds": round(epoch["seconds"], 3)}


def number(value: Any) -> float | None:
    """As JSON can hold it: NaN and infinity become None."""
    found = float(value)
    return found if math.isfinite(found) else None


def plain_numbers(value: Any) -> Any:
    """The same in JSON's types, which have no NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain_numbers(inner) for key, inner in value.items()}
    if value is None or isinstance(value, str | bool | int):
        return value
    return number(value)
