"""How much memory does a model need at least, before it is built?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FLOAT = 4


def memory_needed(model: str, n_users: int, n_items: int, n_train: int, settings: Mapping[str, Any]) -> int | None:
    """Bytes that RecBole's model holds at once, at least; None where this is not known.

    Args:
        model: name of the class.
        n_users, n_items: numbers in the data set.
        n_train: training interactions.
        settings: the model's settings.
    """
    if model == "EASE":
        return 4 * FLOAT * n_items**2
    return None
