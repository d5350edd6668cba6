"""AdamW in one fused pass over all weights, with its averages' lengths and its floor as settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ..host.errors import BadSettingError


def adamw(
    weights: Iterable[Any], rate: float | None, decay: float | None, betas: Any = None, eps: Any = None
) -> torch.optim.Optimizer:
    """None for any setting: torch's own.

    betas: `adam_betas`, how slowly the averages of gradients and of squared gradients forget.
    eps: `adam_eps`, added to the root of the latter. The gradient of a mean over a large batch can be as small as
    torch's 1e-8, which then shortens every step of the thinly connected users and items.

    Raises:
        BadSettingError: betas that are not two numbers in [0, 1); an eps that is not a number above 0.
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
