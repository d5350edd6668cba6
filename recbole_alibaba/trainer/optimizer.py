"""AdamW in one fused pass over all weights, with its averages' lengths as a setting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ..host.errors import BadSettingError


def adamw(weights: Iterable[Any], rate: float | None, decay: float | None, betas: Any) -> torch.optim.Optimizer:
    """betas: `adam_betas`, how slowly the averages of gradients and of squared gradients forget; None: torch's.

    Raises:
        BadSettingError: betas that are not two numbers in [0, 1).
    """
    try:
        first, second = (0.9, 0.999) if betas is None else map(float, betas)
    except (TypeError, ValueError):
        raise _bad(betas) from None
    if not (0 <= first < 1 and 0 <= second < 1):
        raise _bad(betas)
    return torch.optim.AdamW(weights, lr=rate or 0.0, weight_decay=decay or 0.0, betas=(first, second), fused=True)


def _bad(betas: Any) -> BadSettingError:
    return BadSettingError(f"adam_betas: {betas!r} is not two numbers from 0 to below 1, such as [0.9, 0.999].")
