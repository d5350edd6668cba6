"""The means of one epoch, summed on the host; on a GPU the batches are read only now and then, because it must wait."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from recbole_alibaba.diagnosis.monitor.epoch_record import gradient_means, mean_losses
from recbole_alibaba.host.errors import NotFiniteLossError

READ_EVERY = 50
"""Batches between two reads on a GPU."""


class EpochMeter:
    """Means over the batches of one epoch: each loss part, their sum, the gradient norm, the share clipped.

    Args:
        parts: names of the loss parts, in the order in which `add` takes them.
        epoch: number of the epoch, for the error message.
        max_norm: the norm above which a gradient is clipped; infinite for no clipping.
        device: where the losses are.
        read_every: batches between two reads; by default 1 on the CPU and 50 elsewhere.
    """

    def __init__(
        self,
        parts: Sequence[str],
        epoch: int,
        max_norm: float,
        device: torch.device,
        read_every: int | None = None,
    ) -> None:
        self.parts = tuple(parts)
        self.epoch = epoch
        self.max_norm = max_norm
        self.batches = 0
        self._read_every = read_every or (1 if device.type == "cpu" else READ_EVERY)
        self.pending: list[Tensor] = []
        self._sums = [0.0] * (len(self.parts) + 1)
        self._clipped = 0

    def add(self, parts: Sequence[Tensor], grad_norm: Tensor) -> None:
        """Add one batch: its loss parts and its gradient norm before clipping, scalars on the device.

        Raises:
            NotFiniteLossError: a value is NaN or infinite; raised up to `read_every` batches later.
        """
        self.pending.append(torch.stack([value.detach().reshape(()).float() for value in (*parts, grad_norm)]))
        if len(self.pending) >= self._read_every:
            self.read()

    def read(self) -> None:
        """Bring the pending batches to the host and add them up.

        Raises:
            NotFiniteLossError: a value is NaN or infinite; the message names epoch, batch and part.
        """
        if not self.pending:
            return
        rows = torch.stack(self.pending).tolist()
        self.pending.clear()
        for row in rows:
            for name, value in zip((*self.parts, "gradient norm"), row, strict=True):
                if not math.isfinite(value):
                    raise NotFiniteLossError(self._not_finite(name, value))
            self._sums = [total + value for total, value in zip(self._sums, row, strict=True)]
            self._clipped += row[-1] > self.max_norm
            self.batches += 1

    def means(self) -> dict[str, float]:
        """Over the batches read so far: `loss`, each part, `grad_norm` and `clipped` (share of batches, 0 to 1)."""
        *totals, norm = self._sums
        gradient = gradient_means(norm, self._clipped, self.batches)
        return {**mean_losses(self.parts, totals, self.batches), **gradient}

    def _not_finite(self, name: str, value: float) -> str:
        means = ", ".join(f"{key} {number:.4g}" for key, number in self.means().items())
        before = f"The mean of the {self.batches:,} batches before it: {means}. " if self.batches else ""
        return (
            f"epoch {self.epoch}, batch {self.batches}: the {name} is {value}. {before}"
            "Try a smaller learning_rate, and clip_grad_norm: {max_norm: 1.0, norm_type: 2}."
        )


def shown(value: float, decimals: int = 4) -> str:
    """`0.6756`, or with two digits what the decimals would round to zero: `7.5e-06`."""
    return f"{value:.{decimals}f}" if value == 0 or abs(value) >= 10.0 ** (1 - decimals) else f"{value:.1e}"
