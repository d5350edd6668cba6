"""AdamW in one fused pass over all weights, its settings, and how the learning rate changes over the epochs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from recbole_alibaba.host.errors import BadSettingError

SCHEDULES = ("constant", "linear")


def learning_rate(first: float, schedule: str | None, epoch: int, epochs: int) -> float:
    """The learning rate of `epoch`, counted from 0, in a run of `epochs`.

    `constant` is always `first`. `linear` falls from `first` to `first / epochs` in the last epoch.

    Raises:
        BadSettingError: an unknown schedule.
    """
    if schedule not in (None, *SCHEDULES):
        raise BadSettingError(f"learning_rate_schedule: {schedule!r} is not one of {', '.join(SCHEDULES)}.")
    return first * (1 - epoch / epochs) if schedule == "linear" else first


def adamw(
    weights: Iterable[Any], rate: float | None, decay: float | None, betas: Any = None, eps: Any = None
) -> torch.optim.Optimizer:
    """AdamW over `weights`.

    Args:
        betas: `adam_betas`, the decay of the averages of gradients and of squared gradients; None for torch's.
        eps: `adam_eps`, added to the root of the squared average; None for torch's 1e-8. The gradient of a mean over
            a large batch can be as small as 1e-8. Then eps shortens the steps of users and items with few
            interactions.

    Raises:
        BadSettingError: betas are not two numbers in [0, 1), or eps is not a number above 0.
    """
    return torch.optim.AdamW(
        weights, lr=rate or 0.0, weight_decay=decay or 0.0, betas=_betas(betas), eps=_eps(eps), fused=True
    )


def _betas(betas: Any) -> tuple[float, float]:
    try:
        first, second = (0.9, 0.999) if betas is None else map(float, betas)
        if 0 <= first < 1 and 0 <= second < 1:
            return first, second
    except (TypeError, ValueError):
        pass
    raise BadSettingError(f"adam_betas: {betas!r} is not two numbers from 0 to below 1, such as [0.9, 0.999].")


def _eps(eps: Any) -> float:
    try:
        value = 1e-8 if eps is None else float(eps)
        if 0 < value < float("inf"):
            return value
    except (TypeError, ValueError):
        pass
    raise BadSettingError(f"adam_eps: {eps!r} is not a number above 0, such as 1e-8.")
