"""How is an epoch record built? The same way for this plugin's trainer and for RecBole's; no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def mean_losses(names: Sequence[str], totals: Sequence[float], batches: int) -> dict[str, float]:
    """The mean ``loss`` of an epoch and the mean of each named part.

    Args:
        names: names of the loss parts; parts after the last name count for ``loss`` only.
        totals: for each part, its sum over the batches.
        batches: number of batches.
    """
    means = [total / max(batches, 1) for total in totals]
    return {"loss": sum(means), **dict(zip(names, means, strict=False))}


def gradient_means(total: float, clipped: int, batches: int) -> dict[str, float]:
    """The mean ``grad_norm`` of ``batches`` measured batches, and the share of them that was ``clipped``."""
    return {"grad_norm": total / max(batches, 1), "clipped": clipped / max(batches, 1)}


def epoch_record(
    epoch: int, batches: int, seconds: float, means: Mapping[str, float], readings: Mapping[str, Any]
) -> dict[str, Any]:
    """One epoch's record; its keys are listed in ``readings.py``.

    Args:
        epoch: number of the epoch, from 0.
        batches: number of batches.
        seconds: how long they took.
        means: of ``mean_losses`` and ``gradient_means``.
        readings: of ``Watcher.end_epoch``.
    """
    return {"epoch": epoch, "batches": batches, "seconds": seconds, **means, **readings}
