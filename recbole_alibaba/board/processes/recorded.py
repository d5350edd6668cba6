"""What does the record keep? Numbers in JSON's types, and of an epoch what the pages draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recbole_alibaba.board.measures.measured import Measured
from recbole_alibaba.saved.json_values import in_json


def measures(found: Measured) -> dict[str, Any]:
    """Fields of the record."""
    fields = {name: getattr(found, name) for name in ("test", "groups", "beyond", "competition")}
    return dict(in_json(fields))


def scores(found: Measured) -> dict[str, np.ndarray]:
    """Arrays of the scores' file."""
    return {"users": found.users, "activity": found.activity, **found.per_user}


def epoch_shown(epoch: Mapping[str, Any], model: Any, metric: str) -> dict[str, Any]:
    """What the record keeps of an epoch."""
    names = ("loss", *getattr(model, "loss_parts", ()))
    kept = {"epoch": epoch["epoch"], **{name: in_json(epoch[name]) for name in names if name in epoch}}
    if metric in epoch.get("valid", {}):
        kept["valid"] = {metric: in_json(epoch["valid"][metric])}
    return {**kept, "seconds": round(epoch["seconds"], 3)}
