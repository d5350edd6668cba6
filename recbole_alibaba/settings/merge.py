"""How are two layers of settings merged? A dictionary changes only the keys it names."""

import copy
from collections.abc import Mapping
from typing import Any

# Their entries are alternatives: {RS: ...} merged with {LS: ...} would ask for both splits.
REPLACED_WHOLE = frozenset({"split", "load_col", "unload_col"})


def deep_update(base: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `other` into `base`, in place: a dictionary changes only the keys it names in a dictionary below it.

    `other` and `base` share no mutable value afterwards.
    """
    for key, value in other.items():
        below = base.get(key)
        if isinstance(value, Mapping) and isinstance(below, dict) and key not in REPLACED_WHOLE:
            base[key] = deep_update(dict(below), value)
        else:
            base[key] = copy.deepcopy(value)
    return base
