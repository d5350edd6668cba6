"""Which parameters of a model are its user and item tables? The number of rows decides, then the name."""

from __future__ import annotations

from torch import nn

Tables = dict[str, nn.Parameter]


def embedding_tables(model: nn.Module) -> dict[str, Tables]:
    """``{"user": {name: parameter}, "item": {...}}`` of a RecBole general model's two-dimensional parameters.

    A table that holds users and items together (n_users + n_items rows) counts as both.
    """
    n_users, n_items = getattr(model, "n_users", -1), getattr(model, "n_items", -1)
    found: dict[str, Tables] = {"user": {}, "item": {}}
    for name, parameter in model.named_parameters():
        if parameter.dim() != 2:
            continue
        rows, lowered = parameter.shape[0], name.lower()
        sides = [side for side, count in (("user", n_users), ("item", n_items)) if rows == count]
        if len(sides) == 2 and ("user" in lowered) != ("item" in lowered):
            sides = ["user" if "user" in lowered else "item"]
        if rows == n_users + n_items:
            sides = ["user", "item"]
        for side in sides:
            found[side][name] = parameter
    return found


def rows_of(side: str, parameter: nn.Parameter, model: nn.Module) -> tuple[int, int]:
    """The first row of ``side`` in ``parameter`` and the end of its rows, without RecBole's padding row."""
    n_users, n_items = getattr(model, "n_users", -1), getattr(model, "n_items", -1)
    if parameter.shape[0] == n_users + n_items:
        return (1, n_users) if side == "user" else (n_users + 1, n_users + n_items)
    return 1, parameter.shape[0]
