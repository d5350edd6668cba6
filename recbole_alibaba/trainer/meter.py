"""One epoch's named means, gathered on the device and read only now and then, so that showing them costs nothing."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..diagnosis.monitor.epoch_record import gradient_means, mean_losses
from ..host.errors import NotFiniteLossError

READ_EVERY = {"cpu": 1, "cuda": 50}  # batches; a read makes the GPU wait


class EpochMeter:
    """Means over the batches of one epoch: each loss part, their sum, the gradient norm, the share clipped.

    Args:
        parts: names of the loss parts, in the order in which `add` gets them.
        epoch: number of the epoch, for the error message.
        max_norm: the norm above which a gradient was clipped; infinite for no clipping.
        device: where the losses are; decides how often they are read.
    """

    def __init__(self, parts: Sequence[str], epoch: int, max_norm: float, device: torch.device) -> None:
        self.parts = tuple(parts)
        self.epoch = epoch
        self.max_norm = max_norm
        self.batches = 0
        self._read_every = READ_EVERY.get(device.type, 50)
        self._pending: list[Tensor] = []
        self._sums = [0.0] * (len(self.parts) + 1)
        self._clipped = 0

    def add(self, parts: Sequence[Tensor], grad_norm: Tensor) -> None:
        """Take one batch's loss parts and its gradient norm before clipping, each one number on the device.

        Raises:
            NotFiniteLossError: naming epoch, batch and part; on a GPU up to 50 batches later.
        """
        self._pending.append(torch.stack([value.detach().reshape(()).float() for value in (*parts, grad_norm)]))
        if len(self._pending) >= self._read_every:
            self.read()

    def read(self) -> None:
        """Bring what is pending to the host and add it up."""
        if not self._pending:
            return
        rows = torch.stack(self._pending).tolist()
        self._pending.clear()
        for row in rows:
            for name, value in zip((*self.parts, "gradient norm"), row, strict=True):
                if not math.isfinite(value):
                    raise NotFiniteLossError(self._not_finite(name, value))
            self._sums = [total + value for total, value in zip(self._sums, row, strict=True)]
            self._clipped += row[-1] > self.max_norm
            self.batches += 1

    def means(self) -> dict[str, float]:
        """`loss`, each part, `grad_norm` and `clipped` (share of batches, 0 to 1), over the batches read so far."""
        *totals, norm = self._sums
        gradient = gradient_means(norm, self._clipped, self.batches)
        return {**mean_losses(self.parts, totals, self.batches), **gradient}

    def _not_finite(self, name: str, value: float) -> str:
        means = ", ".join(f"{key} {number:.4g}" for key, number in self.means().items())
        before = f"The mean of the {self.batches:,} batches before it: {means}." if self.batches else ""
        return (
            f"epoch {self.epoch}, batch {self.batches}: the {name} is {value}. {before} "
            "Try a smaller learning_rate, and clip_grad_norm: {max_norm: 1.0, norm_type: 2}."
        )


def shown(value: float, decimals: int = 4) -> str:
    """`0.6756`; a value that the decimals would round to nothing keeps two digits: `7.5e-06`."""
    return f"{value:.{decimals}f}" if value == 0 or abs(value) >= 10.0 ** (1 - decimals) else f"{value:.1e}"
